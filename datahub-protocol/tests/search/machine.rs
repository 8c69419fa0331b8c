//! The shipped machines behind one face.

use cdms_odata::{Attributes, Value};
use datahub_protocol::{
    Action, Commit, Create, Delete, Event, Failure, Machine as _, OnConflict, OperationId, Read, Settle, Settled,
    Sighting, Update, Verdict, WriteKind, Written,
};
use uuid::Uuid;

use crate::mapping::{FIELDS, Two};
use crate::world::{BEGIN, OUR_USER, snapshot};

#[derive(Clone, Debug)]
pub(crate) enum Machine {
    Update(OperationId, &'static str, Box<Update<Two>>),
    Create(OperationId, Box<Create<Two>>),
    Delete(OperationId, Box<Delete<Two>>),
    Read(Box<Read<Two>>),
    Settle(Box<Settle<Two>>),
}

/// What a machine asks for.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Done(Outcome),
    Lock,
    Load,
    Fetch,
    Commit(Box<Commit<String>>),
    Send {
        write: WriteKind,
        body: Attributes,
    },
    /// A login or a pause, which the world has no part in.
    Wait,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Wrote(Written),
    Saw(Sighting),
    Settled(Option<Verdict>),
    Failed(Failure<String>),
}

pub(crate) const RECORD: Uuid = Uuid::from_u128(7);

fn operation(number: u128) -> OperationId {
    OperationId(Uuid::from_u128(number))
}

impl Machine {
    /// An update of one field of the record as it was in the beginning.
    pub(crate) fn update(number: u128, field: &'static str, value: i32) -> Self {
        let base = snapshot(BEGIN, 1).seen;
        let mine =
            FIELDS.map(
                |name| if name == field { Value::Integer(value) } else { base.get(name).cloned().unwrap_or_default() },
            );
        let machine = Update::new(Two, base, mine.into(), false, OnConflict::LastWriterWins, operation(number), 0);
        Machine::Update(operation(number), field, Box::new(machine))
    }

    pub(crate) fn create(number: u128, value: i32) -> Self {
        let mine = vec![Value::Integer(value), Value::Integer(1)];
        Machine::Create(operation(number), Box::new(Create::new(Two, RECORD, mine, operation(number))))
    }

    pub(crate) fn delete(number: u128) -> Self {
        let last = snapshot(BEGIN, 1);
        let policy = OnConflict::LastWriterWins;
        let machine = Delete::new(Two, last.seen.clone(), Some(last), policy, operation(number), 0);
        Machine::Delete(operation(number), Box::new(machine))
    }

    pub(crate) fn read() -> Self {
        Machine::Read(Box::new(Read::new(Two, 0)))
    }

    pub(crate) fn settle(operation: OperationId) -> Self {
        Machine::Settle(Box::new(Settle::new(Two, operation, Some(OUR_USER), 0)))
    }

    /// Whether it is meant to change the field `a`, or to make or remove the record.
    pub(crate) fn touches_a(&self) -> bool {
        match self {
            Machine::Update(_, field, _) => *field == "a",
            Machine::Create(..) | Machine::Delete(..) => true,
            Machine::Read(_) | Machine::Settle(_) => false,
        }
    }

    pub(crate) fn operation(&self) -> Option<OperationId> {
        match self {
            Machine::Update(operation, ..) | Machine::Create(operation, _) | Machine::Delete(operation, _) => {
                Some(*operation)
            }
            Machine::Read(_) | Machine::Settle(_) => None,
        }
    }

    pub(crate) fn step(&mut self, event: Event<String>) -> Act {
        match self {
            Machine::Update(_, _, machine) => act(machine.step(event), Outcome::Wrote),
            Machine::Create(_, machine) => act(machine.step(event), Outcome::Wrote),
            Machine::Delete(_, machine) => act(machine.step(event), Outcome::Wrote),
            Machine::Read(machine) => act(machine.step(event), Outcome::Saw),
            Machine::Settle(machine) => act(machine.step(event), |settled| match settled {
                Settled::Now(verdict) => Outcome::Settled(Some(verdict)),
                _ => Outcome::Settled(None),
            }),
        }
    }
}

fn act<O>(action: Action<Result<O, Failure<String>>, String>, outcome: impl FnOnce(O) -> Outcome) -> Act {
    match action {
        Action::Done(Ok(output)) => Act::Done(outcome(output)),
        Action::Done(Err(failure)) => Act::Done(Outcome::Failed(failure)),
        Action::Lock => Act::Lock,
        Action::Load => Act::Load,
        Action::Fetch => Act::Fetch,
        Action::Commit(commit) => Act::Commit(commit),
        Action::Send { write, body, .. } => Act::Send { write, body },
        Action::Login | Action::Pause { .. } => Act::Wait,
    }
}
