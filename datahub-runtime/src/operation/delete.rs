//! Deleting a record.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use datahub_protocol::{Delete as Machine, DetachedWish, OnConflict, OperationId, WriteKind};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::detached::{is_detached, write_detached};
use super::write;
use crate::engine::budget::admit;
use crate::engine::call::{Call, Costed, Failed};
use crate::engine::executor::Run;
use crate::engine::mapping::ModelMapping;
use crate::{CdmsSynced, Cost, Error, Hub, Synced, Writable};

/// A delete; see [`Synced::delete`].
#[must_use = "a delete does nothing until it is awaited"]
pub struct Delete<T> {
    hub: Hub,
    value: Synced<T>,
    on_conflict: OnConflict,
}

/// A record that was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// What the delete cost.
    pub cost: Cost,
}

/// A delete that failed, with the value to be deleted.
#[derive(Clone)]
pub struct DeleteFailed<T> {
    value: Synced<T>,
    error: Arc<Error>,
}

impl<T: CdmsSynced> Synced<T> {
    /// Deletes the record in CDMS and then in the hub; its history keeps the last values. A record that is already gone
    /// from CDMS counts as deleted.
    ///
    /// Dropping the future does not stop the delete: it runs to its end in a task of the hub.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind). The error returns the value.
    #[track_caller]
    pub fn delete(self, hub: &Hub) -> Delete<T>
    where
        // On the method and nowhere else, so that a mirror gets this one compiler error.
        T: Writable,
    {
        Delete { hub: hub.called(), value: self, on_conflict: OnConflict::default() }
    }
}

impl<T: CdmsSynced> Delete<T> {
    /// What to do if the record has changed in the meantime, in CDMS or in the hub's own fields. Default: delete it; the
    /// history keeps its values.
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    async fn run(self) -> Result<Deleted, DeleteFailed<T>> {
        let Delete { hub, value, on_conflict } = self;
        match delete(&hub, &value, on_conflict).await {
            Ok(()) => Ok(Deleted::default()),
            Err(error) => Err(DeleteFailed::new(value, error)),
        }
    }
}

async fn delete<T: CdmsSynced>(hub: &Hub, value: &Synced<T>, on_conflict: OnConflict) -> Result<(), Error> {
    let engine = &hub.engine;
    engine.admit(T::DESCRIPTOR)?;
    let id = value.unchanged_id()?;
    let snapshot = datahub_protocol::Snapshot::clone(&value.base().snapshot);
    let run = Run::new(Arc::clone(engine), T::DESCRIPTOR, id.guid(), Arc::clone(&hub.actor));
    let run = run.known_locals(value.known_locals());
    if is_detached::<T>() {
        let wish = DetachedWish::Delete { base: snapshot.seen, on_conflict };
        return write_detached(hub, id, WriteKind::Delete, wish, run).await.map(drop);
    }
    engine.admit_write().and_then(|()| admit()).map_err(|error| error.of_record(T::DESCRIPTOR, id.guid()))?;
    let operation = OperationId(Uuid::now_v7());
    let mapping = ModelMapping::new(T::DESCRIPTOR, id.guid(), Arc::clone(&hub.actor));
    let skew = engine.settings.clock_skew_ms();
    let machine = Machine::new(mapping, snapshot.seen.clone(), Some(snapshot), on_conflict, operation, skew);
    write::<T, _>(engine, WriteKind::Delete, operation, id, run, machine).await.map(drop)
}

impl<T> DeleteFailed<T> {
    pub(super) fn new(value: Synced<T>, error: Error) -> Self {
        DeleteFailed { value, error: Arc::new(error) }
    }

    /// Why it failed.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The value to be deleted.
    pub fn into_value(self) -> Synced<T> {
        self.value
    }
}

impl<T> fmt::Display for DeleteFailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Debug for DeleteFailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl<T> std::error::Error for DeleteFailed<T> {}

impl<T> Failed for DeleteFailed<T> {
    fn error(&self) -> &Error {
        &self.error
    }
}

impl Costed for Deleted {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T> From<DeleteFailed<T>> for Error {
    fn from(failed: DeleteFailed<T>) -> Self {
        Arc::unwrap_or_clone(failed.error)
    }
}

impl<T: CdmsSynced> IntoFuture for Delete<T> {
    type Output = Result<Deleted, DeleteFailed<T>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "delete", T::DESCRIPTOR.name).on(self.value.id().guid());
        Box::pin(call.run(self.run()))
    }
}
