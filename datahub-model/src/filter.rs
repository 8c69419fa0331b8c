//! The one filter language: conditions on the attributes of an entity's records.
//!
//! A [`Filter`] is a tree of comparisons. It stands in a static (a model's `only`) or is built while the program runs, is
//! [parsed](Filter::parse) from text, [printed](Filter::print) as a wire's language has it, and evaluated over a record's
//! attributes ([`holds`](Filter::holds), [`may_hold`](Filter::may_hold)). None of this knows a contract: whoever parses
//! or prints says what each attribute [is](Operand).

mod evaluate;
mod message;
mod odata_v2;
mod parse;
mod print;
mod tree;

pub use odata_v2::ODataV2;
pub use parse::ParseError;
pub use print::{PrintError, Syntax};
pub use tree::{Comparison, Filter, Operand};
