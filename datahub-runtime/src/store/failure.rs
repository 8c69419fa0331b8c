//! Errors of the hub's database.

use std::time::Duration;

use crate::{Error, ErrorKind};

/// An error of the hub's database. It names the database without credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The address is invalid.
    #[error("invalid database address: {reason}")]
    Address {
        /// What is wrong with it and how to write it.
        reason: String,
    },
    /// The database could not be opened.
    #[error("the database {database} cannot be opened: {reason}")]
    Open {
        /// Which database.
        database: String,
        /// Why.
        reason: String,
    },
    /// The database's tables do not match the models.
    #[error("the tables of the database {database} do not match this program: {reason}")]
    Schema {
        /// Which database.
        database: String,
        /// Which table and column, and what to do.
        reason: String,
    },
    /// A migration has raised a table's epoch, and this program is too old for it.
    #[error("{reason} in the database {database}")]
    Outdated {
        /// Which database.
        database: String,
        /// Which table, and the two epochs.
        reason: String,
    },
    /// The database was busy for too long, is full, or failed in another way.
    #[error("the database {database} is unavailable: {reason}; try again, and check its disk if the error persists")]
    Unavailable {
        /// Which database.
        database: String,
        /// Why.
        reason: String,
    },
    /// Too many jobs are already waiting for the database.
    #[error("the database {database} is overloaded: {reason}")]
    Overloaded {
        /// Which database.
        database: String,
        /// Which limit was reached.
        reason: String,
    },
    /// The database contains data that this program cannot read.
    #[error(
        "the database {database} contains data that cannot be read: {reason}; \
         check whether a newer program or another tool wrote it"
    )]
    Unreadable {
        /// Which database.
        database: String,
        /// What cannot be read, and where it is.
        reason: String,
    },
    /// The store was closed.
    #[error("the database {database} was closed when the hub was shut down")]
    Closed {
        /// Which database.
        database: String,
    },
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Overloaded { .. } => Error::new(ErrorKind::Overloaded, message)
                .advise("try again later; if its threads are always busy, raise `connections` on the hub's builder")
                .after(Duration::from_secs(1)),
            StoreError::Outdated { .. } => Error::new(ErrorKind::Outdated, message).advise(
                "start the version of the program that was built with the newest migrations; nothing was begun, and \
                 writes that this version began are still finished",
            ),
            _ => Error::new(ErrorKind::Store, message),
        }
    }
}

/// An error of one job, before the database's name is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A constraint forbids the row.
    Refused(String),
    /// The database rejected a statement with a message of its own: a trigger's, or one about an error in the
    /// statement.
    Other(String),
    /// The database user lacks a right.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "SQLite has no users"))]
    Rights(String),
    /// The database no longer knows a prepared statement. The job can be repeated at once.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "SQLite recompiles its statements itself"))]
    Forgotten(String),
    /// The database is unavailable at the moment.
    Unavailable(String),
    /// Too many jobs are waiting for it. The job was not started.
    Overloaded(String),
    /// The data that was read is invalid.
    Corrupt(String),
    /// The tables do not match.
    Schema(String),
    /// The program is too old for a table.
    Outdated(String),
    /// The store was closed.
    Closed,
}

impl Trouble {
    /// Converts to the error that a caller of the store gets.
    pub(crate) fn of(self, database: &str) -> StoreError {
        let database = database.to_owned();
        match self {
            Trouble::Refused(reason)
            | Trouble::Other(reason)
            | Trouble::Forgotten(reason)
            | Trouble::Unavailable(reason) => StoreError::Unavailable { database, reason },
            Trouble::Rights(reason) => {
                let reason = format!("{reason}; grant the hub's database user the right to read and write its tables");
                StoreError::Schema { database, reason }
            }
            Trouble::Overloaded(reason) => StoreError::Overloaded { database, reason },
            Trouble::Corrupt(reason) => StoreError::Unreadable { database, reason },
            Trouble::Schema(reason) => StoreError::Schema { database, reason },
            Trouble::Outdated(reason) => StoreError::Outdated { database, reason },
            Trouble::Closed => StoreError::Closed { database },
        }
    }

    /// The reason, as text.
    pub(super) fn into_reason(self) -> String {
        match self {
            Trouble::Refused(reason)
            | Trouble::Other(reason)
            | Trouble::Rights(reason)
            | Trouble::Forgotten(reason)
            | Trouble::Unavailable(reason)
            | Trouble::Overloaded(reason)
            | Trouble::Corrupt(reason)
            | Trouble::Schema(reason)
            | Trouble::Outdated(reason) => reason,
            Trouble::Closed => "the hub was shut down".to_owned(),
        }
    }

    /// What the database said about a statement that changes tables itself.
    pub(crate) fn of_change(self) -> String {
        let reason = self.into_reason();
        reason.strip_suffix(CHANGED_TABLES).map_or_else(|| reason.clone(), str::to_owned)
    }

    /// The same error for a row of a model's table, where a message of the database's own means a violated rule.
    pub(crate) fn in_table(self, table: &str) -> Self {
        match self {
            Trouble::Refused(reason) | Trouble::Other(reason) => Trouble::Refused(format!("table {table}: {reason}")),
            other => other,
        }
    }
}

/// A rule that the database enforces for rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Unique,
    NotNull,
    Check,
    #[cfg(feature = "postgres")]
    Exclusion,
    ForeignKey,
}

impl Rule {
    /// The message for a violation; `subject` is the constraint or the column.
    pub(super) fn broken(self, subject: &str) -> String {
        match self {
            Rule::Unique => format!("another row has the same value in {subject}, which must be unique"),
            Rule::NotNull => format!("{subject} is null, but its column is declared NOT NULL"),
            Rule::Check => format!("the values violate the check constraint {subject:?}"),
            #[cfg(feature = "postgres")]
            Rule::Exclusion => format!("the values violate the exclusion constraint {subject:?}"),
            Rule::ForeignKey => {
                "the row references a row that does not exist, or other rows reference it (foreign key)".to_owned()
            }
        }
    }
}

/// The tables are no longer those that this program checked when it connected.
pub(super) fn changed_tables(message: &str) -> Trouble {
    Trouble::Schema(format!("{message}{CHANGED_TABLES}"))
}

/// What follows for a program that runs while its tables are changed.
const CHANGED_TABLES: &str = "; the tables were changed while the program was running: restore what it needs, or start \
                              the program that was built for the new ones";
