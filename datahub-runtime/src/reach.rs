//! Whether one of the hub's sides can be reached, logged once when it becomes unavailable and once when it is back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cdms_odata::Instant;

use crate::engine::clock::Clock;
use crate::engine::metrics;

/// Whether a side was reached when it was last needed.
pub(crate) struct Reach {
    /// The side's name in logs.
    side: &'static str,
    clock: Arc<dyn Clock>,
    is_away: AtomicBool,
    /// Whether it has ever answered.
    has_answered: AtomicBool,
    /// Since when it is away, and why, as the last try says.
    away: Mutex<Option<(Instant, String)>>,
}

/// How a side was when it was last needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It was not needed so far.
    Untried,
    Answers,
    Away {
        since: Instant,
        reason: String,
    },
}

impl Reach {
    pub(crate) fn of(side: &'static str, clock: Arc<dyn Clock>) -> Self {
        metrics::reach(side, false);
        let (is_away, has_answered, away) = (AtomicBool::new(false), AtomicBool::new(false), Mutex::default());
        Reach { side, clock, is_away, has_answered, away }
    }

    /// Notes that the side could not be reached.
    pub(crate) fn failed(&self, reason: &str) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        away.get_or_insert_with(|| (now, String::new())).1 = reason.to_owned();
        if !self.is_away.swap(true, Ordering::Relaxed) {
            metrics::reach(self.side, true);
            tracing::warn!(side = self.side, reason, "cannot be reached");
        }
    }

    /// Notes that the side has answered.
    pub(crate) fn answered(&self) {
        if !self.has_answered.load(Ordering::Relaxed) {
            self.has_answered.store(true, Ordering::Relaxed);
        }
        if self.is_away.load(Ordering::Relaxed) {
            let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
            *away = None;
            if self.is_away.swap(false, Ordering::Relaxed) {
                metrics::reach(self.side, false);
                tracing::info!(side = self.side, "can be reached again");
            }
        }
    }

    /// How the side was when it was last needed.
    pub(crate) fn last(&self) -> Reached {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match away {
            Some((since, reason)) => Reached::Away { since, reason },
            None if self.has_answered.load(Ordering::Relaxed) => Reached::Answers,
            None => Reached::Untried,
        }
    }
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reach({}, {:?})", self.side, self.last())
    }
}
