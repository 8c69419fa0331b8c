//! The lists of the searched CDMS: three records, pages of two.

use cdms_odata::{Attributes, Instant, Value};
use datahub_protocol::{Mapping as _, Record};

use crate::mapping::Two;
use crate::world::{PERSON, facts};

/// The number of records.
pub(super) const RECORDS: usize = 3;

/// How many records are on a page.
const PAGE: usize = 2;

/// A record at a time, with a value, in the model or outside it.
pub(super) fn record(second: i64, value: i32, is_of_model: bool) -> Record {
    let attributes =
        [("a", Value::Integer(value)), ("b", Value::Integer(1)), ("k", Value::Integer(i32::from(is_of_model)))];
    Record { facts: facts(second * 1_000, PERSON), attributes: Attributes::from(attributes) }
}

/// The records that are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// Those of the model, by key.
    OfModel,
    /// Those that have changed since, by the time of it.
    ChangedSince(Instant),
}

/// Where a list goes on: behind the time, if it is ordered by time, and the key of a record.
pub(super) type Place = (Option<Instant>, usize);

/// A page on its way to the program that asked for it.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) records: Vec<(usize, Record)>,
    pub(super) next: Option<Place>,
    pub(super) date: Instant,
}

/// The page of a list that begins behind a place.
pub(super) fn page(records: [Option<&Record>; RECORDS], wanted: Wanted, after: Option<Place>, date: Instant) -> Page {
    let place = |key: usize, record: &Record| match wanted {
        Wanted::OfModel => (None, key),
        Wanted::ChangedSince(_) => (Some(record.facts.modified), key),
    };
    let is_wanted = |record: &Record| match wanted {
        Wanted::OfModel => Two.includes(&record.attributes),
        Wanted::ChangedSince(since) => record.facts.modified >= since,
    };
    let there = records.into_iter().enumerate().filter_map(|(key, record)| Some((key, record?)));
    let mut listed: Vec<_> = there
        .filter(|(key, record)| is_wanted(record) && after.is_none_or(|after| place(*key, record) > after))
        .map(|(key, record)| (key, record.clone()))
        .collect();
    listed.sort_by_key(|(key, record)| place(*key, record));
    let is_last = listed.len() <= PAGE;
    listed.truncate(PAGE);
    let next = listed.last().filter(|_| !is_last).map(|(key, record)| place(*key, record));
    Page { records: listed, next, date }
}
