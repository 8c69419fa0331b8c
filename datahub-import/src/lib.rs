//! Contracts and first models, made of what CDMS says of its entities.
//!
//! [`Source::read`] makes a source of a file's bytes, whichever kind of document they are. [`unite`] joins sources to the
//! [`Entity`] facts that a contract can state, and reports where they contradict each other. [`merge`] brings the facts into
//! a contract: what people wrote stays, what CDMS changed since the last import is applied. [`model`] writes a first struct.
//!
//! Nothing here reads or writes a file, or uses a network.

mod base;
mod contract;
mod facts;
mod known;
mod merge;
pub mod model;
mod naming;
mod navigation;
pub mod soap;
mod source;
mod unite;

pub use base::Base;
pub use contract::{CONTRACT_HEADER, file_names};
pub use facts::{Entity, Fact, Facts, Key, Navigation, Origin, Value};
pub use merge::{Change, Merged, merge};
pub use source::{DOCUMENT_MAX, Source, Unusable};
pub use unite::{Lacked, Remark, United, Unwanted, Wanted, syncable, unite, unwanted};
