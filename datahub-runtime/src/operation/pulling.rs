//! The course of a pull: what it begins with, its pages, and the records that are read again on their own.

use std::sync::Arc;

use cdms_odata::Instant;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Changes, Finding, Listed, Loaded, Record, listed, watermark_of_load};
use tracing::Instrument;
use uuid::Uuid;

use super::pages::{Asked, Listing, Pages, Reads, StoredPage, failed};
use super::pull::PullReport;
use crate::engine::mapping::ModelMapping;
use crate::engine::shared_check::{Seen, check};
use crate::engine::{Doubt, Engine};
use crate::store::{Claim, Standing, Watermark};
use crate::{Error, ErrorKind};

/// Where the pulls of a model stand. One statement.
pub(super) async fn standing(engine: &Engine, model: &'static ModelDescriptor) -> Result<Standing, Error> {
    let scopes = engine.client()?.shape(model).scopes();
    Ok(engine.store.standing(model, scopes).await?)
}

/// Begins a pull or goes on with one: the first load until it is complete, and then what has changed. If it is to be
/// restarted, the first load begins again.
pub(super) async fn begin(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    standing: Standing,
    restart: bool,
) -> Result<(Pages, PullReport), Error> {
    let is_loading = standing.load.as_ref().is_some_and(is_under_way);
    match standing.watermark() {
        Some(watermark) if !restart && !is_loading => begin_changes(engine, model, standing, watermark),
        _ => begin_load(engine, model, standing.now, restart || !is_loading).await,
    }
}

/// Whether a first load has read some of its pages and knows what it will vouch for.
fn is_under_way(load: &Watermark) -> bool {
    load.next.is_some() && load.times.newest.is_some() && load.times.asked_at.is_some()
}

/// Begins a first load with what was changed last in CDMS: records change behind its back, so it can vouch for nothing
/// that is newer.
async fn begin_load(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    now: Instant,
    restart: bool,
) -> Result<(Pages, PullReport), Error> {
    let client = engine.client()?;
    let shape = client.shape(model);
    let scopes = shape.scopes();
    let claim = Claim::new(model, scopes.load);
    let mut at = engine.store.claim_pull(claim.clone(), Vec::new(), restart).await?;
    if !is_under_way(&at) {
        let (newest, told) = client.newest_change(model).await.map_err(failed)?;
        at.next = None;
        (at.times.newest, at.times.asked_at) = (Some(watermark_of_load(newest, told)), Some(now));
    }
    let reads = Reads::Load(scopes.changes);
    let pages = Pages::begin(engine, Listing { operation: "pull", claim, shape, decide, reads }, at)?;
    let report = PullReport { resumed: pages.resumed, ..PullReport::default() };
    Ok((pages, report))
}

/// Begins to read what has changed since a watermark, or goes on with it.
pub(super) fn begin_changes(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    standing: Standing,
    watermark: Instant,
) -> Result<(Pages, PullReport), Error> {
    let shape = engine.client()?.shape(model);
    let Some((run, mut at)) = standing.changes else {
        return Err(never_loaded(model));
    };
    let claim = Claim::after(model, shape.scopes().changes, run);
    let times = &mut at.times;
    let changes = match (times.since, times.asked_at) {
        (Some(since), Some(_)) => Changes { watermark, since, begun: times.begun, newest: times.newest },
        _ => {
            (times.since, times.asked_at) = (None, Some(standing.now));
            Changes::since(watermark, engine.settings.overlap_ms())
        }
    };
    let reads = Reads::Changes(changes);
    let mut pages = Pages::begin(engine, Listing { operation: "pull", claim, shape, decide, reads }, at)?;
    pages.asked_at = Some(standing.version);
    let report = PullReport { resumed: pages.resumed, changes_only: true, ..PullReport::default() };
    Ok((pages, report))
}

/// A model of which nothing was read is not brought up to date by reading what has changed.
pub(super) fn never_loaded(model: &ModelDescriptor) -> Error {
    let message = format!("{} has no complete first load, so its rows are not all there", model.name);
    Error::new(ErrorKind::NotFound, message)
        .advise(format!("load it with `hub.pull::<{}>()`, or call `.or_load()`", model.name))
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
pub(super) async fn page(engine: &Arc<Engine>, pages: &mut Pages, report: &mut PullReport) -> Result<(), Error> {
    let span = tracing::info_span!("datahub_page", model = pages.model().name, page = pages.position());
    one_page(engine, pages, report).instrument(span).await
}

async fn one_page(engine: &Arc<Engine>, pages: &mut Pages, report: &mut PullReport) -> Result<(), Error> {
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
        Ok(checked) => match checked.seen {
            Seen::Pending(_) => &mut report.pending,
            Seen::Current(Finding::First) => &mut report.first_seen,
            Seen::Current(Finding::InSync | Finding::Filled) => &mut report.in_sync,
            Seen::Current(_) => &mut report.refreshed,
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
