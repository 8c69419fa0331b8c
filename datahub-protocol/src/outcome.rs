//! The outcome table: what came back from a write, and what that says about CDMS.

use cdms_odata::client::{Meaning, Refusal};
use uuid::Uuid;

use crate::planted;
use crate::{Record, WriteKind};

/// What came back from sending a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<F> {
    /// Nothing was sent, for this reason: no address, no connection, no TLS, or the lease is too short.
    NotSent(String),
    /// It was sent, at least in part, and no whole answer came.
    Lost(String),
    /// An answer came.
    Reply(Reply<F>),
}

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<F> {
    /// The status code.
    pub status: u16,
    /// What it carried.
    pub body: ReplyBody<F>,
}

/// What an answer carried.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyBody<F> {
    /// Nothing.
    Empty,
    /// A record in CDMS's JSON, as the answer to a create.
    Created {
        /// The id it has.
        id: Uuid,
        /// The record, or why it cannot be read.
        record: Result<Record, F>,
    },
    /// CDMS's error JSON.
    Refusal(Refusal),
    /// 401, a redirect to the login host or the login form: the session is over. The text says which.
    LoginLost(String),
    /// Anything else, in words.
    Other(String),
}

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// CDMS refused it.
    Cdms(Refusal),
    /// Nothing was sent.
    NotSent(String),
    /// The session is over and the login failed, or CDMS would not take the new session either.
    LoginFailed(String),
}

/// What an answer says about CDMS.
#[derive(Clone, Debug, PartialEq)]
pub enum Class<F> {
    /// The write is in CDMS. A create's reply carries the record.
    Applied(Option<(Uuid, Result<Record, F>)>),
    /// The write is not in CDMS and will not be.
    Rejected(Rejection),
    /// The write is not in CDMS because it collided with another one; it may be sent again.
    Deadlock(Refusal),
    /// The write is not in CDMS because the session is over; it may be sent again after a login.
    LoginLost(String),
    /// CDMS says that there is no such record: the one addressed, or one that the write refers to.
    Gone(Refusal),
    /// Whether the write is in CDMS cannot be told from the answer.
    Unknown(String),
}

/// Classifies the answer to a write.
pub fn classify<F>(write: WriteKind, answer: Answer<F>) -> Class<F> {
    let Reply { status, body } = match answer {
        Answer::NotSent(reason) => return Class::Rejected(Rejection::NotSent(reason)),
        Answer::Lost(reason) => return Class::Unknown(reason),
        Answer::Reply(reply) => reply,
    };
    match (write, status, body) {
        (_, _, ReplyBody::Other(message)) if planted::takes_for_gone(write, status) => {
            Class::Gone(Refusal { status, code: None, message })
        }
        (_, _, ReplyBody::Refusal(refusal)) if planted::takes_for_gone(write, status) => Class::Gone(refusal),
        (WriteKind::Create, 201, ReplyBody::Created { id, record }) => Class::Applied(Some((id, record))),
        (WriteKind::Update | WriteKind::Delete, 204, _) => Class::Applied(None),
        (_, _, ReplyBody::LoginLost(sign)) => Class::LoginLost(sign),
        (_, 404, ReplyBody::Refusal(refusal)) if refusal.meaning() == Meaning::RecordMissing => match write {
            WriteKind::Create => Class::Rejected(Rejection::Cdms(refusal)),
            WriteKind::Update | WriteKind::Delete => Class::Gone(refusal),
        },
        (_, 400..=499, ReplyBody::Refusal(refusal)) => Class::Rejected(Rejection::Cdms(refusal)),
        (_, 500, ReplyBody::Refusal(refusal)) => match refusal.meaning() {
            Meaning::Deadlock => Class::Deadlock(refusal),
            meaning if meaning.write_is_refused() => Class::Rejected(Rejection::Cdms(refusal)),
            _ => Class::Unknown(format!("CDMS answered 500 with: {}", refusal.message)),
        },
        (_, status, ReplyBody::Refusal(refusal)) => {
            Class::Unknown(format!("CDMS answered {status} with: {}", refusal.message))
        }
        (_, status, ReplyBody::Other(what)) => Class::Unknown(format!("CDMS answered {status} with {what}")),
        (_, status, ReplyBody::Empty | ReplyBody::Created { .. }) => {
            Class::Unknown(format!("CDMS answered {status}, which is not the answer to a {write}"))
        }
    }
}
