//! Reverting a record to a version of its history, by a normal write.

use std::future::IntoFuture;
use std::sync::Arc;

use datahub_model::Fault;
use datahub_protocol::{DetachedWish, Failure, OperationId, Stored, TombstoneReason, Update, Version, WriteKind};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::create::admit_create;
use super::detached::{is_detached, write_detached};
use super::edit::{not_erased, undo_after};
use super::{Create, write};
use crate::engine::budget::admit;
use crate::engine::call::Call;
use crate::engine::executor::Run;
use crate::engine::known_row::KnownRow;
use crate::engine::mapping::ModelMapping;
use crate::model::model_of;
use crate::store::Stage;
use crate::{Error, ErrorKind, Hub, Id, Synced, Writable};

/// A revert; see [`Writable::revert`].
#[derive(Debug)]
#[must_use = "a revert does nothing until it is awaited"]
pub struct Revert<T> {
    hub: Hub,
    id: Id<T>,
    version: Version,
}

impl<T: Writable> Revert<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, id: Id<T>, version: Version) -> Self {
        Revert { hub: hub.called(), id, version }
    }

    async fn run(self) -> Result<Synced<T>, Error> {
        let Revert { hub, id, version } = self;
        let (engine, model) = (&hub.engine, T::DESCRIPTOR);
        engine.admit(model)?;
        let failed = |failure: Failure<Fault>| Error::from_failure(failure, model, id.guid());
        let stored = engine.store.load(model, id.guid(), Stage::Begins).await?;
        let (mut snapshot, ended) = match stored.loaded.stored {
            Stored::Row(snapshot) => (snapshot, None),
            Stored::Tombstone(snapshot, reason) => (snapshot, Some(reason)),
            Stored::Absent => return Err(failed(Failure::NotFound)),
        };
        // Versions are numbered across the whole database, so most of them belong to other records.
        let Some(entry) = engine.store.history_of_version(model, id.guid(), version).await? else {
            let message = format!("the record has no version {}; its newest is {}", version.0, snapshot.version.0);
            return Err(Error::new(ErrorKind::Invalid, message)
                .advise("use the version of an entry in its history")
                .of_record(model, id.guid()));
        };
        let mut locals = stored.locals.clone();
        // The version at which a record ended is the record's last state: its end is undone too.
        let kept = if entry.kind.is_end() { entry.sequence - 1 } else { entry.sequence };
        undo_after(engine, model, id.guid(), kept, &mut snapshot.seen, &mut locals).await?;
        match ended {
            None => {
                locals.retain(|at, then| stored.locals.get(at) != Some(then));
                let local_changed = !locals.is_empty();
                let run = Run::new(Arc::clone(engine), model, id.guid(), Arc::clone(&hub.actor)).set_locals(locals);
                if is_detached::<T>() {
                    let wish = DetachedWish::PutBack { then: snapshot.seen, local_changed };
                    return write_detached(&hub, id, WriteKind::Update, wish, run).await?.synced(engine, id);
                }
                engine.admit_write().and_then(|()| admit()).map_err(|error| error.of_record(model, id.guid()))?;
                let operation = OperationId(Uuid::now_v7());
                let mapping = ModelMapping::new(model, id.guid(), Arc::clone(&hub.actor));
                let skew = engine.settings.clock_skew_ms();
                let machine = Update::put_back(mapping, snapshot.seen, local_changed, operation, skew);
                write(engine, WriteKind::Update, operation, id, run, machine).await?.synced(engine, id)
            }
            Some(TombstoneReason::Gone) => {
                // A tombstone keeps only what an erasure has left of the record.
                not_erased(model, id.guid(), &engine.store.history(model, id.guid(), i64::MAX, 1).await?)?;
                if is_detached::<T>() {
                    let row = KnownRow::whole(model, id.guid(), &snapshot, locals);
                    let value = row.and_then(|row| model_of::<T>(&row.values));
                    let value = value.map_err(|fault| failed(Failure::Quarantined(fault)))?;
                    return Ok(Create::new(&hub, value).await?);
                }
                admit_create(engine, model, id.guid()).await?;
                let operation = OperationId(Uuid::now_v7());
                let mapping = ModelMapping::new(model, id.guid(), Arc::clone(&hub.actor));
                let machine =
                    datahub_protocol::Create::put_back(mapping, id.guid(), &snapshot.facts, snapshot.seen, operation);
                let machine = machine.map_err(|fault| failed(Failure::Quarantined(fault)))?;
                let run = Run::new(Arc::clone(engine), model, id.guid(), Arc::clone(&hub.actor)).set_locals(locals);
                write(engine, WriteKind::Create, operation, id, run, machine).await?.synced(engine, id)
            }
            Some(reason @ (TombstoneReason::LeftModel | TombstoneReason::Unknown(_))) => Err(failed(reason.failure())),
        }
    }
}

impl<T: Writable> IntoFuture for Revert<T> {
    type Output = Result<Synced<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "revert", T::DESCRIPTOR.name).on(self.id.guid());
        Box::pin(call.run(self.run()))
    }
}
