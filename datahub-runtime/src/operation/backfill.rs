//! Giving new fields their values: from what the hub keeps, and for the rest from CDMS.

use std::collections::HashSet;
use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Finding, Listed, Loaded, Record, from_part};
use futures_util::future::BoxFuture;
use serde::Serialize;
use tracing::Instrument;
use uuid::Uuid;

use super::completing::{FromSeen, Incomplete, complete_from_seen, completeness};
use super::is_detached;
use super::pages::{Asked, Listing, Pages, Reads, StoredPage};
use crate::cdms::RecordShape;
use crate::engine::budget::admit;
use crate::engine::call::{Call, Costed};
use crate::engine::mapping::ModelMapping;
use crate::engine::shared_check::{Seen, check};
use crate::engine::{Doubt, Engine};
use crate::store::{Candidates, Claim};
use crate::{CdmsSynced, Cost, Error, ErrorKind, Hub};

/// A backfill of a model; see [`Hub::backfill`].
#[must_use = "a backfill does nothing until it is awaited"]
pub struct Backfill<T> {
    hub: Hub,
    reads: bool,
    pages_max: Option<u64>,
    progress: Option<OnPage>,
    model: PhantomData<fn() -> T>,
}

type OnPage = Box<dyn FnMut(&BackfillReport) + Send>;

/// The progress of a backfill, so far or at its end. Each row is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackfillReport {
    /// Whether every row of the model is complete now.
    pub complete: bool,
    /// Whether this backfill resumed an earlier one.
    pub resumed: bool,
    /// Rows completed from what the hub keeps of their records, without a request.
    pub from_seen: u64,
    /// Rows completed from what was read from CDMS.
    pub read: u64,
    /// Pages read of the attributes that rows lacked.
    pub pages: u64,
    /// Records read on their own: those that had changed since their row was stored, and those that the pages did not show.
    pub singly: u64,
    /// Rows whose record is gone, or does not belong to the model.
    pub not_of_model: u64,
    /// Records that cannot be converted or stored; they wait in quarantine, and their rows stay as they are.
    pub quarantined: u64,
    /// Records with a write in progress, which completes them.
    pub pending: u64,
    /// Records whose row is newer than CDMS; see [`CdmsSynced::resolve_all`](crate::CdmsSynced::resolve_all).
    pub local_newer: u64,
    /// Records that CDMS could not return.
    pub not_given: u64,
    /// Rows that are still incomplete; zero if `complete`.
    pub left: u64,
    /// What it cost; not known before its end.
    #[serde(skip)]
    pub cost: Cost,
}

impl Costed for BackfillReport {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

/// How many rows of a model have all fields; see [`Hub::completeness`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completeness {
    /// The model's rows.
    pub rows: u64,
    /// Those that another version of the mapping stored and that are not completed yet: fields that are new or were changed
    /// since do not have their values in the table.
    pub incomplete: u64,
}

impl Completeness {
    /// Whether every row is complete, so that a new column may be made NOT NULL.
    pub fn is_complete(self) -> bool {
        self.incomplete == 0
    }
}

impl<T: CdmsSynced> Backfill<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub) -> Self {
        Backfill { hub: hub.called(), reads: true, pages_max: None, progress: None, model: PhantomData }
    }

    /// Sends no request: only rows of which the hub keeps everything are completed.
    pub fn from_seen_only(mut self) -> Self {
        self.reads = false;
        self
    }

    /// Stops after this number of pages; the next backfill resumes there.
    pub fn max_pages(mut self, pages: u64) -> Self {
        self.pages_max = Some(pages);
        self
    }

    /// Calls `progress` after each page with the report so far.
    pub fn on_page(mut self, progress: impl FnMut(&BackfillReport) + Send + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    async fn run(mut self) -> Result<BackfillReport, Error> {
        let engine = Arc::clone(&self.hub.engine);
        let model = T::DESCRIPTOR;
        engine.admit(model)?;
        let FromSeen { rows, not_of_model, quarantined, lacking, attributes } =
            complete_from_seen(&engine, model).await?;
        let mut report = BackfillReport { from_seen: rows, not_of_model, quarantined, ..BackfillReport::default() };
        if lacking > 0 && self.reads && !is_detached::<T>() {
            admit()?;
            engine.contact().await?;
            let mut reading =
                Reading { engine: &engine, model, report, doubt: Doubt::default(), dealt_with: HashSet::new() };
            let is_over = if reads_singly(lacking, completeness(&engine, model).await?.rows) {
                true
            } else {
                self.list(&mut reading, attributes).await?
            };
            if is_over {
                reading.rest().await?;
            }
            report = reading.report;
        }
        report.left = completeness(&engine, model).await?.incomplete;
        report.complete = report.left == 0;
        Ok(report)
    }

    /// Reads the attributes that rows lack, page by page. Returns whether the end was reached.
    async fn list(
        &mut self,
        reading: &mut Reading<'_>,
        lacking: impl IntoIterator<Item = &'static str>,
    ) -> Result<bool, Error> {
        let (engine, model) = (reading.engine, reading.model);
        let lacking: Vec<_> = lacking.into_iter().map(str::to_owned).collect();
        let claim = Claim::new(model, format!("backfill {}", model.mapping_id));
        let at = engine.store.claim_pull(claim.clone(), lacking, false).await?;
        let names: Vec<_> = at.attributes.iter().map(String::as_str).collect();
        let shape = Arc::new(RecordShape::only(model, &names));
        let mut pages =
            Pages::begin(engine, Listing { operation: "backfill", claim, shape, decide, reads: Reads::All }, at)?;
        reading.report.resumed = pages.resumed;
        while !pages.is_over {
            if self.pages_max.is_some_and(|max| pages.count >= max) {
                return Ok(false);
            }
            let span = tracing::info_span!("datahub_page", model = model.name, page = pages.position());
            reading.page(&mut pages).instrument(span).await?;
            if let Some(progress) = &mut self.progress {
                progress(&reading.report);
            }
        }
        Ok(true)
    }
}

fn decide(
    mapping: &ModelMapping,
    loaded: &Loaded,
    record: Result<Record, Fault>,
    Asked { at, clock_skew_ms }: Asked,
) -> Listed<Fault> {
    from_part(mapping, loaded, record, at, clock_skew_ms)
}

/// The number of records on a page of CRM 2011.
const PAGE: u64 = 50;

/// Whether to read the records of incomplete rows on their own, because that costs fewer requests than all pages.
fn reads_singly(lacking: u64, rows: u64) -> bool {
    lacking.saturating_mul(PAGE) < rows
}

/// The maximum number of records that are remembered, so that they are not read once more at the end.
const REMEMBERED_MAX: usize = 100_000;

/// The reading part of a backfill.
struct Reading<'e> {
    engine: &'e Arc<Engine>,
    model: &'static ModelDescriptor,
    report: BackfillReport,
    doubt: Doubt,
    /// The records that pages have shown and that were not completed, with the reason in the report.
    dealt_with: HashSet<Uuid>,
}

impl Reading<'_> {
    async fn page(&mut self, pages: &mut Pages) -> Result<(), Error> {
        let StoredPage { outcomes, broken, .. } = pages.page().await?;
        self.report.resumed = pages.resumed;
        self.report.pages += 1;
        for (id, outcome) in outcomes {
            let counter = match outcome {
                Listed::AsIs | Listed::Foreign(None) => continue,
                Listed::ReadAgain => {
                    self.singly(id).await?;
                    continue;
                }
                Listed::Store(..) => &mut self.report.read,
                Listed::Left(_) | Listed::Foreign(Some(_)) => &mut self.report.not_of_model,
                Listed::Quarantined(_) => &mut self.report.quarantined,
                Listed::Pending(_) => &mut self.report.pending,
                Listed::LocalNewer => &mut self.report.local_newer,
            };
            *counter += 1;
            self.remember(id);
        }
        broken.map_or(Ok(()), Err)
    }

    fn remember(&mut self, id: Uuid) {
        if self.dealt_with.len() < REMEMBERED_MAX {
            self.dealt_with.insert(id);
        }
    }

    /// Reads the records of the rows that are still incomplete, each on its own.
    async fn rest(&mut self) -> Result<(), Error> {
        let mut incomplete = Incomplete::of(self.engine, self.model);
        while let Some(Candidates { lacking, .. }) = incomplete.batch().await? {
            for (id, is_quarantined) in lacking {
                if self.dealt_with.contains(&id) {
                    continue;
                }
                // Whatever put it there, a retry of the quarantine reads it again.
                if is_quarantined {
                    self.report.quarantined += 1;
                } else {
                    self.singly(id).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads a whole record.
    async fn singly(&mut self, id: Uuid) -> Result<(), Error> {
        self.engine.admit(self.model)?;
        self.report.singly += 1;
        let report = &mut self.report;
        let counter = match check(self.engine, self.model, id).await {
            Ok(checked) => {
                self.doubt.is_over();
                match checked.seen {
                    Seen::Pending(_) => &mut report.pending,
                    // Someone else was faster.
                    Seen::Current(Finding::InSync) => return Ok(()),
                    Seen::Current(_) => &mut report.read,
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::Gone => &mut report.not_of_model,
                ErrorKind::Quarantined => &mut report.quarantined,
                ErrorKind::Unsettled | ErrorKind::Busy => &mut report.pending,
                ErrorKind::LocalNewer => &mut report.local_newer,
                ErrorKind::Unavailable if !self.doubt.is_outage(self.engine).await => &mut report.not_given,
                // CDMS fails on this record alone, or its user may not read it.
                ErrorKind::Rejected => &mut report.not_given,
                _ => return Err(error),
            },
        };
        *counter += 1;
        self.remember(id);
        Ok(())
    }
}

impl<T> fmt::Debug for Backfill<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backfill")
            .field("reads", &self.reads)
            .field("pages_max", &self.pages_max)
            .finish_non_exhaustive()
    }
}

impl<T: CdmsSynced> IntoFuture for Backfill<T> {
    type Output = Result<BackfillReport, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "backfill", T::DESCRIPTOR.name);
        Box::pin(call.run(self.run()))
    }
}
