//! How long to wait for a server's answer before the connection is given up.
//!
//! A working server limits its own statements, and the operating system notices when a server is gone. Neither helps if
//! something between the hub and the server, such as a paused pooler, accepts the question and keeps the connection
//! alive but never answers. Then a thread of the hub would wait forever.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The time limit of one connection, shared by the thread that asks and the task that drives its socket.
#[derive(Debug)]
pub(super) struct Patience {
    began: Instant,
    /// Milliseconds from `began` to the question that is being answered, plus one; 0 if there is none.
    asked: AtomicU64,
    limit_ms: AtomicU64,
    is_over: AtomicBool,
}

/// A question that is waiting for its answer, until this is dropped.
#[derive(Debug)]
#[must_use = "the time limit applies only until this is dropped"]
pub(super) struct Waiting<'p>(&'p Patience);

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        let (asked, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        Patience { began: Instant::now(), asked, limit_ms: AtomicU64::new(milliseconds(limit)), is_over }
    }

    /// Sets how long an answer may take. A shorter limit takes effect once the old one has passed.
    pub(super) fn limit(&self, limit: Duration) {
        self.limit_ms.store(milliseconds(limit), Ordering::Relaxed);
    }

    /// Sets how long an answer may take, unless the current limit is longer.
    pub(super) fn at_least(&self, limit: Duration) {
        self.limit_ms.fetch_max(milliseconds(limit), Ordering::Relaxed);
    }

    /// Notes that a question was asked.
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

    /// The limit, if an answer took too long.
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

    /// Whether the time limit is exceeded after this time.
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
    async fn many_quick_answers_with_idle_time_between_do_not_add_up() {
        let patience = Patience::new(10 * SECOND);
        for _ in 0..30 {
            let waiting = patience.asks();
            assert!(!is_out_after(&patience, 9 * SECOND).await);
            drop(waiting);
            assert!(!is_out_after(&patience, 20 * SECOND).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_after_idle_time_gets_the_full_limit() {
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
    async fn a_longer_limit_applies_at_once() {
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
