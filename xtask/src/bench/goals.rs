//! The goals of performance, as data, and the table of what is met and what is not, and why.

use super::reasons::REASONS;
use super::results::{Measurement, Suite};
use super::tables;

/// What should be reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    /// Its name, to which reasons refer.
    pub(super) name: &'static str,
    /// What should be reached, in words.
    words: &'static str,
    of: Of,
    limit: Limit,
}

/// The measurement that shows it.
#[derive(Clone, Copy, Debug)]
struct Of {
    suite: &'static str,
    what: &'static str,
    database: &'static str,
    latency_ms: Option<u64>,
    measure: &'static str,
}

/// What the measurement may be.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// Of the ratio to what it is compared with.
    RatioAtMost(f64),
    RatioAtLeast(f64),
    /// Of the value itself.
    AtMost(f64),
}

const SQLITE: &str = "SQLite, in memory";
const POSTGRES: &str = "PostgreSQL without fsync";

/// A goal of an operation of one caller while CDMS answers at once.
const fn operation(
    name: &'static str,
    words: &'static str,
    what: &'static str,
    database: &'static str,
    measure: &'static str,
    limit: Limit,
) -> Goal {
    Goal { name, words, of: Of { suite: "operations", what, database, latency_ms: Some(0), measure }, limit }
}

/// The goal of a ratio of throughput of 64 callers.
const fn callers(name: &'static str, words: &'static str, database: &'static str, latency_ms: u64, least: f64) -> Goal {
    let what = "reads of 64 callers";
    let of = Of { suite: "callers", what, database, latency_ms: Some(latency_ms), measure: "throughput" };
    Goal { name, words, of, limit: Limit::RatioAtLeast(least) }
}

/// A goal of the number of round trips to PostgreSQL.
const fn round_trips(name: &'static str, words: &'static str, what: &'static str) -> Goal {
    let of = Of { suite: "round-trips", what, database: POSTGRES, latency_ms: None, measure: "round trips" };
    Goal { name, words, of, limit: Limit::AtMost(6.0) }
}

/// The goal of a ratio or a value that does not depend on CDMS.
const fn other(
    name: &'static str,
    words: &'static str,
    [suite, what, database, measure]: [&'static str; 4],
    limit: Limit,
) -> Goal {
    Goal { name, words, of: Of { suite, what, database, latency_ms: None, measure }, limit }
}

const TIME: &str = "time";
const CPU: &str = "CPU of 1,000";
const READ: &str = "read in sync";
const CROWD: &str = "1000 callers of one record, beside one caller";
const ENGINE: &str = "the engine's tables, beside the model's";
const REVERT: &str = "revert to the first version";

use Limit::{AtMost, RatioAtLeast, RatioAtMost};

/// All goals, in the order of their table.
pub(super) const GOALS: &[Goal] = &[
    operation(
        "read-time-sqlite",
        "a read in sync takes at most 1.5 times as long as its floor, on SQLite",
        READ,
        SQLITE,
        TIME,
        RatioAtMost(1.5),
    ),
    operation("read-time-postgres", "the same on PostgreSQL", READ, POSTGRES, TIME, RatioAtMost(1.5)),
    operation(
        "read-cpu-sqlite",
        "it uses at most 1.8 times the processor time, on SQLite",
        READ,
        SQLITE,
        CPU,
        RatioAtMost(1.8),
    ),
    operation("read-cpu-postgres", "the same on PostgreSQL", READ, POSTGRES, CPU, RatioAtMost(1.8)),
    callers(
        "callers-sqlite",
        "64 callers read at least 0.8 times as many records in a second, on SQLite",
        SQLITE,
        0,
        0.8,
    ),
    callers("callers-postgres", "the same on PostgreSQL", POSTGRES, 0, 0.8),
    callers(
        "callers-50-sqlite",
        "64 callers of a CDMS that answers after 50 ms, at least 0.95 times, on SQLite",
        SQLITE,
        50,
        0.95,
    ),
    callers("callers-50-postgres", "the same on PostgreSQL", POSTGRES, 50, 0.95),
    operation(
        "update-time-sqlite",
        "an update takes at most 1.25 times as long as its floor, on SQLite",
        "update",
        SQLITE,
        TIME,
        RatioAtMost(1.25),
    ),
    operation("create-time-sqlite", "a create, on SQLite", "create", SQLITE, TIME, RatioAtMost(1.25)),
    operation("delete-time-sqlite", "a delete, on SQLite", "delete", SQLITE, TIME, RatioAtMost(1.25)),
    operation("update-time-postgres", "an update, on PostgreSQL", "update", POSTGRES, TIME, RatioAtMost(1.25)),
    operation("create-time-postgres", "a create, on PostgreSQL", "create", POSTGRES, TIME, RatioAtMost(1.25)),
    operation("delete-time-postgres", "a delete, on PostgreSQL", "delete", POSTGRES, TIME, RatioAtMost(1.25)),
    round_trips("update-round-trips", "an update waits for PostgreSQL at most 6 times", "update"),
    round_trips("create-round-trips", "a create", "create"),
    round_trips("delete-round-trips", "a delete", "delete"),
    Goal {
        name: "pull-sqlite",
        words: "a pull stores at least 0.9 times as many records in a second as its floor, on SQLite",
        of: Of { suite: "pull", what: "pull", database: SQLITE, latency_ms: Some(0), measure: "throughput" },
        limit: RatioAtLeast(0.9),
    },
    Goal {
        name: "pull-postgres",
        words: "the same on PostgreSQL",
        of: Of { suite: "pull", what: "pull", database: POSTGRES, latency_ms: Some(0), measure: "throughput" },
        limit: RatioAtLeast(0.9),
    },
    Goal {
        name: "crowd-sqlite",
        words: "1,000 callers of one record wait at most 1.3 times as long as one, at 50 ms, on SQLite",
        of: Of { suite: "callers", what: CROWD, database: SQLITE, latency_ms: Some(50), measure: TIME },
        limit: RatioAtMost(1.3),
    },
    Goal {
        name: "crowd-postgres",
        words: "the same on PostgreSQL",
        of: Of { suite: "callers", what: CROWD, database: POSTGRES, latency_ms: Some(50), measure: TIME },
        limit: RatioAtMost(1.3),
    },
    other(
        "size-sqlite",
        "the engine's tables have at most 1.5 times the bytes of the model's, on SQLite",
        ["size", ENGINE, SQLITE, "bytes per record"],
        RatioAtMost(1.5),
    ),
    Goal {
        name: "revert-sqlite",
        words: "a revert to the first of 100,000 versions takes at most 20 statements, on SQLite",
        of: Of { suite: "history", what: REVERT, database: SQLITE, latency_ms: Some(0), measure: "statements" },
        limit: AtMost(20.0),
    },
    Goal {
        name: "revert-postgres",
        words: "the same on PostgreSQL",
        of: Of { suite: "history", what: REVERT, database: POSTGRES, latency_ms: Some(0), measure: "statements" },
        limit: AtMost(20.0),
    },
];

/// How a goal was found.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    /// Nothing that shows it has been measured.
    NotMeasured,
    Met(String),
    Missed(String),
}

impl Goal {
    fn found(&self, suites: &[Suite]) -> Found {
        let measurements =
            suites.iter().filter(|suite| suite.name == self.of.suite).flat_map(|suite| &suite.measurements);
        // Where something was measured of several numbers of records, the largest counts.
        let Some(measurement) = measurements.filter(|found| self.of.is(found)).max_by_key(|found| found.count) else {
            return Found::NotMeasured;
        };
        let median = |of: Option<[f64; 3]>| of.map_or(f64::NAN, |[_, median, _]| median);
        let (is_met, shown) = match self.limit {
            RatioAtMost(most) => (median(measurement.ratio) <= most, tables::ratio(measurement)),
            RatioAtLeast(least) => (median(measurement.ratio) >= least, tables::ratio(measurement)),
            AtMost(most) => (measurement.hub[1] <= most, tables::value(measurement)),
        };
        if is_met { Found::Met(shown) } else { Found::Missed(shown) }
    }
}

impl Of {
    fn is(&self, measurement: &Measurement) -> bool {
        let Of { suite, what, database, latency_ms, measure } = *self;
        (suite, what, database, latency_ms, measure)
            == (
                &*measurement.suite,
                &*measurement.what,
                &*measurement.database,
                measurement.latency_ms,
                &*measurement.measure,
            )
    }
}

/// The table of all goals.
pub(super) fn table(suites: &[Suite]) -> String {
    let mut text = "| goal | measured | met |\n|---|---:|---|\n".to_owned();
    for goal in GOALS {
        let (shown, met) = match goal.found(suites) {
            Found::NotMeasured => (String::new(), "not measured yet".to_owned()),
            Found::Met(shown) => (shown, "yes".to_owned()),
            Found::Missed(shown) => (shown, format!("**no**: {}", reason(goal).unwrap_or("no reason is known yet"))),
        };
        tables::line(&mut text, [goal.words.to_owned(), shown, met].into_iter());
    }
    text
}

fn reason(goal: &Goal) -> Option<&'static str> {
    REASONS.iter().find(|(name, _)| *name == goal.name).map(|(_, reason)| *reason)
}

/// What is wrong with the goals: those that were not measured, those that are missed without a reason, and reasons of no
/// goal. A quick run misses goals by chance, so it needs no reasons.
pub(super) fn faults(suites: &[Suite]) -> Vec<String> {
    let is_quick = |goal: &Goal| suites.iter().any(|suite| suite.name == goal.of.suite && suite.surroundings.quick);
    let of_goal = |goal: &Goal| match goal.found(suites) {
        Found::NotMeasured => Some(format!("the goal `{}` has not been measured", goal.name)),
        Found::Missed(shown) if reason(goal).is_none() && !is_quick(goal) => Some(format!(
            "the goal `{}` is missed ({shown}), and xtask/src/bench/reasons.rs does not say why",
            goal.name
        )),
        Found::Met(_) | Found::Missed(_) => None,
    };
    let unknown = REASONS.iter().filter(|(name, _)| GOALS.iter().all(|goal| goal.name != *name));
    let unknown =
        unknown.map(|(name, _)| format!("xtask/src/bench/reasons.rs has a reason for an unknown goal, `{name}`"));
    GOALS.iter().filter_map(of_goal).chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bench::results::Surroundings;

    fn measured(ratio: f64, count: Option<u64>) -> Measurement {
        Measurement {
            suite: "operations".to_owned(),
            what: READ.to_owned(),
            database: SQLITE.to_owned(),
            count,
            latency_ms: Some(0),
            measure: TIME.to_owned(),
            samples: 3,
            ratio: Some([ratio; 3]),
            ..Measurement::default()
        }
    }

    fn suites(measurements: Vec<Measurement>) -> Vec<Suite> {
        let surroundings = Surroundings {
            date: String::new(),
            commit: String::new(),
            rustc: String::new(),
            cores: 2,
            processor: String::new(),
            memory_gb: 24,
            quick: true,
        };
        vec![Suite { name: "operations".to_owned(), surroundings, measurements }]
    }

    fn found(measurements: Vec<Measurement>) -> Found {
        GOALS[0].found(&suites(measurements))
    }

    #[test]
    fn a_goal_is_met_up_to_its_limit() {
        assert_eq!(found(vec![]), Found::NotMeasured);
        assert_eq!(found(vec![measured(1.5, None)]), Found::Met("1.50 (1.50–1.50)".to_owned()));
        assert_eq!(found(vec![measured(1.51, None)]), Found::Missed("1.51 (1.51–1.51)".to_owned()));
        assert_eq!(found(vec![measured(f64::NAN, None)]), Found::Missed("NaN (NaN–NaN)".to_owned()));
    }

    #[test]
    fn the_largest_number_of_records_counts() {
        let small_and_large = vec![measured(1.0, Some(1_000)), measured(2.0, Some(1_000_000)), measured(1.2, Some(10))];
        assert!(matches!(found(small_and_large), Found::Missed(_)));
    }

    #[test]
    fn what_was_not_measured_is_a_fault() {
        let faults = faults(&suites(vec![]));
        assert!(faults.contains(&"the goal `read-time-sqlite` has not been measured".to_owned()), "{faults:?}");
    }

    #[test]
    fn what_is_missed_needs_a_reason_unless_the_run_was_quick() {
        let has_no_reason = |suites: &[Suite]| {
            // `REASONS` is what it is; this goal is of no name in it.
            let goal = GOALS.iter().position(|goal| reason(goal).is_none());
            goal.map(|at| faults(suites).iter().any(|fault| fault.contains(&format!("`{}` is missed", GOALS[at].name))))
        };
        let Some(goal) = GOALS.iter().find(|goal| reason(goal).is_none()) else { return };
        let Of { suite, what, database, latency_ms, measure } = goal.of;
        let missed = Measurement {
            suite: suite.to_owned(),
            what: what.to_owned(),
            database: database.to_owned(),
            latency_ms,
            measure: measure.to_owned(),
            hub: [f64::MAX; 3],
            ratio: Some([f64::NAN; 3]),
            ..Measurement::default()
        };
        let mut suites = suites(vec![missed]);
        suites[0].name = suite.to_owned();
        assert_eq!(has_no_reason(&suites), Some(false));
        suites[0].surroundings.quick = false;
        assert_eq!(has_no_reason(&suites), Some(true));
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = GOALS.iter().map(|goal| goal.name).collect();
        assert_eq!(names.len(), GOALS.len());
    }
}
