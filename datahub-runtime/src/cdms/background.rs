//! The share of the connections that pulls, backfills and sweeps may use, and how fast they may ask.
//!
//! People who wait for a read or a write always find at least half of the connections free of them.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The limits of requests that no person waits for.
pub(super) struct Background {
    turns: Semaphore,
    /// The time between two requests.
    pause: Duration,
    /// When the next request may be sent.
    next: Mutex<Option<Instant>>,
}

/// A request in the background may be under way while this is held.
#[must_use = "the request may be under way while it is held"]
pub(crate) struct BackgroundTurn<'b> {
    _permit: Option<SemaphorePermit<'b>>,
}

impl Background {
    /// The limits beside so many requests at once, with at most so many requests in a second.
    pub(super) fn beside(at_once: usize, per_second: Option<f64>) -> Self {
        let turns = Semaphore::new((at_once / 2).clamp(1, Semaphore::MAX_PERMITS));
        let pause = per_second.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
        Background { turns, pause, next: Mutex::default() }
    }

    /// Waits until a request may be sent.
    pub(super) async fn turn(&self) -> BackgroundTurn<'_> {
        // It is never closed.
        let turn = BackgroundTurn { _permit: self.turns.acquire().await.ok() };
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
        let background = Background::beside(16, Some(4.0));
        let begun = Instant::now();
        for _ in 0..9 {
            drop(background.turn().await);
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        let unlimited = Background::beside(16, None);
        for _ in 0..9 {
            drop(unlimited.turn().await);
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test]
    async fn half_of_the_turns_are_left_to_others() {
        for (at_once, share) in [(1, 1), (2, 1), (16, 8)] {
            let background = Background::beside(at_once, None);
            let mut turns = Vec::new();
            for _ in 0..share {
                turns.push(background.turn().await);
            }
            assert_eq!(background.turns.available_permits(), 0, "{at_once}");
        }
    }
}
