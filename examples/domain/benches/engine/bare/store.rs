//! The floor's database: the jobs that it does, each on one connection, in SQLite or on a PostgreSQL server.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::record::Record;
use super::statements::{self, BURY, CLOSE, FIND, HISTORY, NOTE, NOTE_OF_NEW, REMOVE, Text};
use crate::places::Place;

/// A value that can be bound on both databases.
trait Bound: rusqlite::ToSql + ToSql + Sync {}

impl<T: rusqlite::ToSql + ToSql + Sync> Bound for T {}

type Values<'v> = Vec<&'v dyn Bound>;

/// What is known of a record.
pub(crate) struct Kept {
    pub(crate) modified: i64,
    pub(crate) version: i64,
    /// Read, as the hub reads it, and not needed while nothing has changed.
    _seen: String,
}

/// The database, with as many connections as the hub has.
pub(crate) struct Store {
    connections: Vec<Arc<Mutex<Connection>>>,
    /// Whether work on the database is done on a thread for work that blocks, as it must be where it may wait for a disk;
    /// otherwise it is done where it is asked for. A server is always asked from there.
    has_threads: bool,
}

/// What is done on one connection without a pause.
type Job<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

struct Connection {
    database: Database,
    /// Statements about a number of rows, whose text is made once.
    texts: HashMap<(Text, usize), Arc<str>>,
}

enum Database {
    Sqlite(rusqlite::Connection),
    Postgres {
        client: tokio_postgres::Client,
        /// Statements by their text.
        prepared: HashMap<String, tokio_postgres::Statement>,
    },
}

/// Milliseconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

impl Store {
    /// Creates the tables at a place.
    pub(crate) async fn create(place: &Place) -> Self {
        Self::create_at(&place.floor()).await
    }

    /// Creates the tables in a file, or at the address of a server.
    pub(crate) async fn create_at(address: &str) -> Self {
        let is_sqlite = !address.starts_with("postgres");
        let mut connections = Vec::new();
        for _ in 0..if is_sqlite { 3 } else { 8 } {
            connections.push(Arc::new(Mutex::new(Connection::open(address, is_sqlite).await)));
        }
        let store = Store { connections, has_threads: is_sqlite };
        store.batch(&statements::tables(is_sqlite)).await;
        store
    }

    /// Runs SQL, to set a scene.
    pub(crate) async fn batch(&self, sql: &str) {
        self.connections[0].lock().await.batch(sql).await;
    }

    /// From now on, SQLite works where it is asked, and nothing else can go on there meanwhile.
    pub(crate) fn in_place(&mut self) {
        self.has_threads = false;
    }

    /// Does a job on one of the connections.
    async fn on<T: Send + 'static>(
        &self,
        connection: usize,
        job: impl FnOnce(&mut Connection) -> Job<'_, T> + Send + 'static,
    ) -> T {
        let connection = Arc::clone(&self.connections[connection % self.connections.len()]);
        let mut connection = connection.lock_owned().await;
        if self.has_threads {
            let work = move || Handle::current().block_on(job(&mut connection));
            return tokio::task::spawn_blocking(work).await.unwrap();
        }
        job(&mut connection).await
    }

    /// What is known of a record.
    pub(crate) async fn find(&self, connection: usize, id: Uuid) -> Option<Kept> {
        self.on(connection, move |connection| Box::pin(connection.find(id))).await
    }

    /// Notes that a record will be written, in a transaction of its own; `false` if it has changed.
    pub(crate) async fn note(
        &self,
        operation: Uuid,
        id: Uuid,
        write: &'static str,
        body: String,
        version: Option<i64>,
    ) -> bool {
        self.on(0, move |connection| {
            Box::pin(async move {
                let now = now();
                connection.begin().await;
                let noted = match &version {
                    Some(version) => connection.execute(NOTE, &[&operation, &id, &write, &body, &now, version]).await,
                    None => connection.execute(NOTE_OF_NEW, &[&operation, &id, &write, &body, &now]).await,
                };
                connection.commit().await;
                noted == 1
            })
        })
        .await
    }

    /// Stores a written record, and closes the note of its write.
    pub(crate) async fn store(&self, operation: Uuid, record: Record, kind: &'static str, changes: Json) {
        self.on(0, move |connection| {
            Box::pin(async move {
                connection.begin().await;
                connection.put(&[record], Some((operation, kind, &changes))).await;
                connection.execute(CLOSE, &[&now(), &operation]).await;
                connection.commit().await;
            })
        })
        .await;
    }

    /// Removes a deleted record, and closes the note of its write.
    pub(crate) async fn remove(&self, operation: Uuid, last: Record) {
        self.on(0, move |connection| {
            Box::pin(async move {
                let (id, changes) = (last.id.unwrap(), serde_json::to_string(&last).unwrap());
                connection.begin().await;
                connection.execute(REMOVE, &[&id]).await;
                connection.execute(BURY, &[&id]).await;
                let entry: [&dyn Bound; 6] = [&id, &now(), &ACTOR, &"delete", &Some(operation), &changes];
                connection.execute_of(Text::Append, 1, &entry).await;
                connection.execute(CLOSE, &[&now(), &operation]).await;
                connection.commit().await;
            })
        })
        .await;
    }

    /// Stores records that were read.
    pub(crate) async fn put_page(&self, records: Vec<Record>) {
        self.on(0, move |connection| {
            Box::pin(async move {
                connection.begin().await;
                connection.put(&records, None).await;
                connection.commit().await;
            })
        })
        .await;
    }

    /// Stores their rows, and nothing else.
    pub(crate) async fn put_rows(&self, records: Vec<Record>) {
        self.on(0, move |connection| Box::pin(async move { connection.put_rows(&records).await })).await;
    }

    /// Reads a hundred entries of a history, those before one; returns the newest of them.
    pub(crate) async fn history(&self, id: Uuid, before: i64) -> i64 {
        let entries = self.on(0, move |connection| Box::pin(connection.history(id, before))).await;
        let changes: Vec<Json> = entries.iter().map(|(_, changes)| serde_json::from_str(changes).unwrap()).collect();
        assert!(!changes.is_empty());
        entries[0].0
    }
}

/// On whose behalf.
const ACTOR: &str = "ada@example.gov.uk";

impl Connection {
    async fn open(address: &str, is_sqlite: bool) -> Self {
        if is_sqlite {
            let connection = rusqlite::Connection::open(address).unwrap();
            // As the hub's.
            let pragmas = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                           PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;";
            connection.execute_batch(pragmas).unwrap();
            connection.set_prepared_statement_cache_capacity(64);
            return Connection { database: Database::Sqlite(connection), texts: HashMap::new() };
        }
        let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        Connection { database: Database::Postgres { client, prepared: HashMap::new() }, texts: HashMap::new() }
    }

    async fn batch(&mut self, sql: &str) {
        match &mut self.database {
            Database::Sqlite(connection) => connection.execute_batch(sql).unwrap(),
            Database::Postgres { client, .. } => client.batch_execute(sql).await.unwrap(),
        }
    }

    async fn begin(&mut self) {
        let immediate = if matches!(self.database, Database::Sqlite(_)) { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.batch(immediate).await;
    }

    async fn commit(&mut self) {
        self.batch("COMMIT").await;
    }

    /// Executes a statement, and returns how many rows it wrote.
    async fn execute(&mut self, sql: &str, values: &[&dyn Bound]) -> u64 {
        match &mut self.database {
            Database::Sqlite(connection) => {
                let values = values.iter().map(|value| *value as &dyn rusqlite::ToSql);
                let mut statement = connection.prepare_cached(sql).unwrap();
                statement.execute(rusqlite::params_from_iter(values)).unwrap() as u64
            }
            Database::Postgres { client, prepared } => {
                let statement = prepared_once(client, prepared, sql).await;
                let values: Vec<_> = values.iter().map(|value| *value as &(dyn ToSql + Sync)).collect();
                client.execute(&statement, &values).await.unwrap()
            }
        }
    }

    /// Executes a statement about a number of rows.
    async fn execute_of(&mut self, text: Text, rows: usize, values: &[&dyn Bound]) {
        let sql = Arc::clone(self.texts.entry((text, rows)).or_insert_with(|| text.of(rows).into()));
        self.execute(&sql, values).await;
    }

    async fn find(&mut self, id: Uuid) -> Option<Kept> {
        match &mut self.database {
            Database::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(FIND).unwrap();
                let kept = statement.query_row([id], |row| {
                    Ok(Kept { modified: row.get(0)?, version: row.get(1)?, _seen: row.get(2)? })
                });
                kept.map(Some)
                    .or_else(|error| match error {
                        rusqlite::Error::QueryReturnedNoRows => Ok(None),
                        error => Err(error),
                    })
                    .unwrap()
            }
            Database::Postgres { client, prepared } => {
                let statement = prepared_once(client, prepared, FIND).await;
                let row = client.query_opt(&statement, &[&id]).await.unwrap()?;
                Some(Kept { modified: row.get(0), version: row.get(1), _seen: row.get(2) })
            }
        }
    }

    async fn history(&mut self, id: Uuid, before: i64) -> Vec<(i64, String)> {
        match &mut self.database {
            Database::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(HISTORY).unwrap();
                let entries = statement.query_map((id, before), |row| Ok((row.get(0)?, row.get(5)?))).unwrap();
                entries.collect::<Result<_, _>>().unwrap()
            }
            Database::Postgres { client, prepared } => {
                let statement = prepared_once(client, prepared, HISTORY).await;
                let entries = client.query(&statement, &[&id, &before]).await.unwrap();
                entries.iter().map(|row| (row.get(0), row.get(5))).collect()
            }
        }
    }

    /// Stores records: their rows, what was seen, and an entry for each; of one record, the write that it comes from.
    async fn put(&mut self, records: &[Record], write: Option<(Uuid, &str, &Json)>) {
        if records.is_empty() {
            return;
        }
        self.put_rows(records).await;
        let seen: Vec<_> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let modified: Vec<_> = records.iter().map(Record::modified_ms).collect();
        let mut values: Values<'_> = Vec::with_capacity(records.len() * 3);
        for ((record, seen), modified) in records.iter().zip(&seen).zip(&modified) {
            values.extend([&record.id as &dyn Bound, modified, seen]);
        }
        self.execute_of(Text::See, records.len(), &values).await;
        // As in the hub's history, the entry of a record that is new says so and no more: what was seen has its values.
        let (operation, kind, changes) = match write {
            Some((operation, kind, changes)) => (Some(operation), kind, changes.to_string()),
            None => (None, "first_seen", "[]".to_owned()),
        };
        let now = now();
        let mut values: Values<'_> = Vec::with_capacity(records.len() * 6);
        for record in records {
            values.extend([&record.id as &dyn Bound, &now, &ACTOR, &kind, &operation, &changes]);
        }
        self.execute_of(Text::Append, records.len(), &values).await;
    }

    async fn put_rows(&mut self, records: &[Record]) {
        if records.is_empty() {
            return;
        }
        let amounts: Vec<_> = records.iter().map(Record::amount).collect();
        let values: Values<'_> =
            records.iter().zip(&amounts).flat_map(|(row, amount)| row_values(row, amount)).collect();
        self.execute_of(Text::Upsert, records.len(), &values).await;
    }
}

async fn prepared_once(
    client: &tokio_postgres::Client,
    prepared: &mut HashMap<String, tokio_postgres::Statement>,
    sql: &str,
) -> tokio_postgres::Statement {
    if let Some(statement) = prepared.get(sql) {
        return statement.clone();
    }
    let statement = client.prepare(sql).await.unwrap();
    prepared.insert(sql.to_owned(), statement.clone());
    statement
}

/// The values of a row, in the order of the columns.
fn row_values<'r>(row: &'r Record, amount: &'r Option<i64>) -> [&'r dyn Bound; 27] {
    [
        &row.id,
        &row.name,
        &row.alias,
        &row.company_number,
        &row.description,
        &row.website,
        &row.uk_organisation,
        &row.line_1,
        &row.line_2,
        &row.line_3,
        &row.line_4,
        &row.town,
        &row.county,
        &row.postcode,
        &row.country,
        &row.uk_region,
        &row.business_type,
        &row.sector,
        &row.employee_range,
        &row.turnover_range,
        &row.country_code,
        &row.area_code,
        &row.telephone_number,
        &row.email,
        amount,
        &row.parent,
        &row.state,
    ]
}
