//! The hub's client of CDMS: one request at a time for one record, never repeated behind the protocol's back.

mod addresses;
mod authenticator;
mod background;
mod certificate;
mod client;
mod client_options;
mod condition;
mod connection_check;
mod connections;
mod cookie_session;
mod documents;
mod first_contact;
mod login;
mod login_error;
mod login_reply;
mod network;
mod pages;
mod proxy;
mod refused_logins;
mod repeated;
mod request_limit;
mod session;
mod shape;
mod transport;
mod troubles;
mod trust;
mod turns;

#[cfg(any(feature = "adfs", feature = "oauth"))]
pub(crate) use authenticator::encoded;
pub use authenticator::{Anonymous, Authenticator, LoginRequests};
pub(crate) use client::{Client, cdms_at};
pub(crate) use client_options::{CONCURRENT_REQUESTS, ClientOptions};
pub(crate) use condition::{changed_since, of_model};
pub(crate) use connection_check::Questions;
pub use connections::Connections;
#[cfg(feature = "adfs")]
pub(crate) use cookie_session::{CookieSession, take};
pub use documents::CdmsDocuments;
pub(crate) use first_contact::FirstContact;
pub(crate) use login::LoginState;
pub use login_error::LoginError;
pub use login_reply::LoginReply;
pub(crate) use network::NetworkOptions;
pub(crate) use pages::{PageFailure, PageRead};
pub(crate) use refused_logins::{ROUNDS, RefusedLogins};
pub use session::{HeaderSession, Opened, Session, SessionResponse, Standing};
pub(crate) use shape::RecordShape;
