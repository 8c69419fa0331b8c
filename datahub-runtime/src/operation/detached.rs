//! Writes of detached models: one transaction each, with the same history.

use std::sync::Arc;

use datahub_model::Mode;
use datahub_protocol::{Detached, DetachedWish, OperationId, WriteKind};
use uuid::Uuid;

use super::{CarriedOut, write};
use crate::engine::executor::Run;
use crate::engine::mapping::ModelMapping;
use crate::{CdmsSynced, Error, ErrorKind, Hub, Id};

/// Whether the model is detached, so that CDMS is not asked about it.
pub(crate) fn is_detached<T: CdmsSynced>() -> bool {
    T::DESCRIPTOR.mode == Mode::Detached
}

/// Refuses an operation that only makes sense with CDMS.
pub(crate) fn refuse_detached<T: CdmsSynced>(what: &str) -> Result<(), Error> {
    if !is_detached::<T>() {
        return Ok(());
    }
    let message = format!("{} is detached from CDMS, so there is nothing to {what}", T::DESCRIPTOR.name);
    Err(Error::new(ErrorKind::Invalid, message).advise("set its `mode` to \"sync\" or \"mirror\" to ask CDMS again"))
}

/// Carries out a write in the hub alone.
pub(super) async fn write_detached<T: CdmsSynced>(
    hub: &Hub,
    id: Id<T>,
    kind: WriteKind,
    wish: DetachedWish,
    run: Run,
) -> Result<CarriedOut, Error> {
    let engine = &hub.engine;
    let operation = OperationId(Uuid::now_v7());
    let mapping = ModelMapping::new(T::DESCRIPTOR, id.guid(), Arc::clone(&hub.actor));
    let machine = Detached::new(mapping, wish, operation, engine.clock.now());
    write(engine, kind, operation, id, run, machine).await
}
