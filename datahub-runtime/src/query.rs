//! Conditions on the fields of a model, built by typed handles or read from text.
//!
//! The derive makes a handle for each field, `Organisation::FIELDS.name`. Its methods make conditions, and a comparison
//! with something that the field does not hold does not compile:
//!
//! ```
//! # use chrono::{DateTime, Utc};
//! # use datahub_runtime::prelude::*;
//! # #[derive(Clone, CdmsSynced)]
//! # #[cdms(table = "people", mode = "detached")]
//! # struct Person {
//! #     #[cdms(key)]
//! #     id: Id<Person>,
//! #     #[cdms(local, sql_type = "string", default)]
//! #     name: String,
//! #     #[cdms(local, sql_type = "datetime")]
//! #     met: Option<DateTime<Utc>>,
//! # }
//! let f = Person::FIELDS;
//! let condition = f.name.contains("Ada").and(f.met.is_null().or(f.met.year().ge(2026)));
//! assert_eq!(condition.to_string(), r#"name contains "Ada" and (met = null or year(met) >= 2026)"#);
//! ```
//!
//! The same condition can be read from text, such as a search form's, with [`Condition::parse`]. A condition means the
//! model's values: where a field's `default` stands for a null, the null counts as the default.

mod compared;
mod condition;
mod group;
mod handle;
mod part;

pub use compared::{Calendar, ComparedWith, Nullable, Ordered, Refers, Textual, Timed};
pub use condition::Condition;
pub use datahub_model::condition::{NotLowered, ParseError, Wanted, Where, Why};
pub use group::{GroupAt, Handles, HandlesOf, NoGroup, NoHandles, Probe};
pub use handle::{Field, Order};
pub use part::Part;
