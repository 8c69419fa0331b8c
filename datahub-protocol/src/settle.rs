//! The settling table: finding the outcome of a write, by reading only.

use cdms_odata::Attributes;
use uuid::Uuid;

use crate::evidence;
use crate::planted::{Planted, planted};
use crate::send::{closing, quarantining_applied};
use crate::sight::{differences, ending, found_gone, merged_row, refreshed};
use crate::write_outcome::{Cause, Intended, SentValues, created_entry, deletion, not_kept_entry, updated_entries};
use crate::{
    Action, Commit, Committed, Entry, EntryKind, Event, Failure, Fetched, Guard, Intent, IntentChange, LeaseState,
    Loaded, Machine, Mapping, OpenIntent, OperationId, Origin, QuarantineChange, Record, RecordChange, Snapshot,
    Stored, TombstoneReason, Verdict, WriteKind,
};

/// The result of an attempt to settle.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// The outcome of the write is known and recorded.
    Now(Verdict),
    /// The write was settled before, or was never opened.
    Before,
    /// The write sent attributes that this mapping does not read, or is of a kind that this version does not know, so a
    /// newer program must settle it.
    LeftToOthers,
    /// The outcome cannot be determined yet.
    NotYet {
        /// Milliseconds after which to try again.
        retry_after_ms: u64,
    },
}

/// The settling table for one look at CDMS, taken after the lease ended. `None`: not before the quiet period is over.
///
/// `record` is the result of the GET, `None` if the record is gone. `our_user` is the CDMS user that the hub writes as,
/// if known.
pub fn verdict(intent: &Intent, record: Option<&Record>, our_user: Option<Uuid>, quiet_over: bool) -> Option<Verdict> {
    match (intent.write, record) {
        (WriteKind::Create, Some(_)) | (WriteKind::Delete, None) => Some(Verdict::Applied),
        (WriteKind::Create, None) | (WriteKind::Delete, Some(_)) => quiet_over.then_some(Verdict::NotApplied),
        (WriteKind::Update, None) => quiet_over.then_some(Verdict::Superseded { attributes: Vec::new() }),
        // Only a program that knows what this kind of write does can determine its outcome.
        (WriteKind::Unknown(_), _) => None,
        (WriteKind::Update, Some(record)) => {
            let (at_once, later) = update_verdicts(intent, record, our_user);
            at_once.or_else(|| quiet_over.then_some(later))
        }
    }
}

fn update_verdicts(intent: &Intent, record: &Record, our_user: Option<Uuid>) -> (Option<Verdict>, Verdict) {
    let now = |name: &str| record.attributes.get(name);
    let mut as_patched = 0;
    let mut as_before = 0;
    let mut as_either = 0;
    let mut neither = Vec::new();
    for (name, new) in intent.evidence() {
        match now(name) {
            Some(value) if value == new => as_patched += 1,
            // CDMS turns the new value into the old one, so this value is evidence for both.
            Some(value) if intent.pre_image.get(name) == Some(value) && evidence::shows(value, new) => as_either += 1,
            value if value == intent.pre_image.get(name) => as_before += 1,
            Some(value) if evidence::shows(value, new) => as_patched += 1,
            _ => neither.push(name.to_owned()),
        }
    }
    if as_before == 0 && as_patched == 0 && as_either > 0 && neither.is_empty() {
        // Whether or not it was carried out, it has changed nothing.
        return (None, Verdict::NotApplied);
    }
    if as_before == 0 && neither.is_empty() {
        let moved = intent.modified_before != Some(record.facts.modified);
        let ours = our_user.is_some() && record.facts.modified_by == our_user;
        let at_once = (as_patched > 0 && moved && ours).then_some(Verdict::Applied);
        return (at_once, Verdict::Applied);
    }
    let later = match (as_patched, as_before) {
        (1.., _) if planted(Planted::AnyEvidenceIsApplied) => Verdict::Applied,
        (1.., 0) => Verdict::Applied,
        (0, 1..) if neither.is_empty() => Verdict::NotApplied,
        _ => {
            let is_shown = |name, new| now(name).is_some_and(|value| evidence::shows(value, new));
            let mixed = intent.evidence().filter(|(name, new)| !is_shown(name, new));
            Verdict::Superseded { attributes: mixed.map(|(name, _)| name.to_owned()).collect() }
        }
    };
    (None, later)
}

/// The machine that settles one write.
#[derive(Clone, Debug)]
pub struct Settle<M: Mapping> {
    mapping: M,
    operation: OperationId,
    our_user: Option<Uuid>,
    clock_skew_ms: i64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Begun,
    Locking,
    Loading,
    Fetching(Box<Loaded>, Box<OpenIntent>),
    Storing(Verdict, Vec<Entry>),
    /// The row could not be stored: the record is quarantined and the intent closed.
    StoringWithoutRow(Verdict),
    /// The record cannot be read: it is quarantined, and the intent stays open.
    Quarantining {
        retry_after_ms: u64,
    },
    Over,
}

/// How long to wait before the next look, if no lease or quiet period determines it.
const LOOK_AGAIN_MS: u64 = 30_000;

type Output<M> = Result<Settled, Failure<<M as Mapping>::Fault>>;

impl<M: Mapping> Settle<M> {
    /// Settles this write. `our_user` is the CDMS user that the hub writes as, if known, and `clock_skew_ms` is by how
    /// many milliseconds CDMS's time may go back.
    pub fn new(mapping: M, operation: OperationId, our_user: Option<Uuid>, clock_skew_ms: i64) -> Self {
        Settle { mapping, operation, our_user, clock_skew_ms, state: State::Begun }
    }

    fn loaded(&mut self, mut loaded: Box<Loaded>) -> Action<Output<M>, M::Fault> {
        let open = loaded.intent.take().filter(|open| open.intent.operation == self.operation);
        match open {
            None => self.over(Ok(Settled::Before)),
            Some(open)
                if matches!(open.intent.write, WriteKind::Unknown(_))
                    || open.intent.patch.names().any(|name| !self.mapping.knows(name)) =>
            {
                self.over(Ok(Settled::LeftToOthers))
            }
            Some(open) => match open.lease {
                LeaseState::Active { left_ms } if !planted(Planted::LeaseIgnored) => {
                    self.over(Ok(Settled::NotYet { retry_after_ms: left_ms.max(1) }))
                }
                LeaseState::Active { .. } | LeaseState::Quiet { .. } | LeaseState::Over => {
                    self.state = State::Fetching(loaded, Box::new(open));
                    Action::Fetch
                }
            },
        }
    }

    fn fetched(
        &mut self,
        loaded: &Loaded,
        open: &OpenIntent,
        fetched: Fetched<M::Fault>,
    ) -> Action<Output<M>, M::Fault> {
        let (quiet_over, left_ms) = match open.lease {
            LeaseState::Quiet { left_ms } | LeaseState::Active { left_ms } => (false, left_ms.max(1)),
            LeaseState::Over => (true, LOOK_AGAIN_MS),
        };
        let quiet_over = quiet_over || planted(Planted::QuietPeriodZero);
        let record = match fetched {
            Fetched::Record(record) => Some(record),
            Fetched::Gone => None,
            Fetched::Unreadable(fault) => return self.unreadable(&open.intent, fault, quiet_over, left_ms),
            Fetched::Refused(reason) => return self.over(Err(Failure::ReadRefused(reason))),
            Fetched::Unavailable(reason) => return self.over(Err(Failure::Unavailable(reason))),
            Fetched::LoginRefused(reason) => return self.over(Err(Failure::LoginRefused(reason))),
            Fetched::Misconfigured(reason) => return self.over(Err(Failure::Misconfigured(reason))),
        };
        let Some(verdict) = verdict(&open.intent, record.as_ref(), self.our_user, quiet_over) else {
            return self.over(Ok(Settled::NotYet { retry_after_ms: left_ms }));
        };
        let (commit, without_row) = self.settlement(loaded, &open.intent, record.as_ref(), &verdict);
        self.state = State::Storing(verdict, without_row);
        Action::Commit(Box::new(commit))
    }

    /// The record exists but cannot be read: it waits in quarantine. That it exists settles a create or a delete; an
    /// update must wait until the record can be read.
    fn unreadable(
        &mut self,
        intent: &Intent,
        fault: M::Fault,
        quiet_over: bool,
        left_ms: u64,
    ) -> Action<Output<M>, M::Fault> {
        let verdict = match intent.write {
            WriteKind::Create => Some(Verdict::Applied),
            WriteKind::Delete if quiet_over => Some(Verdict::NotApplied),
            WriteKind::Delete | WriteKind::Update | WriteKind::Unknown(_) => None,
        };
        let Some(verdict) = verdict else {
            let retry_after_ms = if intent.write == WriteKind::Delete { left_ms } else { LOOK_AGAIN_MS };
            self.state = State::Quarantining { retry_after_ms };
            return Action::Commit(Box::new(Commit::quarantining(Guard::Intent(self.operation), fault)));
        };
        let history = match intent.write {
            WriteKind::Create => {
                vec![created_entry(sent_by(intent), found_by_settling(intent), None)]
            }
            WriteKind::Update | WriteKind::Delete | WriteKind::Unknown(_) => {
                not_kept(intent, &verdict, None).into_iter().collect()
            }
        };
        let commit = self.without_row(verdict.clone(), fault, history);
        self.state = State::StoringWithoutRow(verdict);
        Action::Commit(Box::new(commit))
    }

    /// The transaction that records a verdict and updates the row to CDMS's record, and the history to store instead if
    /// CDMS's record cannot be stored.
    fn settlement(
        &self,
        loaded: &Loaded,
        intent: &Intent,
        record: Option<&Record>,
        verdict: &Verdict,
    ) -> (Commit<M::Fault>, Vec<Entry>) {
        let applied = *verdict == Verdict::Applied;
        let before = match &loaded.stored {
            Stored::Absent => None,
            Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => Some(snapshot),
        };
        let row_stays: Vec<Entry> = not_kept(intent, verdict, before.map(|before| &before.seen)).into_iter().collect();
        let mut commit = closing(self.operation, verdict.clone());
        let Some(record) = record else {
            commit.history = row_stays.clone();
            return (self.without_record(loaded, intent, commit), row_stays);
        };
        // CDMS's time went back: the row is not overwritten here, and the next read reports it.
        if let (Stored::Row(row), false) = (&loaded.stored, applied)
            && row.facts.modified.0.saturating_sub(record.facts.modified.0) > self.clock_skew_ms
        {
            commit.history = row_stays.clone();
            return (commit, row_stays);
        }
        commit.history = match (intent.write, before) {
            (WriteKind::Create, _) => {
                vec![created_entry(sent_by(intent), found_by_settling(intent), Some(record))]
            }
            (WriteKind::Update, Some(before)) if applied => {
                let (patch, constants, overwritten) = (&intent.patch, &intent.constants, &intent.conflicts);
                let intended = Intended { patch, constants, overwritten };
                updated_entries(before, &loaded.late, intended, found_by_settling(intent), Some(record))
            }
            (_, Some(before)) => refreshed(&loaded.late, record, differences(&before.seen, &record.attributes)),
            (_, None) => Vec::new(),
        };
        let without_row = if applied { commit.history.clone() } else { row_stays };
        let row = merged_row(&loaded.stored, record);
        let values = match self.mapping.decode(&row.facts, &row.seen) {
            Ok(values) => values,
            Err(fault) => return (self.without_row(verdict.clone(), fault, without_row), Vec::new()),
        };
        if loaded.quarantined {
            commit.quarantine = QuarantineChange::Clear;
        }
        let included = self.mapping.includes(&record.attributes);
        let nothing_new = commit.history.is_empty() && before.is_some_and(|before| unchanged(before, record));
        commit.history.extend(not_kept(intent, verdict, Some(&row.seen)));
        commit.record = if !included {
            commit.history.push(ending(EntryKind::LeftModel, &row.clone().at(crate::Version(0), self.mapping.tag())));
            RecordChange::Tombstone { reason: TombstoneReason::LeftModel, last: row }
        } else if nothing_new {
            RecordChange::Keep
        } else {
            RecordChange::Put { row, values }
        };
        (commit, without_row)
    }

    /// The transaction that records a verdict if CDMS's record cannot be stored.
    fn without_row(&self, verdict: Verdict, fault: M::Fault, history: Vec<Entry>) -> Commit<M::Fault> {
        let mut commit = quarantining_applied(self.operation, fault, history);
        commit.intent = IntentChange::Close { operation: self.operation, verdict };
        commit.insist = false;
        commit
    }

    fn without_record(&self, loaded: &Loaded, intent: &Intent, mut commit: Commit<M::Fault>) -> Commit<M::Fault> {
        if let Stored::Row(last) = &loaded.stored {
            // A delete whose record is gone is always found applied.
            if intent.write == WriteKind::Delete {
                return deletion(last, self.operation, Origin::Settle);
            }
            let last_row = crate::NewRow::from(last);
            commit.record = RecordChange::Tombstone { reason: TombstoneReason::Gone, last: last_row };
            // The end comes last, so that the last entry says that there is no row.
            commit.history.push(found_gone(&loaded.late, last));
        }
        commit
    }

    fn over(&mut self, output: Output<M>) -> Action<Output<M>, M::Fault> {
        self.state = State::Over;
        Action::Done(output)
    }
}

/// The history entry of a write that was not found applied: without it, what was sent would be lost once the intent is
/// forgotten. `known` is what the hub knows of the record once the verdict is stored.
fn not_kept(intent: &Intent, verdict: &Verdict, known: Option<&Attributes>) -> Option<Entry> {
    let kind = match verdict {
        Verdict::NotApplied => EntryKind::NotApplied,
        Verdict::Superseded { .. } => EntryKind::Superseded,
        Verdict::Applied | Verdict::Rejected { .. } | Verdict::Orphaned { .. } | Verdict::Unknown { .. } => {
            return None;
        }
    };
    // Nothing is known of a record that was not created, whatever was known of an earlier one with the same id.
    let known = known.filter(|_| intent.write != WriteKind::Create);
    Some(not_kept_entry(kind, sent_by(intent), found_by_settling(intent), known))
}

fn sent_by(intent: &Intent) -> SentValues<'_> {
    SentValues { patch: &intent.patch, constants: &intent.constants }
}

fn found_by_settling(intent: &Intent) -> Cause {
    Cause { operation: intent.operation, origin: Origin::Settle }
}

fn unchanged(before: &Snapshot, record: &Record) -> bool {
    before.facts.modified == record.facts.modified && is_known(&before.seen, &record.attributes)
}

fn is_known(seen: &Attributes, read: &Attributes) -> bool {
    read.iter().all(|(name, value)| seen.get(name) == Some(value))
}

impl<M: Mapping> Machine for Settle<M> {
    const NAME: &'static str = "settle";
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
            (State::Loading, Event::Loaded(loaded)) => self.loaded(loaded),
            (State::Fetching(loaded, open), Event::Fetched(fetched)) => self.fetched(&loaded, &open, fetched),
            (State::Storing(verdict, history), Event::Committed(committed)) => match committed {
                Committed::Done(_) => self.over(Ok(Settled::Now(verdict))),
                Committed::Lost => self.over(Ok(Settled::Before)),
                Committed::Refused(reason) => {
                    let commit = self.without_row(verdict.clone(), self.mapping.forbidden(&reason), history);
                    self.state = State::StoringWithoutRow(verdict);
                    Action::Commit(Box::new(commit))
                }
                Committed::Unavailable(reason) => self.over(Err(Failure::store(reason))),
            },
            (State::StoringWithoutRow(verdict), Event::Committed(committed)) => match committed {
                Committed::Done(_) => self.over(Ok(Settled::Now(verdict))),
                Committed::Lost => self.over(Ok(Settled::Before)),
                Committed::Refused(reason) | Committed::Unavailable(reason) => self.over(Err(Failure::store(reason))),
            },
            (State::Quarantining { retry_after_ms }, Event::Committed(_)) => {
                self.over(Ok(Settled::NotYet { retry_after_ms }))
            }
            (state, event) => {
                unreachable!("unexpected event {event:?} for a settlement in state {state:?}: a bug in the driver")
            }
        }
    }
}
