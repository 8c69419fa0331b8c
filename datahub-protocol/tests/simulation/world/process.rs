//! One operation of a program: the shipped machine, its next action, and what the checks know about it.

use cdms_odata::Attributes;
use datahub_protocol::{
    Action, Commit, Create, Delete, Event, Failure, LeaseState, Machine as _, OperationId, Read, Settle, Settled,
    Sighting, Update, WriteKind, WriteOutcome,
};
use uuid::Uuid;

use crate::mapping::Model;

/// One operation of a program.
pub(crate) struct Process {
    pub(super) program: usize,
    pub(crate) model: Model,
    pub(crate) id: Uuid,
    pub(super) machine: Machine,
    pub(crate) operation: Option<OperationId>,
    pub(super) act: Act,
    /// The event on its way to it.
    pub(super) answer: Option<Event<String>>,
    pub(super) holds_lock: bool,
    /// Paused after its lease check, until then.
    pub(super) paused_until: Option<i64>,
    pub(crate) crashed: bool,
    /// The length of CDMS's log when it began.
    pub(crate) began: usize,
    /// The length of CDMS's log when it last read the record.
    pub(super) looked: usize,
    /// When that was.
    pub(super) looked_at: i64,
    /// The result of that read.
    pub(super) saw: Option<Attributes>,
    /// The lease of the open write that it found.
    pub(super) found: Option<LeaseState>,
    /// By how much CDMS's time may go back.
    pub(super) skew_ms: i64,
    /// Whether it has sent its write.
    pub(super) has_sent: bool,
    /// Whether it failed to close its intent.
    pub(super) close_failed: bool,
}

pub(super) enum Machine {
    Update(Box<Update<Model>>),
    Create(Box<Create<Model>>),
    Delete(Box<Delete<Model>>),
    Read(Box<Read<Model>>),
    Settle(Box<Settle<Model>>),
}

pub(super) enum Act {
    Done(Outcome),
    Lock,
    Load,
    Fetch,
    Commit(Box<Commit<String>>),
    Send { operation: OperationId, write: WriteKind, body: Attributes },
    Login,
    Pause,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Wrote(WriteOutcome),
    Saw(Sighting),
    Settled(Settled),
    Failed(Failure<String>),
}

impl Process {
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match &self.act {
            Act::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.crashed || self.outcome().is_some()
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self.machine {
            Machine::Update(_) => "update",
            Machine::Create(_) => "create",
            Machine::Delete(_) => "delete",
            Machine::Read(_) => "read",
            Machine::Settle(_) => "settle",
        }
    }

    pub(super) fn step(&mut self, event: Event<String>) {
        self.act = match &mut self.machine {
            Machine::Update(machine) => act(machine.step(event), Outcome::Wrote),
            Machine::Create(machine) => act(machine.step(event), Outcome::Wrote),
            Machine::Delete(machine) => act(machine.step(event), Outcome::Wrote),
            Machine::Read(machine) => act(machine.step(event), Outcome::Saw),
            Machine::Settle(machine) => act(machine.step(event), Outcome::Settled),
        };
        if self.outcome().is_some() {
            self.holds_lock = false;
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
        Action::Send { write, operation, body } => Act::Send { operation, write, body },
        Action::Login => Act::Login,
        Action::Pause { .. } => Act::Pause,
    }
}
