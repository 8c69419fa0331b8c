//! Reading one record.

use std::future::IntoFuture;
use std::time::Duration;

use datahub_protocol::{Failure, Stored};
use futures_util::future::BoxFuture;

use super::is_detached;
use crate::engine::call::Call;
use crate::engine::known_row::KnownRow;
use crate::engine::revalidation::revalidate;
use crate::engine::shared_check::{check, wait_for_begun};
use crate::freshness::{Checked, Freshness};
use crate::store::{Stage, StoredRecord};
use crate::{CdmsSynced, Error, ErrorKind, Hub, Id, Synced};

/// A read of one record; see [`CdmsSynced::get`].
#[derive(Debug)]
#[must_use = "a read does nothing until it is awaited"]
pub struct Get<T> {
    hub: Hub,
    id: Id<T>,
    freshness: Freshness,
    or_local: bool,
}

impl<T: CdmsSynced> Get<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, id: Id<T>) -> Self {
        Get { hub: hub.called(), id, freshness: Freshness::default(), or_local: false }
    }

    /// How strictly the read checks with CDMS. Default: [`Freshness::Always`].
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    /// Returns the hub's row if CDMS cannot be reached; [`Synced::checked`] then says so, and [`Synced::incomplete`]
    /// lists the fields that the row lacks.
    pub fn or_local(mut self) -> Self {
        self.or_local = true;
        self
    }

    async fn run(self) -> Result<Synced<T>, Error> {
        self.hub.engine.admit(T::DESCRIPTOR)?;
        if self.freshness == Freshness::LocalOnly || is_detached::<T>() {
            return self.local().await;
        }
        if let Some(recent) = self.recent().await? {
            return Ok(recent);
        }
        // A check that is under way is waited for if it is as fresh as the caller asks for, as if the call came after it.
        if let Some(age) = self.fresh_for()
            && wait_for_begun(&self.hub.engine, T::DESCRIPTOR, self.id.guid(), age).await
            && let Some(recent) = self.recent().await?
        {
            return Ok(recent);
        }
        match check(&self.hub.engine, T::DESCRIPTOR, self.id.guid()).await {
            Ok(checked) => Synced::checked_row(checked, self.id),
            Err(error) if self.or_local && error.is_without_cdms() => {
                // If the hub has no row either, the reason why CDMS could not be asked is the better answer.
                self.local().await.map_err(|local| if local.kind() == ErrorKind::NotFound { error } else { local })
            }
            Err(error) if !self.or_local && error.is_without_cdms() => {
                Err(error.advise_too("or read with `or_local()` to get the hub's row"))
            }
            Err(error) => Err(error),
        }
    }

    /// How old a check may be that is as good as a new one.
    fn fresh_for(&self) -> Option<Duration> {
        match self.freshness {
            Freshness::MaxAge(age) => Some(age),
            Freshness::StaleWhileRevalidate { fresh_for, .. } => Some(fresh_for),
            Freshness::Always | Freshness::LocalOnly => None,
        }
    }

    /// The row, if this program has checked it recently enough for the caller.
    async fn recent(&self) -> Result<Option<Synced<T>>, Error> {
        let (fresh_for, at_most) = match self.freshness {
            Freshness::MaxAge(age) => (age, age),
            Freshness::StaleWhileRevalidate { fresh_for, at_most } => (fresh_for, at_most.max(fresh_for)),
            Freshness::Always | Freshness::LocalOnly => return Ok(None),
        };
        let (engine, model, id) = (&self.hub.engine, T::DESCRIPTOR, self.id.guid());
        // Looked up before the row is loaded, which is then at least as new.
        let Some(last) = engine.checks.times.last(model, id) else { return Ok(None) };
        let (Some(time), age) = (last.now.to_utc(), last.age(&*engine.clock)) else { return Ok(None) };
        if age > at_most {
            return Ok(None);
        }
        let StoredRecord { loaded, locals, row_present } = engine.store.load(model, id, Stage::Begins).await?;
        // Anything but a whole row is CDMS's to explain.
        let (Stored::Row(snapshot), true) = (loaded.stored, row_present) else { return Ok(None) };
        if snapshot.outdated.iter().any(|name| model.attribute(name).is_some()) {
            return Ok(None);
        }
        let Ok(row) = KnownRow::stored(model, id, &snapshot, locals) else { return Ok(None) };
        if !row.incomplete.is_empty() {
            return Ok(None);
        }
        let checked = match loaded.intent {
            Some(open) => Checked::Pending { operation: open.intent.operation },
            None if age <= fresh_for => Checked::Within { time, max_age: fresh_for },
            None => {
                revalidate(engine, model, id, last);
                Checked::Stale { time, at_most }
            }
        };
        Ok(Synced::new(row, snapshot, checked).ok())
    }

    async fn local(&self) -> Result<Synced<T>, Error> {
        let (model, id) = (T::DESCRIPTOR, self.id.guid());
        let stored = self.hub.engine.store.load(model, id, Stage::Begins).await?;
        let failed = |failure| Error::from_failure(failure, model, id);
        let snapshot = match stored.loaded.stored {
            Stored::Row(snapshot) => snapshot,
            Stored::Tombstone(_, reason) => return Err(failed(reason.failure())),
            Stored::Absent => {
                let error = Error::new(ErrorKind::NotFound, format!("the hub has no such {}", model.name));
                let read_once = "read it once while CDMS can be reached";
                let error = if is_detached::<T>() { error } else { error.advise(read_once) };
                return Err(error.of_record(model, id));
            }
        };
        let checked = match stored.loaded.intent {
            Some(open) => Checked::Pending { operation: open.intent.operation },
            None if is_detached::<T>() => Checked::Detached,
            None => Checked::NotChecked { since: self.hub.engine.checks.times.last_utc(model, id) },
        };
        let row = KnownRow::stored(model, id, &snapshot, stored.locals);
        let known = row.and_then(|row| Synced::<T>::new(row, snapshot, checked));
        known.map_err(|fault| failed(Failure::Quarantined(fault)))
    }
}

impl<T: CdmsSynced> IntoFuture for Get<T> {
    type Output = Result<Synced<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "get", T::DESCRIPTOR.name).on(self.id.guid());
        Box::pin(call.run(self.run()))
    }
}
