//! Resuming an edit that began with an earlier version, for example in a form.

use std::future::IntoFuture;

use datahub_model::{Column, Fault, ModelDescriptor};
use datahub_protocol::{Failure, Stored};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::is_detached;
use crate::engine::Engine;
use crate::engine::call::Call;
use crate::engine::known_row::KnownRow;
use crate::engine::local_fields::{LocalChange, LocalFields, local_columns};
use crate::freshness::Checked;
use crate::store::{Erasure, HistoryRow, Stage};
use crate::synced::VersionToken;
use crate::{Error, ErrorKind, Hub, Id, Synced, Writable};

/// A resumed edit; see [`Writable::edit`].
#[derive(Debug)]
#[must_use = "an edit does nothing until it is awaited"]
pub struct Edit<T> {
    hub: Hub,
    id: Id<T>,
    token: VersionToken,
}

impl<T: Writable> Edit<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, id: Id<T>, token: VersionToken) -> Self {
        Edit { hub: hub.called(), id, token }
    }

    async fn run(self) -> Result<Synced<T>, Error> {
        let Edit { hub, id, token } = self;
        let (engine, model) = (&hub.engine, T::DESCRIPTOR);
        engine.admit(model)?;
        let failed = |failure: Failure<Fault>| Error::from_failure(failure, model, id.guid());
        if token.id != id.guid() {
            return Err(Error::new(ErrorKind::Invalid, format!("the version token {token} belongs to another record"))
                .advise("pass a token of this record")
                .of_record(model, id.guid()));
        }
        let stored = engine.store.load(model, id.guid(), Stage::Begins).await?;
        let mut locals = stored.locals;
        let mut snapshot = match stored.loaded.stored {
            Stored::Row(snapshot) => snapshot,
            Stored::Tombstone(_, reason) => return Err(failed(reason.failure())),
            Stored::Absent => return Err(failed(Failure::NotFound)),
        };
        if token.version > snapshot.version {
            return Err(Error::new(ErrorKind::Invalid, format!("the version token {token} is newer than the record"))
                .advise("it comes from another database; load the form again")
                .of_record(model, id.guid()));
        }
        if token.version < snapshot.version {
            // A row can be completed without an entry, so the token's version does not always have its own entry.
            let Some(kept) = engine.store.history_up_to(model, id.guid(), token.version).await? else {
                let message = format!("the version token {token} is older than the record");
                return Err(Error::new(ErrorKind::Invalid, message)
                    .advise("it comes from another database; load the form again")
                    .of_record(model, id.guid()));
            };
            undo_after(engine, model, id.guid(), kept, &mut snapshot.seen, &mut locals).await?;
            snapshot.version = token.version;
        }
        let row = KnownRow::stored(model, id.guid(), &snapshot, locals);
        let checked = if is_detached::<T>() {
            Checked::Detached
        } else {
            Checked::NotChecked { since: engine.checks.times.last_utc(model, id.guid()) }
        };
        let known = row.and_then(|row| Synced::<T>::new(row, snapshot, checked));
        known.map_err(|fault| failed(Failure::Quarantined(fault)))
    }
}

/// Undoes all changes after an entry, so that the attributes and the local columns are again as they were. What they were
/// follows from the first change of each since then, which one statement finds among any number of versions.
///
/// # Errors
///
/// `Erased` if the values to restore are gone, `Store` if the history cannot be read.
pub(super) async fn undo_after(
    engine: &Engine,
    model: &'static ModelDescriptor,
    id: Uuid,
    kept: i64,
    seen: &mut cdms_odata::Attributes,
    locals: &mut LocalFields,
) -> Result<(), Error> {
    let later = engine.store.history_deciding(model, id, kept).await?;
    undo(model, id, seen, &later)?;
    undo_locals(model, locals, &later);
    Ok(())
}

/// Undoes later changes, newest first, so that `seen` is again as it was.
///
/// # Errors
///
/// `Erased` if the values to restore are gone.
fn undo(
    model: &'static ModelDescriptor,
    id: Uuid,
    seen: &mut cdms_odata::Attributes,
    later: &[HistoryRow],
) -> Result<(), Error> {
    debug_assert!(later.is_sorted_by_key(|row| std::cmp::Reverse(row.sequence)), "newest first");
    not_erased(model, id, later)?;
    for change in later.iter().flat_map(|row| &row.changes).map(|of_day| &of_day.change) {
        // A value that was first read later, and was unknown before, is not a change.
        if let Some(value) = &change.from {
            seen.insert(change.attribute.clone(), value.clone());
        }
    }
    Ok(())
}

/// Refuses entries whose values were erased.
pub(super) fn not_erased(model: &'static ModelDescriptor, id: Uuid, rows: &[HistoryRow]) -> Result<(), Error> {
    let Some(Erasure { at, actor, reason }) = rows.iter().find_map(|row| row.erasure.as_ref()) else { return Ok(()) };
    let message = format!("its values of that time were erased {at} by {actor}: {reason}");
    Err(Error::new(ErrorKind::Erased, message).of_record(model, id))
}

/// Like [`undo`], for the local columns; a field that is no longer local has nothing to undo.
fn undo_locals(model: &ModelDescriptor, locals: &mut LocalFields, later: &[HistoryRow]) {
    for LocalChange { field, column, from, .. } in later.iter().flat_map(|row| &row.local) {
        // A renamed field keeps its column, or names the former one with `was`.
        let name = column.as_ref().unwrap_or(field);
        let place = |is_it: &dyn Fn(&Column) -> bool| local_columns(model).find(|(_, column)| is_it(column));
        let place = place(&|column| column.name == name).or_else(|| place(&|column| column.was == Some(name)));
        if let Some((at, _)) = place {
            locals.set(at, from.clone());
        }
    }
}

impl<T: Writable> IntoFuture for Edit<T> {
    type Output = Result<Synced<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "edit", T::DESCRIPTOR.name).on(self.id.guid());
        Box::pin(call.run(self.run()))
    }
}
