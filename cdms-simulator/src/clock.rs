//! The simulator's clock, which tests can stop and move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock in milliseconds since 1970 UTC; clones share the time.
#[derive(Clone, Debug)]
pub struct SimulatorClock {
    /// An offset to the system time if the clock runs; the time itself if it stands.
    base: Arc<AtomicI64>,
    running: bool,
}

impl SimulatorClock {
    /// The system clock.
    pub fn system() -> Self {
        SimulatorClock { base: Arc::new(AtomicI64::new(0)), running: true }
    }

    /// A clock that stands at this time (milliseconds since 1970 UTC) until it is moved.
    pub fn standing_at(ms: i64) -> Self {
        SimulatorClock { base: Arc::new(AtomicI64::new(ms)), running: false }
    }

    /// The current time in milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        let base = self.base.load(Ordering::SeqCst);
        if self.running { machine_ms().saturating_add(base) } else { base }
    }

    /// Moves the clock forwards or backwards, by milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        let moved = |base: i64| Some(base.saturating_add(ms));
        // The closure always returns a new value, so this cannot fail.
        _ = self.base.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }

    /// Sets the clock, in milliseconds since 1970 UTC. A running clock continues from there.
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
