//! What transactions the programs hold, looked at from outside while they work.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datahub_runtime::testing::Kit;
use fastrand::Rng;

use crate::program::TIME_LIMIT;
use crate::tables::columns;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) looks: u64,
    /// How many looks found a transaction between two of its statements.
    pub(crate) found: u64,
    pub(crate) longest_ms: u64,
    /// The transactions that no program ends.
    pub(crate) violations: Vec<String>,
}

/// How long a transaction must last to be one that no program ends. One of a few statements lasts seconds where all of the
/// machine's processors are asked for ten times over, so this is many times a request's time limit.
const LONGEST: Duration = Duration::from_secs(15 * TIME_LIMIT.as_secs());

const VIEW: &str = "soak_transactions";

/// Prepares to look at the connections of this application.
pub(crate) fn prepare(kit: &Kit, application: &str) -> Result<(), String> {
    if !kit.is_on_postgres() {
        return Ok(());
    }
    kit.run_sql(&format!(
        "CREATE VIEW {VIEW} AS SELECT pid, state, xact_start, \
         (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint AS age_ms \
         FROM pg_stat_activity WHERE application_name = '{application}' AND state LIKE 'idle in transaction%'"
    ))
}

/// Looks again and again, at no fixed pace, until it is told to stop. On SQLite there is no way to look from outside.
pub(crate) fn watch(kit: &Kit, seed: u64, stop: &AtomicBool) -> Held {
    let mut held = Held::default();
    let mut rng = Rng::with_seed(seed);
    // Each is told once, by who holds it and since when.
    let mut told = BTreeMap::new();
    while kit.is_on_postgres() && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(rng.u64(1..400)));
        held.looks += 1;
        let open = kit.rows_of(VIEW);
        held.found += u64::from(!open.is_empty());
        for row in open {
            let Some(columns) = columns(&row) else { continue };
            let text = |name: &str| columns.get(name).cloned().flatten().unwrap_or_default();
            let age_ms = text("age_ms").parse().unwrap_or(0);
            held.longest_ms = held.longest_ms.max(age_ms);
            if u128::from(age_ms) > LONGEST.as_millis() {
                told.insert((text("pid"), text("xact_start")), row);
            }
        }
    }
    held.violations = told.into_values().map(|row| format!("invariant 11: a transaction is held: {row}")).collect();
    held
}

/// What is still open when no program works any more.
pub(crate) fn left(kit: &Kit) -> Vec<String> {
    if kit.is_on_postgres() {
        let open = kit.rows_of(VIEW).into_iter();
        return open.map(|row| format!("invariant 11: a transaction is left open: {row}")).collect();
    }
    // Only one can write at a time, so no other transaction is before one that can.
    let alone = kit.run_sql("BEGIN IMMEDIATE; COMMIT");
    alone.err().map(|reason| format!("invariant 11: a transaction is left open: {reason}")).into_iter().collect()
}
