//! Series about the hub.

use std::time::Duration;

/// A caller's operation has ended.
pub(crate) fn operation(_kind: &'static str, _model: &'static str, _outcome: &'static str, _time: Duration) {}
