//! A record as the hub had it at a given time, rebuilt from its history.

use cdms_odata::Instant;
use datahub_model::Fault;
use datahub_protocol::{Failure, Stored};

use super::edit::undo_after;
use crate::engine::known_row::KnownRow;
use crate::model::model_of;
use crate::store::Stage;
use crate::{CdmsSynced, Error, Hub, Id};

/// Goes back from the current state, entry by entry.
pub(crate) async fn as_of<T: CdmsSynced>(hub: &Hub, id: Id<T>, time: Instant) -> Result<Option<T>, Error> {
    let (engine, model) = (&hub.engine, T::DESCRIPTOR);
    engine.admit(model)?;
    let Some((last, kind)) = engine.store.history_at(model, id.guid(), time).await? else { return Ok(None) };
    if kind.is_end() {
        return Ok(None);
    }
    let stored = engine.store.load(model, id.guid(), Stage::Begins).await?;
    let mut locals = stored.locals;
    let mut snapshot = match stored.loaded.stored {
        Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => snapshot,
        Stored::Absent => return Ok(None),
    };
    undo_after(engine, model, id.guid(), last, &mut snapshot.seen, &mut locals).await?;
    let row = KnownRow::whole(model, id.guid(), &snapshot, locals);
    let failed = |fault: Fault| Error::from_failure(Failure::Quarantined(fault), model, id.guid());
    row.and_then(|row| model_of(&row.values)).map(Some).map_err(failed)
}
