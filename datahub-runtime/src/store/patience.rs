//! How long a server may owe an answer before its connection is given up.
//!
//! A server that works bounds its statements itself, and one that is gone is noticed by the operating system. Neither helps
//! where something between the hub and the server takes the question, keeps the connection alive and says nothing more: a
//! pooler that was paused, for instance. Then a thread of the hub would wait for ever.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The patience with one connection: shared by the thread that asks and the task that drives its socket.
#[derive(Debug)]
pub(super) struct Patience {
    began: Instant,
    /// Milliseconds from `began` to the question that waits for its answer, and one more; 0: none does.
    asked: AtomicU64,
    limit_ms: AtomicU64,
    is_over: AtomicBool,
}

/// A question that waits for its answer, until this is dropped.
#[derive(Debug)]
#[must_use = "nobody waits for an answer once this is dropped"]
pub(super) struct Waiting<'p>(&'p Patience);

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        let (asked, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        Patience { began: Instant::now(), asked, limit_ms: AtomicU64::new(milliseconds(limit)), is_over }
    }

    /// From now on an answer may take so long. A limit that is shorter than before counts once the old one has passed.
    pub(super) fn limit(&self, limit: Duration) {
        self.limit_ms.store(milliseconds(limit), Ordering::Relaxed);
    }

    /// From now on an answer may take so long, or as long as before if that is longer.
    pub(super) fn at_least(&self, limit: Duration) {
        self.limit_ms.fetch_max(milliseconds(limit), Ordering::Relaxed);
    }

    /// Notes that a question is asked.
    pub(super) fn asks(&self) -> Waiting<'_> {
        self.asked.store(self.now_ms() + 1, Ordering::Release);
        Waiting(self)
    }

    /// Returns when an answer has taken too long. Dropping the future is harmless.
    pub(super) async fn runs_out(&self) {
        loop {
            let (limit_ms, now_ms) = (self.limit_ms.load(Ordering::Relaxed), self.now_ms());
            let left_ms = match self.asked.load(Ordering::Acquire) {
                0 => limit_ms,
                asked => (asked - 1 + limit_ms).saturating_sub(now_ms),
            };
            if left_ms == 0 {
                self.is_over.store(true, Ordering::Release);
                return;
            }
            tokio::time::sleep(Duration::from_millis(left_ms)).await;
        }
    }

    /// Whether it ran out; then how long the limit was.
    pub(super) fn ran_out(&self) -> Option<Duration> {
        let limit = Duration::from_millis(self.limit_ms.load(Ordering::Relaxed));
        self.is_over.load(Ordering::Acquire).then_some(limit)
    }

    fn now_ms(&self) -> u64 {
        milliseconds(self.began.elapsed())
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.asked.store(0, Ordering::Release);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Whether the patience has run out after so long.
    async fn is_out_after(patience: &Patience, time: Duration) -> bool {
        tokio::time::timeout(time, patience.runs_out()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_out_once_an_answer_takes_too_long() {
        let patience = Patience::new(10 * SECOND);
        let _waiting = patience.asks();
        assert!(!is_out_after(&patience, 9 * SECOND).await);
        assert_eq!(patience.ran_out(), None);
        assert!(is_out_after(&patience, 2 * SECOND).await);
        assert_eq!(patience.ran_out(), Some(10 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn many_quick_answers_and_silence_between_them_are_no_long_one() {
        let patience = Patience::new(10 * SECOND);
        for _ in 0..30 {
            let waiting = patience.asks();
            assert!(!is_out_after(&patience, 9 * SECOND).await);
            drop(waiting);
            assert!(!is_out_after(&patience, 20 * SECOND).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_in_the_middle_of_a_rest_is_waited_for_in_full() {
        let patience = Patience::new(10 * SECOND);
        let asks = async {
            tokio::time::sleep(5 * SECOND).await;
            std::mem::forget(patience.asks());
            tokio::time::Instant::now()
        };
        let (asked, ()) = tokio::join!(asks, patience.runs_out());
        assert_eq!(asked.elapsed(), 10 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_longer_limit_counts_at_once() {
        let patience = Patience::new(SECOND);
        patience.limit(10 * SECOND);
        patience.at_least(SECOND);
        let _waiting = patience.asks();
        assert!(!is_out_after(&patience, 9 * SECOND).await);
        patience.at_least(20 * SECOND);
        assert!(!is_out_after(&patience, 9 * SECOND).await);
        assert!(is_out_after(&patience, 3 * SECOND).await);
    }
}
