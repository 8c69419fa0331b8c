//! Reading a whole model from CDMS, page by page.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use cdms_odata::dialect::{Continuation, Next};
use datahub_model::ModelDescriptor;
use datahub_protocol::{Finding, Listed, Sighting, Version, listed};
use futures_util::future::BoxFuture;
use tracing::Instrument;
use uuid::Uuid;

use super::refuse_detached;
use crate::cdms::{PageFailure, PageRead};
use crate::crash_points::{Moment, Step, pass};
use crate::engine::executor::News;
use crate::engine::mapping::ModelMapping;
use crate::engine::shared_check::check;
use crate::engine::{Doubt, Engine};
use crate::store::{Claim, PAGE_STEP, Page, PageStored, Watermark};
use crate::{CdmsSynced, Error, ErrorKind, Hub};

/// A pull of all records of a model; see [`Hub::pull`].
#[must_use = "a pull does nothing until it is awaited"]
pub struct Pull<T> {
    hub: Hub,
    restart: bool,
    pages_max: Option<u64>,
    progress: Option<OnPage>,
    model: PhantomData<fn() -> T>,
}

type OnPage = Box<dyn FnMut(&PullReport) + Send>;

/// The progress of a pull, so far or at its end. Each record is counted once, except in `read_again`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullReport {
    /// Whether the end was reached. If not, the next pull resumes there.
    pub complete: bool,
    /// Whether this pull resumed an earlier one.
    pub resumed: bool,
    /// Pages read.
    pub pages: u64,
    /// Records on these pages.
    pub records: u64,
    /// Records that were new to the hub.
    pub first_seen: u64,
    /// Records whose row was older, or which had been gone.
    pub refreshed: u64,
    /// Records whose row matched CDMS.
    pub in_sync: u64,
    /// Records that do not belong to the model, or no longer do: they do not satisfy its `only`.
    pub not_of_model: u64,
    /// Records that cannot be converted or stored; they wait in quarantine.
    pub quarantined: u64,
    /// Records with a write in progress.
    pub pending: u64,
    /// Records whose row is newer than CDMS; see [`CdmsSynced::resolve_all`](crate::CdmsSynced::resolve_all).
    pub local_newer: u64,
    /// Records that someone else stored in the meantime, so that they were read once more on their own.
    pub read_again: u64,
    /// Of the records that were read once more, those that CDMS could not return on their own; their rows stay.
    pub not_given: u64,
    /// Records without a readable id, which cannot be stored.
    pub without_id: u64,
}

impl<T: CdmsSynced> Pull<T> {
    pub(crate) fn new(hub: &Hub) -> Self {
        Pull { hub: hub.clone(), restart: false, pages_max: None, progress: None, model: PhantomData }
    }

    /// Starts from the beginning even if an earlier pull stopped before its end.
    pub fn restart(mut self) -> Self {
        self.restart = true;
        self
    }

    /// Stops after this number of pages; the next pull resumes there.
    pub fn max_pages(mut self, pages: u64) -> Self {
        self.pages_max = Some(pages);
        self
    }

    /// Calls `progress` after each page with the report so far, for a progress bar. CDMS does not report the total
    /// number of records.
    pub fn on_page(mut self, progress: impl FnMut(&PullReport) + Send + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    async fn run(mut self) -> Result<PullReport, Error> {
        let engine = Arc::clone(&self.hub.engine);
        let model = T::DESCRIPTOR;
        engine.admit(model)?;
        refuse_detached::<T>("pull")?;
        engine.contact().await?;
        let claim = Claim { model, run: Uuid::now_v7() };
        let mut at = engine.store.claim_pull(claim, self.restart).await?;
        // An address of another CDMS, or of another version of this program, is not resumed from.
        let client = engine.client()?;
        let mut next = at.next.as_deref().and_then(|kept| client.remembered(model, kept));
        if next.is_none() {
            at = Watermark::default();
        }
        let mut report = PullReport { resumed: next.is_some(), ..PullReport::default() };
        let mut links = Links::default();
        while self.pages_max.is_none_or(|max| report.pages < max) {
            engine.admit(model)?;
            let span = tracing::info_span!("datahub_page", model = model.name, page = at.pages);
            next = page(&engine, claim, &mut at, next, &mut report).instrument(span).await?;
            if let Some(progress) = &mut self.progress {
                progress(&report);
            }
            match &next {
                None => break,
                Some(next) => links.follow(model, next)?,
            }
        }
        Ok(report)
    }
}

/// Reads and stores one page, the first or a later one; returns where the next one is.
async fn page(
    engine: &Arc<Engine>,
    claim: Claim,
    at: &mut Watermark,
    here: Option<Continuation>,
    report: &mut PullReport,
) -> Result<Option<Continuation>, Error> {
    let (model, client) = (claim.model, engine.client()?);
    let asked_at = engine.store.newest_version().await?;
    pass(Step { operation: "pull", action: "fetch" }, Moment::Before).await;
    let PageRead { records, without_id, next } = match client.page(model, here.as_ref()).await {
        // The address that an earlier run stored may be stale; one that CDMS has just returned is not.
        Err(PageFailure::Refused(reason)) if report.resumed && report.pages == 0 => {
            tracing::info!(model = model.name, reason, "the pull starts over");
            (*at, report.resumed) = (Watermark::default(), false);
            client.page(model, None).await.map_err(failed)?
        }
        page => page.map_err(failed)?,
    };
    pass(Step { operation: "pull", action: "fetch" }, Moment::After).await;
    match &next {
        Next::End => at.next = None,
        Next::Page { at: next, .. } => at.next = Some(next.as_str().to_owned()),
        // The records of this page are good; the next pull begins with this page.
        Next::Unusable(_) => {}
    }
    at.pages += 1;
    at.records += i64::try_from(records.len()).unwrap_or(i64::MAX);
    let page = Page {
        claim,
        actor: engine.program.to_string(),
        program: engine.program.to_string(),
        records,
        watermark: at.clone(),
        judge: judge(engine, model, asked_at),
    };
    pass(PAGE_STEP, Moment::Before).await;
    let stored = engine.store.store_page(page).await?;
    pass(PAGE_STEP, Moment::After).await;
    let outcomes = match stored {
        PageStored::Done(outcomes) => outcomes,
        PageStored::TakenOver => {
            let message = format!("another pull of {} has taken over", model.name);
            return Err(Error::new(ErrorKind::Busy, message).advise("let that one finish; nothing is lost"));
        }
    };
    report.pages += 1;
    report.records += u64::try_from(outcomes.len() + without_id).unwrap_or(u64::MAX);
    report.without_id += u64::try_from(without_id).unwrap_or(u64::MAX);
    report.complete = next == Next::End;
    let mut doubt = Doubt::default();
    for (id, outcome) in outcomes {
        if let Some(commit) = outcome.commit() {
            News::of(commit).tell(model, id);
        }
        match outcome {
            Listed::ReadAgain => {
                report.read_again += 1;
                read_again(engine, model, id, report, &mut doubt).await?;
            }
            outcome => count(&outcome, report),
        }
    }
    match next {
        Next::End => Ok(None),
        Next::Page { at: next, .. } => Ok(Some(next)),
        Next::Unusable(reason) => Err(Error::new(ErrorKind::Misconfigured, reason)),
    }
}

fn judge(engine: &Arc<Engine>, model: &'static ModelDescriptor, asked_at: Version) -> crate::store::Judge {
    let (actor, clock_skew_ms) = (Arc::clone(&engine.program), engine.settings.clock_skew_ms());
    Box::new(move |id, loaded, record| {
        let mapping = ModelMapping::new(model, id, Arc::clone(&actor));
        listed(&mapping, loaded, record, asked_at, clock_skew_ms)
    })
}

fn failed(failure: PageFailure) -> Error {
    match failure {
        PageFailure::Unavailable(reason) => {
            Error::because(ErrorKind::Unavailable, reason).advise("pull again later; it resumes where it stopped")
        }
        PageFailure::LoginRefused(reason) => Error::login_refused(reason),
        PageFailure::Refused(reason) => Error::new(ErrorKind::Misconfigured, reason)
            .advise("compare the contract with $metadata, or pull with `restart()`"),
        PageFailure::Misconfigured(reason) => Error::new(ErrorKind::Misconfigured, reason),
    }
}

fn count<F>(outcome: &Listed<F>, report: &mut PullReport) {
    let counter = match outcome {
        Listed::Store(Finding::First, _) => &mut report.first_seen,
        Listed::AsIs | Listed::Store(Finding::InSync | Finding::Filled, _) => &mut report.in_sync,
        // Whatever else was found, the row has changed.
        Listed::Store(_, _) => &mut report.refreshed,
        Listed::Left(_) | Listed::Foreign(_) => &mut report.not_of_model,
        Listed::Quarantined(_) => &mut report.quarantined,
        Listed::Pending(_) => &mut report.pending,
        Listed::LocalNewer => &mut report.local_newer,
        Listed::ReadAgain => &mut report.read_again,
    };
    *counter += 1;
}

/// Reads a record on its own that was stored while its page was in flight.
async fn read_again(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    id: Uuid,
    report: &mut PullReport,
    doubt: &mut Doubt,
) -> Result<(), Error> {
    let counter = match check(engine, model, id).await {
        Ok(checked) => match checked.sighting {
            Sighting::Pending { .. } => &mut report.pending,
            Sighting::Current { finding: Finding::First, .. } => &mut report.first_seen,
            Sighting::Current { finding: Finding::InSync | Finding::Filled, .. } => &mut report.in_sync,
            Sighting::Current { .. } => &mut report.refreshed,
        },
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::Gone => &mut report.not_of_model,
            ErrorKind::Quarantined => &mut report.quarantined,
            ErrorKind::Unsettled | ErrorKind::Busy => &mut report.pending,
            ErrorKind::LocalNewer => &mut report.local_newer,
            ErrorKind::Unavailable if !doubt.is_outage(engine).await => &mut report.not_given,
            // The set is correct, since a page of it was read: CDMS fails on this record alone.
            ErrorKind::Rejected | ErrorKind::Misconfigured => &mut report.not_given,
            _ => return Err(error),
        },
    };
    *counter += 1;
    Ok(())
}

/// Detects a list that leads back to itself, by its links. Remembers one link at a time.
#[derive(Default)]
struct Links {
    remembered: Option<Continuation>,
    followed: u64,
}

impl Links {
    fn follow(&mut self, model: &ModelDescriptor, next: &Continuation) -> Result<(), Error> {
        if self.remembered.as_ref() == Some(next) {
            let message = format!("CDMS's list of {} leads back to a page that was already read", model.entity.set);
            return Err(
                Error::new(ErrorKind::Misconfigured, message).advise("pull with `restart()` once that is fixed")
            );
        }
        self.followed += 1;
        // At every power of two: a cycle of any length is detected before the next one.
        if self.followed.is_power_of_two() {
            self.remembered = Some(next.clone());
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Pull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pull")
            .field("restart", &self.restart)
            .field("pages_max", &self.pages_max)
            .finish_non_exhaustive()
    }
}

impl<T: CdmsSynced> IntoFuture for Pull<T> {
    type Output = Result<PullReport, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
