//! NTLM: what a server offers in its headers, the three messages, and the TLS connection to which the last one is bound.

mod channel_binding;
mod messages;
mod offers;

pub use channel_binding::end_point;
pub use messages::{Exchange, Identity, Unusable};
pub use offers::{NoMessage, Offers, Scheme};
