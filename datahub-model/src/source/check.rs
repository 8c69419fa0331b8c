//! The rules of a mapping, one function each, with its reason.

mod choices;
mod columns;
mod field;
mod former;
mod model;

pub use choices::check_choices;
pub use columns::ColumnLimit;
pub(super) use field::{class, default, engine_of_detached, field_keys, local, nullability, read_only};
pub use field::{has_zero, plain_type};
pub use former::unknown_former_names;
pub(super) use model::{model, required_at_create};
