//! The data of Dynamics CRM: values, attribute kinds and `$metadata`; and the dialects of its wire.
//!
//! Behind feature `client` live the dialects as a client speaks them, requests out and meanings back: [`dialect`] says what
//! each of them has to offer, [`crm2011`] is the one of CRM 2011's REST endpoint.
//! Nothing here opens a socket, reads a file or asks a clock.

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
