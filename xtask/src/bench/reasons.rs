//! Why goals are missed, written by hand: the name of a goal in `goals.rs`, and the reason. A reason of a goal that is met is
//! not shown; it may stay while a goal is met on one machine and missed on another.

/// The goals that are or were missed.
pub(super) const REASONS: &[(&str, &str)] = &[];
