//! The second half of an update: what CDMS made of it, stored in the hub.

use std::sync::Arc;

use super::plan::Plan;
use super::{Output, State, Update};
use crate::send::{closing, not_stored, quarantining_applied};
use crate::sight::{ending, merged_row};
use crate::write_outcome::{Confirmation, WriteOutcome, adjusted};
use crate::{
    Action, Committed, Entry, EntryKind, Failure, Fetched, Mapping, NewRow, RecordChange, Stored, TombstoneReason,
    Verdict,
};

impl<M: Mapping> Update<M> {
    pub(super) fn read_back(&mut self, plan: &Plan, fetched: Fetched<M::Fault>) -> Action<Output<M>, M::Fault> {
        let before = Stored::Row(plan.snapshot.clone());
        let mut commit = closing(self.operation, Verdict::Applied);
        commit.insist = true;
        let (row, record) = match fetched {
            Fetched::Record(record) => (merged_row(&before, &record), Some(record)),
            Fetched::Unreadable(fault) => {
                let history = plan.history(self.cause(), None);
                let reason = "CDMS's response to the read-back cannot be read".to_owned();
                return self.end_applied(fault, history, reason);
            }
            Fetched::Gone
            | Fetched::Refused(_)
            | Fetched::Unavailable(_)
            | Fetched::LoginRefused(_)
            | Fetched::Misconfigured(_) => {
                let mut row = NewRow::from(&plan.snapshot);
                row.seen.merge(&plan.constants_known(&self.approach.mapping));
                row.seen.merge(&plan.merged.patch);
                (row, None)
            }
        };
        let values = match self.approach.mapping.decode(&row.facts, &row.seen) {
            Ok(values) => values,
            Err(fault) => {
                let history = plan.history(self.cause(), record.as_ref());
                let reason = "CDMS returned a value that does not fit the model".to_owned();
                return self.end_applied(fault, history, reason);
            }
        };
        let left = record.as_ref().is_some_and(|record| !self.approach.mapping.includes(&record.attributes));
        commit.record = if left {
            RecordChange::Tombstone { reason: TombstoneReason::LeftModel, last: row.clone() }
        } else {
            RecordChange::Put { row: row.clone(), values: Arc::clone(&values) }
        };
        commit.history = plan.history(self.cause(), record.as_ref());
        if left {
            let last = row.clone().at(plan.snapshot.version, self.approach.mapping.tag());
            commit.history.push(ending(EntryKind::LeftModel, &last));
        }
        let adjusted = adjusted(&self.approach.mapping, &row.seen, &plan.intent.patch, &values);
        let written = WriteOutcome {
            snapshot: plan.snapshot.clone(),
            values: Some(values),
            confirmation: if record.is_some() { Confirmation::ReadBack } else { Confirmation::NotReadBack },
            conflicts: plan.merged.conflicts.clone(),
            adjusted,
        };
        self.state = State::Storing(written, row, commit.history.clone());
        Action::Commit(Box::new(commit))
    }

    pub(super) fn stored(
        &mut self,
        written: WriteOutcome,
        row: NewRow,
        history: Vec<Entry>,
        committed: Committed,
    ) -> Action<Output<M>, M::Fault> {
        match committed {
            Committed::Done(version) => {
                let snapshot = row.at(version, self.approach.mapping.tag());
                self.over(Ok(WriteOutcome { snapshot, ..written }))
            }
            Committed::Refused(reason) => {
                let fault = self.approach.mapping.forbidden(&reason);
                self.end_applied(fault, history, reason)
            }
            committed => self.fail(not_stored(self.operation, self.proof, committed)),
        }
    }

    fn end_applied(&mut self, fault: M::Fault, history: Vec<Entry>, reason: String) -> Action<Output<M>, M::Fault> {
        let commit = quarantining_applied(self.operation, fault, history);
        self.state = State::EndingApplied(Failure::AppliedButNotStorable { operation: self.operation, reason });
        Action::Commit(Box::new(commit))
    }
}
