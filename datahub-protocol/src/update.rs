//! Updating one record: a MERGE of what changed, between two short transactions.

mod plan;
mod result;

use cdms_odata::dialect::Refusal;
use cdms_odata::{Attributes, Value};

use self::plan::Plan;
use crate::approach::{Approach, Approached, Step, busy};
use crate::on_conflict::OnConflict;
use crate::planted::{Planted, planted};
use crate::send::{Proof, Sending, Sent, ended, not_stored, rejected, releasing, store_failed, withdrawing};
use crate::sight::found_gone;
use crate::write_outcome::{Cause, Confirmation, WriteOutcome};
use crate::{
    Action, Base, Commit, Committed, Decoded, Entry, EntryKind, Event, Failure, Fetched, Guard, Intent, Loaded,
    Machine, Mapping, Merged, NewRow, OperationId, Origin, ROUNDS_MAX, RecordChange, Rejection, SettledPatch, Snapshot,
    Stored, TombstoneReason, Values, WriteKind, merge, put_back,
};

/// The machine of an update.
#[derive(Clone, Debug)]
pub struct Update<M: Mapping> {
    approach: Approach<M>,
    wish: Wish,
    local_changed: bool,
    on_conflict: OnConflict,
    operation: OperationId,
    local_rounds: u8,
    proof: Proof,
    state: State<M::Fault>,
}

/// What the caller wants.
#[derive(Clone, Debug)]
enum Wish {
    /// The changes from the loaded record to these values.
    Changes { base: Base, mine: Vec<Value> },
    /// The attributes of an earlier time.
    PutBack(Attributes),
}

#[derive(Clone, Debug)]
enum State<F> {
    Begun,
    /// Only local fields changed: no request.
    LocalLocking,
    LocalLoading,
    Approaching,
    StoringLocal(Snapshot, Option<Values>, Confirmation),
    Opening(Box<Plan>),
    Sending(Box<Plan>, Sending),
    ReadingBack(Box<Plan>),
    ConfirmingGone(Box<Plan>, Refusal),
    Storing(WriteOutcome, NewRow, Vec<Entry>),
    /// The intent may have been stored although the database became unavailable, for this reason.
    Withdrawing(String),
    Ending(Failure<F>),
    /// Like `Ending`, for a transaction that leaves the intent open if it fails.
    EndingApplied(Failure<F>),
    Over,
}

type Output<M> = Result<WriteOutcome, Failure<<M as Mapping>::Fault>>;

impl<M: Mapping> Update<M> {
    /// An update of a model that a caller loaded as `base` and changed to the values `mine`.
    pub fn new(
        mapping: M,
        base: Base,
        mine: Vec<Value>,
        local_changed: bool,
        on_conflict: OnConflict,
        operation: OperationId,
        clock_skew_ms: i64,
    ) -> Self {
        let approach = Approach::new(mapping, clock_skew_ms);
        Self::begun(approach, Wish::Changes { base, mine }, local_changed, on_conflict, operation)
    }

    /// An update that puts a record back to the attributes of an earlier time, whatever has changed since.
    pub fn put_back(
        mapping: M,
        then: Attributes,
        local_changed: bool,
        operation: OperationId,
        clock_skew_ms: i64,
    ) -> Self {
        let approach = Approach::new(mapping, clock_skew_ms);
        Self::begun(approach, Wish::PutBack(then), local_changed, OnConflict::LastWriterWins, operation)
    }

    fn begun(
        approach: Approach<M>,
        wish: Wish,
        local_changed: bool,
        on_conflict: OnConflict,
        operation: OperationId,
    ) -> Self {
        Update {
            approach,
            wish,
            local_changed,
            on_conflict,
            operation,
            local_rounds: 0,
            proof: Proof::Answer,
            state: State::Begun,
        }
    }

    fn merged(&self, current: Decoded<'_>) -> Result<Merged, M::Fault> {
        match &self.wish {
            Wish::Changes { base, mine } => merge(&self.approach.mapping, base.decoded(), mine, current),
            Wish::PutBack(then) => put_back(&self.approach.mapping, then, current),
        }
    }

    fn origin(&self) -> Origin {
        match self.wish {
            Wish::Changes { .. } => Origin::Hub,
            Wish::PutBack(_) => Origin::Revert,
        }
    }

    fn cause(&self) -> Cause {
        Cause { operation: self.operation, origin: self.origin() }
    }

    fn begin(&mut self) -> Action<Output<M>, M::Fault> {
        let asks_nothing = match &self.wish {
            // An attribute that was never read must be fetched before merging.
            Wish::Changes { base, mine } if !self.approach.mapping.is_covered_by(&base.seen) => {
                self.approach.mapping.updatable().iter().all(|field| mine[*field] == base.values[*field])
            }
            // What CDMS would refuse in any case is refused before any request.
            Wish::Changes { base, .. } => match self.merged(base.decoded()) {
                Err(fault) => return self.fail(Failure::Invalid(fault)),
                Ok(merged) => merged.patch.is_empty(),
            },
            Wish::PutBack(_) => false,
        };
        if asks_nothing {
            self.state = State::LocalLocking;
            return Action::Lock;
        }
        self.state = State::Approaching;
        let step = self.approach.step(Event::Start);
        self.approached(step)
    }

    /// No mapped field changed: at most local fields are stored, and no request is sent.
    fn loaded_locally(&mut self, loaded: Loaded) -> Action<Output<M>, M::Fault> {
        if self.local_changed
            && let Some(failure) = busy(&loaded)
        {
            return self.fail(failure);
        }
        match loaded.stored {
            Stored::Absent => self.fail(Failure::NotFound),
            Stored::Tombstone(_, reason) => self.fail(reason.failure()),
            Stored::Row(snapshot) if self.local_changed => match self.on_conflict.rejects(loaded.local_conflicts) {
                Some(failure) => self.fail(failure),
                None => self.store_local(snapshot, None, &loaded.late, Confirmation::Nothing(None)),
            },
            Stored::Row(snapshot) => {
                let pending = loaded.intent.map(|open| open.intent.operation);
                self.unchanged(snapshot, None, Confirmation::Nothing(pending))
            }
        }
    }

    fn store_local(
        &mut self,
        snapshot: Snapshot,
        values: Option<Values>,
        late: &[SettledPatch],
        confirmation: Confirmation,
    ) -> Action<Output<M>, M::Fault> {
        let mut commit = Commit::under(Guard::at(snapshot.version, late));
        commit.record = RecordChange::LocalOnly;
        commit.history = vec![Entry {
            kind: EntryKind::LocalChanged,
            origin: self.origin(),
            operation: Some(self.operation),
            changes: Vec::new(),
            constants: Attributes::new(),
            modified: None,
            modified_by: None,
            skew_ms: None,
        }];
        self.state = State::StoringLocal(snapshot, values, confirmation);
        Action::Commit(Box::new(commit))
    }

    fn approached(&mut self, step: Step<Output<M>, M::Fault>) -> Action<Output<M>, M::Fault> {
        match step {
            Step::Act(action) => action,
            Step::Fails(failure) => self.fail(failure),
            Step::Ready(approached) => self.ready(approached),
        }
    }

    /// The row is as CDMS has it: merge, and open the intent.
    fn ready(&mut self, approached: Approached) -> Action<Output<M>, M::Fault> {
        let Approached { finding, snapshot, values, late, local_conflicts } = approached;
        let merged = match self.merged(Decoded { seen: &snapshot.seen, values: &values }) {
            Ok(merged) => merged,
            Err(fault) => return self.fail(Failure::Invalid(fault)),
        };
        let conflicts = [merged.conflicts.clone(), local_conflicts].concat();
        if let Some(failure) = self.on_conflict.rejects(conflicts) {
            return self.fail(failure);
        }
        if merged.patch.is_empty() {
            let confirmation = Confirmation::Compared(finding);
            return if self.local_changed {
                self.store_local(snapshot, Some(values), &late, confirmation)
            } else {
                self.unchanged(snapshot, Some(values), confirmation)
            };
        }
        let intent = self.intent(&snapshot, &merged);
        let plan = Box::new(Plan { snapshot, late, merged, intent });
        if planted(Planted::IntentAfterSend) {
            return self.send(plan);
        }
        let commit = plan.opening();
        self.state = State::Opening(plan);
        Action::Commit(Box::new(commit))
    }

    fn intent(&self, snapshot: &Snapshot, merged: &Merged) -> Intent {
        let pre_image = merged.patch.names().map(|name| {
            let before = snapshot.seen.get(name).cloned().unwrap_or_default();
            (name.clone(), before)
        });
        Intent {
            operation: self.operation,
            write: WriteKind::Update,
            patch: merged.patch.clone(),
            constants: self.approach.mapping.constants(),
            pre_image: pre_image.collect(),
            modified_before: Some(snapshot.facts.modified),
            conflicts: merged.overwritten.clone(),
        }
    }

    fn send(&mut self, plan: Box<Plan>) -> Action<Output<M>, M::Fault> {
        let mut sending = Sending::new(plan.intent.clone());
        if planted(Planted::WholeRecordMerge) {
            let mut body = plan.snapshot.seen.clone();
            body.merge(&plan.merged.patch);
            sending = sending.with_body(body);
        }
        let action = sending.send();
        self.state = State::Sending(plan, sending);
        action
    }

    fn opened(&mut self, plan: Box<Plan>, committed: Committed) -> Action<Output<M>, M::Fault> {
        match committed {
            // With this fault, the write was sent before.
            Committed::Done(_) if planted(Planted::IntentAfterSend) => {
                self.state = State::ReadingBack(plan);
                Action::Fetch
            }
            Committed::Done(_) => self.send(plan),
            Committed::Lost => {
                self.state = State::Approaching;
                let step = self.approach.again();
                self.approached(step)
            }
            Committed::Refused(reason) => self.fail(Failure::ForbiddenByStore(reason)),
            Committed::Unavailable(reason) => {
                self.state = State::Withdrawing(reason);
                Action::Commit(Box::new(withdrawing(self.operation)))
            }
        }
    }

    fn sent(
        &mut self,
        plan: Box<Plan>,
        sending: Sending,
        sent: Sent<Output<M>, M::Fault>,
    ) -> Action<Output<M>, M::Fault> {
        self.proof = sending.proof(&sent);
        match sent {
            Sent::Act(action) => {
                self.state = State::Sending(plan, sending);
                action
            }
            Sent::Applied(_) if planted(Planted::IntentAfterSend) => {
                let commit = plan.opening();
                self.state = State::Opening(plan);
                Action::Commit(Box::new(commit))
            }
            Sent::Applied(_) => {
                self.state = State::ReadingBack(plan);
                Action::Fetch
            }
            Sent::Shown(fetched) => self.read_back(&plan, fetched),
            Sent::Rejected(rejection) => {
                let commit = rejected(self.operation, &rejection);
                self.end(commit, Failure::Rejected(rejection))
            }
            Sent::Gone(refusal) if planted(Planted::UnconfirmedGone) => {
                self.confirmed_gone(&plan, refusal, &Fetched::Gone)
            }
            // CDMS also returns this code for a lookup whose target is missing, so only a GET of the record itself
            // proves it.
            Sent::Gone(refusal) => {
                self.state = State::ConfirmingGone(plan, refusal);
                Action::Fetch
            }
            Sent::Unknown { .. } if planted(Planted::Compensation) && plan.merged.conflicts.is_empty() => {
                let before = plan
                    .merged
                    .patch
                    .names()
                    .filter_map(|name| Some((name.clone(), plan.snapshot.seen.get(name)?.clone())));
                let mut sending = Sending::new(plan.intent.clone()).with_body(before.collect());
                let action = sending.send();
                self.state = State::Sending(plan, sending);
                action
            }
            Sent::Unknown { reason, has_ended } => {
                let operation = self.operation;
                let failure = Failure::Unsettled { operation, in_cdms: false, reason };
                self.end(releasing(operation, has_ended), failure)
            }
        }
    }

    fn confirmed_gone(
        &mut self,
        plan: &Plan,
        refusal: Refusal,
        fetched: &Fetched<M::Fault>,
    ) -> Action<Output<M>, M::Fault> {
        let rejection = Rejection::Cdms(refusal);
        let mut commit = rejected(self.operation, &rejection);
        if *fetched != Fetched::Gone {
            return self.end(commit, Failure::Rejected(rejection));
        }
        commit.record = RecordChange::Tombstone { reason: TombstoneReason::Gone, last: NewRow::from(&plan.snapshot) };
        commit.history = vec![found_gone(&plan.late, &plan.snapshot)];
        self.end(commit, Failure::Gone)
    }

    fn unchanged(
        &mut self,
        snapshot: Snapshot,
        values: Option<Values>,
        confirmation: Confirmation,
    ) -> Action<Output<M>, M::Fault> {
        self.over(Ok(WriteOutcome { snapshot, values, confirmation, conflicts: Vec::new(), adjusted: Vec::new() }))
    }

    /// Ends with a transaction whose failure does not change the caller's result.
    fn end(&mut self, commit: Commit<M::Fault>, failure: Failure<M::Fault>) -> Action<Output<M>, M::Fault> {
        self.state = State::Ending(failure);
        Action::Commit(Box::new(commit))
    }

    fn fail(&mut self, failure: Failure<M::Fault>) -> Action<Output<M>, M::Fault> {
        self.over(Err(failure))
    }

    fn over(&mut self, output: Output<M>) -> Action<Output<M>, M::Fault> {
        self.state = State::Over;
        Action::Done(output)
    }
}

impl<M: Mapping> Machine for Update<M> {
    const NAME: &'static str = "update";
    type Output = Output<M>;
    type Fault = M::Fault;

    fn step(&mut self, event: Event<M::Fault>) -> Action<Self::Output, M::Fault> {
        match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Begun, Event::Start) => self.begin(),
            (State::LocalLocking, Event::Locked) => {
                self.state = State::LocalLoading;
                Action::Load
            }
            (State::LocalLoading, Event::Loaded(loaded)) => self.loaded_locally(*loaded),
            (State::StoringLocal(snapshot, values, confirmation), Event::Committed(committed)) => match committed {
                Committed::Done(version) => self.unchanged(Snapshot { version, ..snapshot }, values, confirmation),
                Committed::Lost if self.local_rounds + 1 < ROUNDS_MAX => {
                    self.local_rounds += 1;
                    self.state = State::LocalLoading;
                    Action::Load
                }
                Committed::Lost => self.fail(Failure::Busy { operation: None, retry_after_ms: 100 }),
                Committed::Refused(reason) => self.fail(Failure::ForbiddenByStore(reason)),
                Committed::Unavailable(reason) => self.fail(Failure::store(reason)),
            },
            (State::Approaching, event) => {
                self.state = State::Approaching;
                let step = self.approach.step(event);
                self.approached(step)
            }
            (State::Opening(plan), Event::Committed(committed)) => self.opened(plan, committed),
            (State::Sending(plan, mut sending), event) => {
                let sent = sending.step(event);
                self.sent(plan, sending, sent)
            }
            (State::ReadingBack(plan), Event::Fetched(fetched)) => self.read_back(&plan, fetched),
            (State::ConfirmingGone(plan, refusal), Event::Fetched(fetched)) => {
                self.confirmed_gone(&plan, refusal, &fetched)
            }
            (State::Storing(written, row, history), Event::Committed(committed)) => {
                self.stored(written, row, history, committed)
            }
            (State::Withdrawing(reason), Event::Committed(_)) => {
                let failure = store_failed(self.operation, reason);
                self.fail(failure)
            }
            (State::Ending(failure), Event::Committed(committed)) => {
                let failure = ended(self.operation, failure, self.proof, committed);
                self.fail(failure)
            }
            (State::EndingApplied(failure), Event::Committed(committed)) => match committed {
                Committed::Done(_) => self.fail(failure),
                committed => self.fail(not_stored(self.operation, self.proof, committed)),
            },
            (state, event) => {
                unreachable!("unexpected event {event:?} for an update in state {state:?}: a bug in the driver")
            }
        }
    }
}
