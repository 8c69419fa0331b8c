//! Bringing whole models up to date before a program queries its own tables.

pub(super) mod order;

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Instant;
use chrono::{DateTime, Utc};
use datahub_model::{Mode, ModelDescriptor};
use datahub_protocol::ROUNDS_MAX;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::completing::complete_from_seen;
use super::pull::PullReport;
use super::pulling::{begin, never_loaded, page, standing};
use crate::engine::Engine;
use crate::engine::budget::admit;
use crate::engine::call::{Call, Costed};
use crate::engine::cost::{Cost, metered};
use crate::engine::metrics;
use crate::store::Standing;
use crate::{Error, ErrorKind, Freshness, Hub, Models};

/// How many models are brought up to date at once.
const AT_ONCE: usize = 4;

/// Bringing models up to date; see [`Hub::ensure_fresh`].
#[derive(Debug)]
#[must_use = "nothing is brought up to date until it is awaited"]
pub struct EnsureFresh {
    hub: Hub,
    models: Models,
    wanted: Wanted,
}

/// What is wanted of each model.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    freshness: Freshness,
    or_load: bool,
}

/// What [`Hub::ensure_fresh`] promises of the models' rows, and what it cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FreshReport {
    /// The models, in the order in which they were listed.
    pub models: Vec<ModelFresh>,
    /// The cost of all of them. What another caller has paid for is not part of it.
    pub cost: Cost,
}

impl Costed for FreshReport {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

/// What is promised of the rows of a model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModelFresh {
    /// The model's name.
    pub model: &'static str,
    /// Everything that had changed in CDMS before this time is in the rows, by the database's clock. `None` for a detached
    /// model, whose rows are authoritative, and for one that was never loaded.
    pub checked_at: Option<DateTime<Utc>>,
    /// Whether CDMS is asked in the background now, because the rows are older than `fresh_for`.
    pub revalidating: bool,
    /// The pull that was made, by this caller or another one; `None` if the rows were fresh enough.
    pub pull: Option<PullReport>,
    /// The requests that this caller has made for it.
    pub requests: u64,
    /// Rows that another version of the mapping stored and that lack fields of this one; see
    /// [`Hub::backfill`](crate::Hub::backfill).
    pub incomplete: u64,
    /// Records that were deleted in CDMS before this time are no longer among the rows: when the last complete
    /// [sweep](crate::Hub::sweep) began. `None` if there was none. A pull does not show what was deleted. Rows with an open
    /// write, and records that CDMS could not return, are not counted; the sweep's report says how many there were.
    pub deletions_as_of: Option<DateTime<Utc>>,
}

impl EnsureFresh {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, models: Models, freshness: Freshness) -> Self {
        EnsureFresh { hub: hub.called(), models, wanted: Wanted { freshness, or_load: false } }
    }

    /// Loads models that were never loaded completely, which can take long, instead of failing.
    pub fn or_load(mut self) -> Self {
        self.wanted.or_load = true;
        self
    }

    async fn run(self) -> Result<FreshReport, Error> {
        let (engine, wanted) = (&self.hub.engine, self.wanted);
        let models: Vec<_> = self.models.iter().collect();
        models.iter().try_for_each(|model| engine.admit(model))?;
        let before = order::before(&models);
        let mut fresh: Vec<Option<ModelFresh>> = vec![None; models.len()];
        let mut begun = vec![false; models.len()];
        let mut running = FuturesUnordered::new();
        loop {
            for (position, model) in models.iter().enumerate() {
                let is_due = !begun[position] && before[position].iter().all(|target| fresh[*target].is_some());
                if is_due && running.len() < AT_ONCE {
                    begun[position] = true;
                    running.push(async move { (position, metered(one(engine, model, wanted)).await) });
                }
            }
            let Some((position, (outcome, its_cost))) = running.next().await else { break };
            fresh[position] = Some(ModelFresh { requests: its_cost.requests, ..outcome? });
        }
        Ok(FreshReport { models: fresh.into_iter().flatten().collect(), cost: Cost::default() })
    }
}

/// How old rows are, compared with what is wanted.
enum Age {
    Fresh,
    /// They may be used while CDMS is asked.
    Stale,
    Old,
}

impl Age {
    /// The age of rows that were checked at a time. `asked` is when the caller asked, by the same clock.
    fn of(standing: &Standing, asked: Instant, wanted: Freshness) -> Age {
        let Some(checked_at) = standing.checked_at() else { return Age::Old };
        let age = u64::try_from(standing.now.0.saturating_sub(checked_at.0)).ok().map(Duration::from_millis);
        // After the clock was set back, the age is unknown.
        let is_within = |limit: Duration| age.is_some_and(|age| age <= limit);
        match wanted {
            // Another program may have asked in the meantime.
            Freshness::Always if checked_at > asked => Age::Fresh,
            Freshness::MaxAge(max) if is_within(max) => Age::Fresh,
            Freshness::StaleWhileRevalidate { fresh_for, .. } if is_within(fresh_for) => Age::Fresh,
            Freshness::StaleWhileRevalidate { at_most, .. } if is_within(at_most) => Age::Stale,
            _ => Age::Old,
        }
    }
}

/// Brings one model up to date.
async fn one(engine: &Arc<Engine>, model: &'static ModelDescriptor, wanted: Wanted) -> Result<ModelFresh, Error> {
    if model.mode == Mode::Detached {
        return Ok(ModelFresh::untouched(model));
    }
    if let Freshness::LocalOnly | Freshness::StaleWhileRevalidate { .. } = wanted.freshness {
        let standing = standing(engine, model).await?;
        match (wanted.freshness, Age::of(&standing, standing.now, wanted.freshness)) {
            (Freshness::LocalOnly, _) | (_, Age::Fresh) => return Ok(ModelFresh::of(model, &standing)),
            (_, Age::Stale) => {
                if !engine.pulls.is_under_way(model.table) {
                    revalidate(engine, model, wanted);
                }
                return Ok(ModelFresh { revalidating: true, ..ModelFresh::of(model, &standing) });
            }
            (_, Age::Old) => {}
        }
    }
    pulled(engine, model, wanted).await
}

/// Asks CDMS in the background, on no caller's budget. If that fails, the next caller whose rows are too old is told why.
fn revalidate(engine: &Arc<Engine>, model: &'static ModelDescriptor, wanted: Wanted) {
    let owner = Arc::clone(engine);
    engine.tasks.spawn(async move {
        let pulled = pulled(&owner, model, wanted).await;
        if let Err(error) = &pulled {
            tracing::warn!(model = model.name, %error, "the rows could not be brought up to date in the background");
        }
        metrics::revalidation(model.name, pulled.err().map_or("ok", |error| error.kind().word()));
    });
}

/// Whether a pull that has come so far may read its next page. It is stopped with an error that concerns no other caller.
pub(super) type MayGoOn<'m> = &'m (dyn Fn(&PullReport) -> Result<(), Error> + Sync);

/// Brings one model up to date in the background, unless its rows are younger than this; loads it first if it was never
/// loaded.
pub(super) async fn bring_up_to_date(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    max_age: Duration,
    may_go_on: MayGoOn<'_>,
) -> Result<ModelFresh, Error> {
    let wanted = Wanted { freshness: Freshness::MaxAge(max_age), or_load: true };
    pulled_while(engine, model, wanted, may_go_on).await
}

/// Brings one model up to date with a pull of its own, or one that it shares with others.
async fn pulled(engine: &Arc<Engine>, model: &'static ModelDescriptor, wanted: Wanted) -> Result<ModelFresh, Error> {
    pulled_while(engine, model, wanted, &|_| Ok(())).await
}

async fn pulled_while(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    wanted: Wanted,
    may_go_on: MayGoOn<'_>,
) -> Result<ModelFresh, Error> {
    let mut caller = engine.pulls.arrive(model.table);
    while let Some(shared) = caller.turn().await {
        if is_enough(&shared, wanted.freshness) {
            return shared;
        }
        caller = engine.pulls.arrive(model.table);
    }
    let (mut asked, mut has_begun) = (None, false);
    for _ in 0..ROUNDS_MAX {
        let standing = standing(engine, model).await?;
        let asked = *asked.get_or_insert(standing.now);
        if let Age::Fresh = Age::of(&standing, asked, wanted.freshness) {
            return Ok(ModelFresh::of(model, &standing));
        }
        if standing.watermark().is_none() && !wanted.or_load {
            return Err(never_loaded(model));
        }
        // What has begun is not stopped by a budget.
        if !has_begun {
            admit()?;
        }
        has_begun = true;
        engine.contact().await?;
        let number = caller.begin();
        match pull(engine, model, standing, wanted.freshness, may_go_on).await {
            // Another program pulls the model. What it reads may be enough.
            Err(error) if error.kind() == ErrorKind::Busy => others_are_done(engine, model, may_go_on).await?,
            Ok(Pulled::Again) => {}
            Ok(Pulled::Stopped(error)) => return Err(error),
            Ok(Pulled::Fresh(fresh)) => {
                caller.end(number, Ok(ModelFresh::clone(&fresh)));
                return Ok(*fresh);
            }
            Err(error) => {
                caller.end(number, Err(error.clone()));
                return Err(error);
            }
        }
    }
    let message = format!("other programs are pulling {} again and again", model.name);
    Err(Error::new(ErrorKind::Busy, message).advise("try again later; nothing is lost"))
}

/// Whether a pull of another caller is what is wanted. A first load that took long has read its first pages long ago, and
/// that caller may not have minded.
fn is_enough(shared: &Result<ModelFresh, Error>, wanted: Freshness) -> bool {
    let has_an_age = matches!(wanted, Freshness::MaxAge(_) | Freshness::StaleWhileRevalidate { .. });
    let is_load = |fresh: &ModelFresh| fresh.pull.as_ref().is_some_and(|pull| !pull.changes_only);
    !(has_an_age && shared.as_ref().is_ok_and(is_load))
}

/// How long to wait before looking again at how far another program is.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How often to see no progress before another program is taken for dead.
const LOOKS_MAX: u32 = 20;

/// Waits while another program pulls the model and gets on with it.
async fn others_are_done(
    engine: &Engine,
    model: &'static ModelDescriptor,
    may_go_on: MayGoOn<'_>,
) -> Result<(), Error> {
    let (mut last, mut looks) = (None, 0);
    while looks < LOOKS_MAX {
        may_go_on(&PullReport::default())?;
        let standing = standing(engine, model).await?;
        let (load, changes) = (standing.load, standing.changes.map(|(_, changes)| changes));
        // A load that was claimed has no page yet.
        let is_under_way = load.as_ref().is_some_and(|load| load.next.is_some() || load.pages == 0)
            || changes.as_ref().is_some_and(|changes| changes.times.since.is_some());
        if !is_under_way {
            return Ok(());
        }
        let progress = Some([load, changes].map(|progress| progress.map(|progress| (progress.pages, progress.next))));
        looks = if progress == last { looks + 1 } else { 0 };
        last = progress;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// The result of one pull.
enum Pulled {
    Fresh(Box<ModelFresh>),
    /// It began too long ago to be what is wanted.
    Again,
    /// It may not go on. Those who wait for it pull themselves.
    Stopped(Error),
}

async fn pull(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    mut before: Standing,
    wanted: Freshness,
    may_go_on: MayGoOn<'_>,
) -> Result<Pulled, Error> {
    if before.incomplete > 0 {
        complete_from_seen(engine, model).await?;
        before = standing(engine, model).await?;
    }
    let (incomplete, deletions_as_of, begun) = (before.incomplete, before.swept_at, engine.clock.monotonic());
    // A load that someone restarted does not concern the changes since the one before it.
    if before.watermark().is_some() {
        before.load = None;
    }
    let (mut pages, mut report) = begin(engine, model, before, false).await?;
    while !pages.is_over {
        if let Err(error) = may_go_on(&report) {
            return Ok(Pulled::Stopped(error));
        }
        page(engine, &mut pages, &mut report).await?;
    }
    let took = engine.clock.monotonic().saturating_sub(begun);
    let is_too_old = match wanted {
        Freshness::MaxAge(max) | Freshness::StaleWhileRevalidate { fresh_for: max, .. } => {
            took > max && !report.changes_only
        }
        _ => false,
    };
    if report.resumed || is_too_old {
        return Ok(Pulled::Again);
    }
    if let Some(as_of) = pages.checked_at() {
        metrics::pulled(model.name, as_of);
    }
    let has_changed = report.first_seen + report.refreshed > 0;
    let incomplete = if incomplete > 0 && has_changed { standing(engine, model).await?.incomplete } else { incomplete };
    Ok(Pulled::Fresh(Box::new(ModelFresh {
        checked_at: pages.checked_at().and_then(Instant::to_utc),
        pull: Some(report),
        incomplete: u64::try_from(incomplete).unwrap_or(0),
        deletions_as_of: deletions_as_of.and_then(Instant::to_utc),
        ..ModelFresh::untouched(model)
    })))
}

impl ModelFresh {
    fn untouched(model: &ModelDescriptor) -> Self {
        ModelFresh {
            model: model.name,
            checked_at: None,
            revalidating: false,
            pull: None,
            requests: 0,
            incomplete: 0,
            deletions_as_of: None,
        }
    }

    /// What is promised without a pull.
    fn of(model: &ModelDescriptor, standing: &Standing) -> Self {
        ModelFresh {
            checked_at: standing.checked_at().and_then(Instant::to_utc),
            incomplete: u64::try_from(standing.incomplete).unwrap_or(0),
            deletions_as_of: standing.swept_at.and_then(Instant::to_utc),
            ..ModelFresh::untouched(model)
        }
    }
}

impl IntoFuture for EnsureFresh {
    type Output = Result<FreshReport, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "ensure_fresh", "");
        Box::pin(call.run(self.run()))
    }
}
