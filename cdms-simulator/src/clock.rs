//! The simulator's clock, which tests can stop and move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock in milliseconds since 1970 UTC; clones share the time.
#[derive(Clone, Debug)]
pub struct SimulatorClock {
    /// Added to the machine's time while running, the time itself while stopped.
    base: Arc<AtomicI64>,
    running: bool,
}

impl SimulatorClock {
    /// The machine's clock.
    pub fn system() -> Self {
        SimulatorClock { base: Arc::new(AtomicI64::new(0)), running: true }
    }

    /// A clock that stands at this time until it is moved.
    pub fn standing_at(ms: i64) -> Self {
        SimulatorClock { base: Arc::new(AtomicI64::new(ms)), running: false }
    }

    /// The time.
    pub fn now_ms(&self) -> i64 {
        let base = self.base.load(Ordering::SeqCst);
        if self.running { machine_ms().saturating_add(base) } else { base }
    }

    /// Moves the clock, forwards or backwards.
    pub fn advance_ms(&self, ms: i64) {
        let moved = |base: i64| Some(base.saturating_add(ms));
        // The closure always has a new value, so this cannot fail.
        _ = self.base.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }

    /// Sets the clock; a running one runs on from there.
    pub fn set_ms(&self, ms: i64) {
        let base = if self.running { ms.saturating_sub(machine_ms()) } else { ms };
        self.base.store(base, Ordering::SeqCst);
    }
}

impl Default for SimulatorClock {
    fn default() -> Self {
        SimulatorClock::system()
    }
}

fn machine_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
