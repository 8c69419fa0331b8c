//! Reading one record in sync: comparing the hub's row with CDMS's record.

use crate::planted::{Planted, planted};
use crate::sight::{Finding, Sight, ToStore, sight};
use crate::{
    Action, Commit, Committed, Event, Failure, Fetched, Guard, Loaded, Machine, Mapping, NewRow, OperationId,
    ROUNDS_MAX, Record, Snapshot, Stored, Values,
};

/// The result of a read.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// The record as both sides have it.
    Current {
        /// The row as the hub has it now.
        snapshot: Snapshot,
        /// The model's values of it.
        values: Values,
        /// What the read found and did.
        finding: Finding,
        /// The row that was replaced, if any.
        replaced: Option<Box<Snapshot>>,
    },
    /// A write is under way; this is the row before it.
    Pending {
        /// The row.
        snapshot: Snapshot,
        /// The write.
        operation: OperationId,
    },
}

/// The machine of a read.
#[derive(Clone, Debug)]
pub struct Read<M: Mapping> {
    mapping: M,
    clock_skew_ms: i64,
    rounds: u8,
    locked: bool,
    /// For a planted fault: what was read before the row changed.
    read: Option<Record>,
    state: State<M::Fault>,
}

#[derive(Clone, Debug)]
enum State<F> {
    Begun,
    Locking,
    Loading,
    Fetching(Box<Loaded>),
    Storing(Box<Storing>, Guard),
    Recording(Failure<F>, Guard),
    Over,
}

/// The result of a read once its row is stored.
#[derive(Clone, Debug)]
struct Storing {
    finding: Finding,
    row: NewRow,
    values: Values,
    replaced: Option<Box<Snapshot>>,
}

impl<M: Mapping> Read<M> {
    /// A read that tolerates CDMS's time going back by up to `clock_skew_ms` milliseconds.
    pub fn new(mapping: M, clock_skew_ms: i64) -> Self {
        Read { mapping, clock_skew_ms, rounds: 0, locked: false, read: None, state: State::Begun }
    }

    fn fetched(&mut self, loaded: Loaded, fetched: Fetched<M::Fault>) -> Action<Output<M>, M::Fault> {
        let found = sight(&self.mapping, &loaded, fetched, self.clock_skew_ms);
        let row = loaded.stored.into_row();
        match found {
            Sight::InSync(values) => {
                let snapshot = row.expect("only a row is in sync");
                self.over(Ok(Sighting::Current { snapshot, values, finding: Finding::InSync, replaced: None }))
            }
            Sight::Store(to_store) => {
                let replaced = row.map(Box::new);
                let ToStore { finding, commit, row, values } = *to_store;
                let storing = Box::new(Storing { finding, row, values, replaced });
                self.state = State::Storing(storing, commit.guard);
                Action::Commit(commit)
            }
            Sight::Record(commit, failure) => {
                self.state = State::Recording(failure, commit.guard);
                Action::Commit(commit)
            }
            Sight::HubNewer { hub, cdms } if self.locked => self.over(Err(Failure::LocalNewer { hub, cdms })),
            // Another program's newer answer may have been stored before ours: look once more, holding the lock.
            Sight::HubNewer { .. } => {
                self.locked = true;
                self.state = State::Locking;
                Action::Lock
            }
            Sight::Fails(failure) => self.over(Err(failure)),
        }
    }

    fn again(&mut self) -> Action<Output<M>, M::Fault> {
        self.rounds += 1;
        if self.rounds >= ROUNDS_MAX {
            return self.over(Err(Failure::Busy { operation: None, retry_after_ms: 100 }));
        }
        self.state = State::Loading;
        Action::Load
    }

    fn over(&mut self, output: Output<M>) -> Action<Output<M>, M::Fault> {
        self.state = State::Over;
        Action::Done(output)
    }
}

type Output<M> = Result<Sighting, Failure<<M as Mapping>::Fault>>;

impl<M: Mapping> Machine for Read<M> {
    const NAME: &'static str = "read";
    type Output = Output<M>;
    type Fault = M::Fault;

    fn step(&mut self, event: Event<M::Fault>) -> Action<Self::Output, M::Fault> {
        match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Begun, Event::Start) | (State::Locking, Event::Locked) => {
                self.state = State::Loading;
                Action::Load
            }
            (State::Loading, Event::Loaded(loaded)) => match (&loaded.intent, &loaded.stored) {
                (Some(open), Stored::Row(snapshot)) => {
                    let operation = open.intent.operation;
                    self.over(Ok(Sighting::Pending { snapshot: snapshot.clone(), operation }))
                }
                (Some(open), Stored::Absent | Stored::Tombstone(..)) => self.over(Err(Failure::Unsettled {
                    operation: open.intent.operation,
                    in_cdms: false,
                    reason: format!("the record's {} is not settled yet", open.intent.write).into(),
                })),
                (None, _) => match self.read.take() {
                    Some(read) => {
                        self.clock_skew_ms = i64::MAX;
                        self.fetched(*loaded, Fetched::Record(read))
                    }
                    None => {
                        self.state = State::Fetching(loaded);
                        Action::Fetch
                    }
                },
            },
            (State::Fetching(loaded), Event::Fetched(fetched)) => {
                if let (true, Fetched::Record(record)) = (planted(Planted::RevalidationOverNewer), &fetched) {
                    self.read = Some(record.clone());
                }
                self.fetched(*loaded, fetched)
            }
            (State::Storing(storing, guard), Event::Committed(committed)) => match committed {
                Committed::Done(version) => {
                    let Storing { finding, row, values, replaced } = *storing;
                    let snapshot = row.at(version, self.mapping.tag());
                    self.over(Ok(Sighting::Current { snapshot, values, finding, replaced }))
                }
                Committed::Lost => self.again(),
                // The database forbids the row: the record waits in quarantine, and the row is unchanged.
                Committed::Refused(reason) => {
                    let fault = self.mapping.forbidden(&reason);
                    self.state = State::Recording(Failure::NotStorable(reason), guard);
                    Action::Commit(Box::new(Commit::quarantining(guard, fault)))
                }
                Committed::Unavailable(reason) => self.over(Err(Failure::store(reason))),
            },
            (State::Recording(failure, guard), Event::Committed(committed)) => match committed {
                Committed::Done(_) => self.over(Err(failure)),
                Committed::Lost => self.again(),
                // The database forbids removing the row: the record waits in quarantine, and the row stays.
                Committed::Refused(reason) if failure.buries() => {
                    let fault = self.mapping.forbidden(&reason);
                    self.state = State::Recording(Failure::NotStorable(reason), guard);
                    Action::Commit(Box::new(Commit::quarantining(guard, fault)))
                }
                Committed::Refused(reason) | Committed::Unavailable(reason) => self.over(Err(Failure::store(reason))),
            },
            (state, event) => {
                unreachable!("unexpected event {event:?} for a read in state {state:?}: a bug in the driver")
            }
        }
    }
}
