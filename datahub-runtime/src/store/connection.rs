//! One open connection to whichever database the hub has: the same statements on each, in one place.

use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Instant;
use chrono::NaiveDate;
use datahub_protocol::planted::{Planted, planted};
use diesel::backend::Backend;
use diesel::connection::{
    Connection as DieselConnection, LoadConnection as _, SimpleConnection as _, TransactionManager,
};
use diesel::deserialize::{self, FromSql};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use diesel::row::{Field, Row};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Text};
use diesel::sqlite::SqliteConnection;
use uuid::Uuid;

use super::database_time::{Both, DatabaseTime};
use super::failure::Trouble;
#[cfg(feature = "postgres")]
use super::postgres::{self, PostgresConnection};
use super::row::Cells;
use super::sqlite;
use super::statement::{ColumnType, Datum, Statement};
use crate::clock::Clock;
use crate::cost::Meters;
use crate::sql_types;

/// Where a database is and how to open it.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A file.
    Sqlite {
        /// The file.
        path: String,
        /// How long to wait for other programs' transactions.
        busy_timeout: Duration,
        /// How far a commit waits for the disk.
        synchronous: sqlite::Synchronous,
    },
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres {
        /// Its address, with the password.
        url: String,
        /// How long it may owe an answer past the time that it gives its own statements.
        grace: Duration,
    },
}

/// One open connection, owned by one of the store's threads.
pub(crate) struct Connection {
    inner: Inner,
    dialect: &'static Dialect,
    meters: Meters,
    time: DatabaseTime,
    /// Whether the database hung up.
    closed: bool,
}

enum Inner {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresConnection>),
}

/// Empties a log; whether that could be done.
type Forget = fn(&mut Connection) -> Result<bool, Trouble>;

/// Where databases differ in words.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The column type in `create table`.
    pub(crate) declared: fn(ColumnType) -> &'static str,
    /// Whether a column declared so keeps values of this type as they are.
    pub(crate) keeps: fn(&str, ColumnType) -> bool,
    /// The primary key of a table in which the database numbers rows itself.
    pub(crate) numbered_key: &'static str,
    /// Makes the sequence of versions, and has the database refuse changes of what the history says.
    pub(crate) engine_extras: &'static str,
    /// Draws the next version.
    pub(crate) next_version: &'static str,
    /// Tells the time by the database's own clock; for databases that have one.
    pub(crate) clock: Option<&'static str>,
    /// Lists the triggers and unique indexes of the engine's tables that are in force.
    pub(crate) guards_there: &'static str,
    /// Those among them on which promises rest: one open write per record, and a history that only grows.
    pub(crate) guards: &'static [&'static str],
    /// Takes what was overwritten out of the files beside the database, after an erasure; whether that could be done at
    /// once.
    pub(crate) forget: Option<Forget>,
    /// Lets the statements of this transaction work for as long as the upgrade of a large database may take, but wait no
    /// longer than others for what other programs hold; for databases that bound them.
    pub(crate) unhurried: Option<&'static str>,
    /// Keeps everybody else out of the engine's tables until the transaction ends; for databases where a change to a table
    /// does not do that by itself.
    pub(crate) alone: Option<&'static str>,
    /// Tells the newest version that was drawn.
    pub(crate) newest_version: &'static str,
    /// Describes a table's columns: name, declared type, not null, has a default, in the primary key.
    pub(crate) columns_of: &'static str,
    /// Begins a transaction that can write.
    pub(crate) begin: fn(&mut Connection) -> Result<(), Trouble>,
    /// Waits until no other transaction works on what a text and each of the texts in the table that follows name; for
    /// databases in which writers are not alone.
    pub(crate) lock: Option<&'static str>,
    /// Whether the database's words speak of the database as a whole and not of what was stored.
    pub(crate) is_outage: fn(&str) -> bool,
}

/// A column as the database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundColumn {
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) not_null: bool,
    pub(crate) has_default: bool,
    pub(crate) in_key: bool,
}

/// Does the same with whichever connection there is.
macro_rules! with_inner {
    ($inner:expr, $connection:ident => $body:expr) => {
        match $inner {
            Inner::Sqlite($connection) => $body,
            #[cfg(feature = "postgres")]
            Inner::Postgres(boxed) => {
                let PostgresConnection { inner: $connection, patience, .. } = &mut **boxed;
                let _waiting = patience.asks();
                $body
            }
        }
    };
}

impl Place {
    /// Opens a connection; on SQLite readers can only read.
    pub(crate) fn open(&self, reader: bool, meters: Meters, clock: Arc<dyn Clock>) -> Result<Connection, Trouble> {
        let time = DatabaseTime::new(clock);
        match self {
            Place::Sqlite { path, busy_timeout, synchronous } => {
                let inner = Inner::Sqlite(sqlite::establish(path)?);
                let mut connection = Connection { inner, dialect: &sqlite::DIALECT, meters, time, closed: false };
                sqlite::prepare(&mut connection, *busy_timeout, *synchronous, reader)?;
                Ok(connection)
            }
            #[cfg(feature = "postgres")]
            Place::Postgres { url, grace } => {
                let inner = Inner::Postgres(Box::new(postgres::establish(url, *grace)?));
                let mut connection = Connection { inner, dialect: &postgres::DIALECT, meters, time, closed: false };
                postgres::prepare(&mut connection, *grace)?;
                Ok(connection)
            }
        }
    }

    /// Whether one connection at a time can write.
    pub(crate) fn has_one_writer(&self) -> bool {
        matches!(self, Place::Sqlite { .. })
    }
}

impl Connection {
    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// Counts what comes at these meters.
    pub(crate) fn count_at(&mut self, meters: Meters) {
        self.meters = meters;
    }

    /// The time by the database's clock; on SQLite, which is on the machine, by the hub's.
    pub(crate) fn now(&mut self) -> Result<Instant, Trouble> {
        let Some(sql) = self.dialect.clock else { return Ok(self.time.of_machine()) };
        if let Some(now) = self.time.of_server() {
            return Ok(now);
        }
        // The connection's own statement, once a minute, is none of the operation's that happens to come first.
        let statement = Statement::new(sql, []);
        let asked = Both::now();
        let rows = self.rows(&statement, &[ColumnType::Instant])?;
        let mut row =
            rows.into_iter().next().ok_or_else(|| Trouble::Corrupt("the server's clock says nothing".into()))?;
        let stated = row.instant()?;
        Ok(self.time.stated(stated, asked))
    }

    /// Runs SQL without values.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        let result = with_inner!(&mut self.inner, connection => connection.batch_execute(sql));
        result.map_err(|error| self.trouble(error))
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) fn execute(&mut self, statement: &Statement) -> Result<usize, Trouble> {
        self.meters.statement();
        let result = with_inner!(&mut self.inner, connection => connection.execute_returning_count(statement));
        result.map_err(|error| self.trouble(error))
    }

    /// Runs a statement and takes its rows, whose columns are of these types.
    pub(crate) fn query(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Trouble> {
        self.meters.statement();
        self.rows(statement, types)
    }

    fn rows(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Trouble> {
        let result = with_inner!(&mut self.inner, connection => connection.load(statement).and_then(|rows| {
            rows.map(|row| row.map(|row| cells(&row, types))).collect::<Result<Vec<_>, _>>()
        }));
        result.map_err(|error| self.trouble(error))?.into_iter().collect()
    }

    /// The columns of a table; none when there is no such table.
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

    /// The one column of text that a statement put together by hand gives.
    #[cfg(feature = "testing")]
    pub(crate) fn texts(&mut self, sql: &str) -> Result<Vec<String>, Trouble> {
        let statement = diesel::sql_query(sql);
        let result = with_inner!(&mut self.inner, connection => connection.load(statement).and_then(|rows| {
            rows.map(|row| row.map(|row| cells(&row, &[ColumnType::Text]))).collect::<Result<Vec<_>, _>>()
        }));
        let rows = result.map_err(|error| self.trouble(error))?;
        rows.into_iter().map(|row| row.and_then(|mut row| row.text())).collect()
    }

    /// Waits, to the end of the transaction, until this is the only one that works on what these names in this space name.
    pub(crate) fn lock(&mut self, space: &str, names: impl IntoIterator<Item = String>) -> Result<(), Trouble> {
        let Some(sql) = self.dialect.lock else { return Ok(()) };
        let mut names: Vec<_> = names.into_iter().collect();
        // Whoever takes several locks takes them in the same order as everybody else.
        names.sort_unstable();
        let mut statement = Statement::of_many(names.len());
        statement.push(sql, [space.into()]);
        statement.wanted(names);
        self.query(&statement, &[]).map(drop)
    }

    /// Runs `work` in one transaction, and commits it if it succeeds.
    pub(crate) fn write<T, E: From<Trouble>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        (self.dialect.begin)(self)?;
        self.meters.transaction();
        match work(self) {
            Ok(value) => {
                let result = with_inner!(&mut self.inner, connection => commit(connection));
                result.map_err(|error| self.trouble(error))?;
                Ok(value)
            }
            Err(error) => {
                // Some errors end the transaction by themselves. If undoing fails in another way, the connection counts
                // as spoilt and is closed, which undoes it too; the first error is the one to tell.
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

    /// Runs `work` in a savepoint and undoes it in any case.
    pub(crate) fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        let value = work(self);
        let undone = self.roll_back();
        let value = value?;
        undone.map(|()| value)
    }

    /// Runs `work` in a savepoint, and undoes it if it fails.
    pub(crate) fn savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        match work(self) {
            Ok(value) => {
                let result = with_inner!(&mut self.inner, connection => commit(connection));
                result.map_err(|error| self.trouble(error))?;
                Ok(value)
            }
            Err(trouble) => {
                self.roll_back()?;
                Err(trouble)
            }
        }
    }

    /// Begins a transaction, or within one a savepoint.
    pub(crate) fn begin(&mut self) -> Result<(), Trouble> {
        let result = with_inner!(&mut self.inner, connection => begin(connection));
        result.map_err(|error| self.trouble(error))
    }

    /// Whether the connection must not be used any more: the database hung up, or a transaction was left open.
    pub(crate) fn is_spoilt(&mut self) -> bool {
        #[cfg(feature = "postgres")]
        if let Inner::Postgres(connection) = &self.inner {
            self.closed |= connection.is_gone();
        }
        self.closed || with_inner!(&mut self.inner, connection => is_broken(connection))
    }

    /// Whether a transaction is open, which none may be between two jobs.
    pub(crate) fn is_in_transaction(&mut self) -> bool {
        with_inner!(&mut self.inner, connection => is_in_transaction(connection))
    }

    /// The connection as Diesel's own, where the database is SQLite.
    pub(super) fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        match &mut self.inner {
            Inner::Sqlite(connection) => Some(connection),
            #[cfg(feature = "postgres")]
            Inner::Postgres(_) => None,
        }
    }

    /// From now on the server may owe an answer so long.
    #[cfg(feature = "postgres")]
    pub(super) fn limit_patience(&self, limit: Duration) {
        match &self.inner {
            Inner::Sqlite(_) => {}
            Inner::Postgres(connection) => connection.patience.limit(limit),
        }
    }

    /// Until the end of this job the server may owe an answer at least so long; then the connection is closed, because
    /// whoever drives its socket may have gone to sleep for that time. A file owes none.
    pub(super) fn be_patient(&mut self, limit: Duration) {
        match &self.inner {
            Inner::Sqlite(_) => _ = limit,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                connection.patience.at_least(limit);
                self.closed = true;
            }
        }
    }

    /// Why the connection was given up, where that is the reason of everything else.
    fn given_up(&self) -> Option<String> {
        match &self.inner {
            Inner::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.patience.ran_out().map(|limit| {
                format!(
                    "the server owed an answer for {} s and its connection was given up; see what holds it up, a paused \
                     pooler for instance",
                    limit.as_secs_f64()
                )
            }),
        }
    }

    fn roll_back(&mut self) -> Result<(), Trouble> {
        let result = with_inner!(&mut self.inner, connection => roll_back(connection));
        result.map_err(|error| self.trouble(error))
    }

    /// Tells a rule of the database from a database that cannot be used, and says it in plain words.
    pub(super) fn trouble(&mut self, error: Error) -> Trouble {
        if let Some(reason) = self.given_up() {
            self.closed = true;
            return Trouble::Unavailable(reason);
        }
        match error {
            Error::DatabaseError(kind, information) => self.refusal(kind, &*information),
            Error::SerializationError(error) => Trouble::Refused(error.to_string()),
            Error::DeserializationError(error) => Trouble::Corrupt(error.to_string()),
            other => Trouble::Unavailable(other.to_string()),
        }
    }

    fn refusal(&mut self, kind: DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> Trouble {
        let message = information.message();
        let after_colon = message.split_once(": ").map_or(message, |(_, subject)| subject);
        let column = || match (information.table_name(), information.column_name()) {
            (Some(table), Some(column)) => format!("{table}.{column}"),
            _ => after_colon.to_owned(),
        };
        let constraint = information.constraint_name().unwrap_or(after_colon);
        match kind {
            DatabaseErrorKind::UniqueViolation => {
                Trouble::Refused(format!("another row has the same value in {constraint}, which must be unique"))
            }
            DatabaseErrorKind::NotNullViolation => {
                Trouble::Refused(format!("{} is null, but its column is declared NOT NULL", column()))
            }
            DatabaseErrorKind::CheckViolation => {
                Trouble::Refused(format!("the values break the check constraint {constraint:?}"))
            }
            DatabaseErrorKind::ExclusionViolation => {
                Trouble::Refused(format!("the values break the exclusion constraint {constraint:?}"))
            }
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => Trouble::Refused(
                "it refers to a row that the hub does not have, or other rows refer to it (a foreign key)".to_owned(),
            ),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                self.closed = true;
                Trouble::Unavailable(message.to_owned())
            }
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ReadOnlyTransaction => {
                Trouble::Unavailable(message.to_owned())
            }
            _ if (self.dialect.is_outage)(message) => Trouble::Unavailable(message.to_owned()),
            _ => Trouble::Other(message.to_owned()),
        }
    }
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

/// The cells of a row whose columns are of these types.
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
            Trouble::Corrupt(format!("a row of {} columns where {} belong", row.field_count(), types.len()))
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

/// A name, quoted for SQL that is put together once and not bound.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_cannot_end_the_quotes() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
