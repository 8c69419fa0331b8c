//! Dialects: pure functions from requests to HTTP requests, and from HTTP responses to answers.
//!
//! Only a dialect knows paths, headers, bodies, statuses and codes. The transport sends what it is given and does not look
//! into it; the protocol decides by meanings. A new dialect is a new folder next to [`crm2011`](crate::crm2011). The canonical
//! form of values does not depend on the dialect, so that rows, `seen` and the history survive a change of it.

mod address;
mod answer;
mod exchange;
mod list;
mod refusal;
mod request;

use std::fmt;

use ::url::Url;
use uuid::Uuid;

pub use address::{AddressError, checked_address, checked_address_with_plain, without_secrets};
pub use answer::{Carried, ContactAnswer, Next, Page, PageAnswer, ReadAnswer, ReadError, TrialAnswer, WriteAnswer};
pub use exchange::{HttpRequest, HttpResponse};
pub use list::{Direction, Expand, ListError, ListQuery};
pub use refusal::{InFront, InFrontCause, Mark, Meaning, Refusal};
pub use request::{
    Contact, Continuation, EntityShape, Precondition, RowVersion, SentValue, SetIs, Shape, ValueError, Write,
    WriteError, WriteRequest,
};

/// The dialect of the CDMS at one address.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// What the dialect can do.
    fn abilities(&self) -> Abilities;

    /// The address of the data service.
    fn root(&self) -> &Url;

    /// The organisation's address, where logins begin.
    fn organisation(&self) -> Url;

    /// The request that asks CDMS which organisation it is, or which user has a name.
    fn contact(&self, question: Contact<'_>) -> HttpRequest;

    /// Reads the response to [`Dialect::contact`].
    fn contact_answer(&self, question: Contact<'_>, response: &HttpResponse) -> ContactAnswer;

    /// The request for the `$metadata` document.
    fn metadata(&self) -> HttpRequest;

    /// A trial read: the request for the key of any one record of a set, which shows whether the hub may read there.
    fn trial(&self, set: &str, key: &str) -> HttpRequest;

    /// Reads the response to [`Dialect::trial`], or to a question of [`Dialect::contact`] that was not answered.
    fn trial_answer(&self, response: &HttpResponse) -> TrialAnswer;

    /// The request for a record.
    fn read(&self, entity: &EntityShape, id: Uuid) -> HttpRequest;

    /// Reads the response to [`Dialect::read`]. `set` is what is known about the record's set.
    fn read_answer(&self, entity: &EntityShape, id: Uuid, set: SetIs, response: &HttpResponse) -> ReadAnswer;

    /// The request that carries out a write.
    ///
    /// # Errors
    ///
    /// A value that is not of its attribute's kind, or a precondition that the dialect does not have.
    fn write(&self, write: &WriteRequest<'_>) -> Result<HttpRequest, WriteError>;

    /// Reads the response to [`Dialect::write`].
    fn write_answer(&self, entity: &EntityShape, write: Write, response: &HttpResponse) -> WriteAnswer<Carried>;

    /// The request for a page of a list: the first page, or the one at a continuation.
    ///
    /// # Errors
    ///
    /// See [`ListError`].
    fn page(
        &self,
        entity: &EntityShape,
        query: &ListQuery,
        at: Option<&Continuation>,
    ) -> Result<HttpRequest, ListError>;

    /// Reads the response to [`Dialect::page`].
    fn page_answer(&self, entity: &EntityShape, query: &ListQuery, response: &HttpResponse) -> PageAnswer;

    /// A continuation that was stored as text, if it belongs to this list: to the same attributes, condition, order and
    /// relation. [`ListQuery::top`] is not compared, since a continuation carries what is left of it.
    fn continuation(&self, entity: &EntityShape, query: &ListQuery, kept: &str) -> Option<Continuation>;

    /// The part of a continuation that differs from page to page, without the query: short enough for a caller's own links.
    fn position(&self, at: &Continuation) -> Option<String>;

    /// The continuation of a list at a position. Whatever the text is, it says where in this list to go on, and nothing
    /// else.
    ///
    /// # Errors
    ///
    /// See [`ListError`].
    fn at_position(&self, entity: &EntityShape, query: &ListQuery, position: &str) -> Result<Continuation, ListError>;
}

/// What a dialect can do, as data to plan with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Whether a write can have a [`Precondition`].
    pub has_preconditions: bool,
    /// Whether the response to a create carries the record.
    pub carries_created: bool,
    /// Whether lists report deleted records.
    pub tells_deletions: bool,
}
