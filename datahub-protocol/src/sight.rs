//! The read table: comparing the hub's row with CDMS's record, and what to do about it.

use std::sync::Arc;

use cdms_odata::{Attributes, Facts, Instant, Value};

use crate::evidence;
use crate::planted::{self, Planted, planted};
use crate::{
    Change, Commit, Entry, EntryKind, Failure, Fetched, Guard, Loaded, Mapping, MappingTag, NewRow, Note, Origin,
    QuarantineChange, Record, RecordChange, SettledPatch, Snapshot, Stored, TombstoneReason, Values, WriteKind,
};

/// What a read found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// Both sides were equal; nothing was written.
    InSync,
    /// The record was new to the hub.
    First,
    /// CDMS had newer values.
    Refreshed,
    /// No attribute that this mapping knew had changed, but the row was completed or its time moved.
    Filled,
    /// The record had been gone and exists again.
    Revived,
}

/// The result of comparing both sides once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sight<F> {
    /// The row that was loaded is as CDMS has it; with the model's values of it.
    InSync(Values),
    /// The row must be stored; after that it is as CDMS has it.
    Store(Box<ToStore<F>>),
    /// Something else must be stored, and the operation ends with this failure.
    Record(Box<Commit<F>>, Failure<F>),
    /// The row is newer than CDMS.
    HubNewer { hub: Instant, cdms: Instant },
    /// The operation ends; there is nothing to store.
    Fails(Failure<F>),
}

/// A row that must be stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToStore<F> {
    pub(crate) finding: Finding,
    pub(crate) commit: Box<Commit<F>>,
    /// The row that the commit stores.
    pub(crate) row: NewRow,
    pub(crate) values: Values,
}

/// The read table.
pub(crate) fn sight<M: Mapping>(
    mapping: &M,
    loaded: &Loaded,
    fetched: Fetched<M::Fault>,
    clock_skew_ms: i64,
) -> Sight<M::Fault> {
    let record = match fetched {
        Fetched::Record(record) => record,
        Fetched::Gone => return gone(loaded),
        Fetched::Unreadable(fault) => return quarantine(loaded, fault),
        Fetched::Refused(reason) => return Sight::Fails(Failure::ReadRefused(reason)),
        Fetched::Unavailable(reason) => return Sight::Fails(Failure::Unavailable(reason)),
        Fetched::LoginRefused(reason) => return Sight::Fails(Failure::LoginRefused(reason)),
        Fetched::Misconfigured(reason) => return Sight::Fails(Failure::Misconfigured(reason)),
    };
    // Whether an older record satisfies `only` is older information as well.
    if let Stored::Row(Snapshot { facts: Facts { modified: hub, .. }, .. }) = loaded.stored
        && behind_ms(hub, &record) > clock_skew_ms.max(0)
        && !planted::hides_age(mapping.includes(&record.attributes))
    {
        return Sight::HubNewer { hub, cdms: record.facts.modified };
    }
    if !mapping.includes(&record.attributes) {
        return left(mapping, loaded, &record);
    }
    // Most records have not changed. That is seen before anything is merged, and the row stays as it is, also if CDMS
    // states other facts of an equal record.
    if let Stored::Row(snapshot) = &loaded.stored
        && is_as_stored(mapping, snapshot, &record)
    {
        return match mapping.decode(&snapshot.facts, &snapshot.seen) {
            Ok(values) => in_sync(mapping, loaded, snapshot, values),
            Err(fault) => quarantine(loaded, fault),
        };
    }
    let row = merged_row(&loaded.stored, &record);
    let values = match mapping.decode(&row.facts, &row.seen) {
        Ok(values) => values,
        Err(fault) => return quarantine(loaded, fault),
    };
    let store = |seen, history, row| store(loaded, seen, history, row, Arc::clone(&values));
    match &loaded.stored {
        Stored::Absent => store(Finding::First, found_there(loaded, &record, EntryKind::FirstSeen, Vec::new()), row),
        Stored::Tombstone(last, _) => {
            let changes = differences(&last.seen, &record.attributes);
            store(Finding::Revived, found_there(loaded, &record, EntryKind::Revived, changes), row)
        }
        Stored::Row(snapshot) => {
            let mut changes = differences(&snapshot.seen, &record.attributes);
            if planted::hides_changes(snapshot.facts.modified, record.facts.modified) {
                changes.clear();
            }
            let known_change = changes.iter().any(|change| change.from.is_some());
            let behind_ms = behind_ms(snapshot.facts.modified, &record);
            if known_change {
                let mut entries = refreshed(&loaded.late, &record, changes);
                if behind_ms > 0 {
                    entries.iter_mut().for_each(|entry| entry.skew_ms = Some(behind_ms));
                }
                return store(Finding::Refreshed, entries, row);
            }
            // Newer without a mapped change, or with attributes and columns that this mapping adds: no history entry.
            let same_facts = behind_ms == 0 && snapshot.facts.modified_by == record.facts.modified_by;
            let others = if same_facts { others_complete(mapping, snapshot) } else { Vec::new() };
            store(Finding::Filled, Vec::new(), NewRow { complete_for: others, ..row })
        }
    }
}

/// Whether a row needs nothing of a record: it is complete for the mapping, has every value that was read, and the record is
/// not newer.
fn is_as_stored<M: Mapping>(mapping: &M, snapshot: &Snapshot, record: &Record) -> bool {
    let is_equal = || {
        // A row that has the same attributes has them at the same places.
        let mut read = record.attributes.iter().enumerate();
        read.all(|(place, (name, value))| snapshot.seen.get_near(place, name) == Some(value))
    };
    behind_ms(snapshot.facts.modified, record) >= 0
        && snapshot.complete_for.contains(&mapping.tag())
        && (is_equal() || planted::hides_changes(snapshot.facts.modified, record.facts.modified))
}

/// By how many milliseconds a record is older than its row.
fn behind_ms(hub: Instant, record: &Record) -> i64 {
    hub.0.saturating_sub(record.facts.modified.0)
}

/// The differences between the known attributes and those just read; a previously unknown attribute has no `from`.
pub(crate) fn differences(known: &Attributes, read: &Attributes) -> Vec<Change> {
    read.iter()
        .filter(|(name, value)| known.get(name) != Some(value))
        .map(|(name, value)| Change {
            attribute: name.to_owned(),
            from: known.get(name).cloned(),
            to: Some(value.clone()),
            note: Note::Plain,
        })
        .collect()
}

/// The row made from a record, keeping what other mappings know of it; nothing is kept of a record that was gone.
pub(crate) fn merged_row(stored: &Stored, record: &Record) -> NewRow {
    let mut seen = match stored {
        Stored::Absent | Stored::Tombstone(_, TombstoneReason::Gone | TombstoneReason::Unknown(_)) => Attributes::new(),
        _ if planted(Planted::OtherMappingsDropped) => Attributes::new(),
        Stored::Row(snapshot) | Stored::Tombstone(snapshot, TombstoneReason::LeftModel) => snapshot.seen.clone(),
    };
    seen.merge(&record.attributes);
    let is_read = |name: &str| record.attributes.contains(name);
    let outdated = match stored {
        Stored::Row(snapshot) | Stored::Tombstone(snapshot, TombstoneReason::LeftModel)
            if is_unchanged(snapshot, record) =>
        {
            snapshot.outdated.iter().filter(|name| !is_read(name)).cloned().collect()
        }
        _ => seen.names().filter(|name| !is_read(name)).map(|name| name.to_string()).collect(),
    };
    NewRow { facts: record.facts, seen, complete_for: Vec::new(), outdated }
}

/// Whether a record is as it was stored, as far as it was read again. If so, what was not read again is still known.
fn is_unchanged(snapshot: &Snapshot, record: &Record) -> bool {
    let Facts { modified, modified_by, .. } = snapshot.facts;
    let same_facts = modified == record.facts.modified && modified_by == record.facts.modified_by;
    let known = |(name, value): (&str, &Value)| snapshot.seen.get(name).is_none_or(|known| known == value);
    same_facts && record.attributes.iter().all(known)
}

/// The history of changes made by CDMS. Those of a write that had been found not applied get an entry of their own.
pub(crate) fn refreshed(late: &[SettledPatch], record: &Record, changes: Vec<Change>) -> Vec<Entry> {
    let mut rest = changes;
    let mut entries = Vec::new();
    for late in late {
        if rest.iter().any(|change| shows(&late.patch, change)) {
            let of_it = |change: &Change| shows(&late.patch, change) || shows(&late.constants, change);
            let (shown, others) = rest.into_iter().partition(of_it);
            rest = others;
            let applied = Entry { operation: Some(late.operation), ..plain(EntryKind::AppliedLate, record, shown) };
            entries.push(Entry { origin: Origin::Settle, ..applied });
        }
    }
    rest.retain(|change| change.from.is_some());
    if !rest.is_empty() {
        entries.push(plain(EntryKind::Refreshed, record, rest));
    }
    entries
}

fn shows(sent: &Attributes, change: &Change) -> bool {
    let now = change.to.as_ref();
    let is_shown = |sent| now.is_some_and(|now| evidence::shows(now, sent));
    change.from.is_some() && sent.get(&change.attribute).is_some_and(is_shown)
}

/// The history of a record for which the hub has no row. If the record comes from a create that had been found not
/// applied, the entry says so.
fn found_there(loaded: &Loaded, record: &Record, kind: EntryKind, changes: Vec<Change>) -> Vec<Entry> {
    let shown = |name: &str, value: &Value| record.attributes.get(name).is_none_or(|now| evidence::shows(now, value));
    let mut creates = loaded.late.iter().filter(|late| late.write == WriteKind::Create);
    let late = creates.find(|late| late.patch.iter().all(|(name, value)| shown(name, value)));
    vec![match late {
        None => plain(kind, record, changes),
        Some(late) => {
            let (origin, operation) = (Origin::Settle, Some(late.operation));
            Entry { origin, operation, ..plain(EntryKind::AppliedLate, record, changes) }
        }
    }]
}

pub(crate) fn plain(kind: EntryKind, record: &Record, changes: Vec<Change>) -> Entry {
    Entry {
        kind,
        origin: Origin::Cdms,
        operation: None,
        changes,
        constants: Attributes::new(),
        modified: Some(record.facts.modified),
        modified_by: record.facts.modified_by,
        skew_ms: None,
    }
}

/// The history entry of a record that was found gone. If there is a delete of ours that had been found not applied, it
/// is taken as the cause.
pub(crate) fn found_gone(late: &[SettledPatch], last: &Snapshot) -> Entry {
    let entry = ending(EntryKind::Gone, last);
    match late.iter().find(|late| late.write == WriteKind::Delete) {
        None => entry,
        Some(late) => Entry { origin: Origin::Settle, operation: Some(late.operation), ..entry },
    }
}

/// The history entry of a record's end: all last known values, including nulls, so that a deleted record can be created
/// again.
pub(crate) fn ending(kind: EntryKind, last: &Snapshot) -> Entry {
    let changes = last.seen.iter().map(|(name, value)| Change {
        attribute: name.to_owned(),
        from: Some(value.clone()),
        to: None,
        note: Note::Plain,
    });
    Entry {
        kind,
        origin: Origin::Cdms,
        operation: None,
        changes: changes.collect(),
        constants: Attributes::new(),
        modified: None,
        modified_by: None,
        skew_ms: None,
    }
}

/// The maximum number of mappings for which a row is recorded as complete. Only a few versions of a program run at
/// once.
const COMPLETE_FOR_MAX: usize = 8;

/// The other mappings for which a row stays complete if its known attributes have not changed.
fn others_complete<M: Mapping>(mapping: &M, snapshot: &Snapshot) -> Vec<MappingTag> {
    let others = snapshot.complete_for.iter().copied().filter(|other| *other != mapping.tag());
    others.take(COMPLETE_FOR_MAX - 1).collect()
}

fn in_sync<M: Mapping>(mapping: &M, loaded: &Loaded, snapshot: &Snapshot, values: Values) -> Sight<M::Fault> {
    if !loaded.quarantined {
        return Sight::InSync(values);
    }
    // The fault is gone and the record unchanged: only the quarantine must be cleared.
    let row = NewRow { complete_for: others_complete(mapping, snapshot), ..NewRow::from(snapshot) };
    store(loaded, Finding::InSync, Vec::new(), row, values)
}

fn store<F>(loaded: &Loaded, finding: Finding, history: Vec<Entry>, row: NewRow, values: Values) -> Sight<F> {
    let mut commit = Commit::under(Guard::of(loaded));
    commit.record = RecordChange::Put { row: row.clone(), values: Arc::clone(&values) };
    commit.history = history;
    if loaded.quarantined {
        commit.quarantine = QuarantineChange::Clear;
    }
    Sight::Store(Box::new(ToStore { finding, commit: Box::new(commit), row, values }))
}

fn gone<F>(loaded: &Loaded) -> Sight<F> {
    match &loaded.stored {
        Stored::Absent => without_row(loaded, Failure::NotFound),
        Stored::Tombstone(_, reason) => without_row(loaded, reason.failure()),
        Stored::Row(last) => buried(loaded, TombstoneReason::Gone, last.into(), vec![found_gone(&loaded.late, last)]),
    }
}

/// The record does not belong to this model: its row becomes a tombstone, and a record that was never seen is not
/// found.
fn left<M: Mapping>(mapping: &M, loaded: &Loaded, record: &Record) -> Sight<M::Fault> {
    match &loaded.stored {
        Stored::Absent => without_row(loaded, Failure::NotFound),
        Stored::Tombstone(..) => without_row(loaded, Failure::Left),
        Stored::Row(last) => {
            let row = merged_row(&loaded.stored, record);
            let mut entries = refreshed(&loaded.late, record, differences(&last.seen, &record.attributes));
            entries.push(ending(EntryKind::LeftModel, &row.clone().at(last.version, mapping.tag())));
            buried(loaded, TombstoneReason::LeftModel, row, entries)
        }
    }
}

/// There is no row to change; at most the quarantine must be cleared.
fn without_row<F>(loaded: &Loaded, failure: Failure<F>) -> Sight<F> {
    if !loaded.quarantined {
        return Sight::Fails(failure);
    }
    let mut commit = Commit::under(Guard::of(loaded));
    commit.quarantine = QuarantineChange::Clear;
    Sight::Record(Box::new(commit), failure)
}

/// The row becomes a tombstone.
fn buried<F>(loaded: &Loaded, reason: TombstoneReason, last: NewRow, history: Vec<Entry>) -> Sight<F> {
    let mut commit = Commit::under(Guard::of(loaded));
    commit.record = RecordChange::Tombstone { reason, last };
    commit.history = history;
    if loaded.quarantined {
        commit.quarantine = QuarantineChange::Clear;
    }
    Sight::Record(Box::new(commit), reason.failure())
}

/// The row stays; the record waits in quarantine with its reason.
fn quarantine<F: Clone>(loaded: &Loaded, fault: F) -> Sight<F> {
    let commit = Commit::quarantining(Guard::of(loaded), fault.clone());
    Sight::Record(Box::new(commit), Failure::Quarantined(fault))
}
