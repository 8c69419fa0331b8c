//! Everything that is PostgreSQL's own: its connection, its types, its words for what went wrong.

use cdms_odata::Instant;
use diesel::Connection as _;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Nullable, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use uuid::Uuid;

use super::connection::{Connection, Dialect};
use super::failure::Trouble;
use super::statement::{ColumnType, Datum};
use crate::sql_types;

/// A connection as the store's threads use it: each waits for its own answers, on a small runtime of its own.
pub(crate) type PostgresConnection = AsyncConnectionWrapper<AsyncPgConnection>;

/// PostgreSQL's words.
pub(crate) static DIALECT: Dialect = Dialect {
    declared,
    keeps,
    numbered_key: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    engine_extras: ENGINE_EXTRAS,
    next_version: "SELECT nextval('datahub_versions')",
    columns_of: "SELECT found.attname::text, format_type(found.atttypid, found.atttypmod), found.attnotnull, \
                 found.atthasdef OR found.attidentity <> '', \
                 EXISTS (SELECT 1 FROM pg_index WHERE indrelid = found.attrelid AND indisprimary \
                 AND found.attnum = ANY (indkey)) \
                 FROM pg_attribute AS found WHERE found.attrelid = to_regclass(quote_ident(?)) \
                 AND found.attnum > 0 AND NOT found.attisdropped ORDER BY found.attnum",
    begin: Connection::begin,
    lock: Some("SELECT pg_advisory_xact_lock(hashtextextended(? || ' ' || ?, 7253))"),
    is_outage,
};

/// The sequence of versions, and the triggers that keep the history.
const ENGINE_EXTRAS: &str = "
CREATE SEQUENCE IF NOT EXISTS datahub_versions;
CREATE OR REPLACE FUNCTION datahub_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only: its rows are never changed or deleted', TG_TABLE_NAME; END $$;
DROP TRIGGER IF EXISTS datahub_history_rows ON datahub_history;
CREATE TRIGGER datahub_history_rows BEFORE UPDATE OR DELETE ON datahub_history
FOR EACH ROW EXECUTE FUNCTION datahub_append_only();
DROP TRIGGER IF EXISTS datahub_history_whole ON datahub_history;
CREATE TRIGGER datahub_history_whole BEFORE TRUNCATE ON datahub_history
FOR EACH STATEMENT EXECUTE FUNCTION datahub_append_only();
";

pub(super) fn establish(url: &str) -> Result<PostgresConnection, Trouble> {
    PostgresConnection::establish(url).map_err(|error| {
        Trouble::Unavailable(format!(
            "{error}; see that the server runs and that its address, user and password are right"
        ))
    })
}

/// English messages where this user may ask for them: what went wrong is told apart by words.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Trouble> {
    connection.batch("SET client_min_messages = warning")?;
    if let Err(Trouble::Unavailable(reason)) = connection.batch("SET lc_messages TO 'C'") {
        return Err(Trouble::Unavailable(reason));
    }
    Ok(())
}

const fn declared(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "TEXT",
        ColumnType::Integer => "INTEGER",
        ColumnType::BigInt => "BIGINT",
        ColumnType::Double => "DOUBLE PRECISION",
        ColumnType::Bool => "BOOLEAN",
        ColumnType::Date => "DATE",
        ColumnType::Guid => "UUID",
        ColumnType::Instant => "TIMESTAMP WITH TIME ZONE",
    }
}

fn keeps(found: &str, kind: ColumnType) -> bool {
    found.eq_ignore_ascii_case(declared(kind)) || (kind == ColumnType::Text && found.starts_with("character varying"))
}

/// Diesel passes on the text of a message and not its code; these are the words of PostgreSQL for what is wrong with a
/// server, a connection or a transaction as a whole.
fn is_outage(message: &str) -> bool {
    const OUTAGES: [&str; 16] = [
        "terminating connection",
        "canceling statement",
        "deadlock detected",
        "could not serialize",
        "could not extend file",
        "could not write",
        "could not read",
        "could not open",
        "could not access",
        "out of memory",
        "out of shared memory",
        "too many connections",
        "sorry, too many clients",
        "remaining connection slots",
        "the database system is",
        "cannot execute",
    ];
    OUTAGES.iter().any(|outage| message.contains(outage))
}

impl QueryFragment<Pg> for Datum {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
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

const MICROSECONDS: i64 = 1_000;

/// From 1970 to 2000, where PostgreSQL counts from.
const EPOCH_MS: i64 = 946_684_800_000;

impl ToSql<sql_types::Instant, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let microseconds = self.0.checked_sub(EPOCH_MS).and_then(|ms| ms.checked_mul(MICROSECONDS));
        let microseconds = microseconds.ok_or_else(|| format!("the time {self} is too far away to be stored"))?;
        std::io::Write::write_all(out, &microseconds.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql_types::Instant, Pg> for Instant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let microseconds = i64::from_be_bytes(value.as_bytes().try_into()?);
        Ok(Instant(microseconds.div_euclid(MICROSECONDS).saturating_add(EPOCH_MS)))
    }
}

impl FromSql<sql_types::Money, Pg> for i64 {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<BigInt, Pg>::from_sql(value)
    }
}

impl FromSql<sql_types::Decimal, Pg> for i64 {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<BigInt, Pg>::from_sql(value)
    }
}
