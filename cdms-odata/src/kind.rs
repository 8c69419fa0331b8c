//! The kinds of CDMS attributes: what a contract may state an attribute to be.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The kind of an attribute in CDMS, which decides the form of its values on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Text; CDMS stores `""` as null.
    String,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer; a JSON string on the wire.
    BigInt,
    /// A decimal; a JSON string on the wire.
    Decimal,
    /// A double-precision float.
    Double,
    /// An amount of money with four decimal places; `{"Value": "…"}` on the wire.
    Money,
    /// True or false.
    Boolean,
    /// A point in time, UTC.
    DateTime,
    /// A calendar date, which CDMS holds as the UTC instant of a local midnight.
    Date,
    /// A GUID.
    Guid,
    /// An option of an option set; `{"Value": n}` on the wire.
    Choice,
    /// The record's state; like a choice, but never writable through this endpoint.
    State,
    /// The record's status reason; like a choice.
    Status,
    /// A reference to another record; `{"Id", "LogicalName", "Name"}` on the wire.
    Lookup,
}

impl Kind {
    /// Every kind, in the order used in documentation.
    pub const ALL: [Kind; 14] = [
        Kind::String,
        Kind::Integer,
        Kind::BigInt,
        Kind::Decimal,
        Kind::Double,
        Kind::Money,
        Kind::Boolean,
        Kind::DateTime,
        Kind::Date,
        Kind::Guid,
        Kind::Choice,
        Kind::State,
        Kind::Status,
        Kind::Lookup,
    ];

    /// The kind's name in contracts and annotations.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::BigInt => "bigint",
            Kind::Decimal => "decimal",
            Kind::Double => "double",
            Kind::Money => "money",
            Kind::Boolean => "boolean",
            Kind::DateTime => "datetime",
            Kind::Date => "date",
            Kind::Guid => "guid",
            Kind::Choice => "choice",
            Kind::State => "state",
            Kind::Status => "status",
            Kind::Lookup => "lookup",
        }
    }
}

/// Parses a kind's name in contracts.
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of an unknown kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownKind)
    }
}
