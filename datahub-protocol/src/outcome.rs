//! What comes back from sending a write, and why one is refused.

use cdms_odata::dialect::{InFront, Refusal, WriteAnswer};
use uuid::Uuid;

use crate::{Reason, Record};

/// What came back from sending a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<F> {
    /// Nothing was sent, for this reason: no address, no connection, no TLS, or the lease is too short.
    NotSent(Reason),
    /// Nothing was sent: CDMS refuses the login.
    LoginRefused(Reason),
    /// It was sent, at least in part, and no complete response came.
    Lost(Reason),
    /// The session is over, so CDMS has not carried the write out; the text says by which sign. It may be sent again after a
    /// login.
    LoginLost(String),
    /// A response came, with this answer.
    Reply(WriteAnswer<Created<F>>),
}

/// The record in the answer to a create: its id, and the record or why it cannot be read.
pub type Created<F> = (Uuid, Result<Record, F>);

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// CDMS refused it.
    Cdms(Refusal),
    /// What stands in front of CDMS, a proxy or its web server, refused it.
    InFront(InFront),
    /// Nothing was sent.
    NotSent(Reason),
    /// The session is over and the login failed, or CDMS would not take the new session either.
    LoginFailed(Reason),
    /// CDMS refuses the login, with its user and password.
    LoginRefused(Reason),
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// CDMS refuses the user or the password: it is not tried again.
    Refused(Reason),
    /// Anything else; it is tried again later.
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
