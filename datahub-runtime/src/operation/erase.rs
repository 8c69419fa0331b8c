//! Erasing what the hub keeps of a record's past, for example because the law requires it.

use std::future::IntoFuture;

use datahub_protocol::OperationId;
use futures_util::future::BoxFuture;

use crate::engine::call::Call;
use crate::store::Erased;
use crate::{CdmsSynced, Error, ErrorKind, Hub, Id};

/// An erasure; see [`CdmsSynced::erase`].
#[derive(Debug)]
#[must_use = "an erasure does nothing until it is awaited"]
pub struct Erase<T> {
    hub: Hub,
    id: Id<T>,
    reason: String,
}

impl<T: CdmsSynced> Erase<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, id: Id<T>, reason: String) -> Self {
        Erase { hub: hub.called(), id, reason }
    }

    async fn run(self) -> Result<u64, Error> {
        let Erase { hub, id, reason } = self;
        let (engine, model) = (&hub.engine, T::DESCRIPTOR);
        engine.admit(model)?;
        if reason.trim().is_empty() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "an erasure must have a reason, which is kept in place of the values",
            )
            .of_record(model, id.guid()));
        }
        let (actor, program) = (hub.actor.to_string(), engine.program.to_string());
        let same_entity = engine.models.iter().filter(|other| other.entity.name == model.entity.name).collect();
        match engine.store.erase(model, same_entity, id.guid(), actor, program, reason).await? {
            Erased::Done(entries) => Ok(entries),
            Erased::Unknown => {
                Err(Error::new(ErrorKind::NotFound, "the hub has no data of this record").of_record(model, id.guid()))
            }
            Erased::Busy(operation, retry_after_ms) => {
                let failure =
                    datahub_protocol::Failure::Busy { operation: Some(OperationId(operation)), retry_after_ms };
                Err(Error::from_failure(failure, model, id.guid()))
            }
        }
    }
}

impl<T: CdmsSynced> IntoFuture for Erase<T> {
    type Output = Result<u64, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "erase", T::DESCRIPTOR.name).on(self.id.guid());
        Box::pin(call.run(self.run()))
    }
}
