//! Times and limits of a hub, each with its default.

use std::time::Duration;

use crate::engine::settling::Settling;

/// Times and limits, each with its default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) clock_skew: Duration,
    pub(crate) execution_limit: Duration,
    pub(crate) time_limit: Duration,
    pub(crate) settling: Settling,
    pub(crate) connections: Option<usize>,
    pub(crate) operations_max: usize,
    /// The maximum number of requests to CDMS in flight at once, however much it sustains.
    pub(crate) concurrent_requests: usize,
    /// How long a failed login is not retried at first.
    pub(crate) login_pause: Duration,
    /// How many rounds the digest of a refused secret has.
    pub(crate) digest_rounds: u32,
    /// The maximum number of requests in the background in a second.
    pub(crate) background_per_second: Option<f64>,
    /// The maximum size of a response of CDMS, in bytes.
    pub(crate) answer_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            clock_skew: Duration::ZERO,
            execution_limit: Duration::from_secs(300),
            time_limit: Duration::from_secs(60),
            settling: Settling::InBackground,
            connections: None,
            operations_max: 1_000,
            concurrent_requests: crate::cdms::CONCURRENT_REQUESTS,
            login_pause: Duration::from_secs(10),
            digest_rounds: crate::cdms::ROUNDS,
            background_per_second: None,
            answer_max: 8 * 1024 * 1024,
        }
    }
}

impl Settings {
    /// A lease covers two tries, the read-back and the storing, and a login of usual length; if a longer login delays a
    /// write, the write is no longer sent.
    pub(crate) fn lease_ms(&self) -> u64 {
        u64::try_from(self.time_limit.as_millis() * 4).unwrap_or(u64::MAX)
    }

    /// How long before its watermark a pull of changes begins: as long as CDMS may take to commit a change after it has
    /// dated it, and as the clocks of its servers may differ.
    pub(crate) fn overlap_ms(&self) -> u64 {
        datahub_protocol::overlap_ms(self.quiet_ms(), u64::try_from(self.clock_skew.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn clock_skew_ms(&self) -> i64 {
        i64::try_from(self.clock_skew.as_millis()).unwrap_or(i64::MAX)
    }

    /// 1.1 times the execution limit: 330 s by default.
    pub(crate) fn quiet_ms(&self) -> u64 {
        u64::try_from(self.execution_limit.as_millis() * 11 / 10).unwrap_or(u64::MAX)
    }
}
