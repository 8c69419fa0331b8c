//! What a query found.

use std::vec;

use datahub_protocol::Failure;

use super::cursor::Cursor;
use super::reader::{Met, MetRow};
use crate::engine::call::Costed;
use crate::{CdmsSynced, Cost, Error, Id, Synced};

/// A side that answers a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// CDMS was asked: membership and order of the answer are its own.
    Cdms,
    /// The hub's rows were asked.
    Hub,
}

/// The records that a query found, in the order of the side that was asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found<T> {
    /// The records, each as a read returns it. [`Synced::checked`] says of a record with a write in progress that it is
    /// [`Pending`](crate::Checked::Pending).
    pub records: Vec<Synced<T>>,
    /// Records that belong to the answer and cannot be returned, each with the reason: they cannot be converted or
    /// stored and wait in quarantine, the hub's row is newer, or a create of ours is not settled yet.
    pub left_out: Vec<LeftOut<T>>,
    /// How many records CDMS has listed that do not belong to the model, or were gone when they were read on their own.
    pub not_of_model: u64,
    /// How many records CDMS has listed without a readable id.
    pub without_id: u64,
    /// Where to continue, with [`Find::after`](crate::Find::after); `None` if there is no more.
    pub next: Option<Cursor>,
    /// Which side has answered: the hub only if it was to, by [`Find::freshness`](crate::Find::freshness), because the model
    /// is detached, or because CDMS could not be reached and [`Find::or_local`](crate::Find::or_local) was called.
    pub side: Side,
    /// What it cost.
    pub cost: Cost,
}

/// A record that a query found and cannot return.
#[derive(Debug)]
#[non_exhaustive]
pub struct LeftOut<T> {
    /// Its id.
    pub id: Id<T>,
    /// Why.
    pub error: Error,
}

impl<T> Found<T> {
    pub(super) fn of(side: Side) -> Self {
        Found {
            records: Vec::new(),
            left_out: Vec::new(),
            not_of_model: 0,
            without_id: 0,
            next: None,
            side,
            cost: Cost::default(),
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.left_out.is_empty()
    }

    /// The records, if none was left out.
    ///
    /// # Errors
    ///
    /// Why the first one was left out.
    pub fn complete(self) -> Result<Vec<Synced<T>>, Error> {
        match self.left_out.into_iter().next() {
            Some(left_out) => Err(left_out.error),
            None => Ok(self.records),
        }
    }
}

impl<T: CdmsSynced> Found<T> {
    /// Adds a record.
    pub(super) fn add(&mut self, id: Id<T>, met: Met) {
        match synced(id, met) {
            None => self.not_of_model += 1,
            Some(Ok(synced)) => self.records.push(synced),
            Some(Err(error)) => self.left_out.push(LeftOut { id, error }),
        }
    }
}

/// A record as a caller gets it, or why it cannot be returned; `None` if it does not belong to the model.
pub(super) fn synced<T: CdmsSynced>(id: Id<T>, met: Met) -> Option<Result<Synced<T>, Error>> {
    match met {
        Met::NotOfModel => None,
        Met::Failed(error) => Some(Err(error)),
        Met::ReadAlone(checked) => Some(Synced::checked_row(*checked, id)),
        Met::Row(row) => {
            let MetRow { row, snapshot, checked } = *row;
            let unfit = |fault| Error::from_failure(Failure::Quarantined(fault), T::DESCRIPTOR, id.guid());
            Some(Synced::new(row, snapshot, checked).map_err(unfit))
        }
    }
}

impl<T> Costed for Found<T> {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T> IntoIterator for Found<T> {
    type Item = Synced<T>;
    type IntoIter = vec::IntoIter<Synced<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.into_iter()
    }
}

impl<'f, T> IntoIterator for &'f Found<T> {
    type Item = &'f Synced<T>;
    type IntoIter = std::slice::Iter<'f, Synced<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.iter()
    }
}
