//! The hub's client of CDMS: one request at a time for one record, never repeated behind the protocol's back.

mod authenticator;
mod client;
mod first_contact;
mod pages;
mod shape;
mod transport;

pub use authenticator::{Anonymous, Authenticator, LoginError, LoginReply, LoginRequests, Session};
pub(crate) use client::{Client, ClientOptions};
pub(crate) use first_contact::FirstContact;
pub(crate) use pages::{PageFailure, PageRead};
