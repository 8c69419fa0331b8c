//! Keeping models up to date in the background, one program at a time for each.

mod course;
mod schedule;
mod told;
mod work;

use std::fmt;
use std::future::IntoFuture;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datahub_model::Mode;
use fastrand::Rng;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use course::{Course, OnEvent};
use schedule::Schedule;
use work::{Conditions, Watched};

pub use told::{WatchEvent, WatchReport, WatchState, WatchedModel};

use super::ensure_fresh::order;
use crate::engine::metrics;
use crate::{Error, ErrorKind, Hub, Models};

/// The shortest interval.
const EVERY_MIN: Duration = Duration::from_secs(1);

/// The longest interval.
const EVERY_MAX: Duration = Duration::from_secs(366 * 86_400);

/// A watch that is about to begin; see [`Hub::watch`].
#[must_use = "nothing is watched until it is awaited"]
pub struct WatchBuilder {
    hub: Hub,
    models: Models,
    every: Duration,
    sweep_every: Option<Duration>,
    quarantined_max: f64,
    rng: Rng,
    on_event: Option<OnEvent>,
}

/// A watch, which goes on while this handle is kept; see [`Hub::watch`].
///
/// Dropping it stops the watch after the pages that are being read; [`stop`](Watch::stop) also waits for them.
#[must_use = "the watch stops when its handle is dropped"]
pub struct Watch {
    halt: CancellationToken,
    report: Arc<Mutex<WatchReport>>,
    task: Option<JoinHandle<()>>,
}

impl WatchBuilder {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, models: Models, every: Duration) -> Self {
        let hub = Hub { budget: None, ..hub.called() };
        WatchBuilder { hub, models, every, sweep_every: None, quarantined_max: 0.1, rng: Rng::new(), on_event: None }
    }

    /// Also sweeps each model for deletions this long after its last complete sweep, whichever program made that. A sweep
    /// that is stopped by its brake, because too many rows are missing, does not stop the pulls.
    pub fn sweep_every(mut self, every: Duration) -> Self {
        self.sweep_every = Some(every);
        self
    }

    /// Pauses a model if more than this share of the records of a pull cannot be converted or stored, and at least 20 of
    /// them: then the model is at fault and not its records, and quarantine would fill up. Default: 0.1.
    pub fn pause_above(mut self, share: f64) -> Self {
        self.quarantined_max = share;
        self
    }

    /// Is told what happens. Work that is due waits for it, so it should be quick.
    pub fn on_event(mut self, on_event: impl FnMut(&WatchEvent) + Send + 'static) -> Self {
        self.on_event = Some(Box::new(on_event));
        self
    }

    /// Draws the intervals from this seed, so that a test with a clock of its own sees the same ones each time. Intervals
    /// are up to a tenth shorter or longer than asked for.
    pub fn seed(mut self, seed: u64) -> Self {
        self.rng = Rng::with_seed(seed);
        self
    }

    fn start(self) -> Result<Watch, Error> {
        let WatchBuilder { hub, models, every, sweep_every, quarantined_max, rng, on_event } = self;
        let engine = Arc::clone(&hub.engine);
        for interval in [Some(every), sweep_every].into_iter().flatten() {
            if interval < EVERY_MIN {
                let message = format!("an interval of {interval:?} is too short for a watch");
                return Err(Error::new(ErrorKind::Misconfigured, message).advise("use a second or more"));
            }
            if interval > EVERY_MAX {
                let message = format!("an interval of {} days is too long for a watch", interval.as_secs() / 86_400);
                return Err(Error::new(ErrorKind::Misconfigured, message).advise("use a year or less"));
            }
        }
        models.iter().try_for_each(|model| engine.admit(model))?;
        // The rows of detached models are authoritative.
        let models: Vec<_> = models.iter().filter(|model| model.mode != Mode::Detached).collect();
        let watched = models.iter().map(|model| Watched::new(&engine, model)).collect::<Result<Vec<_>, _>>()?;
        models.iter().for_each(|model| metrics::paused(model.name, false));
        let halt = engine.closing.child_token();
        let report = Arc::new(Mutex::new(WatchReport::of(models.iter().map(|model| model.name))));
        let schedule = Schedule::new(every, sweep_every, rng, order::before(&models), engine.clock.monotonic());
        let conditions = Conditions { hub, every, sweep_every, quarantined_max, halt: halt.clone() };
        let course = Course::new(watched, conditions, schedule, Arc::clone(&report), on_event);
        Ok(Watch { halt, report, task: Some(engine.tasks.spawn(course.run())) })
    }
}

impl Watch {
    /// How the watch stands. It stays readable after the hub was shut down.
    #[must_use]
    pub fn report(&self) -> WatchReport {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops the watch, waits for the pages that are being read, and gives its leases back, so that another program can go
    /// on at once.
    ///
    /// Dropping the future ends the wait, and the watch stops all the same.
    ///
    /// # Panics
    ///
    /// When the function of [`on_event`](WatchBuilder::on_event) has panicked.
    pub async fn stop(mut self) -> WatchReport {
        self.halt.cancel();
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
            && let Ok(panic) = error.try_into_panic()
        {
            resume_unwind(panic);
        }
        self.report()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.halt.cancel();
    }
}

impl IntoFuture for WatchBuilder {
    type Output = Result<Watch, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.start() })
    }
}

impl fmt::Debug for WatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WatchBuilder");
        shown.field("every", &self.every).field("sweep_every", &self.sweep_every).finish_non_exhaustive()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("report", &self.report()).finish_non_exhaustive()
    }
}
