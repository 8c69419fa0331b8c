//! Bringing a whole model up to date, page by page: all of it first, and then what has changed.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use datahub_protocol::ROUNDS_MAX;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::completing::complete_from_seen;
use super::pulling::{begin, page, standing};
use super::refuse_detached;
use crate::engine::budget::admit;
use crate::engine::call::{Call, Costed};
use crate::engine::metrics;
use crate::{CdmsSynced, Cost, Error, ErrorKind, Hub};

/// A pull of a model; see [`Hub::pull`].
#[must_use = "a pull does nothing until it is awaited"]
pub struct Pull<T> {
    hub: Hub,
    restart: bool,
    pages_max: Option<u64>,
    progress: Option<OnPage>,
    model: PhantomData<fn() -> T>,
}

type OnPage = Box<dyn FnMut(&PullReport) + Send>;

/// The progress of a pull, so far or at its end. Each record is counted once, except in `read_again`, and if it changes
/// while the pull runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PullReport {
    /// Whether the end was reached. If not, the next pull resumes there.
    pub complete: bool,
    /// Whether this pull resumed an earlier one.
    pub resumed: bool,
    /// Whether only what has changed was read, because a first load was complete before.
    pub changes_only: bool,
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
    #[serde(skip)]
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

    /// Loads all records again from the beginning, even if an earlier pull has done so or stopped before its end.
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

    async fn run(self) -> Result<PullReport, Error> {
        let Pull { hub, restart, pages_max, mut progress, .. } = self;
        let engine = Arc::clone(&hub.engine);
        let model = T::DESCRIPTOR;
        engine.admit(model)?;
        refuse_detached::<T>("pull")?;
        admit()?;
        engine.contact().await?;
        // Also the rows of pages that an earlier program has read and this one does not read again.
        let completed = complete_from_seen(&engine, model).await?;
        let from = standing(&engine, model).await?;
        let (mut pages, mut report) = begin(&engine, model, from, restart).await?;
        report.completed_from_seen = completed.rows;
        let mut tries = 1;
        while pages_max.is_none_or(|max| report.pages < max) && !pages.is_over {
            match page(&engine, &mut pages, &mut report).await {
                // Another pull has stored a page since this one looked where it stands, so this one goes on from there.
                Err(error) if error.kind() == ErrorKind::Busy && is_overtaken(&report) && tries < ROUNDS_MAX => {
                    tries += 1;
                    let from = standing(&engine, model).await?;
                    (pages, report) = begin(&engine, model, from, false).await?;
                    report.completed_from_seen = completed.rows;
                    continue;
                }
                paged => paged?,
            }
            if let Some(progress) = &mut progress {
                progress(&report);
            }
        }
        if let Some(as_of) = pages.checked_at().filter(|_| report.complete) {
            metrics::pulled(model.name, as_of);
        }
        Ok(report)
    }
}

/// Whether a pull that was taken over has read nothing yet: then it is the newer one, and may take over in turn. A first
/// load claims its place before it reads.
fn is_overtaken(report: &PullReport) -> bool {
    report.changes_only && report.pages == 0
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
