//! Measurements as lines of JSON, which `cargo xtask bench` reads.

use datahub_runtime::Cost;
use serde::Serialize;

use crate::turns::Quartiles;

/// One measurement. `xtask/src/bench/results.rs` reads this form.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measurement {
    /// The part of the report.
    pub(crate) suite: &'static str,
    /// What was done.
    pub(crate) what: String,
    /// The database, and whether it waits for the disk.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) database: String,
    /// How many records, rows or entries there are, if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<u64>,
    /// After how many milliseconds CDMS answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<u64>,
    /// What of it was measured.
    pub(crate) measure: &'static str,
    /// In which unit, if it has one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) unit: &'static str,
    /// How often each side was measured.
    pub(crate) samples: usize,
    pub(crate) hub: Quartiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<Quartiles>,
    /// The hub's value divided by the floor's; of throughput too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<Quartiles>,
    /// What one operation of the hub's did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<CostOfOne>,
}

/// Requests, statements, transactions, and jobs for the database's threads, of one operation, averages of many.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct CostOfOne {
    requests: f64,
    statements: f64,
    transactions: f64,
    jobs: f64,
}

impl CostOfOne {
    /// Of this number of operations.
    pub(crate) fn of(all: Cost, operations: usize) -> Self {
        let each = |count: u64| (count as f64 / operations as f64 * 100.0).round() / 100.0;
        CostOfOne {
            requests: each(all.requests),
            statements: each(all.statements),
            transactions: each(all.transactions),
            jobs: each(all.jobs),
        }
    }
}

impl Measurement {
    /// Prints it.
    pub(crate) fn print(&self) {
        println!("{}", serde_json::to_string(self).unwrap());
    }
}

/// Says on the error output what is being measured.
pub(crate) fn progress(what: &str) {
    eprintln!("  {what} …");
}
