//! Checking rows in the background that callers got before they were checked again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use datahub_model::ModelDescriptor;
use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::clock::ClockReading;
use crate::engine::metrics;
use crate::engine::shared_check::check;

/// How many revalidations run at once in a program. They leave room for the requests that callers wait for, of which 16
/// are in flight at once by default. Beyond that a row is returned as it is, and a later read revalidates it.
const AT_ONCE_MAX: usize = 8;

/// A record of a model: its table and id.
type Key = (&'static str, Uuid);

/// The records that are being revalidated: each once, and not too many.
#[derive(Debug, Default)]
pub(crate) struct Revalidations(Arc<Mutex<HashSet<Key>>>);

/// The right to revalidate a record, until dropped.
struct Turn {
    under_way: Arc<Mutex<HashSet<Key>>>,
    key: Key,
}

impl Revalidations {
    fn turn(&self, key: Key) -> Option<Turn> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = under_way.len() < AT_ONCE_MAX && under_way.insert(key);
        is_free.then(|| Turn { under_way: Arc::clone(&self.0), key })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Checks a record in a task of the hub, unless that is already under way, was done since `last`, or too many others are
/// under way. It is a check like any other: callers can join it, and it never stores over a row that is newer than what it
/// has read.
pub(crate) fn revalidate(engine: &Arc<Engine>, model: &'static ModelDescriptor, id: Uuid, last: ClockReading) {
    if engine.closing.is_cancelled() {
        return;
    }
    let Some(turn) = engine.revalidations.turn((model.table, id)) else { return };
    if engine.checks.times.last(model, id) != Some(last) {
        return;
    }
    let owner = Arc::clone(engine);
    engine.tasks.spawn(async move {
        // No caller waits for it: once the row is too old for a caller, that caller asks CDMS and gets the error.
        let checked = check(&owner, model, id).await;
        let outcome = checked.err().map_or("ok", |error| error.kind().word());
        metrics::revalidation(model.name, outcome);
        drop(turn);
    });
}
