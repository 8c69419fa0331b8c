//! Retrying the records in quarantine.

use datahub_model::ModelDescriptor;
use datahub_protocol::{Failure, Fetched};

use crate::engine::Doubt;
use crate::engine::budget::admit;
use crate::engine::call::Costed;
use crate::engine::shared_check::{self, Seen, asks_cdms};
use crate::store::QuarantineEntry;
use crate::{Cost, Error, ErrorKind, Hub};

/// The result of retrying quarantined records.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RetryReport {
    /// The records that left quarantine: they fit now, or are gone.
    pub left: Vec<QuarantineEntry>,
    /// The records that stay in quarantine, each with the reason.
    pub stayed: Vec<(QuarantineEntry, Error)>,
    /// What it cost.
    pub cost: Cost,
}

impl Costed for RetryReport {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

/// How many records in a row must fail because of CDMS or the database before the failure counts as one of all records.
const OF_ALL: usize = 3;

/// Retries the records of the hub's models that have waited longest.
pub(crate) async fn retry(hub: &Hub, limit: u32) -> Result<RetryReport, Error> {
    let engine = &hub.engine;
    admit()?;
    let mut report = RetryReport::default();
    let tables = engine.models.iter().map(|model| model.table).collect();
    let (mut in_the_way, mut doubt) = (0, Doubt::default());
    for entry in engine.store.quarantine_of(tables, i64::from(limit)).await? {
        let Some(model) = engine.model(&entry.model) else { continue };
        let Err(error) = try_again(hub, model, &entry).await else {
            in_the_way = 0;
            doubt.is_over();
            report.left.push(entry);
            continue;
        };
        // It moves behind the others, so that a few records that never fit, or that CDMS cannot return, do not block
        // them.
        let tried = engine.store.quarantine_tried(model, entry.id).await;
        let is_in_the_way = match error.kind() {
            // If CDMS cannot return one record, only that record has failed.
            ErrorKind::Unavailable => doubt.is_outage(engine).await,
            ErrorKind::LoginRefused | ErrorKind::Overloaded | ErrorKind::Store => true,
            _ => false,
        };
        in_the_way = if is_in_the_way { in_the_way + 1 } else { 0 };
        report.stayed.push((entry, error));
        if let Err(trouble) = tried {
            // The database's own error says more than the one of the record.
            if report.left.is_empty() && report.stayed.len() == 1 {
                return Err(trouble.into());
            }
            break;
        }
        if in_the_way == OF_ALL {
            break;
        }
    }
    // If no record had any other result, this error is the answer.
    if report.left.is_empty() && report.stayed.len() == in_the_way {
        return report.stayed.pop().map_or(Ok(RetryReport::default()), |(_, error)| Err(error));
    }
    Ok(report)
}

/// Retries one record.
///
/// # Errors
///
/// Why the record stays in quarantine.
async fn try_again(hub: &Hub, model: &'static ModelDescriptor, entry: &QuarantineEntry) -> Result<(), Error> {
    asks_cdms(model)?;
    if let Some(chosen) = entry.orphan_of {
        return look_for_orphan(hub, model, entry, chosen).await;
    }
    match shared_check::check(&hub.engine, model, entry.id).await {
        Ok(checked) => match checked.seen {
            Seen::Current(_) => Ok(()),
            Seen::Pending(operation) => Err(Error::busy(model, entry.id, operation)),
        },
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

/// An orphan is never read as a record: it waits until it is removed from CDMS, and then leaves quarantine.
async fn look_for_orphan(
    hub: &Hub,
    model: &'static ModelDescriptor,
    entry: &QuarantineEntry,
    chosen: uuid::Uuid,
) -> Result<(), Error> {
    let engine = &hub.engine;
    let failed = |failure| Error::from_failure(failure, model, entry.id);
    engine.contact().await?;
    match engine.client()?.fetch(model, entry.id).await {
        Fetched::Gone => Ok(engine.store.quarantine_cleared(model, entry.id).await?),
        Fetched::Refused(reason) => Err(failed(Failure::ReadRefused(reason))),
        Fetched::Unavailable(reason) => Err(failed(Failure::Unavailable(reason))),
        Fetched::LoginRefused(reason) => Err(failed(Failure::LoginRefused(reason))),
        Fetched::Misconfigured(reason) => Err(failed(Failure::Misconfigured(reason))),
        Fetched::Record(_) | Fetched::Unreadable(_) => {
            let message = format!("CDMS still has it, although it should be {chosen}");
            let error = Error::new(ErrorKind::Quarantined, message).of_record(model, entry.id);
            Err(error.advise("remove it in CDMS, then try again"))
        }
    }
}
