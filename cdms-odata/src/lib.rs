//! The data of a Dynamics CRM 2011 REST endpoint: values, attribute kinds and `$metadata`.
//!
//! Behind feature `client` lives the wire as a client sees it: the JSON verbose form, URLs and error codes.
//! Nothing here opens a socket, reads a file or asks a clock.

mod attributes;
mod domain;
mod facts;
mod kind;
pub mod metadata;
pub mod planted;
mod value;

#[cfg(feature = "client")]
pub mod client;

pub use attributes::{AttributeName, Attributes};
pub use domain::{DOUBLE_SCALE, MONEY_SCALE, OutOfDomain};
pub use facts::Facts;
pub use kind::Kind;
pub use value::{Instant, InvalidReference, Reference, Value};
