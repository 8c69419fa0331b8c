//! Deciding what to do if the row is newer than CDMS, for example after a restore of CDMS's backup.

use std::future::IntoFuture;

use datahub_model::Mode;
use datahub_protocol::{Failure, OnConflict};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{Save, refuse_detached};
use crate::engine::Doubt;
use crate::engine::budget::admit;
use crate::engine::call::{Call, Costed};
use crate::engine::cost::part;
use crate::engine::shared_check::{CheckedRow, Seen, take_older};
use crate::model::{model_of, row_of};
use crate::synced::invalid;
use crate::{CdmsSynced, Checked, Cost, Error, ErrorKind, Freshness, Hub, Id, Synced};

/// Which side is right if the row is newer than CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resolution {
    /// CDMS: its older record becomes the row. The history keeps the row's values and records by how much time went
    /// back.
    TakeCdms,
    /// The hub: the row's values are written to CDMS, as an update of the differences. Not for a mirror.
    PushHub,
}

/// A resolution of one record; see [`CdmsSynced::resolve`].
#[derive(Debug)]
#[must_use = "a resolution does nothing until it is awaited"]
pub struct Resolve<T> {
    hub: Hub,
    id: Id<T>,
    resolution: Resolution,
}

/// The result of resolving all records.
#[derive(Debug)]
#[non_exhaustive]
pub struct ResolvedAll<T> {
    /// How many rows were compared with CDMS.
    pub checked: u64,
    /// The records whose rows were newer and are resolved now.
    pub resolved: Vec<Id<T>>,
    /// The records that could not be compared or resolved.
    pub failed: Vec<(Id<T>, Error)>,
    /// Why it ended before the last row, if it did: CDMS became unavailable. Call it again when CDMS is back.
    pub stopped: Option<Error>,
    /// What it cost.
    pub cost: Cost,
}

impl<T> Costed for ResolvedAll<T> {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T: CdmsSynced> Resolve<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, id: Id<T>, resolution: Resolution) -> Self {
        Resolve { hub: hub.called(), id, resolution }
    }

    /// Runs in a task of the hub: a dropped future must not stop it between taking CDMS's values and pushing the hub's.
    async fn run(self) -> Result<Synced<T>, Error> {
        self.hub.engine.admit(T::DESCRIPTOR)?;
        admit_resolution::<T>(&self.hub, self.resolution)?;
        let tasks = self.hub.engine.tasks.clone();
        let task = tasks.spawn(part(self.take_and_push()));
        task.await.unwrap_or_else(|error| {
            let how =
                if error.is_panic() { "panicked, which is a bug" } else { "was stopped with the program's runtime" };
            let message = format!("the task that resolved it {how}");
            Err(Error::new(ErrorKind::Unavailable, message)
                .advise("read it again; if CDMS's older values were already taken, the hub's are in its history"))
        })
    }

    async fn take_and_push(self) -> Result<Synced<T>, Error> {
        let Resolve { hub, id, resolution } = self;
        let _turn = hub.engine.resolutions.lock((T::DESCRIPTOR.table, id.guid())).await;
        // Without a row there is nothing to resolve, and CDMS is not asked.
        busy(&T::get(&hub, id).freshness(Freshness::LocalOnly).await?)?;
        let taken = take_older(&hub.engine, T::DESCRIPTOR, id.guid(), &hub.actor).await?;
        // The very row that CDMS's record has replaced, not one that was loaded before: another caller may have saved
        // since.
        let replaced = taken.replaced.clone();
        let mut resolved = Synced::checked_row(taken, id)?;
        busy(&resolved)?;
        let Some(replaced) = replaced.filter(|_| resolution == Resolution::PushHub) else { return Ok(resolved) };
        let went_back = resolved.base().snapshot.facts.modified < replaced.modified;
        let kept = format!(
            "the row has CDMS's older values now, and the hub's are in its history: `revert` to version {} writes them to \
             both",
            replaced.version.0
        );
        let unfit = |fault| invalid::<T>(id, fault).advise_too(&kept);
        let replaced = replaced.row.map_err(unfit)?;
        let (mut row, now) = (replaced.values.to_vec(), row_of(&*resolved).map_err(unfit)?);
        // If the row never had a value, there is nothing to push.
        replaced.incomplete.into_iter().for_each(|position| row[position] = now[position].clone());
        if row == now {
            return Ok(resolved);
        }
        *resolved = model_of(&row).map_err(unfit)?;
        // Changes that someone else has made since are not overwritten.
        let save = Save::new(&hub, &mut resolved).on_conflict(OnConflict::Reject);
        // This error differs from others: the row has changed.
        save.await.map_err(|error| match error.kind() {
            ErrorKind::Unsettled | ErrorKind::Quarantined => error,
            _ if !went_back => error,
            _ => error.advise_too(&kept),
        })?;
        Ok(resolved)
    }
}

/// Refuses to resolve a model that CDMS has no part in, and to push one that is never written.
fn admit_resolution<T: CdmsSynced>(hub: &Hub, resolution: Resolution) -> Result<(), Error> {
    refuse_detached::<T>("resolve")?;
    if resolution == Resolution::TakeCdms {
        return Ok(());
    }
    if T::DESCRIPTOR.mode != Mode::Mirror {
        return hub.engine.admit_write();
    }
    let message = format!("{} is a mirror of CDMS and is never written", T::DESCRIPTOR.name);
    Err(Error::new(ErrorKind::Invalid, message).advise("resolve it with `Resolution::TakeCdms`"))
}

/// Refuses a record with a write in progress: its outcome decides what to resolve.
fn busy<T: CdmsSynced>(value: &Synced<T>) -> Result<(), Error> {
    let Checked::Pending { operation } = value.checked() else { return Ok(()) };
    Err(Error::busy(T::DESCRIPTOR, value.id().guid(), operation))
}

/// How many ids are kept in memory at once.
const PAGE: i64 = 200;

pub(crate) async fn resolve_all<T: CdmsSynced>(hub: &Hub, resolution: Resolution) -> Result<ResolvedAll<T>, Error> {
    hub.engine.admit(T::DESCRIPTOR)?;
    admit_resolution::<T>(hub, resolution)?;
    admit()?;
    let (resolved, failed) = (Vec::new(), Vec::new());
    let mut report = ResolvedAll { checked: 0, resolved, failed, stopped: None, cost: Cost::default() };
    let (mut after, mut doubt) = (Uuid::nil(), Doubt::default());
    loop {
        let page = hub.engine.store.row_ids(T::DESCRIPTOR, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(report) };
        after = *last;
        for id in page.into_iter().map(Id::<T>::from) {
            report.checked += 1;
            match T::get(hub, id).await {
                Ok(found) => {
                    doubt.is_over();
                    if let Err(error) = busy(&found) {
                        report.failed.push((id, error));
                    }
                }
                // Gone is also an answer: the tombstone is made.
                Err(error) if error.kind() == ErrorKind::Gone => {}
                Err(error) if error.kind() == ErrorKind::LocalNewer => match Resolve::new(hub, id, resolution).await {
                    Ok(_) => report.resolved.push(id),
                    Err(error) => report.failed.push((id, error)),
                },
                // Without CDMS there is no point in going on; if CDMS cannot return one record, only that record has
                // failed.
                Err(error) if error.is_without_cdms() && doubt.is_outage(&hub.engine).await => {
                    report.stopped = Some(error);
                    return Ok(report);
                }
                Err(error) => report.failed.push((id, error)),
            }
        }
    }
}

impl<T: CdmsSynced> IntoFuture for Resolve<T> {
    type Output = Result<Synced<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "resolve", T::DESCRIPTOR.name).on(self.id.guid());
        Box::pin(call.run(self.run()))
    }
}

impl<T: CdmsSynced> Synced<T> {
    /// The value of a checked row.
    pub(crate) fn checked_row(checked: CheckedRow, id: Id<T>) -> Result<Self, Error> {
        let CheckedRow { seen, snapshot, row, time, .. } = checked;
        let checked = match seen {
            Seen::Pending(operation) => Checked::Pending { operation },
            Seen::Current(found) => Checked::At { time: time.unwrap_or_default(), found },
        };
        Synced::new(row, snapshot, checked)
            .map_err(|fault| Error::from_failure(Failure::Quarantined(fault), T::DESCRIPTOR, id.guid()))
    }
}
