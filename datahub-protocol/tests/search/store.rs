//! The hub's database: the row, the intents and the history, with the guards of transactions.

use std::collections::{BTreeMap, BTreeSet};

use cdms_odata::{Attributes, Value};
use datahub_protocol::{
    Commit, Committed, EntryKind, Guard, Intent, IntentChange, LeaseState, Loaded, Note, OpenIntent, OperationId,
    RecordChange, SettledPatch, Stored, UnansweredDelete, Verdict, Version, WriteKind,
};

use crate::cdms::Sent;

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) stored: Stored,
    pub(crate) version: i64,
    pub(crate) intents: Vec<Opened>,
    /// The number of history entries of each kind for each write.
    pub(crate) recorded: BTreeMap<(OperationId, &'static str), u8>,
    /// The values that the history has shown, with the write that it attributes them to, if it is one of ours; without
    /// an attribute, that the record is gone.
    pub(crate) shown: BTreeSet<(String, Option<i32>, Option<OperationId>)>,
}

/// History entries with a verdict and no change. A write can have one of them in addition to the entry for its change.
pub(crate) const VERDICT_ENTRIES: [&str; 2] = ["superseded", "not applied"];

#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) intent: Intent,
    pub(crate) lease: LeaseState,
    /// CDMS has finished with it, so it has no quiet period.
    pub(crate) has_ended: bool,
    pub(crate) verdict: Option<Verdict>,
}

impl Opened {
    pub(crate) fn is_leased(&self) -> bool {
        self.verdict.is_none() && matches!(self.lease, LeaseState::Active { .. })
    }

    /// The lease is over, by itself or because its writer is done.
    pub(crate) fn end_lease(&mut self) {
        self.lease = if self.has_ended { LeaseState::Over } else { LeaseState::Quiet { left_ms: 1 } };
    }
}

impl Store {
    pub(crate) fn intent(&self, operation: OperationId) -> Option<&Opened> {
        self.intents.iter().find(|opened| opened.intent.operation == operation)
    }

    /// Whether the history shows the effect of this write and attributes it to another write of ours.
    pub(crate) fn says_another_did(&self, intent: &Intent) -> bool {
        let another = |name: &str, number: Option<i32>| {
            let mut by = self.shown.iter().filter(|(shown, value, _)| shown == name && *value == number);
            by.any(|(.., by)| by.is_some_and(|by| by != intent.operation))
        };
        match intent.write {
            WriteKind::Delete => another("", None),
            _ => intent.evidence().all(|(name, value)| another(name, number(value))),
        }
    }

    /// Whether the history has an entry for what this write changed.
    fn has_recorded(&self, operation: OperationId) -> bool {
        self.recorded.keys().any(|(by, kind)| *by == operation && !VERDICT_ENTRIES.contains(kind))
    }

    pub(crate) fn open(&self) -> Option<&Opened> {
        self.intents.iter().find(|opened| opened.verdict.is_none())
    }

    pub(crate) fn load(&self) -> Loaded {
        let late = self
            .intents
            .iter()
            .filter(|opened| matches!(opened.verdict, Some(Verdict::NotApplied | Verdict::Superseded { .. })))
            .filter(|opened| !self.has_recorded(opened.intent.operation));
        let unanswered = self.intents.iter().find(|opened| {
            opened.intent.write == WriteKind::Delete
                && opened.verdict == Some(Verdict::Applied)
                && matches!(opened.lease, LeaseState::Quiet { .. })
        });
        Loaded {
            stored: self.stored.clone(),
            intent: self.open().map(|open| OpenIntent { intent: open.intent.clone(), lease: open.lease }),
            late: late
                .map(|opened| SettledPatch {
                    write: opened.intent.write,
                    operation: opened.intent.operation,
                    patch: opened.intent.evidence().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
                    constants: Attributes::new(),
                })
                .collect(),
            unanswered_delete: unanswered
                .map(|opened| UnansweredDelete { operation: opened.intent.operation, left_ms: 1 }),
            local_conflicts: Vec::new(),
            quarantined: false,
        }
    }

    /// Runs a transaction, which stores everything or nothing. `times` are the record's times that CDMS has returned,
    /// and `late` the writes that it may still carry out.
    pub(crate) fn commit(
        &mut self,
        commit: &Commit<String>,
        times: &[i64],
        late: &[Sent],
    ) -> Result<Committed, String> {
        let version = match &self.stored {
            Stored::Absent => None,
            Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => Some(snapshot.version),
        };
        let open = self.open().map(|open| open.intent.operation);
        let holds = match commit.guard {
            Guard::Unchanged { version: wanted, late } => {
                let newest = self.load().late.last().map(|late| late.operation);
                version == wanted && open.is_none() && late == newest
            }
            Guard::Intent(operation) => open == Some(operation),
        };
        if !holds {
            return Ok(Committed::Lost);
        }
        if !matches!(commit.record, RecordChange::Keep) {
            self.version += 1;
        }
        let version = Version(self.version);
        match &commit.record {
            RecordChange::Keep => {}
            RecordChange::LocalOnly => unreachable!("the world has no local fields"),
            RecordChange::Touch => match &mut self.stored {
                Stored::Absent => {}
                Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => snapshot.version = version,
            },
            RecordChange::Put { row, .. } => {
                if !times.contains(&row.facts.modified.0) {
                    return Err(format!("the row's time {} never was CDMS's", row.facts.modified));
                }
                if let Stored::Row(before) = &self.stored
                    && row.facts.modified < before.facts.modified
                {
                    return Err("the row went back to an older version".to_owned());
                }
                self.stored = Stored::Row(row.clone().at(version, 1));
            }
            RecordChange::Tombstone { reason, last } => {
                self.stored = Stored::Tombstone(last.clone().at(version, 1), *reason);
            }
        }
        for entry in &commit.history {
            if let Some(operation) = entry.operation {
                *self.recorded.entry((operation, entry.kind.name())).or_default() += 1;
            }
            let by = entry.operation.filter(|_| !entry.kind.changes_nothing());
            for change in &entry.changes {
                // A value that CDMS adjusted is not the write's effect.
                let by = by.filter(|_| !matches!(change.note, Note::Adjusted { .. }));
                self.shown.extend(change.to.iter().map(|to| (change.attribute.clone(), number(to), by)));
            }
            match (entry.kind, &commit.record) {
                (EntryKind::Gone | EntryKind::Deleted, _) => _ = self.shown.insert((String::new(), None, by)),
                (EntryKind::FirstSeen | EntryKind::Revived, RecordChange::Put { row, .. }) => {
                    self.shown.extend(row.seen.iter().map(|(name, value)| (name.to_owned(), number(value), by)));
                }
                _ => {}
            }
        }
        self.change_intent(&commit.intent, late);
        Ok(Committed::Done(version))
    }

    fn change_intent(&mut self, change: &IntentChange, late: &[Sent]) {
        let mut each = |operation: OperationId, change: &dyn Fn(&mut Opened)| {
            self.intents.iter_mut().filter(|opened| opened.intent.operation == operation).for_each(change);
        };
        match change {
            IntentChange::Keep => {}
            IntentChange::Open(intent) => {
                let lease = LeaseState::Active { left_ms: 1 };
                self.intents.push(Opened { intent: (**intent).clone(), lease, has_ended: false, verdict: None });
            }
            IntentChange::Close { operation, verdict } => each(*operation, &|opened| {
                opened.verdict = Some(verdict.clone());
                // The length of a settled write's quiet period matters only if it may still be carried out.
                let matters = late.iter().any(|(late, ..)| late == operation)
                    || (opened.intent.write == WriteKind::Delete && *verdict == Verdict::Applied);
                if !matters || matches!(opened.lease, LeaseState::Active { .. }) {
                    opened.lease = LeaseState::Over;
                }
            }),
            IntentChange::Ended { operation } => each(*operation, &|opened| opened.has_ended = true),
            IntentChange::Release { operation, has_ended } => each(*operation, &|opened| {
                opened.has_ended |= has_ended;
                opened.end_lease();
            }),
        }
    }
}

fn number(value: &Value) -> Option<i32> {
    match value {
        Value::Integer(value) => Some(*value),
        _ => None,
    }
}
