//! The time by the database's clock, which all programs on one database share: leases, quiet periods and the history
//! go by it, so that programs whose own clocks differ agree on what has ended.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment, SystemTime};

use cdms_odata::Instant;

use crate::clock::Clock;

/// How long a connection counts on by itself before it asks the server again.
const ASKED_FOR: Duration = Duration::from_secs(60);

/// By how much the machine's two clocks may disagree on the time since the server was asked, and how long its answer may
/// take. A machine that was suspended wakes with a monotonic clock that stood still.
const TOLERANCE: Duration = Duration::from_secs(1);

/// What one connection knows of its server's clock: asked once a minute, and counted on in between by the machine's
/// monotonic clock, so that no operation pays a statement for it. It is behind by at most the tolerance.
#[derive(Clone)]
pub(super) struct DatabaseTime {
    clock: Arc<dyn Clock>,
    asked: Option<Asked>,
}

/// What the server said, and when by the machine's two clocks.
#[derive(Clone, Copy)]
struct Asked {
    stated: Instant,
    at: Moment,
    time_of_day: SystemTime,
}

impl DatabaseTime {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        DatabaseTime { clock, asked: None }
    }

    /// The time where the database has no clock of its own: the machine's.
    pub(super) fn of_machine(&self) -> Instant {
        self.clock.of_database(self.clock.now())
    }

    /// The server's time, as far as it is known.
    pub(super) fn of_server(&self) -> Option<Instant> {
        let asked = self.asked?;
        // A time of day that was set back tells nothing.
        let shown = asked.time_of_day.elapsed().ok()?;
        let time = counted_on(asked.stated, asked.at.elapsed(), shown)?;
        Some(self.clock.of_database(time))
    }

    /// Notes what the server said just now, so long after it was asked.
    pub(super) fn stated(&mut self, time: Instant, after: Duration) -> Instant {
        let asked = Asked { stated: time, at: Moment::now(), time_of_day: SystemTime::now() };
        self.asked = (after < TOLERANCE).then_some(asked);
        self.clock.of_database(time)
    }
}

/// The time some time after it was stated, as the monotonic clock counts and the time of day shows; none where they
/// disagree, or where it is too long ago.
fn counted_on(stated: Instant, counted: Duration, shown: Duration) -> Option<Instant> {
    let is_known = counted < ASKED_FOR && shown.abs_diff(counted) < TOLERANCE;
    let since = i64::try_from(counted.as_millis()).unwrap_or(i64::MAX);
    is_known.then(|| stated.plus_ms(since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_machine_that_was_suspended_asks_again() {
        let seconds = Duration::from_secs;
        let stated = Instant(1_000);
        assert_eq!(counted_on(stated, seconds(40), seconds(40)), Some(Instant(41_000)));
        // 20 minutes that the monotonic clock did not count.
        assert_eq!(counted_on(stated, seconds(40), seconds(40 + 20 * 60)), None);
        assert_eq!(counted_on(stated, seconds(40), seconds(2)), None, "the time of day was set back");
        assert_eq!(counted_on(stated, seconds(60), seconds(60)), None, "too long ago");
    }

    #[test]
    fn an_answer_that_took_long_is_not_counted_on() {
        let shown = Instant(5_000);
        let mut time = DatabaseTime::new(Arc::new(ManualClock::at(shown)));
        assert_eq!(time.of_server(), None);
        assert_eq!(time.stated(Instant(7_000), TOLERANCE), shown);
        assert_eq!(time.of_server(), None);
        time.stated(Instant(7_000), Duration::from_millis(20));
        assert_eq!(time.of_server(), Some(shown));
    }
}
