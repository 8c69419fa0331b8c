//! Reading a whole model from CDMS, page by page.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Finding, Listed, Loaded, Record, Sighting, listed};
use futures_util::future::BoxFuture;
use tracing::Instrument;
use uuid::Uuid;

use super::completing::complete_from_seen;
use super::pages::{Asked, Listing, Pages, StoredPage};
use super::refuse_detached;
use crate::engine::budget::admit;
use crate::engine::call::{Call, Costed};
use crate::engine::mapping::ModelMapping;
use crate::engine::metrics;
use crate::engine::shared_check::check;
use crate::engine::{Doubt, Engine};
use crate::store::Claim;
use crate::{CdmsSynced, Cost, Error, ErrorKind, Hub};

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
    /// Rows that another version of the mapping had stored and that were completed from what the hub keeps of their
    /// records, before the first page and without a request. They are counted again with their pages.
    pub completed_from_seen: u64,
    /// What it cost; not known before its end.
    pub cost: Cost,
}

impl Costed for PullReport {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T: CdmsSynced> Pull<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub) -> Self {
        Pull { hub: hub.called(), restart: false, pages_max: None, progress: None, model: PhantomData }
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
        admit()?;
        engine.contact().await?;
        // Also the rows of pages that an earlier program has read and this one does not read again.
        let completed = complete_from_seen(&engine, model).await?;
        let shape = engine.client()?.shape(model);
        let claim = Claim::new(model, shape.scope());
        let at = engine.store.claim_pull(claim.clone(), Vec::new(), self.restart).await?;
        let mut pages = Pages::begin(&engine, Listing { operation: "pull", claim, shape, decide }, at)?;
        let begun = engine.clock.now();
        let mut report =
            PullReport { resumed: pages.resumed, completed_from_seen: completed.rows, ..PullReport::default() };
        while self.pages_max.is_none_or(|max| report.pages < max) && !pages.is_over {
            let span = tracing::info_span!("datahub_page", model = model.name, page = pages.position());
            page(&engine, &mut pages, &mut report).instrument(span).await?;
            if let Some(progress) = &mut self.progress {
                progress(&report);
            }
        }
        // The pages of a pull that was resumed have different ages.
        if report.complete && !report.resumed {
            metrics::pulled(model.name, begun);
        }
        Ok(report)
    }
}

fn decide(
    mapping: &ModelMapping,
    loaded: &Loaded,
    record: Result<Record, Fault>,
    Asked { at, clock_skew_ms }: Asked,
) -> Listed<Fault> {
    listed(mapping, loaded, record, at, clock_skew_ms)
}

/// Reads and stores one page, and reads those of its records again that were stored in the meantime.
async fn page(engine: &Arc<Engine>, pages: &mut Pages, report: &mut PullReport) -> Result<(), Error> {
    let StoredPage { outcomes, without_id, broken } = pages.page().await?;
    (report.resumed, report.complete) = (pages.resumed, pages.is_over);
    report.pages += 1;
    report.records += u64::try_from(outcomes.len()).unwrap_or(u64::MAX) + without_id;
    report.without_id += without_id;
    let model = pages.model();
    let mut doubt = Doubt::default();
    for (id, outcome) in outcomes {
        match outcome {
            Listed::ReadAgain => {
                report.read_again += 1;
                read_again(engine, model, id, report, &mut doubt).await?;
            }
            outcome => count(&outcome, report),
        }
    }
    broken.map_or(Ok(()), Err)
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
        let call = Call::new(&self.hub, "pull", T::DESCRIPTOR.name);
        Box::pin(call.run(self.run()))
    }
}
