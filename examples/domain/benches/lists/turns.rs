//! The times of two sides that take turns, so that other load on the machine affects both.

use std::time::{Duration, Instant};

use serde_json::json;

/// What is compared: who goes first changes from round to round.
pub(crate) struct Turns {
    what: &'static str,
    database: &'static str,
    ours: Vec<f64>,
    bare: Vec<f64>,
}

impl Turns {
    pub(crate) fn new(what: &'static str, database: &'static str) -> Self {
        Turns { what, database, ours: Vec::new(), bare: Vec::new() }
    }

    /// Whether the hub goes first in the next round.
    pub(crate) fn hub_is_first(&self) -> bool {
        self.ours.len().is_multiple_of(2)
    }

    /// One round; times are kept in milliseconds.
    pub(crate) fn add(&mut self, ours: Duration, bare: Duration) {
        self.ours.push(ours.as_secs_f64() * 1_000.0);
        self.bare.push(bare.as_secs_f64() * 1_000.0);
    }

    /// Prints the measurement as a line of JSON, as `xtask/src/bench/results.rs` reads it.
    pub(crate) fn print(&self) {
        let ratios = self.ours.iter().zip(&self.bare).map(|(ours, bare)| ours / bare).collect();
        let measurement = json!({
            "suite": "lists",
            "what": self.what,
            "database": self.database,
            "measure": "time",
            "unit": "ms",
            "samples": self.ours.len(),
            "hub": quartiles(self.ours.clone()),
            "floor": quartiles(self.bare.clone()),
            "ratio": quartiles(ratios),
        });
        println!("{measurement}");
    }
}

/// How long a future takes, and its output.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let begun = Instant::now();
    let output = work.await;
    (begun.elapsed(), output)
}

/// The first quartile, the median and the third.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}
