//! The time by the database's clock, which all programs that use a database share. Leases, quiet periods and the
//! history use it, so that programs whose own clocks differ agree on what has ended.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment, SystemTime};

use cdms_odata::Instant;

use crate::engine::clock::Clock;

/// How long a connection extrapolates before it asks the server again.
const ASKED_FOR: Duration = Duration::from_secs(60);

/// How far the machine's two clocks may disagree on the time since the server was asked, and how long its answer may
/// take. When a machine wakes from suspension, its monotonic clock may have stood still.
const TOLERANCE: Duration = Duration::from_secs(1);

/// What one connection knows about its server's clock. It asks once a minute and extrapolates with the machine's
/// monotonic clock in between, so that operations need no statement for it. The result is behind by less than the
/// tolerance, because a shorter suspension is not noticed, and ahead by at most the duration of an answer.
#[derive(Clone)]
pub(super) struct DatabaseTime {
    clock: Arc<dyn Clock>,
    asked: Option<Reading>,
}

/// The server's answer, and when it was asked.
#[derive(Clone, Copy)]
struct Reading {
    stated: Instant,
    at: Both,
}

/// A moment by both clocks of the machine.
#[derive(Clone, Copy)]
pub(super) struct Both {
    moment: Moment,
    time_of_day: SystemTime,
}

impl Both {
    pub(super) fn now() -> Self {
        Both { moment: Moment::now(), time_of_day: SystemTime::now() }
    }

    /// The time since then by the monotonic clock; `None` if the time of day disagrees, because the machine was
    /// suspended or its clock was set.
    fn passed(self) -> Option<Duration> {
        agreed(self.moment.elapsed(), self.time_of_day.elapsed().ok()?)
    }
}

impl DatabaseTime {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        DatabaseTime { clock, asked: None }
    }

    /// The time if the database has no clock of its own: the machine's.
    pub(super) fn of_machine(&self) -> Instant {
        self.clock.of_database(self.clock.now())
    }

    /// The server's time, if known.
    pub(super) fn of_server(&self) -> Option<Instant> {
        let Reading { stated, at } = self.asked?;
        let passed = at.passed().filter(|passed| *passed < ASKED_FOR)?;
        Some(self.clock.of_database(stated.plus_ms(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))))
    }

    /// Records the server's answer and when it was asked. The time is extrapolated from the moment of asking, so that
    /// it is ahead by the duration of the answer and never behind. An answer that took long is not extrapolated,
    /// because the machine may have been suspended after the server answered.
    pub(super) fn stated(&mut self, time: Instant, asked: Both) -> Instant {
        let is_fresh = asked.passed().is_some_and(|passed| passed < TOLERANCE);
        self.asked = is_fresh.then_some(Reading { stated: time, at: asked });
        self.clock.of_database(time)
    }
}

/// The elapsed time, if two clocks agree on it.
fn agreed(counted: Duration, shown: Duration) -> Option<Duration> {
    (shown.abs_diff(counted) < TOLERANCE).then_some(counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::ManualClock;

    #[test]
    fn a_machine_that_was_suspended_asks_again() {
        let seconds = Duration::from_secs;
        assert_eq!(agreed(seconds(40), seconds(40)), Some(seconds(40)));
        // The monotonic clock did not count 20 minutes.
        assert_eq!(agreed(seconds(40), seconds(40 + 20 * 60)), None);
        assert_eq!(agreed(seconds(40), seconds(2)), None, "the time of day was set back");
        let before = |time| Both { moment: Moment::now(), time_of_day: SystemTime::now() - time };
        assert_eq!(before(seconds(20 * 60)).passed(), None);
        assert!(before(Duration::ZERO).passed().is_some());
    }

    #[test]
    fn a_slow_answer_is_not_extrapolated() {
        let shown = Instant(5_000);
        let mut time = DatabaseTime::new(Arc::new(ManualClock::at(shown)));
        assert_eq!(time.of_server(), None);
        // The server answered, and then the machine slept.
        let slept = Both { time_of_day: SystemTime::now() - TOLERANCE, ..Both::now() };
        assert_eq!(time.stated(Instant(7_000), slept), shown);
        assert_eq!(time.of_server(), None);
        time.stated(Instant(7_000), Both::now());
        assert_eq!(time.of_server(), Some(shown));
    }
}
