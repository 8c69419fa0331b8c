//! The times of two sides that take turns, so that other load on the machine affects both.

use std::time::{Duration, Instant};

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

    /// One round.
    pub(crate) fn add(&mut self, ours: Duration, bare: Duration) {
        self.ours.push(ours.as_secs_f64());
        self.bare.push(bare.as_secs_f64());
    }

    /// A line of the table: medians with quartiles, and the same of the ratios of all rounds.
    pub(crate) fn print(&self) {
        let ratios = self.ours.iter().zip(&self.bare).map(|(ours, bare)| ours / bare).collect();
        let [ours, bare] = [&self.ours, &self.bare].map(|side| Quartiles::of(side.clone()).time());
        let rounds = self.ours.len();
        let Quartiles([low, median, high]) = Quartiles::of(ratios);
        println!(
            "| {} | {} | {rounds} | {ours} | {bare} | {median:.2} ({low:.2}–{high:.2}) |",
            self.what, self.database
        );
    }
}

pub(crate) fn header() {
    println!("| what | database | rounds | hub | without | ratio |\n|---|---|---:|---:|---:|---:|");
}

/// How long a future takes, and its output.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let begun = Instant::now();
    let output = work.await;
    (begun.elapsed(), output)
}

/// The first quartile, the median and the third.
struct Quartiles([f64; 3]);

impl Quartiles {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Quartiles([1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4]))
    }

    fn time(&self) -> String {
        let (unit, factor) = if self.0[1] < 1.0 { ("ms", 1_000.0) } else { ("s", 1.0) };
        let [low, median, high] = self.0.map(|seconds| seconds * factor);
        format!("{median:.2} {unit} ({low:.2}–{high:.2})")
    }
}
