//! Requests, independent of the dialect.

use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;

use crate::{Kind, Value};

/// Attributes with their kinds, in the order of their names.
pub type Shape = [(&'static str, Kind)];

/// An attribute to be sent, with its kind and value.
pub type SentValue<'v> = (&'v str, Kind, Cow<'v, Value>);

/// What a dialect must know about an entity to read and write its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityShape {
    /// The entity type's name.
    pub name: &'static str,
    /// The set's name.
    pub set: &'static str,
    /// The key attribute.
    pub key: &'static str,
    /// The attributes to read, including the key: a [`Shape`].
    pub attributes: Vec<(&'static str, Kind)>,
    /// Those of them, in the order of names, that a record is read without if their values cannot be read.
    pub optional: Vec<&'static str>,
}

/// A question that the first contact asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact<'q> {
    /// Which organisation is this?
    Organisation,
    /// Which user has this domain name?
    User(&'q str),
}

/// What is known about a set before one of its records is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetIs {
    /// CDMS has returned a record of it, or has said that one is gone.
    Known,
    /// Nothing was read from it yet, so CDMS may not have it.
    Untried,
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// It creates a record under an id that the hub chose.
    Create,
    /// It changes attributes of a record.
    Update,
    /// It deletes a record.
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
    /// What the write does.
    pub write: Write,
    /// The write's id, which is sent with it.
    pub operation: Uuid,
    /// The attributes to send, without the key. Empty for a delete.
    pub values: &'w [SentValue<'w>],
    /// The condition under which CDMS carries it out.
    pub precondition: Option<Precondition>,
}

/// The condition under which CDMS carries out a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The record is at this version.
    At(RowVersion),
}

/// The version of a record, in the dialect's own form. Versions can be equal, but have no order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowVersion(pub(crate) String);

impl RowVersion {
    /// A version in the dialect's form.
    pub fn new(text: impl Into<String>) -> Self {
        RowVersion(text.into())
    }
}

/// Where a list continues, in the dialect's own form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Continuation(pub(crate) String);

impl Continuation {
    /// The text to store. [`Dialect::continuation`](super::Dialect::continuation) parses it again.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a write cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A value is not of its attribute's kind.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The dialect has no preconditions.
    #[error("this CDMS does not support writes with a precondition")]
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
