//! The searched world: CDMS, the database, the programs, and what can happen next.

use std::collections::BTreeMap;

use cdms_odata::client::Refusal;
use cdms_odata::{Attributes, Instant, Value};
use datahub_protocol::{
    Answer, Commit, Committed, EntryKind, Event, Fetched, Guard, Intent, IntentChange, LeaseState, Loaded, OpenIntent,
    OperationId, Record, RecordChange, Reply, ReplyBody, SettledPatch, Snapshot, Stored, Verdict, Version, WriteKind,
};
use uuid::Uuid;

use crate::machine::{Act, Machine, Outcome, RECORD};

pub(crate) const OUR_USER: Uuid = Uuid::from_u128(100);
const PERSON: Uuid = Uuid::from_u128(200);
pub(crate) const BEGIN: i64 = 1_000;

/// How often each kind of trouble may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budgets {
    edits: u8,
    losses: u8,
    refusals: u8,
    lates: u8,
    crashes: u8,
    pauses: u8,
    settlings: u8,
}

impl Budgets {
    pub(crate) const SMALL: Budgets =
        Budgets { edits: 1, losses: 1, refusals: 1, lates: 0, crashes: 0, pauses: 0, settlings: 1 };
    /// Nothing but a write that CDMS carries out late, which is what the quiet period is for.
    pub(crate) const LATE: Budgets =
        Budgets { edits: 0, losses: 0, refusals: 0, lates: 1, crashes: 0, pauses: 0, settlings: 2 };
    pub(crate) const FULL: Budgets =
        Budgets { edits: 1, losses: 1, refusals: 1, lates: 1, crashes: 1, pauses: 1, settlings: 2 };
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) cdms: Option<Record>,
    now: i64,
    pub(crate) store: Store,
    pub(crate) processes: Vec<Process>,
    /// Writes that CDMS may still carry out although nobody waits for them.
    late: Vec<(OperationId, WriteKind, Attributes)>,
    budgets: Budgets,
    /// How often each operation was carried out in CDMS.
    pub(crate) commits: BTreeMap<OperationId, u8>,
    /// Times of the record that CDMS has shown.
    times: Vec<i64>,
    /// A person changed the field `a`.
    pub(crate) edited: bool,
    /// Something happened that the README says is not guaranteed.
    pub(crate) residual: bool,
    pub(crate) broken: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) stored: Stored,
    version: i64,
    pub(crate) intents: Vec<OpenedIntent>,
    pub(crate) history: Vec<(EntryKind, Option<OperationId>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct OpenedIntent {
    pub(crate) intent: Intent,
    lease: LeaseState,
    pub(crate) verdict: Option<Verdict>,
}

#[derive(Clone, Debug)]
pub(crate) struct Process {
    program: u8,
    pub(crate) machine: Machine,
    act: Act,
    /// What CDMS has answered and the program has not read yet.
    answer: Option<Event<String>>,
    holds_lock: bool,
    /// Stopped after its lease check, so that the lease runs out before it goes on.
    paused: bool,
    pub(crate) crashed: bool,
}

/// What can happen next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A process gets what it asked for.
    Go(usize),
    /// Its request fails without effect.
    FetchFails(usize),
    Refused(usize),
    LostBefore(usize),
    LostAfter(usize),
    Late(usize),
    Paused(usize),
    /// A late write is carried out, or never will be.
    LateApplies(usize),
    LateDies(usize),
    PersonEdits {
        tick: bool,
    },
    Crash(u8),
    /// Time passes for an open write.
    LeaseEnds(usize),
    QuietEnds(usize),
    Settling(u8, OperationId),
}

fn values(a: i32, b: i32) -> Attributes {
    Attributes::from([("a", Value::Integer(a)), ("b", Value::Integer(b))])
}

pub(crate) fn snapshot(modified: i64, version: i64) -> Snapshot {
    Snapshot {
        version: Version(version),
        modified: Instant(modified),
        created: None,
        modified_by: Some(PERSON),
        seen: values(1, 1),
        complete_for: vec![1],
    }
}

impl World {
    pub(crate) fn with_record(writes: [Machine; 2], budgets: Budgets) -> Self {
        let mut world = World::without_record(writes, budgets);
        let attributes = values(1, 1);
        world.cdms = Some(Record { modified: Instant(BEGIN), created: None, modified_by: Some(PERSON), attributes });
        world.store.stored = Stored::Row(snapshot(BEGIN, 1));
        world.store.version = 1;
        world
    }

    pub(crate) fn without_record(writes: [Machine; 2], budgets: Budgets) -> Self {
        let mut world = World {
            cdms: None,
            now: BEGIN,
            store: Store::default(),
            processes: Vec::new(),
            late: Vec::new(),
            budgets,
            commits: BTreeMap::new(),
            times: vec![BEGIN],
            edited: false,
            residual: false,
            broken: None,
        };
        let [first, second] = writes;
        world.start(1, first);
        world.start(2, second);
        world.start(1, Machine::read());
        world
    }

    pub(crate) fn start(&mut self, program: u8, mut machine: Machine) -> usize {
        let act = machine.step(Event::Start);
        let process = Process { program, machine, act, answer: None, holds_lock: false, paused: false, crashed: false };
        self.processes.push(process);
        self.processes.len() - 1
    }

    /// Everything that can happen now.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (at, process) in self.processes.iter().enumerate() {
            if process.is_over() {
                continue;
            }
            match (&process.act, &process.answer) {
                (Act::Done(_), _) => {}
                (Act::Lock, _) => {
                    let taken = self
                        .processes
                        .iter()
                        .any(|other| other.program == process.program && other.holds_lock && !other.is_over());
                    if !taken {
                        steps.push(Step::Go(at));
                    }
                }
                (_, Some(_)) | (Act::Load | Act::Commit(_) | Act::Wait, _) => steps.push(Step::Go(at)),
                (Act::Fetch, None) => {
                    steps.push(Step::Go(at));
                    if self.budgets.losses > 0 {
                        steps.push(Step::FetchFails(at));
                    }
                }
                (Act::Send { .. }, None) => {
                    steps.push(Step::Go(at));
                    if self.may_send(process) {
                        if self.budgets.refusals > 0 {
                            steps.push(Step::Refused(at));
                        }
                        if self.budgets.losses > 0 {
                            steps.extend([Step::LostBefore(at), Step::LostAfter(at)]);
                        }
                        if self.budgets.lates > 0 {
                            steps.push(Step::Late(at));
                        }
                        if self.budgets.pauses > 0 && !process.paused {
                            steps.push(Step::Paused(at));
                        }
                    }
                }
            }
        }
        for at in 0..self.late.len() {
            steps.extend([Step::LateApplies(at), Step::LateDies(at)]);
        }
        // What people do and what crashes matters only while something is under way.
        let busy = self.processes.iter().any(|process| !process.is_over());
        if busy && self.budgets.edits > 0 && self.cdms.is_some() {
            steps.extend([Step::PersonEdits { tick: true }, Step::PersonEdits { tick: false }]);
        }
        if busy && self.budgets.crashes > 0 {
            steps.extend([Step::Crash(1), Step::Crash(2)]);
        }
        for (at, open) in self.store.intents.iter().enumerate().filter(|(_, open)| open.verdict.is_none()) {
            let operation = open.intent.operation;
            let writer = self.processes.iter().find(|process| process.machine.operation() == Some(operation));
            let is_at_work = writer.is_some_and(|writer| !writer.is_over() && !writer.paused);
            match open.lease {
                LeaseState::Active { .. } if !is_at_work => steps.push(Step::LeaseEnds(at)),
                // CDMS's execution limit is over before the quiet period is.
                LeaseState::Quiet { .. } if !self.late.iter().any(|(late, ..)| *late == operation) => {
                    steps.push(Step::QuietEnds(at));
                }
                _ => {}
            }
            if self.budgets.settlings > 0 && !matches!(open.lease, LeaseState::Active { .. }) {
                steps.push(Step::Settling(2, operation));
            }
        }
        steps
    }

    /// Whether the process's lease covers a request, or covered it when it was checked.
    fn may_send(&self, process: &Process) -> bool {
        let operation = process.machine.operation();
        let open = self.store.intents.iter().find(|open| Some(open.intent.operation) == operation);
        process.paused || open.is_some_and(|open| matches!(open.lease, LeaseState::Active { .. }))
    }

    /// Has it happen, and tells it in words.
    pub(crate) fn take(&mut self, step: &Step) -> String {
        let told = match step {
            Step::Go(at) => format!("{} goes on: {:?}", self.name(*at), word(&self.processes[*at].act)),
            Step::Settling(program, operation) => format!("program {program} settles {operation}"),
            other => format!("{other:?}"),
        };
        match *step {
            Step::Go(at) => self.go(at),
            Step::FetchFails(at) => {
                self.budgets.losses -= 1;
                self.deliver(at, Event::Fetched(Fetched::Unavailable("lost".to_owned())));
            }
            Step::Refused(at) => {
                self.budgets.refusals -= 1;
                _ = self.sent(at);
                let refusal = Refusal { status: 500, code: Some(-2_147_220_891), message: "no".to_owned() };
                self.answer(at, Answer::Reply(Reply { status: 500, body: ReplyBody::Refusal(refusal) }));
            }
            Step::LostBefore(at) => {
                self.budgets.losses -= 1;
                _ = self.sent(at);
                self.answer(at, Answer::Lost("lost".to_owned()));
            }
            Step::LostAfter(at) => {
                self.budgets.losses -= 1;
                let (operation, write, body) = self.sent(at);
                _ = self.carry_out(operation, write, &body);
                self.answer(at, Answer::Lost("lost".to_owned()));
            }
            Step::Late(at) => {
                self.budgets.lates -= 1;
                let sent = self.sent(at);
                self.late.push(sent);
                self.answer(at, Answer::Lost("lost".to_owned()));
            }
            Step::Paused(at) => {
                self.budgets.pauses -= 1;
                self.processes[at].paused = true;
            }
            Step::LateApplies(at) => {
                let (operation, write, body) = self.late.remove(at);
                _ = self.carry_out(operation, write, &body);
            }
            Step::LateDies(at) => _ = self.late.remove(at),
            Step::PersonEdits { tick } => {
                self.budgets.edits -= 1;
                self.edited = true;
                self.now += if tick { 1_000 } else { 0 };
                if let Some(record) = &mut self.cdms {
                    record.attributes.insert("a", Value::Integer(9));
                    record.modified = Instant(self.now);
                    record.modified_by = Some(PERSON);
                    self.times.push(self.now);
                }
            }
            Step::Crash(program) => {
                self.budgets.crashes -= 1;
                for process in self.processes.iter_mut().filter(|process| process.program == program) {
                    process.crashed |= !matches!(process.act, Act::Done(_));
                }
            }
            Step::LeaseEnds(at) => self.store.intents[at].lease = LeaseState::Quiet { left_ms: 1 },
            Step::QuietEnds(at) => self.store.intents[at].lease = LeaseState::Over,
            Step::Settling(program, operation) => {
                self.budgets.settlings -= 1;
                self.start(program, Machine::settle(operation));
            }
        }
        told
    }

    fn name(&self, at: usize) -> String {
        let process = &self.processes[at];
        let what = match &process.machine {
            Machine::Update(..) => "update",
            Machine::Create(..) => "create",
            Machine::Delete(..) => "delete",
            Machine::Read(_) => "read",
            Machine::Settle(_) => "settling",
        };
        format!("the {what} {at} of program {}", process.program)
    }

    fn go(&mut self, at: usize) {
        if let Some(event) = self.processes[at].answer.take() {
            return self.deliver(at, event);
        }
        match self.processes[at].act.clone() {
            Act::Done(_) => {}
            Act::Lock => {
                self.processes[at].holds_lock = true;
                self.deliver(at, Event::Locked);
            }
            Act::Load => {
                let loaded = self.load();
                self.deliver(at, Event::Loaded(Box::new(loaded)));
            }
            Act::Fetch => {
                let fetched = self.cdms.clone().map_or(Fetched::Gone, Fetched::Record);
                self.processes[at].answer = Some(Event::Fetched(fetched));
            }
            Act::Commit(commit) => {
                let committed = self.commit(&commit);
                self.deliver(at, Event::Committed(committed));
            }
            Act::Send { .. } if !self.may_send(&self.processes[at]) => {
                self.deliver(at, Event::Answered(Answer::NotSent("the lease is over".to_owned())));
            }
            Act::Send { .. } => {
                let (operation, write, body) = self.sent(at);
                // What was carried out is not in flight any more, read or not.
                let others = self.late.iter().any(|(late, ..)| *late != operation);
                if others && !self.residual {
                    self.broken = Some("two writes of one record are in flight".to_owned());
                }
                let answer = self.carry_out(operation, write, &body);
                self.answer(at, answer);
            }
            Act::Wait => self.deliver(at, Event::Resumed),
        }
    }

    /// What the process sends.
    fn sent(&mut self, at: usize) -> (OperationId, WriteKind, Attributes) {
        let process = &self.processes[at];
        let (Act::Send { write, body }, Some(operation)) = (&process.act, process.machine.operation()) else {
            unreachable!("nothing is sent by {:?}", process.act)
        };
        let (write, body) = (*write, body.clone());
        let open = self.store.intents.iter().find(|open| open.intent.operation == operation);
        let is_leased =
            open.is_some_and(|open| open.verdict.is_none() && matches!(open.lease, LeaseState::Active { .. }));
        // A program that was stopped after its lease check and resumes when the lease is over.
        self.residual |= !is_leased;
        (operation, write, body)
    }

    /// CDMS takes a write, or refuses it because of what it has.
    fn carry_out(&mut self, operation: OperationId, write: WriteKind, body: &Attributes) -> Answer<String> {
        let refusal = |status, code| {
            let refusal = Refusal { status, code: Some(code), message: "no".to_owned() };
            Answer::Reply(Reply { status, body: ReplyBody::Refusal(refusal) })
        };
        self.now += 1_000;
        match (write, &mut self.cdms) {
            (WriteKind::Create, Some(_)) => return refusal(500, -2_147_220_937),
            (WriteKind::Update | WriteKind::Delete, None) => return refusal(404, -2_147_220_969),
            (WriteKind::Create, none) => {
                let record = Record {
                    modified: Instant(self.now),
                    created: None,
                    modified_by: Some(OUR_USER),
                    attributes: body.clone(),
                };
                *none = Some(record);
            }
            (WriteKind::Update, Some(record)) => {
                record.attributes.merge(body);
                (record.modified, record.modified_by) = (Instant(self.now), Some(OUR_USER));
            }
            (WriteKind::Delete, record) => *record = None,
        }
        self.times.push(self.now);
        *self.commits.entry(operation).or_default() += 1;
        match (write, &self.cdms) {
            (WriteKind::Create, Some(record)) => {
                let body = ReplyBody::Created { id: RECORD, record: Ok(record.clone()) };
                Answer::Reply(Reply { status: 201, body })
            }
            _ => Answer::Reply(Reply { status: 204, body: ReplyBody::Empty }),
        }
    }

    fn answer(&mut self, at: usize, answer: Answer<String>) {
        self.processes[at].answer = Some(Event::Answered(answer));
    }

    fn deliver(&mut self, at: usize, event: Event<String>) {
        let process = &mut self.processes[at];
        process.act = process.machine.step(event);
        if matches!(process.act, Act::Done(_)) {
            process.holds_lock = false;
        }
    }

    fn load(&self) -> Loaded {
        let open = self.store.intents.iter().find(|open| open.verdict.is_none());
        let late = self
            .store
            .intents
            .iter()
            .filter(|open| matches!(open.verdict, Some(Verdict::NotApplied | Verdict::Superseded { .. })));
        Loaded {
            stored: self.store.stored.clone(),
            intent: open.map(|open| OpenIntent { intent: open.intent.clone(), lease: open.lease }),
            late: late
                .map(|open| SettledPatch {
                    write: open.intent.write,
                    operation: open.intent.operation,
                    patch: open.intent.evidence().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
                    constants: Attributes::new(),
                })
                .collect(),
            unanswered_delete: None,
            quarantined: false,
        }
    }

    fn commit(&mut self, commit: &Commit<String>) -> Committed {
        let version = match &self.store.stored {
            Stored::Absent => None,
            Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => Some(snapshot.version),
        };
        let open = self.store.intents.iter().find(|open| open.verdict.is_none()).map(|open| open.intent.operation);
        let holds = match commit.guard {
            Guard::Absent => version.is_none() && open.is_none(),
            Guard::Version(wanted) => version == Some(wanted) && open.is_none(),
            Guard::Intent(operation) => open == Some(operation),
        };
        if !holds {
            return Committed::Lost;
        }
        if !matches!(commit.record, RecordChange::Keep) {
            self.store.version += 1;
        }
        let version = Version(self.store.version);
        match &commit.record {
            RecordChange::Keep => {}
            RecordChange::LocalOnly => unreachable!("the world has no local fields"),
            RecordChange::Touch => match &mut self.store.stored {
                Stored::Absent => {}
                Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => snapshot.version = version,
            },
            RecordChange::Put(row) => {
                if !self.times.contains(&row.modified.0) {
                    self.broken = Some(format!("the row's time {} never was CDMS's", row.modified));
                }
                if let Stored::Row(before) = &self.store.stored
                    && row.modified < before.modified
                {
                    self.broken = Some("the row went back to an older version".to_owned());
                }
                self.store.stored = Stored::Row(row.clone().at(version, 1));
            }
            RecordChange::Tombstone { reason, last } => {
                self.store.stored = Stored::Tombstone(last.clone().at(version, 1), *reason);
            }
        }
        self.store.history.extend(commit.history.iter().map(|entry| (entry.kind, entry.operation)));
        match &commit.intent {
            IntentChange::Keep => {}
            IntentChange::Open(intent) => {
                let lease = LeaseState::Active { left_ms: 1 };
                self.store.intents.push(OpenedIntent { intent: (**intent).clone(), lease, verdict: None });
            }
            IntentChange::Close { operation, verdict } => {
                for open in self.store.intents.iter_mut().filter(|open| open.intent.operation == *operation) {
                    open.verdict = Some(verdict.clone());
                }
            }
            IntentChange::Release { operation } => {
                for open in self.store.intents.iter_mut().filter(|open| open.intent.operation == *operation) {
                    open.lease = LeaseState::Quiet { left_ms: 1 };
                }
            }
        }
        Committed::Done(version)
    }

    /// Ends the leases and quiet periods of all open writes.
    pub(crate) fn let_time_pass(&mut self) {
        self.store.intents.iter_mut().for_each(|open| open.lease = LeaseState::Over);
    }

    /// Carries a process to its end, with nothing else happening.
    pub(crate) fn run(&mut self, at: usize) {
        while !self.processes[at].is_over() {
            self.go(at);
        }
    }
}

impl Process {
    pub(crate) fn is_over(&self) -> bool {
        self.crashed || matches!(self.act, Act::Done(_))
    }

    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match &self.act {
            Act::Done(outcome) => Some(outcome),
            _ => None,
        }
    }
}

fn word(act: &Act) -> &'static str {
    match act {
        Act::Done(_) => "done",
        Act::Lock => "lock",
        Act::Load => "load",
        Act::Fetch => "fetch",
        Act::Commit(_) => "commit",
        Act::Send { .. } => "send",
        Act::Wait => "wait",
    }
}
