//! Logins: the way that the server asks for, and how many of them have failed.

mod account;
mod adfs;
mod form;
mod ntlm;
mod oauth;

use std::sync::Mutex;

use hyper::http::request::Parts;

pub(crate) use account::Account;
pub(crate) use adfs::AdFs;
pub use adfs::{AdFsServer, AdFsTrouble, AdFsVersion};
pub(crate) use form::{FormServer, form, redirect};
pub use ntlm::{ChannelBinding, NtlmCounts, NtlmServer};
pub(crate) use ntlm::{Ntlm, accepts_last_message};
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
    Ntlm(Mutex<Ntlm>),
    OAuth(Mutex<TokenServer>),
}

impl Login {
    /// The answer to a request that is a part of logging in, or that has no valid session; `None` for any other.
    pub(crate) fn answer(&self, incoming: &Incoming<'_>) -> Option<Answer> {
        match self {
            Login::None => incoming.outside.is_some_and(form::is_login).then(|| form(200)),
            Login::Form(server) => lock(server).answer(incoming),
            Login::AdFs(server) => lock(server).answer(incoming),
            Login::Ntlm(server) => lock(server).answer(incoming),
            Login::OAuth(server) => lock(server).answer(incoming),
        }
    }

    /// The answer to a request that was carried out, with what the login has to say in it.
    pub(crate) fn tell(&self, connection: u64, answer: Answer) -> Answer {
        match self {
            Login::Ntlm(server) => lock(server).tell(connection, answer),
            _ => answer,
        }
    }

    /// What was seen of logins by NTLM.
    pub(crate) fn ntlm_counts(&self) -> NtlmCounts {
        match self {
            Login::Ntlm(server) => lock(server).counts,
            _ => NtlmCounts::default(),
        }
    }

    /// Ends all sessions.
    pub(crate) fn expire(&self) {
        match self {
            Login::None => {}
            Login::Form(server) => lock(server).expire(),
            Login::AdFs(server) => lock(server).expire(),
            Login::Ntlm(server) => lock(server).expire(),
            Login::OAuth(server) => lock(server).expire(),
        }
    }

    /// Does something with the account that logs in, if there is one.
    pub(crate) fn with_account<T>(&self, what: impl FnOnce(&mut Account) -> T) -> Option<T> {
        match self {
            Login::None => None,
            Login::Form(server) => Some(what(&mut lock(server).account)),
            Login::AdFs(server) => Some(what(&mut lock(server).account)),
            Login::Ntlm(server) => Some(what(&mut lock(server).account)),
            Login::OAuth(server) => Some(what(&mut lock(server).account)),
        }
    }

    /// AD FS, if that is the way.
    pub(crate) fn adfs(&self) -> Option<&Mutex<AdFs>> {
        match self {
            Login::AdFs(server) => Some(server),
            _ => None,
        }
    }

    /// Does something with the server of NTLM, if that is the way.
    pub(crate) fn with_ntlm(&self, what: impl FnOnce(&mut Ntlm)) {
        if let Login::Ntlm(server) = self {
            what(&mut lock(server));
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
