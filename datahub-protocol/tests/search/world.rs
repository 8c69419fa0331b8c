//! The searched world: CDMS, the database, the programs, and the effect of each step.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_protocol::{
    Answer, Committed, Event, Fetched, IntentChange, LeaseState, LoginFailure, OperationId, Record, Snapshot, Stored,
    Version,
};
use uuid::Uuid;

use crate::budgets::Budgets;
use crate::cdms::{Cdms, Edit, Sent, refused};
use crate::machine::{Act, End, Machine, Wish};
use crate::part::Part;
use crate::promises;
use crate::steps::Step;
use crate::store::Store;

pub(crate) const OUR_USER: Uuid = Uuid::from_u128(100);
pub(crate) const PERSON: Uuid = Uuid::from_u128(200);
pub(crate) const BEGIN: i64 = 1_000;

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) cdms: Part<Cdms>,
    pub(crate) store: Part<Store>,
    pub(crate) processes: Vec<Part<Process>>,
    pub(crate) budgets: Part<Budgets>,
    /// What the callers want; it never changes.
    pub(crate) wishes: Arc<[Wish; 2]>,
    pub(crate) broken: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) program: u8,
    pub(crate) what: &'static str,
    /// The write, if it is one.
    pub(crate) operation: Option<OperationId>,
    /// `None` once it is over.
    machine: Option<Machine>,
    pub(crate) act: Act,
    pub(crate) holds_lock: bool,
    /// Paused after its lease check, so that it sends although the lease is over.
    checked: bool,
}

fn values(a: i32, b: i32) -> Attributes {
    Attributes::from([("a", Value::Integer(a)), ("b", Value::Integer(b))])
}

pub(crate) fn facts(modified: i64, by: Uuid) -> Facts {
    Facts { modified: Instant(modified), created: None, modified_by: Some(by) }
}

pub(crate) fn snapshot(modified: i64, version: i64) -> Snapshot {
    let (facts, seen) = (facts(modified, PERSON), values(1, 1));
    Snapshot { version: Version(version), facts, seen, complete_for: vec![1], outdated: BTreeSet::new() }
}

impl World {
    /// Two programs will write, and the first also has a reader. Either CDMS and the hub both have the record, or
    /// neither does.
    pub(crate) fn new(is_there: bool, wishes: [Wish; 2], budgets: Budgets) -> Self {
        let record = Record { facts: facts(BEGIN, PERSON), attributes: values(1, 1) };
        let mut cdms =
            Cdms { record: None, now: BEGIN, late: Vec::new(), times: vec![BEGIN], truth: Default::default() };
        let mut store = Store::default();
        if is_there {
            cdms.record = Some(record);
            (store.stored, store.version) = (Stored::Row(snapshot(BEGIN, 1)), 1);
        }
        let mut world = World {
            cdms: Part::new(cdms),
            store: Part::new(store),
            processes: Vec::new(),
            budgets: Part::new(budgets),
            wishes: Arc::new(wishes),
            broken: None,
        };
        for (program, wish) in [1, 2].into_iter().zip(Arc::clone(&world.wishes).iter()) {
            world.start(program, wish.write.name(), Some(wish.operation), wish.machine());
        }
        world.start(1, "read", None, Machine::read());
        world
    }

    fn start(&mut self, program: u8, what: &'static str, operation: Option<OperationId>, mut machine: Machine) {
        let act = machine.step(Event::Start);
        let (holds_lock, checked) = (false, false);
        let process = Process { program, what, operation, machine: Some(machine), act, holds_lock, checked };
        self.processes.push(Part::new(process));
    }

    /// A fingerprint of everything that the future depends on.
    pub(crate) fn print(&mut self, text: &mut String) -> u128 {
        let mut halves = [DefaultHasher::new(), DefaultHasher::new()];
        halves[1].write_u8(1);
        let mut add = |print: u128| halves.iter_mut().for_each(|half| half.write_u128(print));
        add(self.cdms.print(text));
        add(self.store.print(text));
        add(self.budgets.print(text));
        self.processes.iter_mut().for_each(|process| add(process.print(text)));
        u128::from(halves[0].finish()) << 64 | u128::from(halves[1].finish())
    }

    pub(crate) fn is_leased(&self, process: &Process) -> bool {
        process.operation.and_then(|operation| self.store.intent(operation)).is_some_and(|opened| opened.is_leased())
    }

    /// Whether the process's lease covers a request, or did when it was checked.
    pub(crate) fn may_send(&self, process: &Process) -> bool {
        process.checked || self.is_leased(process)
    }

    /// Carries out a step.
    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Go(at) => self.go(at),
            Step::FetchFails(at) => {
                self.budgets.change().losses -= 1;
                self.deliver(at, Event::Fetched(Fetched::Unavailable("lost".into())));
            }
            Step::Refused(at) => {
                self.budgets.change().refusals -= 1;
                let (_, write, _) = self.sent(at);
                self.deliver(at, Event::Answered(refused(write, 500, -2_147_220_891)));
            }
            Step::Deadlock(at, is_carried_out) => {
                self.budgets.change().deadlocks -= 1;
                self.fail_in_cdms(at, is_carried_out, -2_147_204_784);
            }
            Step::Ends(at, is_carried_out) => {
                self.budgets.change().ends -= 1;
                self.fail_in_cdms(at, is_carried_out, -2_147_220_970);
            }
            Step::SessionEnds(at) => {
                self.budgets.change().logins -= 1;
                _ = self.sent(at);
                self.deliver(at, Event::Answered(Answer::LoginLost("401".to_owned())));
            }
            Step::LoginFails(at) => self.deliver(at, Event::LoggedIn(Err(LoginFailure::Failed("no".into())))),
            Step::LostBefore(at) => {
                self.budgets.change().losses -= 1;
                _ = self.sent(at);
                self.deliver(at, lost());
            }
            Step::LostAfter(at) => {
                self.budgets.change().losses -= 1;
                let sent = self.sent(at);
                _ = self.carry_out(&sent);
                self.deliver(at, lost());
            }
            Step::Late(at) => {
                self.budgets.change().lates -= 1;
                let sent = self.sent(at);
                self.cdms.change().late.push(sent);
                self.deliver(at, lost());
            }
            Step::CommitUnanswered(at, stored) => {
                self.budgets.change().outages -= 1;
                if stored {
                    _ = self.commit(at);
                }
                self.deliver(at, Event::Committed(Committed::Unavailable("no answer".to_owned())));
            }
            Step::Sleeps(at, checked) => {
                self.budgets.change().pauses -= 1;
                let operation = self.processes[at].operation;
                self.processes[at].change().checked = checked;
                for opened in &mut self.store.change().intents {
                    if Some(opened.intent.operation) == operation {
                        opened.end_lease();
                    }
                }
            }
            Step::LateApplies(at) => {
                let sent = self.cdms.change().late.remove(at);
                _ = self.carry_out(&sent);
            }
            Step::LateDies(at) => _ = self.cdms.change().late.remove(at),
            Step::Person(edit) => {
                let budgets = self.budgets.change();
                match edit {
                    Edit::Types { .. } => budgets.edits -= 1,
                    Edit::PutsBack => budgets.put_backs -= 1,
                    Edit::Removes => budgets.removals -= 1,
                }
                self.cdms.change().edit(edit, &self.store.intents);
            }
            Step::Crash(program) => {
                self.budgets.change().crashes -= 1;
                for at in (0..self.processes.len()).rev() {
                    if self.processes[at].program == program && !self.processes[at].is_over() {
                        self.over(at, End::Crashed);
                    }
                }
            }
            Step::LeaseEnds(at) => self.store.change().intents[at].end_lease(),
            Step::QuietEnds(at) => {
                let operation = self.store.intents[at].intent.operation;
                if self.cdms.late.iter().any(|(late, ..)| *late == operation) {
                    self.budgets.change().too_lates -= 1;
                    self.cdms.change().truth.entry(operation).or_default().residual = true;
                }
                self.store.change().intents[at].lease = LeaseState::Over;
            }
            Step::Settling(program, operation) => {
                let is_early = self.store.intent(operation).is_some_and(|opened| opened.is_leased());
                let budgets = self.budgets.change();
                budgets.settlings -= 1;
                budgets.too_early -= u8::from(is_early);
                self.start(program, "settling", None, Machine::settle(operation));
            }
        }
        let in_flight = self.in_flight();
        self.demand(in_flight);
    }

    fn demand(&mut self, held: Result<(), String>) {
        if let (None, Err(broken)) = (&self.broken, held) {
            self.broken = Some(broken);
        }
    }

    /// At most one write of the record is on its way to CDMS, except for those sent past their lease.
    fn in_flight(&self) -> Result<(), String> {
        let is_residual = |operation| self.cdms.truth.get(operation).is_some_and(|truth| truth.residual);
        let sending =
            self.processes.iter().filter(|process| matches!(process.act, Act::Send { .. }) && self.is_leased(process));
        let late = self.cdms.late.iter().map(|(operation, ..)| operation).filter(|operation| !is_residual(operation));
        let mut all: Vec<_> = sending.filter_map(|process| process.operation.as_ref()).chain(late).collect();
        all.sort();
        all.dedup();
        if all.len() > 1 { Err("two writes of one record are in flight".to_owned()) } else { Ok(()) }
    }

    fn go(&mut self, at: usize) {
        let event = match &self.processes[at].act {
            Act::Over(_) => return,
            Act::Lock => {
                self.processes[at].change().holds_lock = true;
                Event::Locked
            }
            Act::Load => Event::Loaded(Box::new(self.store.load())),
            Act::Fetch => Event::Fetched(self.cdms.record.clone().map_or(Fetched::Gone, Fetched::Record)),
            Act::Commit(_) => Event::Committed(self.commit(at)),
            Act::Send { .. } if !self.may_send(&self.processes[at]) => {
                Event::Answered(Answer::NotSent("the lease is over".into()))
            }
            Act::Send { .. } => {
                let sent = self.sent(at);
                Event::Answered(self.carry_out(&sent))
            }
            Act::Login => Event::LoggedIn(Ok(())),
            Act::Pause => Event::Resumed,
        };
        self.deliver(at, event);
    }

    /// What the process sends.
    fn sent(&mut self, at: usize) -> Sent {
        let process = &self.processes[at];
        let (Act::Send { write, body }, Some(operation)) = (&process.act, process.operation) else {
            unreachable!("expected a send, found {:?}", process.act)
        };
        let sent = (operation, *write, body.clone());
        let intended = promises::intended(self, &sent);
        self.demand(intended);
        if !self.is_leased(&self.processes[at]) {
            self.cdms.change().truth.entry(operation).or_default().residual = true;
        }
        self.processes[at].change().checked = false;
        sent
    }

    /// CDMS answers a write with an error that proves nothing, whether or not it carried the write out.
    fn fail_in_cdms(&mut self, at: usize, is_carried_out: bool, code: i32) {
        let sent = self.sent(at);
        if is_carried_out {
            _ = self.carry_out(&sent);
        }
        self.cdms.change().truth.entry(sent.0).or_default().looked_at = true;
        self.deliver(at, Event::Answered(refused(sent.1, 500, code)));
    }

    fn carry_out(&mut self, sent: &Sent) -> Answer<String> {
        let (operation, ..) = *sent;
        let before = self.cdms.truth.get(&operation).map_or(0, |truth| truth.carried_out);
        let answer = self.cdms.change().carry_out(sent, &self.store.intents);
        let carried_out = self.cdms.truth.get(&operation).map_or(0, |truth| truth.carried_out);
        if carried_out > before {
            let late = promises::carried_out(self, operation);
            if late == Ok(true) {
                self.cdms.change().truth.entry(operation).or_default().residual = true;
            }
            self.demand(late.map(drop));
        }
        answer
    }

    fn commit(&mut self, at: usize) -> Committed {
        let Act::Commit(commit) = &self.processes[at].act else { unreachable!("expected a commit") };
        let commit = commit.clone();
        let committed = self.store.change().commit(&commit, &self.cdms.times, &self.cdms.late);
        let committed = match committed {
            Ok(committed) => committed,
            Err(broken) => {
                self.demand(Err(broken));
                Committed::Lost
            }
        };
        if matches!(committed, Committed::Done(_)) {
            match &commit.intent {
                IntentChange::Open(intent) => {
                    self.cdms.change().opened(intent);
                    let wished = promises::wished(self, intent);
                    self.demand(wished);
                }
                IntentChange::Close { operation, .. } => {
                    let settled = promises::settled(self, *operation).map(drop);
                    let is_by_writer = self.processes[at].operation == Some(*operation);
                    let answered = if is_by_writer { promises::answered(self, *operation) } else { Ok(()) };
                    self.demand(settled.and(answered));
                }
                IntentChange::Keep | IntentChange::Ended { .. } | IntentChange::Release { .. } => {}
            }
        }
        committed
    }

    /// Passes an event to a process. This changes only the process, so it does not need a step of its own.
    fn deliver(&mut self, at: usize, event: Event<String>) {
        let is_stored = matches!(event, Event::Committed(_));
        let process = self.processes[at].change();
        let Some(machine) = &mut process.machine else { unreachable!("it is over") };
        process.act = machine.step(event);
        if let Act::Over(end) = &process.act {
            let end = end.clone();
            let checked = promises::ended(self, &end, is_stored);
            self.demand(checked);
            self.over(at, end);
        }
    }

    /// Removes what no longer affects anything.
    fn over(&mut self, at: usize, end: End) {
        if self.processes[at].operation.is_none() {
            self.processes.remove(at);
            return;
        }
        let process = self.processes[at].change();
        let end = if matches!(end, End::Ok(_)) { End::Ok(None) } else { end };
        (process.machine, process.act, process.holds_lock, process.checked) = (None, Act::Over(end), false, false);
    }

    /// Lets all time pass, settles every open write, and reads the record once.
    pub(crate) fn finish(&mut self) {
        self.store.change().intents.iter_mut().for_each(|opened| opened.lease = LeaseState::Over);
        while let Some(open) = self.store.open().map(|open| open.intent.operation) {
            self.run("settling", Machine::settle(open));
            if self.store.open().is_some_and(|still| still.intent.operation == open) {
                return self.demand(Err(format!("the write {open} is never settled")));
            }
        }
        self.run("read", Machine::read());
    }

    fn run(&mut self, what: &'static str, machine: Machine) {
        let at = self.processes.len();
        self.start(2, what, None, machine);
        while self.processes.len() > at {
            self.go(at);
        }
    }
}

impl Process {
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.act, Act::Over(_))
    }
}

fn lost() -> Event<String> {
    Event::Answered(Answer::Lost("lost".into()))
}
