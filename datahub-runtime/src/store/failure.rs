//! What can go wrong with the hub's database.

/// Why the hub's database could not be used. It names the database without credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The address is not one that can be opened.
    #[error("the database address is not usable: {reason}")]
    Address {
        /// What is wrong with it and what would be right.
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
    /// The database's tables are not the ones that the models need.
    #[error("the tables of the database {database} do not fit: {reason}")]
    Schema {
        /// Which database.
        database: String,
        /// Which table and column, and what to do.
        reason: String,
    },
    /// The database was busy for too long, is full, or failed in another way.
    #[error("the database {database} could not be used: {reason}; try again, and look at its disk if that persists")]
    Unavailable {
        /// Which database.
        database: String,
        /// Why.
        reason: String,
    },
    /// Too much waits for the database already.
    #[error("the database {database} has too much to do: {reason}")]
    Overloaded {
        /// Which database.
        database: String,
        /// What waits.
        reason: String,
    },
    /// The database holds something that this program cannot read.
    #[error(
        "the database {database} holds what cannot be read: {reason}; \
         see whether a newer program or another hand wrote it"
    )]
    Unreadable {
        /// Which database.
        database: String,
        /// What and where.
        reason: String,
    },
    /// The store was closed.
    #[error("the database {database} was closed when the hub was shut down")]
    Closed {
        /// Which database.
        database: String,
    },
}

/// What went wrong in one job, before the database's name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A constraint forbids the row.
    Refused(String),
    /// The database refused a statement in words of its own: a trigger's, or those of a fault in the statement.
    Other(String),
    /// The database cannot be used now.
    Unavailable(String),
    /// Too much waits for it; nothing was begun.
    Overloaded(String),
    /// What was read makes no sense.
    Corrupt(String),
    /// The tables do not fit.
    Schema(String),
    /// The store was closed.
    Closed,
}

impl Trouble {
    /// The trouble as a caller of the store learns it.
    pub(crate) fn of(self, database: &str) -> StoreError {
        let database = database.to_owned();
        match self {
            Trouble::Refused(reason) | Trouble::Other(reason) | Trouble::Unavailable(reason) => {
                StoreError::Unavailable { database, reason }
            }
            Trouble::Overloaded(reason) => StoreError::Overloaded { database, reason },
            Trouble::Corrupt(reason) => StoreError::Unreadable { database, reason },
            Trouble::Schema(reason) => StoreError::Schema { database, reason },
            Trouble::Closed => StoreError::Closed { database },
        }
    }

    /// The same where a row of a model's table was stored: what the database says in its own words is one of its rules.
    pub(crate) fn in_table(self, table: &str) -> Self {
        match self {
            Trouble::Refused(reason) | Trouble::Other(reason) => Trouble::Refused(format!("table {table}: {reason}")),
            other => other,
        }
    }
}
