//! Carries out the actions that the protocol's machines request: loads, requests, transactions.

use std::sync::Arc;
use std::time::Duration;

use cdms_odata::{Attributes, Instant};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{
    Action, Answer, Commit, Committed, EntryKind, Event, Fetched, IntentChange, Loaded, LoginFailure, Machine,
    OperationId, QuarantineChange, WriteKind,
};
use uuid::Uuid;

use crate::ErrorKind;
use crate::crash_points::{Moment, Step, pass, pass_blocking};
use crate::engine::Engine;
use crate::engine::clock::ClockReading;
use crate::engine::entrance::Entrance;
use crate::engine::local_fields::LocalFields;
use crate::engine::record_lock::RecordGuard;
use crate::store::{Job, Stage, StoreError, StoredRecord};

/// The longest pause between two attempts to store what CDMS already has.
const INSIST_PAUSE_MAX: Duration = Duration::from_secs(2);

/// One operation on one record, with what its transactions need in addition to the protocol.
pub(crate) struct Run {
    engine: Arc<Engine>,
    model: &'static ModelDescriptor,
    id: Uuid,
    actor: Arc<str>,
    /// Whether it begins here, or finishes a write that was begun before.
    stage: Stage,
    /// The local fields that the caller set.
    set_locals: Option<LocalFields>,
    /// The local fields that the caller wants to change or remove, as the caller knows them.
    known_locals: LocalFields,
    /// The local fields as last loaded.
    locals: LocalFields,
    /// Held from the machine's request to the end of the run.
    guard: Option<RecordGuard>,
    lease: Option<HeldLease>,
    /// Whether the transaction that opens the intent was begun, whatever its outcome.
    may_be_open: bool,
    /// Whether the write was passed to the client.
    has_sent: bool,
    /// When the last GET was sent.
    asked: Option<ClockReading>,
    /// Where callers join it, until the row was loaded for all of them.
    entrance: Option<Entrance>,
}

/// How long this program may continue a write, by both of its clocks.
#[derive(Clone, Copy)]
struct HeldLease {
    until: Instant,
    until_monotonic: Duration,
}

impl Run {
    pub(crate) fn new(engine: Arc<Engine>, model: &'static ModelDescriptor, id: Uuid, actor: Arc<str>) -> Self {
        Run {
            engine,
            model,
            id,
            actor,
            stage: Stage::Begins,
            set_locals: None,
            known_locals: LocalFields::default(),
            locals: LocalFields::default(),
            guard: None,
            lease: None,
            may_be_open: false,
            has_sent: false,
            asked: None,
            entrance: None,
        }
    }

    /// Lets callers join until the row was loaded for all of them.
    pub(crate) fn joined_at(mut self, entrance: Option<Entrance>) -> Self {
        self.entrance = entrance;
        self
    }

    /// Finishes a write that was begun before, even if this program is too old to begin one.
    pub(crate) fn finishing(mut self) -> Self {
        self.stage = Stage::Finishes;
        self
    }

    /// Stores these values of local fields with the record's next transaction.
    pub(crate) fn set_locals(mut self, locals: LocalFields) -> Self {
        self.set_locals = Some(locals);
        self
    }

    /// Sets the values of the affected local fields that the caller knows, so that changes by someone else are
    /// detected.
    pub(crate) fn known_locals(mut self, locals: LocalFields) -> Self {
        self.known_locals = locals;
        self
    }

    /// All local fields as the row has them after the run.
    pub(crate) fn locals(&self) -> LocalFields {
        let locals = LocalFields::nulls(self.model).with(&self.locals);
        self.set_locals.iter().fold(locals, LocalFields::with)
    }

    /// When the last GET was sent.
    pub(crate) fn asked(&self) -> Option<ClockReading> {
        self.asked
    }

    /// Drives a machine to its end. Dropping the future stops between two actions; the store finishes a transaction
    /// that was begun, and a request that was sent is settled later.
    ///
    /// # Errors
    ///
    /// The database cannot be read or is overloaded. No machine loads after it has sent something, and a transaction
    /// that was not begun is an error only if the run cannot have opened an intent, so no write is in progress then.
    pub(crate) async fn drive<M: Machine<Fault = Fault>>(&mut self, machine: &mut M) -> Result<M::Output, StoreError> {
        // What talks to CDMS or stores is large, and stays out of this future, which is moved as a whole, and several times.
        let mut event = Event::Start;
        loop {
            let action = machine.step(event);
            let step = Step::of(M::NAME, &action, self.has_sent);
            if !matches!(action, Action::Done(_)) {
                pass(step, Moment::Before).await;
            }
            event = match action {
                Action::Done(output) => return Ok(output),
                Action::Lock => {
                    if self.guard.is_none() && !planted(Planted::NoRecordLock) {
                        self.guard = Some(self.engine.locks.lock((self.model.entity.name, self.id)).await);
                    }
                    Event::Locked
                }
                Action::Load => Event::Loaded(Box::new(self.load().await?)),
                Action::Fetch => Event::Fetched(Box::pin(self.fetch()).await),
                Action::Commit(commit) => Event::Committed(Box::pin(self.commit(*commit, step)).await?),
                Action::Send { write, operation, body } => {
                    let again = std::mem::replace(&mut self.has_sent, true);
                    let has_new_id = again && write == WriteKind::Create && planted(Planted::NewIdOnRetry);
                    let id = if has_new_id { Uuid::new_v4() } else { self.id };
                    Event::Answered(Box::pin(self.send(write, id, operation, &body, step)).await)
                }
                Action::Login => Event::LoggedIn(match self.engine.client() {
                    Ok(client) => Box::pin(client.login()).await,
                    Err(error) => Err(LoginFailure::Failed(error.to_string().into())),
                }),
                Action::Pause { attempt } => {
                    tokio::time::sleep(Duration::from_millis(25) * 2u32.pow(u32::from(attempt))).await;
                    Event::Resumed
                }
            };
            pass(step, Moment::After).await;
        }
    }

    async fn send(
        &self,
        write: WriteKind,
        id: Uuid,
        operation: OperationId,
        body: &Attributes,
        step: Step,
    ) -> Answer<Fault> {
        let met = self.engine.contact().await.and_then(|_| self.engine.admit_write());
        let client = match met.and_then(|()| self.engine.client()) {
            Ok(client) => client,
            Err(error) if error.kind() == ErrorKind::LoginRefused => {
                return Answer::LoginRefused(error.reason());
            }
            Err(error) => return Answer::NotSent(error.reason().in_words(error.to_string())),
        };
        let covered = || {
            // Without an intent there is no lease, so the faults that omit the intent would not send at all.
            let unchecked = [Planted::LeaseUncheckedBeforeSend, Planted::NoIntent, Planted::IntentAfterSend];
            let covered = self.lease_left() >= client.time_limit() || unchecked.into_iter().any(planted);
            pass_blocking(step, Moment::Checked);
            covered
        };
        client.send(self.model, write, operation, id, body, &covered).await
    }

    async fn load(&mut self) -> Result<Loaded, StoreError> {
        let StoredRecord { mut loaded, locals, .. } = loop {
            let mark = self.entrance.as_ref().map(Entrance::mark);
            let stored = self.engine.store.load(self.model, self.id, self.stage).await?;
            match (&self.entrance, mark) {
                (Some(entrance), Some(mark)) if !entrance.closes(mark).await => {}
                _ => break stored,
            }
        };
        self.entrance = None;
        self.locals = locals;
        let wanted = self.set_locals.clone().unwrap_or_default();
        loaded.local_conflicts = self.locals.conflicts(self.model, &self.known_locals, &wanted);
        Ok(loaded)
    }

    async fn fetch(&mut self) -> Fetched<Fault> {
        let client = match self.engine.contact().await.and_then(|_| self.engine.client()) {
            Ok(client) => client,
            Err(error) if error.kind() == ErrorKind::Misconfigured => {
                return Fetched::Misconfigured(error.to_string());
            }
            Err(error) if error.kind() == ErrorKind::LoginRefused => {
                return Fetched::LoginRefused(error.reason());
            }
            Err(error) => return Fetched::Unavailable(error.reason()),
        };
        self.asked = Some(ClockReading::of(&*self.engine.clock));
        client.fetch(self.model, self.id).await
    }

    async fn commit(&mut self, commit: Commit<Fault>, step: Step) -> Result<Committed, StoreError> {
        let opens = matches!(commit.intent, IntentChange::Open(_));
        let brings_locals = commit.history.iter().any(|entry| entry.kind == EntryKind::AppliedLate);
        let begun = (self.engine.clock.now(), self.engine.clock.monotonic());
        let insist = commit.insist;
        let mut job = Job {
            model: self.model,
            id: self.id,
            commit,
            locals: self.set_locals.clone(),
            actor: self.actor.to_string(),
            program: self.engine.program.to_string(),
            holder: self.engine.holder,
            lease_ms: self.engine.settings.lease_ms(),
            quiet_ms: self.engine.settings.quiet_ms(),
            again: false,
            step,
        };
        let news = News::of(&job.commit);
        let mut pause = Duration::from_millis(20);
        loop {
            let committed = match self.engine.store.commit(job.clone()).await {
                Err(error) if !self.may_be_open && !self.has_sent => return Err(error),
                Err(error) => Committed::Unavailable(error.to_string()),
                Ok(committed) => committed,
            };
            if matches!(committed, Committed::Done(_)) {
                news.tell(self.model, self.id);
            }
            // Otherwise nothing was changed.
            self.may_be_open |= opens && matches!(committed, Committed::Done(_) | Committed::Unavailable(_));
            match &committed {
                // After a shutdown only settling can store it.
                Committed::Unavailable(_) if insist && self.lease_lasts() && !self.engine.store.is_closed() => {
                    if !job.again {
                        let (model, id) = (self.model.name, self.id);
                        tracing::warn!(model, %id, "CDMS's state cannot be stored yet; trying again");
                    }
                    // It is unknown whether a database that became unavailable had committed.
                    job.again = true;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(INSIST_PAUSE_MAX);
                }
                Committed::Done(_) if opens => {
                    let lease_ms = self.engine.settings.lease_ms();
                    self.lease = Some(HeldLease {
                        until: begun.0.plus_ms(i64::try_from(lease_ms).unwrap_or(i64::MAX)),
                        until_monotonic: begun.1 + Duration::from_millis(lease_ms),
                    });
                    return Ok(committed);
                }
                // A create that shows up late stores the values of the hub's own columns as well.
                Committed::Done(_) if brings_locals => {
                    if let Ok(stored) = self.engine.store.load(self.model, self.id, Stage::Finishes).await {
                        self.locals = stored.locals;
                    }
                    return Ok(committed);
                }
                _ => return Ok(committed),
            }
        }
    }

    fn lease_lasts(&self) -> bool {
        self.lease_left() > Duration::ZERO
    }

    /// The rest of the lease, by the clock that shows less.
    fn lease_left(&self) -> Duration {
        let Some(lease) = self.lease else { return Duration::ZERO };
        let by_wall = u64::try_from(lease.until.0.saturating_sub(self.engine.clock.now().0)).unwrap_or(0);
        let by_monotonic = lease.until_monotonic.saturating_sub(self.engine.clock.monotonic());
        by_monotonic.min(Duration::from_millis(by_wall))
    }
}

/// Parts of a transaction that the hub's operators should see in the log.
#[derive(Default)]
pub(crate) struct News {
    quarantined: Option<String>,
    late: Vec<OperationId>,
}

impl News {
    pub(crate) fn of(commit: &Commit<Fault>) -> Self {
        let quarantined = match &commit.quarantine {
            QuarantineChange::Put(fault) => Some(fault.to_string()),
            QuarantineChange::PutOrphan { id, .. } => Some(format!("CDMS created it under the id {id}")),
            QuarantineChange::Keep | QuarantineChange::Clear => None,
        };
        let late = commit.history.iter().filter(|entry| entry.kind == EntryKind::AppliedLate);
        News { quarantined, late: late.filter_map(|entry| entry.operation).collect() }
    }

    /// Logs it, once it is stored.
    pub(crate) fn tell(&self, model: &'static ModelDescriptor, id: Uuid) {
        let model = model.name;
        if let Some(reason) = &self.quarantined {
            tracing::warn!(model, %id, reason, "a record went to quarantine");
        }
        for operation in &self.late {
            tracing::warn!(model, %id, %operation, "a write that had been found not applied has shown up");
        }
    }
}
