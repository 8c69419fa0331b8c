//! An update as decided: what is sent, and what it is compared with afterwards.

use cdms_odata::Attributes;

use crate::planted::{Planted, planted};
use crate::write_outcome::{Cause, Intended, updated_entries};
use crate::{Commit, Entry, Guard, Intent, IntentChange, Mapping, Merged, Record, SettledPatch, Snapshot, Trial};

/// An update as decided before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) snapshot: Snapshot,
    /// Writes that were found not applied; no more can be added while the intent is open.
    pub(super) late: Vec<SettledPatch>,
    pub(super) merged: Merged,
    pub(super) intent: Intent,
}

impl Plan {
    /// The transaction that stores the intent.
    pub(super) fn opening<F>(&self) -> Commit<F> {
        let Plan { snapshot, late, merged, intent } = self;
        let mut commit = Commit::under(Guard::at(snapshot.version, late));
        commit.trial = Some(Trial::Put(merged.values.clone()));
        if !planted(Planted::NoIntent) {
            commit.intent = IntentChange::Open(Box::new(intent.clone()));
        }
        commit
    }

    /// The constants that the mapping also reads.
    pub(super) fn constants_known<M: Mapping>(&self, mapping: &M) -> Attributes {
        let mut known = self.intent.constants.clone();
        known.retain(|name, _| mapping.knows(name));
        known
    }

    /// The history entries: our changes as they came back, and CDMS's changes separately.
    pub(super) fn history(&self, cause: Cause, record: Option<&Record>) -> Vec<Entry> {
        let Intent { patch, constants, conflicts: overwritten, .. } = &self.intent;
        let intended = Intended { patch, constants, overwritten };
        updated_entries(&self.snapshot, &self.late, intended, cause, record)
    }
}
