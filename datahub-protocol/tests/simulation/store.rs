//! The simulated database of the hub: rows, intents and history, with the guards of its transactions.

mod progress;

use std::collections::BTreeMap;

use cdms_odata::{Attributes, Value};
use datahub_protocol::{
    Commit, Committed, Entry, Guard, Intent, IntentChange, LeaseState, Loaded, Mapping as _, NewRow, OpenIntent,
    OperationId, QuarantineChange, RecordChange, SettledPatch, Stored, Trial, UnansweredDelete, Verdict, Version,
    WriteKind,
};
use uuid::Uuid;

pub(crate) use self::progress::{Progress, Scope};
use crate::mapping::{FORBIDDEN, Model};

pub(crate) const LEASE_MS: i64 = 240_000;
pub(crate) const QUIET_MS: i64 = 330_000;
/// The time that must be left on a lease for a request to be sent.
pub(crate) const REQUEST_MS: i64 = 60_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    version: i64,
    pub(crate) kept: BTreeMap<Uuid, Kept>,
    pub(crate) intents: Vec<Opened>,
    /// How far pulls and sweeps have come.
    pub(crate) pulls: BTreeMap<Scope, Progress>,
}

/// What is kept for one record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) stored: Stored,
    pub(crate) quarantined: bool,
    pub(crate) history: Vec<StoredEntry>,
    /// What was seen at each version, to compare with the history; `None` where the row ended.
    pub(crate) shadows: Vec<(Version, Option<Attributes>)>,
}

/// An entry of the history, as it was stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredEntry {
    pub(crate) version: Version,
    pub(crate) entry: Entry,
    /// Whether the row was stored with it, so that the row has the values to which the entry leads.
    pub(crate) is_stored: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) id: Uuid,
    pub(crate) intent: Intent,
    pub(crate) lease_until: i64,
    /// CDMS has finished with it, so it has no quiet period.
    has_ended: bool,
    pub(crate) verdict: Option<Verdict>,
    closed_at: i64,
}

impl Opened {
    /// Closed by another program than its writer, which had a lease.
    fn unanswered_delete(&self, id: Uuid, now: i64) -> Option<UnansweredDelete> {
        let is_one = self.id == id
            && self.intent.write == WriteKind::Delete
            && self.verdict == Some(Verdict::Applied)
            && self.closed_at >= self.lease_until;
        let left_ms = u64::try_from(self.quiet_until() - now).ok().filter(|left| *left > 0)?;
        is_one.then_some(UnansweredDelete { operation: self.intent.operation, left_ms })
    }

    fn quiet_until(&self) -> i64 {
        self.lease_until + if self.has_ended { 0 } else { QUIET_MS }
    }

    pub(crate) fn lease(&self, now: i64) -> LeaseState {
        let left = |until: i64| u64::try_from(until - now).unwrap_or(0);
        match (left(self.lease_until), left(self.quiet_until())) {
            (0, 0) => LeaseState::Over,
            (0, left_ms) => LeaseState::Quiet { left_ms },
            (left_ms, _) => LeaseState::Active { left_ms },
        }
    }
}

impl Store {
    /// The newest version.
    pub(crate) fn newest_version(&self) -> Version {
        Version(self.version)
    }

    pub(crate) fn intent(&self, operation: OperationId) -> Option<&Opened> {
        self.intents.iter().find(|opened| opened.intent.operation == operation)
    }

    pub(crate) fn open(&self, id: Uuid) -> Option<&Opened> {
        self.intents.iter().find(|opened| opened.id == id && opened.verdict.is_none())
    }

    pub(crate) fn load(&self, id: Uuid, now: i64) -> Loaded {
        let kept = self.kept.get(&id);
        let late = self.late(id);
        Loaded {
            stored: kept.map(|kept| kept.stored.clone()).unwrap_or_default(),
            intent: self.open(id).map(|open| OpenIntent { intent: open.intent.clone(), lease: open.lease(now) }),
            late: late
                .map(|opened| SettledPatch {
                    operation: opened.intent.operation,
                    write: opened.intent.write,
                    patch: opened.intent.evidence().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
                    constants: opened.intent.constants.clone(),
                })
                .collect(),
            unanswered_delete: self.intents.iter().find_map(|opened| opened.unanswered_delete(id, now)),
            local_conflicts: Vec::new(),
            quarantined: kept.is_some_and(|kept| kept.quarantined),
        }
    }

    /// The writes that were found not applied and have not shown up.
    fn late(&self, id: Uuid) -> impl Iterator<Item = &Opened> {
        let history = self.kept.get(&id).map(|kept| &kept.history[..]).unwrap_or_default();
        let has_shown_up = |operation: OperationId| {
            let mut entries = history.iter().map(|stored| &stored.entry).filter(|entry| !entry.kind.changes_nothing());
            entries.any(|entry| entry.operation == Some(operation))
        };
        self.intents.iter().filter(move |opened| {
            let is_late = matches!(opened.verdict, Some(Verdict::NotApplied | Verdict::Superseded { .. }));
            opened.id == id && is_late && !has_shown_up(opened.intent.operation)
        })
    }

    /// Runs a transaction, which stores everything or nothing.
    pub(crate) fn commit(&mut self, model: Model, id: Uuid, commit: &Commit<String>, now: i64) -> Committed {
        let open = self.open(id).map(|open| open.intent.operation);
        let newest = self.late(id).last().map(|opened| opened.intent.operation);
        let kept = self.kept.entry(id).or_default();
        let version = match &kept.stored {
            Stored::Absent => None,
            Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => Some(snapshot.version),
        };
        let holds = match commit.guard {
            Guard::Unchanged { version: wanted, late } => version == wanted && open.is_none() && late == newest,
            Guard::Intent(operation) => open == Some(operation),
        };
        if !holds {
            return Committed::Lost;
        }
        let forbidden = |values: &[Value]| values.first() == Some(&Value::Integer(FORBIDDEN));
        let refused = || Committed::Refused("a rule forbids it".to_owned());
        if matches!(&commit.trial, Some(Trial::Put(values)) if forbidden(values)) {
            return refused();
        }
        if let RecordChange::Put { row, .. } = &commit.record {
            match model.decode(&row.facts, &row.seen) {
                Ok(values) if !forbidden(&values) => {}
                _ => return refused(),
            }
        }
        if !matches!(commit.record, RecordChange::Keep) {
            self.version += 1;
        }
        let version = Version(self.version);
        let at = |row: &NewRow| row.clone().at(version, model.tag());
        match &commit.record {
            RecordChange::Keep => {}
            RecordChange::LocalOnly => unreachable!("the simulated model has no local fields"),
            RecordChange::Touch => match &mut kept.stored {
                Stored::Absent => {}
                Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => snapshot.version = version,
            },
            RecordChange::Put { row, .. } => {
                kept.shadows.push((version, Some(row.seen.clone())));
                kept.stored = Stored::Row(at(row));
            }
            RecordChange::Tombstone { reason, last } => {
                kept.shadows.push((version, None));
                kept.stored = Stored::Tombstone(at(last), *reason);
            }
        }
        let is_stored = matches!(commit.record, RecordChange::Put { .. } | RecordChange::Tombstone { .. });
        kept.history.extend(commit.history.iter().map(|entry| StoredEntry {
            version,
            entry: entry.clone(),
            is_stored: is_stored || entry.kind.changes_nothing(),
        }));
        match &commit.quarantine {
            QuarantineChange::Keep | QuarantineChange::PutOrphan { .. } => {}
            QuarantineChange::Put(_) => kept.quarantined = true,
            QuarantineChange::Clear => kept.quarantined = false,
        }
        self.change_intent(id, &commit.intent, now);
        Committed::Done(version)
    }

    fn change_intent(&mut self, id: Uuid, change: &IntentChange, now: i64) {
        let mut each = |operation: OperationId, change: &dyn Fn(&mut Opened)| {
            self.intents.iter_mut().filter(|opened| opened.intent.operation == operation).for_each(change);
        };
        match change {
            IntentChange::Keep => {}
            IntentChange::Open(intent) => {
                self.intents.push(Opened {
                    id,
                    intent: (**intent).clone(),
                    lease_until: now + LEASE_MS,
                    has_ended: false,
                    verdict: None,
                    closed_at: 0,
                });
            }
            IntentChange::Close { operation, verdict } => {
                each(*operation, &|opened| (opened.verdict, opened.closed_at) = (Some(verdict.clone()), now));
            }
            IntentChange::Ended { operation } => each(*operation, &|opened| opened.has_ended = true),
            IntentChange::Release { operation, has_ended } => each(*operation, &|opened| {
                opened.has_ended |= has_ended;
                opened.lease_until = now;
            }),
        }
    }
}
