//! Whether one of the hub's sides can be reached, logged once when it becomes unavailable and once when it is back.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::metrics;

/// Whether a side was reached when it was last needed.
#[derive(Debug)]
pub(crate) struct Reach {
    /// The side's name in logs.
    side: &'static str,
    is_away: AtomicBool,
}

impl Reach {
    pub(crate) fn of(side: &'static str) -> Self {
        metrics::reach(side, false);
        Reach { side, is_away: AtomicBool::new(false) }
    }

    /// Notes that the side could not be reached.
    pub(crate) fn failed(&self, reason: &str) {
        if !self.is_away.swap(true, Ordering::Relaxed) {
            metrics::reach(self.side, true);
            tracing::warn!(side = self.side, reason, "cannot be reached");
        }
    }

    /// Notes that the side has answered.
    pub(crate) fn answered(&self) {
        if self.is_away.load(Ordering::Relaxed) && self.is_away.swap(false, Ordering::Relaxed) {
            metrics::reach(self.side, false);
            tracing::info!(side = self.side, "can be reached again");
        }
    }
}
