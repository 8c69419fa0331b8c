//! How soon after others a login may be begun. All times are by the monotonic clock.

use std::collections::VecDeque;
use std::time::Duration;

/// How often a login may fail within the window before it is left alone until the window is over.
pub(super) const FAILURES_MAX: usize = 3;

/// The window in which logins are counted, in first pauses: ten minutes by default.
const WINDOW_PAUSES: u32 = 60;

/// The pause after a second failure, in first pauses.
const SECOND_PAUSES: u32 = 6;

/// How long a session lives at least that is none to wonder about, in first pauses: a minute by default.
const SHORT_PAUSES: u32 = 6;

/// How many shorter sessions within the window are followed by the next login at once. AD FS takes five logins within
/// twenty seconds for a loop (MSIS7042).
const SHORT_FREE: usize = 3;

/// The pauses after further ones, in first pauses: 20 s, a minute, and then two minutes by default.
const SHORT_THEN: [u32; 3] = [2, 6, 12];

/// The logins that count.
pub(super) struct Pace {
    /// How long a first failure stands. Every try brings the user nearer to being locked out.
    pause: Duration,
    /// When logins within the window failed, or were begun and came to nothing.
    failures: VecDeque<Duration>,
    /// When sessions within the window ended that CDMS had accepted, and not for long.
    short: VecDeque<Duration>,
}

impl Pace {
    pub(super) fn new(pause: Duration) -> Self {
        Pace { pause, failures: VecDeque::new(), short: VecDeque::new() }
    }

    fn window(&self) -> Duration {
        self.pause.saturating_mul(WINDOW_PAUSES)
    }

    /// Until when no login may be begun, because too many came to nothing.
    pub(super) fn spent(&mut self, now: Duration) -> Option<Duration> {
        self.forget_before_window(now);
        let first_of_last = self.failures.len().checked_sub(FAILURES_MAX)?;
        Some(self.failures[first_of_last] + self.window())
    }

    /// Notes that a login is begun, which counts as a failure for as long as nothing has come of it.
    pub(super) fn begins(&mut self, now: Duration) {
        self.failures.push_back(now);
    }

    /// Notes that something came of the login that was begun.
    pub(super) fn has_ended(&mut self) {
        self.failures.pop_back();
    }

    /// Notes a failure, and says until when it stands.
    pub(super) fn failed(&mut self, now: Duration) -> Duration {
        self.forget_before_window(now);
        self.failures.push_back(now);
        match self.failures.len() {
            1 => now + self.pause,
            2 => now + self.pause.saturating_mul(SECOND_PAUSES),
            count => self.failures[count - FAILURES_MAX] + self.window(),
        }
    }

    /// Notes that CDMS took a login: earlier failures do not count any more.
    pub(super) fn taken(&mut self) {
        self.failures.clear();
    }

    /// Notes that a session has ended which CDMS had accepted, and says until when there is no other one, if it must be waited
    /// for. A session that ends again and again at once, because one of CDMS's servers does not know it for instance, would
    /// otherwise cost a login for each request.
    pub(super) fn lost(&mut self, lived: Duration, now: Duration) -> Option<Duration> {
        if lived >= self.pause.saturating_mul(SHORT_PAUSES) {
            return None;
        }
        self.forget_before_window(now);
        self.short.push_back(now);
        let beyond = self.short.len().checked_sub(SHORT_FREE + 1)?;
        Some(now + self.pause.saturating_mul(SHORT_THEN[beyond.min(SHORT_THEN.len() - 1)]))
    }

    /// Forgets everything.
    pub(super) fn forgive(&mut self) {
        self.failures.clear();
        self.short.clear();
    }

    fn forget_before_window(&mut self, now: Duration) {
        let window = self.window();
        for times in [&mut self.failures, &mut self.short] {
            while times.front().is_some_and(|first| now.saturating_sub(*first) >= window) {
                times.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn pace() -> Pace {
        Pace::new(seconds(10))
    }

    #[test]
    fn sessions_that_live_for_long_cost_no_pause() {
        let mut pace = pace();
        for time in 0..100 {
            assert_eq!(pace.lost(seconds(60), seconds(time)), None);
        }
    }

    #[test]
    fn sessions_that_end_at_once_cost_growing_pauses_after_the_third() {
        let mut pace = pace();
        let (mut now, mut logins) = (seconds(0), 1);
        let mut pauses = Vec::new();
        while now < seconds(600) {
            let until = pace.lost(seconds(1), now).unwrap_or(now);
            pauses.push((until - now).as_secs());
            now = until + seconds(1);
            logins += 1;
        }
        assert_eq!(pauses[..8], [0, 0, 0, 20, 60, 120, 120, 120]);
        assert!(logins <= 11, "{logins} logins in ten minutes");
        assert_eq!(pace.lost(seconds(1), now + seconds(600)), None, "what is long ago does not count");
    }

    #[test]
    fn who_says_that_it_may_be_tried_again_need_not_wait() {
        let mut pace = pace();
        for _ in 0..3 {
            pace.failed(seconds(0));
            pace.lost(seconds(0), seconds(0));
        }
        assert!(pace.spent(seconds(0)).is_some());
        pace.forgive();
        assert_eq!((pace.spent(seconds(0)), pace.lost(seconds(0), seconds(0))), (None, None));
    }
}
