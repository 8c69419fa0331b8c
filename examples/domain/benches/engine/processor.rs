//! The processor time of this process, of all its threads.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How much this process has used so far.
pub(crate) fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}
