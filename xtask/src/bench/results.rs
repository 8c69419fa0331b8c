//! Measurements, as benchmarks print them and as `docs/performance.jsonl` keeps them: lines of JSON.
//!
//! The file has for each suite a line that says on what machine and at which commit it was measured, and then the suite's
//! measurements.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::source::root;

/// One measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measurement {
    /// The part of the report.
    pub(super) suite: String,
    /// What was done.
    pub(super) what: String,
    /// The database, and whether it waits for the disk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) database: String,
    /// How many records, rows, entries or models there are, if that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    /// After how many milliseconds CDMS answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<u64>,
    /// What of it was measured.
    pub(super) measure: String,
    /// In which unit, if it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) unit: String,
    /// How often.
    pub(super) samples: usize,
    /// The hub's, or whatever of ours was measured: the first quartile, the median and the third.
    pub(super) hub: [f64; 3],
    /// The same of what it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<[f64; 3]>,
    /// Ours divided by that, of each round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ratio: Option<[f64; 3]>,
    /// What one operation did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<Cost>,
}

/// Requests, statements, transactions, and jobs for the database's threads, of one operation, averages of many.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cost {
    pub(super) requests: f64,
    pub(super) statements: f64,
    pub(super) transactions: f64,
    pub(super) jobs: f64,
}

/// Where and when something was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Surroundings {
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) rustc: String,
    pub(super) cores: usize,
    pub(super) processor: String,
    pub(super) memory_gb: u64,
    /// Whether there were only a few samples, to try everything.
    pub(super) quick: bool,
}

/// The measurements of a suite.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) surroundings: Surroundings,
    pub(super) measurements: Vec<Measurement>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Begin { measured: String, surroundings: Surroundings },
    Measured(Measurement),
}

/// The file with all measurements.
pub(super) fn path() -> PathBuf {
    root().join("docs/performance.jsonl")
}

/// Reads the file; without one, nothing has been measured.
pub(super) fn read() -> Result<Vec<Suite>, String> {
    let path = path();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|error| format!("{}, {error}", path.display()))
}

/// Writes the file.
pub(super) fn write(suites: &[Suite]) -> Result<(), String> {
    let path = path();
    fs::write(&path, text_of(suites)?).map_err(|error| format!("{}: {error}", path.display()))
}

/// Replaces what was measured of these suites before, and leaves the others.
pub(super) fn replace(all: &mut Vec<Suite>, new: Vec<Suite>) {
    for suite in new {
        match all.iter_mut().find(|known| known.name == suite.name) {
            Some(known) => *known = suite,
            None => all.push(suite),
        }
    }
}

/// One measurement, as a benchmark prints it.
pub(super) fn measurement(line: &str) -> Result<Measurement, String> {
    serde_json::from_str(line).map_err(|error| format!("not a measurement: {error}: {line}"))
}

fn parse(text: &str) -> Result<Vec<Suite>, String> {
    let mut suites: Vec<Suite> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let at = |reason: String| format!("line {}: {reason}", number + 1);
        match serde_json::from_str(line).map_err(|error| at(error.to_string()))? {
            Line::Begin { measured, surroundings } => {
                suites.push(Suite { name: measured, surroundings, measurements: Vec::new() });
            }
            Line::Measured(measurement) => match suites.last_mut() {
                Some(suite) if suite.name == measurement.suite => suite.measurements.push(measurement),
                _ => {
                    return Err(at(format!(
                        "a measurement of `{}` must follow the line of its suite",
                        measurement.suite
                    )));
                }
            },
        }
    }
    Ok(suites)
}

fn text_of(suites: &[Suite]) -> Result<String, String> {
    let mut text = String::new();
    for suite in suites {
        let begin = Line::Begin { measured: suite.name.clone(), surroundings: suite.surroundings.clone() };
        let lines = std::iter::once(begin).chain(suite.measurements.iter().cloned().map(Line::Measured));
        for line in lines {
            text.push_str(&serde_json::to_string(&line).map_err(|error| error.to_string())?);
            text.push('\n');
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::bench) fn surroundings() -> Surroundings {
        Surroundings {
            date: "2026-12-01".to_owned(),
            commit: "0123abc".to_owned(),
            rustc: "1.95.0".to_owned(),
            cores: 2,
            processor: "a processor".to_owned(),
            memory_gb: 24,
            quick: false,
        }
    }

    fn suite(name: &str, ratio: f64) -> Suite {
        let measurement =
            Measurement { suite: name.to_owned(), ratio: Some([ratio; 3]), samples: 3, ..Measurement::default() };
        Suite { name: name.to_owned(), surroundings: surroundings(), measurements: vec![measurement] }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let suites = vec![suite("operations", 1.5), suite("pull", 0.9)];
        assert_eq!(parse(&text_of(&suites).unwrap()), Ok(suites));
    }

    #[test]
    fn only_what_was_measured_again_is_replaced() {
        let mut all = vec![suite("operations", 1.5), suite("pull", 0.9)];
        replace(&mut all, vec![suite("pull", 1.0), suite("growth", 1.1)]);
        assert_eq!(all, [suite("operations", 1.5), suite("pull", 1.0), suite("growth", 1.1)]);
    }

    #[test]
    fn a_measurement_without_its_suite_is_refused() {
        let refused =
            parse("{\"suite\":\"pull\",\"what\":\"pull\",\"measure\":\"time\",\"samples\":1,\"hub\":[1,1,1]}");
        assert!(refused.unwrap_err().contains("line 1: a measurement of `pull`"));
    }
}
