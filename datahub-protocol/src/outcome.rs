//! The results of sending a write, and the reasons for which one is refused.

use cdms_odata::dialect::{InFront, Refusal, WriteAnswer};
use uuid::Uuid;

use crate::{Reason, Record};

/// The result of sending a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<F> {
    /// Nothing was sent, for this reason: no address, no connection, no TLS, or too little time left on the lease.
    NotSent(Reason),
    /// CDMS refused the login, so it has not carried the write out.
    LoginRefused(Reason),
    /// The write was sent, at least in part, but no complete response arrived.
    Lost(Reason),
    /// The session has ended, so CDMS has not carried the write out; the text says how this was recognized. The write
    /// may be sent again after a login.
    LoginLost(String),
    /// A response arrived, with this answer.
    Reply(WriteAnswer<Created<F>>),
}

/// The record in the answer to a create: its id, and the record or why it cannot be read.
pub type Created<F> = (Uuid, Result<Record, F>);

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// CDMS refused it.
    Cdms(Refusal),
    /// Something in front of CDMS, a proxy or its web server, refused it.
    InFront(InFront),
    /// Nothing was sent.
    NotSent(Reason),
    /// The session has ended and the login failed, or CDMS did not accept the new session either.
    LoginFailed(Reason),
    /// CDMS refused the login with the configured user and password.
    LoginRefused(Reason),
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// CDMS refused the user or the password; the login is not tried again.
    Refused(Reason),
    /// Any other reason; the login is tried again later.
    Failed(Reason),
}

impl From<LoginFailure> for Rejection {
    fn from(failure: LoginFailure) -> Self {
        match failure {
            LoginFailure::Refused(reason) => Rejection::LoginRefused(reason),
            LoginFailure::Failed(reason) => Rejection::LoginFailed(reason),
        }
    }
}
