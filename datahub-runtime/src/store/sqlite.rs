//! Everything specific to SQLite: its connection, types and error messages.

use std::time::Duration;

use cdms_odata::Instant;
use datahub_model::schema::Database;
use diesel::connection::{AnsiTransactionManager, Connection as _};
use diesel::deserialize::{self, FromSql};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Bool, Date, Double, Integer, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::connection::{Connection, trouble_of_file};
use super::dialect::Dialect;
use super::failure::Trouble;
use super::sqlite_functions;
use super::statement::{ColumnType, Datum, Statement};
use crate::sql_types;

/// What is specific to SQLite.
pub(crate) static DIALECT: Dialect = Dialect {
    database: Database::Sqlite,
    // Safe because a writing transaction is exclusive.
    next_version: "UPDATE datahub_sequence SET value = value + 1 RETURNING value",
    next_version_in_select: None,
    clock: None,
    guards_there: "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index') AND name LIKE 'datahub\\_%' ESCAPE '\\'",
    guards: &[
        "datahub_history_no_update",
        "datahub_history_no_delete",
        "datahub_history_no_replace",
        "datahub_erasures_no_update",
        "datahub_erasures_no_delete",
        "datahub_erasures_no_replace",
    ],
    forget: Some(forget),
    unhurried: None,
    alone: None,
    newest_version: "SELECT value FROM datahub_sequence",
    columns_of: "SELECT name, type, \"notnull\" <> 0, dflt_value IS NOT NULL, pk <> 0 FROM pragma_table_info(?)",
    tables: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name NOT LIKE 'datahub\\_%' ESCAPE '\\' AND name <> '__diesel_schema_migrations' ORDER BY name",
    indexes_of: "SELECT made.name, part.name FROM sqlite_master AS made, pragma_index_info(made.name) AS part \
                 WHERE made.type = 'index' AND made.tbl_name = ? AND made.sql IS NOT NULL ORDER BY made.name, part.seqno",
    each_of_json: ("json_each(", ")"),
    text_of: "quote(?)",
    unfinished_index: None,
    others_in_settings: None,
    has_unicode: None,
    has_writing_subqueries: false,
    begin,
    check_deferred: None,
    lock: None,
};

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Synchronous {
    /// It waits until its data is on the disk: the default, which the promises depend on.
    Full,
    /// It does not wait, and a power cut may undo the last commits. Only if the caller asks for it.
    Normal,
}

pub(super) fn establish(path: &str) -> Result<SqliteConnection, Trouble> {
    SqliteConnection::establish(path).map_err(|error| {
        Trouble::Unavailable(format!("{error}; check that the folder exists and that this program may write to it"))
    })
}

/// The timeout is set first, because every later pragma may already conflict with another program.
pub(super) fn prepare(
    connection: &mut Connection,
    busy_timeout: Duration,
    synchronous: Synchronous,
    reader: bool,
) -> Result<(), Trouble> {
    connection.batch(&format!("PRAGMA busy_timeout = {}", busy_timeout.as_millis()))?;
    let mode = journal_mode(connection, busy_timeout)?;
    if mode != "wal" {
        return Err(Trouble::Unavailable(format!(
            "its journal mode is {mode:?} instead of a write-ahead log; put the file on a local disk"
        )));
    }
    // Erased data is overwritten in the file, and not only removed from the tables.
    connection.batch("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;")?;
    // If the system's sync leaves data in the drive's cache, as on macOS, the drive is asked to flush it.
    connection.batch("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;")?;
    connection.batch(match synchronous {
        Synchronous::Full => "PRAGMA synchronous = FULL",
        Synchronous::Normal => "PRAGMA synchronous = NORMAL",
    })?;
    if let Some(inner) = connection.sqlite() {
        sqlite_functions::register(inner).map_err(trouble_of_file)?;
    }
    if reader {
        connection.batch("PRAGMA query_only = ON")?;
    }
    Ok(())
}

/// Copies the write-ahead log into the file and empties it. It does not wait long for readers, because all other
/// writers would wait as well. Returns whether no reader was in the way.
fn forget(connection: &mut Connection) -> Result<bool, Trouble> {
    let patience = number(connection, "PRAGMA busy_timeout")?;
    connection.batch("PRAGMA busy_timeout = 100")?;
    let busy = number(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    connection.batch(&format!("PRAGMA busy_timeout = {patience}"))?;
    Ok(busy? == 0)
}

/// The first number that a pragma returns.
fn number(connection: &mut Connection, pragma: &'static str) -> Result<i64, Trouble> {
    let rows = connection.query(&Statement::new(pragma, []), &[ColumnType::BigInt])?;
    let row = rows.into_iter().next();
    row.ok_or_else(|| Trouble::Corrupt(format!("{pragma} returned no row")))?.number()
}

/// Turns the write-ahead log on. SQLite does not wait by itself if two programs do so at once.
fn journal_mode(connection: &mut Connection, patience: Duration) -> Result<String, Trouble> {
    let begin = std::time::Instant::now();
    loop {
        match connection.query(&Statement::new("PRAGMA journal_mode = WAL", []), &[ColumnType::Text]) {
            Ok(rows) => return rows.into_iter().next().map_or(Ok(String::new()), |mut row| row.text()),
            Err(trouble) if begin.elapsed() >= patience => return Err(trouble),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Acquires the write lock at the start, so that a transaction never has to give up in the middle.
fn begin(connection: &mut Connection) -> Result<(), Trouble> {
    let Some(inner) = connection.sqlite() else { return connection.begin() };
    let begun = AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE");
    begun.map_err(trouble_of_file)
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
        out.set_value(microseconds.ok_or_else(|| format!("the time {self} is out of the database's range"))?);
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

impl<const SCALE: u32> FromSql<sql_types::Decimal<SCALE>, Sqlite> for i64 {
    fn from_sql(value: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)
    }
}

/// Whether SQLite's message is about the database as a whole. Diesel passes on the text but not the code. These are the
/// texts of `sqlite3_errstr`; SQLite appends at most the name of a table or a position. A trigger's message is longer.
pub(super) fn is_outage(message: &str) -> bool {
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
    let rest = |outage: &&str| message.strip_prefix(*outage);
    OUTAGES
        .iter()
        .filter_map(rest)
        .any(|rest| rest.is_empty() || rest.starts_with(": ") || rest.starts_with(" at line "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::InstrumentationEvent;

    use super::*;
    use crate::engine::clock::SystemClock;
    use crate::engine::cost::Meters;
    use crate::store::StoreOptions;
    use crate::store::location::Location;

    #[test]
    fn a_statement_is_prepared_once_whatever_its_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db").to_str().unwrap().to_owned();
        let location = Location::Sqlite { path, busy_timeout: Duration::from_secs(1), synchronous: Synchronous::Full };
        let mut connection =
            Connection::open(&location, false, Meters::default(), Arc::new(SystemClock::new())).unwrap();
        let prepared = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&prepared);
        connection.sqlite().unwrap().set_instrumentation(move |event: InstrumentationEvent<'_>| {
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
    fn a_commit_waits_for_the_disk_unless_the_address_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}/hub.db", folder.path().display());
        let full = (1, "wal".to_owned());
        for (address, synchronous) in [("", 2), ("?synchronous=full", 2), ("?synchronous=normal", 1)] {
            let (location, shown) = Location::of_url(&format!("{file}{address}"), &StoreOptions::default()).unwrap();
            assert!(shown.ends_with("hub.db"), "{shown}");
            for reader in [false, true] {
                let mut connection =
                    Connection::open(&location, reader, Meters::default(), Arc::new(SystemClock::new())).unwrap();
                let mut one = |sql, kind| connection.query(&Statement::new(sql, []), &[kind]).unwrap().pop().unwrap();
                assert_eq!(one("PRAGMA synchronous", ColumnType::BigInt).number(), Ok(synchronous), "{address}");
                assert_eq!(one("PRAGMA secure_delete", ColumnType::BigInt).number(), Ok(full.0));
                assert_eq!(one("PRAGMA journal_mode", ColumnType::Text).text(), Ok(full.1.clone()));
            }
        }
        for wrong in ["?synchronous=off", "?journal=memory"] {
            let error = Location::of_url(&format!("{file}{wrong}"), &StoreOptions::default()).unwrap_err().to_string();
            assert!(error.contains("synchronous=normal"), "{error}");
        }
    }

    #[test]
    fn only_sqlites_own_outages_are_outages() {
        assert!(is_outage("database is locked"));
        assert!(is_outage("database or disk is full"));
        assert!(is_outage("database table is locked: organisations"));
        assert!(!is_outage("the record is locked by accounting"), "a trigger's message");
        assert!(!is_outage("database is locked by accounting"), "a trigger's message");
    }
}
