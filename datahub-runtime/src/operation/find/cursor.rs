//! Where a page of a query ended, as text that fits into a URL.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::request::Query;
use crate::id::beginning;
use crate::{Error, ErrorKind};

/// Where a page of a query ended; [`Find::after`](crate::Find::after) continues there.
///
/// It prints and parses as text of letters, digits and `.-_~`, so it can be used in URLs and forms. It belongs to its
/// query: to the model, the condition and the order. It contains no value of a record but those that the query is
/// ordered by, in CDMS's own form, and nothing that could make it another query.
///
/// As long as nothing changes, pages that are read one after the other contain each record exactly once. If records
/// change meanwhile, each page is as CDMS has it then: a record that moves from what is still to be read to what was
/// already read, because a value of the order has changed, is not seen, and in the opposite case it is seen twice. What
/// is added or removed before the cursor moves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// A digest of the query.
    pub(super) query: u64,
    pub(super) place: Place,
}

/// A place in CDMS's list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Place {
    /// The position of the page of CDMS's in which it is, in the dialect's form; `None` for the first page.
    pub(super) page: Option<String>,
    /// How many records of the page come before it.
    pub(super) passed: usize,
    /// The last of them.
    pub(super) last: Option<Uuid>,
}

/// A text that is not a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid cursor {0:?}; take it from the page before, or begin without one")]
pub struct InvalidCursor(String);

/// What is encoded in a cursor, besides what is not ASCII.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

impl Cursor {
    pub(super) fn new(query: &Query, place: Place) -> Self {
        Cursor { query: digest(query), place }
    }

    /// The place, if the cursor belongs to this query.
    pub(super) fn place_in(self, query: &Query) -> Result<Place, Error> {
        if self.query == digest(query) {
            return Ok(self.place);
        }
        let message = format!("the cursor belongs to another query of {}, or to another model", query.model.name);
        Err(Error::new(ErrorKind::Invalid, message)
            .advise("use it with the condition and the order of the page that it came from, or begin without one"))
    }
}

fn digest(Query { model, condition, order }: &Query) -> u64 {
    let words = format!("{} {} {condition} {order:?}", model.table, model.entity.set);
    let digest = Sha256::digest(words.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cursor { query, place: Place { page, passed, last } } = self;
        write!(f, "{query:016x}.{passed}.")?;
        if let Some(last) = last {
            write!(f, "{}", last.simple())?;
        }
        if let Some(page) = page {
            // A percent sign would be encoded once more in a URL.
            write!(f, ".{}", utf8_percent_encode(page, ENCODED).to_string().replace('%', "~"))?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        read(text).ok_or_else(|| InvalidCursor(beginning(text)))
    }
}

fn read(text: &str) -> Option<Cursor> {
    let mut parts = text.split('.');
    let query = parts.next().filter(|digits| digits.len() == 16)?;
    let query = u64::from_str_radix(query, 16).ok()?;
    let passed = parts.next()?.parse().ok()?;
    let last = match parts.next()? {
        "" => None,
        id => Some(Uuid::try_parse(id).ok()?),
    };
    let page = match parts.next() {
        None => None,
        Some(page) => {
            let decoded = page.replace('~', "%");
            Some(percent_decode_str(&decoded).decode_utf8().ok()?.into_owned())
        }
    };
    parts.next().is_none().then_some(Cursor { query, place: Place { page, passed, last } })
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_text_for_a_url_and_back() {
        let pages = [None, Some(String::new()), Some("1,'name','O''Neil & Co. é~%20','{ID}'".to_owned())];
        for page in pages {
            for last in [None, Some(Uuid::from_u128(7))] {
                let cursor = Cursor { query: 7, place: Place { page: page.clone(), passed: 20, last } };
                let text = cursor.to_string();
                assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_~".contains(c)), "{text}");
                assert_eq!(text.parse(), Ok(cursor));
            }
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let good = "0000000000000007.20.";
        assert!(good.parse::<Cursor>().is_ok());
        for bad in [
            "",
            "7.20.",
            "0000000000000007.-1.",
            "0000000000000007.1.x",
            "0000000000000007.1..a.b",
            "x",
            &format!("{good}.~FF"),
        ] {
            let error = bad.parse::<Cursor>().unwrap_err();
            assert!(error.to_string().contains("begin without one"), "{error}");
        }
    }
}
