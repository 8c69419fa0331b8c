//! The hub's source of time: the machine's clocks, or a clock that a test moves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cdms_odata::Instant;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

/// A source of time. The hub has no other one, so a test can move it instead of sleeping.
pub trait Clock: Send + Sync + 'static {
    /// The time of day, UTC. It may be set back or forward while the program runs.
    fn now(&self) -> Instant;

    /// The time since some fixed moment. It never goes back and cannot be set.
    fn monotonic(&self) -> Duration;

    /// The time of the database as the hub uses it. All programs on one database share it, so it decides about leases and
    /// quiet periods and dates the history. `stated` is the time of the database's clock; on SQLite, which has none, it is
    /// [`now`](Clock::now). Only a clock for tests returns anything other than `stated`.
    fn of_database(&self, stated: Instant) -> Instant {
        stated
    }

    /// Waits until [`monotonic`](Clock::monotonic) shows this time or a later one. A clock that a test moves ends the wait
    /// when it is moved.
    fn wait_until(&self, monotonic: Duration) -> BoxFuture<'static, ()> {
        let left = monotonic.saturating_sub(self.monotonic());
        Box::pin(async move { tokio::time::sleep(left).await })
    }
}

/// What both clocks showed at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockReading {
    pub(crate) now: Instant,
    pub(crate) monotonic: Duration,
}

impl ClockReading {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        ClockReading { now: clock.now(), monotonic: clock.monotonic() }
    }

    /// How long ago this was, by the clock that shows more: the time of day may be set back, and the monotonic clock may
    /// stand still while the machine sleeps.
    pub(crate) fn age(self, clock: &dyn Clock) -> Duration {
        let by_wall = u64::try_from(clock.now().0.saturating_sub(self.now.0)).unwrap_or(0);
        clock.monotonic().saturating_sub(self.monotonic).max(Duration::from_millis(by_wall))
    }
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    begin: std::time::Instant,
}

impl SystemClock {
    /// The machine's clocks; the monotonic one counts from now.
    pub fn new() -> Self {
        SystemClock { begin: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::from(chrono::Utc::now())
    }

    fn monotonic(&self) -> Duration {
        self.begin.elapsed()
    }
}

/// A clock for tests that stands still until it is moved. Clones share one clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    hands: Arc<Mutex<Hands>>,
    moved: Arc<Notify>,
    /// By how many milliseconds this clone's time of day is ahead.
    ahead_ms: i64,
}

#[derive(Clone, Copy, Debug)]
struct Hands {
    now: Instant,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock that shows this time of day.
    pub fn at(now: Instant) -> Self {
        let hands = Arc::new(Mutex::new(Hands { now, monotonic: Duration::ZERO }));
        ManualClock { hands, moved: Arc::default(), ahead_ms: 0 }
    }

    /// The clock of another machine, which is moved together with this one and whose time of day is ahead by this number
    /// of milliseconds. The time of the database is the same for both.
    pub fn ahead_by(&self, ms: i64) -> Self {
        ManualClock { ahead_ms: self.ahead_ms.saturating_add(ms), ..self.clone() }
    }

    /// Lets time pass on both clocks. The time of day ignores fractions of a millisecond.
    pub fn advance(&self, time: Duration) {
        self.turn(|hands| {
            hands.now = hands.now.plus_ms(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
            hands.monotonic = hands.monotonic.saturating_add(time);
        });
        self.moved.notify_waiters();
    }

    /// Lets time pass on both clocks until the time of day is `now`; a time before the current one moves only the time
    /// of day.
    pub fn set(&self, now: Instant) {
        self.turn(|hands| {
            let passed = u64::try_from(now.0.saturating_sub(hands.now.0)).unwrap_or(0);
            hands.now = now;
            hands.monotonic = hands.monotonic.saturating_add(Duration::from_millis(passed));
        });
        self.moved.notify_waiters();
    }

    /// Moves only the time of day by this number of milliseconds, as a person or a time server does.
    pub fn shift(&self, ms: i64) {
        self.turn(|hands| hands.now = hands.now.plus_ms(ms));
    }

    fn turn<T>(&self, change: impl FnOnce(&mut Hands) -> T) -> T {
        // The two numbers are never left half changed, so a panic elsewhere does not corrupt them.
        change(&mut self.hands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.turn(|hands| hands.now).plus_ms(self.ahead_ms)
    }

    fn monotonic(&self) -> Duration {
        self.turn(|hands| hands.monotonic)
    }

    fn of_database(&self, _: Instant) -> Instant {
        self.turn(|hands| hands.now)
    }

    fn wait_until(&self, monotonic: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            let mut moved = Box::pin(clock.moved.notified());
            loop {
                // From here on no move is missed.
                moved.as_mut().enable();
                if clock.monotonic() >= monotonic {
                    return;
                }
                moved.as_mut().await;
                moved.set(clock.moved.notified());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_are_moved_together() {
        let clock = ManualClock::at(Instant(1_000));
        let other = clock.clone();
        clock.advance(Duration::from_millis(500));
        assert_eq!((other.now(), other.monotonic()), (Instant(1_500), Duration::from_millis(500)));
        clock.set(Instant(2_000));
        assert_eq!((other.now(), other.monotonic()), (Instant(2_000), Duration::from_millis(1_000)));
    }

    #[test]
    fn machines_differ_in_the_time_of_day_and_not_in_the_databases() {
        let clock = ManualClock::at(Instant(1_000));
        let other = clock.ahead_by(60_000);
        clock.advance(Duration::from_millis(500));
        assert_eq!((clock.now(), other.now()), (Instant(1_500), Instant(61_500)));
        assert_eq!(other.of_database(Instant(7)), Instant(1_500));
        assert_eq!(SystemClock::new().of_database(Instant(7)), Instant(7));
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_is_moved_far_enough() {
        let clock = ManualClock::at(Instant(1_000));
        let waiting = tokio::spawn(clock.ahead_by(60_000).wait_until(Duration::from_secs(5)));
        for _ in 0..5 {
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            clock.advance(Duration::from_secs(1));
        }
        waiting.await.expect("it ends");
        clock.wait_until(Duration::from_secs(2)).await;
    }

    #[test]
    fn setting_the_time_back_leaves_the_monotonic_clock() {
        let clock = ManualClock::at(Instant(1_000));
        clock.set(Instant(0));
        assert_eq!((clock.now(), clock.monotonic()), (Instant(0), Duration::ZERO));
        clock.shift(7);
        assert_eq!((clock.now(), clock.monotonic()), (Instant(7), Duration::ZERO));
    }
}
