//! Logging in to CDMS: the ways that real servers ask for, where secrets come from, and what a way of one's own is made of.
//!
//! A [`Hub`](crate::Hub) logs in through an [`Authenticator`]. An organisation with its own way implements the trait.

mod secret;

pub use secrecy;

pub use crate::cdms::{
    Anonymous, Authenticator, Connections, HeaderSession, LoginError, LoginReply, LoginRequests, Session,
    SessionResponse, Standing,
};
pub(crate) use secret::Presented;
pub use secret::{Credentials, Secret};
