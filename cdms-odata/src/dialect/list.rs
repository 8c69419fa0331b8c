//! Queries for lists of records, independent of the dialect.

use std::borrow::Cow;

/// A list of an entity's records: which, in what order, how many. The default is all of them in CDMS's own order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// The condition, in the dialect's own language; `None` for all records. The dialect encodes it for the address.
    pub filter: Option<String>,
    /// The attributes that it is ordered by, the first one first; empty for CDMS's own order, which is by key.
    pub order: Vec<(Cow<'static, str>, Direction)>,
    /// At most this many records over all pages. A caller counts them as well, since a continuation that was stored does not
    /// show how many came before it.
    pub top: Option<u32>,
    /// The relation that the condition is about.
    pub expand: Option<Expand>,
}

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// A relation whose record a condition is about. It is expanded, with nothing but the related record's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expand {
    /// The navigation property, which differs from the lookup: `account_primary_contact` for `PrimaryContactId`.
    pub navigation: Cow<'static, str>,
    /// The key attribute of the related entity.
    pub key: Cow<'static, str>,
}

/// Why a list cannot be requested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The address would be longer than CDMS accepts, even without the names of the attributes.
    #[error(
        "the query of {set} makes an address of {length} characters, and CDMS accepts about {limit}; use fewer or shorter \
         conditions"
    )]
    TooLong {
        /// The set.
        set: &'static str,
        /// The address's length in characters.
        length: usize,
        /// The longest address that is sent.
        limit: usize,
    },
}
