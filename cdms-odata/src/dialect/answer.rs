//! Answers: what responses mean, independent of the dialect.

use uuid::Uuid;

use super::{Continuation, InFront, Refusal, RowVersion};
use crate::{Attributes, Kind};

/// A record as a response carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// Its id, if it can be read.
    pub id: Option<Uuid>,
    /// The requested attributes, or why they cannot be read.
    pub attributes: Result<Attributes, ReadError>,
    /// Why some of the [optional](super::EntityShape::optional) attributes are not among them.
    pub left_out: Vec<ReadError>,
    /// The version of the record, if the dialect has versions.
    pub version: Option<RowVersion>,
}

/// Why a response, or a record in it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is not JSON.
    #[error("the response is not valid JSON: {reason}")]
    NotJson {
        /// What is wrong, and where.
        reason: String,
    },
    /// It is valid JSON, but has another form than expected.
    #[error("the response is valid JSON, but not {expected}")]
    NotARecord {
        /// What was expected.
        expected: &'static str,
    },
    /// A requested attribute is missing.
    #[error("the response is missing the attribute `{attribute}`")]
    Missing {
        /// The attribute.
        attribute: &'static str,
    },
    /// An attribute's value is not of its kind.
    #[error("the attribute `{attribute}` must be of kind {kind}, CDMS returned {form}")]
    Value {
        /// The attribute.
        attribute: &'static str,
        /// Its kind.
        kind: Kind,
        /// The form of its value, in words that do not show the value.
        form: &'static str,
        /// The JSON itself. May hold personal data.
        found: String,
    },
}

/// The answer to the read of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadAnswer {
    /// The record, readable or not.
    Record(Carried),
    /// CDMS says, in its own words, that there is no such record.
    Gone,
    /// CDMS refused the read, with its reason.
    Refused(String),
    /// CDMS did not answer properly.
    Unavailable(String),
    /// The configuration does not fit what responded.
    Misconfigured(String),
}

/// The answer to a write. `R` is the record that it can carry.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAnswer<R> {
    /// CDMS has carried the write out. The answer to a create carries the record.
    Applied(Option<R>),
    /// CDMS has refused the write, and will not carry it out.
    Refused(Refusal),
    /// What stands in front of CDMS has refused the write, so CDMS will not carry it out.
    RefusedInFront(InFront),
    /// CDMS has finished with the request, so nothing can happen later, but it did not say what it did. A read of the record
    /// decides.
    Ended(Refusal),
    /// As [`WriteAnswer::Ended`], after a collision with another write: if a read shows that the write was not carried out, it
    /// may be sent again.
    Deadlock(Refusal),
    /// CDMS says that a record does not exist: the addressed one, or one that the write refers to.
    Gone(Refusal),
    /// The response does not show the outcome. The text describes the response.
    Unknown(String),
}

impl<R> WriteAnswer<R> {
    /// Converts the record. If that fails the outcome is unknown, with the error as the description.
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

/// The answer to a request for a page.
#[derive(Clone, Debug, PartialEq)]
pub enum PageAnswer {
    /// The page.
    Page(Page),
    /// CDMS refused the request. For a stored continuation, the list may have changed since.
    Refused(String),
    /// CDMS did not answer properly.
    Unavailable(String),
    /// The configuration does not fit what responded.
    Misconfigured(String),
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The records. One that cannot be read does not affect the others.
    pub records: Vec<Carried>,
    /// Where the list continues.
    pub next: Next,
}

/// Where a list continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This was the last page.
    End,
    /// There is another page.
    Page {
        /// Where it is.
        at: Continuation,
        /// The host in CDMS's link, if it is not the configured one. The configured one is asked.
        other_host: Option<String>,
    },
    /// CDMS's link does not lead to a page of this list, for this reason.
    Unusable(String),
}

/// The answer to a question of the first contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactAnswer {
    /// The ids of what was asked for.
    Found(Vec<Uuid>),
    /// CDMS does not answer the question, at this address or for this user.
    Refused(String),
    /// A record in the response has no readable id.
    Unreadable(String),
    /// CDMS did not answer properly.
    Unavailable(String),
}

/// The answer to a trial read. What each text describes is the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialAnswer {
    /// CDMS shows a record, or none.
    Served {
        /// Whether there is a record.
        has_record: bool,
    },
    /// The CDMS user lacks a privilege, as CDMS itself says.
    NoPrivilege(String),
    /// The web server, or what stands in front of CDMS, forbids the request.
    Forbidden(String),
    /// CDMS does not have the set.
    NoSet(String),
    /// CDMS does not accept the request, for the reason that it gives.
    Refused(String),
    /// The response asks for a login, or leads away.
    NoSession(String),
    /// A proxy asks for a login of its own.
    ProxyLogin(String),
    /// The response is none of CDMS's.
    NotCdms(String),
    /// CDMS did not answer properly, or is too busy.
    Unavailable(String),
}
