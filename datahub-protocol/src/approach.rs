//! The first half of an update or a delete: locking the record and applying the read table.

use crate::sight::{Finding, Sight, ToStore, sight};
use crate::{
    Action, Commit, Committed, Event, Failure, Fetched, Guard, LeaseState, Loaded, Mapping, ROUNDS_MAX, SettledPatch,
    Snapshot, Values, Version,
};

/// Locks, loads, GETs and refreshes until the row is as CDMS has it.
#[derive(Clone, Debug)]
pub(crate) struct Approach<M: Mapping> {
    pub(crate) mapping: M,
    clock_skew_ms: i64,
    rounds: u8,
    rechecked: bool,
    state: State<M::Fault>,
}

#[derive(Clone, Debug)]
enum State<F> {
    Begun,
    Locking,
    Loading,
    Fetching(Box<Loaded>),
    Storing(Box<Approached>, Guard),
    Recording(Failure<F>, Guard),
    Over,
}

/// A record that is in sync.
#[derive(Clone, Debug)]
pub(crate) struct Approached {
    pub(crate) finding: Finding,
    pub(crate) snapshot: Snapshot,
    /// The model's values of the record.
    pub(crate) values: Values,
    /// The writes that were found not applied and have not shown up.
    pub(crate) late: Vec<SettledPatch>,
    /// The local fields that someone else changed after the caller loaded them.
    pub(crate) local_conflicts: Vec<usize>,
}

/// The result of a step of an approach.
#[derive(Clone, Debug)]
pub(crate) enum Step<O, F> {
    /// It requests an action.
    Act(Action<O, F>),
    /// The row is as CDMS has it.
    Ready(Approached),
    /// It cannot go on.
    Fails(Failure<F>),
}

impl<M: Mapping> Approach<M> {
    pub(crate) fn new(mapping: M, clock_skew_ms: i64) -> Self {
        Approach { mapping, clock_skew_ms, rounds: 0, rechecked: false, state: State::Begun }
    }

    /// Starts over, because another operation stored first.
    pub(crate) fn again<O>(&mut self) -> Step<O, M::Fault> {
        self.rounds += 1;
        if self.rounds >= ROUNDS_MAX {
            return Step::Fails(Failure::Busy { operation: None, retry_after_ms: 100 });
        }
        self.load()
    }

    fn load<O>(&mut self) -> Step<O, M::Fault> {
        self.state = State::Loading;
        Step::Act(Action::Load)
    }

    pub(crate) fn step<O>(&mut self, event: Event<M::Fault>) -> Step<O, M::Fault> {
        match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Begun, Event::Start) => {
                self.state = State::Locking;
                Step::Act(Action::Lock)
            }
            (State::Locking, Event::Locked) => self.load(),
            (State::Loading, Event::Loaded(loaded)) => {
                if let Some(failure) = busy(&loaded) {
                    return Step::Fails(failure);
                }
                self.state = State::Fetching(loaded);
                Step::Act(Action::Fetch)
            }
            (State::Fetching(loaded), Event::Fetched(fetched)) => self.fetched(*loaded, fetched),
            (State::Storing(mut approached, guard), Event::Committed(committed)) => match committed {
                Committed::Done(version) => {
                    approached.snapshot.version = version;
                    Step::Ready(*approached)
                }
                Committed::Lost => self.again(),
                Committed::Refused(reason) => {
                    let fault = self.mapping.forbidden(&reason);
                    self.state = State::Recording(Failure::NotStorable(reason), guard);
                    Step::Act(Action::Commit(Box::new(Commit::quarantining(guard, fault))))
                }
                Committed::Unavailable(reason) => Step::Fails(Failure::store(reason)),
            },
            (State::Recording(failure, guard), Event::Committed(committed)) => match committed {
                Committed::Done(_) => Step::Fails(failure),
                Committed::Lost => self.again(),
                // The database forbids removing the row: the record waits in quarantine, and the row stays.
                Committed::Refused(reason) if failure.buries() => {
                    let fault = self.mapping.forbidden(&reason);
                    self.state = State::Recording(Failure::NotStorable(reason), guard);
                    Step::Act(Action::Commit(Box::new(Commit::quarantining(guard, fault))))
                }
                Committed::Refused(reason) | Committed::Unavailable(reason) => Step::Fails(Failure::store(reason)),
            },
            (state, event) => {
                unreachable!("unexpected event {event:?} for a write in state {state:?}: a bug in the driver")
            }
        }
    }

    fn fetched<O>(&mut self, loaded: Loaded, fetched: Fetched<M::Fault>) -> Step<O, M::Fault> {
        let found = sight(&self.mapping, &loaded, fetched, self.clock_skew_ms);
        let Loaded { stored, mut late, local_conflicts, .. } = loaded;
        match found {
            Sight::InSync(values) => {
                let snapshot = stored.into_row().expect("only a row is in sync");
                Step::Ready(Approached { finding: Finding::InSync, snapshot, values, late, local_conflicts })
            }
            Sight::Store(to_store) => {
                let ToStore { finding, commit, row, values } = *to_store;
                late.retain(|late| !commit.history.iter().any(|entry| entry.operation == Some(late.operation)));
                let snapshot = row.at(Version(0), self.mapping.tag());
                let approached = Approached { finding, snapshot, values, late, local_conflicts };
                self.state = State::Storing(Box::new(approached), commit.guard);
                Step::Act(Action::Commit(commit))
            }
            Sight::Record(commit, failure) => {
                self.state = State::Recording(failure, commit.guard);
                Step::Act(Action::Commit(commit))
            }
            Sight::HubNewer { hub, cdms } if self.rechecked => Step::Fails(Failure::LocalNewer { hub, cdms }),
            // Another program's newer answer may have been stored before ours: look once more.
            Sight::HubNewer { .. } => {
                self.rechecked = true;
                self.load()
            }
            Sight::Fails(failure) => Step::Fails(failure),
        }
    }
}

/// The failure of a write that finds another write's intent open.
pub(crate) fn busy<F>(loaded: &Loaded) -> Option<Failure<F>> {
    let open = loaded.intent.as_ref()?;
    let retry_after_ms = match open.lease {
        LeaseState::Active { left_ms } | LeaseState::Quiet { left_ms } => left_ms.max(1),
        LeaseState::Over => 1,
    };
    Some(Failure::Busy { operation: Some(open.intent.operation), retry_after_ms })
}
