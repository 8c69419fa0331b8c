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
    /// The database's user has no right to it.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "a file has no users"))]
    Rights(String),
    /// The database does not know a statement any more that it had prepared: the same can be done again at once.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "a file's are compiled again by themselves"))]
    Forgotten(String),
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
            Trouble::Refused(reason)
            | Trouble::Other(reason)
            | Trouble::Forgotten(reason)
            | Trouble::Unavailable(reason) => StoreError::Unavailable { database, reason },
            Trouble::Rights(reason) => {
                let reason = format!("{reason}; give the hub's database user the right to read and write its tables");
                StoreError::Schema { database, reason }
            }
            Trouble::Overloaded(reason) => StoreError::Overloaded { database, reason },
            Trouble::Corrupt(reason) => StoreError::Unreadable { database, reason },
            Trouble::Schema(reason) => StoreError::Schema { database, reason },
            Trouble::Closed => StoreError::Closed { database },
        }
    }

    /// What was wrong, in words.
    pub(super) fn into_reason(self) -> String {
        match self {
            Trouble::Refused(reason)
            | Trouble::Other(reason)
            | Trouble::Rights(reason)
            | Trouble::Forgotten(reason)
            | Trouble::Unavailable(reason)
            | Trouble::Overloaded(reason)
            | Trouble::Corrupt(reason)
            | Trouble::Schema(reason) => reason,
            Trouble::Closed => "the hub was shut down".to_owned(),
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

/// A rule that the database holds rows to.
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
    /// That it is broken, in plain words; `subject` is the constraint, or the column.
    pub(super) fn broken(self, subject: &str) -> String {
        match self {
            Rule::Unique => format!("another row has the same value in {subject}, which must be unique"),
            Rule::NotNull => format!("{subject} is null, but its column is declared NOT NULL"),
            Rule::Check => format!("the values break the check constraint {subject:?}"),
            #[cfg(feature = "postgres")]
            Rule::Exclusion => format!("the values break the exclusion constraint {subject:?}"),
            Rule::ForeignKey => {
                "it refers to a row that the hub does not have, or other rows refer to it (a foreign key)".to_owned()
            }
        }
    }
}

/// That the tables are not those any more which this program found when it connected.
pub(super) fn changed_tables(message: &str) -> Trouble {
    Trouble::Schema(format!(
        "{message}; they were changed under the running program: put back what it needs, or start the program that was \
         built for them"
    ))
}
