//! Completing a row that another mapping stored: from what the hub keeps of its record, or from the attributes that it
//! lacks, read on their own.
//!
//! Both decide by the read table, as if CDMS had just returned the whole record as it was at the time of the row.

use crate::planted::{Planted, planted};
use crate::{Listed, Loaded, Mapping, QuarantineChange, Record, Snapshot, Stored, Version, listed};

/// Completes a row from what the hub keeps of its record; `None` if the row lacks something that must be read.
pub fn from_seen<M: Mapping>(mapping: &M, loaded: &Loaded) -> Option<Listed<M::Fault>> {
    let snapshot = match incomplete(mapping, loaded) {
        Ok(snapshot) => snapshot,
        Err(as_it_is) => return Some(as_it_is),
    };
    let record = known(mapping, snapshot);
    if !is_whole(mapping, snapshot, &record) {
        return None;
    }
    let mut found = listed(mapping, loaded, Ok(record), Version(i64::MAX), 0);
    // Whatever put CDMS's record in quarantine was not read again.
    if let Listed::Store(_, commit) | Listed::Left(commit) | Listed::Foreign(Some(commit)) = &mut found
        && matches!(commit.quarantine, QuarantineChange::Clear)
    {
        commit.quarantine = QuarantineChange::Keep;
    }
    Some(found)
}

/// Completes a row from a record of which only the attributes that the row lacks were read.
///
/// `asked_at` is the newest version in the database when they were requested. A record that has changed since its row was
/// stored must be read whole, because other attributes may have changed with it.
pub fn from_part<M: Mapping>(
    mapping: &M,
    loaded: &Loaded,
    part: Result<Record, M::Fault>,
    asked_at: Version,
    clock_skew_ms: i64,
) -> Listed<M::Fault> {
    let snapshot = match incomplete(mapping, loaded) {
        Ok(snapshot) => snapshot,
        Err(as_it_is) => return as_it_is,
    };
    let part = match part {
        Ok(part) => part,
        Err(fault) => return listed(mapping, loaded, Err(fault), asked_at, 0),
    };
    if snapshot.version > asked_at {
        return Listed::ReadAgain;
    }
    let behind_ms = snapshot.facts.modified.0.saturating_sub(part.facts.modified.0);
    if behind_ms > clock_skew_ms.max(0) {
        return Listed::LocalNewer;
    }
    if behind_ms != 0 && !planted(Planted::PartOfAnotherTime) {
        return Listed::ReadAgain;
    }
    let mut record = known(mapping, snapshot);
    record.attributes.merge(&part.attributes);
    if !is_whole(mapping, snapshot, &record) {
        return Listed::ReadAgain;
    }
    listed(mapping, loaded, Ok(record), asked_at, 0)
}

/// The needed attributes that a row lacks: those of these that were never read, or not since the record was found changed.
pub fn lacking<'a, M: Mapping>(
    mapping: &'a M,
    snapshot: &'a Snapshot,
    needed: impl Iterator<Item = &'static str> + 'a,
) -> impl Iterator<Item = &'static str> + 'a {
    needed.filter(|name| mapping.needs(name) && !is_current(snapshot, name))
}

/// The row that the mapping must complete, or what it is instead.
fn incomplete<'l, M: Mapping>(mapping: &M, loaded: &'l Loaded) -> Result<&'l Snapshot, Listed<M::Fault>> {
    if let Some(open) = &loaded.intent {
        return Err(Listed::Pending(open.intent.operation));
    }
    match &loaded.stored {
        Stored::Row(snapshot) if snapshot.complete_for.contains(&mapping.tag()) => Err(Listed::AsIs),
        Stored::Row(snapshot) => Ok(snapshot),
        Stored::Absent | Stored::Tombstone(..) => Err(Listed::Foreign(None)),
    }
}

/// The record as the row knows it, as far as this mapping reads it and it is of the row's time.
fn known<M: Mapping>(mapping: &M, snapshot: &Snapshot) -> Record {
    let mut attributes = snapshot.seen.clone();
    attributes.retain(|name, _| mapping.knows(name) && is_current(snapshot, name));
    Record { facts: snapshot.facts, attributes }
}

fn is_current(snapshot: &Snapshot, name: &str) -> bool {
    snapshot.seen.contains(name) && (!snapshot.outdated.contains(name) || planted(Planted::OutdatedCompletes))
}

/// Whether a record has everything that the mapping needs.
fn is_whole<M: Mapping>(mapping: &M, snapshot: &Snapshot, record: &Record) -> bool {
    let is_there = |name: &String| !mapping.needs(name) || record.attributes.contains(name);
    mapping.is_covered_by(&record.attributes) && snapshot.outdated.iter().all(is_there)
}
