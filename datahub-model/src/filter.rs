//! The one filter language: conditions on the attributes of an entity's records.
//!
//! A [`Filter`] is a tree of comparisons. It is stored in a static (a model's `only`) or built at run time. It can be
//! [parsed](Filter::parse) from text, [printed](Filter::print) in a dialect's filter language, and evaluated over a
//! record's attributes ([`holds`](Filter::holds), [`may_hold`](Filter::may_hold)). None of this depends on a contract:
//! the caller of the parser or printer supplies the [`Operand`] of each attribute.

mod evaluate;
mod fault;
pub(crate) mod grammar;
mod message;
mod nulls;
mod odata_v2;
mod parse;
mod print;
mod range;
pub(crate) mod token;
mod tree;

pub use fault::ParseError;
pub use odata_v2::ODataV2;
pub use print::{PrintError, Syntax};
pub use tree::{CalendarPart, Comparison, Filter, Matching, Operand};
