//! One open connection to the hub's database: the same statements for every kind of database, in one place.

/// Runs one of two expressions, depending on the kind of connection, and converts its error to a `Trouble`.
macro_rules! with_inner {
    ($self:expr, sqlite: $sqlite:ident => $of_file:expr, postgres: $postgres:ident => $of_server:expr $(,)?) => {
        match &mut $self.inner {
            Inner::Sqlite($sqlite) => {
                let done: Result<_, Error> = $of_file;
                done.map_err(|error| trouble_of_file(error))
            }
            #[cfg(feature = "postgres")]
            Inner::Postgres($postgres) => match $of_server {
                Ok(done) => Ok(done),
                Err(problem) => Err($self.trouble_of_server(problem)),
            },
        }
    };
}

mod sqlite_rows;
mod statements;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Instant;
use datahub_protocol::Version;
use diesel::sqlite::SqliteConnection;

use super::database_time::{Both, DatabaseTime};
use super::deferred::Rules;
use super::dialect::Dialect;
use super::failure::Trouble;
use super::location::Location;
#[cfg(feature = "postgres")]
use super::postgres::{self, PostgresConnection};
use super::seen::KnownNames;
use super::sequence::NewestKnown;
use super::sqlite;
use super::statement::{ColumnType, Statement};
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::cost::Meters;

pub(super) use sqlite_rows::trouble_of_file;
use transactions::is_broken;

/// One open connection, owned by one of the store's threads.
pub(crate) struct Connection {
    inner: Inner,
    dialect: &'static Dialect,
    meters: Meters,
    time: DatabaseTime,
    /// Whether the database closed the connection.
    closed: bool,
    /// The newest version that the transaction has drawn.
    drawn: Option<Version>,
    newest_known: NewestKnown,
    known_names: KnownNames,
    /// Whether the database has Unicode's collation, once it was asked.
    has_unicode: Option<bool>,
    /// The rules that a SQLite file checks only with the commit, once they were read.
    deferred: Option<Arc<Rules>>,
}

/// How long the server may take to answer a statement of a migration: as long as it needs, within reason.
#[cfg(feature = "postgres")]
const MIGRATION_TIME_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

enum Inner {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresConnection>),
}

impl Connection {
    /// Opens a connection. On SQLite, readers are read-only.
    pub(crate) fn open(
        location: &Location,
        reader: bool,
        meters: Meters,
        clock: Arc<dyn Clock>,
    ) -> Result<Connection, Trouble> {
        match location {
            Location::Sqlite { path, busy_timeout, synchronous } => {
                let inner = Inner::Sqlite(sqlite::establish(path)?);
                let mut connection = Connection::new(inner, &sqlite::DIALECT, meters, clock);
                sqlite::prepare(&mut connection, *busy_timeout, *synchronous, reader)?;
                Ok(connection)
            }
            #[cfg(feature = "postgres")]
            Location::Postgres { address, grace } => {
                let inner = Inner::Postgres(Box::new(PostgresConnection::establish(address, *grace)?));
                let mut connection = Connection::new(inner, &postgres::DIALECT, meters, clock);
                postgres::prepare(&mut connection, *grace)?;
                Ok(connection)
            }
        }
    }

    fn new(inner: Inner, dialect: &'static Dialect, meters: Meters, clock: Arc<dyn Clock>) -> Self {
        let (time, newest_known) = (DatabaseTime::new(clock), NewestKnown::default());
        let known_names = KnownNames::default();
        Connection {
            inner,
            dialect,
            meters,
            time,
            closed: false,
            drawn: None,
            newest_known,
            known_names,
            has_unicode: None,
            deferred: None,
        }
    }

    /// Tells of the versions that it draws, once they are committed.
    pub(super) fn tells(mut self, newest_known: &NewestKnown) -> Self {
        self.newest_known = newest_known.clone();
        self
    }

    /// Shares the lists of names that are known.
    pub(super) fn knows(mut self, known_names: &KnownNames) -> Self {
        self.known_names = known_names.clone();
        self
    }

    /// The lists of names that are known.
    pub(super) fn known_names(&self) -> &KnownNames {
        &self.known_names
    }

    /// Notes a version that the transaction has drawn.
    pub(super) fn note_drawn(&mut self, version: Version) {
        self.drawn = self.drawn.max(Some(version));
    }

    /// Opens a connection that changes tables: its statements may take as long as they need.
    pub(crate) fn of_migration(location: &Location) -> Result<Connection, Trouble> {
        #[cfg_attr(not(feature = "postgres"), allow(unused_mut, reason = "SQLite waits for no server"))]
        let mut connection = Connection::open(location, false, Meters::default(), Arc::new(SystemClock::new()))?;
        #[cfg(feature = "postgres")]
        connection.limit_patience(MIGRATION_TIME_MAX);
        Ok(connection)
    }

    /// Lets statements wait for locks at most this long, or as long as they need if it is zero, and run as long as they
    /// need: in this transaction, or in this session if it is the hub's own. No effect on SQLite.
    pub(crate) fn limit_locks(&mut self, timeout: Duration, in_transaction: bool) -> Result<(), Trouble> {
        match &self.inner {
            Inner::Sqlite(_) => {
                _ = (timeout, in_transaction);
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) if in_transaction || connection.has_own_session() => {
                let scope = if in_transaction { "LOCAL" } else { "SESSION" };
                self.batch(&format!(
                    "SET {scope} lock_timeout = {}; SET {scope} statement_timeout = 0; \
                     SET {scope} idle_in_transaction_session_timeout = 0",
                    timeout.as_millis()
                ))
            }
            #[cfg(feature = "postgres")]
            Inner::Postgres(_) => Ok(()),
        }
    }

    /// Removes an index that was to be created while others write, and was not finished; returns whether there was one.
    pub(crate) fn drop_unfinished_index(&mut self, name: &str) -> Result<bool, Trouble> {
        let Some(sql) = self.dialect.unfinished_index else { return Ok(false) };
        if self.read::<bool>(&Statement::new(sql, [name.into()]))?.is_empty() {
            return Ok(false);
        }
        self.batch(&format!("DROP INDEX CONCURRENTLY IF EXISTS \"{}\"", name.replace('"', "\"\"")))?;
        Ok(true)
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// Counts further statements with these meters.
    pub(crate) fn count_at(&mut self, meters: Meters) {
        self.meters = meters;
    }

    /// The time by the database's clock; on SQLite, which runs on this machine, by the hub's clock.
    pub(crate) fn now(&mut self) -> Result<Instant, Trouble> {
        let Some(sql) = self.dialect.clock else { return Ok(self.time.of_machine()) };
        if let Some(now) = self.time.of_server() {
            return Ok(now);
        }
        let statement = Statement::new(sql, []);
        let asked = Both::now();
        let rows = self.rows(&statement, &[ColumnType::Instant])?;
        let mut row = rows
            .into_iter()
            .next()
            .ok_or_else(|| Trouble::Corrupt("the query for the server's time returned no row".into()))?;
        let stated = row.instant()?;
        Ok(self.time.stated(stated, asked))
    }

    /// What is known of the rules that are checked only with the commit.
    pub(super) fn deferred_rules(&mut self) -> &mut Option<Arc<Rules>> {
        &mut self.deferred
    }

    /// Whether text can be lowered by Unicode's collation.
    pub(crate) fn has_unicode(&mut self) -> Result<bool, Trouble> {
        let Some(sql) = self.dialect.has_unicode else { return Ok(false) };
        if let Some(known) = self.has_unicode {
            return Ok(known);
        }
        let found = !self.rows(&Statement::new(sql, []), &[ColumnType::Bool])?.is_empty();
        self.has_unicode = Some(found);
        Ok(found)
    }

    /// Whether the connection must not be used any more: the database closed it, or its state is unknown after a failed
    /// transaction.
    pub(crate) fn is_spoilt(&mut self) -> bool {
        self.closed
            || match &mut self.inner {
                Inner::Sqlite(connection) => is_broken(connection),
                #[cfg(feature = "postgres")]
                Inner::Postgres(connection) => connection.is_broken(),
            }
    }

    /// Whether the database closed the connection while it was idle.
    pub(crate) fn was_closed(&mut self) -> bool {
        match &mut self.inner {
            Inner::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.is_gone(),
        }
    }

    /// Diesel's connection, if the database is SQLite.
    pub(super) fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        match &mut self.inner {
            Inner::Sqlite(connection) => Some(connection),
            #[cfg(feature = "postgres")]
            Inner::Postgres(_) => None,
        }
    }

    /// The driver's connection, if the database is a server.
    #[cfg(feature = "postgres")]
    pub(super) fn postgres(&mut self) -> Option<&mut PostgresConnection> {
        match &mut self.inner {
            Inner::Sqlite(_) => None,
            Inner::Postgres(connection) => Some(connection),
        }
    }

    /// Sets how long an answer of the server may take.
    #[cfg(feature = "postgres")]
    pub(super) fn limit_patience(&mut self, limit: Duration) {
        match &mut self.inner {
            Inner::Sqlite(_) => {}
            Inner::Postgres(connection) => connection.limit_patience(limit),
        }
    }

    /// Lets an answer of the server take at least this long until the end of this job. The connection is closed
    /// afterwards, so that no later job waits as long. No effect on SQLite.
    pub(super) fn be_patient(&mut self, limit: Duration) {
        match &mut self.inner {
            Inner::Sqlite(_) => _ = limit,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                connection.be_patient(limit);
                self.closed = true;
            }
        }
    }

    /// Why the connection was given up, which then explains all other errors.
    #[cfg(feature = "postgres")]
    fn given_up(&self) -> Option<String> {
        match &self.inner {
            Inner::Sqlite(_) => None,
            Inner::Postgres(connection) => connection.ran_out().map(|limit| {
                format!(
                    "the server did not answer for {} s, so its connection was closed; find out what delays it, for \
                     example a paused pooler",
                    limit.as_secs_f64()
                )
            }),
        }
    }

    /// The cause of a server's error, or that the connection was given up.
    #[cfg(feature = "postgres")]
    pub(super) fn trouble_of_server(&mut self, problem: postgres::Problem) -> Trouble {
        if let Some(reason) = self.given_up() {
            self.closed = true;
            return Trouble::Unavailable(reason);
        }
        let (trouble, hangs_up) = problem.trouble();
        self.closed |= hangs_up;
        trouble
    }
}
