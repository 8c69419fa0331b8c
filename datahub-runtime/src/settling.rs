//! Settling: finding out what became of writes whose outcome is not known.

use std::sync::Arc;
use std::time::Duration;

use datahub_protocol::{OperationId, Settle, Settled, Verdict};

use crate::Error;
use crate::executor::Run;
use crate::hub::Engine;
use crate::mapping::ModelMapping;
use crate::observed::observed;

/// Whether a hub settles writes on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Settling {
    /// When it connects, after a write ended unsettled, and from time to time.
    #[default]
    InBackground,
    /// Only when [`Hub::settle`](crate::Hub::settle) is called.
    OnRequest,
}

/// What one round of settling came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SettlingReport {
    /// The writes whose fate is known now.
    pub settled: Vec<(OperationId, Verdict)>,
    /// The writes whose fate cannot be told yet, with the time after which to look again.
    pub waiting: Vec<(OperationId, Duration)>,
    /// The writes that could not be looked at.
    pub failed: Vec<(OperationId, Error)>,
}

/// How many open writes one round looks at.
const ROUND_MAX: i64 = 200;

/// The longest time between two rounds.
const ROUND_PAUSE_MAX: Duration = Duration::from_secs(60);

/// Settles in the background until the hub is shut down.
pub(crate) fn start(engine: &Arc<Engine>) {
    let weak = Arc::downgrade(engine);
    let closing = engine.closing.clone();
    // Not one of the tracked tasks: a shutdown does not wait for it.
    tokio::spawn(async move {
        loop {
            let Some(engine) = weak.upgrade() else { return };
            let pause = match settle_all(&engine).await {
                Ok(report) => next_round(&report),
                Err(error) => {
                    tracing::warn!(%error, "the open writes cannot be listed");
                    ROUND_PAUSE_MAX
                }
            };
            // Wakes for a new unsettled write, and lets go of the engine meanwhile where nobody else holds it.
            let woken = tokio::time::timeout(pause, engine.unsettled.notified());
            tokio::select! {
                () = closing.cancelled() => return,
                _ = woken => {}
            }
        }
    });
}

fn next_round(report: &SettlingReport) -> Duration {
    let soonest = report.waiting.iter().map(|(_, after)| *after).min();
    soonest.unwrap_or(ROUND_PAUSE_MAX).clamp(Duration::from_millis(500), ROUND_PAUSE_MAX)
}

/// One round over the open writes of the models that this program lists.
pub(crate) async fn settle_all(engine: &Arc<Engine>) -> Result<SettlingReport, Error> {
    let models: Vec<_> = engine.models.iter().collect();
    let open = engine.store.open_intents(&models, ROUND_MAX).await?;
    let mut report = SettlingReport::default();
    for row in open {
        let operation = row.intent.operation;
        let Some(model) = engine.model(&row.model) else { continue };
        let our_user = match engine.contact().await {
            Ok(user) => user,
            Err(error) => {
                report.failed.push((operation, error));
                continue;
            }
        };
        let actor: Arc<str> = row.actor.as_str().into();
        let mapping = ModelMapping { model, id: row.id, actor: Arc::clone(&actor) };
        let mut machine = Settle::new(mapping, operation, our_user);
        let mut run = Run::new(Arc::clone(engine), model, row.id, actor);
        match observed("settle", model, row.id, Some(operation), run.drive(&mut machine)).await {
            Ok(Ok(Settled::Now(verdict))) => {
                tracing::info!(%operation, ?verdict, "settled");
                report.settled.push((operation, verdict));
            }
            Ok(Ok(Settled::Before)) => {}
            Ok(Ok(Settled::NotYet { retry_after_ms })) => {
                report.waiting.push((operation, Duration::from_millis(retry_after_ms)));
            }
            Ok(Err(failure)) => report.failed.push((operation, Error::from_failure(failure, model, row.id))),
            Err(error) => report.failed.push((operation, error.into())),
        }
    }
    Ok(report)
}
