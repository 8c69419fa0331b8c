//! The records of one entity, in the orders in which lists are read.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};

use cdms_odata::{Attributes, Value};
use uuid::Uuid;

use super::query::{Collation, Order, Position};

/// The attribute whose order always has an index.
pub(super) const INDEXED: &str = "ModifiedOn";

/// How many other orders have an index; for one more, the oldest is given up.
const ORDERS_MAX: usize = 8;

/// Records by id, each without its nulls, since most of hundreds of attributes are null; and what lists and relations are
/// read from, so that a page costs the page and not all records.
#[derive(Debug, Default)]
pub(super) struct Records {
    by_id: BTreeMap<Uuid, Attributes>,
    by_modified: BTreeSet<Modified>,
    /// The orders of the lists that were read, the newest last.
    orders: Vec<Sorted>,
    /// By lookup that was followed backwards: the id in it, and the record that has it.
    referring: BTreeMap<String, BTreeSet<(Uuid, Uuid)>>,
    /// How many records were looked at.
    looked_at: Cell<u64>,
}

/// A time of change in ms, and a record that was changed then. Records without a time come first.
type Modified = (Option<i64>, Uuid);

/// The index of an order.
#[derive(Debug)]
struct Sorted {
    order: Order,
    collation: Collation,
    places: BTreeSet<Position>,
}

impl Sorted {
    fn place(&self, id: Uuid, record: &Attributes) -> Position {
        self.order.position(id, record, self.collation)
    }
}

impl Records {
    pub(super) fn get(&self, id: Uuid) -> Option<&Attributes> {
        self.by_id.get(&id)
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(super) fn insert(&mut self, id: Uuid, record: Attributes) {
        self.remove(id);
        self.by_modified.insert((modified(&record), id));
        for sorted in &mut self.orders {
            sorted.places.insert(sorted.place(id, &record));
        }
        for (lookup, referring) in &mut self.referring {
            referring.extend(referred(&record, lookup).map(|to| (to, id)));
        }
        self.by_id.insert(id, record);
    }

    pub(super) fn remove(&mut self, id: Uuid) -> Option<Attributes> {
        let record = self.by_id.remove(&id)?;
        self.by_modified.remove(&(modified(&record), id));
        for sorted in &mut self.orders {
            sorted.places.remove(&sorted.place(id, &record));
        }
        for (lookup, referring) in &mut self.referring {
            if let Some(to) = referred(&record, lookup) {
                referring.remove(&(to, id));
            }
        }
        Some(record)
    }

    /// Keeps an index of this order from now on.
    pub(super) fn keep_order(&mut self, order: &Order, collation: Collation) {
        if self.sorted(order, collation).is_some() {
            return;
        }
        if self.orders.len() == ORDERS_MAX {
            self.orders.remove(0);
        }
        let places = self.after(None).map(|(id, record)| order.position(id, record, collation)).collect();
        self.orders.push(Sorted { order: order.clone(), collation, places });
    }

    fn sorted(&self, order: &Order, collation: Collation) -> Option<&Sorted> {
        self.orders.iter().find(|sorted| sorted.order == *order && sorted.collation == collation)
    }

    /// Keeps an index of what this lookup refers to from now on.
    pub(super) fn keep_lookup(&mut self, lookup: &str) {
        if !self.referring.contains_key(lookup) {
            let to = self.after(None).filter_map(|(id, record)| Some((referred(record, lookup)?, id))).collect();
            self.referring.insert(lookup.to_owned(), to);
        }
    }

    /// How many records were looked at.
    pub(super) fn looked_at(&self) -> u64 {
        self.looked_at.get()
    }

    /// A record that is looked at.
    fn look_at(&self, id: Uuid) -> Option<(Uuid, &Attributes)> {
        let record = self.by_id.get(&id)?;
        self.look();
        Some((id, record))
    }

    fn look(&self) {
        self.looked_at.set(self.looked_at.get() + 1);
    }

    /// The records after one, in the order of their ids.
    pub(super) fn after(&self, id: Option<Uuid>) -> impl Iterator<Item = (Uuid, &Attributes)> {
        let after = self.by_id.range((id.map_or(Unbounded, Excluded), Unbounded));
        after.map(|(id, record)| (*id, record)).inspect(|_| self.look())
    }

    /// The records behind a place in an order, if it has an index.
    pub(super) fn in_order(
        &self,
        order: &Order,
        collation: Collation,
        after: Option<&Position>,
    ) -> Option<impl Iterator<Item = (Uuid, &Attributes)>> {
        let places = &self.sorted(order, collation)?.places;
        let behind = places.range((after.map_or(Unbounded, Excluded), Unbounded));
        Some(behind.filter_map(|place| self.look_at(place.id)))
    }

    /// The records whose lookup refers to this id, in the order of their own.
    pub(super) fn referring(&self, lookup: &str, to: Uuid) -> Vec<(Uuid, &Attributes)> {
        match self.referring.get(lookup) {
            Some(referring) => {
                let of_it = referring.range((to, Uuid::nil())..=(to, Uuid::max()));
                of_it.filter_map(|(_, id)| self.look_at(*id)).collect()
            }
            None => self.after(None).filter(|(_, record)| referred(record, lookup) == Some(to)).collect(),
        }
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
        self.by_modified.range((start, Unbounded)).filter_map(|(_, id)| self.look_at(*id))
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
            of_the_time.filter_map(|(_, id)| self.look_at(*id))
        })
    }
}

fn modified(record: &Attributes) -> Option<i64> {
    match record.get(INDEXED) {
        Some(Value::Instant(instant)) => Some(instant.0),
        _ => None,
    }
}

/// The id that a lookup of a record refers to.
fn referred(record: &Attributes, lookup: &str) -> Option<Uuid> {
    match record.get(lookup) {
        Some(Value::Lookup(to)) => Some(to.id),
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
