//! Creating a record.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use datahub_model::ModelDescriptor;
use datahub_model::conversion::encode_whole;
use datahub_protocol::{Create as Machine, DetachedWish, OperationId, WriteKind};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::detached::{is_detached, write_detached};
use super::write;
use crate::engine::Engine;
use crate::engine::budget::admit;
use crate::engine::call::{Call, Failed};
use crate::engine::executor::Run;
use crate::engine::local_fields::LocalFields;
use crate::engine::mapping::ModelMapping;
use crate::model::row_of;
use crate::synced::invalid;
use crate::{Error, ErrorKind, Hub, Synced, Writable};

/// A create; see [`Writable::create`].
#[derive(Debug)]
#[must_use = "a create does nothing until it is awaited"]
pub struct Create<T> {
    hub: Hub,
    value: T,
}

/// A create that failed, or whose outcome is unknown, with the value to be created.
#[derive(Clone)]
pub struct CreateFailed<T> {
    value: T,
    error: Arc<Error>,
}

impl<T: Writable> Create<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, value: T) -> Self {
        Create { hub: hub.called(), value }
    }

    async fn run(self) -> Result<Synced<T>, CreateFailed<T>> {
        let Create { hub, value } = self;
        match create(&hub, &value).await {
            Ok(created) => Ok(created),
            Err(error) => Err(CreateFailed::new(value, error)),
        }
    }
}

async fn create<T: Writable>(hub: &Hub, value: &T) -> Result<Synced<T>, Error> {
    let engine = &hub.engine;
    engine.admit(T::DESCRIPTOR)?;
    let id = value.id();
    let row = row_of(value).map_err(|fault| invalid::<T>(id, fault))?;
    let locals = LocalFields::of_row(T::DESCRIPTOR, &row);
    let run = Run::new(Arc::clone(engine), T::DESCRIPTOR, id.guid(), Arc::clone(&hub.actor)).set_locals(locals);
    if is_detached::<T>() {
        let seen = encode_whole(T::DESCRIPTOR, &row).map_err(|fault| invalid::<T>(id, fault))?;
        return write_detached(hub, id, WriteKind::Create, DetachedWish::Create(seen), run).await?.synced(engine, id);
    }
    admit_create(engine, T::DESCRIPTOR, id.guid()).await?;
    let operation = OperationId(Uuid::now_v7());
    let mapping = ModelMapping::new(T::DESCRIPTOR, id.guid(), Arc::clone(&hub.actor));
    let machine = Machine::new(mapping, id.guid(), row, operation);
    write(engine, WriteKind::Create, operation, id, run, machine).await?.synced(engine, id)
}

impl<T> CreateFailed<T> {
    pub(super) fn new(value: T, error: Error) -> Self {
        CreateFailed { value, error: Arc::new(error) }
    }

    /// Why it failed.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The value to be created.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> fmt::Display for CreateFailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Debug for CreateFailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl<T> std::error::Error for CreateFailed<T> {}

impl<T> Failed for CreateFailed<T> {
    fn error(&self) -> &Error {
        &self.error
    }
}

impl<T> From<CreateFailed<T>> for Error {
    fn from(failed: CreateFailed<T>) -> Self {
        Arc::unwrap_or_clone(failed.error)
    }
}

/// Refuses a create if its budget is used up, if CDMS does not keep ids, or is not the CDMS that the database belongs to.
pub(super) async fn admit_create(engine: &Engine, model: &'static ModelDescriptor, id: Uuid) -> Result<(), Error> {
    if let Some(why) = engine.creates_stopped.get() {
        return Err(Error::new(ErrorKind::Misconfigured, format!("creates are stopped: {why}")).of_record(model, id));
    }
    engine.admit_write().and_then(|()| admit()).map_err(|error| error.of_record(model, id))?;
    // A create reads nothing from CDMS before it writes, so a wrong CDMS must be detected here.
    engine.contact().await.map(drop).map_err(|error| error.of_record(model, id))
}

impl<T: Writable> IntoFuture for Create<T> {
    type Output = Result<Synced<T>, CreateFailed<T>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "create", T::DESCRIPTOR.name).on(self.value.id().guid());
        Box::pin(call.run(self.run()))
    }
}
