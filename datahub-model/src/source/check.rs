//! The rules of a mapping, one function each, with the reason for it.

mod choices;
mod columns;
mod field;
mod metadata;
mod model;

use super::diagnostic::Diagnostic;

pub use choices::check_choices;
pub use columns::ColumnLimit;
pub use field::has_zero;
pub(super) use field::{class, default, engine_of_detached, field_keys, local, nullability, read_only};
pub(crate) use metadata::{check_against_metadata, fitting};
pub(super) use model::{model, required_at_create};

type Diagnostics<P> = Vec<Diagnostic<P>>;
