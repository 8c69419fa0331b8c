//! The shipped machines behind one interface.

use cdms_odata::{Attributes, Value};
use datahub_protocol::{
    Action, Base, Commit, Confirmation, Create, Delete, Event, Failure, Machine as _, Mapping as _, OnConflict,
    OperationId, Read, Settle, Sighting, Snapshot, Update, WriteKind, WriteOutcome,
};
use uuid::Uuid;

use crate::mapping::{FIELDS, Two};
use crate::world::{BEGIN, OUR_USER, snapshot};

#[derive(Clone, Debug)]
pub(crate) enum Machine {
    Update(Box<Update<Two>>),
    Create(Box<Create<Two>>),
    Delete(Box<Delete<Two>>),
    Read(Box<Read<Two>>),
    Settle(Box<Settle<Two>>),
}

/// What a machine requests.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Over(End),
    Lock,
    Load,
    Fetch,
    Commit(Box<Commit<String>>),
    Send { write: WriteKind, body: Attributes },
    Login,
    Pause,
}

/// How an operation ended, as far as the future depends on it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Crashed,
    /// A write, a read or a settlement that succeeded, with the hub's state that it reports.
    Ok(Option<Box<Snapshot>>),
    /// A write that had nothing to do.
    Nothing,
    Unsettled {
        in_cdms: bool,
    },
    Failed(&'static str),
}

/// What a caller wants to write.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) operation: OperationId,
    pub(crate) write: WriteKind,
    /// The attributes that may be sent, with their values.
    pub(crate) attributes: Attributes,
    policy: OnConflict,
}

pub(crate) const RECORD: Uuid = Uuid::from_u128(7);

impl Wish {
    /// An update of fields of the record as it was at the beginning.
    pub(crate) fn update(number: u128, fields: &[(&'static str, i32)]) -> Self {
        let attributes = fields.iter().map(|(name, value)| (*name, Value::Integer(*value))).collect();
        let policy = OnConflict::LastWriterWins;
        Wish { operation: OperationId(Uuid::from_u128(number)), write: WriteKind::Update, attributes, policy }
    }

    pub(crate) fn create(number: u128, a: i32) -> Self {
        Wish { write: WriteKind::Create, ..Wish::update(number, &[("a", a), ("b", 1)]) }
    }

    pub(crate) fn delete(number: u128) -> Self {
        Wish { write: WriteKind::Delete, ..Wish::update(number, &[]) }
    }

    /// The same, but without overwriting values that the caller has not seen.
    pub(crate) fn or_conflict(self) -> Self {
        Wish { policy: OnConflict::Reject, ..self }
    }

    pub(crate) fn machine(&self) -> Machine {
        let last = snapshot(BEGIN, 1);
        match self.write {
            WriteKind::Update => {
                let mine =
                    FIELDS.map(|name| self.attributes.get(name).or(last.seen.get(name)).cloned().unwrap_or_default());
                let values = Two.decode(&last.facts, &last.seen).expect("any value fits");
                let base = Base { seen: last.seen, values };
                let machine = Update::new(Two, base, mine.into(), false, self.policy, self.operation, 0);
                Machine::Update(Box::new(machine))
            }
            WriteKind::Create => {
                let mine = FIELDS.map(|name| self.attributes.get(name).cloned().unwrap_or_default());
                Machine::Create(Box::new(Create::new(Two, RECORD, mine.into(), self.operation)))
            }
            WriteKind::Delete => {
                let machine = Delete::new(Two, last.seen.clone(), Some(last), self.policy, self.operation, 0);
                Machine::Delete(Box::new(machine))
            }
            other => unreachable!("{other} was asked for"),
        }
    }
}

impl Machine {
    pub(crate) fn read() -> Self {
        Machine::Read(Box::new(Read::new(Two, 0)))
    }

    pub(crate) fn settle(operation: OperationId) -> Self {
        Machine::Settle(Box::new(Settle::new(Two, operation, Some(OUR_USER), 0)))
    }

    pub(crate) fn step(&mut self, event: Event<String>) -> Act {
        match self {
            Machine::Update(machine) => act(machine.step(event), wrote),
            Machine::Create(machine) => act(machine.step(event), wrote),
            Machine::Delete(machine) => act(machine.step(event), |written| match wrote(written) {
                // A delete yields the record as it was.
                End::Ok(_) => End::Ok(None),
                end => end,
            }),
            Machine::Read(machine) => act(machine.step(event), |sighting| match sighting {
                Sighting::Current { snapshot, .. } => End::Ok(Some(Box::new(snapshot))),
                Sighting::Pending { .. } => End::Nothing,
            }),
            Machine::Settle(machine) => act(machine.step(event), |_| End::Nothing),
        }
    }
}

fn wrote(written: WriteOutcome) -> End {
    match written.confirmation {
        Confirmation::ReadBack | Confirmation::NotReadBack => End::Ok(Some(Box::new(written.snapshot))),
        Confirmation::Nothing(_) | Confirmation::Compared(_) => End::Nothing,
    }
}

fn act<O>(action: Action<Result<O, Failure<String>>, String>, end: impl FnOnce(O) -> End) -> Act {
    match action {
        Action::Done(Ok(output)) => Act::Over(end(output)),
        Action::Done(Err(Failure::Unsettled { in_cdms, .. })) => Act::Over(End::Unsettled { in_cdms }),
        Action::Done(Err(failure)) => Act::Over(End::Failed(failure.name())),
        Action::Lock => Act::Lock,
        Action::Load => Act::Load,
        Action::Fetch => Act::Fetch,
        Action::Commit(commit) => Act::Commit(commit),
        Action::Send { write, body, .. } => Act::Send { write, body },
        Action::Login => Act::Login,
        Action::Pause { .. } => Act::Pause,
    }
}
