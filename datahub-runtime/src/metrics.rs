//! The series that a hub emits through the [`metrics`](https://docs.rs/metrics) facade, with the feature `metrics`.
//!
//! Install a recorder before the hub connects, for example that of `metrics-exporter-prometheus`; `examples/metrics` is a
//! program that does. [`SERIES`] lists the names, which are stable; `docs/metrics.md` explains them, and `docs/alerts.yml`
//! has alerts for Prometheus that use them.

/// What a series measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// The distribution of times, in seconds.
    Seconds,
}

/// A series, or one for each combination of its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Series {
    /// Its name.
    pub name: &'static str,
    /// What it measures.
    pub measure: Measure,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence.
    pub help: &'static str,
}

impl Series {
    const fn new(name: &'static str, measure: Measure, labels: &'static [&'static str], help: &'static str) -> Series {
        Series { name, measure, labels, help }
    }
}

/// Every series of a hub. No label has a value of a record.
pub const SERIES: [Series; 16] = [
    OPERATIONS,
    OPERATION_SECONDS,
    ERRORS,
    REQUESTS,
    REQUEST_SECONDS,
    REQUESTS_AT_ONCE,
    UNREACHABLE,
    LOGIN_REFUSED,
    OPEN_WRITES,
    OLDEST_OPEN_WRITE,
    QUARANTINED,
    REVALIDATIONS,
    PULLED_AS_OF,
    SWEPT_AS_OF,
    WATCH_PAUSED,
    WRITES_SETTLED,
];

use Measure::{Counter, Gauge, Seconds};

pub(crate) const OPERATIONS: Series = Series::new(
    "datahub_operations_total",
    Counter,
    &["kind", "model", "outcome"],
    "Operations of callers that have ended, and pulls and sweeps of a watch; the outcome is `ok` or the kind of the error.",
);
pub(crate) const OPERATION_SECONDS: Series = Series::new(
    "datahub_operation_seconds",
    Seconds,
    &["kind", "model"],
    "How long operations of callers took, whatever their outcome.",
);
pub(crate) const ERRORS: Series = Series::new(
    "datahub_errors_total",
    Counter,
    &["error"],
    "Operations of callers that have failed, and single records of many writes, by the kind of the error.",
);
pub(crate) const REQUESTS: Series = Series::new(
    "datahub_requests_total",
    Counter,
    &["outcome"],
    "Requests sent to CDMS, logins included; the outcome is the class of the status (`2xx` to `5xx`), or `lost` if no \
     complete answer came.",
);
pub(crate) const REQUEST_SECONDS: Series = Series::new(
    "datahub_request_seconds",
    Seconds,
    &[],
    "How long requests to CDMS took that were answered, from their turn to the end of the answer.",
);
pub(crate) const REQUESTS_AT_ONCE: Series = Series::new(
    "datahub_requests_at_once",
    Gauge,
    &[],
    "How many requests to CDMS may be under way at once just now: fewer while CDMS has too much to do, more while it answers \
     well and they are needed.",
);
pub(crate) const UNREACHABLE: Series = Series::new(
    "datahub_unreachable",
    Gauge,
    &["side"],
    "1 while a side (`CDMS` or `database`) could not be reached when it was last needed, and 0 after it has answered again.",
);
pub(crate) const LOGIN_REFUSED: Series = Series::new(
    "datahub_login_refused",
    Gauge,
    &[],
    "1 while CDMS refuses the hub's user or password, and 0 after a login.",
);
pub(crate) const OPEN_WRITES: Series =
    Series::new("datahub_open_writes", Gauge, &[], "Writes of all programs on the database whose outcome is unknown.");
pub(crate) const OLDEST_OPEN_WRITE: Series = Series::new(
    "datahub_oldest_open_write_seconds",
    Gauge,
    &[],
    "How long the oldest write has been open whose outcome is unknown; 0 if there is none.",
);
pub(crate) const QUARANTINED: Series =
    Series::new("datahub_quarantined_records", Gauge, &[], "Records in quarantine, of all programs on the database.");
pub(crate) const REVALIDATIONS: Series = Series::new(
    "datahub_revalidations_total",
    Counter,
    &["model", "outcome"],
    "Checks in the background of rows that readers got before; the outcome is `ok` or the kind of the error.",
);
pub(crate) const PULLED_AS_OF: Series = Series::new(
    "datahub_pulled_as_of_timestamp_seconds",
    Gauge,
    &["model"],
    "The Unix time as of which a pull has last read everything that had changed in CDMS; the lag is `time()` minus this.",
);
pub(crate) const SWEPT_AS_OF: Series = Series::new(
    "datahub_swept_as_of_timestamp_seconds",
    Gauge,
    &["model"],
    "The Unix time at which the last complete sweep for deleted records began; its age is `time()` minus this.",
);
pub(crate) const WATCH_PAUSED: Series = Series::new(
    "datahub_watch_paused",
    Gauge,
    &["model"],
    "1 while a watch of this program has paused the model, because its pulls fail or quarantine too many records, and 0 \
     while it has not.",
);
pub(crate) const WRITES_SETTLED: Series = Series::new(
    "datahub_writes_settled_total",
    Counter,
    &["verdict"],
    "Writes whose answer was lost and whose outcome settling has found out: `applied`, `not_applied`, `superseded`, \
     `rejected` or `orphaned`.",
);

/// Describes all series to the recorder.
pub(crate) fn describe() {
    for Series { name, measure, help, .. } in SERIES {
        match measure {
            Counter => ::metrics::describe_counter!(name, help),
            Gauge => ::metrics::describe_gauge!(name, help),
            Seconds => ::metrics::describe_histogram!(name, ::metrics::Unit::Seconds, help),
        }
    }
}
