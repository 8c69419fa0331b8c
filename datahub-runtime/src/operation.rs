//! What a caller can do with a record, each as a builder that is awaited.

mod create;
mod delete;
mod edit;
mod get;
mod save;

pub use create::Create;
pub use delete::{Delete, DeleteFailed};
pub use edit::Edit;
pub use get::Get;
pub use save::Save;

use std::sync::Arc;

use datahub_model::Fault;
use datahub_protocol::{Failure, Machine, OperationId, WriteKind, Written};

use crate::executor::Run;
use crate::freshness::Checked;
use crate::hub::Engine;
use crate::observed::observed;
use crate::synced::row_of_snapshot;
use crate::{CdmsSynced, Error, ErrorKind, Id, Synced};

/// Runs a write in a task of the hub, so that a caller who goes away cannot leave it half done.
async fn write<T, M>(
    engine: &Arc<Engine>,
    (kind, operation): (WriteKind, OperationId),
    id: Id<T>,
    mut run: Run,
    mut machine: M,
) -> Result<Synced<T>, Error>
where
    T: CdmsSynced,
    M: Machine<Fault = Fault, Output = Result<Written, Failure<Fault>>> + Send + 'static,
{
    let owner = Arc::clone(engine);
    let task = engine.tasks.spawn(async move {
        let begun = owner.clock.now();
        let drive = run.drive(&mut machine);
        let output = observed(kind.name(), T::DESCRIPTOR, id.guid(), Some(operation), drive).await;
        if let Ok(Err(Failure::Unsettled { .. })) = &output {
            owner.unsettled.notify_one();
        }
        (begun, run.locals(), output)
    });
    let stopped = |_| Error::new(ErrorKind::Unavailable, "the write was stopped with the program's runtime");
    let (begun, locals, output) = task.await.map_err(stopped)?;
    let written = output?.map_err(|failure| Error::from_failure(failure, T::DESCRIPTOR, id.guid()))?;
    let time = begun.to_utc().unwrap_or_default();
    let checked = if written.read_back { Checked::Written { time } } else { Checked::NotReadBack { time } };
    let row = row_of_snapshot(T::DESCRIPTOR, id.guid(), &written.snapshot, locals);
    let synced = row.and_then(|row| Synced::new(&row, written.snapshot, checked));
    synced.map_err(|fault| Error::from_failure(Failure::Quarantined(fault), T::DESCRIPTOR, id.guid()))
}
