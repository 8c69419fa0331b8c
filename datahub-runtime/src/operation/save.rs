//! Saving a changed record.

use std::future::IntoFuture;
use std::sync::Arc;

use datahub_protocol::{DetachedWish, Mapping as _, OnConflict, OperationId, Update, WriteKind};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::detached::{is_detached, write_detached};
use super::write;
use crate::engine::budget::admit;
use crate::engine::call::Call;
use crate::engine::executor::Run;
use crate::engine::mapping::ModelMapping;
use crate::{CdmsSynced, Error, Hub, Saved, Synced, Writable};

/// A save; see [`Synced::save`].
#[must_use = "a save does nothing until it is awaited"]
pub struct Save<'s, T> {
    hub: Hub,
    value: &'s mut Synced<T>,
    on_conflict: OnConflict,
}

impl<T: CdmsSynced> Synced<T> {
    /// Writes the changes to CDMS and then to the hub, and returns with CDMS's values.
    ///
    /// Only changed attributes are sent. If CDMS has changed the same field in the meantime, the policy decides which
    /// value wins. If nothing has changed, no request is sent; a change of local fields alone is one transaction and no
    /// request. After an error the value keeps the edits and its old base, so it can be saved again: values that are
    /// already equal cause no conflict and no request. The result says which fields CDMS did not keep as they were
    /// sent, and which of CDMS's values were overwritten. Afterwards, [`Synced::checked`] says how the values were
    /// checked. A save after which the record no longer satisfies the model's `only` leaves a tombstone. If the model
    /// is detached, a save is one transaction and no request.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn rename(hub: &Hub, id: Id<Organisation>) -> Result<(), Error> {
    /// let mut organisation = Organisation::get(hub, id).await?;
    /// organisation.name = "Acme Ltd".into();
    /// let saved = organisation.save(hub).await?;
    /// for field in &saved.adjusted {
    ///     println!("CDMS did not keep {} as it was sent", field.field);
    /// }
    /// for field in &saved.overwritten {
    ///     println!("someone else had changed {field} too; the history has the other value");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future does not stop the save: it runs to its end in a task of the hub.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind); neither side is changed, unless the kind says otherwise.
    #[track_caller]
    pub fn save<'s>(&'s mut self, hub: &Hub) -> Save<'s, T>
    where
        T: Writable,
    {
        Save::new(hub, self)
    }
}

impl<'s, T: CdmsSynced> Save<'s, T> {
    #[track_caller]
    pub(super) fn new(hub: &Hub, value: &'s mut Synced<T>) -> Self {
        Save { hub: hub.called(), value, on_conflict: OnConflict::default() }
    }

    /// What to do if someone else changed the same field: in CDMS, or a local field in the hub. Default: the last
    /// writer wins, and the history keeps the other value.
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    async fn run(self) -> Result<Saved, Error> {
        let Save { hub, value, on_conflict } = self;
        let call = Call::new(&hub, "save", T::DESCRIPTOR.name).on(value.id().guid());
        *value = call.run(save(&hub, value, on_conflict)).await?;
        Ok(value.saved().clone())
    }
}

async fn save<T: CdmsSynced>(hub: &Hub, value: &Synced<T>, on_conflict: OnConflict) -> Result<Synced<T>, Error> {
    let engine = &hub.engine;
    engine.admit(T::DESCRIPTOR)?;
    let id = value.unchanged_id()?;
    let (row, locals) = value.changes()?;
    let mut known = value.known_locals();
    known.retain(|at, _| locals.get(at).is_some());
    let local_changed = !locals.is_empty();
    let run = Run::new(Arc::clone(engine), T::DESCRIPTOR, id.guid(), Arc::clone(&hub.actor));
    let run = run.set_locals(locals).known_locals(known);
    let base = value.base().to_merge();
    if is_detached::<T>() {
        let wish = DetachedWish::Change { base, mine: row, local_changed, on_conflict };
        return write_detached(hub, id, WriteKind::Update, wish, run).await?.synced(engine, id);
    }
    let operation = OperationId(Uuid::now_v7());
    let mapping = ModelMapping::new(T::DESCRIPTOR, id.guid(), Arc::clone(&hub.actor));
    let mapping = mapping.without(value.untouched(&row));
    if mapping.updatable().into_iter().any(|field| row[field] != base.values[field]) {
        engine.admit_write().and_then(|()| admit()).map_err(|error| error.of_record(T::DESCRIPTOR, id.guid()))?;
    }
    let skew = engine.settings.clock_skew_ms();
    let machine = Update::new(mapping, base, row, local_changed, on_conflict, operation, skew);
    write(engine, WriteKind::Update, operation, id, run, machine).await?.synced(engine, id)
}

impl<'s, T: CdmsSynced> IntoFuture for Save<'s, T> {
    type Output = Result<Saved, Error>;
    type IntoFuture = BoxFuture<'s, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
