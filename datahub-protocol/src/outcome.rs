//! The outcome table: what came back from a write, and what that says about CDMS.

use cdms_odata::client::{Meaning, Refusal};
use uuid::Uuid;

use crate::planted::{self, Planted, planted};
use crate::{Record, WriteKind};

/// What came back from sending a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<F> {
    /// Nothing was sent, for this reason: no address, no connection, no TLS, or the lease is too short.
    NotSent(String),
    /// Nothing was sent: CDMS refuses the login.
    LoginRefused(String),
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

impl<F> ReplyBody<F> {
    fn in_words(self) -> String {
        match self {
            ReplyBody::Empty => "nothing".to_owned(),
            ReplyBody::Created { id, .. } => format!("the record {id}"),
            ReplyBody::Refusal(refusal) => refusal.message,
            ReplyBody::LoginLost(what) | ReplyBody::Other(what) => what,
        }
    }
}

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// CDMS refused it.
    Cdms(Refusal),
    /// What stands in front of CDMS, a proxy or its web server, refused it with this status; the answer in words.
    InFront {
        /// The status code.
        status: u16,
        /// What the answer carried.
        said: String,
    },
    /// Nothing was sent.
    NotSent(String),
    /// The session is over and the login failed, or CDMS would not take the new session either.
    LoginFailed(String),
    /// CDMS refuses the login, with its user and password.
    LoginRefused(String),
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// CDMS refuses the user or the password: it is not tried again.
    Refused(String),
    /// Anything else; it is tried again later.
    Failed(String),
}

impl From<LoginFailure> for Rejection {
    fn from(failure: LoginFailure) -> Self {
        match failure {
            LoginFailure::Refused(reason) => Rejection::LoginRefused(reason),
            LoginFailure::Failed(reason) => Rejection::LoginFailed(reason),
        }
    }
}

/// What an answer says about CDMS.
#[derive(Clone, Debug, PartialEq)]
pub enum Class<F> {
    /// The write is in CDMS. A create's reply carries the record.
    Applied(Option<(Uuid, Result<Record, F>)>),
    /// The write is not in CDMS and will not be.
    Rejected(Rejection),
    /// The server has finished with the write, so that nothing comes late, but whether the write is in CDMS only a look at
    /// the record tells.
    Ended(Refusal),
    /// Like [`Class::Ended`], of an SQL error that a collision with another write gives: where a look shows that the write is
    /// not in CDMS, it may be sent again.
    Deadlock(Refusal),
    /// The write is not in CDMS because the session is over; it may be sent again after a login.
    LoginLost(String),
    /// CDMS says that there is no such record: the one addressed, or one that the write refers to.
    Gone(Refusal),
    /// Whether the write is in CDMS cannot be told from the answer.
    Unknown(String),
}

/// The statuses that refuse a request before CDMS has begun with it, whatever comes with them: a proxy that wants its own
/// login (407), a request without a length (411), one too large, too long or of a wrong type (413, 414, 415), too many requests (429), headers too large (431).
const REFUSED_IN_FRONT: [u16; 7] = [407, 411, 413, 414, 415, 429, 431];

/// Classifies the answer to a write.
pub fn classify<F>(write: WriteKind, answer: Answer<F>) -> Class<F> {
    let Reply { status, body } = match answer {
        Answer::NotSent(reason) => return Class::Rejected(Rejection::NotSent(reason)),
        Answer::LoginRefused(reason) => return Class::Rejected(Rejection::LoginRefused(reason)),
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
            WriteKind::Create | WriteKind::Unknown(_) => Class::Rejected(Rejection::Cdms(refusal)),
            WriteKind::Update | WriteKind::Delete => Class::Gone(refusal),
        },
        (_, 400..=499, ReplyBody::Refusal(refusal)) => Class::Rejected(Rejection::Cdms(refusal)),
        (_, 500, ReplyBody::Refusal(refusal)) => match refusal.meaning() {
            Meaning::Deadlock => Class::Deadlock(refusal),
            // It can strike the COMMIT, so it may come before the server has finished.
            Meaning::SqlTimeout => Class::Unknown(format!("CDMS answered 500 with: {}", refusal.message)),
            meaning if meaning.write_is_refused() => Class::Rejected(Rejection::Cdms(refusal)),
            _ if planted(Planted::EndedIsRejected) => Class::Rejected(Rejection::Cdms(refusal)),
            _ => Class::Ended(refusal),
        },
        (_, status, body) if REFUSED_IN_FRONT.contains(&status) => {
            Class::Rejected(Rejection::InFront { status, said: body.in_words() })
        }
        (_, status, ReplyBody::Refusal(refusal)) => {
            Class::Unknown(format!("CDMS answered {status} with: {}", refusal.message))
        }
        (_, status, ReplyBody::Other(what)) => Class::Unknown(format!("CDMS answered {status} with {what}")),
        (_, status, ReplyBody::Empty | ReplyBody::Created { .. }) => {
            Class::Unknown(format!("CDMS answered {status}, which is not the answer to a {write}"))
        }
    }
}
