//! Concurrent checks of one record share one request.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cdms_odata::Instant;
use chrono::{DateTime, Utc};
use datahub_model::{Fault, Mode, ModelDescriptor};
use datahub_protocol::{Failure, Finding, OperationId, Read, Sighting, Snapshot, Version};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::budget::admit;
use crate::engine::check_times::CheckTimes;
use crate::engine::clock::ClockReading;
use crate::engine::entrance::{Entrance, join};
use crate::engine::executor::Run;
use crate::engine::known_row::KnownRow;
use crate::engine::mapping::ModelMapping;
use crate::engine::observed::observed;
use crate::engine::record_lock::RecordLocks;
use crate::store::StoreError;
use crate::{Error, ErrorKind};

/// The result of a check, for all callers that waited for it: what is large in it they share.
#[derive(Clone)]
pub(crate) struct CheckedRow {
    pub(crate) seen: Seen,
    /// What the hub keeps of the record.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The row as it is known; it can be incomplete only if it waits for a write.
    pub(crate) row: KnownRow,
    /// The row that CDMS's record has replaced, if any.
    pub(crate) replaced: Option<ReplacedRow>,
    /// When the request was sent; `None` if none was, because a write is in progress.
    pub(crate) time: Option<DateTime<Utc>>,
}

/// How the record and its row are to each other.
#[derive(Clone, Copy)]
pub(crate) enum Seen {
    /// Both sides have the same, after what the check found and did.
    Current(Finding),
    /// A write is under way, and the row is as it was before.
    Pending(OperationId),
}

/// A row that a check has replaced with CDMS's record.
#[derive(Clone)]
pub(crate) struct ReplacedRow {
    /// The row, or why it does not fit the model.
    pub(crate) row: Result<KnownRow, Fault>,
    pub(crate) version: Version,
    pub(crate) modified: Instant,
}

pub(super) type Outcome = Result<CheckedRow, CheckFailure>;

/// Why a check failed; cheap to clone for several callers.
#[derive(Clone)]
pub(crate) enum CheckFailure {
    Protocol(Failure<Fault>),
    Store(StoreError),
    /// The task that ran the check has stopped with the hub.
    Stopped,
}

pub(super) type Key = (&'static str, Uuid);

/// The outcome of a check, for each of its callers.
pub(super) type SharedOutcome = Shared<BoxFuture<'static, Outcome>>;

/// Checks that can still be joined, and the times of those that were completed.
#[derive(Default)]
pub(crate) struct SharedChecks {
    /// By record: the check whose row has not been loaded for its last caller yet.
    pub(super) joinable: Mutex<HashMap<Key, Joinable>>,
    /// By record: the check that has begun, for callers who allow its age.
    pub(super) begun: Mutex<HashMap<Key, Begun>>,
    /// One check at a time per record; the next one collects callers in the meantime.
    turns: RecordLocks,
    /// When which record was last checked.
    pub(crate) times: CheckTimes,
}

/// A check that can still be joined.
pub(super) struct Joinable {
    /// How many callers have joined the one that began it. No other check has the same counter, so it is known by it.
    pub(super) joined: Arc<AtomicUsize>,
    pub(super) outcome: SharedOutcome,
}

/// A check that cannot be joined any more.
pub(super) struct Begun {
    /// Since when at the latest, which is before its request is sent and before the row is loaded.
    pub(super) at: ClockReading,
    pub(super) outcome: SharedOutcome,
}

impl SharedChecks {
    fn end(&self, key: Key) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

/// Waits until a check of the record is over that began at most this long ago; returns whether there was one. What it found
/// is in the row then, unless it failed, which concerns its own callers.
pub(crate) async fn wait_for_begun(
    engine: &Engine,
    model: &'static ModelDescriptor,
    id: Uuid,
    max_age: Duration,
) -> bool {
    let outcome = {
        let begun = engine.checks.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = begun.get(&(model.table, id)).filter(|begun| begun.at.age(&*engine.clock) <= max_age);
        recent.map(|begun| begun.outcome.clone())
    };
    let Some(outcome) = outcome else { return false };
    _ = outcome.await;
    true
}

/// Checks a record against CDMS, together with every caller that arrives before the request is sent. The check runs in
/// a task of the hub: dropping the future leaves it to the other callers and to the hub's row.
pub(crate) async fn check(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    id: Uuid,
) -> Result<CheckedRow, Error> {
    asks_cdms(model)?;
    let outcome = join(engine, (model.table, id), |joined| {
        admit().map_err(|error| error.of_record(model, id))?;
        let task = engine.spawn(run(Arc::clone(engine), model, id, joined));
        let task = task.map_err(|error| error.of_record(model, id))?;
        Ok(task.map(|joined| joined.unwrap_or(Err(CheckFailure::Stopped))).boxed().shared())
    })?;
    into_result(outcome.await, model, id)
}

/// Refuses detached models: CDMS is not asked about them any more, and their rows are authoritative.
pub(crate) fn asks_cdms(model: &'static ModelDescriptor) -> Result<(), Error> {
    if model.mode != Mode::Detached {
        return Ok(());
    }
    let message = format!("{} is detached from CDMS, which is not asked about its records", model.name);
    Err(Error::new(ErrorKind::Invalid, message).advise("its rows stay as they are; no action is needed"))
}

fn into_result(outcome: Outcome, model: &'static ModelDescriptor, id: Uuid) -> Result<CheckedRow, Error> {
    outcome.map_err(|failure| match failure {
        CheckFailure::Protocol(failure) => Error::from_failure(failure, model, id),
        CheckFailure::Store(error) => Error::from(error).of_record(model, id),
        CheckFailure::Stopped => Error::new(ErrorKind::Unavailable, "the check was stopped with the hub"),
    })
}

/// The name of the operation that accepts older records.
const RESOLVE: &str = "resolve";

/// Like [`check`], but unshared, on behalf of an actor, and accepting CDMS's record even if it is older than the row.
pub(crate) async fn take_older(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    id: Uuid,
    actor: &Arc<str>,
) -> Result<CheckedRow, Error> {
    asks_cdms(model)?;
    admit().map_err(|error| error.of_record(model, id))?;
    let task = engine.spawn(carry_out(Arc::clone(engine), model, id, RESOLVE, Arc::clone(actor), i64::MAX, None));
    let task = task.map_err(|error| error.of_record(model, id))?;
    into_result(task.await.unwrap_or(Err(CheckFailure::Stopped)), model, id)
}

async fn run(engine: Arc<Engine>, model: &'static ModelDescriptor, id: Uuid, joined: Arc<AtomicUsize>) -> Outcome {
    let key = (model.table, id);
    let turn = engine.checks.turns.lock(key).await;
    let entrance = Entrance::of(Arc::clone(&engine), key, joined);
    let skew = engine.settings.clock_skew_ms();
    let program = Arc::clone(&engine.program);
    let outcome = carry_out(Arc::clone(&engine), model, id, "read", program, skew, Some(entrance)).await;
    engine.checks.end(key);
    drop(turn);
    outcome
}

/// Runs one check that tolerates CDMS's time going back by this much.
async fn carry_out(
    engine: Arc<Engine>,
    model: &'static ModelDescriptor,
    id: Uuid,
    kind: &'static str,
    actor: Arc<str>,
    clock_skew_ms: i64,
    entrance: Option<Entrance>,
) -> Outcome {
    let mapping = ModelMapping::new(model, id, Arc::clone(&actor));
    let mut machine = Read::new(mapping, clock_skew_ms);
    let mut run = Run::new(Arc::clone(&engine), model, id, actor).joined_at(entrance);
    let sighting = observed(kind, model, id, None, run.drive(&mut machine)).await;
    let sighting = sighting.map_err(CheckFailure::Store)?.map_err(|failure| {
        if !matches!(failure, Failure::Unavailable(_) | Failure::LoginRefused(_)) {
            // CDMS has something else than the row.
            engine.checks.times.forget(model, id);
        }
        CheckFailure::Protocol(failure)
    })?;
    let asked = run.asked();
    if let (Some(asked), Sighting::Current { .. }) = (asked, &sighting) {
        engine.checks.times.remember(model, id, asked);
    }
    let time = asked.and_then(|asked| asked.now.to_utc());
    let (seen, snapshot, row, replaced) = match sighting {
        Sighting::Current { snapshot, values, finding, replaced } => {
            // Only a resolution needs it, and a row that another mapping stored may not fit this model.
            let replaced = replaced.filter(|_| finding == Finding::Refreshed && kind == RESOLVE);
            let replaced = replaced.map(|replaced| ReplacedRow {
                row: KnownRow::stored(model, id, &replaced, run.locals()),
                version: replaced.version,
                modified: replaced.facts.modified,
            });
            (Seen::Current(finding), snapshot, KnownRow::of(model, values, run.locals()), replaced)
        }
        Sighting::Pending { snapshot, operation } => {
            let row = KnownRow::stored(model, id, &snapshot, run.locals())
                .map_err(|fault| CheckFailure::Protocol(Failure::Quarantined(fault)))?;
            (Seen::Pending(operation), snapshot, row, None)
        }
    };
    Ok(CheckedRow { seen, snapshot: Arc::new(snapshot), row, replaced, time })
}
