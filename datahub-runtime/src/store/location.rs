//! Where the hub's database is: a SQLite file or a PostgreSQL server.

use std::path::Path;
use std::time::Duration;

use datahub_model::schema::Database;

#[cfg(feature = "postgres")]
use super::postgres::Address;
use super::sqlite::Synchronous;
use super::{StoreError, StoreOptions};

/// Where a database is and how to open it.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    /// A file.
    Sqlite {
        /// The file.
        path: String,
        /// How long to wait for transactions of other programs.
        busy_timeout: Duration,
        /// Whether a commit waits for the disk.
        synchronous: Synchronous,
    },
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres {
        /// Its address, with the password.
        address: Box<Address>,
        /// How much longer an answer may take than the server's own limit for statements.
        grace: Duration,
    },
}

impl Location {
    /// The database of an address, and its name in messages, which never contains a password.
    pub(crate) fn of_url(url: &str, options: &StoreOptions) -> Result<(Self, String), StoreError> {
        let refuse = |reason: &str| Err(StoreError::Address { reason: reason.to_owned() });
        let Some((scheme, path)) = url.split_once(':') else {
            return refuse("missing scheme; write sqlite://path/to/file.db");
        };
        match scheme {
            "sqlite" => {
                let path = path.strip_prefix("//").unwrap_or(path);
                let (path, synchronous) = match path.split_once('?') {
                    None | Some((_, "synchronous=full")) => (path.split('?').next().unwrap_or(path), Synchronous::Full),
                    Some((path, "synchronous=normal")) => (path, Synchronous::Normal),
                    Some(_) => {
                        return refuse(
                            "unsupported parameter; the only one is ?synchronous=normal, with which a power cut can undo \
                             writes",
                        );
                    }
                };
                if path.is_empty() {
                    return refuse("missing file name; write sqlite://path/to/file.db");
                }
                if path.contains(":memory:") || path.contains("mode=memory") {
                    return refuse(
                        "an in-memory database belongs to one connection, but the hub uses several; use a file, in tests a \
                         temporary one",
                    );
                }
                let busy_timeout = options.busy_timeout;
                Ok((Location::Sqlite { path: path.to_owned(), busy_timeout, synchronous }, path.to_owned()))
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let address = Address::parse(url).map_err(|reason| StoreError::Address { reason })?;
                let shown = address.shown.clone();
                Ok((Location::Postgres { address: Box::new(address), grace: options.grace }, shown))
            }
            // The address may contain a password, so it is not repeated.
            #[cfg(not(feature = "postgres"))]
            "postgres" | "postgresql" => {
                refuse("this program was built without PostgreSQL; enable the feature `postgres` of datahub-runtime")
            }
            // What follows the scheme may be a secret, but the scheme itself is not.
            _ => refuse(&format!("unsupported scheme {scheme:?}; write sqlite://path/to/file.db")),
        }
    }

    /// Which database it is.
    pub(crate) fn database(&self) -> Database {
        match self {
            Location::Sqlite { .. } => Database::Sqlite,
            #[cfg(feature = "postgres")]
            Location::Postgres { .. } => Database::Postgres,
        }
    }

    /// Whether it is a file that does not exist, which opening it would create.
    pub(crate) fn is_missing_file(&self) -> bool {
        match self {
            // The name of a file may also be written as a URI.
            Location::Sqlite { path, .. } => !path.starts_with("file:") && !Path::new(path).exists(),
            #[cfg(feature = "postgres")]
            Location::Postgres { .. } => false,
        }
    }

    /// Whether only one connection at a time can write.
    pub(crate) fn has_one_writer(&self) -> bool {
        matches!(self, Location::Sqlite { .. })
    }
}
