//! Recording the hub's series; without the feature `metrics` each of these functions does nothing.

use std::time::Duration;

use cdms_odata::Instant;
use datahub_protocol::Verdict;

use crate::health::Stored;

/// Whether series are emitted, so that what only they need is looked up.
pub(crate) const ARE_EMITTED: bool = cfg!(feature = "metrics");

/// Adds one to a counter.
macro_rules! count {
    ($series:ident $(, $label:literal => $value:expr)*) => {{
        #[cfg(feature = "metrics")]
        ::metrics::counter!(crate::metrics::$series.name $(, $label => $value)*).increment(1);
        $(let _ = $value;)*
    }};
}

/// Sets a gauge.
macro_rules! set {
    ($series:ident $(, $label:literal => $value:expr)*; $to:expr) => {{
        #[cfg(feature = "metrics")]
        ::metrics::gauge!(crate::metrics::$series.name $(, $label => $value)*).set($to);
        $(let _ = $value;)*
        let _ = $to;
    }};
}

/// Adds a time to a distribution.
macro_rules! time {
    ($series:ident $(, $label:literal => $value:expr)*; $time:expr) => {{
        #[cfg(feature = "metrics")]
        ::metrics::histogram!(crate::metrics::$series.name $(, $label => $value)*).record($time.as_secs_f64());
        $(let _ = $value;)*
        let _ = $time;
    }};
}

/// A caller's operation has ended with `ok`, or with this kind of error.
pub(crate) fn operation(kind: &'static str, model: &'static str, outcome: &'static str, took: Duration) {
    count!(OPERATIONS, "kind" => kind, "model" => model, "outcome" => outcome);
    time!(OPERATION_SECONDS, "kind" => kind, "model" => model; took);
    if outcome != "ok" {
        failed(outcome);
    }
}

/// A caller's operation, or the write of one record of many, has failed with this kind of error.
pub(crate) fn failed(error: &'static str) {
    count!(ERRORS, "error" => error);
}

/// CDMS has answered a request.
pub(crate) fn answered(status: http::StatusCode, took: Duration) {
    let outcome = match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    count!(REQUESTS, "outcome" => outcome);
    time!(REQUEST_SECONDS; took);
}

/// A request got no complete answer.
pub(crate) fn lost() {
    count!(REQUESTS, "outcome" => "lost");
}

/// So many requests to CDMS may be under way at once.
#[allow(clippy::cast_precision_loss, reason = "no hub has so many that it matters")]
pub(crate) fn requests_at_once(limit: usize) {
    set!(REQUESTS_AT_ONCE; limit as f64);
}

/// A side was needed, and could be reached or not.
pub(crate) fn reach(side: &'static str, is_away: bool) {
    set!(UNREACHABLE, "side" => side; f64::from(u8::from(is_away)));
}

/// CDMS refuses the login, or has accepted it.
pub(crate) fn login(is_refused: bool) {
    set!(LOGIN_REFUSED; f64::from(u8::from(is_refused)));
}

/// What waits in the database.
#[allow(clippy::cast_precision_loss, reason = "no hub has so many that it matters")]
pub(crate) fn waiting(stored: &Stored) {
    set!(OPEN_WRITES; stored.open_writes as f64);
    set!(OLDEST_OPEN_WRITE; stored.oldest_open_for.unwrap_or_default().as_secs_f64());
    set!(QUARANTINED; stored.quarantined as f64);
}

/// A revalidation has ended with `ok`, or with this kind of error.
pub(crate) fn revalidation(model: &'static str, outcome: &'static str) {
    count!(REVALIDATIONS, "model" => model, "outcome" => outcome);
}

/// The rows of a model have CDMS's changes as of this time.
#[allow(clippy::cast_precision_loss, reason = "a time in milliseconds is exact in a double for 285,000 years")]
pub(crate) fn pulled(model: &'static str, as_of: Instant) {
    set!(PULLED_AS_OF, "model" => model; as_of.0 as f64 / 1_000.0);
}

/// The rows of a model have no record that was deleted before this time.
#[allow(clippy::cast_precision_loss, reason = "a time in milliseconds is exact in a double for 285,000 years")]
pub(crate) fn swept(model: &'static str, as_of: Instant) {
    set!(SWEPT_AS_OF, "model" => model; as_of.0 as f64 / 1_000.0);
}

/// A watch has paused a model, or has not.
pub(crate) fn paused(model: &'static str, is_paused: bool) {
    set!(WATCH_PAUSED, "model" => model; f64::from(u8::from(is_paused)));
}

/// Settling has found out what became of a write.
pub(crate) fn settled(verdict: &Verdict) {
    let word = match verdict {
        Verdict::Applied => "applied",
        Verdict::Rejected { .. } => "rejected",
        Verdict::Orphaned { .. } => "orphaned",
        Verdict::NotApplied => "not_applied",
        Verdict::Superseded { .. } => "superseded",
        _ => "unknown",
    };
    count!(WRITES_SETTLED, "verdict" => word);
}
