//! What must hold at each transaction and at each operation's end, while the world still goes on.

use datahub_protocol::{
    Commit, Failure, IntentChange, LeaseState, OperationId, RecordChange, Stored, TombstoneReason, Verdict, WriteKind,
};
use uuid::Uuid;

use super::process::Machine;
use super::{Outcome, Process, World, verdict_word};
use crate::cdms::Deed;

impl World {
    /// The row's time is one of CDMS's, and never goes back by more than is tolerated.
    pub(super) fn check_row(&mut self, at: usize, before: &Stored, commit: &Commit<String>) {
        let Process { id, skew_ms, began, .. } = self.processes[at];
        if let RecordChange::Tombstone { reason: TombstoneReason::Gone, .. } = &commit.record
            && !self.was_missing(id, began)
        {
            self.break_promise(format!("{id} became a tombstone, and was there all the time"));
        }
        let RecordChange::Put { row, .. } = &commit.record else { return };
        let is_known = self.cdms.times.get(&id).is_some_and(|times| times.contains(&row.facts.modified.0));
        if !is_known {
            self.break_promise(format!("the row's time {} of {id} never was CDMS's", row.facts.modified));
        }
        // What a write of ours made is newer, whatever a restored CDMS says of its time.
        let is_ours = matches!(&commit.intent, IntentChange::Close { verdict: Verdict::Applied, .. });
        if let Stored::Row(before) = before
            && before.facts.modified.0.saturating_sub(row.facts.modified.0) > skew_ms
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

    /// A write gets its one verdict, and not too early.
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
        // A writer that has an answer which tells the outcome does not look.
        let looks = settles || self.looked_at.contains(&operation);
        let seen = if looks { self.processes[at].looked } else { self.cdms.log.len() };
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

    /// Nothing that was not sent stays open, and no row is newer than a CDMS whose time never went back.
    pub(super) fn check_end(&mut self, at: usize, outcome: &Outcome) {
        let Process { id, close_failed, .. } = self.processes[at];
        match outcome {
            Outcome::Failed(Failure::Store { operation: Some(operation), .. }) => {
                let is_open = self.store.intent(*operation).is_some_and(|opened| opened.verdict.is_none());
                if is_open && !close_failed {
                    self.break_promise(format!("{operation} was never sent, and stays open"));
                }
            }
            Outcome::Failed(Failure::LocalNewer { .. }) if self.restored.is_none() => {
                self.break_promise(format!("{id} is called newer than CDMS, whose time never went back"));
            }
            _ => {}
        }
    }
}
