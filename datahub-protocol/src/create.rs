//! Creating one record under an id that the hub chose.

use std::sync::Arc;

use cdms_odata::dialect::Meaning;
use cdms_odata::{Attributes, Facts, Value};
use uuid::Uuid;

use crate::approach::busy;
use crate::planted::{Planted, planted};
use crate::send::{
    Proof, Sending, Sent, closing, ended, not_stored, quarantining_applied, rejected, releasing, store_failed,
    withdrawing,
};
use crate::sight::{ending, merged_row};
use crate::write_outcome::{Cause, Confirmation, SentValues, adjusted, created_entry, not_kept_entry};
use crate::{
    Action, Commit, Committed, Entry, EntryKind, Event, Failure, Fetched, Guard, Intent, IntentChange, Loaded, Machine,
    Mapping, NewRow, OperationId, Origin, QuarantineChange, ROUNDS_MAX, Record, RecordChange, Rejection, Stored,
    TombstoneReason, Trial, UnansweredDelete, Verdict, WriteKind, WriteOutcome,
};

/// The machine of a create.
#[derive(Clone, Debug)]
pub struct Create<M: Mapping> {
    mapping: M,
    id: Uuid,
    mine: Vec<Value>,
    /// The attributes of an earlier time to put back; `None` to encode `mine`.
    then: Option<Attributes>,
    operation: OperationId,
    rounds: u8,
    proof: Proof,
    state: State<M::Fault>,
}

#[derive(Clone, Debug)]
enum State<F> {
    Begun,
    Locking(Attributes),
    Loading(Attributes),
    Opening(Box<(Intent, Loaded)>),
    Sending(Box<(Intent, Loaded)>, Box<Sending>),
    Storing(Box<(WriteOutcome, NewRow, Entry)>),
    /// The intent may have been stored although the database became unavailable, for this reason.
    Withdrawing(String),
    Ending(Failure<F>),
    EndingApplied(Failure<F>),
    Over,
}

type Output<M> = Result<WriteOutcome, Failure<<M as Mapping>::Fault>>;

impl<M: Mapping> Create<M> {
    /// A create with these values of a model under this id.
    pub fn new(mapping: M, id: Uuid, mine: Vec<Value>, operation: OperationId) -> Self {
        Create { mapping, id, mine, then: None, operation, rounds: 0, proof: Proof::Answer, state: State::Begun }
    }

    /// A create that puts a record back to the facts and attributes of an earlier time, in their raw form. This
    /// includes what the model's values do not show, such as a reference to another model or a value that a default
    /// stands for.
    ///
    /// # Errors
    ///
    /// If the attributes no longer convert.
    pub fn put_back(
        mapping: M,
        id: Uuid,
        facts: &Facts,
        then: Attributes,
        operation: OperationId,
    ) -> Result<Self, M::Fault> {
        let mine = mapping.decode(facts, &then)?.to_vec();
        Ok(Create {
            mapping,
            id,
            mine,
            then: Some(then),
            operation,
            rounds: 0,
            proof: Proof::Answer,
            state: State::Begun,
        })
    }

    fn cause(&self) -> Cause {
        let origin = if self.then.is_some() { Origin::Revert } else { Origin::Hub };
        Cause { operation: self.operation, origin }
    }

    /// The attributes to send, without the constants.
    fn patch(&self) -> Result<Attributes, M::Fault> {
        let Some(then) = &self.then else { return self.mapping.encode_new(&self.mine) };
        let names = self.mapping.creatable().into_iter().flat_map(|field| self.mapping.attributes_of(field));
        let known = names.filter_map(|name| Some((name.to_owned(), then.get(name)?.clone())));
        Ok(known.filter(|(_, value)| !value.is_null()).collect())
    }

    /// The patch, if together with the constants it can produce a record of the model.
    fn admitted(&self, patch: Attributes) -> Result<Attributes, M::Fault> {
        let mut sent = self.mapping.constants();
        sent.merge(&patch);
        self.mapping.admits(&sent)?;
        Ok(patch)
    }

    fn loaded(&mut self, patch: Attributes, loaded: Box<Loaded>) -> Action<Output<M>, M::Fault> {
        if let Some(failure) = busy(&loaded) {
            return self.fail(failure);
        }
        if matches!(loaded.stored, Stored::Row(_)) {
            return self.fail(Failure::AlreadyExists);
        }
        if let Some(UnansweredDelete { operation, left_ms }) = loaded.unanswered_delete {
            return self.fail(Failure::Busy { operation: Some(operation), retry_after_ms: left_ms.max(1) });
        }
        let intent = Intent {
            operation: self.operation,
            write: WriteKind::Create,
            patch,
            constants: self.mapping.constants(),
            pre_image: Attributes::new(),
            modified_before: None,
            conflicts: Attributes::new(),
        };
        let mut commit = Commit::under(Guard::of(&loaded));
        commit.trial = Some(Trial::Put(self.mine.clone()));
        commit.intent = IntentChange::Open(Box::new(intent.clone()));
        self.state = State::Opening(Box::new((intent, *loaded)));
        Action::Commit(Box::new(commit))
    }

    fn opened(&mut self, opened: Box<(Intent, Loaded)>, committed: Committed) -> Action<Output<M>, M::Fault> {
        match committed {
            Committed::Done(_) => {
                let mut sending = Box::new(Sending::new(opened.0.clone()));
                let action = sending.send();
                self.state = State::Sending(opened, sending);
                action
            }
            Committed::Lost if self.rounds + 1 < ROUNDS_MAX => {
                self.rounds += 1;
                self.state = State::Loading(opened.0.patch);
                Action::Load
            }
            Committed::Lost => self.fail(Failure::Busy { operation: None, retry_after_ms: 100 }),
            Committed::Refused(reason) => self.fail(Failure::ForbiddenByStore(reason)),
            Committed::Unavailable(reason) => {
                self.state = State::Withdrawing(reason);
                Action::Commit(Box::new(withdrawing(self.operation)))
            }
        }
    }

    fn sent(
        &mut self,
        opened: Box<(Intent, Loaded)>,
        sending: Box<Sending>,
        sent: Sent<Output<M>, M::Fault>,
    ) -> Action<Output<M>, M::Fault> {
        self.proof = sending.proof(&sent);
        let (Intent { patch, .. }, loaded) = &*opened;
        match sent {
            Sent::Act(action) => {
                self.state = State::Sending(opened, sending);
                action
            }
            Sent::Applied(Some((id, _))) if id != self.id => self.orphan(id, patch),
            Sent::Applied(Some((_, Ok(record)))) | Sent::Shown(Fetched::Record(record)) => {
                self.applied(loaded, patch, &record)
            }
            Sent::Applied(Some((_, Err(fault)))) | Sent::Shown(Fetched::Unreadable(fault)) => {
                let entry = created_entry(sent_values(patch, &self.mapping.constants()), self.cause(), None);
                self.end_applied(fault, entry, "CDMS's response cannot be read".to_owned())
            }
            Sent::Rejected(rejection) => {
                let commit = rejected(self.operation, &rejection);
                // After a look at the record, the code adds nothing to what the look showed.
                let duplicate = !sending.has_looked()
                    && matches!(&rejection, Rejection::Cdms(refusal) if refusal.meaning == Meaning::DuplicateKey);
                if duplicate && planted(Planted::DuplicateIsApplied) {
                    let entry = created_entry(sent_values(patch, &self.mapping.constants()), self.cause(), None);
                    let fault = self.mapping.forbidden("planted");
                    return self.end_applied(fault, entry, "planted".to_owned());
                }
                let failure = if duplicate { Failure::AlreadyExists } else { Failure::Rejected(rejection) };
                self.state = State::Ending(failure);
                Action::Commit(Box::new(commit))
            }
            Sent::Unknown { reason, has_ended } => {
                let operation = self.operation;
                self.state = State::Ending(Failure::Unsettled { operation, in_cdms: false, reason });
                Action::Commit(Box::new(releasing(operation, has_ended)))
            }
            Sent::Applied(None) | Sent::Gone(_) | Sent::Shown(_) => {
                unreachable!("the answer to a create carries a record, and a create cannot find its record gone")
            }
        }
    }

    fn applied(&mut self, loaded: &Loaded, patch: &Attributes, record: &Record) -> Action<Output<M>, M::Fault> {
        let row = merged_row(&loaded.stored, record);
        let entry = created_entry(sent_values(patch, &self.mapping.constants()), self.cause(), Some(record));
        let values = match self.mapping.decode(&row.facts, &row.seen) {
            Ok(values) => values,
            Err(fault) => {
                let reason = "CDMS returned a value that does not fit the model".to_owned();
                return self.end_applied(fault, entry, reason);
            }
        };
        let left = !self.mapping.includes(&record.attributes);
        let mut commit = closing(self.operation, Verdict::Applied);
        commit.record = if left {
            RecordChange::Tombstone { reason: TombstoneReason::LeftModel, last: row.clone() }
        } else {
            RecordChange::Put { row: row.clone(), values: Arc::clone(&values) }
        };
        commit.history = vec![entry.clone()];
        if left {
            commit.history.push(ending(EntryKind::LeftModel, &row.clone().at(crate::Version(0), self.mapping.tag())));
        }
        // The quarantined record belonged to an earlier record with this id.
        if loaded.quarantined {
            commit.quarantine = QuarantineChange::Clear;
        }
        commit.insist = true;
        let snapshot = row.clone().at(crate::Version(0), self.mapping.tag());
        let adjusted = adjusted(&self.mapping, &record.attributes, patch, &values);
        let confirmation = Confirmation::ReadBack;
        let written = WriteOutcome { snapshot, values: Some(values), confirmation, conflicts: Vec::new(), adjusted };
        self.state = State::Storing(Box::new((written, row, entry)));
        Action::Commit(Box::new(commit))
    }

    fn orphan(&mut self, id: Uuid, patch: &Attributes) -> Action<Output<M>, M::Fault> {
        let operation = self.operation;
        let mut commit = closing(operation, Verdict::Orphaned { id });
        let constants = self.mapping.constants();
        commit.history = vec![not_kept_entry(EntryKind::Orphaned, sent_values(patch, &constants), self.cause(), None)];
        commit.quarantine = QuarantineChange::PutOrphan { id, operation };
        commit.insist = true;
        self.state = State::Ending(Failure::Orphan { operation, id });
        Action::Commit(Box::new(commit))
    }

    fn end_applied(&mut self, fault: M::Fault, entry: Entry, reason: String) -> Action<Output<M>, M::Fault> {
        let commit = quarantining_applied(self.operation, fault, vec![entry]);
        self.state = State::EndingApplied(Failure::AppliedButNotStorable { operation: self.operation, reason });
        Action::Commit(Box::new(commit))
    }

    fn fail(&mut self, failure: Failure<M::Fault>) -> Action<Output<M>, M::Fault> {
        self.state = State::Over;
        Action::Done(Err(failure))
    }
}

fn sent_values<'v>(patch: &'v Attributes, constants: &'v Attributes) -> SentValues<'v> {
    SentValues { patch, constants }
}

impl<M: Mapping> Machine for Create<M> {
    const NAME: &'static str = "create";
    type Output = Output<M>;
    type Fault = M::Fault;

    fn step(&mut self, event: Event<M::Fault>) -> Action<Self::Output, M::Fault> {
        match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Begun, Event::Start) => match self.patch().and_then(|patch| self.admitted(patch)) {
                Ok(patch) => {
                    self.state = State::Locking(patch);
                    Action::Lock
                }
                Err(fault) => self.fail(Failure::Invalid(fault)),
            },
            (State::Locking(patch), Event::Locked) => {
                self.state = State::Loading(patch);
                Action::Load
            }
            (State::Loading(patch), Event::Loaded(loaded)) => self.loaded(patch, loaded),
            (State::Opening(opened), Event::Committed(committed)) => self.opened(opened, committed),
            (State::Sending(opened, mut sending), event) => {
                let sent = sending.step(event);
                self.sent(opened, sending, sent)
            }
            (State::Storing(storing), Event::Committed(committed)) => match committed {
                Committed::Done(version) => {
                    let (written, row, _) = *storing;
                    let snapshot = row.at(version, self.mapping.tag());
                    self.state = State::Over;
                    Action::Done(Ok(WriteOutcome { snapshot, ..written }))
                }
                Committed::Refused(reason) => {
                    let (_, _, entry) = *storing;
                    let fault = self.mapping.forbidden(&reason);
                    self.end_applied(fault, entry, reason)
                }
                committed => self.fail(not_stored(self.operation, self.proof, committed)),
            },
            (State::Withdrawing(reason), Event::Committed(_)) => self.fail(store_failed(self.operation, reason)),
            (State::Ending(failure), Event::Committed(committed)) => {
                let failure = ended(self.operation, failure, self.proof, committed);
                self.fail(failure)
            }
            (State::EndingApplied(failure), Event::Committed(committed)) => match committed {
                Committed::Done(_) => self.fail(failure),
                committed => self.fail(not_stored(self.operation, self.proof, committed)),
            },
            (state, event) => {
                unreachable!("unexpected event {event:?} for a create in state {state:?}: a bug in the driver")
            }
        }
    }
}
