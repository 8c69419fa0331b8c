//! One pull or sweep of a watch: under the lease of its model, and stopped between two pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datahub_model::ModelDescriptor;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::engine::call::{Call, Costed};
use crate::operation::ensure_fresh::bring_up_to_date;
use crate::operation::pulling::standing;
use crate::operation::sweep::{How, sweep};
use crate::operation::{ModelFresh, PullReport, SweepReport};
use crate::store::{Lease, Taking};
use crate::{Error, ErrorKind, Hub};

/// How long a lease lasts beyond the time at which its holder takes it again.
pub(super) const LEASE_SLACK: Duration = Duration::from_secs(60);

/// How long the lease of a sweep lasts, unless it is renewed.
const SWEEP_LEASE: Duration = Duration::from_secs(300);

/// Below this number of records, quarantine says nothing about a model.
const QUARANTINED_MIN: u64 = 20;

/// What the work of a watch needs to know of a model.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) model: &'static ModelDescriptor,
    /// The right to pull it.
    pub(super) pulls: Lease,
    /// The right to sweep it.
    pub(super) sweeps: Lease,
}

/// What is the same for all work of a watch.
#[derive(Clone)]
pub(super) struct Conditions {
    /// Without a budget, because no caller waits for the work.
    pub(super) hub: Hub,
    pub(super) every: Duration,
    pub(super) sweep_every: Option<Duration>,
    /// Which part of a pull's records may be quarantined.
    pub(super) quarantined_max: f64,
    pub(super) halt: CancellationToken,
}

/// How a piece of work ended.
pub(super) enum Ended<T> {
    Done(T),
    /// There is nothing to do yet.
    NotYet(Duration),
    /// Another program does it, and has the lease for this time.
    LeftToOthers(String, Duration),
    /// It was stopped with the watch.
    Stopped,
    /// CDMS cannot be asked at all.
    WithoutCdms(Error),
    Failed(Error),
}

/// The end of a piece of work, and the program from which its lease was taken over, if so.
pub(super) struct End<T> {
    pub(super) ended: Ended<T>,
    pub(super) from: Option<String>,
    pub(super) is_leased: bool,
}

impl<T> End<T> {
    fn without_lease(ended: Ended<T>) -> Self {
        End { ended, from: None, is_leased: false }
    }
}

impl Watched {
    /// The claims of a new watch. Programs that read different attributes of a model have leases and progress of their own.
    pub(super) fn new(engine: &Engine, model: &'static ModelDescriptor) -> Result<Self, Error> {
        let scopes = engine.client()?.shape(model).scopes();
        let lease = |work: &str, scope: &str| {
            Lease::new(format!("watch:{work}:{}:{scope}", model.table), &engine.program, SWEEP_LEASE)
        };
        Ok(Watched { model, pulls: lease("pull", &scopes.changes), sweeps: lease("sweep", &scopes.sweep) })
    }

    /// Brings the model up to date. The next pull begins after this time.
    pub(super) async fn pull(&self, conditions: &Conditions, until_next: Duration) -> End<ModelFresh> {
        let Conditions { hub, every, quarantined_max, halt, .. } = conditions;
        let (engine, model) = (&hub.engine, self.model);
        let is_reading = AtomicBool::new(false);
        let may_go_on = |so_far: &PullReport| {
            is_reading.store(true, Ordering::Relaxed);
            if halt.is_cancelled() {
                return Err(stopped(model));
            }
            too_many_quarantined(model, so_far, *quarantined_max)
        };
        let pull = async {
            let fresh = bring_up_to_date(engine, model, *every / 2, &may_go_on).await?;
            fresh.pull.as_ref().map_or(Ok(()), |report| too_many_quarantined(model, report, *quarantined_max))?;
            Ok(fresh)
        };
        let lease = self.pulls.lasting(until_next + LEASE_SLACK);
        let pull = Call::new(hub, "pull", model.name).run(pull);
        under(engine, &lease, halt, &is_reading, pull).await
    }

    /// Sweeps the model, unless any program did so within the interval. After its brake has stopped it, the list
    /// is read from its beginning, because the cause may be gone.
    pub(super) async fn sweep(&self, conditions: &Conditions, was_stopped: bool) -> End<SweepReport> {
        let Conditions { hub, halt, .. } = conditions;
        let (engine, model) = (&hub.engine, self.model);
        match self.sweep_is_due(conditions).await {
            Ok(None) => {}
            Ok(Some(left)) => return End::without_lease(Ended::NotYet(left)),
            Err(error) => return End::without_lease(Ended::Failed(error)),
        }
        let is_reading = AtomicBool::new(false);
        let work = async {
            // Another program may have swept until this one got the lease.
            if let Some(left) = self.sweep_is_due(conditions).await? {
                return Ok(Err(left));
            }
            is_reading.store(true, Ordering::Relaxed);
            let how = How::in_background(was_stopped, halt.clone());
            Call::new(hub, "sweep", model.name).run(sweep(engine, model, how)).await.map(Ok)
        };
        let end = under(engine, &self.sweeps, halt, &is_reading, work).await;
        if end.is_leased {
            self.release(engine, &self.sweeps).await;
        }
        let ended = match end.ended {
            Ended::Done(Ok(report)) => Ended::Done(report),
            Ended::Done(Err(left)) | Ended::NotYet(left) => Ended::NotYet(left),
            Ended::LeftToOthers(who, lease) => Ended::LeftToOthers(who, lease),
            Ended::Stopped => Ended::Stopped,
            Ended::WithoutCdms(error) => Ended::WithoutCdms(error),
            Ended::Failed(error) => Ended::Failed(error),
        };
        End { ended, from: end.from, is_leased: false }
    }

    /// How long no sweep is due yet, if so. A model that was never loaded has no rows that could be missing.
    async fn sweep_is_due(
        &self,
        Conditions { hub, every, sweep_every, .. }: &Conditions,
    ) -> Result<Option<Duration>, Error> {
        let standing = standing(&hub.engine, self.model).await?;
        if standing.watermark().is_none() {
            return Ok(Some(*every));
        }
        let Some(swept_at) = standing.swept_at else { return Ok(None) };
        let age = Duration::from_millis(u64::try_from(standing.now.0.saturating_sub(swept_at.0)).unwrap_or(0));
        let left = sweep_every.unwrap_or(*every).saturating_sub(age);
        Ok((!left.is_zero()).then_some(left))
    }

    /// Gives a lease back, so that another program need not wait for its end.
    pub(super) async fn release(&self, engine: &Engine, lease: &Lease) {
        if let Err(error) = engine.store.release_lease(lease.clone()).await {
            tracing::info!(model = self.model.name, %error, "a lease could not be given back; it ends by itself");
        }
    }
}

/// Does work under a lease, which is renewed while it lasts. Once the watch is stopped, work that has begun to read may
/// end its page.
async fn under<T>(
    engine: &Arc<Engine>,
    lease: &Lease,
    halt: &CancellationToken,
    is_reading: &AtomicBool,
    work: impl Future<Output = Result<T, Error>>,
) -> End<T> {
    let from = match engine.store.take_lease(lease.clone()).await {
        Ok(Taking::Taken) => None,
        Ok(Taking::TakenOver(from)) => Some(from),
        Ok(Taking::Held(who, left)) => return End::without_lease(Ended::LeftToOthers(who, left)),
        Err(error) => return End::without_lease(Ended::Failed(error.into())),
    };
    let stop = async {
        halt.cancelled().await;
        if is_reading.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        done = work => {
            let ended = match done {
                Ok(done) => Ended::Done(done),
                Err(_) if halt.is_cancelled() => Ended::Stopped,
                Err(error) if error.kind() == ErrorKind::Busy => {
                    Ended::LeftToOthers("another program".to_owned(), lease.lasts)
                }
                Err(error) if error.is_without_cdms() && !engine.cdms_answers().await => Ended::WithoutCdms(error),
                Err(error) => Ended::Failed(error),
            };
            End { ended, from, is_leased: true }
        }
        () = stop => End { ended: Ended::Stopped, from, is_leased: true },
        () = lost(engine, lease) => {
            End { ended: Ended::LeftToOthers("another program".to_owned(), lease.lasts), from, is_leased: false }
        }
    }
}

/// Renews a lease until it is lost.
async fn lost(engine: &Engine, lease: &Lease) {
    loop {
        engine.clock.wait_until(engine.clock.monotonic() + lease.lasts / 3).await;
        match engine.store.renew_lease(lease.clone()).await {
            Ok(true) => {}
            Ok(false) => return,
            // The work itself fails if the database stays away.
            Err(error) => tracing::info!(%error, "the lease of a watch could not be renewed"),
        }
    }
}

fn stopped(model: &ModelDescriptor) -> Error {
    let message = format!("the pull of {} was stopped with its watch", model.name);
    Error::new(ErrorKind::Unavailable, message).advise("the next pull resumes it")
}

/// Whether a pull has quarantined so many of its records that the model must be at fault, and not its records.
fn too_many_quarantined(model: &ModelDescriptor, so_far: &PullReport, max: f64) -> Result<(), Error> {
    let PullReport { quarantined, records, .. } = *so_far;
    #[allow(clippy::cast_precision_loss, reason = "no list is so long that it matters")]
    let share = quarantined as f64 / records.max(1) as f64;
    if quarantined < QUARANTINED_MIN || share <= max {
        return Ok(());
    }
    let message = format!("{quarantined} of {records} records of {} cannot be converted or stored", model.name);
    Err(Error::new(ErrorKind::Quarantined, message)
        .advise("`hub.quarantine(100)` says why; correct the contract, then call `hub.retry_quarantined`"))
}

impl Costed for ModelFresh {}

impl Costed for Result<SweepReport, Duration> {}
