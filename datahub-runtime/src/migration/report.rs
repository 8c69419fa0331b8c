//! What a run of migrations did, what happens meanwhile, and what is applied.

use std::time::Duration;

use super::Phase;

/// What a run of migrations did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MigrationReport {
    /// The migrations that were executed, in order.
    pub applied: Vec<AppliedMigration>,
    /// The migrations that were recorded and not executed, because one that they replace was applied.
    pub replaced: Vec<String>,
    /// The pending migrations that were left out, because older programs cannot live with the first of them.
    pub waiting: Vec<String>,
    /// Rules of the engine's tables that had been lost and were restored.
    pub restored: Vec<String>,
    /// Tables and columns of the engine that were missing, as in a database of an older version, and were added.
    pub added: Vec<String>,
    /// Applied versions that are not among the migrations: those of a newer program. Nothing else is pending then.
    pub unknown: Vec<String>,
}

/// A migration that was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedMigration {
    /// Its name.
    pub name: String,
    /// Its statements.
    pub statements: Vec<StatementTime>,
    /// How long it took, with all waiting.
    pub took: Duration,
    /// How long it held locks at most that keep others waiting.
    pub longest_lock: Duration,
}

/// How long a statement took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatementTime {
    /// How it begins.
    pub sql: String,
    /// How long it took.
    pub took: Duration,
    /// Whether it took locks that keep others waiting; in a transaction they are held until its end.
    pub locks: bool,
}

impl MigrationReport {
    /// The longest time for which locks were held that keep others waiting.
    pub fn longest_lock(&self) -> Duration {
        self.applied.iter().map(|applied| applied.longest_lock).max().unwrap_or_default()
    }
}

/// Something that happens in a run of migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationEvent {
    /// Another program runs migrations on the database, and this one waits for it.
    Waiting {
        /// The other program.
        who: String,
        /// When its lease ends at the latest if it was killed.
        lease_ends_in: Duration,
    },
    /// An earlier run ended without finishing.
    Interrupted {
        /// The program that was running it.
        who: String,
        /// The migration that is half done; `None` if it ended between two.
        half_done: Option<String>,
        /// How many of its statements are done, and of how many.
        statements: Option<(usize, usize)>,
    },
    /// A migration begins.
    Begun {
        /// Its name.
        name: String,
        /// How many statements it has.
        statements: usize,
    },
    /// Its table's epochs were raised, and writes of older programs are still open.
    WaitingForWrites {
        /// The migration.
        name: String,
        /// How many writes are open.
        open: usize,
    },
    /// What a killed run left behind was removed.
    Removed {
        /// The index.
        index: String,
    },
    /// A statement begins.
    Statement {
        /// The migration.
        name: String,
        /// Which statement, from 1.
        number: usize,
        /// How it begins.
        sql: String,
    },
    /// A statement did not get its locks, let others through, and is tried again.
    TryingAgain {
        /// The migration.
        name: String,
        /// How often it was tried.
        tries: u32,
    },
    /// A migration is applied.
    Applied(AppliedMigration),
}

impl MigrationEvent {
    /// Logs it.
    pub(super) fn log(&self) {
        match self {
            MigrationEvent::Waiting { who, lease_ends_in } => {
                tracing::info!(who, lease_ends_in_s = lease_ends_in.as_secs(), "waiting for another run of migrations");
            }
            MigrationEvent::Interrupted { who, half_done, .. } => {
                tracing::warn!(who, half_done, "an earlier run of migrations ended without finishing");
            }
            MigrationEvent::Begun { name, statements } => tracing::info!(name, statements, "a migration begins"),
            MigrationEvent::WaitingForWrites { name, open } => {
                tracing::info!(name, open, "waiting for writes of older programs");
            }
            MigrationEvent::Removed { index } => tracing::info!(index, "an unfinished index was removed"),
            MigrationEvent::Statement { name, number, sql } => tracing::debug!(name, number, sql, "a statement begins"),
            MigrationEvent::TryingAgain { name, tries } => tracing::info!(name, tries, "the locks were not free"),
            MigrationEvent::Applied(applied) => {
                let (took_ms, lock_ms) = (applied.took.as_millis(), applied.longest_lock.as_millis());
                tracing::info!(name = applied.name, took_ms, lock_ms, "a migration is applied");
            }
        }
    }
}

/// What is applied on a database, and what is pending.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationsStatus {
    /// The database, without its password.
    pub database: String,
    /// The migrations, in order.
    pub migrations: Vec<MigrationStatus>,
    /// Applied versions that are not among the migrations.
    pub unknown: Vec<String>,
    /// The program that is running migrations now, or was killed a moment ago.
    pub running: Option<String>,
    /// Whether no program can have worked on the database yet, so that a run also executes the steps that older
    /// programs cannot live with.
    pub is_empty: bool,
}

/// The state of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// When it is executed.
    pub phase: Phase,
    /// Its state.
    pub state: MigrationState,
}

/// Whether a migration is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationState {
    /// It was applied, at this time as the database writes it.
    Applied(String),
    /// It replaces one that was applied and executes the same, so the next run only records it.
    AppliedAs {
        /// The version of the one that was applied.
        former: String,
        /// At this time as the database writes it.
        run_on: String,
    },
    /// It was begun; this many of its statements are done.
    HalfDone(usize),
    /// It is pending.
    Pending,
}
