//! Creating, saving or deleting many records: each by the write protocol, some at once, with an outcome for each.

use std::convert::Infallible;
use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use datahub_model::ModelDescriptor;
use datahub_protocol::OnConflict;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::{Create, CreateFailed, DeleteFailed, Deleted, Save};
use crate::engine::call::{Call, Costed, Failed};
use crate::engine::{Doubt, metrics};
use crate::{Cost, Error, Hub, Synced, Writable};

/// How many writes are under way at once by default. They leave room for the requests that readers wait for, of which 16
/// are in flight at once by default.
const AT_ONCE: usize = 8;

/// Writes of many records; see [`Writable::create_many`], [`Writable::save_many`] and [`Writable::delete_many`].
#[must_use = "nothing is written until it is awaited"]
pub struct WriteMany<V, O> {
    hub: Hub,
    model: &'static ModelDescriptor,
    kind: &'static str,
    values: Vec<V>,
    on_conflict: OnConflict,
    at_once: usize,
    progress: Option<OnRecord>,
    write: fn(Hub, V, OnConflict) -> BoxFuture<'static, O>,
    /// The outcome of a value whose write is not begun.
    not_begun: fn(V, Error) -> O,
}

type OnRecord = Box<dyn FnMut(WriteProgress) + Send>;

/// How far many writes have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteProgress {
    /// How many have ended.
    pub done: usize,
    /// How many of them have failed.
    pub failed: usize,
    /// How many there are.
    pub total: usize,
}

/// The outcomes of many writes.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "some of the records may not have been written"]
#[non_exhaustive]
pub struct ManyWritten<O> {
    /// The outcome of each, in the order of the values.
    pub outcomes: Vec<O>,
    /// What all of them cost together.
    pub cost: Cost,
}

/// A save of many that failed for this value, which still has the caller's edits.
#[derive(Clone)]
pub struct SaveFailed<T> {
    value: Synced<T>,
    error: Arc<Error>,
}

/// What came of the write of one record.
trait Outcome {
    fn error(&self) -> Option<&Error>;
}

impl<V, E: Failed> Outcome for Result<V, E> {
    fn error(&self) -> Option<&Error> {
        self.as_ref().err().map(Failed::error)
    }
}

impl<V, E> ManyWritten<Result<V, E>> {
    /// Whether every record was written.
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(Result::is_ok)
    }

    /// Those that failed, each with its position among the values.
    pub fn failed(&self) -> impl Iterator<Item = (usize, &E)> {
        let outcomes = self.outcomes.iter().enumerate();
        outcomes.filter_map(|(position, outcome)| Some((position, outcome.as_ref().err()?)))
    }
}

impl<O> Costed for ManyWritten<O> {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<V, O> WriteMany<V, O> {
    /// How many writes are under way at once, at most. Default: 8; 0 counts as 1. Of all requests of the hub to CDMS, 16 are
    /// in flight at once, see [`HubBuilder::concurrent_requests`](crate::HubBuilder::concurrent_requests).
    pub fn at_once(mut self, count: usize) -> Self {
        self.at_once = count.max(1);
        self
    }

    /// Calls `progress` whenever the write of a record has ended, for a progress bar.
    pub fn on_record(mut self, progress: impl FnMut(WriteProgress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }
}

impl<T, O> WriteMany<Synced<T>, O> {
    /// What to do about a record that someone else changed in the meantime, as for a single write.
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }
}

#[allow(private_bounds, reason = "only the three kinds of writes make one")]
impl<V: Send + 'static, O: Outcome + Send + 'static> WriteMany<V, O> {
    async fn run(mut self) -> Result<ManyWritten<O>, Infallible> {
        let total = self.values.len();
        let mut outcomes: Vec<Option<O>> = (0..total).map(|_| None).collect();
        let mut left = std::mem::take(&mut self.values).into_iter().enumerate();
        let (mut under_way, mut doubt) = (FuturesUnordered::new(), Doubt::default());
        let mut so_far = WriteProgress { done: 0, failed: 0, total };
        // Why no more are begun.
        let mut outage: Option<Error> = None;
        loop {
            while outage.is_none() && under_way.len() < self.at_once {
                let Some((position, value)) = left.next() else { break };
                let write = (self.write)(self.hub.clone(), value, self.on_conflict);
                under_way.push(async move { (position, write.await) });
            }
            let Some((position, outcome)) = under_way.next().await else { break };
            match outcome.error() {
                None => doubt.is_over(),
                // If CDMS cannot take one record, only that record has failed.
                Some(error) if outage.is_none() && error.is_without_cdms() => {
                    if doubt.is_outage(&self.hub.engine).await {
                        outage = Some(error.clone());
                    }
                }
                Some(_) => {}
            }
            self.tell(&mut so_far, &outcome);
            outcomes[position] = Some(outcome);
        }
        if let Some(outage) = outage {
            for (position, value) in left {
                let message = format!("not begun, because an earlier write failed: {}", outage.reason());
                let error = Error::new(outage.kind(), message).advise("neither side has changed; write it again later");
                let outcome = (self.not_begun)(value, error);
                self.tell(&mut so_far, &outcome);
                outcomes[position] = Some(outcome);
            }
        }
        Ok(ManyWritten { outcomes: outcomes.into_iter().flatten().collect(), cost: Cost::default() })
    }

    fn tell(&mut self, so_far: &mut WriteProgress, outcome: &O) {
        so_far.done += 1;
        if let Some(error) = outcome.error() {
            so_far.failed += 1;
            metrics::failed(error.kind().word());
        }
        if let Some(progress) = &mut self.progress {
            progress(*so_far);
        }
    }
}

#[allow(private_bounds, reason = "only the three kinds of writes make one")]
impl<V: Send + 'static, O: Outcome + Send + 'static> IntoFuture for WriteMany<V, O> {
    type Output = ManyWritten<O>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, self.kind, self.model.name);
        Box::pin(async move {
            let Ok(written) = call.run(self.run()).await;
            written
        })
    }
}

impl<T: Writable> WriteMany<T, Result<Synced<T>, CreateFailed<T>>> {
    #[track_caller]
    pub(crate) fn creates(hub: &Hub, values: Vec<T>) -> Self {
        let write = |hub: Hub, value, _| Create::new(&hub, value).into_future();
        WriteMany::new(hub, T::DESCRIPTOR, "create_many", values, write, |value, error| {
            Err(CreateFailed::new(value, error))
        })
    }
}

impl<T: Writable> WriteMany<Synced<T>, Result<Synced<T>, SaveFailed<T>>> {
    #[allow(clippy::result_large_err, reason = "an outcome that failed returns the value")]
    #[track_caller]
    pub(crate) fn saves(hub: &Hub, values: Vec<Synced<T>>) -> Self {
        let write = |hub, value, on_conflict| -> BoxFuture<'static, _> { Box::pin(save_one(hub, value, on_conflict)) };
        WriteMany::new(hub, T::DESCRIPTOR, "save_many", values, write, |value, error| {
            Err(SaveFailed::new(value, error))
        })
    }
}

impl<T: Writable> WriteMany<Synced<T>, Result<Deleted, DeleteFailed<T>>> {
    #[allow(clippy::result_large_err, reason = "an outcome that failed returns the value")]
    #[track_caller]
    pub(crate) fn deletes(hub: &Hub, values: Vec<Synced<T>>) -> Self {
        let write = |hub, value: Synced<T>, on_conflict| value.delete(&hub).on_conflict(on_conflict).into_future();
        WriteMany::new(hub, T::DESCRIPTOR, "delete_many", values, write, |value, error| {
            Err(DeleteFailed::new(value, error))
        })
    }
}

impl<V, O> WriteMany<V, O> {
    #[track_caller]
    fn new(
        hub: &Hub,
        model: &'static ModelDescriptor,
        kind: &'static str,
        values: Vec<V>,
        write: fn(Hub, V, OnConflict) -> BoxFuture<'static, O>,
        not_begun: fn(V, Error) -> O,
    ) -> Self {
        let (hub, on_conflict) = (hub.called(), OnConflict::default());
        WriteMany { hub, model, kind, values, on_conflict, at_once: AT_ONCE, progress: None, write, not_begun }
    }
}

async fn save_one<T: Writable>(
    hub: Hub,
    mut value: Synced<T>,
    on_conflict: OnConflict,
) -> Result<Synced<T>, SaveFailed<T>> {
    match Save::new(&hub, &mut value).on_conflict(on_conflict).await {
        Ok(_) => Ok(value),
        Err(error) => Err(SaveFailed::new(value, error)),
    }
}

impl<T> SaveFailed<T> {
    fn new(value: Synced<T>, error: Error) -> Self {
        SaveFailed { value, error: Arc::new(error) }
    }

    /// Why it failed.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The value with the caller's edits, which can be saved again.
    pub fn into_value(self) -> Synced<T> {
        self.value
    }
}

impl<T> fmt::Display for SaveFailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Debug for SaveFailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl<T> std::error::Error for SaveFailed<T> {}

impl<T> From<SaveFailed<T>> for Error {
    fn from(failed: SaveFailed<T>) -> Self {
        Arc::unwrap_or_clone(failed.error)
    }
}

impl<T> Failed for SaveFailed<T> {
    fn error(&self) -> &Error {
        &self.error
    }
}

impl<V, O> fmt::Debug for WriteMany<V, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteMany")
            .field("kind", &self.kind)
            .field("model", &self.model.name)
            .field("count", &self.values.len())
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}
