//! Writing a record of a detached model: one transaction, without CDMS; the hub's row is authoritative.

use std::collections::BTreeSet;

use cdms_odata::{Attributes, Facts, Instant, Value};

use crate::approach::busy;
use crate::sight::ending;
use crate::write_outcome::{Cause, Confirmation, Intended, SentValues, WriteOutcome, created_entry, updated_entries};
use crate::{
    Action, Base, Commit, Committed, Decoded, Entry, EntryKind, Event, Failure, Guard, Loaded, Machine, Mapping,
    Merged, NewRow, OnConflict, OperationId, Origin, QuarantineChange, ROUNDS_MAX, RecordChange, Snapshot, Stored,
    TombstoneReason, Values, merge, put_back,
};

/// The machine of a write to the hub alone.
#[derive(Clone, Debug)]
pub struct Detached<M: Mapping> {
    mapping: M,
    wish: DetachedWish,
    operation: OperationId,
    /// When the write began, by the hub's clock. This becomes the record's time of change.
    now: Instant,
    rounds: u8,
    /// Whether CDMS's record did not fit when it was last read, which no longer matters.
    quarantined: bool,
    state: State,
}

/// What the caller of a detached write wants.
#[derive(Clone, Debug)]
pub enum DetachedWish {
    /// A new record with these attributes, in raw form.
    Create(Attributes),
    /// The changes from what was loaded to these values.
    Change {
        /// The record as it was loaded.
        base: Base,
        /// The model's values, one per field.
        mine: Vec<Value>,
        /// Whether local fields changed too.
        local_changed: bool,
        /// What to do if someone else changed the same field in the meantime.
        on_conflict: OnConflict,
    },
    /// The attributes of an earlier time, whatever has changed since.
    PutBack {
        /// The attributes as they were then.
        then: Attributes,
        /// Whether local fields are put back too.
        local_changed: bool,
    },
    /// The deletion of the record.
    Delete {
        /// The attributes as they were loaded.
        base: Attributes,
        /// What to do if someone else changed the record in the meantime.
        on_conflict: OnConflict,
    },
}

#[derive(Clone, Debug)]
enum State {
    Begun,
    Locking,
    Loading,
    /// What the caller gets, and the record's new row, if its attributes change.
    Storing(Box<WriteOutcome>, Option<NewRow>),
    Over,
}

type Output<M> = Result<WriteOutcome, Failure<<M as Mapping>::Fault>>;

impl<M: Mapping> Detached<M> {
    /// A write that began at this time.
    pub fn new(mapping: M, wish: DetachedWish, operation: OperationId, now: Instant) -> Self {
        Detached { mapping, wish, operation, now, rounds: 0, quarantined: false, state: State::Begun }
    }

    fn loaded(&mut self, loaded: Loaded) -> Action<Output<M>, M::Fault> {
        // A write that was sent to CDMS before the model was detached must be settled first.
        if let Some(failure) = busy(&loaded) {
            return self.over(Err(failure));
        }
        let guard = Guard::of(&loaded);
        self.quarantined = loaded.quarantined;
        let stored = match loaded.stored {
            Stored::Row(snapshot) => Stored::Row(Snapshot { seen: self.whole(snapshot.seen), ..snapshot }),
            stored => stored,
        };
        match (self.wish.clone(), stored) {
            (DetachedWish::Create(_), Stored::Row(_)) => self.over(Err(Failure::AlreadyExists)),
            (DetachedWish::Create(seen), Stored::Absent | Stored::Tombstone(..)) => self.create(guard, seen),
            (_, Stored::Absent) => self.over(Err(Failure::NotFound)),
            (_, Stored::Tombstone(_, reason)) => self.over(Err(reason.failure())),
            (DetachedWish::Change { base, mine, local_changed, on_conflict }, Stored::Row(snapshot)) => {
                let base = Base { seen: self.whole(base.seen), ..base };
                let merged = self.mapping.decode(&snapshot.facts, &snapshot.seen).and_then(|values| {
                    let current = Decoded { seen: &snapshot.seen, values: &values };
                    merge(&self.mapping, base.decoded(), &mine, current)
                });
                match merged {
                    Err(fault) => self.over(Err(Failure::Invalid(fault))),
                    Ok(merged) => {
                        match on_conflict.rejects([&merged.conflicts[..], &loaded.local_conflicts].concat()) {
                            Some(failure) => self.over(Err(failure)),
                            None => self.change(guard, snapshot, &merged, local_changed, Origin::Hub),
                        }
                    }
                }
            }
            (DetachedWish::PutBack { then, local_changed }, Stored::Row(snapshot)) => {
                let merged = self.mapping.decode(&snapshot.facts, &snapshot.seen).and_then(|values| {
                    put_back(&self.mapping, &then, Decoded { seen: &snapshot.seen, values: &values })
                });
                match merged {
                    Err(fault) => self.over(Err(Failure::Invalid(fault))),
                    Ok(merged) => self.change(guard, snapshot, &merged, local_changed, Origin::Revert),
                }
            }
            (DetachedWish::Delete { base, on_conflict }, Stored::Row(snapshot)) => {
                if let Some(failure) = on_conflict.rejects(loaded.local_conflicts) {
                    return self.over(Err(failure));
                }
                let changed = base.iter().any(|(name, value)| snapshot.seen.get(name) != Some(value));
                if on_conflict == OnConflict::Reject && changed {
                    return self.over(Err(Failure::Conflict { fields: Vec::new() }));
                }
                self.delete(guard, snapshot)
            }
        }
    }

    /// The known attributes, with a null for each one that was never given a value, since CDMS is not asked for it.
    fn whole(&self, mut known: Attributes) -> Attributes {
        let written = self.mapping.updatable();
        for name in written.into_iter().flat_map(|field| self.mapping.attributes_of(field)) {
            if !known.contains(name) {
                known.insert(name.to_owned(), Value::Null);
            }
        }
        known
    }

    fn create(&mut self, guard: Guard, seen: Attributes) -> Action<Output<M>, M::Fault> {
        let facts = Facts { modified: self.now, created: Some(self.now), modified_by: None };
        let values = match self.mapping.decode(&facts, &seen) {
            Ok(values) => values,
            Err(fault) => return self.over(Err(Failure::Invalid(fault))),
        };
        let known: Attributes = seen.iter().filter(|(_, value)| !value.is_null()).map(owned).collect();
        let entry = created_entry(
            SentValues { patch: &known, constants: &Attributes::new() },
            Cause { operation: self.operation, origin: Origin::Hub },
            None,
        );
        self.put(
            guard,
            NewRow { facts, seen, complete_for: Vec::new(), outdated: BTreeSet::new() },
            values,
            vec![entry],
            Vec::new(),
        )
    }

    fn change(
        &mut self,
        guard: Guard,
        before: Snapshot,
        merged: &Merged,
        local_changed: bool,
        origin: Origin,
    ) -> Action<Output<M>, M::Fault> {
        if merged.patch.is_empty() {
            let written = unasked(before, Vec::new());
            if !local_changed {
                return self.over(Ok(written));
            }
            let mut commit = self.commit(guard);
            commit.record = RecordChange::LocalOnly;
            commit.history = vec![Entry {
                kind: EntryKind::LocalChanged,
                origin,
                operation: Some(self.operation),
                changes: Vec::new(),
                constants: Attributes::new(),
                modified: None,
                modified_by: None,
                skew_ms: None,
            }];
            self.state = State::Storing(Box::new(written), None);
            return Action::Commit(Box::new(commit));
        }
        let constants = Attributes::new();
        let intended = Intended { patch: &merged.patch, constants: &constants, overwritten: &merged.overwritten };
        let history = updated_entries(&before, &[], intended, Cause { operation: self.operation, origin }, None);
        let mut row = NewRow::from(&before);
        // The time of change never goes back, whatever the hub's clock does.
        row.facts.modified = self.now.max(before.facts.modified);
        row.seen.merge(&merged.patch);
        match self.mapping.decode(&row.facts, &row.seen) {
            Ok(values) => self.put(guard, row, values, history, merged.conflicts.clone()),
            Err(fault) => self.over(Err(Failure::Invalid(fault))),
        }
    }

    fn put(
        &mut self,
        guard: Guard,
        row: NewRow,
        values: Values,
        history: Vec<Entry>,
        conflicts: Vec<usize>,
    ) -> Action<Output<M>, M::Fault> {
        let snapshot = row.clone().at(crate::Version(0), self.mapping.tag());
        let written = Box::new(unasked(snapshot, conflicts));
        let mut commit = self.commit(guard);
        commit.record = RecordChange::Put { row: row.clone(), values };
        commit.history = history;
        self.state = State::Storing(written, Some(row));
        Action::Commit(Box::new(commit))
    }

    fn commit(&self, guard: Guard) -> Commit<M::Fault> {
        let quarantine = if self.quarantined { QuarantineChange::Clear } else { QuarantineChange::Keep };
        Commit { quarantine, ..Commit::under(guard) }
    }

    fn delete(&mut self, guard: Guard, last: Snapshot) -> Action<Output<M>, M::Fault> {
        let mut commit = self.commit(guard);
        commit.record = RecordChange::Tombstone { reason: TombstoneReason::Gone, last: NewRow::from(&last) };
        let operation = Some(self.operation);
        commit.history = vec![Entry { origin: Origin::Hub, operation, ..ending(EntryKind::Deleted, &last) }];
        self.state = State::Storing(Box::new(unasked(last, Vec::new())), None);
        Action::Commit(Box::new(commit))
    }

    fn stored(
        &mut self,
        mut written: WriteOutcome,
        row: Option<NewRow>,
        committed: Committed,
    ) -> Action<Output<M>, M::Fault> {
        match committed {
            Committed::Done(version) => {
                match row {
                    Some(row) => written.snapshot = row.at(version, self.mapping.tag()),
                    None => written.snapshot.version = version,
                }
                self.over(Ok(written))
            }
            Committed::Lost => {
                self.rounds += 1;
                if self.rounds >= ROUNDS_MAX {
                    return self.over(Err(Failure::Busy { operation: None, retry_after_ms: 100 }));
                }
                self.state = State::Loading;
                Action::Load
            }
            Committed::Refused(reason) => self.over(Err(Failure::ForbiddenByStore(reason))),
            Committed::Unavailable(reason) => self.over(Err(Failure::store(reason))),
        }
    }

    fn over(&mut self, output: Output<M>) -> Action<Output<M>, M::Fault> {
        self.state = State::Over;
        Action::Done(output)
    }
}

/// The outcome of a write that sends no request to CDMS.
/// It has no values: the row may lack attributes that were mapped since.
fn unasked(snapshot: Snapshot, conflicts: Vec<usize>) -> WriteOutcome {
    WriteOutcome { snapshot, values: None, confirmation: Confirmation::Nothing(None), conflicts, adjusted: Vec::new() }
}

fn owned((name, value): (&str, &Value)) -> (String, Value) {
    (name.to_owned(), value.clone())
}

impl<M: Mapping> Machine for Detached<M> {
    const NAME: &'static str = "detached";
    type Output = Output<M>;
    type Fault = M::Fault;

    fn step(&mut self, event: Event<M::Fault>) -> Action<Self::Output, M::Fault> {
        match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Begun, Event::Start) => {
                self.state = State::Locking;
                Action::Lock
            }
            (State::Locking, Event::Locked) => {
                self.state = State::Loading;
                Action::Load
            }
            (State::Loading, Event::Loaded(loaded)) => self.loaded(*loaded),
            (State::Storing(written, row), Event::Committed(committed)) => self.stored(*written, row, committed),
            (state, event) => {
                unreachable!("unexpected event {event:?} for a detached write in state {state:?}: a bug in the driver")
            }
        }
    }
}
