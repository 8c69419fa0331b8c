//! The share of the requests at once that pulls, backfills and sweeps may have, and how fast they may ask.
//!
//! People who wait for a read or a write always find at least half of the turns free of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::turns::{Permit, Turns};

/// The limits of requests that no person waits for.
pub(super) struct Background {
    turns: Arc<Turns>,
    /// The time between two requests.
    pause: Duration,
    /// When the next request may be sent.
    next: Mutex<Option<Instant>>,
}

/// A request in the background may be under way while this is held.
#[must_use = "the request may be under way while it is held"]
pub(crate) struct BackgroundTurn {
    _permit: Option<Permit>,
}

/// How many requests in the background may be under way, where so many may be in all.
pub(super) fn share(at_once: usize) -> usize {
    (at_once / 2).max(1)
}

impl Background {
    /// The limits with these turns, and at most so many requests in a second.
    pub(super) fn with(turns: Arc<Turns>, per_second: Option<f64>) -> Self {
        let pause = per_second.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
        Background { turns, pause, next: Mutex::default() }
    }

    /// Waits until a request may be sent.
    pub(super) async fn turn(&self) -> BackgroundTurn {
        let turn = BackgroundTurn { _permit: self.turns.take().await };
        if !self.pause.is_zero() {
            // Those who wait for the lock have their turns in the order in which they came.
            let mut next = self.next.lock().await;
            if let Some(next) = *next {
                tokio::time::sleep_until(next).await;
            }
            *next = Some(Instant::now() + self.pause);
        }
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_keep_their_distance() {
        let background = Background::with(Turns::new(8), Some(4.0));
        let begun = Instant::now();
        for _ in 0..9 {
            drop(background.turn().await);
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        let unlimited = Background::with(Turns::new(8), None);
        for _ in 0..9 {
            drop(unlimited.turn().await);
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    }

    #[test]
    fn half_of_the_turns_are_left_to_others() {
        assert_eq!([1, 2, 5, 16].map(share), [1, 1, 2, 8]);
    }
}
