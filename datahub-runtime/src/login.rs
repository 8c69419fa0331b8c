//! Logging in to CDMS: the ways that real servers ask for, where secrets come from, and what a way of one's own is made of.
//!
//! A [`Hub`](crate::Hub) logs in through an [`Authenticator`]. An organisation with its own way implements the trait.

#[cfg(feature = "adfs")]
mod adfs;
mod headers;
#[cfg(feature = "ntlm")]
mod ntlm;
#[cfg(feature = "oauth")]
mod oauth;
#[cfg(feature = "adfs")]
mod pages;
#[cfg(any(feature = "adfs", feature = "oauth"))]
mod said;
mod secret;

#[cfg(feature = "adfs")]
pub use adfs::{AdFs, AdFsBuilder};
#[cfg(feature = "adfs")]
pub use datahub_login::{Document, Field, FieldKind, Form};
pub use secrecy;

pub use crate::cdms::{
    Anonymous, Authenticator, Connections, HeaderSession, LoginError, LoginReply, LoginRequests, Opened, Session,
    SessionResponse, Standing,
};
pub use headers::StaticHeaders;
#[cfg(feature = "ntlm")]
pub use ntlm::Ntlm;
#[cfg(feature = "oauth")]
pub use oauth::OAuth;
#[cfg(feature = "adfs")]
pub use pages::{LoginHost, Page, Pages};
pub(crate) use secret::Presented;
pub use secret::{Credentials, Secret};
