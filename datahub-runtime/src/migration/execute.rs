//! One migration: its statements in one transaction, or one by one, and how long they held locks.

use std::time::{Duration, Instant as MonotonicTime};

use datahub_model::schema::Database;
use datahub_model::schema::engine::added_since;

use super::batches::{self, Batches};
use super::error::MigrationError;
use super::lease::keep;
use super::record::HalfDone;
use super::report::{AppliedMigration, MigrationEvent, StatementTime};
use super::runner::Run;
use super::{Migration, checks};
use crate::crash_points::{Moment, Step, pass_blocking};
use crate::store::{PlainConnection as Connection, PlainTrouble as Trouble};

/// A statement of a migration.
const STATEMENT: Step = Step { operation: "migrate", action: "statement" };

/// The record that a migration is applied.
const RECORD: Step = Step { operation: "migrate", action: "record" };

/// How many rows with broken foreign keys are shown.
const SHOWN_MAX: usize = 5;

/// Executes a migration, with what its last transaction records.
pub(super) fn execute(
    run: &mut Run<'_>,
    migration: &Migration,
    ending: Ending<'_>,
) -> Result<AppliedMigration, MigrationError> {
    let begun = MonotonicTime::now();
    let (statements, longest_lock) = if migration.in_transaction {
        in_transaction(run, migration, ending)?
    } else {
        one_by_one(run, migration, ending)?
    };
    Ok(AppliedMigration { name: migration.name.to_string(), statements, took: begun.elapsed(), longest_lock })
}

/// What a transaction records at its end.
pub(super) type Ending<'e> = &'e dyn Fn(&mut Connection) -> Result<(), Trouble>;

/// Why a transaction was rolled back.
enum Stop {
    /// The statement at this place failed.
    At(usize, Trouble),
    /// Something else failed.
    Trouble(Trouble),
    /// Something else stands in the way.
    Because(MigrationError),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Stop::Trouble(trouble)
    }
}

type Times = (Vec<StatementTime>, Duration);

fn in_transaction(run: &mut Run<'_>, migration: &Migration, ending: Ending<'_>) -> Result<Times, MigrationError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let stop = match attempt(run, migration, ending) {
            Ok(times) => return Ok(times),
            Err(stop) => stop,
        };
        let (at, trouble) = match stop {
            Stop::Because(error) => return Err(error),
            Stop::Trouble(trouble) => (None, trouble),
            Stop::At(at, trouble) => (Some(at), trouble),
        };
        again_or(run, migration, tries, at, trouble)?;
    }
}

/// Waits before another try, if a statement only lacked its locks; otherwise returns the error.
pub(super) fn again_or(
    run: &mut Run<'_>,
    migration: &Migration,
    tries: u32,
    at: Option<usize>,
    trouble: Trouble,
) -> Result<(), MigrationError> {
    let name = migration.name.to_string();
    match (at, trouble) {
        (_, Trouble::Unavailable(reason)) if !run.is_cut_off() => {
            if tries >= run.options.lock_tries {
                return Err(MigrationError::Locked { migration: name, tries, reason });
            }
            (run.tell)(&MigrationEvent::TryingAgain { name, tries });
            // Others get through meanwhile; the pause grows up to ten times the time limit.
            std::thread::sleep(run.options.lock_timeout * tries.min(10) / 2);
            run.renew()
        }
        (Some(at), trouble) if !matches!(trouble, Trouble::Unavailable(_)) => Err(failed(migration, at, trouble)),
        (_, trouble) => Err(MigrationError::of(trouble, run.shown)),
    }
}

/// A statement failed for good.
fn failed(migration: &Migration, at: usize, trouble: Trouble) -> MigrationError {
    MigrationError::Failed {
        migration: migration.name.to_string(),
        statement: at + 1,
        sql: shown(&migration.statements[at]),
        reason: trouble.of_change(),
        in_transaction: migration.in_transaction,
    }
}

fn attempt(run: &mut Run<'_>, migration: &Migration, ending: Ending<'_>) -> Result<Times, Stop> {
    let is_file = run.database() == Database::Sqlite;
    // A table that others refer to is rebuilt without them noticing; the keys are checked before the commit.
    if is_file {
        run.connection.batch("PRAGMA foreign_keys = OFF")?;
    }
    let Run { connection, lease, options, tell, .. } = run;
    let (mut times, mut locked) = (Vec::with_capacity(migration.statements.len()), None);
    let done = connection.write(|connection| {
        connection.limit_locks(options.lock_timeout, true)?;
        if !lease.renew(connection)? {
            return Err(Stop::Because(MigrationError::TakenOver));
        }
        // On a server, another transaction could change the data again until the tables are locked, so asking once more
        // would only keep others waiting.
        if is_file {
            locked = Some(MonotonicTime::now());
            if let Some(failed) = checks::ask(connection, migration)? {
                return Err(Stop::Because(failed));
            }
        }
        locked.get_or_insert_with(MonotonicTime::now);
        for (at, sql) in migration.statements.iter().enumerate() {
            pass_blocking(STATEMENT, Moment::Before);
            announce(*tell, migration, at);
            let begun = MonotonicTime::now();
            execute_one(connection, sql).map_err(|trouble| Stop::At(at, trouble))?;
            times.push(StatementTime { sql: shown(sql), took: begun.elapsed(), locks: !is_concurrent(sql) });
        }
        if is_file {
            foreign_keys(connection, migration)?;
        }
        ending(connection)?;
        // Others read the lease as it is committed: they must not find one that ended while this went on.
        if !lease.renew(connection)? {
            return Err(Stop::Because(MigrationError::TakenOver));
        }
        pass_blocking(RECORD, Moment::InTransaction);
        Ok(())
    });
    let longest_lock = locked.map(|locked| locked.elapsed()).unwrap_or_default();
    if is_file {
        run.connection.batch("PRAGMA foreign_keys = ON")?;
    }
    done?;
    pass_blocking(RECORD, Moment::After);
    Ok((times, longest_lock))
}

fn one_by_one(run: &mut Run<'_>, migration: &Migration, ending: Ending<'_>) -> Result<Times, MigrationError> {
    let half_done = run.with(|connection| HalfDone::of(connection, migration))?;
    let mut half_done = half_done.unwrap_or_else(|| HalfDone::begins(migration, Vec::new()));
    let (mut times, mut longest_batch) = (Vec::new(), Duration::ZERO);
    for at in half_done.done..migration.statements.len() {
        let sql = &migration.statements[at];
        run.with_lease(|connection| half_done.note_statement(connection, migration))?;
        pass_blocking(STATEMENT, Moment::Before);
        announce(run.tell, migration, at);
        let begun = MonotonicTime::now();
        let batches = Batches::of(sql).map_err(|trouble| failed(migration, at, trouble))?;
        match batches {
            Some(batches) => longest_batch = longest_batch.max(batches::execute(run, migration, at, batches)?),
            None => alone(run, migration, at)?,
        }
        let locks = batches.is_none() && !is_concurrent(sql);
        times.push(StatementTime { sql: shown(sql), took: begun.elapsed(), locks });
        pass_blocking(STATEMENT, Moment::After);
        half_done.done = at + 1;
    }
    let lease = &run.lease;
    let recorded = run.connection.write(|connection| {
        if !lease.renew(connection)? {
            return Err(Stop::Because(MigrationError::TakenOver));
        }
        ending(connection)?;
        pass_blocking(RECORD, Moment::InTransaction);
        Ok(())
    });
    match recorded {
        Ok(()) => {}
        Err(Stop::Because(error)) => return Err(error),
        Err(Stop::Trouble(trouble) | Stop::At(_, trouble)) => return Err(MigrationError::of(trouble, run.shown)),
    }
    pass_blocking(RECORD, Moment::After);
    let locks = times.iter().filter(|time| time.locks).map(|time| time.took);
    let longest_lock = locks.chain([longest_batch]).max().unwrap_or_default();
    Ok((times, longest_lock))
}

/// Executes a statement on its own, until it has got its locks.
fn alone(run: &mut Run<'_>, migration: &Migration, at: usize) -> Result<(), MigrationError> {
    let sql = &migration.statements[at];
    let mut tries = 0;
    loop {
        tries += 1;
        remove_unfinished(run, sql)?;
        run.renew()?;
        let lock_timeout = run.options.lock_timeout;
        let ran = keep(&run.lease, run.location).and_then(|_keeper| {
            // It does not keep others waiting, so it may wait itself.
            let limit = if is_concurrent(sql) { Duration::ZERO } else { lock_timeout };
            run.connection.limit_locks(limit, false)?;
            execute_one(&mut run.connection, sql)
        });
        match ran {
            Ok(()) => return Ok(()),
            Err(trouble) => again_or(run, migration, tries, Some(at), trouble)?,
        }
    }
}

fn announce(tell: &mut dyn FnMut(&MigrationEvent), migration: &Migration, at: usize) {
    let (name, sql) = (migration.name.to_string(), shown(&migration.statements[at]));
    tell(&MigrationEvent::Statement { name, number: at + 1, sql });
}

/// Executes a statement at once, unless it adds a column of the engine that a newer program has added already: PostgreSQL is told
/// so by the statement, for which SQLite has no words.
fn execute_one(connection: &mut Connection, sql: &str) -> Result<(), Trouble> {
    let (database, words) = (connection.dialect().database, without_comments(sql).trim_end());
    let added = added_since(0).find(|(table, column)| database.add_column(table, column) == words);
    if let Some((table, column)) = added
        && connection.columns_of(table.name)?.iter().any(|found| found.name == column.name)
    {
        return Ok(());
    }
    match Batches::of(sql)? {
        Some(batches) => batches.change_all(connection),
        None => connection.batch(sql),
    }
}

/// PostgreSQL leaves an index that was not finished behind, and would keep it.
fn remove_unfinished(run: &mut Run<'_>, sql: &str) -> Result<(), MigrationError> {
    let Some(index) = concurrent_index(sql) else { return Ok(()) };
    let removed = run.with(|connection| connection.drop_unfinished_index(index))?;
    if removed {
        (run.tell)(&MigrationEvent::Removed { index: index.to_owned() });
    }
    Ok(())
}

/// Checks all foreign keys of a SQLite file.
fn foreign_keys(connection: &mut Connection, migration: &Migration) -> Result<(), Stop> {
    let sql = "SELECT \"table\" || ' row ' || COALESCE(rowid, '?') || ' refers to ' || parent FROM \
               pragma_foreign_key_check";
    let mut rows = connection.texts(sql)?;
    if rows.is_empty() {
        return Ok(());
    }
    rows.truncate(SHOWN_MAX);
    Err(Stop::Because(MigrationError::ForeignKeys { migration: migration.name.to_string(), rows }))
}

/// How a statement begins, without the comments before it.
pub(super) fn shown(sql: &str) -> String {
    const SHOWN_MAX: usize = 72;
    let words = without_comments(sql).split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}…", words[..at].trim_end()),
        None => words,
    }
}

/// A statement without the comments before it.
pub(super) fn without_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let after = match rest.get(..2) {
            Some("--") => rest.split_once('\n').map_or("", |(_, rest)| rest),
            Some("/*") => rest.split_once("*/").map_or("", |(_, rest)| rest),
            _ => return rest,
        };
        rest = after.trim_start();
    }
}

/// Whether a statement does not keep others waiting that read or write the table, or only for a batch at a time.
fn is_concurrent(sql: &str) -> bool {
    let sql = without_comments(sql).to_ascii_uppercase();
    let begins = |words: &str| sql.split_whitespace().take(5).any(|word| word == words);
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["SET", "RESET"].contains(&first)
        || begins("CONCURRENTLY")
        || begins("VACUUM")
        || begins("ANALYZE")
        || sql.contains("VALIDATE CONSTRAINT")
        || (begins("DO") && sql.contains("COMMIT"))
}

/// The name of the index that a statement creates `CONCURRENTLY`.
fn concurrent_index(sql: &str) -> Option<&str> {
    let sql = without_comments(sql);
    let upper = sql.to_ascii_uppercase();
    let at = upper.find("CONCURRENTLY").filter(|_| upper.starts_with("CREATE "))? + "CONCURRENTLY".len();
    let rest = sql[at..].trim_start();
    let rest = match rest.get(..13) {
        Some(words) if words.eq_ignore_ascii_case("IF NOT EXISTS") => rest[13..].trim_start(),
        _ => rest,
    };
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next(),
    };
    name.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_that_are_made_while_others_write_are_recognised() {
        for (sql, index) in [
            ("-- a\nCREATE INDEX CONCURRENTLY IF NOT EXISTS \"a b\" ON t (c)", Some("a b")),
            ("create unique index concurrently firms_name on firms (name)", Some("firms_name")),
            ("CREATE INDEX plain ON t (c)", None),
            ("COMMENT ON TABLE t IS 'CONCURRENTLY x'", None),
        ] {
            assert_eq!(concurrent_index(sql), index, "{sql}");
        }
    }

    #[test]
    fn statements_that_do_not_keep_others_waiting_do_not_count_as_locks() {
        for (sql, concurrent) in [
            ("CREATE INDEX CONCURRENTLY a ON t (c)", true),
            ("/* batches */ DO $$ BEGIN LOOP UPDATE t SET a = 1; COMMIT; END LOOP; END $$", true),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", true),
            ("SET lock_timeout = '3s'", true),
            ("ALTER TABLE t DROP COLUMN concurrently", false),
            ("DO $$ BEGIN UPDATE t SET a = 1; END $$", false),
        ] {
            assert_eq!(is_concurrent(sql), concurrent, "{sql}");
        }
    }

    #[test]
    fn a_statement_is_shown_by_its_first_words() {
        assert_eq!(shown("-- why\n/* really */\nALTER TABLE t\n  ADD x TEXT"), "ALTER TABLE t ADD x TEXT");
        assert_eq!(shown(&"é".repeat(80)).chars().count(), 73);
    }
}
