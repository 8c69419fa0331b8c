//! The databases to measure on, and new ones of each.

use std::env;
use std::path::Path;

use tempfile::TempDir;
use uuid::Uuid;

/// A kind of database, and whether it waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    SqliteInMemory,
    SqliteOnDisk,
    PostgresWithoutFsync,
    PostgresWithFsync,
}

/// Where files in memory are.
const MEMORY: &str = "/dev/shm";

/// The files of SQLite.
const HUB: &str = "hub.db";
const FLOOR: &str = "floor.db";

impl Kind {
    /// The kinds that this machine has.
    pub(crate) fn all() -> Vec<Self> {
        let mut kinds = vec![Kind::SqliteOnDisk];
        if Path::new(MEMORY).is_dir() {
            kinds.insert(0, Kind::SqliteInMemory);
        }
        kinds.extend(
            [Kind::PostgresWithoutFsync, Kind::PostgresWithFsync].into_iter().filter(|kind| kind.server().is_some()),
        );
        kinds
    }

    /// Those that do not wait for a disk, and thus show what the programs do.
    pub(crate) fn fast() -> Vec<Self> {
        let mut kinds = Self::all();
        let is_in_memory = kinds.contains(&Kind::SqliteInMemory);
        kinds.retain(|kind| *kind != Kind::PostgresWithFsync && (*kind != Kind::SqliteOnDisk || !is_in_memory));
        kinds
    }

    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::SqliteInMemory => "SQLite, in memory",
            Kind::SqliteOnDisk => "SQLite, on a disk",
            Kind::PostgresWithoutFsync => "PostgreSQL without fsync",
            Kind::PostgresWithFsync => "PostgreSQL with fsync",
        }
    }

    pub(crate) fn is_sqlite(self) -> bool {
        matches!(self, Kind::SqliteInMemory | Kind::SqliteOnDisk)
    }

    fn server(self) -> Option<String> {
        match self {
            Kind::SqliteInMemory | Kind::SqliteOnDisk => None,
            Kind::PostgresWithoutFsync => env::var("DATAHUB_BENCH_POSTGRES").ok(),
            Kind::PostgresWithFsync => env::var("DATAHUB_BENCH_POSTGRES_FSYNC").ok(),
        }
    }
}

/// A new database; for SQLite a folder, for PostgreSQL a schema.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    at: At,
}

enum At {
    Folder(TempDir),
    Schema { server: String, name: String },
}

impl Place {
    /// An empty database.
    pub(crate) async fn make(kind: Kind) -> Self {
        let at = match kind.server() {
            None if kind == Kind::SqliteInMemory => At::Folder(TempDir::new_in(MEMORY).unwrap()),
            None => At::Folder(TempDir::new().unwrap()),
            Some(server) => {
                let name = format!("bench_{}", Uuid::new_v4().simple());
                run_on(&server, &format!("CREATE SCHEMA {name}")).await;
                At::Schema { server, name }
            }
        };
        Place { kind, at }
    }

    /// The same database, reached at another address than the server's own; does nothing for a file.
    pub(crate) async fn through<F: Future<Output = String>>(mut self, address: impl FnOnce(String) -> F) -> Self {
        if let At::Schema { server, .. } = &mut self.at {
            let begin = server.find('@').or_else(|| server.find("://").map(|scheme| scheme + 2)).unwrap() + 1;
            let end = server[begin..].find('/').map_or(server.len(), |path| begin + path);
            let other = address(server[begin..end].to_owned()).await;
            server.replace_range(begin..end, &other);
        }
        self
    }

    /// The address of the hub's database.
    pub(crate) fn hub(&self) -> String {
        match &self.at {
            At::Folder(folder) => format!("sqlite://{}", folder.path().join(HUB).display()),
            At::Schema { server, name } => in_schema(server, name),
        }
    }

    /// The address of the floor's database, which is a file of its own on SQLite.
    pub(crate) fn floor(&self) -> String {
        match &self.at {
            At::Folder(folder) => folder.path().join(FLOOR).display().to_string(),
            At::Schema { server, name } => in_schema(server, name),
        }
    }

    /// Removes the database.
    pub(crate) async fn remove(self) {
        if let At::Schema { server, name } = &self.at {
            run_on(server, &format!("DROP SCHEMA {name} CASCADE")).await;
        }
    }
}

fn in_schema(server: &str, name: &str) -> String {
    let sign = if server.contains('?') { '&' } else { '?' };
    format!("{server}{sign}options=-c%20search_path%3D{name}")
}

async fn run_on(server: &str, sql: &str) {
    connect(server).await.batch_execute(sql).await.unwrap();
}

/// The bytes of each table, with its indexes.
const SIZES_SQLITE: &str = "SELECT made.tbl_name, sum(part.pgsize) FROM dbstat AS part \
                            JOIN sqlite_master AS made ON made.name = part.name GROUP BY made.tbl_name ORDER BY 1";

const SIZES_POSTGRES: &str = "SELECT relname::text, pg_total_relation_size(oid) FROM pg_class \
                              WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1";

impl Place {
    /// The tables of both sides, each with its bytes on the disk.
    pub(crate) async fn sizes(&self) -> Vec<(String, u64)> {
        let bytes = |bytes: i64| u64::try_from(bytes).unwrap();
        match &self.at {
            At::Folder(folder) => {
                let of_file = |is_hub| {
                    let connection = open(folder, is_hub);
                    let mut sizes = connection.prepare(SIZES_SQLITE).unwrap();
                    let sizes = sizes.query_map([], |row| Ok((row.get(0)?, bytes(row.get(1)?)))).unwrap();
                    sizes.collect::<Result<Vec<_>, _>>().unwrap()
                };
                [of_file(true), of_file(false)].concat()
            }
            At::Schema { server, name } => {
                let client = connect(&in_schema(server, name)).await;
                let sizes = client.query(SIZES_POSTGRES, &[]).await.unwrap();
                sizes.iter().map(|row| (row.get(0), bytes(row.get(1)))).collect()
            }
        }
    }
}

impl Place {
    /// Runs SQL on the hub's database or the floor's, to set a scene; it does not wait for the disk.
    pub(crate) async fn run(&self, is_hub: bool, sql: &str) {
        match &self.at {
            At::Folder(folder) => {
                let connection = open(folder, is_hub);
                connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000;").unwrap();
                connection.execute_batch(sql).unwrap();
            }
            At::Schema { server, name } => run_on(&in_schema(server, name), sql).await,
        }
    }

    /// The columns of a table, quoted, apart from these.
    pub(crate) async fn columns(&self, is_hub: bool, table: &str, without: &[&str]) -> Vec<String> {
        let columns: Vec<String> = match &self.at {
            At::Folder(folder) => {
                let connection = open(folder, is_hub);
                let mut columns = connection.prepare("SELECT name FROM pragma_table_info(?)").unwrap();
                let columns = columns.query_map([table], |row| row.get(0)).unwrap();
                columns.collect::<Result<_, _>>().unwrap()
            }
            At::Schema { server, name } => {
                let client = connect(&in_schema(server, name)).await;
                let sql = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 \
                           AND NOT attisdropped ORDER BY attnum";
                client.query(sql, &[&table]).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
        };
        let wanted = columns.into_iter().filter(|column| !without.contains(&column.as_str()));
        wanted.map(|column| format!("\"{column}\"")).collect()
    }
}

fn open(folder: &TempDir, is_hub: bool) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(folder.path().join(if is_hub { HUB } else { FLOOR })).unwrap();
    connection.execute_batch("PRAGMA busy_timeout = 60000").unwrap();
    connection
}

async fn connect(address: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
