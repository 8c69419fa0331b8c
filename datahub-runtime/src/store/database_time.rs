//! The time by the database's clock, which all programs on one database share: leases, quiet periods and the history
//! go by it, so that programs whose own clocks differ agree on what has ended.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use cdms_odata::Instant;

use crate::clock::Clock;

/// How long a connection counts on by itself before it asks the server again.
const ASKED_FOR: Duration = Duration::from_secs(60);

/// What one connection knows of its server's clock: asked once a minute, and counted on in between by the machine's
/// monotonic clock, so that no operation pays a statement for it. It is behind by at most the time an answer takes.
#[derive(Clone)]
pub(super) struct DatabaseTime {
    clock: Arc<dyn Clock>,
    asked: Option<(Instant, Moment)>,
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
        let (stated, at) = self.asked.filter(|(_, at)| at.elapsed() < ASKED_FOR)?;
        let since = i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX);
        Some(self.clock.of_database(stated.plus_ms(since)))
    }

    /// Notes what the server said just now.
    pub(super) fn stated(&mut self, time: Instant) -> Instant {
        self.asked = Some((time, Moment::now()));
        self.clock.of_database(time)
    }
}
