//! Why migrations were not run.

use std::fmt;
use std::time::Duration;

use crate::store::{PlainTrouble as Trouble, StoreError};
use crate::{Error, ErrorKind};

/// Why a run of migrations ended before its end. What was applied before stays applied, and the next run continues
/// there.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The database has rows that stand in the way. Nothing was changed by this migration.
    #[error(
        "{migration} was not executed: not true yet: {description}; rows in the way: {}; correct them, then run the \
         migrations again",
        rows.join(", ")
    )]
    CheckFailed {
        /// The migration.
        migration: String,
        /// What must be true.
        description: String,
        /// Some of the rows in the way, as the query of the check returned them.
        rows: Vec<String>,
    },
    /// Writes of older programs are still open. Nothing was changed by this migration, and older programs may go on.
    #[error(
        "{migration} was not executed, because writes of older programs are still open after {} s: {}; stop the older \
         programs, let a newer one settle their writes, and run the migrations again",
        waited.as_secs(),
        shown(writes)
    )]
    OpenWrites {
        /// The migration.
        migration: String,
        /// The writes, oldest first.
        writes: Vec<OpenWrite>,
        /// How long the run waited for them.
        waited: Duration,
    },
    /// A statement failed.
    #[error("{migration} failed in statement {statement}, `{sql}`: {reason}; {}", what_is_left(*in_transaction, *statement))]
    Failed {
        /// The migration.
        migration: String,
        /// Which statement of it, from 1.
        statement: usize,
        /// How it begins.
        sql: String,
        /// What the database said.
        reason: String,
        /// Whether the migration is one transaction, so that nothing of it was changed.
        in_transaction: bool,
    },
    /// A migration failed after it, or an earlier part of its plan, had raised tables' epochs, which stay raised.
    #[error(
        "{error}; until the migrations are run to their end, older programs refuse to work on {}",
        tables.join(", ")
    )]
    Raised {
        /// Why it failed.
        error: Box<MigrationError>,
        /// The tables.
        tables: Vec<String>,
    },
    /// The locks of a statement could not be had, because other transactions held them every time.
    #[error(
        "{migration} did not get its locks in {tries} tries: {reason}; nothing of it was changed; find the transaction \
         that stays open, for example in pg_stat_activity, or run the migrations at a quieter time"
    )]
    Locked {
        /// The migration.
        migration: String,
        /// How often it tried.
        tries: u32,
        /// What the database said.
        reason: String,
    },
    /// Foreign keys would not hold after a migration of a SQLite file. Nothing was changed by this migration.
    #[error("{migration} was not executed, because rows would refer to rows that do not exist: {}", rows.join(", "))]
    ForeignKeys {
        /// The migration.
        migration: String,
        /// Some of the rows.
        rows: Vec<String>,
    },
    /// Another program runs migrations on the database.
    #[error("{who} runs migrations on this database; wait for it, and run the migrations again")]
    Busy {
        /// The program.
        who: String,
    },
    /// Another program took over, because this one did not renew its lease in time, for example while it was paused.
    #[error("another program has taken over the migrations, because this one was away for too long; run them again")]
    TakenOver,
    /// A migration is pending that is older than one that is applied.
    #[error(
        "{migration} is pending, but the newer version {newest} is already applied; plan it again behind the others with \
         `datahub migrate rebase`"
    )]
    Overtaken {
        /// The pending migration.
        migration: String,
        /// The newest version that is applied.
        newest: String,
    },
    /// The database has migrations that this program does not have.
    #[error(
        "the database has migrations that are missing here: {}; update your working copy, or run the newer program; if \
         `datahub migrate rebase` has replaced them, take them back with `datahub migrate revert`, then run the migrations",
        versions.join(", ")
    )]
    Unknown {
        /// Their versions.
        versions: Vec<String>,
    },
    /// The hub's builder was given no migrations.
    #[error("no migrations were given; call `.migrations(datahub_runtime::migrations!())` on the hub's builder")]
    NotGiven,
    /// There is no migration for this database.
    #[error(
        "there is no migration for {database}; name it in `databases` of datahub.toml, and write the first migration with \
         `datahub migrate new`"
    )]
    None {
        /// `SQLite` or `PostgreSQL`.
        database: &'static str,
    },
    /// The database cannot be used.
    #[error("{reason}")]
    Database {
        /// Why, and what to do.
        reason: String,
    },
    /// The run stopped.
    #[error("the run of migrations stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}

/// `main` prints an error that it returns in this form, so it is in words.
impl fmt::Debug for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A write of an older program that is still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenWrite {
    /// Its operation.
    pub operation: String,
    /// The model's table.
    pub table: String,
    /// The program that began it.
    pub program: String,
    /// Since when it has been open.
    pub open_for: Duration,
}

fn shown(writes: &[OpenWrite]) -> String {
    const SHOWN_MAX: usize = 5;
    let shown = writes.iter().take(SHOWN_MAX).map(|write| {
        let OpenWrite { operation, table, program, open_for } = write;
        format!("{operation} on {table} by {program}, since {} s", open_for.as_secs())
    });
    let more = writes.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0).map(|more| format!("{more} more"));
    shown.chain(more).collect::<Vec<_>>().join("; ")
}

fn what_is_left(in_transaction: bool, statement: usize) -> String {
    if in_transaction {
        return "nothing of it was changed; correct the migration or the data, then run the migrations again"
            .to_owned();
    }
    let before = statement - 1;
    format!(
        "its first {before} statements stay done, and each can be repeated; correct the cause, then run the migrations \
         again, which continues there"
    )
}

impl MigrationError {
    pub(super) fn of(trouble: Trouble, shown: &str) -> Self {
        MigrationError::from(trouble.of(shown))
    }

    /// Why it failed, without what that means for older programs.
    pub fn cause(&self) -> &MigrationError {
        match self {
            MigrationError::Raised { error, .. } => error.cause(),
            error => error,
        }
    }
}

impl From<StoreError> for MigrationError {
    fn from(error: StoreError) -> Self {
        MigrationError::Database { reason: error.to_string() }
    }
}

impl From<MigrationError> for Error {
    fn from(error: MigrationError) -> Self {
        let kind = match error.cause() {
            MigrationError::Busy { .. } | MigrationError::Locked { .. } | MigrationError::TakenOver => ErrorKind::Busy,
            MigrationError::Database { .. } => ErrorKind::Store,
            _ => ErrorKind::Misconfigured,
        };
        Error::new(kind, error.to_string())
    }
}
