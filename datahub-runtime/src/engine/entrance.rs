//! How callers join a check: until its row has been loaded for the last of them, which is before its request is sent.

use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::Error;
use crate::engine::Engine;
use crate::engine::clock::ClockReading;
use crate::engine::shared_check::{Begun, Joinable, Key, SharedOutcome};

/// After how many turns of the scheduler without another caller the row is loaded again.
const QUIET_TURNS: u32 = 4;

/// After how many turns it is loaded all the same.
const TURNS_MAX: u32 = 256;

/// How long a check waits for callers that keep coming.
const GATHERING_MAX: Duration = Duration::from_millis(10);

/// The way into a check, on the check's side. It closes when it is dropped.
pub(crate) struct Entrance {
    engine: Arc<Engine>,
    key: Key,
    /// How many callers have joined the one that began the check. No other check has the same counter, so it is known by it.
    joined: Arc<AtomicUsize>,
    /// Since when the check has loaded its row.
    since: Duration,
}

/// Who had joined at some moment.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    joined: usize,
    at: ClockReading,
}

/// Joins the check of a record that can still be joined, or begins one.
pub(crate) fn join(
    engine: &Arc<Engine>,
    key: Key,
    begin: impl FnOnce(Arc<AtomicUsize>) -> Result<SharedOutcome, Error>,
) -> Result<SharedOutcome, Error> {
    let mut joinable = engine.checks.joinable.lock().unwrap_or_else(PoisonError::into_inner);
    match joinable.entry(key) {
        Entry::Occupied(open) => {
            open.get().joined.fetch_add(1, Ordering::Relaxed);
            Ok(open.get().outcome.clone())
        }
        Entry::Vacant(none) => {
            let joined = Arc::<AtomicUsize>::default();
            let outcome = begin(Arc::clone(&joined))?;
            Ok(none.insert(Joinable { joined, outcome }).outcome.clone())
        }
    }
}

impl Entrance {
    /// The entrance of the check that this counter belongs to.
    pub(crate) fn of(engine: Arc<Engine>, key: Key, joined: Arc<AtomicUsize>) -> Self {
        let since = engine.clock.monotonic();
        Entrance { engine, key, joined, since }
    }

    /// Who has joined by now: before the row is loaded for them.
    pub(crate) fn mark(&self) -> Mark {
        Mark { joined: self.joined.load(Ordering::Acquire), at: ClockReading::of(&*self.engine.clock) }
    }

    /// Closes if nobody has joined since the mark, so that what was loaded since is as new as each caller needs; returns
    /// whether it is closed. Otherwise waits until no more callers come, but not for long, and the row must be loaded again.
    pub(crate) async fn closes(&self, mark: Mark) -> bool {
        // The row may have been there before anybody else had a turn.
        tokio::task::yield_now().await;
        if self.close(mark, Some(mark.joined)) {
            return true;
        }
        self.gather().await;
        if self.is_late() {
            self.close(self.mark(), None);
        }
        false
    }

    /// Closes, if this many callers have joined; returns whether it is closed.
    fn close(&self, mark: Mark, only_with: Option<usize>) -> bool {
        let checks = &self.engine.checks;
        let mut joinable = checks.joinable.lock().unwrap_or_else(PoisonError::into_inner);
        match joinable.get(&self.key) {
            Some(open) if Arc::ptr_eq(&open.joined, &self.joined) => {
                if only_with.is_some_and(|only_with| self.joined.load(Ordering::Acquire) != only_with) {
                    return false;
                }
            }
            _ => return true,
        }
        if let Some(Joinable { outcome, .. }) = joinable.remove(&self.key) {
            let mut begun = checks.begun.lock().unwrap_or_else(PoisonError::into_inner);
            begun.insert(self.key, Begun { at: mark.at, outcome });
        }
        true
    }

    /// Lets the callers of this moment join: goes on when a few turns of the scheduler have brought no other one.
    async fn gather(&self) {
        let (mut known, mut quiet) = (self.joined.load(Ordering::Relaxed), 0);
        for _ in 0..TURNS_MAX {
            tokio::task::yield_now().await;
            let now = self.joined.load(Ordering::Relaxed);
            quiet = if now > known { 0 } else { quiet + 1 };
            known = now;
            if quiet >= QUIET_TURNS || self.is_late() {
                return;
            }
        }
    }

    fn is_late(&self) -> bool {
        self.engine.clock.monotonic().saturating_sub(self.since) > GATHERING_MAX
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.close(self.mark(), None);
    }
}
