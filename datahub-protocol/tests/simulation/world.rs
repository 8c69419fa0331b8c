//! The simulated world: programs at work, people, time, and everything that goes wrong, as a seed decides.

mod people;
mod sending;

use std::collections::{BTreeMap, BTreeSet};

use cdms_odata::{Attributes, Instant, Value};
use datahub_protocol::{
    Action, Answer, Asked, Commit, Committed, Create, Delete, Event, Failure, Fetched, IntentChange, LeaseState,
    Machine as _, Mapping as _, OnConflict, OperationId, Read, RecordChange, Reply, ReplyBody, Settle, Settled,
    Sighting, Snapshot, Stored, TombstoneReason, Update, Verdict, WriteKind, Written,
};
use fastrand::Rng;
use uuid::Uuid;

use crate::cdms::{Cdms, Deed, OUR_USER, Whims};
use crate::mapping::{FORBIDDEN, Model};
use crate::store::Store;

/// Two programs of the newer version and one of the older.
const PROGRAMS: [Model; 3] = [Model::Wide, Model::Narrow, Model::Wide];

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: i64,
    pub(crate) cdms: Cdms,
    pub(crate) store: Store,
    pub(crate) processes: Vec<Process>,
    late: Vec<Late>,
    /// What callers have loaded and may change.
    loaded: Vec<(Uuid, Snapshot)>,
    /// Whether things go wrong.
    pub(crate) troubled: bool,
    /// Whether CDMS was restored from a backup, so that its times went back: how much of its log came before.
    pub(crate) restored: Option<usize>,
    next_value: i32,
    next_operation: u128,
    /// Writes of which the README promises less: sent past the lease, or carried out past the quiet period.
    pub(crate) delayed: BTreeSet<OperationId>,
    /// How much of CDMS's log there was when somebody looked and gave a write its verdict.
    pub(crate) judged: BTreeMap<OperationId, usize>,
    /// How often what went wrong or came out.
    pub(crate) tally: BTreeMap<String, u64>,
    /// The first promise that was broken.
    pub(crate) broken: Option<String>,
    pub(crate) trace: Option<Vec<String>>,
}

/// One operation of a program.
pub(crate) struct Process {
    program: usize,
    pub(crate) model: Model,
    pub(crate) id: Uuid,
    machine: Machine,
    pub(crate) operation: Option<OperationId>,
    act: Act,
    /// What is on its way to it.
    answer: Option<Event<String>>,
    holds_lock: bool,
    /// Stopped after its look at the lease, until then.
    paused_until: Option<i64>,
    pub(crate) crashed: bool,
    /// How much of CDMS's log there was when it began.
    pub(crate) began: usize,
    /// How much of it there was when it last read the record.
    looked: usize,
    /// What that showed.
    saw: Option<Attributes>,
    /// How far the lease of the write had run that it found open.
    found: Option<LeaseState>,
    /// By how much CDMS's time may go back for it.
    skew_ms: i64,
    /// Whether it has sent its write.
    has_sent: bool,
    /// Whether it could not close its intent.
    close_failed: bool,
}

enum Machine {
    Update(Box<Update<Model>>),
    Create(Box<Create<Model>>),
    Delete(Box<Delete<Model>>),
    Read(Box<Read<Model>>),
    Settle(Box<Settle<Model>>),
}

enum Act {
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
    Wrote(Written),
    Saw(Sighting),
    Settled(Settled),
    Failed(Failure<String>),
}

/// A write that CDMS carries out after its caller has given up.
struct Late {
    at: i64,
    operation: OperationId,
    write: WriteKind,
    id: Uuid,
    body: Attributes,
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

    fn step(&mut self, event: Event<String>) {
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

impl World {
    pub(crate) fn new(seed: u64, traced: bool) -> Self {
        let mut world = World {
            rng: Rng::with_seed(seed),
            now: 1_000_000_000,
            cdms: Cdms::default(),
            store: Store::default(),
            processes: Vec::new(),
            late: Vec::new(),
            loaded: Vec::new(),
            troubled: true,
            restored: None,
            next_value: 1,
            next_operation: 1,
            delayed: BTreeSet::new(),
            judged: BTreeMap::new(),
            tally: BTreeMap::new(),
            broken: None,
            trace: traced.then(Vec::new),
        };
        world.cdms.now = world.now;
        for id in IDS {
            if world.rng.u8(..) < 180 {
                let attributes = world.persons_values();
                world.cdms.put(id, &attributes, None, Whims::default());
            }
        }
        world
    }

    fn told(&mut self, what: impl FnOnce(&World) -> String) {
        if let Some(mut trace) = self.trace.take() {
            trace.push(format!("{:>9} {}", self.now - 1_000_000_000, what(self)));
            self.trace = Some(trace);
        }
    }

    pub(crate) fn count(&mut self, what: &str) {
        match self.tally.get_mut(what) {
            Some(count) => *count += 1,
            None => _ = self.tally.insert(what.to_owned(), 1),
        }
    }

    pub(crate) fn break_promise(&mut self, promise: String) {
        self.broken.get_or_insert(promise);
    }

    /// Whether this happens now, so often in a thousand.
    fn happens(&mut self, what: &str, in_thousand: u32) -> bool {
        let happens = self.troubled && self.rng.u32(..1_000) < in_thousand;
        if happens {
            self.count(what);
            let what = what.to_owned();
            self.told(|_| format!("  ! {what}"));
        }
        happens
    }

    fn value(&mut self) -> i32 {
        self.next_value += 1;
        self.next_value
    }

    /// A value of the field over two attributes that no other one shares a part with.
    fn joined(&mut self) -> Value {
        let value = self.value() % 1_000;
        Value::Integer(value * 1_000 + value)
    }

    /// One step: something begins, or something under way goes on.
    pub(crate) fn step(&mut self, operations_left: &mut u32) {
        let passed = self.rng.i64(0..400);
        self.pass(passed);
        if self.happens("time passes", 6) {
            let long = self.rng.i64(10_000..700_000);
            self.pass(long);
        }
        let busy: Vec<usize> = (0..self.processes.len()).filter(|at| !self.processes[*at].is_over()).collect();
        if *operations_left > 0 && (busy.is_empty() || (busy.len() < 6 && self.rng.u8(..) < 60)) {
            *operations_left -= 1;
            return self.begin();
        }
        if self.happens("a person at work", 40) {
            return self.person();
        }
        if !busy.is_empty() && self.happens("a crash", 4) {
            let program = self.rng.usize(..PROGRAMS.len());
            self.told(|_| format!("program {program} crashes"));
            for process in self.processes.iter_mut().filter(|process| process.program == program) {
                process.crashed |= process.outcome().is_none();
            }
            return;
        }
        if let Some(at) = (!busy.is_empty()).then(|| busy[self.rng.usize(..busy.len())]) {
            self.go(at);
        }
    }

    /// Lets time pass; what CDMS carries out late happens on the way.
    pub(crate) fn pass(&mut self, ms: i64) {
        let until = self.now + ms;
        while let Some(at) = (0..self.late.len()).min_by_key(|at| self.late[*at].at) {
            if self.late[at].at > until {
                break;
            }
            let late = self.late.swap_remove(at);
            self.now = self.now.max(late.at);
            self.cdms.now = self.now;
            self.told(|_| format!("CDMS carries out {} late", late.operation));
            _ = self.cdms.write((late.operation, late.write), late.id, &late.body, Whims::default());
        }
        self.now = until;
        self.cdms.now = until;
    }

    fn operation(&mut self) -> OperationId {
        self.next_operation += 1;
        OperationId(Uuid::from_u128(self.next_operation))
    }

    fn begin(&mut self) {
        let program = self.rng.usize(..PROGRAMS.len());
        let id = IDS[self.rng.usize(..IDS.len())];
        let choice = self.rng.u32(..100);
        let base = self.base(program);
        match (choice, base) {
            (0..30, _) => self.start(program, id, Machine::Read(Box::new(Read::new(PROGRAMS[program], 0))), None),
            (30..45, _) => {
                let open = self.store.intents.iter().filter(|opened| opened.verdict.is_none());
                let open: Vec<_> = open.map(|opened| (opened.id, opened.intent.operation)).collect();
                if !open.is_empty() {
                    let (id, operation) = open[self.rng.usize(..open.len())];
                    self.settle(program, id, operation);
                }
            }
            (45..57, _) => {
                let operation = self.operation();
                let mut mine = vec![Value::Integer(self.value())];
                if PROGRAMS[program] == Model::Wide {
                    mine.push(self.joined());
                }
                let machine = Create::new(PROGRAMS[program], id, mine, operation);
                self.start(program, id, Machine::Create(Box::new(machine)), Some(operation));
            }
            (_, None) => self.start(program, id, Machine::Read(Box::new(Read::new(PROGRAMS[program], 0))), None),
            (57..66, Some((id, base))) => {
                let operation = self.operation();
                let policy = self.policy();
                let seen = base.seen.clone();
                let machine = Delete::new(PROGRAMS[program], seen, Some(base), policy, operation, 0);
                self.start(program, id, Machine::Delete(Box::new(machine)), Some(operation));
            }
            (_, Some((id, base))) => {
                let Ok(mut mine) = PROGRAMS[program].decode(&base.seen) else { return };
                if self.rng.u8(..) < 240 {
                    let field = self.rng.usize(..mine.len());
                    mine[field] = if field == 0 { Value::Integer(self.value()) } else { self.joined() };
                }
                if self.rng.u8(..) < 40 {
                    mine[0] = Value::Integer(self.value());
                }
                if self.happens("a value that the database forbids", 30) {
                    mine[0] = Value::Integer(FORBIDDEN);
                }
                let (operation, policy) = (self.operation(), self.policy());
                let machine = Update::new(PROGRAMS[program], base.seen, mine, false, policy, operation, 0);
                self.start(program, id, Machine::Update(Box::new(machine)), Some(operation));
            }
        }
    }

    fn policy(&mut self) -> OnConflict {
        if self.rng.u8(..) < 50 { OnConflict::Reject } else { OnConflict::LastWriterWins }
    }

    /// What a caller of this program has loaded, lately or a while ago.
    fn base(&mut self, program: usize) -> Option<(Uuid, Snapshot)> {
        let tag = PROGRAMS[program].tag();
        let fit: Vec<_> = self.loaded.iter().filter(|(_, base)| base.complete_for.contains(&tag)).collect();
        let newest = fit.len().min(6);
        (newest > 0).then(|| fit[fit.len() - 1 - self.rng.usize(..newest)].clone())
    }

    pub(crate) fn settle(&mut self, program: usize, id: Uuid, operation: OperationId) {
        let our_user = self.rng.bool().then_some(OUR_USER);
        let machine = Settle::new(PROGRAMS[program], operation, our_user, self.skew());
        self.start(program, id, Machine::Settle(Box::new(machine)), None);
    }

    pub(crate) fn read(&mut self, id: Uuid) {
        let machine = Read::new(Model::Wide, self.skew());
        self.start(0, id, Machine::Read(Box::new(machine)), None);
    }

    /// After a restore somebody decides for CDMS, at the end.
    fn skew(&self) -> i64 {
        if self.restored.is_some() && !self.troubled { i64::MAX } else { 0 }
    }

    fn start(&mut self, program: usize, id: Uuid, machine: Machine, operation: Option<OperationId>) {
        let model = PROGRAMS[program];
        let skew_ms = if operation.is_some() { 0 } else { self.skew() };
        let began = self.cdms.log.len();
        let mut process = Process {
            program,
            model,
            id,
            machine,
            operation,
            act: Act::Load,
            answer: None,
            holds_lock: false,
            paused_until: None,
            crashed: false,
            began,
            looked: began,
            saw: None,
            found: None,
            skew_ms,
            has_sent: false,
            close_failed: false,
        };
        process.step(Event::Start);
        self.told(|_| format!("program {program} begins a {} of {id} {operation:?}", process.kind()));
        self.processes.push(process);
    }

    /// A process goes on by one step, if it can.
    pub(crate) fn go(&mut self, at: usize) {
        if let Some(event) = self.processes[at].answer.take() {
            return self.deliver(at, event);
        }
        let (program, id, model) = (self.processes[at].program, self.processes[at].id, self.processes[at].model);
        match &self.processes[at].act {
            Act::Done(_) => {}
            Act::Lock => {
                let is_taken = self
                    .processes
                    .iter()
                    .any(|other| other.holds_lock && !other.crashed && (other.program, other.id) == (program, id));
                if !is_taken {
                    self.processes[at].holds_lock = true;
                    self.deliver(at, Event::Locked);
                }
            }
            Act::Load => {
                if self.happens("the database is away for a load", 8) {
                    // The runtime ends the operation; nothing was sent.
                    self.processes[at].act =
                        Act::Done(Outcome::Failed(Failure::Store { operation: None, reason: "away".to_owned() }));
                    self.processes[at].holds_lock = false;
                    return;
                }
                let loaded = self.store.load(id, self.now);
                self.processes[at].found = loaded.intent.as_ref().map(|open| open.lease);
                self.deliver(at, Event::Loaded(Box::new(loaded)));
            }
            Act::Fetch => {
                let fetched = self.fetch(model, id);
                self.processes[at].looked = self.cdms.log.len();
                self.processes[at].saw = match &fetched {
                    Fetched::Record(record) => Some(record.attributes.clone()),
                    _ => None,
                };
                self.processes[at].answer = Some(Event::Fetched(fetched));
            }
            Act::Commit(commit) => {
                let commit = commit.clone();
                self.commit(at, &commit);
            }
            Act::Send { .. } => self.send(at),
            Act::Login => {
                let login = if self.happens("a login that fails", 200) { Err("no".to_owned()) } else { Ok(()) };
                self.deliver(at, Event::LoggedIn(login));
            }
            Act::Pause => self.deliver(at, Event::Resumed),
        }
    }

    fn fetch(&mut self, model: Model, id: Uuid) -> Fetched<String> {
        if self.happens("a read without an answer", 40) {
            return Fetched::Unavailable("lost".to_owned());
        }
        if self.happens("a read that is refused", 8) {
            return Fetched::Refused("no".to_owned());
        }
        if self.cdms.records.contains_key(&id) && self.happens("a read that cannot be parsed", 8) {
            return Fetched::Unreadable("not of its kind".to_owned());
        }
        self.cdms.read(model, id).map_or(Fetched::Gone, Fetched::Record)
    }

    fn commit(&mut self, at: usize, commit: &Commit<String>) {
        let (id, model) = (self.processes[at].id, self.processes[at].model);
        // The runtime goes on trying what is true already.
        let insists = commit.insist && self.lease_left(at) > 0;
        if self.happens("the database is away for a transaction", 15) {
            if !insists {
                self.unavailable(at, commit);
            }
            return;
        }
        let before = self.stored(id);
        let committed = self.store.commit(model, id, commit, self.now);
        self.told(|_| format!("  process {at} commits {:?}: {committed:?}", short(commit)));
        if matches!(committed, Committed::Done(_)) {
            self.check_row(at, &before, commit);
            if let IntentChange::Close { operation, verdict } = &commit.intent {
                self.check_verdict(at, *operation, verdict);
            }
            // Who insists learns by the next try that it was stored.
            if self.happens("a transaction whose acknowledgement is lost", 8) && !insists {
                return self.unavailable(at, commit);
            }
        }
        self.deliver(at, Event::Committed(committed));
    }

    fn unavailable(&mut self, at: usize, commit: &Commit<String>) {
        self.processes[at].close_failed |= matches!(commit.intent, IntentChange::Close { .. });
        self.deliver(at, Event::Committed(Committed::Unavailable("away".to_owned())));
    }

    /// A write gets its one verdict, and not too early.
    fn check_verdict(&mut self, at: usize, operation: OperationId, verdict: &Verdict) {
        let word = verdict_word(verdict);
        self.count(&format!("verdict: {word}"));
        if let Verdict::Superseded { attributes } = verdict {
            self.count(&format!("superseded in {} attributes", attributes.len()));
        }
        let settles = matches!(self.processes[at].machine, Machine::Settle(_));
        if settles && let Some(wrong) = self.wrongly_settled(at, operation, verdict) {
            self.break_promise(format!("{operation} was settled as {word} {wrong}"));
        }
        let seen = if settles { self.processes[at].looked } else { self.cdms.log.len() };
        self.judged.insert(operation, seen);
    }

    /// What is wrong with a verdict that settling came to, if something is.
    fn wrongly_settled(&self, at: usize, operation: OperationId, verdict: &Verdict) -> Option<String> {
        let process = &self.processes[at];
        match process.found {
            Some(LeaseState::Active { .. }) => return Some("while its writer's lease lasted".to_owned()),
            Some(LeaseState::Quiet { .. }) if *verdict != Verdict::Applied => {
                return Some("before its quiet period was over".to_owned());
            }
            _ => {}
        }
        let intent = &self.store.intent(operation)?.intent;
        let saw = process.saw.as_ref().filter(|_| intent.write == WriteKind::Update && *verdict == Verdict::Applied)?;
        let mut evidence = intent.evidence().map(|(name, _)| name);
        let name = evidence.find(|name| saw.get(name) == intent.pre_image.get(name))?;
        Some(format!("although {name} is as it was before"))
    }

    /// The row's time is one of CDMS's, and never goes back by more than is tolerated.
    fn check_row(&mut self, at: usize, before: &Stored, commit: &Commit<String>) {
        let Process { id, skew_ms, began, .. } = self.processes[at];
        if let RecordChange::Tombstone { reason: TombstoneReason::Gone, .. } = &commit.record
            && !self.was_missing(id, began)
        {
            self.break_promise(format!("{id} became a tombstone, and was there all the time"));
        }
        let RecordChange::Put(row) = &commit.record else { return };
        let is_known = self.cdms.times.get(&id).is_some_and(|times| times.contains(&row.modified.0));
        if !is_known {
            self.break_promise(format!("the row's time {} of {id} never was CDMS's", row.modified));
        }
        // What a write of ours made is newer, whatever a restored CDMS says of its time.
        let is_ours = matches!(&commit.intent, IntentChange::Close { verdict: Verdict::Applied, .. });
        if let Stored::Row(before) = before
            && before.modified.0.saturating_sub(row.modified.0) > skew_ms
            && !(is_ours && self.restored.is_some())
        {
            self.break_promise(format!("the row of {id} went back to an older version"));
        }
    }

    /// Whether CDMS did not have a record, at some time since this place of its log.
    fn was_missing(&self, id: Uuid, since: usize) -> bool {
        let (before, after) = self.cdms.log.split_at(since);
        let last = before.iter().rev().find(|deed| deed.id == id);
        let is_missing = last.is_none_or(|deed| deed.what == Deed::Removed);
        is_missing || after.iter().any(|deed| deed.id == id && deed.what == Deed::Removed)
    }

    fn lease_left(&self, at: usize) -> i64 {
        let operation = self.processes[at].operation;
        let open = self.store.intents.iter().find(|open| Some(open.intent.operation) == operation);
        // A writer knows its own lease, whatever others found out meanwhile.
        open.map_or(0, |open| open.lease_until - self.now)
    }

    fn deliver(&mut self, at: usize, mut event: Event<String>) {
        let process = &mut self.processes[at];
        // A program reads what its mapping knows.
        if let Event::Answered(Answer::Reply(Reply { body: ReplyBody::Created { record: Ok(record), .. }, .. })) =
            &mut event
        {
            record.attributes.retain(|name, _| process.model.knows(name));
        }
        process.step(event);
        let Some(outcome) = process.outcome().cloned() else { return };
        let (id, kind, operation) = (process.id, process.kind(), process.operation);
        let word = outcome_word(&outcome);
        match &outcome {
            // How long to wait says which period it is that lasts.
            Outcome::Settled(Settled::NotYet { retry_after_ms }) => {
                self.count(&format!("not yet, for about {} s", retry_after_ms / 100_000 * 100));
            }
            Outcome::Failed(Failure::Busy { operation, retry_after_ms }) => {
                let whose = if operation.is_some() { "a write" } else { "others" };
                self.count(&format!("busy with {whose}, for about {} s", retry_after_ms / 100_000 * 100));
            }
            Outcome::Saw(Sighting::Current { seen, .. }) => self.count(&format!("seen: {seen:?}")),
            _ => {}
        }
        self.told(|_| format!("  process {at}, the {kind} of {id} {operation:?}, ends: {word}"));
        self.count(&format!("{kind}: {word}"));
        match outcome {
            Outcome::Wrote(Written { snapshot, .. }) | Outcome::Saw(Sighting::Current { snapshot, .. })
                if kind != "delete" =>
            {
                self.loaded.push((id, snapshot));
                if self.loaded.len() > 24 {
                    self.loaded.remove(0);
                }
            }
            Outcome::Failed(Failure::Store { operation: Some(operation), .. }) => {
                let is_open = self.store.intent(operation).is_some_and(|opened| opened.verdict.is_none());
                if is_open && !self.processes[at].close_failed {
                    self.break_promise(format!("{operation} was never sent, and stays open"));
                }
            }
            Outcome::Failed(Failure::LocalNewer { .. }) if self.restored.is_none() => {
                self.break_promise(format!("{id} is called newer than CDMS, whose time never went back"));
            }
            _ => {}
        }
    }

    pub(crate) fn modified(&self, id: Uuid) -> Option<Instant> {
        self.cdms.records.get(&id).map(|record| record.modified)
    }

    pub(crate) fn stored(&self, id: Uuid) -> Stored {
        self.store.kept.get(&id).map(|kept| kept.stored.clone()).unwrap_or_default()
    }

    /// Carries everything that is under way to its end.
    pub(crate) fn finish(&mut self) {
        let mut rounds = 0;
        while self.processes.iter().any(|process| !process.is_over()) {
            for at in 0..self.processes.len() {
                if !self.processes[at].is_over() {
                    self.go(at);
                }
            }
            self.pass(1_000);
            rounds += 1;
            assert!(rounds < 10_000, "an operation does not come to an end");
        }
    }
}

/// The records of the world.
pub(crate) const IDS: [Uuid; 4] = [Uuid::from_u128(11), Uuid::from_u128(12), Uuid::from_u128(13), Uuid::from_u128(14)];

pub(crate) fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Wrote(written) => match written.asked {
            Asked::Nothing(_) | Asked::Compared(_) => "nothing to do",
            Asked::ReadBack => "ok",
            Asked::NotReadBack => "ok, not read back",
        },
        Outcome::Saw(Sighting::Pending { .. }) => "pending",
        Outcome::Saw(Sighting::Current { .. }) => "ok",
        Outcome::Settled(Settled::Now(_)) => "settled",
        Outcome::Settled(Settled::Before) => "settled before",
        Outcome::Settled(Settled::NotYet { .. }) => "not yet",
        Outcome::Settled(Settled::LeftToOthers) => "left to others",
        Outcome::Failed(failure) => failure.name(),
    }
}

pub(crate) fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Applied => "applied",
        Verdict::Rejected { .. } => "rejected",
        Verdict::Orphaned { .. } => "orphaned",
        Verdict::NotApplied => "not applied",
        Verdict::Superseded { .. } => "superseded",
    }
}

fn short(commit: &Commit<String>) -> String {
    let record = match &commit.record {
        RecordChange::Keep => "keep".to_owned(),
        RecordChange::Put(row) => format!("put {:?} at {}", row.seen, row.modified),
        RecordChange::Tombstone { reason, .. } => format!("tombstone {reason:?}"),
        RecordChange::LocalOnly => "local".to_owned(),
        RecordChange::Touch => "touch".to_owned(),
    };
    let history: Vec<_> = commit.history.iter().map(|entry| entry.kind.name()).collect();
    let guard: &dyn std::fmt::Debug = &commit.guard;
    let intent = match &commit.intent {
        IntentChange::Open(intent) => format!("open {:?}", intent.patch),
        other => format!("{other:?}"),
    };
    format!("{record}, {history:?}, {intent}, {guard:?}")
}
