//! Real databases to migrate: SQLite in memory, and a schema of its own on the PostgreSQL that the environment names.

use std::sync::atomic::{AtomicU64, Ordering};

use datahub_migrate::{Part, Plan, statements, up};
use datahub_model::schema::Database;
use datahub_model::schema::engine::rules;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A database without tables.
pub(crate) enum Real {
    Sqlite(SqliteConnection),
    Postgres { runtime: Runtime, client: Client, schema: String },
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    value: Option<String>,
}

/// The databases to test on.
///
/// # Panics
///
/// If PostgreSQL is neither given nor left out on purpose.
pub(crate) fn all() -> Vec<Database> {
    if std::env::var("DATAHUB_TESTS").as_deref() == Ok("sqlite-only") {
        return vec![Database::Sqlite];
    }
    vec![Database::Sqlite, Database::Postgres]
}

impl Real {
    pub(crate) fn new(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let mut connection = SqliteConnection::establish(":memory:").unwrap();
                connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
                Real::Sqlite(connection)
            }
            Database::Postgres => {
                static NUMBER: AtomicU64 = AtomicU64::new(0);
                let url = std::env::var("DATAHUB_TESTS_POSTGRES").expect(
                    "no PostgreSQL to test on: run `cargo xtask test`, or set DATAHUB_TESTS_POSTGRES; \
                     DATAHUB_TESTS=sqlite-only leaves it out on purpose",
                );
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
                let (client, connection) = runtime.block_on(tokio_postgres::connect(&url, NoTls)).unwrap();
                runtime.spawn(connection);
                let schema = format!("migrating_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
                let mut real = Real::Postgres { runtime, client, schema };
                real.empty();
                real
            }
        }
    }

    /// Removes everything. For PostgreSQL a new connection is more expensive.
    pub(crate) fn empty(&mut self) {
        match self {
            Real::Sqlite(_) => *self = Real::new(Database::Sqlite),
            Real::Postgres { schema, .. } => {
                let sql = format!(
                    "SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; \
                     SET search_path = {schema}; SET synchronous_commit = off"
                );
                self.run(&sql);
            }
        }
    }

    pub(crate) fn database(&self) -> Database {
        match self {
            Real::Sqlite(_) => Database::Sqlite,
            Real::Postgres { .. } => Database::Postgres,
        }
    }

    pub(crate) fn try_run(&mut self, sql: &str) -> Result<(), String> {
        match self {
            Real::Sqlite(connection) => connection.batch_execute(sql).map_err(|error| format!("{error}\n{sql}")),
            Real::Postgres { runtime, client, .. } => runtime.block_on(client.batch_execute(sql)).map_err(|error| {
                let cause = error.as_db_error().map(|error| error.message().to_owned());
                format!("{error}: {cause:?}\n{sql}")
            }),
        }
    }

    pub(crate) fn run(&mut self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The first column of an answer, as text; it must be called `value`.
    pub(crate) fn values(&mut self, sql: &str) -> Vec<Option<String>> {
        match self {
            Real::Sqlite(connection) => {
                let rows = diesel::sql_query(sql).load::<Text>(connection);
                rows.unwrap_or_else(|error| panic!("{error}\n{sql}")).into_iter().map(|row| row.value).collect()
            }
            Real::Postgres { runtime, client, .. } => {
                let rows = runtime.block_on(client.simple_query(sql)).unwrap_or_else(|error| panic!("{error}\n{sql}"));
                let rows = rows.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
                    _ => None,
                });
                rows.collect()
            }
        }
    }

    /// The number of rows that a query returns.
    pub(crate) fn count(&mut self, query: &str) -> u64 {
        let query = format!("SELECT CAST(count(*) AS TEXT) AS value FROM ({query}) AS rows_found");
        self.values(&query)[0].as_deref().unwrap().parse().unwrap()
    }

    /// Executes a part as it must be: asks its checks, then executes it in one transaction or one statement at a time.
    ///
    /// # Errors
    ///
    /// The description of a check that found rows.
    pub(crate) fn execute(&mut self, part: &Part) -> Result<(), String> {
        let database = self.database();
        for check in &part.checks {
            if self.count(&check.query) != 0 {
                return Err(check.description.clone());
            }
        }
        let sql = up(part, database);
        if part.kind.in_transaction(database) {
            self.run(&format!("BEGIN;\n{sql}\nCOMMIT;"));
        } else {
            // Twice, because an interrupted run is repeated.
            for statement in statements(&sql).into_iter().chain(statements(&sql)) {
                self.run_with_history(statement);
            }
        }
        Ok(())
    }

    /// Runs a statement, for which a run of migrations lifts the rule that the history is append-only.
    fn run_with_history(&mut self, statement: &str) {
        let rules = rules(self.database());
        let lift = match self.database() {
            Database::Sqlite => "DROP TRIGGER datahub_history_no_update",
            Database::Postgres => "DROP TRIGGER datahub_history_changes ON datahub_history",
        };
        if statement.contains("UPDATE datahub_history") {
            self.run(&format!("BEGIN;\n{lift};\n{statement};\n{rules}\nCOMMIT;"));
        } else {
            self.run(statement);
        }
    }

    /// Executes all parts, which nothing must keep from it.
    pub(crate) fn migrate(&mut self, plan: &Plan) {
        for part in plan.parts(self.database()) {
            self.execute(&part).unwrap();
        }
    }

    /// Everything that a schema consists of, one line each, sorted; without the epochs.
    pub(crate) fn shape(&mut self) -> Vec<String> {
        let sql = match self.database() {
            Database::Sqlite => {
                "SELECT name || ' ' || type || ' of ' || tbl_name || coalesce(': ' || (SELECT group_concat(name, ',') \
                   FROM (SELECT info.name FROM pragma_index_info(sqlite_schema.name) AS info ORDER BY seqno)), '') AS value \
                   FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' \
                 UNION ALL SELECT s.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || c.pk || ' ' || \
                   coalesce(c.dflt_value, '') FROM sqlite_schema AS s, pragma_table_info(s.name) AS c WHERE s.type = 'table' \
                 UNION ALL SELECT name || ' = ' || value FROM datahub_settings WHERE name NOT LIKE 'epoch:%' ORDER BY 1"
            }
            Database::Postgres => {
                "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || \
                   coalesce(column_default, '') AS value FROM information_schema.columns WHERE table_schema = current_schema() \
                 UNION ALL SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes \
                   WHERE schemaname = current_schema() AND indexname NOT LIKE '%pkey%' \
                 UNION ALL SELECT 'trigger ' || tgname || ' of ' || tgrelid::regclass FROM pg_trigger JOIN pg_class ON \
                   pg_class.oid = tgrelid WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal \
                 UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace \
                 UNION ALL SELECT 'rule ' || contype::text || ' of ' || conrelid::regclass || ': ' || \
                   pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace \
                 UNION ALL SELECT name || ' = ' || value FROM datahub_settings WHERE name NOT LIKE 'epoch:%' ORDER BY 1"
            }
        };
        self.values(sql).into_iter().flatten().collect()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        if let Real::Postgres { runtime, client, schema } = self {
            _ = runtime.block_on(client.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")));
        }
    }
}
