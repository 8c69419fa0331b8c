//! A record as the hub had it at some time, rebuilt from its history.

use cdms_odata::Instant;
use datahub_model::Fault;
use datahub_protocol::{EntryKind, Failure, Stored};

use super::edit::{undo, undo_locals};
use crate::model::model_of;
use crate::synced::row_of_attributes;
use crate::{CdmsSynced, Error, Hub, Id};

/// How many history entries are held in memory at once.
const PAGE: i64 = 200;

/// Goes back from what is known now, entry by entry.
pub(crate) async fn as_of<T: CdmsSynced>(hub: &Hub, id: Id<T>, time: Instant) -> Result<Option<T>, Error> {
    let (engine, model) = (&hub.engine, T::DESCRIPTOR);
    engine.admit(model)?;
    let Some((last, kind)) = engine.store.history_at(model, id.guid(), time).await? else { return Ok(None) };
    if matches!(kind, EntryKind::Deleted | EntryKind::Gone | EntryKind::LeftModel) {
        return Ok(None);
    }
    let stored = engine.store.load(model, id.guid()).await?;
    let mut locals = stored.locals;
    let mut snapshot = match stored.loaded.stored {
        Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => snapshot,
        Stored::Absent => return Ok(None),
    };
    let mut before = i64::MAX;
    loop {
        let later = engine.store.history_between(model, id.guid(), (last, before), PAGE).await?;
        let Some(oldest) = later.last() else { break };
        before = oldest.sequence;
        undo(model, id.guid(), &mut snapshot.seen, &later)?;
        undo_locals(model, &mut locals, &later);
    }
    let row = row_of_attributes(model, id.guid(), &snapshot, &snapshot.seen, locals);
    let failed = |fault: Fault| Error::from_failure(Failure::Quarantined(fault), model, id.guid());
    row.and_then(|row| model_of(&row)).map(Some).map_err(failed)
}
