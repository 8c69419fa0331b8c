//! Dialects: what a kind of CDMS speaks, as pure functions from requests to HTTP and from HTTP to meanings.
//!
//! A dialect knows paths, headers, bodies, statuses and codes, and nobody else does: the transport sends what it is given
//! and reads nothing of it, the protocol decides by meanings. A new dialect is a new folder beside
//! [`crm2011`](crate::crm2011). The values of records, and with them what is stored of records, do not depend on it.

mod address;
mod answer;
mod exchange;
mod refusal;
mod request;

use std::fmt;

use ::url::Url;
use uuid::Uuid;

pub use address::{AddressError, checked_address};
pub use answer::{Carried, ContactAnswer, Next, Page, PageAnswer, ReadAnswer, ReadError, WriteAnswer};
pub use exchange::{HttpAnswer, HttpRequest};
pub use refusal::{InFront, InFrontCause, Mark, Meaning, Refusal};
pub use request::{
    Contact, Continuation, EntityShape, Precondition, RowVersion, SentValue, SetIs, Shape, ValueError, Write,
    WriteError, WriteRequest,
};

/// What a kind of CDMS speaks, at one address.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// What it can do.
    fn abilities(&self) -> Abilities;

    /// The address of the data service.
    fn root(&self) -> &Url;

    /// The organisation's address, where logins begin.
    fn organisation(&self) -> Url;

    /// Asks CDMS who it is, or who one of its users is.
    fn contact(&self, question: Contact<'_>) -> HttpRequest;

    /// What the answer to such a question says.
    fn contact_answer(&self, question: Contact<'_>, answer: &HttpAnswer) -> ContactAnswer;

    /// Asks for the schema.
    fn metadata(&self) -> HttpRequest;

    /// Asks for a record.
    fn read(&self, entity: &EntityShape, id: Uuid) -> HttpRequest;

    /// What the answer to that says; `set` is what is known of the record's set.
    fn read_answer(&self, entity: &EntityShape, id: Uuid, set: SetIs, answer: &HttpAnswer) -> ReadAnswer;

    /// Writes a record.
    ///
    /// # Errors
    ///
    /// A value or a precondition that the dialect has no words for.
    fn write(&self, write: &WriteRequest<'_>) -> Result<HttpRequest, WriteError>;

    /// What the answer to that says.
    fn write_answer(&self, entity: &EntityShape, write: Write, answer: &HttpAnswer) -> WriteAnswer<Carried>;

    /// Asks for a page of a set's records: the first one, or that at which an earlier page said to go on.
    fn page(&self, entity: &EntityShape, at: Option<&Continuation>) -> HttpRequest;

    /// What the answer to that says.
    fn page_answer(&self, entity: &EntityShape, answer: &HttpAnswer) -> PageAnswer;

    /// A continuation that was kept as text, if it is one of the list that this program reads here.
    fn continuation(&self, entity: &EntityShape, kept: &str) -> Option<Continuation>;
}

/// What a dialect can do, for those who plan with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Whether a write may carry a [`Precondition`].
    pub has_preconditions: bool,
    /// Whether the answer to a create carries the record.
    pub carries_created: bool,
    /// Whether lists tell which records were deleted.
    pub tells_deletions: bool,
}
