//! What callers of the programs request: reads, writes based on what they have loaded, settlements.

use cdms_odata::Value;
use datahub_protocol::{
    Base, Create, Delete, Event, Mapping as _, OnConflict, OperationId, Read, Settle, Snapshot, Update,
};
use uuid::Uuid;

use super::process::{Act, Machine};
use super::{IDS, PROGRAMS, Process, World};
use crate::cdms::OUR_USER;
use crate::mapping::{FORBIDDEN, Model};

impl World {
    pub(super) fn begin(&mut self) {
        let program = self.rng.usize(..PROGRAMS.len());
        let id = IDS[self.rng.usize(..IDS.len())];
        let choice = self.rng.u32(..100);
        let base = self.base(program);
        match (choice, base) {
            (0..30, _) => {
                // A caller may get the row at once, and the read is its revalidation.
                if self.rng.u8(..) < 80 {
                    self.show(id);
                }
                self.start(program, id, Machine::Read(Box::new(Read::new(PROGRAMS[program], 0))), None);
            }
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
                let Ok(values) = PROGRAMS[program].decode(&base.facts, &base.seen) else { return };
                let mut mine = values.to_vec();
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
                let machine =
                    Update::new(PROGRAMS[program], Base { seen: base.seen, values }, mine, false, policy, operation, 0);
                self.start(program, id, Machine::Update(Box::new(machine)), Some(operation));
            }
        }
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

    pub(super) fn start(&mut self, program: usize, id: Uuid, machine: Machine, operation: Option<OperationId>) {
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
            looked_at: self.now,
            saw: None,
            found: None,
            skew_ms,
            has_sent: false,
            close_failed: false,
        };
        process.step(Event::Start);
        self.log_step(|_| format!("program {program} begins a {} of {id} {operation:?}", process.kind()));
        self.processes.push(process);
    }

    /// After a restore, someone decides in favor of CDMS, at the end.
    fn skew(&self) -> i64 {
        if self.restored.is_some() && !self.troubled { i64::MAX } else { 0 }
    }

    /// What a caller of this program has loaded, recently or some time ago.
    fn base(&mut self, program: usize) -> Option<(Uuid, Snapshot)> {
        let tag = PROGRAMS[program].tag();
        let fit: Vec<_> = self.loaded.iter().filter(|(_, base)| base.complete_for.contains(&tag)).collect();
        let newest = fit.len().min(6);
        (newest > 0).then(|| fit[fit.len() - 1 - self.rng.usize(..newest)].clone())
    }

    fn policy(&mut self) -> OnConflict {
        if self.rng.u8(..) < 50 { OnConflict::Reject } else { OnConflict::LastWriterWins }
    }

    /// A value of the field over two attributes that shares no part with any other value.
    fn joined(&mut self) -> Value {
        let value = self.value() % 1_000;
        Value::Integer(value * 1_000 + value)
    }

    fn operation(&mut self) -> OperationId {
        self.next_operation += 1;
        OperationId(Uuid::from_u128(self.next_operation))
    }
}
