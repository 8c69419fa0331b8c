//! What can be asked of CDMS, in no dialect's words.

use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;

use crate::{Kind, Value};

/// Attributes with their kinds, in the order of their names.
pub type Shape = [(&'static str, Kind)];

/// An attribute to be sent, with its kind and value.
pub type SentValue<'v> = (&'v str, Kind, Cow<'v, Value>);

/// What is to be known of an entity to ask for its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityShape {
    /// The entity type's name.
    pub name: &'static str,
    /// The set's name.
    pub set: &'static str,
    /// The key attribute.
    pub key: &'static str,
    /// The attributes to read from a record, the key among them: a [`Shape`].
    pub attributes: Vec<(&'static str, Kind)>,
}

/// A question of the first contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact<'q> {
    /// Which organisation is this?
    Organisation,
    /// Which user has this domain name?
    User(&'q str),
}

/// What is known of a set before one of its records is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetIs {
    /// CDMS has given a record of it, or said that one is gone.
    Known,
    /// CDMS may not have it.
    Untried,
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// It makes a record under a chosen id.
    Create,
    /// It changes attributes of a record.
    Update,
    /// It removes a record.
    Delete,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Write::Create => "create",
            Write::Update => "update",
            Write::Delete => "delete",
        })
    }
}

/// A write of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteRequest<'w> {
    /// The record's entity.
    pub entity: &'w EntityShape,
    /// The record's id.
    pub id: Uuid,
    /// What is done to it.
    pub write: Write,
    /// The write's own id, which is sent along.
    pub operation: Uuid,
    /// The attributes to send, without the key; none for a delete.
    pub values: &'w [SentValue<'w>],
    /// What must hold for it.
    pub precondition: Option<Precondition>,
}

/// What must hold for a write to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The record is at this version.
    At(RowVersion),
}

/// A version of a record, in its dialect's own form. Versions can be compared and not ordered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowVersion(pub(crate) String);

impl RowVersion {
    /// The version that an answer or a store has in this form.
    pub fn new(text: impl Into<String>) -> Self {
        RowVersion(text.into())
    }
}

/// Where a list goes on, in its dialect's own form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Continuation(pub(crate) String);

impl Continuation {
    /// The text to keep it by; [`Dialect::continuation`](super::Dialect::continuation) takes it again.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a write cannot be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A value that is not of its attribute's kind.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A precondition, which the dialect does not have.
    #[error("this CDMS knows no preconditions, so that a write with one cannot be sent")]
    Precondition,
}

/// A value that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the attribute `{attribute}` is of kind {kind} and cannot be sent as {form}")]
pub struct ValueError {
    /// The attribute.
    pub attribute: String,
    /// Its kind.
    pub kind: Kind,
    /// The form of the value given.
    pub form: &'static str,
}
