//! Settling: finding out what happened to writes whose outcome is unknown.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cdms_odata::Instant;
use datahub_model::Mode;
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{OperationId, Settle, Settled, Verdict};

use crate::Error;
use crate::engine::budget::admit;
use crate::engine::call::Costed;
use crate::engine::cost::Cost;
use crate::engine::executor::Run;
use crate::engine::mapping::ModelMapping;
use crate::engine::metrics;
use crate::engine::observed::observed;
use crate::engine::{Doubt, Engine};
use crate::store::{IntentRow, may_finish};

/// Whether a hub settles writes on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Settling {
    /// On connecting, after a write has ended unsettled, and periodically.
    #[default]
    InBackground,
    /// Only when [`Hub::settle`](crate::Hub::settle) is called.
    OnRequest,
}

/// The result of one round of settling.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SettlingReport {
    /// The writes whose outcome is now known.
    pub settled: Vec<(OperationId, Verdict)>,
    /// The writes whose outcome cannot be determined yet, with the time to wait before looking again.
    pub waiting: Vec<(OperationId, Duration)>,
    /// The writes that could not be checked.
    pub failed: Vec<(OperationId, Error)>,
    /// The writes that only another program can settle, because it lists their model or has the mapping with which they
    /// were made.
    pub left_to_others: Vec<OperationId>,
    /// What it cost.
    pub cost: Cost,
    /// Why CDMS receives no more requests in this round.
    outage: Option<Error>,
    doubt: Doubt,
}

impl Costed for SettlingReport {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

/// How many open writes are kept in memory at once.
const PAGE: i64 = 200;

/// The shortest time between two rounds of forgetting ended writes.
const FORGET_EVERY_MS: i64 = 3_600_000;

/// The longest time between two rounds.
const ROUND_PAUSE_MAX: Duration = Duration::from_secs(60);

/// When the background looks at which open writes again, so that a round that one write has triggered does not ask CDMS
/// about all the others too early.
#[derive(Debug, Default)]
pub(crate) struct Looks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    at: HashMap<OperationId, Instant>,
    /// Writes to look at again, whatever the current round has found.
    fresh: HashSet<OperationId>,
}

impl Looks {
    /// Whether the next look at a write is scheduled, and not due yet.
    pub(crate) fn is_early(&self, operation: OperationId, now: Instant) -> bool {
        self.left(operation, now).is_some()
    }

    fn left(&self, operation: OperationId, now: Instant) -> Option<Duration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = known.at.get(&operation)?.0.saturating_sub(now.0);
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }

    /// Makes the next round look at a write, whatever was known of it.
    pub(crate) fn forget(&self, operation: OperationId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.at.remove(&operation);
        known.fresh.insert(operation);
    }

    /// Begins a round, which will see all writes that are open now.
    fn begin(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fresh.clear();
    }

    /// Schedules the writes that a round has left open.
    fn remember(&self, report: &SettlingReport, now: Instant) {
        let pause_max = i64::try_from(ROUND_PAUSE_MAX.as_millis()).unwrap_or(i64::MAX);
        let waiting = report.waiting.iter().map(|(operation, after)| (*operation, *after));
        let failed = report.failed.iter().map(|(operation, _)| (*operation, ROUND_PAUSE_MAX));
        let looks = waiting.chain(failed).map(|(operation, after)| {
            let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX).min(pause_max);
            (operation, now.plus_ms(after))
        });
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { at, fresh } = &mut *known;
        *at = looks.filter(|(operation, _)| !fresh.contains(operation)).collect();
    }
}

/// Settles in the background until the hub is shut down.
pub(crate) fn start(engine: &Arc<Engine>) {
    let weak = Arc::downgrade(engine);
    let (closing, unsettled) = (engine.closing.clone(), Arc::clone(&engine.unsettled));
    // Not a tracked task: a shutdown does not wait for it.
    tokio::spawn(async move {
        loop {
            let Some(engine) = weak.upgrade() else { return };
            let pause = match round(&engine, Round::Background).await {
                Ok(report) => {
                    tell_what_waits(&engine).await;
                    next_round(&report)
                }
                Err(error) => {
                    tracing::warn!(%error, "the open writes cannot be listed");
                    ROUND_PAUSE_MAX
                }
            };
            // Releases the engine in the meantime, so that it ends if no handle holds it; wakes for a new unsettled
            // write.
            drop(engine);
            let woken = tokio::time::timeout(pause, unsettled.notified());
            tokio::select! {
                () = closing.cancelled() => return,
                _ = woken => {}
            }
        }
    });
}

/// Brings the series about what the database knows up to date, whichever program has brought it about.
async fn tell_what_waits(engine: &Engine) {
    if !metrics::ARE_EMITTED {
        return;
    }
    let told = async {
        metrics::waiting(&engine.store.health(Vec::new()).await?);
        for model in engine.models.iter().filter(|model| model.mode != Mode::Detached) {
            let standing = engine.store.standing(model, engine.client()?.shape(model).scopes()).await?;
            if let Some(as_of) = standing.checked_at() {
                metrics::pulled(model.name, as_of);
            }
            if let Some(as_of) = standing.swept_at {
                metrics::swept(model.name, as_of);
            }
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = told.await {
        tracing::warn!(%error, "the database does not say what waits");
    }
}

fn next_round(report: &SettlingReport) -> Duration {
    let soonest = report.waiting.iter().map(|(_, after)| *after).min();
    soonest.unwrap_or(ROUND_PAUSE_MAX).clamp(Duration::from_millis(500), ROUND_PAUSE_MAX)
}

/// One round over the open writes.
pub(crate) async fn settle_all(engine: &Arc<Engine>) -> Result<SettlingReport, Error> {
    admit()?;
    round(engine, Round::OnRequest).await
}

/// Who requested a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// A caller, who wants an answer now.
    OnRequest,
    /// The background task, which can wait.
    Background,
}

async fn round(engine: &Arc<Engine>, wanted: Round) -> Result<SettlingReport, Error> {
    engine.looks.begin();
    forget_old(engine).await?;
    if let Err(error) = engine.store.forget_erased().await {
        tracing::warn!(%error, "the database's log still contains erased data");
    }
    let mut report = SettlingReport::default();
    let mut after = None;
    loop {
        let page = engine.store.open_intents(after, PAGE).await?;
        let Some(last) = page.last() else {
            engine.looks.remember(&report, engine.clock.now());
            return Ok(report);
        };
        after = Some((last.opened_at, last.intent.operation));
        for row in page {
            let operation = row.intent.operation;
            let left = engine.looks.left(operation, engine.clock.now());
            match left.filter(|_| wanted == Round::Background && !planted(Planted::BusyWakesAll)) {
                Some(left) => report.waiting.push((operation, left)),
                None => settle(engine, row, &mut report).await,
            }
        }
    }
}

async fn settle(engine: &Arc<Engine>, row: IntentRow, report: &mut SettlingReport) {
    let operation = row.intent.operation;
    let Some(model) = engine.model(&row.model) else {
        report.left_to_others.push(operation);
        return;
    };
    if !may_finish(model, row.mapping, row.oldest_epoch.as_deref()) {
        report.left_to_others.push(operation);
        return;
    }
    // Without CDMS no write can be settled; CDMS is not asked again for each of them.
    if let Some(error) = report.outage.clone() {
        report.failed.push((operation, error));
        return;
    }
    let our_user = match engine.contact().await {
        Ok(user) => user,
        Err(error) => {
            report.outage = Some(error.clone());
            report.failed.push((operation, error));
            return;
        }
    };
    let actor: Arc<str> = row.actor.as_str().into();
    let mapping = ModelMapping::new(model, row.id, Arc::clone(&actor));
    let mut machine = Settle::new(mapping, operation, our_user, engine.settings.clock_skew_ms());
    let mut run = Run::new(Arc::clone(engine), model, row.id, actor).finishing();
    match observed("settle", model, row.id, Some(operation), run.drive(&mut machine)).await {
        Ok(Ok(Settled::Now(verdict))) => {
            report.doubt.is_over();
            tracing::info!(%operation, ?verdict, "settled");
            metrics::settled(&verdict);
            report.settled.push((operation, verdict));
        }
        Ok(Ok(Settled::Before)) => {}
        Ok(Ok(Settled::LeftToOthers)) => report.left_to_others.push(operation),
        Ok(Ok(Settled::NotYet { retry_after_ms })) => {
            report.waiting.push((operation, Duration::from_millis(retry_after_ms)));
        }
        Ok(Err(failure)) => {
            let error = Error::from_failure(failure, model, row.id);
            // A record that CDMS cannot return does not stop the others.
            if error.is_without_cdms() && report.doubt.is_outage(engine).await {
                report.outage = Some(error.clone());
            }
            report.failed.push((operation, error));
        }
        Err(error) => report.failed.push((operation, error.into())),
    }
}

/// Periodically forgets writes that ended more than a day ago.
async fn forget_old(engine: &Engine) -> Result<(), Error> {
    let now = engine.clock.now();
    let due = {
        let mut forgot_at = engine.forgot_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = forgot_at.is_none_or(|then| now.0.saturating_sub(then.0) >= FORGET_EVERY_MS);
        if due {
            *forgot_at = Some(now);
        }
        due
    };
    if due {
        engine.store.forget_old_intents().await?;
    }
    Ok(())
}
