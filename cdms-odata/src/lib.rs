//! The data of Dynamics CRM: values, attribute kinds and `$metadata`; and the dialects of its wire.
//!
//! The feature `client` adds the client's side of the dialects, which turn operations into requests and responses into
//! answers: [`dialect`] defines what a dialect provides, and [`crm2011`] is the dialect of CRM 2011's REST endpoint.
//! Nothing here opens a socket, reads a file or reads a clock.

mod attributes;
mod domain;
mod facts;
mod kind;
pub mod metadata;
pub mod planted;
mod value;

#[cfg(feature = "client")]
pub mod crm2011;
#[cfg(feature = "client")]
pub mod dialect;

pub use attributes::{AttributeName, Attributes};
pub use domain::{DOUBLE_SCALE, MONEY_SCALE, OutOfDomain};
pub use facts::Facts;
pub use kind::Kind;
pub use value::{Instant, InvalidReference, Reference, Value};
