//! The checks at each transaction and at each operation's end, while the world continues.

use datahub_protocol::{
    Commit, Failure, IntentChange, LeaseState, Mapping as _, OperationId, RecordChange, Stored, TombstoneReason,
    Verdict, WriteKind,
};
use uuid::Uuid;

use super::process::Machine;
use super::{Outcome, Process, World, verdict_word};
use crate::cdms::Deed;
use crate::mapping::Model;

impl World {
    /// The row's time is one of CDMS's, and never goes back by more than the tolerance.
    pub(super) fn check_row(
        &mut self,
        (id, began, skew_ms): (Uuid, usize, i64),
        before: &Stored,
        commit: &Commit<String>,
    ) {
        if let RecordChange::Tombstone { reason: TombstoneReason::Gone, .. } = &commit.record
            && !self.was_missing(id, began)
        {
            self.break_promise(format!("{id} became a tombstone, but existed all the time"));
        }
        if let RecordChange::Tombstone { reason: TombstoneReason::LeftModel, .. } = &commit.record
            && !self.had_left(id, began)
        {
            self.break_promise(format!("{id} became a tombstone, but was in the model all the time"));
        }
        let RecordChange::Put { row, .. } = &commit.record else { return };
        self.check_shown(id, row.facts.modified);
        let is_known = self.cdms.times.get(&id).is_some_and(|times| times.contains(&row.facts.modified.0));
        if !is_known {
            self.break_promise(format!("the row's time {} of {id} never was CDMS's", row.facts.modified));
        }
        // A row made by one of our writes is newer, whatever time a restored CDMS has.
        let is_ours = matches!(&commit.intent, IntentChange::Close { verdict: Verdict::Applied, .. });
        if let Stored::Row(before) = before
            && before.facts.modified.0.saturating_sub(row.facts.modified.0) > skew_ms
            && !(is_ours && self.restored.is_some())
        {
            self.break_promise(format!("the row of {id} went back to an older version"));
        }
    }

    /// Whether CDMS did not have a record at any time since this position in its log.
    fn was_missing(&self, id: Uuid, since: usize) -> bool {
        let (before, after) = self.cdms.log.split_at(since);
        let last = before.iter().rev().find(|deed| deed.id == id);
        let is_missing = last.is_none_or(|deed| deed.what == Deed::Removed);
        is_missing || after.iter().any(|deed| deed.id == id && deed.what == Deed::Removed)
    }

    /// Whether a record was outside the model at any time since this position in CDMS's log.
    fn had_left(&self, id: Uuid, since: usize) -> bool {
        let last = (0..since).rev().find(|log| self.cdms.log[*log].id == id);
        let deeds = self.cdms.log[last.unwrap_or(0)..].iter().filter(|deed| deed.id == id);
        let mut records = deeds.filter_map(|deed| deed.after.as_ref());
        records.any(|record| !Model::Wide.includes(&record.attributes))
    }

    /// A write gets exactly one verdict, and not too early.
    pub(super) fn check_verdict(&mut self, at: usize, operation: OperationId, verdict: &Verdict) {
        let word = verdict_word(verdict);
        self.count(&format!("verdict: {word}"));
        if let Verdict::Superseded { attributes } = verdict {
            self.count(&format!("superseded in {} attributes", attributes.len()));
        }
        let settles = matches!(self.processes[at].machine, Machine::Settle(_));
        if settles && let Some(wrong) = self.wrongly_settled(at, operation, verdict) {
            self.break_promise(format!("{operation} was settled as {word} {wrong}"));
        }
        // A writer does not look if its answer determines the outcome.
        let looks = settles || self.looked_at.contains(&operation);
        let seen = if looks { self.processes[at].looked } else { self.cdms.log.len() };
        self.judged.insert(operation, seen);
    }

    /// What is wrong with a verdict found by settling, if anything.
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

    /// Nothing that was not sent stays open, and no row is newer than a CDMS whose time never went back.
    pub(super) fn check_end(&mut self, at: usize, outcome: &Outcome) {
        let Process { id, close_failed, .. } = self.processes[at];
        match outcome {
            Outcome::Failed(Failure::Store { operation: Some(operation), .. }) => {
                let is_open = self.store.intent(*operation).is_some_and(|opened| opened.verdict.is_none());
                if is_open && !close_failed {
                    self.break_promise(format!("{operation} was never sent, but stays open"));
                }
            }
            Outcome::Failed(Failure::LocalNewer { .. }) if self.restored.is_none() => {
                self.break_promise(format!("{id} was reported as newer than CDMS, whose time never went back"));
            }
            _ => {}
        }
    }
}
