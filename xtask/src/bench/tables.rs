//! Measurements as Markdown tables.

use std::fmt::Write as _;

use super::results::{Measurement, Suite, Surroundings};

/// A column: its heading, whether numbers are in it, and the cell of a measurement.
type Column<'c> = (&'c str, bool, Box<dyn Fn(&Measurement) -> String + 'c>);

/// The table of a suite, after a line that says where and when it was measured. `beside` is the heading of what ours is
/// compared with. A column without a value is left out.
pub(super) fn of_suite(suite: &Suite, ours: &str, beside: &str) -> String {
    let optional = |number: Option<f64>| number.map_or_else(String::new, plain);
    let columns: [Column<'_>; 12] = [
        ("what", false, Box::new(|measurement| measurement.what.clone())),
        ("database", false, Box::new(|measurement| measurement.database.clone())),
        ("of", true, Box::new(|measurement| measurement.count.map_or_else(String::new, |count| whole(count as f64)))),
        (
            "CDMS answers after",
            true,
            Box::new(|measurement| measurement.latency_ms.map_or_else(String::new, |ms| format!("{ms} ms"))),
        ),
        ("measured", false, Box::new(|measurement| measurement.measure.clone())),
        (ours, true, Box::new(|measurement| in_unit(measurement.hub, measurement))),
        (
            beside,
            true,
            Box::new(|measurement| measurement.floor.map_or_else(String::new, |floor| in_unit(floor, measurement))),
        ),
        ("ratio", true, Box::new(ratio)),
        ("requests", true, Box::new(|measurement| optional(measurement.cost.map(|cost| cost.requests)))),
        ("statements", true, Box::new(|measurement| optional(measurement.cost.map(|cost| cost.statements)))),
        ("transactions", true, Box::new(|measurement| optional(measurement.cost.map(|cost| cost.transactions)))),
        ("hops", true, Box::new(|measurement| optional(measurement.cost.map(|cost| cost.jobs)))),
    ];
    let used: Vec<_> = columns
        .iter()
        .filter(|(_, _, cell)| suite.measurements.iter().any(|measurement| !cell(measurement).is_empty()))
        .collect();
    let mut text = format!("{}\n\n", measured_on(&suite.surroundings));
    let headings = used.iter().map(|(heading, ..)| (*heading).to_owned());
    line(&mut text, headings);
    let rules: Vec<_> = used.iter().map(|(_, is_number, _)| if *is_number { "---:" } else { "---" }).collect();
    _ = writeln!(text, "|{}|", rules.join("|"));
    for measurement in &suite.measurements {
        line(&mut text, used.iter().map(|(.., cell)| cell(measurement)));
    }
    text
}

/// A line of a table.
pub(super) fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<_> = cells.collect();
    _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// Where and when something was measured.
fn measured_on(surroundings: &Surroundings) -> String {
    let Surroundings { date, commit, rustc, cores, processor, memory_gb, quick } = surroundings;
    let quick = if *quick { " A quick run with few samples, which shows only that everything works." } else { "" };
    format!(
        "Measured on {date}, commit {commit}, rustc {rustc}, on {cores} cores ({processor}) with {memory_gb} GB.{quick}"
    )
}

/// A ratio, with its quartiles.
pub(super) fn ratio(measurement: &Measurement) -> String {
    measurement.ratio.map_or_else(String::new, |[low, median, high]| {
        if measurement.samples > 1 { format!("{median:.2} ({low:.2}–{high:.2})") } else { format!("{median:.2}") }
    })
}

/// A value of ours with its unit, for a list of goals.
pub(super) fn value(measurement: &Measurement) -> String {
    in_unit(measurement.hub, measurement)
}

/// A median with its quartiles, in the measurement's unit.
fn in_unit([low, median, high]: [f64; 3], measurement: &Measurement) -> String {
    let (factor, unit) = match measurement.unit.as_str() {
        "ms" if median >= 10_000.0 => (1e-3, "s"),
        "ms" if median < 1.0 => (1e3, "µs"),
        unit => (1.0, unit),
    };
    let all = [low, median, high].map(|value| value * factor);
    let form = if all[1] < 10.0 && !unit.is_empty() { hundredths } else { plain };
    let [low, median, high] = all.map(form);
    let median = if unit.is_empty() { median } else { format!("{median} {unit}") };
    if measurement.samples > 1 && low != high { format!("{median} ({low}–{high})") } else { median }
}

fn hundredths(value: f64) -> String {
    format!("{value:.2}")
}

/// A number with as many digits as it needs: small ones with one after the point, unless they are whole.
fn plain(value: f64) -> String {
    if value < 1_000.0 && (value - value.round()).abs() > 0.001 { format!("{value:.1}") } else { whole(value) }
}

/// A whole number, its thousands apart.
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Cost;

    fn measurement(unit: &str, hub: [f64; 3]) -> Measurement {
        Measurement {
            suite: "operations".to_owned(),
            what: "update".to_owned(),
            measure: "time".to_owned(),
            unit: unit.to_owned(),
            samples: 5,
            hub,
            ..Measurement::default()
        }
    }

    #[test]
    fn values_are_shown_in_their_unit() {
        for (unit, hub, expected) in [
            ("ms", [1.0, 1.234, 2.0], "1.23 ms (1.00–2.00)"),
            ("ms", [0.04, 0.0512, 0.06], "51.2 µs (40–60)"),
            ("ms", [9_000.0, 12_000.0, 15_500.0], "12 s (9–15.5)"),
            ("1/s", [1_000.0, 12_345.6, 20_000.0], "12,346 1/s (1,000–20,000)"),
            ("", [6.0, 6.0, 6.0], "6"),
            ("B", [2_097.0, 2_097.0, 2_097.0], "2,097 B"),
        ] {
            assert_eq!(value(&measurement(unit, hub)), expected);
        }
    }

    #[test]
    fn a_column_without_values_is_left_out() {
        let cost = Cost { requests: 3.0, statements: 9.5, transactions: 2.0, jobs: 3.0 };
        let with_cost = Measurement { cost: Some(cost), ..measurement("ms", [1.0, 2.0, 3.0]) };
        let surroundings = Surroundings {
            date: "2026-12-01".to_owned(),
            commit: "0123abc".to_owned(),
            rustc: "1.95.0".to_owned(),
            cores: 2,
            processor: "a processor".to_owned(),
            memory_gb: 24,
            quick: false,
        };
        let suite = Suite { name: "operations".to_owned(), surroundings, measurements: vec![with_cost] };
        assert_eq!(
            of_suite(&suite, "hub", "floor"),
            "Measured on 2026-12-01, commit 0123abc, rustc 1.95.0, on 2 cores (a processor) with 24 GB.\n\n\
             | what | measured | hub | requests | statements | transactions | hops |\n\
             |---|---|---:|---:|---:|---:|---:|\n\
             | update | time | 2.00 ms (1.00–3.00) | 3 | 9.5 | 2 | 3 |\n"
        );
    }
}
