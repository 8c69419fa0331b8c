//! What pulls and sweeps vouch for, checked when they are complete: by what CDMS has done and not by what it shows now.

use std::collections::BTreeMap;

use cdms_odata::{Instant, Value};
use datahub_protocol::{Mapping as _, Record, Stored, Verdict};
use uuid::Uuid;

use super::{IDS, World};
use crate::mapping::Model;
use crate::store::Progress;

impl World {
    /// A caller gets the hub's row: no row of the record may be older from now on.
    pub(super) fn show(&mut self, id: Uuid) {
        if let Stored::Row(row) = self.stored(id) {
            let shown = self.shown.entry(id).or_insert(row.facts.modified);
            *shown = row.facts.modified.max(*shown);
        }
    }

    /// What a row became must not be older than what a caller was shown.
    pub(super) fn check_shown(&mut self, id: Uuid, modified: Instant) {
        if self.restored.is_none() && self.shown.get(&id).is_some_and(|shown| modified < *shown) {
            self.break_promise(format!("the row of {id} is older than what a caller was shown"));
        }
    }

    /// A first load has met every record that was in the model from before it began until now.
    pub(super) fn check_loaded(&mut self, model: Model, at: &Progress) {
        let (Some(asked), None) = (at.asked, self.restored) else { return };
        for id in IDS.into_iter().filter(|id| !at.listed.contains(id)) {
            let last = (0..asked).rev().find(|log| self.cdms.log[*log].id == id);
            if last.is_some_and(|last| self.stays_of_model(model, last, id)) {
                self.break_promise(format!("{id} was in the model all the time, and a first load has not met it"));
            }
        }
    }

    /// Everything that had changed before a pull began is in the rows, whatever has changed since: no change and no
    /// departure from the model lies behind the watermark unseen.
    pub(super) fn check_pulled(&mut self, model: Model, at: &Progress) {
        let (Some(asked), None) = (at.asked, self.restored) else { return };
        for id in IDS {
            let dated = |log: usize| self.cdms.log[log].id == id && self.cdms.log[log].is_dated;
            let Some(last) = (0..asked).rev().find(|log| dated(*log)) else { continue };
            let Some(unseen) = self.unseen(model, id, last) else { continue };
            match self.why_unseen(model, at, id, last) {
                Some(why) => self.count(&format!("exempt from what a pull vouches for: {why}")),
                None => {
                    self.break_promise(format!("{id} is not as it was before a pull began that is complete: {unseen}"));
                }
            }
        }
    }

    /// What of a record is not in its row, if it was changed last, as far as its time tells, at a position in CDMS's log.
    fn unseen(&self, model: Model, id: Uuid, last: usize) -> Option<String> {
        let stored = self.stored(id);
        let Stored::Row(row) = &stored else {
            let is_missing = self.stays_of_model(model, last, id);
            return is_missing.then(|| format!("the hub has {stored:?}"));
        };
        let since: Vec<_> = self.cdms.log[last..].iter().filter(|deed| deed.id == id).collect();
        // A record that is gone is a sweep's to find.
        if since.iter().any(|deed| deed.after.is_none()) {
            return None;
        }
        // A write that was not read back shows what was sent.
        let ours = since.iter().filter_map(|deed| {
            let intent = &self.store.intent(deed.by?)?.intent;
            let mut sent = intent.constants.clone();
            sent.merge(&intent.patch);
            Some(sent)
        });
        let sent: Vec<_> = ours.map(Some).chain([None]).collect();
        let is_as = |record: &Record| {
            let shown = |name: &str, value: &Value| row.seen.get(name) == Some(value);
            sent.iter().any(|sent| {
                let sent = |name: &str| sent.as_ref().and_then(|sent| sent.get(name));
                let mut known = record.attributes.iter().filter(|(name, _)| model.knows(name));
                known.all(|(name, value)| shown(name, sent(name).unwrap_or(value)))
            })
        };
        let is_seen = since.iter().filter_map(|deed| deed.after.as_ref()).any(is_as);
        (!is_seen).then(|| format!("it was {:?}, and the row has {:?}", self.cdms.log[last].after, row.seen))
    }

    /// Why a pull need not have seen what a record had become.
    fn why_unseen(&self, model: Model, at: &Progress, id: Uuid, last: usize) -> Option<&'static str> {
        if self.store.open(id).is_some() {
            return Some("a write is open, which finds out itself");
        }
        let kept = self.store.kept.get(&id);
        let is_known_bad = kept.is_some_and(|kept| kept.quarantined);
        if at.pending.contains(&id) || at.not_given.get(&id).is_some_and(|since| *since > last) || is_known_bad {
            return Some("it says that it could not tell");
        }
        if let Stored::Row(row) = self.stored(id)
            && !row.complete_for.contains(&model.tag())
        {
            return Some("the row says that it is incomplete");
        }
        if self.stored_late.contains(&id) {
            return Some("stored by an operation that had read it longer ago than a pull looks back");
        }
        let is_left = self.was_left_to_a_write(id, last);
        is_left.then_some("left to a write, whose writer stored nothing newer")
    }

    /// Records that were gone before a sweep began are no longer among the rows.
    pub(super) fn check_swept(&mut self, at: &Progress) {
        let (Some(asked), Some(version), None) = (at.asked, at.version, self.restored) else { return };
        for id in IDS {
            let Some(last) = (0..asked).rev().find(|log| self.cdms.log[*log].id == id) else { continue };
            let gone = |record: &Option<Record>| {
                record.as_ref().is_none_or(|record| !Model::Wide.includes(&record.attributes))
            };
            if !self.cdms.log[last..].iter().filter(|deed| deed.id == id).all(|deed| gone(&deed.after)) {
                continue;
            }
            let Stored::Row(row) = self.stored(id) else { continue };
            if at.pending.contains(&id) || self.store.open(id).is_some() || at.not_given.contains_key(&id) {
                self.count("exempt from what a sweep vouches for: it says that it could not tell");
            } else if row.version > version {
                self.count("exempt from what a sweep vouches for: stored by who had read it before");
            } else {
                self.break_promise(format!("{id} was gone before a sweep began that is complete, and it has a row"));
            }
        }
    }

    /// Whether a pull left a record to a write that was open then, and whose writer stored nothing newer at its end.
    fn was_left_to_a_write(&self, id: Uuid, last: usize) -> bool {
        self.met_open.iter().any(|operation| {
            let Some(opened) = self.store.intent(*operation).filter(|opened| opened.id == id) else { return false };
            // The end of a write that CDMS has refused stores nothing of the record.
            let is_refused = matches!(opened.verdict, Some(Verdict::Rejected { .. }));
            let mut writers = self.processes.iter().filter(|process| process.operation == Some(*operation));
            is_refused
                || opened.verdict.is_some() && writers.any(|writer| writer.looked <= last || writer.saw.is_none())
        })
    }

    fn is_of_model(&self, model: Model, log: usize, id: Uuid) -> bool {
        let deed = &self.cdms.log[log];
        deed.id == id && deed.after.as_ref().is_some_and(|record| model.includes(&record.attributes))
    }

    /// Whether a record has been in the model without a break since a position in CDMS's log.
    fn stays_of_model(&self, model: Model, since: usize, id: Uuid) -> bool {
        let deeds = (since..self.cdms.log.len()).filter(|log| self.cdms.log[*log].id == id);
        deeds.into_iter().all(|log| self.is_of_model(model, log, id))
    }
}

/// The newest time that a caller was shown of each record.
pub(crate) type Shown = BTreeMap<Uuid, Instant>;
