//! What Diesel needs for a synced table, so that a team's own queries work on it: SQL types, conversions of values, and
//! the traits of a model.

pub(crate) mod bind_value;
mod glue;
pub mod sql_types;
pub(crate) mod stored_value;
