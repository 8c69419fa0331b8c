//! Taking up an edit that was begun with an earlier version, from a form for instance.

use std::future::IntoFuture;

use cdms_odata::Value;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Failure, Stored};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::is_detached;
use crate::executor::local_columns;
use crate::freshness::Checked;
use crate::store::{Erasure, HistoryRow};
use crate::synced::{VersionToken, row_of_attributes};
use crate::{Error, ErrorKind, Hub, Id, Synced, Writable};

/// An edit taken up; see [`Writable::edit`].
#[derive(Debug)]
#[must_use = "an edit does nothing until it is awaited"]
pub struct Edit<T> {
    hub: Hub,
    id: Id<T>,
    token: VersionToken,
}

impl<T: Writable> Edit<T> {
    pub(crate) fn new(hub: &Hub, id: Id<T>, token: VersionToken) -> Self {
        Edit { hub: hub.clone(), id, token }
    }

    async fn run(self) -> Result<Synced<T>, Error> {
        let Edit { hub, id, token } = self;
        let (engine, model) = (&hub.engine, T::DESCRIPTOR);
        engine.admit(model)?;
        let failed = |failure: Failure<Fault>| Error::from_failure(failure, model, id.guid());
        if token.id != id.guid() {
            return Err(Error::new(ErrorKind::Invalid, format!("the version token {token} is of another record"))
                .advise("pass the token that was taken from this record")
                .of_record(model, id.guid()));
        }
        let stored = engine.store.load(model, id.guid()).await?;
        let mut locals = stored.locals;
        let mut snapshot = match stored.loaded.stored {
            Stored::Row(snapshot) => snapshot,
            Stored::Tombstone(_, reason) => return Err(failed(reason.failure())),
            Stored::Absent => return Err(failed(Failure::NotFound)),
        };
        if token.version > snapshot.version {
            return Err(Error::new(ErrorKind::Invalid, format!("the version token {token} is newer than the record"))
                .advise("it was made by another database; load the form again")
                .of_record(model, id.guid()));
        }
        if token.version < snapshot.version {
            let later = engine.store.history_after(model, id.guid(), token.version).await?;
            undo(model, id.guid(), &mut snapshot.seen, &later)?;
            undo_locals(model, &mut locals, &later);
            snapshot.version = token.version;
        }
        let row = row_of_attributes(model, id.guid(), &snapshot, &snapshot.seen, locals);
        let checked = if is_detached::<T>() {
            Checked::Detached
        } else {
            Checked::NotChecked { since: engine.checks.last(model, id.guid()) }
        };
        row.and_then(|row| Synced::new(&row, snapshot, checked)).map_err(|fault| failed(Failure::Quarantined(fault)))
    }
}

/// Takes later changes back, newest first, so that `seen` is again as it was.
///
/// # Errors
///
/// `Erased` where the values to take back to are gone.
pub(super) fn undo(
    model: &'static ModelDescriptor,
    id: Uuid,
    seen: &mut cdms_odata::Attributes,
    later: &[HistoryRow],
) -> Result<(), Error> {
    debug_assert!(later.is_sorted_by_key(|row| std::cmp::Reverse(row.sequence)), "newest first");
    not_erased(model, id, later)?;
    for change in later.iter().flat_map(|row| &row.changes).map(|of_day| &of_day.change) {
        // What was not known before and was learned since is no change of anybody's.
        if let Some(value) = &change.from {
            seen.insert(change.attribute.clone(), value.clone());
        }
    }
    Ok(())
}

/// Refuses entries without their values.
pub(super) fn not_erased(model: &'static ModelDescriptor, id: Uuid, rows: &[HistoryRow]) -> Result<(), Error> {
    let Some(Erasure { at, actor, reason }) = rows.iter().find_map(|row| row.erasure.as_ref()) else { return Ok(()) };
    let message = format!("its values of that time were erased {at} by {actor}: {reason}");
    Err(Error::new(ErrorKind::Erased, message).of_record(model, id))
}

/// Like [`undo`] for the local columns; a field that is not local any more has nothing to take back.
pub(super) fn undo_locals(model: &ModelDescriptor, locals: &mut [Value], later: &[HistoryRow]) {
    let columns: Vec<_> = local_columns(model).collect();
    for (field, from, _) in later.iter().flat_map(|row| &row.local) {
        let place = columns.iter().position(|column| model.columns[*column].answers_to(field));
        if let (Some(place), Some(from)) = (place, from) {
            locals[place] = from.clone();
        }
    }
}

impl<T: Writable> IntoFuture for Edit<T> {
    type Output = Result<Synced<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
