//! Deleting one record.

use cdms_odata::Attributes;
use cdms_odata::dialect::Refusal;

use crate::approach::{Approach, Approached, Step};
use crate::planted::{Planted, planted};
use crate::send::{
    Proof, Sending, Sent, ended, not_stored, rejected, releasing, store_failed, why_not_stored, withdrawing,
};
use crate::write_outcome::{Confirmation, deletion, found_deleted};
use crate::{
    Action, Commit, Committed, Event, Failure, Fetched, Guard, Intent, IntentChange, Machine, Mapping, OnConflict,
    OperationId, Origin, Rejection, SettledPatch, Snapshot, Trial, WriteKind, WriteOutcome,
};

/// The machine of a delete.
#[derive(Clone, Debug)]
pub struct Delete<M: Mapping> {
    approach: Approach<M>,
    base: Attributes,
    last: Option<Snapshot>,
    on_conflict: OnConflict,
    operation: OperationId,
    proof: Proof,
    state: State<M::Fault>,
}

#[derive(Clone, Debug)]
enum State<F> {
    Approaching,
    Opening(Box<Plan>),
    Sending(Box<Plan>, Box<Sending>),
    ConfirmingGone(Box<Plan>, Refusal),
    /// With whether this delete removed the record.
    Storing(Snapshot, bool),
    /// The intent may have been stored although the database became unavailable, for this reason.
    Withdrawing(String),
    Ending(Failure<F>),
    Over,
}

/// What is known of the record when the intent is stored.
#[derive(Clone, Debug)]
struct Plan {
    snapshot: Snapshot,
    /// Writes that were found not applied; no more can be added while the intent is open.
    late: Vec<SettledPatch>,
    intent: Intent,
}

type Output<M> = Result<WriteOutcome, Failure<<M as Mapping>::Fault>>;

impl<M: Mapping> Delete<M> {
    /// A delete of a record that a caller loaded as `base`, of which `last` is known.
    pub fn new(
        mapping: M,
        base: Attributes,
        last: Option<Snapshot>,
        on_conflict: OnConflict,
        operation: OperationId,
        clock_skew_ms: i64,
    ) -> Self {
        let approach = Approach::new(mapping, clock_skew_ms);
        Delete { approach, base, last, on_conflict, operation, proof: Proof::Answer, state: State::Approaching }
    }

    fn approached(&mut self, step: Step<Output<M>, M::Fault>) -> Action<Output<M>, M::Fault> {
        match step {
            Step::Act(action) => {
                self.state = State::Approaching;
                action
            }
            Step::Ready(approached) => self.ready(approached),
            // A gone record counts as deleted; the approach has stored the tombstone.
            Step::Fails(Failure::Gone) => match self.last.take() {
                Some(snapshot) => self.done(snapshot),
                None => self.fail(Failure::Gone),
            },
            Step::Fails(failure) => self.fail(failure),
        }
    }

    fn ready(&mut self, approached: Approached) -> Action<Output<M>, M::Fault> {
        let Approached { snapshot, late, local_conflicts, .. } = approached;
        if let Some(failure) = self.on_conflict.rejects(local_conflicts) {
            return self.fail(failure);
        }
        if self.on_conflict == OnConflict::Reject {
            let changed = self.base.iter().any(|(name, value)| snapshot.seen.get(name) != Some(value));
            if changed {
                return self.fail(Failure::Conflict { fields: Vec::new() });
            }
        }
        let intent = Intent {
            operation: self.operation,
            write: WriteKind::Delete,
            patch: Attributes::new(),
            constants: Attributes::new(),
            pre_image: snapshot.seen.clone(),
            modified_before: Some(snapshot.facts.modified),
            conflicts: Attributes::new(),
        };
        let mut commit = Commit::under(Guard::at(snapshot.version, &late));
        commit.trial = Some(Trial::Remove);
        commit.intent = IntentChange::Open(Box::new(intent.clone()));
        self.state = State::Opening(Box::new(Plan { snapshot, late, intent }));
        Action::Commit(Box::new(commit))
    }

    fn sent(
        &mut self,
        plan: Box<Plan>,
        sending: Box<Sending>,
        sent: Sent<Output<M>, M::Fault>,
    ) -> Action<Output<M>, M::Fault> {
        self.proof = sending.proof(&sent);
        match sent {
            Sent::Act(action) => {
                self.state = State::Sending(plan, sending);
                action
            }
            Sent::Applied(_) | Sent::Shown(_) => self.store(plan.snapshot),
            Sent::Gone(_) if planted(Planted::UnconfirmedGone) => self.store_found(*plan),
            // CDMS also returns this code if a plug-in fails to find another record, so only a GET of the record itself
            // proves it.
            Sent::Gone(refusal) => {
                self.state = State::ConfirmingGone(plan, refusal);
                Action::Fetch
            }
            Sent::Rejected(rejection) => self.rejected(rejection),
            Sent::Unknown { reason, has_ended } => {
                let operation = self.operation;
                self.state = State::Ending(Failure::Unsettled { operation, in_cdms: false, reason });
                Action::Commit(Box::new(releasing(operation, has_ended)))
            }
        }
    }

    fn confirmed_gone(
        &mut self,
        plan: Plan,
        refusal: Refusal,
        fetched: &Fetched<M::Fault>,
    ) -> Action<Output<M>, M::Fault> {
        match fetched {
            Fetched::Gone => self.store_found(plan),
            _ => self.rejected(Rejection::Cdms(refusal)),
        }
    }

    fn rejected(&mut self, rejection: Rejection) -> Action<Output<M>, M::Fault> {
        let commit = rejected(self.operation, &rejection);
        self.state = State::Ending(Failure::Rejected(rejection));
        Action::Commit(Box::new(commit))
    }

    fn store(&mut self, snapshot: Snapshot) -> Action<Output<M>, M::Fault> {
        let commit = deletion(&snapshot, self.operation, Origin::Hub);
        self.state = State::Storing(snapshot, true);
        Action::Commit(Box::new(commit))
    }

    /// The record is gone, but this delete did not remove it.
    fn store_found(&mut self, Plan { snapshot, late, .. }: Plan) -> Action<Output<M>, M::Fault> {
        let commit = found_deleted(&snapshot, &late, self.operation);
        self.state = State::Storing(snapshot, false);
        Action::Commit(Box::new(commit))
    }

    fn done(&mut self, snapshot: Snapshot) -> Action<Output<M>, M::Fault> {
        self.state = State::Over;
        let confirmation = Confirmation::ReadBack;
        Action::Done(Ok(WriteOutcome {
            snapshot,
            values: None,
            confirmation,
            conflicts: Vec::new(),
            adjusted: Vec::new(),
        }))
    }

    fn fail(&mut self, failure: Failure<M::Fault>) -> Action<Output<M>, M::Fault> {
        self.state = State::Over;
        Action::Done(Err(failure))
    }
}

impl<M: Mapping> Machine for Delete<M> {
    const NAME: &'static str = "delete";
    type Output = Output<M>;
    type Fault = M::Fault;

    fn step(&mut self, event: Event<M::Fault>) -> Action<Self::Output, M::Fault> {
        match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Approaching, event) => {
                let step = self.approach.step(event);
                self.approached(step)
            }
            (State::Opening(plan), Event::Committed(committed)) => match committed {
                Committed::Done(_) => {
                    let mut sending = Box::new(Sending::new(plan.intent.clone()));
                    let action = sending.send();
                    self.state = State::Sending(plan, sending);
                    action
                }
                Committed::Lost => {
                    let step = self.approach.again();
                    self.approached(step)
                }
                Committed::Refused(reason) => self.fail(Failure::ForbiddenByStore(reason)),
                Committed::Unavailable(reason) => {
                    self.state = State::Withdrawing(reason);
                    Action::Commit(Box::new(withdrawing(self.operation)))
                }
            },
            (State::Sending(plan, mut sending), event) => {
                let sent = sending.step(event);
                self.sent(plan, sending, sent)
            }
            (State::ConfirmingGone(plan, refusal), Event::Fetched(fetched)) => {
                self.confirmed_gone(*plan, refusal, &fetched)
            }
            (State::Storing(snapshot, ours), Event::Committed(committed)) => match committed {
                Committed::Done(version) => self.done(Snapshot { version, ..snapshot }),
                committed if ours => self.fail(not_stored(self.operation, self.proof, committed)),
                committed => {
                    let (operation, why) = (self.operation, why_not_stored(committed));
                    let reason = format!("the record is gone from CDMS, but that is not stored: {why}");
                    self.fail(Failure::Unsettled { operation, in_cdms: false, reason: reason.into() })
                }
            },
            (State::Withdrawing(reason), Event::Committed(_)) => self.fail(store_failed(self.operation, reason)),
            (State::Ending(failure), Event::Committed(committed)) => {
                let failure = ended(self.operation, failure, self.proof, committed);
                self.fail(failure)
            }
            (state, event) => {
                unreachable!("unexpected event {event:?} for a delete in state {state:?}: a bug in the driver")
            }
        }
    }
}
