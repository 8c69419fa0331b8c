//! Everything that is SQLite's own: its connection, its types, its words for what went wrong.

use std::time::Duration;

use cdms_odata::Instant;
use chrono::NaiveDate;
use diesel::connection::{
    AnsiTransactionManager, Connection as _, LoadConnection, SimpleConnection, TransactionManager,
};
use diesel::deserialize::{self, FromSql};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::row::{Field, Row as _};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Bool, Date, Double, Integer, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::failure::Trouble;
use super::row::Cells;
use super::statement::{ColumnType, Datum, Statement};
use crate::cost::Meters;
use crate::sql_types;

/// The database that statements are written for.
pub(crate) type Database = Sqlite;

/// Where a database is and how to open it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file.
    pub(crate) path: String,
    /// How long to wait for other programs' transactions.
    pub(crate) busy_timeout: Duration,
}

/// One open connection, owned by one of the store's threads.
pub(crate) struct Connection {
    inner: SqliteConnection,
    meters: Meters,
}

/// The column type in `create table`.
pub(crate) const fn declared(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text | ColumnType::Date => "TEXT",
        ColumnType::Integer => "INTEGER",
        ColumnType::BigInt | ColumnType::Instant => "BIGINT",
        ColumnType::Double => "DOUBLE",
        ColumnType::Bool => "BOOLEAN",
        ColumnType::Guid => "BLOB",
    }
}

/// A name, quoted for SQL that is put together once and not bound.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether a column declared so keeps values of this type as they are, by SQLite's rules of affinity.
pub(crate) fn keeps(declared: &str, kind: ColumnType) -> bool {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    match kind {
        ColumnType::Integer | ColumnType::BigInt | ColumnType::Instant => !is_text(&declared) && !has("BLOB"),
        ColumnType::Bool => !is_text(&declared) && !has("BLOB"),
        ColumnType::Double => has("REAL") || has("FLOA") || has("DOUB"),
        ColumnType::Text => is_text(&declared),
        ColumnType::Date => is_text(&declared) || has("DATE"),
        ColumnType::Guid => has("BLOB") || has("BINARY"),
    }
}

fn is_text(declared: &str) -> bool {
    !declared.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|word| declared.contains(word))
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

/// The key of a table in which the database numbers rows itself.
pub(crate) const NUMBERED_KEY: &str = "INTEGER PRIMARY KEY AUTOINCREMENT";

/// The statements that make the database refuse changes of what the history says.
pub(crate) const APPEND_ONLY: &str = "
CREATE TRIGGER IF NOT EXISTS datahub_history_no_update BEFORE UPDATE ON datahub_history
BEGIN SELECT RAISE(ABORT, 'datahub_history is append-only: its rows are never changed'); END;
CREATE TRIGGER IF NOT EXISTS datahub_history_no_delete BEFORE DELETE ON datahub_history
BEGIN SELECT RAISE(ABORT, 'datahub_history is append-only: its rows are never deleted'); END;
";

impl Place {
    /// Opens a connection; readers can only read.
    pub(crate) fn open(&self, reader: bool, meters: Meters) -> Result<Connection, Trouble> {
        let inner = SqliteConnection::establish(&self.path).map_err(|error| {
            Trouble::Unavailable(format!("{error}; see that the folder exists and that this program may write there"))
        })?;
        let mut connection = Connection { inner, meters };
        connection.prepare(self.busy_timeout, reader)?;
        Ok(connection)
    }
}

impl Connection {
    /// The waiting time comes first, because every later pragma may already meet another program.
    fn prepare(&mut self, busy_timeout: Duration, reader: bool) -> Result<(), Trouble> {
        self.batch(&format!("PRAGMA busy_timeout = {}", busy_timeout.as_millis()))?;
        let mode = self.journal_mode(busy_timeout)?;
        if mode != "wal" {
            return Err(Trouble::Unavailable(format!(
                "it keeps its journal as {mode:?} and not as a write-ahead log; put the file on a local disk"
            )));
        }
        self.batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
        if reader {
            self.batch("PRAGMA query_only = ON")?;
        }
        Ok(())
    }

    /// Turns the write-ahead log on. SQLite does not wait by itself where two programs turn it on at once.
    fn journal_mode(&mut self, patience: Duration) -> Result<String, Trouble> {
        let begin = std::time::Instant::now();
        loop {
            match self.query(&Statement::new("PRAGMA journal_mode = WAL", []), &[ColumnType::Text]) {
                Ok(rows) => return rows.into_iter().next().map_or(Ok(String::new()), |mut row| row.text()),
                Err(trouble) if begin.elapsed() >= patience => return Err(trouble),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Counts what comes at these meters.
    pub(crate) fn count_at(&mut self, meters: Meters) {
        self.meters = meters;
    }

    /// Runs SQL without values.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        Ok(self.inner.batch_execute(sql)?)
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) fn execute(&mut self, statement: &Statement) -> Result<usize, Trouble> {
        self.meters.statement();
        Ok(self.inner.execute_returning_count(statement)?)
    }

    /// Runs a statement and takes its rows, whose columns are of these types.
    pub(crate) fn query(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Trouble> {
        self.meters.statement();
        let mut rows = Vec::new();
        for row in self.inner.load(statement)? {
            let row = row?;
            let mut cells = Vec::with_capacity(types.len());
            for (at, kind) in types.iter().enumerate() {
                let field = row.get(at).ok_or_else(|| {
                    Trouble::Corrupt(format!("a row of {} columns where {} belong", row.field_count(), types.len()))
                })?;
                cells.push(read(*kind, &field).map_err(|error| {
                    let name = field.field_name().unwrap_or("?");
                    Trouble::Corrupt(format!("column {name}: {error}"))
                })?);
            }
            rows.push(Cells::new(cells));
        }
        Ok(rows)
    }

    /// The columns of a table; none when there is no such table.
    pub(crate) fn columns_of(&mut self, table: &str) -> Result<Vec<FoundColumn>, Trouble> {
        let sql = "SELECT name, type, \"notnull\" <> 0, dflt_value IS NOT NULL, pk <> 0 FROM pragma_table_info(?)";
        let types = [ColumnType::Text, ColumnType::Text, ColumnType::Bool, ColumnType::Bool, ColumnType::Bool];
        let rows = self.query(&Statement::new(sql, [table.into()]), &types)?;
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

    /// Runs `work` in one transaction that holds the right to write from its beginning, and commits it if it succeeds.
    pub(crate) fn write<T, E: From<Trouble>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        AnsiTransactionManager::begin_transaction_sql(&mut self.inner, "BEGIN IMMEDIATE").map_err(Trouble::from)?;
        self.meters.transaction();
        match work(self) {
            Ok(value) => {
                AnsiTransactionManager::commit_transaction(&mut self.inner).map_err(Trouble::from)?;
                Ok(value)
            }
            Err(error) => {
                // Some errors end the transaction by themselves. If undoing fails in another way, the connection counts
                // as spoilt and is closed, which undoes it too; the first error is the one to tell.
                if let Err(trouble) = self.roll_back() {
                    tracing::debug!(?trouble, "a transaction could not be rolled back; its connection is closed");
                }
                Err(error)
            }
        }
    }

    /// Runs `work` in a savepoint and undoes it in any case.
    pub(crate) fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        AnsiTransactionManager::begin_transaction(&mut self.inner)?;
        let value = work(self);
        let undone = self.roll_back();
        let value = value?;
        undone.map(|()| value)
    }

    /// Whether a transaction was left open, so that the connection must not be used any more.
    pub(crate) fn is_spoilt(&mut self) -> bool {
        AnsiTransactionManager::is_broken_transaction_manager(&mut self.inner)
    }

    fn roll_back(&mut self) -> Result<(), Trouble> {
        Ok(AnsiTransactionManager::rollback_transaction(&mut self.inner)?)
    }
}

fn read<'f>(kind: ColumnType, field: &impl Field<'f, Sqlite>) -> deserialize::Result<Datum> {
    fn optional<'f, ST, T: FromSql<ST, Sqlite>>(field: &impl Field<'f, Sqlite>) -> deserialize::Result<Option<T>> {
        field.value().map(T::from_sql).transpose()
    }
    Ok(match kind {
        ColumnType::Text => Datum::Text(optional::<Text, String>(field)?),
        ColumnType::Integer => Datum::Integer(optional::<Integer, i32>(field)?),
        ColumnType::BigInt => Datum::BigInt(optional::<BigInt, i64>(field)?),
        ColumnType::Double => Datum::Double(optional::<Double, f64>(field)?),
        ColumnType::Bool => Datum::Bool(optional::<Bool, bool>(field)?),
        ColumnType::Date => Datum::Date(optional::<Date, NaiveDate>(field)?),
        ColumnType::Guid => Datum::Guid(optional::<sql_types::Guid, Uuid>(field)?),
        ColumnType::Instant => Datum::Instant(optional::<sql_types::Instant, Instant>(field)?),
    })
}

impl QueryFragment<Sqlite> for Datum {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self {
            Datum::Text(text) => pass.push_bind_param::<Nullable<Text>, _>(text),
            Datum::Integer(number) => pass.push_bind_param::<Nullable<Integer>, _>(number),
            Datum::BigInt(number) => pass.push_bind_param::<Nullable<BigInt>, _>(number),
            Datum::Double(number) => pass.push_bind_param::<Nullable<Double>, _>(number),
            Datum::Bool(value) => pass.push_bind_param::<Nullable<Bool>, _>(value),
            Datum::Date(date) => pass.push_bind_param::<Nullable<Date>, _>(date),
            Datum::Guid(id) => pass.push_bind_param::<Nullable<sql_types::Guid>, _>(id),
            Datum::Instant(instant) => pass.push_bind_param::<Nullable<sql_types::Instant>, _>(instant),
        }
    }
}

impl ToSql<sql_types::Guid, Sqlite> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<sql_types::Guid, Sqlite> for Uuid {
    fn from_sql(value: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Uuid::from_slice(&bytes)?)
    }
}

const MICROSECONDS: i64 = 1_000;

impl ToSql<sql_types::Instant, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let microseconds = self.0.checked_mul(MICROSECONDS);
        out.set_value(microseconds.ok_or_else(|| format!("the time {self} is too far away to be stored"))?);
        Ok(IsNull::No)
    }
}

impl FromSql<sql_types::Instant, Sqlite> for Instant {
    fn from_sql(value: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let microseconds = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Instant(microseconds.div_euclid(MICROSECONDS)))
    }
}

impl FromSql<sql_types::Money, Sqlite> for i64 {
    fn from_sql(value: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)
    }
}

impl FromSql<sql_types::Decimal, Sqlite> for i64 {
    fn from_sql(value: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)
    }
}

impl From<Error> for Trouble {
    /// Tells a rule of the database from a database that cannot be used, and says it in plain words.
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(kind, information) => {
                let message = information.message();
                let subject = message.split_once(": ").map_or(message, |(_, subject)| subject);
                match kind {
                    DatabaseErrorKind::UniqueViolation => {
                        Trouble::Refused(format!("another row has the same value in {subject}, which must be unique"))
                    }
                    DatabaseErrorKind::NotNullViolation => {
                        Trouble::Refused(format!("{subject} is null, but its column is declared NOT NULL"))
                    }
                    DatabaseErrorKind::CheckViolation => {
                        Trouble::Refused(format!("the values break the check constraint {subject:?}"))
                    }
                    DatabaseErrorKind::ForeignKeyViolation => Trouble::Refused(
                        "it refers to a row that the hub does not have, or other rows refer to it (a foreign key)"
                            .to_owned(),
                    ),
                    _ if is_outage(message) => Trouble::Unavailable(message.to_owned()),
                    _ => Trouble::Other(message.to_owned()),
                }
            }
            Error::SerializationError(error) => Trouble::Refused(error.to_string()),
            Error::DeserializationError(error) => Trouble::Corrupt(error.to_string()),
            other => Trouble::Unavailable(other.to_string()),
        }
    }
}

/// Whether SQLite's message speaks of the database as a whole. Diesel passes on the text and not the code; these are
/// the texts of `sqlite3_errstr` and of SQLite's own more exact variants.
fn is_outage(message: &str) -> bool {
    const OUTAGES: [&str; 14] = [
        "database is locked",
        "database table is locked",
        "database schema is locked",
        "disk I/O error",
        "database or disk is full",
        "attempt to write a readonly database",
        "database disk image is malformed",
        "database corruption",
        "unable to open database file",
        "out of memory",
        "file is not a database",
        "locking protocol",
        "interrupted",
        "large file support is disabled",
    ];
    OUTAGES.iter().any(|outage| message.starts_with(outage))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::InstrumentationEvent;

    use super::*;

    #[test]
    fn a_statement_is_prepared_once_whatever_its_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db").to_str().unwrap().to_owned();
        let place = Place { path, busy_timeout: Duration::from_secs(1) };
        let mut connection = place.open(false, Meters::default()).unwrap();
        let prepared = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&prepared);
        connection.inner.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        connection.batch("CREATE TABLE t (a TEXT PRIMARY KEY, b BLOB)").unwrap();
        for (text, id) in [(Some("x"), None), (Some("x"), Some(Uuid::nil())), (None, Some(Uuid::max()))] {
            let sql = "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b";
            let values = [Datum::Text(text.map(str::to_owned)), Datum::Guid(id)];
            connection.execute(&Statement::new(sql, values)).unwrap();
        }
        assert_eq!(prepared.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn only_sqlites_own_outages_are_outages() {
        assert!(is_outage("database is locked"));
        assert!(!is_outage("the record is locked by accounting"), "a trigger's words");
    }

    #[test]
    fn columns_are_judged_by_what_they_keep() {
        for (declared, kind, kept) in [
            ("BIGINT", ColumnType::Instant, true),
            ("TEXT", ColumnType::BigInt, false),
            ("VARCHAR(160)", ColumnType::Text, true),
            ("BLOB", ColumnType::Guid, true),
            ("TEXT", ColumnType::Guid, false),
            ("DATE", ColumnType::Date, true),
            ("DOUBLE PRECISION", ColumnType::Double, true),
            ("INTEGER", ColumnType::Double, false),
            ("BOOLEAN", ColumnType::Bool, true),
        ] {
            assert_eq!(keeps(declared, kind), kept, "{declared} for {kind:?}");
        }
    }

    #[test]
    fn quoted_names_cannot_end_the_quotes() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
