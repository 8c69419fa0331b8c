//! Everything specific to PostgreSQL: its connection, types and error messages.

mod address;
mod connecting;
mod failure;
#[cfg(test)]
mod fake_server;
mod line;
mod pipeline;
mod session;
mod values;

use std::time::Duration;

use cdms_odata::Instant;
use datahub_model::schema::Database;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::BigInt;
use uuid::Uuid;

use super::connection::Connection;
use super::dialect::Dialect;
use super::failure::Trouble;
use super::statement::{ColumnType, Statement};
use crate::sql_types;
pub(crate) use address::Address;
pub(crate) use failure::Problem;
pub(crate) use session::PostgresConnection;

/// What is specific to PostgreSQL.
pub(crate) static DIALECT: Dialect = Dialect {
    database: Database::Postgres,
    next_version: "SELECT nextval('datahub_versions')",
    next_version_in_select: Some(", nextval('datahub_versions')"),
    clock: Some("SELECT clock_timestamp()"),
    guards_there: "SELECT found.tgname::text FROM pg_trigger AS found WHERE NOT found.tgisinternal \
                   AND found.tgenabled IN ('O', 'A') AND found.tgrelid IN \
                   (to_regclass('datahub_history'), to_regclass('datahub_erasures')) \
                   UNION ALL SELECT index.relname::text FROM pg_index AS found \
                   JOIN pg_class AS index ON index.oid = found.indexrelid \
                   WHERE found.indrelid = to_regclass('datahub_intents') AND found.indisunique AND found.indisvalid",
    guards: &[
        "datahub_history_rows",
        "datahub_history_changes",
        "datahub_history_whole",
        "datahub_erasures_rows",
        "datahub_erasures_whole",
    ],
    forget: None,
    unhurried: Some(UNHURRIED),
    alone: Some(ALONE),
    newest_version: "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM datahub_versions",
    columns_of: "SELECT found.attname::text, format_type(found.atttypid, found.atttypmod), found.attnotnull, \
                 found.atthasdef OR found.attidentity <> '', \
                 EXISTS (SELECT 1 FROM pg_index WHERE indrelid = found.attrelid AND indisprimary \
                 AND found.attnum = ANY (indkey)) \
                 FROM pg_attribute AS found WHERE found.attrelid = to_regclass(quote_ident(?)) \
                 AND found.attnum > 0 AND NOT found.attisdropped ORDER BY found.attnum",
    tables: "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
             AND relkind IN ('r', 'p') AND relname NOT LIKE 'datahub\\_%' AND relname <> '__diesel_schema_migrations' \
             ORDER BY relname",
    indexes_of: "SELECT made.relname::text, part.attname::text FROM pg_index AS found \
                 JOIN pg_class AS made ON made.oid = found.indexrelid \
                 CROSS JOIN LATERAL unnest(found.indkey) WITH ORDINALITY AS place (number, at) \
                 LEFT JOIN pg_attribute AS part ON part.attrelid = found.indrelid AND part.attnum = place.number \
                 WHERE found.indrelid = to_regclass(quote_ident(?)) AND NOT found.indisprimary \
                 ORDER BY made.relname, place.at",
    // An operator on JSON refuses U+0000 wherever it stands; what is asked of an element is not in a value.
    each_of_json: ("json_array_elements(CAST(replace(", ", '\\u0000', '\\u0020') AS json))"),
    text_of: "COALESCE(?::text, 'NULL')",
    unfinished_index: Some(
        "SELECT true FROM pg_index WHERE indexrelid = to_regclass(quote_ident(?)) AND NOT indisvalid",
    ),
    others_in_settings: Some(
        "SELECT pid::text || ' ' || virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND granted \
         AND relation = to_regclass('datahub_settings') AND pid <> pg_backend_pid() \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
    has_unicode: Some("SELECT true FROM pg_collation WHERE collname = 'und-x-icu'"),
    has_writing_subqueries: true,
    begin: Connection::begin,
    // From here on all deferrable rules are deferred, and are checked the same way at the end.
    check_deferred: Some("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"),
    lock: Some("SELECT pg_advisory_xact_lock(hashtextextended(? || ' ' || wanted.column1, 7253)) FROM "),
};

/// How long a statement may run and a transaction may idle, unless the address or the server's settings say otherwise:
/// a thread that waits forever is of no use.
const BOUNDS: &str = "SELECT set_config(name, bound, false) FROM \
                      (VALUES ('statement_timeout', '30s'), ('idle_in_transaction_session_timeout', '60s')) \
                      AS bounds (name, bound) WHERE current_setting(name) IN ('0', '0ms')";

/// Creating an index of a long history takes longer than other statements may. Other programs queue behind the lock
/// that an upgrade waits for, so the upgrade gives up as early as they would.
const UNHURRIED: &str = "SELECT set_config(name, bound, true) FROM \
                         (VALUES ('statement_timeout', '1h', 3600000), ('lock_timeout', '30s', 1)) \
                         AS bounds (name, bound, least) JOIN pg_settings USING (name) WHERE setting::bigint < least";

/// An upgrade changes tables that every operation reads before it writes. If it took a weaker lock first and this one
/// later, it could deadlock with a writer. The order is that of the operations, which access the records first.
const ALONE: &str =
    "LOCK TABLE datahub_records, datahub_intents, datahub_history, datahub_erasures IN ACCESS EXCLUSIVE MODE";

/// The isolation level of statements outside a transaction.
const ISOLATION: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// A commit waits for the disk, even if the settings of the server, the database or the user say otherwise: an intent
/// must not be lost in a crash of the server. Only the address can change this, with `options=-c
/// synchronous_commit=off`.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) FROM pg_settings \
                       WHERE name = 'synchronous_commit' AND setting = 'off' AND source <> 'client'";

/// The same settings for a single transaction, as one text of statements, for sessions that are not the hub's own. All
/// of them are always set, because another program may have changed them in the session.
const OF_TRANSACTION: &str = "SELECT string_agg(format('SET LOCAL %s = %L', name, \
                              CASE WHEN reset_val IN ('0', 'off') THEN bound ELSE reset_val END), '; ') FROM \
                              (VALUES ('statement_timeout', '30s'), ('idle_in_transaction_session_timeout', '60s'), \
                              ('synchronous_commit', 'on')) AS bounds (name, bound) JOIN pg_settings USING (name)";

/// The server's time limit for statements, in milliseconds.
const STATEMENT_MS: &str = "SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'";

/// Sets time limits, including the hub's own: for the session, or for every transaction if a pooler shares sessions.
pub(super) fn prepare(connection: &mut Connection, grace: Duration) -> Result<(), Trouble> {
    let is_own = connection.postgres().map_or(Ok(true), PostgresConnection::is_own);
    let is_own = is_own.map_err(|problem| connection.trouble_of_server(problem))?;
    let mut statement_ms = BOUND_MS;
    if is_own {
        connection.batch("SET client_min_messages = warning; SET TIME ZONE 'UTC'")?;
        connection.batch(ISOLATION)?;
        connection.batch(BOUNDS)?;
        connection.batch(DURABLE)?;
        let answer = connection.rows(&Statement::new(STATEMENT_MS, []), &[ColumnType::BigInt])?.into_iter().next();
        let mut row =
            answer.ok_or_else(|| Trouble::Corrupt("the query for the server's settings returned no row".to_owned()))?;
        statement_ms = row.number()?;
    } else {
        let settings = connection.rows(&Statement::new(OF_TRANSACTION, []), &[ColumnType::Text])?.into_iter().next();
        let settings = settings.map(|mut row| row.optional_text()).transpose()?.flatten();
        if let (Some(settings), Some(connection)) = (settings, connection.postgres()) {
            connection.begin_with(&settings);
        }
        tracing::info!("a pooler shares the database's sessions; the hub configures every transaction separately");
    }
    connection.limit_patience(Duration::from_millis(u64::try_from(statement_ms).unwrap_or(0)).saturating_add(grace));
    Ok(())
}

/// The time limit for statements in milliseconds, if no other is known.
const BOUND_MS: i64 = 30_000;

impl ToSql<sql_types::Guid, Pg> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<diesel::sql_types::Uuid, Pg>::to_sql(self, out)
    }
}

impl FromSql<sql_types::Guid, Pg> for Uuid {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<diesel::sql_types::Uuid, Pg>::from_sql(value)
    }
}

impl ToSql<sql_types::Instant, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, &values::microseconds(*self)?.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql_types::Instant, Pg> for Instant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(values::instant(i64::from_be_bytes(value.as_bytes().try_into()?)))
    }
}

impl FromSql<sql_types::Money, Pg> for i64 {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<BigInt, Pg>::from_sql(value)
    }
}

impl<const SCALE: u32> FromSql<sql_types::Decimal<SCALE>, Pg> for i64 {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<BigInt, Pg>::from_sql(value)
    }
}
