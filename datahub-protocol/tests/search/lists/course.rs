//! Pulls, sweeps, lists and reads of the searched programs: the shipped decisions, step by step.

use cdms_odata::Instant;
use datahub_protocol::{
    AfterPage, Changes, Committed, Event, Fetched, Listed, Stored, ToldTime, Version, listed, missing_max, overlap_ms,
    watermark_after_load, watermark_of_load,
};

use super::cdms::{Page, Place, RECORDS, Wanted, page};
use super::promises::newest;
use super::world::{EXECUTION, Reading, World};
use crate::machine::{Act, End, Machine};
use crate::mapping::Two;

/// What a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Load,
    Changes,
    Sweep,
    List,
}

/// How far it has come, in the database.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    run: u8,
    next: Option<Place>,
    since: Option<Instant>,
    begun: Option<Instant>,
    newest: Option<Instant>,
    pub(super) watermark: Option<Instant>,
    /// The state of each record when the list was first asked for.
    asked: Option<[usize; RECORDS]>,
    /// For a sweep: the newest version then, what was listed, and whether that is all.
    version: i64,
    listed: Vec<usize>,
    has_listed: bool,
    /// The records that are read on their own, so that only the next pull is sure to have them if the program stops.
    alone: Vec<usize>,
}

/// A pull, a sweep or a list under way.
#[derive(Clone, Debug)]
pub(super) struct Course {
    what: What,
    run: u8,
    takes_over: u8,
    at: Progress,
    changes: Option<Changes>,
    newest_met: Option<Instant>,
    /// The newest version, and the state of each record, when the page was asked for.
    asked: (i64, [usize; RECORDS]),
    doing: Doing,
    alone: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Doing {
    /// The request for a page is on its way to CDMS.
    Sent,
    /// The answer is on its way back.
    Answered(Page),
    /// Whether the last page was read.
    Alone(bool),
    Read(Box<Reading>, bool),
    Over,
}

impl World {
    fn states(&self) -> [usize; RECORDS] {
        [0, 1, 2].map(|key| self.lines[key].states.len() - 1)
    }

    pub(super) fn begin(&mut self, program: usize, what: What) {
        self.runs += 1;
        let (run, asked) = (self.runs, self.states());
        let known = if what == What::List { Progress::default() } else { self.progress[what as usize].clone() };
        let takes_over = known.run;
        let is_under_way = known.asked.is_some() && (known.next.is_some() || known.since.is_some() || known.has_listed);
        let mut at = match (is_under_way, what) {
            (true, _) => known,
            (false, What::Changes) => Progress { watermark: known.watermark, ..Progress::default() },
            (false, _) => Progress::default(),
        };
        if !is_under_way {
            (at.asked, at.version) = (Some(asked), self.version);
            if what == What::Load {
                at.newest = Some(watermark_of_load(newest(self), self.told(self.now_in_cdms())));
            }
        }
        let changes = (what == What::Changes).then(|| {
            let watermark = at.watermark.unwrap_or(Instant(0));
            match at.since {
                Some(since) => Changes { watermark, since, begun: at.begun, newest: at.newest },
                None => Changes::since(watermark, overlap_ms(EXECUTION.unsigned_abs() * 1_000, 0)),
            }
        });
        if matches!(what, What::Load | What::Sweep) {
            at.run = run;
            self.progress[what as usize] = at.clone();
        }
        let doing = if at.has_listed { Doing::Alone(true) } else { Doing::Sent };
        let asked = (self.version, asked);
        let mut course =
            Course { what, run, takes_over, at, changes, newest_met: None, asked, doing, alone: Vec::new() };
        if course.at.has_listed {
            self.look_for_missing(&mut course);
        }
        self.courses[program] = Some(course);
    }

    fn told(&self, date: Instant) -> ToldTime {
        ToldTime { date: Some(date), took_ms: 0 }
    }

    pub(super) fn go(&mut self, program: usize) {
        let Some(mut course) = self.courses[program].take() else { return };
        match std::mem::replace(&mut course.doing, Doing::Over) {
            Doing::Sent => {
                let wanted = match &course.changes {
                    Some(changes) => Wanted::ChangedSince(changes.since),
                    None => Wanted::OfModel,
                };
                let records = [0, 1, 2].map(|key| self.lines[key].states.last().and_then(Option::as_ref));
                course.doing = Doing::Answered(page(records, wanted, course.at.next, self.now_in_cdms()));
            }
            Doing::Answered(page) => self.answered(&mut course, page),
            Doing::Alone(is_last) => match course.alone.pop() {
                Some(key) => course.doing = Doing::Read(Box::new(Reading::new(key)), is_last),
                None if is_last => self.complete(&mut course),
                None => self.ask(&mut course),
            },
            Doing::Read(mut reading, is_last) => {
                let is_over = self.read(&mut reading);
                course.at.alone.retain(|key| !is_over || *key != reading.key);
                course.doing = if is_over { Doing::Alone(is_last) } else { Doing::Read(reading, is_last) };
            }
            Doing::Over => {}
        }
        if !matches!(course.doing, Doing::Over) {
            self.courses[program] = Some(course);
        }
    }

    /// Stores a page with the progress, in one transaction.
    fn answered(&mut self, course: &mut Course, page: Page) {
        let times: Vec<_> = page.records.iter().map(|(_, record)| record.facts.modified).collect();
        course.newest_met = course.newest_met.max(times.iter().copied().max());
        let mut is_last = page.next.is_none();
        course.at.next = page.next;
        if let Some(changes) = &mut course.changes {
            let after = changes.page(times, is_last, ToldTime { date: Some(page.date), took_ms: 0 }, None);
            let at = &mut course.at;
            (at.since, at.begun, at.newest) = (Some(changes.since), changes.begun, changes.newest);
            is_last = false;
            match after {
                AfterPage::Complete { watermark } => {
                    (at.since, at.begun, at.newest, at.next) = (None, None, None, None);
                    at.watermark = Some(watermark);
                    is_last = true;
                }
                AfterPage::AskAgain => at.next = None,
                AfterPage::Follow => {}
                AfterPage::Unordered => return self.demand(false, || "CDMS's list is not in order".to_owned()),
            }
        }
        if course.what != What::List {
            let run = self.progress[course.what as usize].run;
            if run != course.run && run != course.takes_over {
                return;
            }
        }
        if course.what == What::Sweep {
            course.at.listed.extend(page.records.iter().map(|(key, _)| *key));
            course.at.has_listed = is_last;
        } else {
            for (key, record) in page.records {
                self.judge(course, key, record);
            }
        }
        course.at.run = course.run;
        if course.what != What::List {
            self.progress[course.what as usize] = course.at.clone();
        }
        let changes = &mut self.progress[What::Changes as usize];
        if is_last && course.what == What::Load && changes.watermark.is_none() {
            changes.watermark = course.at.newest.map(|begun| watermark_after_load(begun, course.newest_met));
        }
        if is_last && course.what == What::Sweep {
            self.look_for_missing(course);
        }
        course.doing = Doing::Alone(is_last);
        if course.alone.is_empty() && !is_last {
            self.ask(course);
        }
    }

    fn ask(&self, course: &mut Course) {
        course.asked = (self.version, self.states());
        course.doing = Doing::Sent;
    }

    /// Compares a record of a page with its row, and stores it.
    fn judge(&mut self, course: &mut Course, key: usize, record: datahub_protocol::Record) {
        let (version, asked) = course.asked;
        let outcome = listed(&Two, &self.load(key), Ok(record), Version(version), 0);
        if let Some(commit) = outcome.commit().cloned() {
            let is_stored = self.commit(key, &commit, asked[key]..=self.states()[key]);
            self.demand(is_stored, || format!("the guard of a page's transaction does not hold for {key}"));
        }
        match outcome {
            Listed::ReadAgain => {
                course.alone.push(key);
                course.at.alone.push(key);
            }
            Listed::LocalNewer => self.demand(false, || format!("the row of {key} is reported as newer than CDMS")),
            _ if course.what == What::List => self.show(key),
            _ => {}
        }
    }

    /// A sweep looks at the rows that the list did not show, unless they are too many.
    fn look_for_missing(&mut self, course: &mut Course) {
        let before = course.at.version;
        let is_old = |key: &usize| matches!(&self.lines[*key].stored, Stored::Row(row) if row.version.0 <= before);
        let rows: Vec<_> = (0..RECORDS).filter(is_old).collect();
        let missing: Vec<_> = rows.iter().copied().filter(|key| !course.at.listed.contains(key)).collect();
        if missing.len() as u64 <= missing_max(rows.len() as u64) {
            course.alone = missing;
        }
    }

    /// What it vouches for at its end holds.
    fn complete(&mut self, course: &mut Course) {
        let Some(asked) = course.at.asked else { return };
        match course.what {
            What::Load | What::Changes => self.has_pulled(asked, &course.at.alone),
            What::Sweep => {
                self.has_swept(asked, course.at.version);
                if self.progress[What::Sweep as usize].run == course.run {
                    self.progress[What::Sweep as usize] = Progress { run: course.run, ..Progress::default() };
                }
            }
            What::List => {}
        }
        if course.what == What::Changes && self.progress[What::Changes as usize].run == course.run {
            self.progress[What::Changes as usize].asked = None;
        }
    }

    /// A read takes one step; returns whether it is over.
    pub(super) fn read(&mut self, reading: &mut Reading) -> bool {
        let key = reading.key;
        let event = match &reading.act {
            Act::Lock => Event::Locked,
            Act::Load => Event::Loaded(Box::new(self.load(key))),
            Act::Fetch => {
                let now = self.lines[key].states.last().cloned().flatten();
                reading.saw = Some(self.states()[key]);
                Event::Fetched(now.map_or(Fetched::Gone, Fetched::Record))
            }
            Act::Commit(commit) => {
                let (commit, saw) = (commit.clone(), reading.saw.unwrap_or(0));
                let is_stored = self.commit(key, &commit, saw..=saw);
                Event::Committed(if is_stored { Committed::Done(Version(self.version)) } else { Committed::Lost })
            }
            Act::Over(end) => {
                let is_newer = *end == End::Failed("local_newer");
                self.demand(!is_newer, || format!("the row of {key} is reported as newer than CDMS"));
                self.show(key);
                return true;
            }
            other => unreachable!("a read does not ask for {other:?}"),
        };
        reading.act = reading.machine.step(event);
        false
    }
}

impl Reading {
    pub(super) fn new(key: usize) -> Self {
        let mut machine = Machine::read();
        let act = machine.step(Event::Start);
        Reading { key, machine, saw: None, act }
    }
}
