//! Pulls, sweeps and lists of programs: the shipped decisions, driven page by page as the runtime drives them.

mod pages;

use cdms_odata::Instant;
use datahub_protocol::{
    Changes, Mapping as _, Read, Record, Sighting, Stored, ToldTime, Version, missing_max, overlap_ms,
    watermark_of_load,
};
use uuid::Uuid;

use super::process::Machine;
use super::{Outcome, PROGRAMS, World};
use crate::cdms::{Place, Wanted};
use crate::mapping::Model;
use crate::store::{Progress, QUIET_MS, Scope};

/// A pull, a sweep or a list of a program.
pub(crate) struct Course {
    pub(super) program: usize,
    model: Model,
    /// None for a list, which a caller waits for and which keeps no progress.
    scope: Option<Scope>,
    run: u64,
    /// The run whose progress it continues with its first page.
    takes_over: u64,
    at: Progress,
    changes: Option<Changes>,
    resumed: bool,
    /// When it began, by the hub's clock.
    begun: i64,
    newest_met: Option<Instant>,
    /// When the page was asked for: the newest version, the length of CDMS's log, and the time.
    asked: (Version, usize, i64),
    next: Next,
    /// Whether it says that the rows have everything before it.
    vouches: bool,
    /// The records to be read on their own.
    alone: Vec<Uuid>,
    /// The read of one of them.
    reading: Option<usize>,
}

/// What a course does next.
enum Next {
    /// It asks for the newest change of all.
    Newest,
    Ask,
    /// The request is on its way to CDMS.
    Sent,
    /// The answer is on its way back.
    Answered {
        records: Vec<(Uuid, Result<Record, String>)>,
        next: Option<Place>,
        date: Option<Instant>,
    },
    /// It reads records on their own; then it is over, or goes on with the next page.
    Alone {
        is_last: bool,
    },
    /// A sweep looks for what is missing.
    Confirm,
    Over,
}

impl Course {
    pub(super) fn is_over(&self) -> bool {
        matches!(self.next, Next::Over)
    }

    fn kind(&self) -> &'static str {
        match self.scope {
            None => "list",
            Some(Scope::Load(_)) => "first load",
            Some(Scope::Changes(_)) => "pull of changes",
            Some(Scope::Sweep) => "sweep",
        }
    }

    fn wanted(&self) -> Wanted {
        match &self.changes {
            Some(changes) => Wanted::ChangedSince(changes.since),
            None => Wanted::OfModel,
        }
    }
}

impl World {
    /// A program begins a pull, a sweep or a list.
    pub(super) fn begin_course(&mut self) {
        let program = self.rng.usize(..PROGRAMS.len());
        match self.rng.u32(..100) {
            0..50 => self.pull(program, false),
            50..56 => self.pull(program, true),
            56..75 => self.sweep(program),
            _ => self.set_out(program, None, Progress::default(), Next::Ask),
        }
    }

    /// Begins a pull or goes on with one: the first load until it is complete, and then what has changed.
    pub(crate) fn pull(&mut self, program: usize, restart: bool) {
        let tag = PROGRAMS[program].tag();
        let known = |scope| self.store.pulls.get(&scope).cloned().unwrap_or_default();
        let (mut load, mut changes) = (known(Scope::Load(tag)), known(Scope::Changes(tag)));
        let is_under_way = load.next.is_some() && load.newest.is_some() && load.asked.is_some();
        let asked = Some(self.cdms.log.len());
        let Some(watermark) = changes.watermark.filter(|_| !restart && !is_under_way) else {
            if restart || !is_under_way {
                load = Progress { asked, ..Progress::default() };
            }
            let next = if load.newest.is_some() { Next::Ask } else { Next::Newest };
            return self.set_out(program, Some(Scope::Load(tag)), load, next);
        };
        let goes_on = changes.since.filter(|_| changes.asked.is_some());
        let overlap_ms = overlap_ms(QUIET_MS.unsigned_abs(), 0);
        let reads = match goes_on {
            Some(since) => Changes { watermark, since, begun: changes.begun, newest: changes.newest },
            None => {
                (changes.since, changes.asked) = (None, asked);
                changes.pending.clear();
                Changes::since(watermark, overlap_ms)
            }
        };
        self.set_out(program, Some(Scope::Changes(tag)), changes, Next::Ask);
        if let Some(course) = self.courses.last_mut() {
            (course.resumed, course.changes) = (goes_on.is_some(), Some(reads));
        }
    }

    /// Begins a sweep or goes on with one.
    pub(crate) fn sweep(&mut self, program: usize) {
        let known = self.store.pulls.get(&Scope::Sweep).cloned().unwrap_or_default();
        let goes_on = (known.next.is_some() || known.has_listed) && known.version.is_some();
        let (version, asked) = (Some(self.store.newest_version()), Some(self.cdms.log.len()));
        let at = if goes_on { known } else { Progress { version, asked, ..Progress::default() } };
        let next = if at.has_listed { Next::Confirm } else { Next::Ask };
        self.set_out(program, Some(Scope::Sweep), at, next);
    }

    fn set_out(&mut self, program: usize, scope: Option<Scope>, mut at: Progress, next: Next) {
        self.next_run += 1;
        let (run, takes_over) = (self.next_run, at.run);
        // A pull of changes takes over with its first page, everything else at once.
        if let Some(scope @ (Scope::Load(_) | Scope::Sweep)) = scope {
            at.run = run;
            self.store.pulls.insert(scope, at.clone());
        }
        let course = Course {
            program,
            model: PROGRAMS[program],
            scope,
            run,
            takes_over,
            resumed: at.next.is_some(),
            at,
            changes: None,
            begun: self.now,
            newest_met: None,
            asked: (self.store.newest_version(), self.cdms.log.len(), self.now),
            next,
            vouches: matches!(scope, Some(Scope::Changes(_))),
            alone: Vec::new(),
            reading: None,
        };
        self.log_step(|_| format!("program {program} begins a {}", course.kind()));
        self.courses.push(course);
    }

    /// A course takes one step, if it can.
    pub(super) fn go_course(&mut self, at: usize) {
        let mut course = self.courses.swap_remove(at);
        self.step_course(&mut course);
        if course.is_over() {
            self.log_step(|_| format!("a {} of program {} is over", course.kind(), course.program));
        } else {
            self.courses.push(course);
        }
    }

    fn step_course(&mut self, course: &mut Course) {
        match std::mem::replace(&mut course.next, Next::Over) {
            Next::Newest => {
                if self.happens("a page without an answer", 40) {
                    return;
                }
                let told = ToldTime { date: self.date(), took_ms: self.since(course.begun) };
                course.at.newest = Some(watermark_of_load(self.cdms.newest_change(), told));
                course.next = Next::Ask;
            }
            Next::Ask => {
                // For the first page of changes it is the version with which the pull began.
                let version = match course.changes {
                    Some(_) if course.asked.2 == course.begun => course.asked.0,
                    _ => self.store.newest_version(),
                };
                course.asked = (version, self.cdms.log.len(), self.now);
                course.next = Next::Sent;
            }
            Next::Sent => {
                if self.happens("a page without an answer", 40) {
                    return;
                }
                let page = self.cdms.page(course.model, course.wanted(), course.at.next);
                let each = page.records.into_iter().map(|(id, record)| {
                    let is_broken = self.happens("a record of a page that cannot be parsed", 5);
                    (id, if is_broken { Err("not of its kind".to_owned()) } else { Ok(record) })
                });
                let records = each.collect();
                course.next = Next::Answered { records, next: page.next, date: self.date() };
            }
            Next::Answered { records, next, date } => self.answered(course, records, next, date),
            Next::Alone { is_last } => self.alone(course, is_last),
            Next::Confirm => self.confirm(course),
            Next::Over => {}
        }
    }

    /// The time that CDMS dates its responses with, where nothing removes it.
    fn date(&self) -> Option<Instant> {
        self.has_dates.then(|| self.cdms.second())
    }

    fn since(&self, begun: i64) -> u64 {
        u64::try_from(self.now - begun).unwrap_or(0)
    }

    /// Reads what could not be judged by the page, one record after the other.
    fn alone(&mut self, course: &mut Course, is_last: bool) {
        if let Some(reading) = course.reading {
            if !self.processes[reading].is_over() {
                course.next = Next::Alone { is_last };
                return;
            }
            course.reading = None;
            let process = &self.processes[reading];
            let (id, now) = (process.id, self.cdms.log.len());
            match process.outcome() {
                Some(Outcome::Saw(Sighting::Current { .. })) => {
                    course.at.pending.remove(&id);
                    course.at.listed.insert(id);
                }
                Some(Outcome::Saw(Sighting::Pending { .. })) => self.left_to_a_write(course, id),
                Some(Outcome::Failed(failure)) => match failure.name() {
                    "gone" | "not_found" | "left" => _ = course.at.pending.remove(&id),
                    "unsettled" | "busy" => self.left_to_a_write(course, id),
                    _ => _ = course.at.not_given.insert(id, now),
                },
                // Its program has crashed.
                _ => return,
            }
            // What was not given is part of what it reports; the sweep notes what it has read.
            self.keep_if_claimed(course);
        }
        let Some(id) = course.alone.pop() else {
            if is_last {
                self.complete(course);
            } else {
                course.next = Next::Ask;
            }
            return;
        };
        let machine = Machine::Read(Box::new(Read::new(course.model, 0)));
        course.reading = Some(self.processes.len());
        self.start(course.program, id, machine, None);
        course.next = Next::Alone { is_last };
    }

    /// A write of the record is open, or was: its own end finds out what CDMS has.
    fn left_to_a_write(&mut self, course: &mut Course, id: Uuid) {
        course.at.pending.insert(id);
        self.met_open.extend(self.store.open(id).map(|open| open.intent.operation));
    }

    /// Keeps what was read on its own. If another program has taken over, only the checks know what was not given.
    fn keep_if_claimed(&mut self, course: &mut Course) {
        let Some(known) = course.scope.and_then(|scope| self.store.pulls.get_mut(&scope)) else { return };
        if known.run == course.run {
            return self.keep(course);
        }
        known.join(&course.at.not_given);
    }

    /// A sweep has listed everything: it looks at the rows that are missing, unless they are too many.
    fn confirm(&mut self, course: &mut Course) {
        let Some(before) = course.at.version else { return };
        let rows = self.store.kept.iter().filter_map(|(id, kept)| match &kept.stored {
            Stored::Row(row) if row.version <= before => Some(*id),
            _ => None,
        });
        let rows: Vec<_> = rows.collect();
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let missing = rows.into_iter().filter(|id| !course.at.listed.contains(id));
        let (open, missing): (Vec<_>, Vec<_>) = missing.partition(|id| self.store.open(*id).is_some());
        // A write finds out itself, or the next sweep.
        course.at.pending.extend(open);
        course.alone = missing;
        if u64::try_from(course.alone.len()).unwrap_or(u64::MAX) > missing_max(count) {
            return;
        }
        for _ in &course.alone {
            self.count("sweep: a row is missing from the list");
        }
        course.next = Next::Alone { is_last: true };
    }

    /// The end of a course: what it vouches for is checked.
    fn complete(&mut self, course: &mut Course) {
        self.count(&format!("{}: complete", course.kind()));
        let model = course.model;
        match course.scope {
            Some(scope @ (Scope::Load(_) | Scope::Changes(_))) if course.vouches => {
                if let Some(known) = self.store.pulls.get(&scope) {
                    course.at.join(&known.not_given);
                }
                if matches!(course.scope, Some(Scope::Load(_))) {
                    self.check_loaded(model, &course.at);
                }
                self.check_pulled(model, &course.at);
            }
            None | Some(Scope::Load(_) | Scope::Changes(_)) => {}
            Some(Scope::Sweep) => {
                self.check_swept(&course.at);
                if self.is_claimed(course) {
                    course.at = Progress::default();
                    self.keep(course);
                }
            }
        }
    }
}
