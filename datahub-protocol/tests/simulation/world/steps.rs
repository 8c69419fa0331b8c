//! How an operation continues: each action is carried out or goes wrong, and the machine gets the event.

use cdms_odata::dialect::WriteAnswer;
use datahub_protocol::{
    Answer, Commit, Committed, Event, Failure, Fetched, IntentChange, LoginFailure, Mapping as _, RecordChange,
    Settled, Sighting, WriteOutcome,
};
use uuid::Uuid;

use super::process::Act;
use super::words::short;
use super::{Outcome, Process, World, outcome_word};
use crate::mapping::Model;
use crate::store::QUIET_MS;

impl World {
    /// A process takes one step, if it can.
    pub(crate) fn go(&mut self, at: usize) {
        if let Some(event) = self.processes[at].answer.take() {
            return self.deliver(at, event);
        }
        let (program, id, model) = (self.processes[at].program, self.processes[at].id, self.processes[at].model);
        match &self.processes[at].act {
            Act::Done(_) => {}
            Act::Lock => {
                let is_taken = self
                    .processes
                    .iter()
                    .any(|other| other.holds_lock && !other.crashed && (other.program, other.id) == (program, id));
                if !is_taken {
                    self.processes[at].holds_lock = true;
                    self.deliver(at, Event::Locked);
                }
            }
            Act::Load => {
                if self.happens("the database is away for a load", 8) {
                    // The runtime ends the operation; nothing was sent.
                    self.processes[at].act =
                        Act::Done(Outcome::Failed(Failure::Store { operation: None, reason: "away".to_owned() }));
                    self.processes[at].holds_lock = false;
                    return;
                }
                let loaded = self.store.load(id, self.now);
                self.processes[at].found = loaded.intent.as_ref().map(|open| open.lease);
                self.deliver(at, Event::Loaded(Box::new(loaded)));
            }
            Act::Fetch => {
                let fetched = self.fetch(model, id);
                (self.processes[at].looked, self.processes[at].looked_at) = (self.cdms.log.len(), self.now);
                self.processes[at].saw = match &fetched {
                    Fetched::Record(record) => Some(record.attributes.clone()),
                    _ => None,
                };
                self.processes[at].answer = Some(Event::Fetched(fetched));
            }
            Act::Commit(commit) => {
                let commit = commit.clone();
                self.commit(at, &commit);
            }
            Act::Send { .. } => self.send(at),
            Act::Login => {
                let login = if self.happens("a login that fails", 200) {
                    Err(LoginFailure::Failed("no".into()))
                } else {
                    Ok(())
                };
                self.deliver(at, Event::LoggedIn(login));
            }
            Act::Pause => self.deliver(at, Event::Resumed),
        }
    }

    fn fetch(&mut self, model: Model, id: Uuid) -> Fetched<String> {
        if self.happens("a read without an answer", 40) {
            return Fetched::Unavailable("lost".into());
        }
        if self.happens("a read that is refused", 8) {
            return Fetched::Refused("no".to_owned());
        }
        if self.cdms.records.contains_key(&id) && self.happens("a read that cannot be parsed", 8) {
            return Fetched::Unreadable("not of its kind".to_owned());
        }
        self.cdms.read(model, id).map_or(Fetched::Gone, Fetched::Record)
    }

    fn commit(&mut self, at: usize, commit: &Commit<String>) {
        let (id, model) = (self.processes[at].id, self.processes[at].model);
        // The runtime keeps retrying a transaction that stores what is already true.
        let insists = commit.insist && self.lease_left(at) > 0;
        if self.happens("the database is away for a transaction", 15) {
            if !insists {
                self.unavailable(at, commit);
            }
            return;
        }
        let before = self.stored(id);
        let committed = self.store.commit(model, id, commit, self.now);
        self.log_step(|_| format!("  process {at} commits {:?}: {committed:?}", short(commit)));
        if matches!(committed, Committed::Done(_)) {
            let Process { began, skew_ms, .. } = self.processes[at];
            self.check_row((id, began, skew_ms), &before, commit);
            if matches!(commit.record, RecordChange::Put { .. }) && self.now - self.processes[at].looked_at > QUIET_MS {
                self.stored_late.insert(id);
            }
            if let IntentChange::Close { operation, verdict } = &commit.intent {
                self.check_verdict(at, *operation, verdict);
            }
            // A transaction that insists finds out with the next try that it was stored.
            if self.happens("a transaction whose acknowledgement is lost", 8) && !insists {
                return self.unavailable(at, commit);
            }
        }
        self.deliver(at, Event::Committed(committed));
    }

    fn unavailable(&mut self, at: usize, commit: &Commit<String>) {
        self.processes[at].close_failed |= matches!(commit.intent, IntentChange::Close { .. });
        self.deliver(at, Event::Committed(Committed::Unavailable("away".to_owned())));
    }

    pub(super) fn lease_left(&self, at: usize) -> i64 {
        let operation = self.processes[at].operation;
        let open = self.store.intents.iter().find(|open| Some(open.intent.operation) == operation);
        // A writer knows its own lease, whatever others found out in the meantime.
        open.map_or(0, |open| open.lease_until - self.now)
    }

    pub(super) fn deliver(&mut self, at: usize, mut event: Event<String>) {
        let process = &mut self.processes[at];
        // A program reads what its mapping knows.
        if let Event::Answered(Answer::Reply(WriteAnswer::Applied(Some((_, Ok(record)))))) = &mut event {
            record.attributes.retain(|name, _| process.model.knows(name));
        }
        process.step(event);
        let Some(outcome) = process.outcome().cloned() else { return };
        let (id, kind, operation) = (process.id, process.kind(), process.operation);
        let word = outcome_word(&outcome);
        match &outcome {
            // The waiting time shows which period has not ended.
            Outcome::Settled(Settled::NotYet { retry_after_ms }) => {
                self.count(&format!("not yet, for about {} s", retry_after_ms / 100_000 * 100));
            }
            Outcome::Failed(Failure::Busy { operation, retry_after_ms }) => {
                let whose = if operation.is_some() { "a write" } else { "others" };
                self.count(&format!("busy with {whose}, for about {} s", retry_after_ms / 100_000 * 100));
            }
            Outcome::Saw(Sighting::Current { finding, .. }) => self.count(&format!("seen: {finding:?}")),
            _ => {}
        }
        self.log_step(|_| format!("  process {at}, the {kind} of {id} {operation:?}, ends: {word}"));
        self.count(&format!("{kind}: {word}"));
        self.check_end(at, &outcome);
        if let Outcome::Wrote(WriteOutcome { snapshot, .. }) | Outcome::Saw(Sighting::Current { snapshot, .. }) =
            outcome
            && kind != "delete"
        {
            self.show(id);
            self.loaded.push((id, snapshot));
            if self.loaded.len() > 24 {
                self.loaded.remove(0);
            }
        }
    }
}
