//! Conditions on the fields of a model, in the one filter language.
//!
//! A [`Condition`] names fields and compares them with the model's values. Typed handles build it, and text
//! [parses](Condition::parse) into it with the same checks. [`lower`](Condition::lower) turns it into a
//! [`Filter`](crate::Filter) on attributes, and [`wanted`](Condition::wanted) into what a list asks of CDMS; what CDMS
//! cannot evaluate is refused with the query of the hub's rows that does it. [`holds`](Condition::holds) says what a
//! condition means, on a row.
//!
//! ```text
//! condition  = all { "or" all }
//! all        = one { "and" one }
//! one        = "not" one | "(" condition ")" | comparison
//! comparison = operand ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "eq" | "ne" | "lt" | "le" | "gt" | "ge" ) value
//!            | operand ( "contains" | "starts_with" | "ends_with" ) text
//!            | operand [ "not" ] "in" "(" value { "," value } ")"
//!            | operand [ "not" ] "between" value "and" value
//!            | operand "is" [ "not" ] "null"
//!            | field "matches" "(" condition ")"          on the record that a lookup points to
//!            | "substringof" "(" text "," operand ")"     as CRM 2011 writes it
//!            | ( "startswith" | "endswith" ) "(" operand "," text ")"
//! operand    = field | ( "year" | "month" | "day" | "hour" | "minute" ) "(" field ")"
//! field      = name { "." name }       a member of a group, or a field of the record that a lookup points to
//! value      = text | number | "true" | "false" | "null" | date | time | id | option
//! text       = "'" … "'" | '"' … '"'   with a quote in it doubled
//! ```

mod compared;
mod diesel;
mod evaluate;
mod literal;
mod lower;
mod parse;
mod refused;
mod text;
mod tree;
mod wanted;

pub use compared::{column as column_of_field, in_form as in_form_of_column};
pub use parse::ParseError;
pub use refused::{NotLowered, Why};
pub use tree::{Condition, RelatedModel};
pub use wanted::{Wanted, Where, attribute_of_order};
