//! A change of many of the engine's rows in batches, each a transaction of its own, so that others wait for one batch at
//! most.
//!
//! A statement asks for it by a comment before it, [`IN_BATCHES`]. Which rows are next is read outside of a transaction. What
//! is changed no longer satisfies the statement's condition, so a run that was killed is continued by beginning again.

use std::time::{Duration, Instant as MonotonicTime};

use datahub_model::schema::Database;
use datahub_model::schema::engine::IN_BATCHES;

use super::Migration;
use super::error::MigrationError;
use super::execute::{again_or, without_comments};
use super::history_guard;
use super::lease::keep_while_reading;
use super::runner::Run;
use crate::crash_points::{Moment, Step, pass_blocking};
use crate::store::{PlainConnection as Connection, PlainTrouble as Trouble};

/// The number of rows of a batch: locked for some tens of milliseconds.
const ROWS: usize = 5000;

const BATCH: Step = Step { operation: "migrate", action: "batch" };

/// An update that is executed in batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batches<'s> {
    /// `UPDATE table SET …`, without its condition.
    update: &'s str,
    table: &'s str,
    condition: &'s str,
    /// The column by which its rows are told apart.
    key: &'s str,
}

impl<'s> Batches<'s> {
    /// What a statement asks for; `None` if it is executed at once.
    pub(super) fn of(sql: &'s str) -> Result<Option<Self>, Trouble> {
        let words = without_comments(sql);
        let mut comments = sql[..sql.len() - words.len()].lines();
        let Some(key) = comments.find_map(|line| line.trim().strip_prefix(IN_BATCHES)) else { return Ok(None) };
        let parts = words.split_once(" WHERE ").and_then(|(update, condition)| {
            let (table, _) = update.strip_prefix("UPDATE ")?.split_once(" SET ")?;
            Some(Batches { update, table, condition, key: key.trim() })
        });
        let form =
            || format!("a statement after `{IN_BATCHES}{key}` must have the form `UPDATE table SET … WHERE condition`");
        parts.map(Some).ok_or_else(|| Trouble::Other(form()))
    }

    /// The keys of the next rows in ascending order, as literals.
    fn next(&self, connection: &mut Connection, after: Option<&str>) -> Result<Vec<String>, Trouble> {
        let Batches { table, condition, key, .. } = self;
        let literal = match connection.dialect().database {
            Database::Sqlite => format!("quote({key})"),
            Database::Postgres => format!("quote_literal(CAST({key} AS TEXT))"),
        };
        let after = after.map(|after| format!(" AND {key} > {after}")).unwrap_or_default();
        let sql = format!("SELECT {literal} FROM {table} WHERE ({condition}){after} ORDER BY {key} LIMIT {ROWS}");
        connection.texts(&sql)
    }

    /// Changes the rows with these keys, within a transaction.
    fn change(&self, connection: &mut Connection, keys: &[String]) -> Result<(), Trouble> {
        let Batches { update, condition, key, .. } = self;
        self.execute(connection, &format!("{update} WHERE ({condition}) AND {key} IN ({})", keys.join(", ")))
    }

    /// Changes all rows, within a transaction.
    pub(super) fn change_all(&self, connection: &mut Connection) -> Result<(), Trouble> {
        self.execute(connection, &format!("{} WHERE {}", self.update, self.condition))
    }

    fn execute(&self, connection: &mut Connection, sql: &str) -> Result<(), Trouble> {
        if self.table == history_guard::TABLE {
            return history_guard::lifted(connection, |connection| connection.batch(sql));
        }
        connection.batch(sql)
    }
}

/// Executes the statement at this place of a migration in batches; returns how long the longest one took.
pub(super) fn execute(
    run: &mut Run<'_>,
    migration: &Migration,
    at: usize,
    batches: Batches<'_>,
) -> Result<Duration, MigrationError> {
    let (mut after, mut longest) = (None::<String>, Duration::ZERO);
    loop {
        let keys = next(run, batches, after.as_deref())?;
        let Some(last) = keys.last().cloned() else { return Ok(longest) };
        let mut tries = 0;
        loop {
            tries += 1;
            let (lease, lock_timeout) = (run.lease.clone(), run.options.lock_timeout);
            let begun = MonotonicTime::now();
            let changed = run.connection.write(|connection| {
                connection.limit_locks(lock_timeout, true)?;
                // Nothing is changed after another run has taken over.
                let is_ours = lease.renew(connection)?;
                if is_ours {
                    batches.change(connection, &keys)?;
                    pass_blocking(BATCH, Moment::InTransaction);
                }
                Ok::<_, Trouble>(is_ours)
            });
            longest = longest.max(begun.elapsed());
            match changed {
                Ok(true) => break,
                Ok(false) => return Err(MigrationError::TakenOver),
                Err(trouble) => again_or(run, migration, tries, Some(at), trouble)?,
            }
        }
        pass_blocking(BATCH, Moment::After);
        after = Some(last);
    }
}

/// The keys of the next rows. To look for them may take as long as to read the whole table, so the lease is kept.
fn next(run: &mut Run<'_>, batches: Batches<'_>, after: Option<&str>) -> Result<Vec<String>, MigrationError> {
    run.renew()?;
    let keys = keep_while_reading(&run.lease, run.location).and_then(|_keeper| {
        run.connection.limit_locks(Duration::ZERO, false)?;
        batches.next(&mut run.connection, after)
    });
    keys.map_err(|trouble| MigrationError::of(trouble, run.shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_asks_for_batches() {
        let sql = "-- why\n-- in batches by id\nUPDATE people SET model = 'b' WHERE model = 'a' OR model = 'c'";
        let batches = Batches {
            update: "UPDATE people SET model = 'b'",
            table: "people",
            condition: "model = 'a' OR model = 'c'",
            key: "id",
        };
        assert_eq!(Batches::of(sql).unwrap(), Some(batches));
        assert_eq!(Batches::of("UPDATE people SET model = 'b' WHERE model = '-- in batches by id'").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_done_in_batches_is_refused() {
        for sql in
            ["-- in batches by id\nDELETE FROM people WHERE id = 1", "-- in batches by id\nUPDATE people SET a = 1"]
        {
            let Err(Trouble::Other(reason)) = Batches::of(sql) else { panic!("{sql}") };
            assert!(reason.contains("must have the form `UPDATE table SET … WHERE condition`"), "{reason}");
        }
    }
}
