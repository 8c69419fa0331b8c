//! What a run of migrations says, as text and as JSON.

use std::time::Duration;

use datahub_runtime::migration::{AppliedMigration, MigrationError, MigrationEvent};
use serde_json::{Value, json};

use crate::output::Output;

/// A time in the unit that people read.
pub(super) fn duration(time: Duration) -> String {
    match time.as_millis() {
        0..1_000 => format!("{} ms", time.as_millis()),
        1_000..60_000 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
    }
}

/// One line about a migration that was executed.
pub(super) fn line(applied: &AppliedMigration) -> String {
    let lock = match applied.longest_lock {
        Duration::ZERO => "no lock that keeps others waiting".to_owned(),
        lock => format!("longest lock {}", duration(lock)),
    };
    format!("{}: {}, {lock}", applied.name, duration(applied.took))
}

/// The same for machines.
pub(super) fn applied(applied: &AppliedMigration) -> Value {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let statements = applied
        .statements
        .iter()
        .map(|statement| json!({"sql": statement.sql, "took_ms": ms(statement.took), "locks": statement.locks}));
    json!({
        "name": applied.name,
        "took_ms": ms(applied.took),
        "longest_lock_ms": ms(applied.longest_lock),
        "statements": statements.collect::<Vec<_>>(),
    })
}

/// What someone who watches the run should read, and whether it stays on the screen.
pub(super) fn note(event: &MigrationEvent) -> Option<(String, bool)> {
    Some(match event {
        MigrationEvent::Waiting { who, lease_ends_in } => (
            format!(
                "waiting for {who}, which is running migrations; if it was killed, this run takes over in {}",
                duration(*lease_ends_in)
            ),
            true,
        ),
        MigrationEvent::Interrupted { who, half_done, statements } => {
            let what = match (half_done, statements) {
                (Some(name), Some((done, of))) => format!("in {name}, of which {done} of {of} statements are done"),
                _ => "between two migrations".to_owned(),
            };
            (format!("an earlier run by {who} ended {what}; finishing it"), true)
        }
        MigrationEvent::WaitingForWrites { name, open } => {
            (format!("{name}: waiting for {open} open writes of older programs"), true)
        }
        MigrationEvent::Removed { index } => (format!("removed the index {index}, which was not finished"), true),
        MigrationEvent::TryingAgain { name, tries } => {
            (format!("{name}: its locks were not free; tried {tries} times"), *tries == 1)
        }
        MigrationEvent::Begun { name, statements } => (format!("{name}: {statements} statements"), false),
        MigrationEvent::Statement { name, number, sql } => (format!("{name} {number}: {sql}"), false),
        _ => return None,
    })
}

/// Reports why a run failed: `false` if the data or another program stands in the way, an error otherwise.
pub(super) fn failed(error: &MigrationError, output: &Output) -> Result<bool, String> {
    match error.cause() {
        MigrationError::Database { .. }
        | MigrationError::NotGiven
        | MigrationError::None { .. }
        | MigrationError::Stopped { .. } => Err(error.to_string()),
        _ => {
            output.error(&error.to_string());
            Ok(false)
        }
    }
}
