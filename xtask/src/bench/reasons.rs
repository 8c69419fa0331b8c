//! Why goals are missed, written by hand: the name of a goal in `goals.rs`, and the reason. A reason of a goal that is met is
//! not shown; it may stay while a goal is met on one machine and missed on another.

/// The goals that are or were missed.
pub(super) const REASONS: &[(&str, &str)] = &[("callers-50-sqlite", AT_ONCE), ("callers-50-postgres", AT_ONCE)];

const AT_ONCE: &str = "a hub sends at most 16 requests at once unless `concurrent_requests` says otherwise, because a server of \
                       CRM 2011 is known to sustain no more for one client; the row with `concurrent_requests(64)` under \
                       [Many callers](#many-callers) shows the hub without this limit";
