//! What the answers of CDMS say, in no dialect's words.

use uuid::Uuid;

use super::{Continuation, InFront, Refusal, RowVersion};
use crate::{Attributes, Kind};

/// A record as an answer carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// Its id, where that can be read.
    pub id: Option<Uuid>,
    /// The attributes that were asked for, or why they cannot be read.
    pub attributes: Result<Attributes, ReadError>,
    /// Which version of the record it is, where the dialect tells.
    pub version: Option<RowVersion>,
}

/// Why an answer, or a record in it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no JSON.
    #[error("the answer is no JSON: {reason}")]
    NotJson {
        /// What and where.
        reason: String,
    },
    /// It is JSON, but not an answer of this service.
    #[error("the answer is JSON, but not {expected}")]
    NotARecord {
        /// What was expected.
        expected: &'static str,
    },
    /// An attribute that was asked for is not there.
    #[error("the answer lacks the attribute `{attribute}`")]
    Missing {
        /// The attribute.
        attribute: &'static str,
    },
    /// An attribute's value is not of its kind.
    #[error("the attribute `{attribute}` holds {form}, which is no {kind}")]
    Value {
        /// The attribute.
        attribute: &'static str,
        /// Its kind.
        kind: Kind,
        /// What it holds, in words that show no value.
        form: &'static str,
        /// The JSON itself. May hold personal data.
        found: String,
    },
}

/// What the answer to the read of a record says.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadAnswer {
    /// The record, or that it cannot be read.
    Record(Carried),
    /// CDMS says, in its own words, that there is no such record.
    Gone,
    /// CDMS refused the read, with its reason.
    Refused(String),
    /// CDMS did not answer properly.
    Unavailable(String),
    /// What answered is not the CDMS that is configured.
    Misconfigured(String),
}

/// What the answer to a write says; `R` is the record that it carries.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAnswer<R> {
    /// The write is in CDMS. The answer to a create carries the record.
    Applied(Option<R>),
    /// CDMS refused the write: it is not in CDMS and will not be.
    Refused(Refusal),
    /// What stands in front of CDMS refused the write: it is not in CDMS and will not be.
    RefusedInFront(InFront),
    /// The server has finished with the write, so that nothing comes late, but whether the write is in CDMS only a look at
    /// the record tells.
    Ended(Refusal),
    /// Like [`WriteAnswer::Ended`], of an SQL error that a collision with another write gives: where a look shows that the
    /// write is not in CDMS, it may be sent again.
    Deadlock(Refusal),
    /// CDMS says that there is no such record: the one addressed, or one that the write refers to.
    Gone(Refusal),
    /// Whether the write is in CDMS cannot be told from the answer; what that was, in words.
    Unknown(String),
}

impl<R> WriteAnswer<R> {
    /// The same answer with its record in another form. One whose record cannot be known again proves nothing, for the
    /// reason that is given.
    pub fn with_record<S>(self, form: impl FnOnce(R) -> Result<S, String>) -> WriteAnswer<S> {
        match self {
            WriteAnswer::Applied(None) => WriteAnswer::Applied(None),
            WriteAnswer::Applied(Some(record)) => match form(record) {
                Ok(record) => WriteAnswer::Applied(Some(record)),
                Err(reason) => WriteAnswer::Unknown(reason),
            },
            WriteAnswer::Refused(refusal) => WriteAnswer::Refused(refusal),
            WriteAnswer::RefusedInFront(refused) => WriteAnswer::RefusedInFront(refused),
            WriteAnswer::Ended(refusal) => WriteAnswer::Ended(refusal),
            WriteAnswer::Deadlock(refusal) => WriteAnswer::Deadlock(refusal),
            WriteAnswer::Gone(refusal) => WriteAnswer::Gone(refusal),
            WriteAnswer::Unknown(what) => WriteAnswer::Unknown(what),
        }
    }
}

/// What the answer to a request for a page of a list says.
#[derive(Clone, Debug, PartialEq)]
pub enum PageAnswer {
    /// The page.
    Page(Page),
    /// CDMS does not take the address: for a continuation that was kept, the list may have changed since.
    Refused(String),
    /// CDMS did not answer properly.
    Unavailable(String),
    /// What answered is not the CDMS that is configured.
    Misconfigured(String),
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The records; one that cannot be read does not spoil the others.
    pub records: Vec<Carried>,
    /// Where the list goes on.
    pub next: Next,
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nowhere: this was its last page.
    End,
    /// There.
    Page {
        /// Where.
        at: Continuation,
        /// The host that CDMS's own link names, where that is not the one that is configured and asked.
        other_host: Option<String>,
    },
    /// At a link that is none of its pages, for this reason.
    Unusable(String),
}

/// What the answer to a question of the first contact says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactAnswer {
    /// The ids of those that the question fits.
    Found(Vec<Uuid>),
    /// CDMS does not give it, at this address or to this user.
    Refused(String),
    /// CDMS gave something without a readable id.
    Unreadable(String),
    /// CDMS did not answer properly.
    Unavailable(String),
}
