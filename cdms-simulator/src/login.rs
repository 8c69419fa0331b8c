//! Logins: the way that the server asks for, and how many of them have failed.

mod account;
mod adfs;
mod form;
mod oauth;

use std::sync::Mutex;

use hyper::http::request::Parts;

pub(crate) use account::Account;
pub(crate) use adfs::AdFs;
pub use adfs::{AdFsServer, AdFsTrouble, AdFsVersion};
pub(crate) use form::{FormServer, form, redirect};
pub(crate) use oauth::TokenServer;
pub use oauth::{OAuthServer, TokenAnswer};

use crate::http::Answer;
use crate::state::lock;

/// A request as a login sees it.
pub(crate) struct Incoming<'r> {
    pub(crate) parts: &'r Parts,
    /// The path, if it is not under the root of the data service.
    pub(crate) outside: Option<&'r str>,
    pub(crate) body: &'r [u8],
    /// The time of the simulator's clock, in ms since 1970 UTC.
    pub(crate) now_ms: i64,
    /// The connection that it came over. Each has another number.
    #[allow(dead_code, reason = "the ways so far authenticate requests and not connections")]
    pub(crate) connection: u64,
}

/// The way to log in, with its open sessions.
#[derive(Debug, Default)]
pub(crate) enum Login {
    /// None is needed.
    #[default]
    None,
    Form(Mutex<FormServer>),
    AdFs(Box<Mutex<AdFs>>),
    OAuth(Mutex<TokenServer>),
}

impl Login {
    /// The answer to a request that is a part of logging in, or that has no valid session; `None` for any other.
    pub(crate) fn answer(&self, incoming: &Incoming<'_>) -> Option<Answer> {
        match self {
            Login::None => incoming.outside.is_some_and(form::is_login).then(|| form(200)),
            Login::Form(server) => lock(server).answer(incoming),
            Login::AdFs(server) => lock(server).answer(incoming),
            Login::OAuth(server) => lock(server).answer(incoming),
        }
    }

    /// Ends all sessions.
    pub(crate) fn expire(&self) {
        match self {
            Login::None => {}
            Login::Form(server) => lock(server).expire(),
            Login::AdFs(server) => lock(server).expire(),
            Login::OAuth(server) => lock(server).expire(),
        }
    }

    /// Does something with the account that logs in, if there is one.
    pub(crate) fn with_account<T>(&self, what: impl FnOnce(&mut Account) -> T) -> Option<T> {
        match self {
            Login::None => None,
            Login::Form(server) => Some(what(&mut lock(server).account)),
            Login::AdFs(server) => Some(what(&mut lock(server).account)),
            Login::OAuth(server) => Some(what(&mut lock(server).account)),
        }
    }

    /// AD FS, if that is the way.
    pub(crate) fn adfs(&self) -> Option<&Mutex<AdFs>> {
        match self {
            Login::AdFs(server) => Some(server),
            Login::None | Login::Form(_) | Login::OAuth(_) => None,
        }
    }

    /// Does something with the token endpoint, if there is one.
    pub(crate) fn with_tokens<T>(&self, what: impl FnOnce(&mut TokenServer) -> T) -> Option<T> {
        match self {
            Login::OAuth(server) => Some(what(&mut lock(server))),
            _ => None,
        }
    }
}
