//! The searched world of lists: three records on both sides, two programs, and what may happen next.

use cdms_odata::Instant;
use datahub_protocol::{Commit, Guard, Loaded, Record, RecordChange, Stored, TombstoneReason, Version};

use super::cdms::{RECORDS, record};
use super::course::{Course, Progress, What};

/// For how many seconds CDMS may execute a request: so much later than it is dated a change is committed.
pub(super) const EXECUTION: i64 = 1;

/// How often each thing may happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budgets {
    /// A second passes.
    pub(super) ticks: u8,
    /// A person changes a record.
    pub(super) edits: u8,
    /// A person changes a record, which CDMS dates at once and commits later.
    pub(super) late: u8,
    /// A record leaves the model.
    pub(super) departures: u8,
    /// A person removes a record.
    pub(super) removals: u8,
    /// A program begins a first load or a pull of changes, a sweep, a list, or a read that revalidates a row.
    pub(super) pulls: u8,
    pub(super) sweeps: u8,
    pub(super) lists: u8,
    pub(super) reads: u8,
    /// A program stops in the middle of one.
    pub(super) stops: u8,
}

impl Budgets {
    pub(super) const NONE: Budgets = Budgets {
        ticks: 0,
        edits: 0,
        late: 0,
        departures: 0,
        removals: 0,
        pulls: 0,
        sweeps: 0,
        lists: 0,
        reads: 0,
        stops: 0,
    };
}

/// A record on both sides.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// What it has been in CDMS, up to now; `None` where it was removed.
    pub(super) states: Vec<Option<Record>>,
    pub(super) stored: Stored,
    /// The newest time of change that a caller was shown.
    pub(super) shown: Instant,
}

/// A read of one record: what it loaded and what CDMS has answered.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) key: usize,
    pub(super) machine: crate::machine::Machine,
    /// The state that CDMS has answered with.
    pub(super) saw: Option<usize>,
    pub(super) act: crate::machine::Act,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    /// Seconds.
    pub(super) now: i64,
    pub(super) lines: [Line; RECORDS],
    /// The changes that are dated and not yet committed: the record, and the time.
    late: Vec<(usize, i64)>,
    pub(super) version: i64,
    /// The progress of first loads, of pulls of changes and of sweeps.
    pub(super) progress: [Progress; 3],
    pub(super) runs: u8,
    /// What each program does.
    pub(super) courses: [Option<Course>; 2],
    /// A revalidation.
    pub(super) reading: Option<Reading>,
    value: i32,
    budgets: Budgets,
    pub(super) broken: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Tick,
    Edits(usize),
    Dates(usize),
    Commits(usize),
    Leaves(usize),
    Removes(usize),
    Begins(usize, What),
    Goes(usize),
    Stops(usize),
    Reads(usize),
    ReadGoes,
}

impl World {
    /// Three records that were made one after the other; the hub has read them all, or nothing.
    pub(super) fn new(is_loaded: bool, budgets: Budgets) -> Self {
        let line = |key: usize| {
            let made = record(1 + i64::try_from(key).unwrap_or(0), 1, true);
            let stored = match is_loaded {
                true => Stored::Row(row(&made, 1)),
                false => Stored::Absent,
            };
            Line { states: vec![Some(made)], stored, shown: Instant(0) }
        };
        let mut progress = [(); 3].map(|()| Progress::default());
        if is_loaded {
            progress[What::Changes as usize].watermark = Some(Instant(3_000));
        }
        World {
            now: 4,
            lines: [0, 1, 2].map(line),
            late: Vec::new(),
            version: i64::from(is_loaded),
            progress,
            runs: 0,
            courses: [None, None],
            reading: None,
            value: 1,
            budgets,
            broken: None,
        }
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let budgets = &self.budgets;
        let is_busy = self.reading.is_some() || self.courses.iter().any(Option::is_some);
        let may_begin = budgets.pulls + budgets.sweeps + budgets.lists > 0;
        // A change of people matters only if something is read after it.
        if is_busy || may_begin {
            for (key, line) in self.lines.iter().enumerate() {
                let record = line.states.last().and_then(Option::as_ref);
                let is_free = !self.late.iter().any(|(late, _)| *late == key);
                if record.is_none() || !is_free {
                    continue;
                }
                let each = [
                    (budgets.edits, Step::Edits(key)),
                    (budgets.late, Step::Dates(key)),
                    (budgets.departures, Step::Leaves(key)),
                    (budgets.removals, Step::Removes(key)),
                ];
                steps.extend(each.into_iter().filter(|(left, _)| *left > 0).map(|(_, step)| step));
            }
            if budgets.ticks > 0 && self.late.iter().all(|(_, dated)| self.now - dated < EXECUTION) {
                steps.push(Step::Tick);
            }
        }
        steps.extend((0..self.late.len()).map(Step::Commits));
        for (program, course) in self.courses.iter().enumerate() {
            match course {
                Some(_) => {
                    steps.push(Step::Goes(program));
                    if budgets.stops > 0 {
                        steps.push(Step::Stops(program));
                    }
                }
                // Both programs are the same.
                None if program == 1 && self.courses[0].is_none() => {}
                None => {
                    let pull = if self.progress[What::Changes as usize].watermark.is_some() {
                        What::Changes
                    } else {
                        What::Load
                    };
                    let each = [(budgets.pulls, pull), (budgets.sweeps, What::Sweep), (budgets.lists, What::List)];
                    steps.extend(
                        each.into_iter().filter(|(left, _)| *left > 0).map(|(_, what)| Step::Begins(program, what)),
                    );
                }
            }
        }
        match &self.reading {
            Some(_) => steps.push(Step::ReadGoes),
            None if budgets.reads > 0 => steps.extend((0..RECORDS).map(Step::Reads)),
            None => {}
        }
        steps
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Tick => {
                self.budgets.ticks -= 1;
                self.now += 1;
            }
            Step::Edits(key) => {
                self.budgets.edits -= 1;
                self.change(key, self.now, true);
            }
            Step::Dates(key) => {
                self.budgets.late -= 1;
                self.late.push((key, self.now));
            }
            Step::Commits(at) => {
                let (key, dated) = self.late.remove(at);
                self.change(key, dated, true);
            }
            Step::Leaves(key) => {
                self.budgets.departures -= 1;
                self.change(key, self.now, false);
            }
            Step::Removes(key) => {
                self.budgets.removals -= 1;
                self.lines[key].states.push(None);
            }
            Step::Begins(program, what) => {
                match what {
                    What::Load | What::Changes => self.budgets.pulls -= 1,
                    What::Sweep => self.budgets.sweeps -= 1,
                    What::List => self.budgets.lists -= 1,
                }
                self.begin(program, what);
            }
            Step::Goes(program) => self.go(program),
            Step::Stops(program) => {
                self.budgets.stops -= 1;
                self.courses[program] = None;
            }
            Step::Reads(key) => {
                self.budgets.reads -= 1;
                self.show(key);
                self.reading = Some(Reading::new(key));
            }
            Step::ReadGoes => {
                if let Some(mut reading) = self.reading.take()
                    && !self.read(&mut reading)
                {
                    self.reading = Some(reading);
                }
            }
        }
    }

    fn change(&mut self, key: usize, second: i64, stays: bool) {
        self.value += 1;
        let last = self.lines[key].states.last().and_then(Option::as_ref);
        let is_of_model = stays && last.is_none_or(|last| super::promises::is_of_model(Some(last)));
        let new = record(second, self.value, is_of_model);
        self.lines[key].states.push(Some(new));
    }

    pub(super) fn now_in_cdms(&self) -> Instant {
        Instant(self.now * 1_000)
    }

    pub(super) fn load(&self, key: usize) -> Loaded {
        Loaded { stored: self.lines[key].stored.clone(), ..Loaded::default() }
    }

    /// Runs a transaction of a record; returns whether its guard held. `looked_at` are the states of the record that it
    /// may know.
    pub(super) fn commit(
        &mut self,
        key: usize,
        commit: &Commit<String>,
        looked_at: std::ops::RangeInclusive<usize>,
    ) -> bool {
        let version = match &self.lines[key].stored {
            Stored::Absent => None,
            Stored::Row(row) | Stored::Tombstone(row, _) => Some(row.version),
        };
        if !matches!(commit.guard, Guard::Unchanged { version: wanted, .. } if wanted == version) {
            return false;
        }
        self.version += 1;
        let version = Version(self.version);
        match &commit.record {
            RecordChange::Put { row, .. } => {
                let new = row.clone().at(version, 1);
                self.may_follow(key, &new);
                self.lines[key].stored = Stored::Row(new);
            }
            RecordChange::Tombstone { reason, last } => {
                self.may_end(key, *reason, looked_at);
                self.lines[key].stored = Stored::Tombstone(last.clone().at(version, 1), *reason);
            }
            _ => {}
        }
        true
    }

    /// Pulls and sweeps once more, after those that go on with what has stopped: everything is found.
    pub(super) fn finish(&mut self) {
        for what in [What::Load, What::Changes, What::Changes, What::Sweep, What::Sweep] {
            if what == What::Load && self.progress[What::Changes as usize].watermark.is_some() {
                continue;
            }
            self.begin(0, what);
            while self.courses[0].is_some() && self.broken.is_none() {
                self.go(0);
            }
        }
        self.agrees();
    }

    pub(super) fn demand(&mut self, holds: bool, broken: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(broken());
        }
    }
}

fn row(record: &Record, version: i64) -> datahub_protocol::Snapshot {
    datahub_protocol::Snapshot {
        version: Version(version),
        facts: record.facts,
        seen: record.attributes.clone(),
        complete_for: vec![1],
        outdated: Default::default(),
    }
}

/// Whether a tombstone says that the record is gone.
pub(super) fn is_gone(reason: TombstoneReason) -> bool {
    reason != TombstoneReason::LeftModel
}
