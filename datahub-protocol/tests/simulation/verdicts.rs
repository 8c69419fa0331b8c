//! The outcome that a write's caller got, what CDMS did and what the history records must agree, each exactly once.
//!
//! What CDMS does not show cannot be determined, and is exempt: for each write, depending on what happened to its
//! record, and from one check only.

use cdms_odata::Value;
use datahub_protocol::{Entry, EntryKind, Intent, Note, OperationId, Origin, Verdict, WriteKind};
use uuid::Uuid;

use crate::cdms::{Deed, Happened};
use crate::world::{Outcome, World, outcome_word, verdict_word};

/// What is known about one write at the end of a run.
struct Facts<'w> {
    operation: OperationId,
    id: Uuid,
    kind: &'static str,
    outcome: &'static str,
    intent: Option<&'w Intent>,
    verdict: Option<&'w Verdict>,
    /// What happened in CDMS, to all records.
    log: &'w [Happened],
    /// The position in the log when it began, and when someone looked to judge it.
    began: usize,
    judged: usize,
    /// The positions in the log at which it was carried out.
    done: Vec<usize>,
    /// The entry of its verdict.
    entries: Vec<&'w Entry>,
    /// The entries that say that it showed up after its verdict.
    late: Vec<&'w Entry>,
    is_delayed: bool,
    /// Whether CDMS answered it with an error that proves nothing, so that its writer looked at the record.
    is_looked_at: bool,
    /// Whether others restored the record's state from before it in the meantime.
    seems_undone: bool,
    /// Whether CDMS was restored from a backup while it was open.
    is_restored: bool,
}

/// Checks one write, and counts its end and its exemptions.
pub(crate) fn as_it_was(world: &mut World, at: usize, operation: OperationId) -> Result<(), String> {
    let facts = Facts::of(world, at, operation);
    let exempt = facts.check().map_err(|broken| format!("{broken}: {}", facts.words()))?;
    let conflicts = match world.processes[at].outcome() {
        Some(Outcome::Wrote(written)) if facts.is_ok() => !written.conflicts.is_empty(),
        _ => false,
    };
    let mut changes = facts.entries.iter().flat_map(|entry| &entry.changes);
    if conflicts && !changes.any(|change| matches!(change.note, Note::Conflict | Note::Adjusted { .. })) {
        return Err(format!("a conflict is not in the history: {}", facts.words()));
    }
    let end = format!("end: {} {}/{}", facts.kind, facts.outcome, facts.verdict.map_or("never sent", verdict_word));
    for exemption in exempt {
        world.count(&format!("exempt from {exemption}"));
    }
    world.count(&end);
    Ok(())
}

impl<'w> Facts<'w> {
    fn of(world: &'w World, at: usize, operation: OperationId) -> Self {
        let process = &world.processes[at];
        let opened = world.store.intent(operation);
        let log = &world.cdms.log[..];
        let judged = world.judged.get(&operation).copied().unwrap_or(log.len());
        let history = world.store.kept.get(&process.id).map(|kept| &kept.history[..]).unwrap_or_default();
        let ours = history.iter().map(|stored| &stored.entry).filter(|entry| entry.operation == Some(operation));
        let is_late = |entry: &&Entry| {
            entry.kind == EntryKind::AppliedLate || (entry.kind == EntryKind::Gone && entry.origin == Origin::Settle)
        };
        let (late, entries) = ours.partition(is_late);
        Facts {
            operation,
            id: process.id,
            kind: process.kind(),
            outcome: process.outcome().map_or("crashed", outcome_word),
            intent: opened.map(|opened| &opened.intent),
            verdict: opened.and_then(|opened| opened.verdict.as_ref()),
            log,
            began: process.began,
            judged,
            done: (0..log.len()).filter(|at| log[*at].by == Some(operation)).collect(),
            entries,
            late,
            is_delayed: world.delayed.contains(&operation),
            is_looked_at: world.looked_at.contains(&operation),
            seems_undone: world.seems_undone(operation),
            is_restored: world.restored.is_some_and(|restored| process.began < restored && restored <= judged),
        }
    }

    fn words(&self) -> String {
        let Facts { kind, operation, outcome, verdict, done, entries, late, .. } = self;
        let (done, entries, late) = (done.len(), entries.len(), late.len());
        format!(
            "{kind} {operation} ended as {outcome}, settled as {verdict:?}, {done} × in CDMS, {entries} entries, {late} late"
        )
    }

    fn is_ok(&self) -> bool {
        self.outcome.starts_with("ok")
    }

    /// Checks the write; returns its exemptions.
    fn check(&self) -> Result<Vec<&'static str>, &'static str> {
        let mut exempt = Vec::new();
        let is_elsewhere = self.is_looked_at && self.done.first().is_some_and(|at| self.log[*at].id != self.id);
        if self.done.len() > 1 && !self.seems_undone && !is_elsewhere {
            return Err("carried out twice");
        }
        let Some(intent) = self.intent else {
            return match (self.done.is_empty(), self.entries.is_empty()) {
                (false, _) => Err("in CDMS without an intent"),
                (true, false) => Err("in the history without an intent"),
                (true, true) => Ok(exempt),
            };
        };
        let is_in_cdms = !self.done.is_empty();
        let may_be = ["unsettled", "crashed", "applied_but_not_storable", "orphan"];
        if is_in_cdms && !self.is_ok() && !may_be.contains(&self.outcome) && !self.is_looked_at {
            return Err("its caller learned that it had no effect, but it is in CDMS");
        }
        if self.is_ok() && is_in_cdms == self.found_gone() && !self.is_looked_at {
            return Err("it succeeded, but is not exactly once in CDMS");
        }
        self.is_recorded_once(intent)?;
        match (self.verdict, is_in_cdms) {
            (None, _) => return Err("it has no verdict"),
            // Its writer looked, and that look is judged like any other.
            (Some(Verdict::Rejected { .. }), true) if self.is_looked_at => exempt.extend(self.why_not_applied(intent)?),
            (Some(Verdict::Rejected { .. }), true) => return Err("it was rejected, but is in CDMS"),
            (Some(Verdict::NotApplied), true) => exempt.extend(self.why_not_applied(intent)?),
            (Some(Verdict::Applied), false) => exempt.extend(self.why_applied(intent)?),
            _ => {}
        }
        if !self.late.is_empty() {
            exempt.extend(self.why_late(intent)?);
        }
        Ok(exempt)
    }

    /// Whether it is a delete that found the record gone.
    fn found_gone(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == EntryKind::Gone)
    }

    /// The history has one entry for its verdict, with everything that was sent.
    fn is_recorded_once(&self, intent: &Intent) -> Result<(), &'static str> {
        let kinds: &[EntryKind] = match (self.verdict, intent.write) {
            (Some(Verdict::Applied), WriteKind::Create) => &[EntryKind::Created],
            (Some(Verdict::Applied), WriteKind::Update) => &[EntryKind::Updated],
            (Some(Verdict::Applied), WriteKind::Delete) => &[EntryKind::Deleted, EntryKind::Gone],
            (Some(Verdict::NotApplied), _) => &[EntryKind::NotApplied],
            (Some(Verdict::Superseded { .. }), _) => &[EntryKind::Superseded],
            (Some(Verdict::Orphaned { .. }), _) => &[EntryKind::Orphaned],
            (Some(Verdict::Rejected { .. }) | None, _) => &[],
            _ => return Err("unknown kind of write"),
        };
        let entry = match (&self.entries[..], kinds) {
            ([], []) => return Ok(()),
            ([entry], _) if kinds.contains(&entry.kind) => entry,
            ([], _) => return Err("it is not in the history"),
            ([_], _) => return Err("it has another kind of entry in the history"),
            _ => return Err("it is twice in the history"),
        };
        let is_there = |(name, sent): (&str, &Value)| {
            entry.changes.iter().filter(|change| change.attribute == name).any(|change| match &change.note {
                Note::Adjusted { sent: noted } | Note::NotKept { sent: noted } => noted == sent,
                Note::Plain | Note::Conflict => change.to.as_ref() == Some(sent),
                _ => false,
            })
        };
        if !intent.patch.iter().all(is_there) || entry.constants != intent.constants {
            return Err("a value that was sent is not in the history");
        }
        Ok(())
    }

    /// What others did to the record between two positions in the log.
    fn others(&self, from: usize, to: usize) -> impl Iterator<Item = &Deed> {
        let log = self.log.get(from..to).unwrap_or_default();
        log.iter().filter(|deed| deed.id == self.id && deed.by != Some(self.operation)).map(|deed| &deed.what)
    }

    /// Whether others gave an attribute this value.
    fn others_set(&self, from: usize, to: usize, name: &str, value: &Value) -> bool {
        self.others(from, to).any(|deed| match deed {
            Deed::Made(values) => values.get(name).unwrap_or(&Value::Null) == value,
            Deed::Set(values) => values.get(name) == Some(value),
            Deed::Removed => false,
        })
    }

    /// Whether others had created the record that existed at this position in the log.
    fn others_record(&self, at: usize) -> bool {
        self.others(0, at)
            .filter(|deed| !matches!(deed, Deed::Set(_)))
            .last()
            .is_some_and(|deed| *deed != Deed::Removed)
    }

    /// Why a write that is in CDMS was found not applied.
    fn why_not_applied(&self, intent: &Intent) -> Result<Option<&'static str>, &'static str> {
        let done = self.done[0];
        if self.is_restored {
            return Ok(Some("`not applied` is true: CDMS was restored from a backup"));
        }
        if done >= self.judged {
            return if self.is_delayed {
                Ok(Some("`not applied` is true: carried out past the lease or the quiet period"))
            } else {
                Err("it was found not applied, but carried out after that")
            };
        }
        match intent.write {
            WriteKind::Create if self.log[done].id != self.id => {
                Ok(Some("`not applied` is true: created under an id that only a lost answer had"))
            }
            WriteKind::Create if self.others(done, self.judged).any(|deed| *deed == Deed::Removed) => {
                Ok(Some("`not applied` is true: a record made and removed before anybody looked"))
            }
            WriteKind::Delete if self.others(done, self.judged).any(|deed| matches!(deed, Deed::Made(_))) => {
                Ok(Some("`not applied` is true: a record deleted and brought back before anybody looked"))
            }
            WriteKind::Update
                if intent.evidence().all(|(name, _)| {
                    let before = intent.pre_image.get(name).unwrap_or(&Value::Null);
                    self.others_set(done, self.judged, name, before)
                }) =>
            {
                Ok(Some("`not applied` is true: every value put back before anybody looked"))
            }
            _ => Err("it was found not applied, but is in CDMS"),
        }
    }

    /// Why a write that is not in CDMS was found applied.
    fn why_applied(&self, intent: &Intent) -> Result<Option<&'static str>, &'static str> {
        match intent.write {
            _ if self.outcome == "applied_but_not_storable" && !self.is_looked_at => {
                Err("its caller learned that it was applied, but it is not in CDMS")
            }
            _ if self.found_gone() => {
                // It found the record gone, but does not claim to have removed it.
                if self.others(self.began, self.log.len()).any(|deed| *deed == Deed::Removed) {
                    Ok(None)
                } else {
                    Err("it found the record gone, but no one removed it")
                }
            }
            WriteKind::Create if self.others_record(self.judged) => {
                Ok(Some("`applied` is true: the id of a create whose answer was lost is that of a record of others"))
            }
            WriteKind::Delete if self.others(self.began, self.judged).any(|deed| *deed == Deed::Removed) => {
                Ok(Some("`applied` is true: a record that others deleted before the delete was carried out"))
            }
            WriteKind::Update
                if intent.evidence().any(|(name, sent)| self.others_set(self.began, self.judged, name, sent)) =>
            {
                Ok(Some("`applied` is true: others typed a value that was sent"))
            }
            _ => Err("it was found applied, but is not in CDMS"),
        }
    }

    /// Why the history says that a write was applied late.
    fn why_late(&self, intent: &Intent) -> Result<Option<&'static str>, &'static str> {
        if self.late.len() > 1 {
            return Err("it is twice in the history as applied late");
        }
        if !self.done.is_empty() {
            return Ok(None);
        }
        let end = self.log.len();
        let others_did = match intent.write {
            WriteKind::Create => intent.patch.iter().all(|(name, sent)| self.others_set(0, end, name, sent)),
            // This includes the time before it was judged: a record that could not be stored then is compared once it can be.
            WriteKind::Delete => self.others(self.began, end).any(|deed| *deed == Deed::Removed),
            WriteKind::Update => intent.evidence().any(|(name, sent)| self.others_set(self.began, end, name, sent)),
            _ => false,
        };
        if others_did {
            Ok(Some("`applied late` is true: others did what it would have done"))
        } else {
            Err("it is in the history as applied late, but no one did that")
        }
    }
}
