//! Trying again what waits in quarantine.

use datahub_model::ModelDescriptor;
use datahub_protocol::{Fetched, Sighting};

use crate::store::QuarantineEntry;
use crate::{Error, ErrorKind, Hub};

/// What a retry of quarantined records came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RetryReport {
    /// The records that fit now, or are gone.
    pub left: Vec<QuarantineEntry>,
    /// The records that stay where they are, each with the reason.
    pub stayed: Vec<(QuarantineEntry, Error)>,
}

/// Tries those again that wait longest, of the hub's models.
pub(crate) async fn retry(hub: &Hub, limit: u32) -> Result<RetryReport, Error> {
    let engine = &hub.engine;
    let mut report = RetryReport::default();
    let tables = engine.models.iter().map(|model| model.table).collect();
    for entry in engine.store.quarantine_of(tables, i64::from(limit)).await? {
        let Some(model) = engine.model(&entry.model) else { continue };
        match try_again(hub, model, &entry).await {
            Ok(()) => report.left.push(entry),
            Err(error) => match error.kind() {
                // What is in the way of this one is in the way of all.
                ErrorKind::Unavailable | ErrorKind::Overloaded | ErrorKind::Store => return Err(error),
                _ => {
                    // It waits behind the others now, so that a few that never fit do not keep them from their turn.
                    engine.store.quarantine_tried(model, entry.id).await?;
                    report.stayed.push((entry, error));
                }
            },
        }
    }
    Ok(report)
}

/// Whether the record is out of quarantine now; why not, if not.
async fn try_again(hub: &Hub, model: &'static ModelDescriptor, entry: &QuarantineEntry) -> Result<(), Error> {
    if let Some(chosen) = entry.orphan_of {
        return look_for_orphan(hub, model, entry, chosen).await;
    }
    match crate::shared_check::check(&hub.engine, model, entry.id).await {
        Ok(checked) => match checked.sighting {
            Sighting::Current { .. } => Ok(()),
            Sighting::Pending { .. } => {
                let message = "a write of the record is under way, so it was not looked at";
                Err(Error::new(ErrorKind::Busy, message).of_record(model, entry.id).advise("try again later"))
            }
        },
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

/// An orphan is no record that anybody reads: it waits to be removed from CDMS, and leaves quarantine once it is.
async fn look_for_orphan(
    hub: &Hub,
    model: &'static ModelDescriptor,
    entry: &QuarantineEntry,
    chosen: uuid::Uuid,
) -> Result<(), Error> {
    let engine = &hub.engine;
    engine.contact().await?;
    match engine.client.fetch(model, entry.id).await {
        Fetched::Gone => Ok(engine.store.quarantine_cleared(model, entry.id).await?),
        Fetched::Unavailable(reason) => Err(Error::new(ErrorKind::Unavailable, reason).of_record(model, entry.id)),
        _ => {
            let message = format!("CDMS still has it, though it was to be {chosen}");
            let error = Error::new(ErrorKind::Quarantined, message).of_record(model, entry.id);
            Err(error.advise("remove it in CDMS, and try again"))
        }
    }
}
