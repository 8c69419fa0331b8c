//! Storing a page of a list, a pull or a sweep, with the progress.

use cdms_odata::Instant;
use datahub_protocol::{AfterPage, Committed, Finding, Listed, Record, ToldTime, listed, watermark_after_load};
use uuid::Uuid;

use super::super::words::short;
use super::super::{IDS, World};
use super::{Course, Next};
use crate::cdms::Place;
use crate::store::{Progress, Scope};

impl World {
    /// Stores a page with the progress, in one transaction.
    pub(super) fn answered(
        &mut self,
        course: &mut Course,
        records: Vec<(Uuid, Result<Record, String>)>,
        next: Option<Place>,
        date: Option<Instant>,
    ) {
        let times: Vec<_> =
            records.iter().filter_map(|(_, record)| Some(record.as_ref().ok()?.facts.modified)).collect();
        course.newest_met = course.newest_met.max(times.iter().copied().max());
        let told = ToldTime { date, took_ms: self.since(course.asked.2) };
        let since_begun = (!course.resumed).then(|| self.since(course.begun));
        let mut is_last = next.is_none();
        course.at.next = next;
        if let Some(changes) = &mut course.changes {
            let after = changes.page(times, is_last, told, since_begun);
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
                AfterPage::Unordered => {
                    return self.break_promise("CDMS's list is in order, and a pull says that it is not".to_owned());
                }
            }
        }
        if self.happens("the database is away for a transaction", 15) || !self.is_claimed(course) {
            return;
        }
        if course.scope == Some(Scope::Sweep) {
            course.at.listed.extend(records.iter().map(|(id, _)| *id));
            course.at.has_listed = is_last;
        } else {
            for (id, record) in records {
                self.take(course, id, record);
            }
        }
        if is_last && let Some(Scope::Load(tag)) = course.scope {
            self.vouch(course, tag);
        }
        self.keep(course);
        if self.happens("a transaction whose acknowledgement is lost", 8) {
            return;
        }
        course.next = match course.scope {
            Some(Scope::Sweep) if is_last => Next::Confirm,
            Some(Scope::Sweep) => Next::Ask,
            _ => Next::Alone { is_last },
        };
    }

    /// Whether no other program has taken over.
    pub(super) fn is_claimed(&mut self, course: &Course) -> bool {
        let Some(scope) = course.scope else { return true };
        let run = self.store.pulls.get(&scope).map_or(0, |known| known.run);
        let is_claimed = run == course.run || run == course.takes_over;
        if !is_claimed {
            self.count(&format!("{}: taken over", course.kind()));
        }
        is_claimed
    }

    pub(super) fn keep(&mut self, course: &mut Course) {
        let Some(scope) = course.scope else { return };
        course.at.run = course.run;
        let known = self.store.pulls.entry(scope).or_default();
        // Another program may have reported meanwhile what it was not given.
        if course.changes.is_some() {
            course.at.join(&known.not_given);
        }
        *known = course.at.clone();
    }

    /// Lets pulls of changes begin after a first load. If they have begun before, they go on from where they are: a load
    /// that is restarted does not see what has left the model.
    fn vouch(&mut self, course: &mut Course, tag: u64) {
        let (Some(before), Some(asked)) = (course.at.newest, course.at.asked) else { return };
        let changes = Scope::Changes(tag);
        if self.store.pulls.contains_key(&changes) {
            return;
        }
        // What the load has not met had left the model before, or did not exist: if there is a row of it, a sweep finds it.
        let unmet: Vec<_> = IDS.into_iter().filter(|id| !course.at.listed.contains(id)).collect();
        course.at.not_given.extend(unmet.into_iter().map(|id| (id, asked)));
        course.vouches = true;
        let watermark = Some(watermark_after_load(before, course.newest_met));
        let (not_given, run) = (course.at.not_given.clone(), course.run);
        let known = Progress { run, watermark, asked: Some(asked), not_given, ..Progress::default() };
        self.store.pulls.insert(changes, known);
    }

    /// Compares a record of a page with its row, and stores it.
    fn take(&mut self, course: &mut Course, id: Uuid, record: Result<Record, String>) {
        let (version, began, _) = course.asked;
        course.at.listed.insert(id);
        let loaded = self.store.load(id, self.now);
        let mut outcome = listed(&course.model, &loaded, record, version, 0);
        if let Some(commit) = outcome.commit().cloned() {
            let before = self.stored(id);
            self.log_step(|_| format!("  a page commits {id} {:?}", short(&commit)));
            match self.store.commit(course.model, id, &commit, self.now) {
                Committed::Done(_) => self.check_row((id, began, 0), &before, &commit),
                Committed::Refused(reason) => {
                    outcome = outcome.refused(reason);
                    let commit = outcome.commit().cloned().into_iter().next();
                    _ = commit.map(|commit| self.store.commit(course.model, id, &commit, self.now));
                }
                other => {
                    self.break_promise(format!("a page's transaction found {other:?} for {id}, which it had locked"));
                }
            }
        }
        let (kind, now) = (course.kind(), self.cdms.log.len());
        self.log_step(|_| format!("  {kind}: {id} is {}", word(&outcome)));
        self.count(&format!("{kind}: {}", word(&outcome)));
        match outcome {
            Listed::ReadAgain => {
                course.alone.push(id);
                // If the program stops before it has read it, the next pull does: the change is younger than the overlap.
                course.at.pending.insert(id);
            }
            Listed::Pending(_) => self.left_to_a_write(course, id),
            Listed::Quarantined(_) => _ = course.at.not_given.insert(id, now),
            Listed::LocalNewer if self.restored.is_none() => {
                self.break_promise(format!("{id} was listed as older than its row, and CDMS's time never went back"));
            }
            Listed::AsIs | Listed::Store(..) if course.scope.is_none() => self.show(id),
            _ => {}
        }
    }
}

fn word(listed: &Listed<String>) -> &'static str {
    match listed {
        Listed::AsIs => "as it is",
        Listed::Store(Finding::First, _) => "new",
        Listed::Store(..) => "refreshed",
        Listed::Left(_) => "left",
        Listed::Foreign(_) => "foreign",
        Listed::Quarantined(_) => "quarantined",
        Listed::ReadAgain => "read again",
        Listed::Pending(_) => "pending",
        Listed::LocalNewer => "local newer",
    }
}
