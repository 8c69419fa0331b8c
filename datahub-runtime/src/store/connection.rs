//! One open connection to the hub's database: the same statements for every kind of database, in one place.

use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Instant;
use chrono::NaiveDate;
use datahub_model::schema::FoundColumn;
use datahub_protocol::Version;
use datahub_protocol::planted::{Planted, planted};
use diesel::backend::Backend;
use diesel::connection::{
    Connection as DieselConnection, LoadConnection as _, SimpleConnection as _, TransactionManager,
};
use diesel::deserialize::{self, FromSql};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::row::{Field, Row};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Text};
use diesel::sqlite::SqliteConnection;
use uuid::Uuid;

use super::columns::FromRow;
use super::database_time::{Both, DatabaseTime};
use super::deferred::Rules;
use super::dialect::Dialect;
use super::failure::{Rule, Trouble, changed_tables};
use super::location::Location;
#[cfg(feature = "postgres")]
use super::postgres::{self, PostgresConnection};
use super::row::Cells;
use super::seen::KnownNames;
use super::sequence::NewestKnown;
use super::sqlite;
use super::statement::{ColumnType, Datum, Statement};
use crate::crash_points::{self, Moment, Step, pass_blocking};
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::cost::Meters;
use crate::sql_types;

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

    /// Runs SQL without values.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => connection.batch_execute(sql), postgres: connection => connection.batch(sql))
    }

    /// Runs a statement and returns the number of affected rows.
    pub(crate) fn execute(&mut self, statement: &Statement) -> Result<usize, Trouble> {
        self.execute_about(None, statement)
    }

    /// The same for a statement about the rows of a model's table, which its error names.
    pub(crate) fn execute_in_table(&mut self, table: &'static str, statement: &Statement) -> Result<usize, Trouble> {
        self.execute_about(Some(table), statement)
    }

    fn execute_about(&mut self, table: Option<&'static str>, statement: &Statement) -> Result<usize, Trouble> {
        self.meters.statement();
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                let executed = connection.execute_returning_count(&statement.placed()).map_err(trouble_of_file);
                let executed = executed.map_err(|trouble| self.of_statement(statement, trouble));
                executed.map_err(|trouble| match table {
                    Some(table) => trouble.in_table(table),
                    None => trouble,
                })
            }
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                connection.execute(statement, table).map_err(|problem| self.trouble_of_server(problem))
            }
        }
    }

    /// Runs a statement of which only matters that it succeeds. A server gets it in the round trip of the next statement
    /// whose result is needed, or of the end of the transaction or savepoint, which then fails in its place.
    pub(crate) fn send(&mut self, statement: Statement) -> Result<(), Trouble> {
        self.send_about(None, statement)
    }

    /// The same for a statement about the rows of a model's table, which its error names.
    pub(crate) fn send_in_table(&mut self, table: &'static str, statement: Statement) -> Result<(), Trouble> {
        self.send_about(Some(table), statement)
    }

    fn send_about(&mut self, table: Option<&'static str>, statement: Statement) -> Result<(), Trouble> {
        match &mut self.inner {
            Inner::Sqlite(_) => self.execute_about(table, &statement).map(drop),
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                self.meters.statement();
                connection.send(statement, table).map_err(|problem| self.trouble_of_server(problem))
            }
        }
    }

    /// Checks deferred rules now, if the database can do so: rules about the rows of this table, or those that refer to
    /// them. Like [`send`](Connection::send), for the error of the next statement may be this one's.
    pub(super) fn send_batch_in_table(&mut self, table: &'static str, sql: &'static str) -> Result<(), Trouble> {
        with_inner!(
            self,
            sqlite: connection => connection.batch_execute(sql),
            postgres: connection => connection.send_batch(sql, Some(table)),
        )
        .map_err(|trouble: Trouble| trouble.in_table(table))
    }

    /// Waits until all statements have been run.
    pub(crate) fn settle(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: _connection => Ok(()), postgres: connection => connection.settle())
    }

    /// Passes the point after a transaction's last statement. A test that stops the program here finds all statements
    /// run.
    pub(crate) fn pass_before_commit(&mut self, step: Step) -> Result<(), Trouble> {
        if crash_points::are_observed() {
            self.settle()?;
        }
        pass_blocking(step, Moment::InTransaction);
        Ok(())
    }

    /// Counts the round trips to the server since this was last called.
    pub(super) fn count_round_trips(&mut self) {
        #[cfg(feature = "postgres")]
        if let Inner::Postgres(connection) = &mut self.inner {
            self.meters.round_trips(connection.take_round_trips());
        }
    }

    /// Runs a statement and returns its rows, whose columns have these types.
    pub(crate) fn query(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Trouble> {
        self.meters.statement();
        self.rows(statement, types)
    }

    /// Runs a statement and reads its rows into a type.
    pub(crate) fn read<R: FromRow>(&mut self, statement: &Statement) -> Result<Vec<R>, Trouble> {
        self.query(statement, R::TYPES)?.iter_mut().map(R::take).collect()
    }

    /// Like [`query`](Connection::query), but for the connection's own statements, which do not count for the operation
    /// that happens to run.
    pub(super) fn rows(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Trouble> {
        let result = with_inner!(
            self,
            sqlite: connection => connection.load(statement.placed()).and_then(|rows| {
                rows.map(|row| row.map(|row| cells(&row, types))).collect::<Result<Vec<_>, _>>()
            }),
            postgres: connection => connection.query(statement, types).map(|rows| rows.into_iter().map(Ok).collect()),
        );
        let rows: Vec<Result<Cells, Trouble>> = result.map_err(|trouble| self.of_statement(statement, trouble))?;
        rows.into_iter().collect()
    }

    /// The cause of a failed statement. SQLite uses the same error for messages of triggers and for names that it does
    /// not find when it compiles the statement. To tell them apart, the statement is compiled again.
    fn of_statement(&mut self, statement: &Statement, trouble: Trouble) -> Trouble {
        let (connection, reason) = match (&mut self.inner, trouble) {
            (Inner::Sqlite(connection), Trouble::Other(reason)) => (connection, reason),
            (_, trouble) => return trouble,
        };
        let compiled = connection.load(statement.clone().after("EXPLAIN ").placed()).map(drop);
        if compiled.is_ok() { Trouble::Other(reason) } else { changed_tables(&reason) }
    }

    /// The columns of a table; empty if the table does not exist.
    pub(crate) fn columns_of(&mut self, table: &str) -> Result<Vec<FoundColumn>, Trouble> {
        let types = [ColumnType::Text, ColumnType::Text, ColumnType::Bool, ColumnType::Bool, ColumnType::Bool];
        let rows = self.query(&Statement::new(self.dialect.columns_of, [table.into()]), &types)?;
        let found = rows.into_iter().map(|mut row| {
            Ok(FoundColumn {
                name: row.text()?,
                declared: row.text()?,
                not_null: row.flag()?,
                has_default: row.flag()?,
                in_key: row.flag()?,
            })
        });
        found.collect()
    }

    /// The results of a handwritten statement that returns one text column.
    pub(crate) fn texts(&mut self, sql: &str) -> Result<Vec<String>, Trouble> {
        let result = with_inner!(
            self,
            sqlite: connection => connection.load(diesel::sql_query(sql)).and_then(|rows| {
                rows.map(|row| row.map(|row| cells(&row, &[ColumnType::Text]).and_then(|mut row| row.text())))
                    .collect::<Result<Vec<_>, _>>()
            }),
            postgres: connection => connection.texts(sql).map(|texts| texts.into_iter().map(Ok).collect()),
        );
        result?.into_iter().collect()
    }

    /// Locks these names in this space until the end of the transaction, and waits while another transaction has them
    /// locked.
    pub(crate) fn lock(&mut self, space: &str, names: impl IntoIterator<Item = String>) -> Result<(), Trouble> {
        self.send_lock(space, names)?;
        self.settle()
    }

    /// Like [`lock`](Connection::lock), but the names are locked only once the result of another statement is there.
    pub(crate) fn send_lock(&mut self, space: &str, names: impl IntoIterator<Item = String>) -> Result<(), Trouble> {
        let Some(sql) = self.dialect.lock else { return Ok(()) };
        let mut names: Vec<_> = names.into_iter().collect();
        if names.is_empty() {
            return Ok(());
        }
        // All transactions take several locks in the same order, so that they cannot deadlock.
        names.sort_unstable();
        let mut statement = Statement::new(sql, [space.into()]);
        statement.each(names);
        self.send(statement)
    }

    /// Runs `work` in one transaction, and commits it if it succeeds.
    pub(crate) fn write<T, E: From<Trouble>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        (self.dialect.begin)(self)?;
        self.meters.transaction();
        self.in_transaction(work)
    }

    /// Like [`write`](Connection::write), for work that may turn out to write nothing: on SQLite others can write until
    /// it calls [`will_write`](Connection::will_write). If they have, its first write fails as if the database were
    /// unavailable, so that it never writes over what it has not seen.
    pub(crate) fn maybe_write<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        self.in_transaction(work)
    }

    /// Counts the transaction as one that writes.
    pub(crate) fn will_write(&mut self) {
        self.meters.transaction();
    }

    fn in_transaction<T, E: From<Trouble>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.drawn = None;
        match work(self) {
            Ok(value) => {
                let committed = self.commit();
                // If a rule that is checked at the commit fails, SQLite leaves the transaction open; so does a server if a
                // statement fails that was sent with the commit.
                if committed.is_err() && self.is_in_transaction() {
                    self.roll_back()?;
                }
                committed?;
                if let Some(drawn) = self.drawn.take() {
                    self.newest_known.note(drawn);
                }
                Ok(value)
            }
            Err(error) => {
                // Some errors end the transaction by themselves. If the rollback fails for another reason, the
                // connection is closed, which also undoes the transaction. The first error is the one to report.
                if planted(Planted::TransactionLeftOpen) {
                    return Err(error);
                }
                if let Err(trouble) = self.roll_back() {
                    tracing::debug!(?trouble, "a transaction could not be rolled back; its connection is closed");
                }
                Err(error)
            }
        }
    }

    /// Runs `work` in a savepoint and always undoes it.
    pub(crate) fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        let value = work(self).and_then(|value| self.settle().map(|()| value));
        let undone = self.roll_back();
        let value = value?;
        undone.map(|()| value)
    }

    /// Runs `work` in a savepoint, and undoes it if it fails.
    pub(crate) fn savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        match work(self) {
            Ok(value) => match self.commit() {
                Ok(()) => Ok(value),
                Err(trouble) => {
                    self.roll_back()?;
                    Err(trouble)
                }
            },
            Err(trouble) => {
                self.roll_back()?;
                Err(trouble)
            }
        }
    }

    /// Begins a transaction, or a savepoint if a transaction is open.
    pub(crate) fn begin(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => begin(connection), postgres: connection => connection.begin())
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => commit(connection), postgres: connection => connection.commit())
    }

    fn roll_back(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => roll_back(connection), postgres: connection => connection.roll_back())
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

    /// Whether a transaction is open, which must not be the case between two jobs.
    pub(crate) fn is_in_transaction(&mut self) -> bool {
        match &mut self.inner {
            Inner::Sqlite(connection) => is_in_transaction(connection),
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.is_in_transaction(),
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

/// Distinguishes a violated rule of SQLite's tables from a database that cannot be used, with a plain message.
pub(super) fn trouble_of_file(error: Error) -> Trouble {
    match error {
        Error::DatabaseError(kind, information) => refusal(kind, information.message()),
        Error::SerializationError(error) => Trouble::Refused(error.to_string()),
        Error::DeserializationError(error) => Trouble::Corrupt(error.to_string()),
        other => Trouble::Unavailable(other.to_string()),
    }
}

fn refusal(kind: DatabaseErrorKind, message: &str) -> Trouble {
    let rule = match kind {
        DatabaseErrorKind::UniqueViolation => Rule::Unique,
        DatabaseErrorKind::NotNullViolation => Rule::NotNull,
        DatabaseErrorKind::CheckViolation => Rule::Check,
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => Rule::ForeignKey,
        _ if sqlite::is_outage(message) => return Trouble::Unavailable(message.to_owned()),
        _ => return Trouble::Other(message.to_owned()),
    };
    Trouble::Refused(rule.broken(message.split_once(": ").map_or(message, |(_, subject)| subject)))
}

fn begin<C: DieselConnection>(connection: &mut C) -> Result<(), Error> {
    C::TransactionManager::begin_transaction(connection)
}

fn commit<C: DieselConnection>(connection: &mut C) -> Result<(), Error> {
    C::TransactionManager::commit_transaction(connection)
}

fn roll_back<C: DieselConnection>(connection: &mut C) -> Result<(), Error> {
    C::TransactionManager::rollback_transaction(connection)
}

fn is_broken<C: DieselConnection>(connection: &mut C) -> bool {
    C::TransactionManager::is_broken_transaction_manager(connection)
}

fn is_in_transaction<C: DieselConnection>(connection: &mut C) -> bool {
    let status = C::TransactionManager::transaction_manager_status_mut(connection);
    matches!(status.transaction_depth(), Ok(Some(_)))
}

/// The cells of a row whose columns have these types.
fn cells<'r, DB>(row: &impl Row<'r, DB>, types: &[ColumnType]) -> Result<Cells, Trouble>
where
    DB: Backend,
    String: FromSql<Text, DB>,
    i32: FromSql<Integer, DB>,
    i64: FromSql<BigInt, DB>,
    f64: FromSql<Double, DB>,
    bool: FromSql<Bool, DB>,
    NaiveDate: FromSql<Date, DB>,
    Uuid: FromSql<sql_types::Guid, DB>,
    Instant: FromSql<sql_types::Instant, DB>,
{
    fn optional<'f, ST, T: FromSql<ST, DB>, DB: Backend>(field: &impl Field<'f, DB>) -> deserialize::Result<Option<T>> {
        field.value().map(T::from_sql).transpose()
    }
    let mut cells = Vec::with_capacity(types.len());
    for (at, kind) in types.iter().enumerate() {
        let field = row.get(at).ok_or_else(|| {
            Trouble::Corrupt(format!("expected a row of {} columns, found {}", types.len(), row.field_count()))
        })?;
        let datum = match kind {
            ColumnType::Text => optional::<Text, _, DB>(&field).map(Datum::Text),
            ColumnType::Integer => optional::<Integer, _, DB>(&field).map(Datum::Integer),
            ColumnType::BigInt => optional::<BigInt, _, DB>(&field).map(Datum::BigInt),
            ColumnType::Double => optional::<Double, _, DB>(&field).map(Datum::Double),
            ColumnType::Bool => optional::<Bool, _, DB>(&field).map(Datum::Bool),
            ColumnType::Date => optional::<Date, _, DB>(&field).map(Datum::Date),
            ColumnType::Guid => optional::<sql_types::Guid, _, DB>(&field).map(Datum::Guid),
            ColumnType::Instant => optional::<sql_types::Instant, _, DB>(&field).map(Datum::Instant),
        };
        cells.push(datum.map_err(|error| {
            let name = field.field_name().unwrap_or("?");
            Trouble::Corrupt(format!("column {name}: {error}"))
        })?);
    }
    Ok(Cells::new(cells))
}
