//! Where a page of a query ended, as text that fits into a URL.

use std::fmt;
use std::str::FromStr;

use cdms_odata::Value;
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
/// is added or removed before the cursor moves nothing, as long as one of the last three records before it is still
/// there.
///
/// A cursor of the hub's rows, from a query with [`Freshness::LocalOnly`](crate::Freshness::LocalOnly) or after
/// [`or_local`](crate::Find::or_local) was needed, continues only among them, because the hub orders texts differently.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// A digest of the query.
    query: u64,
    side: Side,
}

/// Whose list a cursor continues: their orders differ, so one never continues the other's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Side {
    Cdms(Place),
    Hub(RowPlace),
}

/// A place in CDMS's list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Place {
    /// The position of the page of CDMS's in which it is, in the dialect's form; `None` for the first page.
    pub(super) page: Option<String>,
    /// How many records of the page come before it.
    pub(super) passed: usize,
    /// The last of them, at most [`LAST_MAX`], the nearest one first.
    pub(super) last: Vec<Uuid>,
}

/// By how many records a place is found again: all but one of them may be gone by then.
pub(super) const LAST_MAX: usize = 3;

/// A place among the hub's rows: behind this one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowPlace {
    /// The row's values of the fields in the order, as JSON.
    values: String,
    pub(super) id: Uuid,
}

/// A text that is not a cursor.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid cursor {0:?}; take it from the page before, or begin without one")]
pub struct InvalidCursor(String);

/// `main` prints an error that it returns in this form, so it is in words.
impl fmt::Debug for InvalidCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is encoded in a cursor, besides what is not ASCII.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

impl Cursor {
    pub(super) fn in_cdms(query: &Query, place: Place) -> Self {
        Cursor { query: digest(query), side: Side::Cdms(place) }
    }

    pub(super) fn in_hub(query: &Query, values: &[Value], id: Uuid) -> Self {
        // Values of a row have a canonical form.
        let values = serde_json::to_string(values).unwrap_or_default();
        Cursor { query: digest(query), side: Side::Hub(RowPlace { values, id }) }
    }

    /// Whether it continues a list of the hub's rows.
    pub(super) fn is_in_hub(&self) -> bool {
        matches!(self.side, Side::Hub(_))
    }

    /// The place in CDMS's list, if the cursor belongs to this query.
    pub(super) fn place_in(self, query: &Query) -> Result<Place, Error> {
        self.belongs_to(query)?;
        match self.side {
            Side::Cdms(place) => Ok(place),
            Side::Hub(_) => Err(other_side("the hub's rows", "CDMS")),
        }
    }

    /// The row behind which to continue, if the cursor belongs to this query: its values of the order, and its id.
    pub(super) fn row_in(self, query: &Query) -> Result<(Vec<Value>, Uuid), Error> {
        self.belongs_to(query)?;
        match self.side {
            Side::Hub(RowPlace { values, id }) => {
                let values: Vec<Value> = serde_json::from_str(&values).unwrap_or_default();
                if values.len() != query.order.len() {
                    let message = "the cursor does not have the values of the query's order";
                    return Err(Error::new(ErrorKind::Invalid, message).advise("begin without one"));
                }
                Ok((values, id))
            }
            Side::Cdms(_) => Err(other_side("CDMS", "the hub's rows")),
        }
    }

    fn belongs_to(&self, query: &Query) -> Result<(), Error> {
        if self.query == digest(query) {
            return Ok(());
        }
        let message = format!("the cursor belongs to another query of {}, or to another model", query.model.name);
        Err(Error::new(ErrorKind::Invalid, message)
            .advise("use it with the condition and the order of the page that it came from, or begin without one"))
    }
}

fn other_side(cursors: &str, asked: &str) -> Error {
    let message = format!("the cursor continues a list of {cursors}, and {asked} has another order");
    Error::new(ErrorKind::Invalid, message)
        .advise("ask the same side as for the page before, or begin without a cursor")
}

fn digest(Query { model, condition, order }: &Query) -> u64 {
    let words = format!("{} {} {condition} {order:?}", model.table, model.entity.set);
    let digest = Sha256::digest(words.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.", self.query)?;
        match &self.side {
            Side::Hub(RowPlace { values, id }) => write!(f, "hub.{}.{}", id.simple(), encoded(values)),
            Side::Cdms(Place { page, passed, last }) => {
                write!(f, "{passed}.")?;
                last.iter().try_for_each(|last| write!(f, "{}", last.simple()))?;
                page.as_ref().map_or(Ok(()), |page| write!(f, ".{}", encoded(page)))
            }
        }
    }
}

/// A text in letters, digits and `-_~`. A percent sign would be encoded once more in a URL.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string().replace('%', "~")
}

fn decoded(text: &str) -> Option<String> {
    Some(percent_decode_str(&text.replace('~', "%")).decode_utf8().ok()?.into_owned())
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
    let side = match parts.next()? {
        "hub" => {
            let id = Uuid::try_parse(parts.next()?).ok()?;
            Side::Hub(RowPlace { values: decoded(parts.next()?)?, id })
        }
        passed => {
            let passed = passed.parse().ok()?;
            let last = parts.next().and_then(ids)?;
            let page = parts.next().map(|page| decoded(page).ok_or(())).transpose().ok()?;
            Side::Cdms(Place { page, passed, last })
        }
    };
    parts.next().is_none().then_some(Cursor { query, side })
}

/// Ids of 32 digits each, one after the other.
fn ids(digits: &str) -> Option<Vec<Uuid>> {
    let ids = digits.as_bytes().chunks(32).map(|id| Uuid::try_parse_ascii(id).ok());
    ids.collect::<Option<Vec<_>>>().filter(|ids| ids.len() <= LAST_MAX)
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
        let values = r#"["O'Neil é~%20",null]"#.to_owned();
        let mut sides = vec![Side::Hub(RowPlace { values, id: Uuid::from_u128(8) })];
        let pages = [None, Some(String::new()), Some("1,'name','O''Neil & Co. é~%20','{ID}'".to_owned())];
        for page in pages {
            for count in 0..=LAST_MAX as u128 {
                let last = (0..count).map(Uuid::from_u128).collect();
                sides.push(Side::Cdms(Place { page: page.clone(), passed: 20, last }));
            }
        }
        for side in sides {
            let cursor = Cursor { query: 7, side };
            let text = cursor.to_string();
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_~".contains(c)), "{text}");
            assert_eq!(text.parse(), Ok(cursor));
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
            &format!("{good}{}", "0".repeat(33)),
            &format!("{good}{}", "0".repeat(32 * (LAST_MAX + 1))),
            "0000000000000007.1..a.b",
            "x",
            &format!("{good}.~FF"),
        ] {
            let error = bad.parse::<Cursor>().unwrap_err();
            assert!(error.to_string().contains("begin without one"), "{error}");
        }
    }
}
