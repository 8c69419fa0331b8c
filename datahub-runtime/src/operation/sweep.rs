//! Finding the records that were deleted in CDMS: lists say nothing about them, so each one that is missing is read.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use cdms_odata::dialect::{ListQuery, Next};
use datahub_model::ModelDescriptor;
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{Version, missing_max};
use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::pages::{Links, failed};
use super::pulling::standing;
use super::refuse_detached;
use crate::cdms::{PageFailure, PageRead, RecordShape, of_model};
use crate::crash_points::{Moment, Step, pass};
use crate::engine::budget::admit;
use crate::engine::call::{Call, Costed};
use crate::engine::metrics;
use crate::engine::shared_check::{Seen, check};
use crate::engine::{Doubt, Engine};
use crate::store::{Claim, Missing, Watermark};
use crate::{CdmsSynced, Cost, Error, ErrorKind, Hub};

/// A sweep of a model; see [`Hub::sweep`].
#[must_use = "a sweep does nothing until it is awaited"]
pub struct Sweep<T> {
    hub: Hub,
    any_number: bool,
    progress: Option<OnPage>,
    model: PhantomData<fn() -> T>,
}

type OnPage = Box<dyn FnMut(&SweepReport) + Send>;

/// The progress of a sweep, so far or at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SweepReport {
    /// Whether the end was reached. If not, the next sweep resumes there.
    pub complete: bool,
    /// Whether this sweep resumed an earlier one.
    pub resumed: bool,
    /// Pages read of CDMS's list.
    pub pages: u64,
    /// Records on these pages.
    pub listed: u64,
    /// Rows that were missing from the list; each was read on its own.
    pub missing: u64,
    /// Of these, rows that became tombstones: their record is gone, or has left the model.
    pub ended: u64,
    /// Of these, rows whose record is still there, though the list did not show it.
    pub there: u64,
    /// Of these, records with a write in progress, which finds out itself.
    pub pending: u64,
    /// Of these, records that CDMS could not return; their rows stay.
    pub not_given: u64,
    /// What it cost; not known before its end.
    #[serde(skip)]
    pub cost: Cost,
}

impl Costed for SweepReport {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T: CdmsSynced> Sweep<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub) -> Self {
        Sweep { hub: hub.called(), any_number: false, progress: None, model: PhantomData }
    }

    /// Reads the missing records on their own however many they are, and makes tombstones of those that are gone.
    pub fn any_number(mut self) -> Self {
        self.any_number = true;
        self
    }

    /// Calls `progress` after each page and after each batch of missing rows with the report so far.
    pub fn on_page(mut self, progress: impl FnMut(&SweepReport) + Send + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    async fn run(self) -> Result<SweepReport, Error> {
        let engine = Arc::clone(&self.hub.engine);
        let model = T::DESCRIPTOR;
        engine.admit(model)?;
        refuse_detached::<T>("sweep")?;
        let how = How { any_number: self.any_number, restart: false, progress: self.progress, halt: None };
        sweep(&engine, model, how).await
    }
}

/// How a sweep is made.
pub(super) struct How {
    any_number: bool,
    /// The list is read from its beginning, even if an earlier sweep has read it or a part of it.
    restart: bool,
    progress: Option<OnPage>,
    /// Stops the sweep between two requests.
    halt: Option<CancellationToken>,
}

impl How {
    /// No caller waits for it, and it can be stopped.
    pub(super) fn in_background(restart: bool, halt: CancellationToken) -> Self {
        How { any_number: false, restart, progress: None, halt: Some(halt) }
    }
}

pub(super) async fn sweep(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    how: How,
) -> Result<SweepReport, Error> {
    admit()?;
    engine.contact().await?;
    let any_number = how.any_number;
    let mut course = Course::begin(engine, model, how).await?;
    if course.at.next.as_deref() != Some(LISTED) {
        course.list().await?;
    }
    course.confirm(any_number).await?;
    Ok(course.report)
}

/// What is kept as the place where a sweep goes on that has listed everything. No address is like it.
const LISTED: &str = "listed";

/// How many missing rows are looked up at once.
const BATCH: i64 = 200;

struct Course<'e> {
    engine: &'e Arc<Engine>,
    model: &'static ModelDescriptor,
    claim: Claim,
    at: Watermark,
    /// Rows that were stored later are not missing.
    began_at: Version,
    report: SweepReport,
    progress: Option<OnPage>,
    halt: Option<CancellationToken>,
}

fn step(action: &'static str) -> Step {
    Step { operation: "sweep", action }
}

impl<'e> Course<'e> {
    async fn begin(
        engine: &'e Arc<Engine>,
        model: &'static ModelDescriptor,
        How { restart, progress, halt, .. }: How,
    ) -> Result<Self, Error> {
        let mut report = SweepReport::default();
        let standing = standing(engine, model).await?;
        let claim = Claim::new(model, engine.client()?.shape(model).scopes().sweep);
        let mut at = engine.store.claim_sweep(claim.clone(), restart).await?;
        let began_at = match at.times.version {
            Some(version) if at.next.is_some() && at.times.asked_at.is_some() => {
                report.resumed = true;
                version
            }
            _ => {
                at.next = None;
                (at.times.version, at.times.asked_at) = (Some(standing.version), Some(standing.now));
                standing.version
            }
        };
        Ok(Course { engine, model, claim, at, began_at, report, progress, halt })
    }

    /// Lists the ids of CDMS's records, page by page.
    async fn list(&mut self) -> Result<(), Error> {
        let (engine, model) = (self.engine, self.model);
        let (client, shape) = (engine.client()?, RecordShape::only(model, &[]));
        let query = ListQuery { filter: of_model(model), ..ListQuery::default() };
        let mut next = self.at.next.as_deref().and_then(|kept| client.remembered(&shape, &query, kept));
        if next.is_none() && self.report.resumed {
            // What was listed is still there; the list is read again from its beginning.
            self.report.resumed = false;
        }
        let mut links = Links::default();
        loop {
            self.may_go_on()?;
            pass(step("fetch"), Moment::Before).await;
            let page = match client.page(&shape, &query, next.as_ref()).await {
                Err(PageFailure::Refused(reason)) if next.is_some() && self.report.pages == 0 => {
                    tracing::info!(model = model.name, reason, "the sweep starts over");
                    self.report.resumed = false;
                    client.page(&shape, &query, None).await
                }
                page => page,
            };
            let PageRead { records, next: onward, .. } = page.map_err(failed)?;
            pass(step("fetch"), Moment::After).await;
            let ids: Vec<_> = records.iter().map(|(id, _)| *id).collect();
            self.at.pages += 1;
            self.at.records += i64::try_from(ids.len()).unwrap_or(i64::MAX);
            let mut broken = None;
            (next, self.at.next) = match onward {
                Next::End => (None, Some(LISTED.to_owned())),
                Next::Page { at, .. } => {
                    broken = links.follow(model, &at).err();
                    let kept = at.as_str().to_owned();
                    (Some(at), Some(kept))
                }
                Next::Unusable(reason) => return Err(Error::new(ErrorKind::Misconfigured, reason)),
            };
            self.report.pages += 1;
            self.report.listed += u64::try_from(ids.len()).unwrap_or(u64::MAX);
            pass(step("store"), Moment::Before).await;
            let (claim, at) = (self.claim.clone(), self.at.clone());
            let is_valid = engine.store.store_listed(claim, at, ids, step("store")).await?;
            pass(step("store"), Moment::After).await;
            self.still_valid(is_valid)?;
            self.tell();
            broken.map_or(Ok(()), Err)?;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads the missing records on their own, unless they are too many.
    async fn confirm(&mut self, any_number: bool) -> Result<(), Error> {
        let (engine, model) = (self.engine, self.model);
        let Missing { rows, missing } = engine.store.count_missing(model, self.began_at).await?;
        let [rows, missing] = [rows, missing].map(|count| u64::try_from(count).unwrap_or(0));
        if missing > missing_max(rows) && !any_number {
            let message = format!(
                "{missing} of {rows} rows of {} are missing from CDMS's list, which is more than a sweep ends by itself",
                model.name
            );
            return Err(Error::new(ErrorKind::Misconfigured, message).advise(
                "find out whether the CDMS user may still read them; if they were deleted, sweep with `any_number()`, \
                 which goes on from here",
            ));
        }
        let (mut after, mut doubt) = (Uuid::nil(), Doubt::default());
        loop {
            self.may_go_on()?;
            let ids = engine.store.missing(model, self.began_at, after, BATCH).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            if planted(Planted::SweepUnconfirmed) {
                engine.store.bury_missing(model, ids).await?;
                continue;
            }
            for id in ids {
                self.may_go_on()?;
                self.read(id, &mut doubt).await?;
            }
            self.tell();
        }
        self.at.next = None;
        self.at.times.checked_at = self.at.times.asked_at;
        pass(step("complete"), Moment::Before).await;
        let (claim, at) = (self.claim.clone(), self.at.clone());
        let is_valid = engine.store.end_sweep(claim, at, step("complete")).await?;
        pass(step("complete"), Moment::After).await;
        self.still_valid(is_valid)?;
        self.report.complete = true;
        if let Some(as_of) = self.at.times.checked_at {
            metrics::swept(model.name, as_of);
        }
        Ok(())
    }

    /// Reads a missing record, which makes a tombstone of its row if it is gone.
    async fn read(&mut self, id: Uuid, doubt: &mut Doubt) -> Result<(), Error> {
        let (engine, model) = (self.engine, self.model);
        let turn = engine.client()?.background_turn().await;
        let checked = check(engine, model, id).await;
        drop(turn);
        let report = &mut self.report;
        report.missing += 1;
        match checked {
            Ok(checked) => match checked.seen {
                Seen::Pending(_) => report.pending += 1,
                Seen::Current(_) => {
                    doubt.is_over();
                    report.there += 1;
                    engine.store.found_missing(model, id).await?;
                }
            },
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::Gone => {
                    doubt.is_over();
                    report.ended += 1;
                }
                // The record exists.
                ErrorKind::Quarantined | ErrorKind::LocalNewer => {
                    report.there += 1;
                    engine.store.found_missing(model, id).await?;
                }
                ErrorKind::Unsettled | ErrorKind::Busy => report.pending += 1,
                ErrorKind::Unavailable if !doubt.is_outage(engine).await => report.not_given += 1,
                // This sweep, or the one that it resumes, has read the list, so CDMS fails on this record alone.
                ErrorKind::Rejected | ErrorKind::Misconfigured => report.not_given += 1,
                _ => return Err(error),
            },
        }
        Ok(())
    }

    fn may_go_on(&self) -> Result<(), Error> {
        if self.halt.as_ref().is_some_and(CancellationToken::is_cancelled) {
            let message = format!("the sweep of {} was stopped", self.model.name);
            return Err(Error::new(ErrorKind::Unavailable, message).advise("the next one resumes it"));
        }
        self.engine.admit(self.model)
    }

    fn still_valid(&self, is_valid: bool) -> Result<(), Error> {
        if is_valid {
            return Ok(());
        }
        let message = format!("another sweep of {} has taken over", self.model.name);
        Err(Error::new(ErrorKind::Busy, message).advise("let that one finish; nothing is lost"))
    }

    fn tell(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress(&self.report);
        }
    }
}

impl<T> fmt::Debug for Sweep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep").field("any_number", &self.any_number).finish_non_exhaustive()
    }
}

impl<T: CdmsSynced> IntoFuture for Sweep<T> {
    type Output = Result<SweepReport, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "sweep", T::DESCRIPTOR.name);
        Box::pin(call.run(self.run()))
    }
}
