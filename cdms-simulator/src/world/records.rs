//! The records of one entity, in the orders in which lists are read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};

use cdms_odata::{Attributes, Value};
use uuid::Uuid;

/// The attribute whose order has an index.
pub(super) const INDEXED: &str = "ModifiedOn";

/// Records by id, each without its nulls, since most of hundreds of attributes are null; and the index of a list by time of
/// change, which would otherwise be sorted anew for each of its pages.
#[derive(Debug, Default)]
pub(super) struct Records {
    by_id: BTreeMap<Uuid, Attributes>,
    by_modified: BTreeSet<Modified>,
}

/// A time of change in ms, and a record that was changed then. Records without a time come first.
type Modified = (Option<i64>, Uuid);

impl Records {
    pub(super) fn get(&self, id: Uuid) -> Option<&Attributes> {
        self.by_id.get(&id)
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(super) fn insert(&mut self, id: Uuid, record: Attributes) {
        let place = (modified(&record), id);
        if let Some(old) = self.by_id.insert(id, record) {
            self.by_modified.remove(&(modified(&old), id));
        }
        self.by_modified.insert(place);
    }

    pub(super) fn remove(&mut self, id: Uuid) -> Option<Attributes> {
        let record = self.by_id.remove(&id)?;
        self.by_modified.remove(&(modified(&record), id));
        Some(record)
    }

    /// The records after one, in the order of their ids.
    pub(super) fn after(&self, id: Option<Uuid>) -> impl Iterator<Item = (Uuid, &Attributes)> {
        self.by_id.range((id.map_or(Unbounded, Excluded), Unbounded)).map(|(id, record)| (*id, record))
    }

    /// The records that were changed at a time or later, the oldest change first; with `after`, only those behind it.
    pub(super) fn oldest_first(
        &self,
        since: Option<i64>,
        after: Option<Modified>,
    ) -> impl Iterator<Item = (Uuid, &Attributes)> {
        let since = since.map(|ms| (Some(ms), Uuid::nil()));
        let start = match (since, after) {
            (since, Some(after)) if since.is_none_or(|since| after >= since) => Excluded(after),
            (Some(since), _) => Included(since),
            (None, _) => Unbounded,
        };
        self.by_modified.range((start, Unbounded)).filter_map(|(_, id)| Some((*id, self.by_id.get(id)?)))
    }

    /// The records that were changed at a time or later, the newest change first, and those of one time in the order of
    /// their ids; with `after`, only those behind it.
    pub(super) fn newest_first(
        &self,
        since: Option<i64>,
        after: Option<Modified>,
    ) -> impl Iterator<Item = (Uuid, &Attributes)> {
        let earlier = |than: Option<Option<i64>>| {
            let end = than.map_or(Unbounded, |time| Excluded((time, Uuid::nil())));
            self.by_modified.range((Unbounded, end)).next_back().map(|(time, _)| *time)
        };
        let first = after.map_or_else(|| earlier(None), |(time, _)| Some(time));
        let times = std::iter::successors(first, move |time| earlier(Some(*time)));
        let times = times.take_while(move |time| since.is_none_or(|since| *time >= Some(since)));
        times.flat_map(move |time| {
            let start = match after {
                Some((at, id)) if at == time => Excluded((time, id)),
                _ => Included((time, Uuid::nil())),
            };
            let of_the_time = self.by_modified.range((start, Included((time, Uuid::max()))));
            of_the_time.filter_map(|(_, id)| Some((*id, self.by_id.get(id)?)))
        })
    }
}

fn modified(record: &Attributes) -> Option<i64> {
    match record.get(INDEXED) {
        Some(Value::Instant(instant)) => Some(instant.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cdms_odata::Instant;

    use super::*;

    fn records(changes: &[(u128, Option<i64>)]) -> Records {
        let mut records = Records::default();
        for (id, ms) in changes {
            let values = ms.map(|ms| (INDEXED.to_owned(), Value::Instant(Instant(ms))));
            records.insert(Uuid::from_u128(*id), values.into_iter().collect());
        }
        records
    }

    fn ids<'r>(found: impl Iterator<Item = (Uuid, &'r Attributes)>) -> Vec<u128> {
        found.map(|(id, _)| id.as_u128()).collect()
    }

    #[test]
    fn the_index_follows_every_change() {
        let mut records = records(&[(1, Some(5)), (2, Some(5)), (3, None), (4, Some(-1)), (1, Some(9))]);
        assert_eq!(ids(records.oldest_first(None, None)), [3, 4, 2, 1]);
        assert_eq!(ids(records.newest_first(None, None)), [1, 2, 4, 3]);
        assert!(records.remove(Uuid::from_u128(2)).is_some());
        assert_eq!(ids(records.oldest_first(None, None)), [3, 4, 1]);
        assert_eq!((records.by_id.len(), records.by_modified.len()), (3, 3));
    }

    #[test]
    fn a_list_begins_at_a_time_and_goes_on_behind_a_record() {
        let records = records(&[(1, Some(5)), (2, Some(5)), (3, Some(5)), (4, Some(6)), (5, Some(4)), (6, None)]);
        let at = |ms, id| Some((Some(ms), Uuid::from_u128(id)));
        assert_eq!(ids(records.oldest_first(Some(5), None)), [1, 2, 3, 4]);
        assert_eq!(ids(records.oldest_first(Some(5), at(5, 2))), [3, 4]);
        assert_eq!(ids(records.oldest_first(Some(5), at(4, 9))), [1, 2, 3, 4]);
        assert_eq!(ids(records.newest_first(Some(5), None)), [4, 1, 2, 3]);
        assert_eq!(ids(records.newest_first(None, at(5, 1))), [2, 3, 5, 6]);
        assert_eq!(ids(records.newest_first(Some(5), at(5, 3))), Vec::<u128>::new());
        assert_eq!(ids(records.newest_first(None, Some((None, Uuid::from_u128(6))))), Vec::<u128>::new());
        assert_eq!(ids(records.after(Some(Uuid::from_u128(4)))), [5, 6]);
    }
}
