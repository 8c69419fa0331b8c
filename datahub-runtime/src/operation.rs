//! The operations of a caller on a record, each a builder that is awaited.

mod as_of;
mod backfill;
mod completing;
mod create;
mod delete;
mod detached;
mod edit;
mod ensure_fresh;
mod erase;
mod find;
mod get;
mod many;
mod pages;
mod pull;
mod pulling;
mod resolve;
mod revert;
mod save;
mod sweep;
mod watch;

pub(crate) use as_of::as_of;
pub use backfill::{Backfill, BackfillReport, Completeness};
pub(crate) use completing::completeness;
pub use create::{Create, CreateFailed};
pub use delete::{Delete, DeleteFailed, Deleted};
pub(crate) use detached::{is_detached, refuse_detached};
pub use edit::Edit;
pub use ensure_fresh::{EnsureFresh, FreshReport, ModelFresh};
pub use erase::Erase;
pub use find::{
    Cursor, Explanation, Find, Found, GetMany, InvalidCursor, LeftOut, LoadRelated, Many, Records, Referring, Related,
    Side,
};
pub(crate) use find::{referring, target};
pub use get::Get;
pub use many::{ManyWritten, SaveFailed, WriteMany, WriteProgress};
pub use pull::{Pull, PullReport};
pub(crate) use resolve::resolve_all;
pub use resolve::{Resolution, Resolve, ResolvedAll};
pub use revert::Revert;
pub use save::Save;
pub use sweep::{Sweep, SweepReport};
pub use watch::{Watch, WatchBuilder, WatchEvent, WatchReport, WatchState, WatchedModel};

use std::sync::Arc;

use datahub_model::{Fault, Mode, ModelDescriptor};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{Confirmation, Failure, Machine, OperationId, WriteKind, WriteOutcome};
use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::clock::ClockReading;
use crate::engine::executor::Run;
use crate::engine::known_row::KnownRow;
use crate::engine::local_fields::LocalFields;
use crate::engine::observed::observed;
use crate::freshness::Checked;
use crate::saved::Saved;
use crate::store::StoreError;
use crate::{CdmsSynced, Error, Id, Synced};

/// A completed write.
struct CarriedOut {
    written: WriteOutcome,
    /// All local fields after the write.
    locals: LocalFields,
    /// When it was begun.
    begun: ClockReading,
    /// When CDMS's record was last requested.
    asked: Option<ClockReading>,
}

/// Runs a write in a task of the hub, so that a caller that drops its future cannot leave the write half done.
async fn write<T, M>(
    engine: &Arc<Engine>,
    kind: WriteKind,
    operation: OperationId,
    id: Id<T>,
    mut run: Run,
    mut machine: M,
) -> Result<CarriedOut, Error>
where
    T: CdmsSynced,
    M: Machine<Fault = Fault, Output = Result<WriteOutcome, Failure<Fault>>> + Send + 'static,
{
    let owner = Arc::clone(engine);
    let task = engine.spawn(async move {
        let begun = ClockReading::of(&*owner.clock);
        let drive = run.drive(&mut machine);
        let output = observed(kind.name(), T::DESCRIPTOR, id.guid(), Some(operation), drive).await;
        match &output {
            Ok(Err(Failure::Unsettled { operation, .. })) => {
                owner.looks.forget(*operation);
                owner.unsettled.notify_one();
            }
            // The write that this one waits for may have no task that settles it, unless its next look is scheduled.
            Ok(Err(Failure::Busy { operation: Some(open), .. }))
                if !owner.looks.is_early(*open, owner.clock.now()) || planted(Planted::BusyWakesAll) =>
            {
                owner.unsettled.notify_one();
            }
            // The next create would make another orphan, whether or not a caller still waits for this one.
            Ok(Err(Failure::Orphan { operation, .. })) => owner.stop_creates(*operation),
            _ => {}
        }
        note_check(&owner, T::DESCRIPTOR, id.guid(), kind, &output, run.asked().unwrap_or(begun));
        (begun, run.asked(), run.locals(), output)
    });
    let task = task.map_err(|error| error.of_record(T::DESCRIPTOR, id.guid()))?;
    let failed = |failure| Error::from_failure(failure, T::DESCRIPTOR, id.guid());
    let (begun, asked, locals, output) = task.await.map_err(|error| {
        engine.unsettled.notify_one();
        let how = if error.is_panic() { "panicked, which is a bug" } else { "was stopped with the program's runtime" };
        failed(Failure::Unsettled { operation, in_cdms: false, reason: format!("the task that wrote it {how}").into() })
    })?;
    let written = output.map_err(|error| Error::from(error).of_record(T::DESCRIPTOR, id.guid()))?.map_err(failed)?;
    Ok(CarriedOut { written, locals, begun, asked })
}

/// Notes what a write says about the time as of which the row matches CDMS.
fn note_check(
    engine: &Engine,
    model: &'static ModelDescriptor,
    id: Uuid,
    kind: WriteKind,
    output: &Result<Result<WriteOutcome, Failure<Fault>>, StoreError>,
    asked: ClockReading,
) {
    if model.mode == Mode::Detached {
        return;
    }
    match output {
        Ok(Ok(written)) if kind != WriteKind::Delete => match written.confirmation {
            Confirmation::ReadBack | Confirmation::Compared(_) => engine.checks.times.remember(model, id, asked),
            Confirmation::NotReadBack => engine.checks.times.forget(model, id),
            Confirmation::Nothing(_) => {}
        },
        // Whatever went wrong, the next read had better look.
        Ok(_) | Err(_) => engine.checks.times.forget(model, id),
    }
}

impl CarriedOut {
    /// The record as it is after the write.
    fn synced<T: CdmsSynced>(self, engine: &Engine, id: Id<T>) -> Result<Synced<T>, Error> {
        let CarriedOut { written, locals, begun, asked } = self;
        let (model, id) = (T::DESCRIPTOR, id.guid());
        let time = begun.now.to_utc().unwrap_or_default();
        let checked = match written.confirmation {
            Confirmation::ReadBack => Checked::Written { time },
            Confirmation::NotReadBack => Checked::NotReadBack { time },
            Confirmation::Compared(found) => {
                Checked::At { time: asked.and_then(|asked| asked.now.to_utc()).unwrap_or(time), found }
            }
            Confirmation::Nothing(Some(operation)) => Checked::Pending { operation },
            Confirmation::Nothing(None) if is_detached::<T>() => Checked::Detached,
            Confirmation::Nothing(None) => Checked::NotChecked { since: engine.checks.times.last_utc(model, id) },
        };
        let saved = Saved::of(model, &written);
        let row = match written.values {
            Some(values) => Ok(KnownRow::of(model, values, locals)),
            None => KnownRow::stored(model, id, &written.snapshot, locals),
        };
        let synced = row.and_then(|row| Ok(Synced::<T>::new(row, written.snapshot, checked)?.with_saved(saved)));
        synced.map_err(|fault| Error::from_failure(Failure::Quarantined(fault), model, id))
    }
}
