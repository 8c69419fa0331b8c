//! The simulated world: programs at work, people, time, and everything that can go wrong, driven by a seed.

mod callers;
mod checks;
mod courses;
mod people;
mod process;
mod sending;
mod steps;
mod vouched;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use cdms_odata::{Attributes, Instant};
use datahub_protocol::{OperationId, Snapshot, Stored, WriteKind};
use fastrand::Rng;
use uuid::Uuid;

use self::courses::Course;
pub(crate) use self::process::{Outcome, Process};
use self::vouched::Shown;
pub(crate) use self::words::{outcome_word, verdict_word};
use crate::cdms::{Cdms, Whims};
use crate::mapping::Model;
use crate::store::Store;

/// The records of the world.
pub(crate) const IDS: [Uuid; 4] = [Uuid::from_u128(11), Uuid::from_u128(12), Uuid::from_u128(13), Uuid::from_u128(14)];

/// Two programs of the newer version and one of the older version.
const PROGRAMS: [Model; 3] = [Model::Wide, Model::Narrow, Model::Wide];

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: i64,
    pub(crate) cdms: Cdms,
    pub(crate) store: Store,
    pub(crate) processes: Vec<Process>,
    /// The pulls, sweeps and lists under way.
    courses: Vec<Course>,
    next_run: u64,
    /// Whether CDMS's responses are dated.
    has_dates: bool,
    shown: Shown,
    /// The records whose row was stored once by an operation that had read them longer ago than a pull looks back.
    stored_late: BTreeSet<Uuid>,
    /// The open writes that pulls met.
    met_open: BTreeSet<OperationId>,
    late: Vec<Late>,
    /// What callers have loaded and may change.
    loaded: Vec<(Uuid, Snapshot)>,
    /// Whether things go wrong.
    pub(crate) troubled: bool,
    /// The length of CDMS's log when CDMS was restored from a backup, so that its times went back.
    pub(crate) restored: Option<usize>,
    next_value: i32,
    next_operation: u128,
    /// Writes with weaker promises (docs/promises.md, 4): sent past the lease, or carried out past the quiet period.
    pub(crate) delayed: BTreeSet<OperationId>,
    /// Writes that CDMS answered with an error that proves nothing, so that their writers look at the record.
    pub(crate) looked_at: BTreeSet<OperationId>,
    /// The length of CDMS's log when someone looked and gave a write its verdict.
    pub(crate) judged: BTreeMap<OperationId, usize>,
    /// How often each trouble and each result occurred.
    pub(crate) tally: BTreeMap<String, u64>,
    /// The first promise that was broken.
    pub(crate) broken: Option<String>,
    pub(crate) trace: Option<Vec<String>>,
}

/// A write that CDMS carries out after its caller has given up.
struct Late {
    at: i64,
    /// The time that it is dated with, if that is earlier.
    dated: Option<i64>,
    operation: OperationId,
    write: WriteKind,
    id: Uuid,
    body: Attributes,
}

impl World {
    pub(crate) fn new(seed: u64, traced: bool) -> Self {
        let mut world = World {
            rng: Rng::with_seed(seed),
            now: 1_000_000_000,
            cdms: Cdms::default(),
            store: Store::default(),
            processes: Vec::new(),
            courses: Vec::new(),
            next_run: 0,
            has_dates: !seed.is_multiple_of(8),
            shown: Shown::new(),
            stored_late: BTreeSet::new(),
            met_open: BTreeSet::new(),
            late: Vec::new(),
            loaded: Vec::new(),
            troubled: true,
            restored: None,
            next_value: 1,
            next_operation: 1,
            delayed: BTreeSet::new(),
            looked_at: BTreeSet::new(),
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

    fn log_step(&mut self, what: impl FnOnce(&World) -> String) {
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

    /// Whether this happens now, given how often it happens in a thousand times.
    fn happens(&mut self, what: &str, in_thousand: u32) -> bool {
        let happens = self.troubled && self.rng.u32(..1_000) < in_thousand;
        if happens {
            self.count(what);
            let what = what.to_owned();
            self.log_step(|_| format!("  ! {what}"));
        }
        happens
    }

    fn value(&mut self) -> i32 {
        self.next_value += 1;
        self.next_value
    }

    /// One step: something begins, or something under way continues.
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
        // After CDMS was restored from a backup, its times say nothing about what has changed.
        if *operations_left > 0 && self.courses.len() < 2 && self.restored.is_none() && self.rng.u8(..) < 24 {
            return self.begin_course();
        }
        if !busy.is_empty() && self.happens("a crash", 4) {
            let program = self.rng.usize(..PROGRAMS.len());
            self.log_step(|_| format!("program {program} crashes"));
            for process in self.processes.iter_mut().filter(|process| process.program == program) {
                process.crashed |= process.outcome().is_none();
            }
            self.courses.retain(|course| course.program != program);
            return;
        }
        if !self.courses.is_empty() && self.rng.u8(..) < 100 {
            let at = self.rng.usize(..self.courses.len());
            return self.go_course(at);
        }
        if let Some(at) = (!busy.is_empty()).then(|| busy[self.rng.usize(..busy.len())]) {
            self.go(at);
        }
    }

    /// Lets time pass; CDMS carries out its late writes on the way.
    pub(crate) fn pass(&mut self, ms: i64) {
        let until = self.now + ms;
        while let Some(at) = (0..self.late.len()).min_by_key(|at| self.late[*at].at) {
            if self.late[at].at > until {
                break;
            }
            let late = self.late.swap_remove(at);
            self.now = self.now.max(late.at);
            self.cdms.now = self.now;
            self.log_step(|_| format!("CDMS carries out {} late", late.operation));
            let whims = Whims { dated: late.dated, ..Whims::default() };
            _ = self.cdms.write((late.operation, late.write), late.id, &late.body, whims);
        }
        self.now = until;
        self.cdms.now = until;
    }

    pub(crate) fn modified(&self, id: Uuid) -> Option<Instant> {
        self.cdms.records.get(&id).map(|record| record.facts.modified)
    }

    pub(crate) fn stored(&self, id: Uuid) -> Stored {
        self.store.kept.get(&id).map(|kept| kept.stored.clone()).unwrap_or_default()
    }

    /// Carries everything that is under way to its end.
    pub(crate) fn finish(&mut self) {
        let mut rounds = 0;
        while !self.courses.is_empty() || self.processes.iter().any(|process| !process.is_over()) {
            for at in (0..self.courses.len()).rev() {
                self.go_course(at);
            }
            for at in 0..self.processes.len() {
                if !self.processes[at].is_over() {
                    self.go(at);
                }
            }
            self.pass(1_000);
            rounds += 1;
            assert!(rounds < 10_000, "an operation does not end");
        }
    }
}
