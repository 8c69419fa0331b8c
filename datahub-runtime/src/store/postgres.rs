//! Everything that is PostgreSQL's own: its connection, its types, its words for what went wrong.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cdms_odata::Instant;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Nullable, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use uuid::Uuid;

use super::connection::{Connection, Dialect};
use super::failure::Trouble;
use super::patience::Patience;
use super::statement::{ColumnType, Datum, Statement};
use crate::sql_types;

/// A connection as the store's threads use it: each waits for its own answers, on a small runtime of its own.
pub(crate) struct PostgresConnection {
    pub(super) inner: AsyncConnectionWrapper<AsyncPgConnection>,
    /// Whether the server has hung up, which is known before the connection is used again.
    gone: Arc<AtomicBool>,
    /// How long the server may owe an answer.
    pub(super) patience: Arc<Patience>,
}

impl PostgresConnection {
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

/// PostgreSQL's words.
pub(crate) static DIALECT: Dialect = Dialect {
    declared,
    keeps,
    numbered_key: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    engine_extras: ENGINE_EXTRAS,
    next_version: "SELECT nextval('datahub_versions')",
    clock: Some("SELECT clock_timestamp()"),
    guards_there: "SELECT found.tgname::text FROM pg_trigger AS found WHERE NOT found.tgisinternal \
                   AND found.tgenabled IN ('O', 'A') AND found.tgrelid IN \
                   (to_regclass('datahub_history'), to_regclass('datahub_erasures')) \
                   UNION ALL SELECT index.relname::text FROM pg_index AS found \
                   JOIN pg_class AS index ON index.oid = found.indexrelid \
                   WHERE found.indrelid = to_regclass('datahub_intents') AND found.indisunique AND found.indisvalid",
    guards: &[
        "datahub_intents_open",
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
    begin: Connection::begin,
    lock: Some("SELECT pg_advisory_xact_lock(hashtextextended(? || ' ' || wanted.column1, 7253)) FROM "),
    is_outage,
};

/// The sequence of versions, and the triggers that keep the history: its rows are never deleted, and changed only by an
/// erasure of their record, once, in what they say of values.
const ENGINE_EXTRAS: &str = "
CREATE SEQUENCE IF NOT EXISTS datahub_versions;
CREATE OR REPLACE FUNCTION datahub_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only: its rows are never changed or deleted', TG_TABLE_NAME; END $$;
CREATE OR REPLACE FUNCTION datahub_erased_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF OLD.erased IS NULL
    AND EXISTS (SELECT 1 FROM datahub_erasures AS erasure
                WHERE erasure.sequence = NEW.erased AND erasure.entity = OLD.entity AND erasure.id = OLD.id)
    AND (NEW.sequence, NEW.entity, NEW.id, NEW.model, NEW.version, NEW.at, NEW.actor,
      NEW.program, NEW.origin, NEW.kind, NEW.operation, NEW.mapping_id, NEW.modified,
      NEW.modified_by, NEW.skew_ms)
        IS NOT DISTINCT FROM
        (OLD.sequence, OLD.entity, OLD.id, OLD.model, OLD.version, OLD.at, OLD.actor,
      OLD.program, OLD.origin, OLD.kind, OLD.operation, OLD.mapping_id, OLD.modified,
      OLD.modified_by, OLD.skew_ms)
    AND NEW.constants = '{}'
    AND NOT EXISTS (SELECT FROM jsonb_array_elements(NEW.changes::jsonb) AS change
                    WHERE change -> 'from' <> '[]' OR change -> 'to' <> '[]' OR change ? 'note')
    AND NOT EXISTS (SELECT FROM jsonb_array_elements(NEW.local::jsonb) AS change
                    WHERE change -> 'from' <> 'null' OR change ? 'to')
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION '% is append-only: its rows are never changed, but by erase()', TG_TABLE_NAME;
END $$;
DROP TRIGGER IF EXISTS datahub_history_rows ON datahub_history;
CREATE TRIGGER datahub_history_rows BEFORE DELETE ON datahub_history
FOR EACH ROW EXECUTE FUNCTION datahub_append_only();
DROP TRIGGER IF EXISTS datahub_history_changes ON datahub_history;
CREATE TRIGGER datahub_history_changes BEFORE UPDATE ON datahub_history
FOR EACH ROW EXECUTE FUNCTION datahub_erased_only();
DROP TRIGGER IF EXISTS datahub_history_whole ON datahub_history;
CREATE TRIGGER datahub_history_whole BEFORE TRUNCATE ON datahub_history
FOR EACH STATEMENT EXECUTE FUNCTION datahub_append_only();
DROP TRIGGER IF EXISTS datahub_erasures_rows ON datahub_erasures;
CREATE TRIGGER datahub_erasures_rows BEFORE UPDATE OR DELETE ON datahub_erasures
FOR EACH ROW EXECUTE FUNCTION datahub_append_only();
DROP TRIGGER IF EXISTS datahub_erasures_whole ON datahub_erasures;
CREATE TRIGGER datahub_erasures_whole BEFORE TRUNCATE ON datahub_erasures
FOR EACH STATEMENT EXECUTE FUNCTION datahub_append_only();
";

/// Connects; to another machine only over TLS, unless the address says `sslmode=disable`.
pub(super) fn establish(url: &str, patience: Duration) -> Result<PostgresConnection, Trouble> {
    let unusable = |reason: String| Trouble::Unavailable(format!("the address cannot be used: {reason}"));
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| unusable(causes(&error)))?;
    if config.get_ssl_mode() == SslMode::Prefer && config.get_hosts().iter().any(is_elsewhere) {
        config.ssl_mode(SslMode::Require);
    }
    if config.get_application_name().is_none() {
        config.application_name("datahub-sync");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNANSWERED_TIMEOUT);
    }
    if !url.contains("keepalives") {
        config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).keepalives_retries(2);
    }
    // Somebody else may have chosen a provider for the process already; either serves.
    _ = rustls::crypto::ring::default_provider().install_default();
    let tls = rustls::ClientConfig::with_platform_verifier().map_err(|error| unusable(error.to_string()))?;
    let runtime = runtime()?;
    // The connection takes the runtime that it is made in.
    let _entered = runtime.enter();
    let refused = |reason: String| {
        Trouble::Unavailable(format!(
            "{reason}; see that the server runs and that its address, user and password are right"
        ))
    };
    let connection = runtime.block_on(async {
        let until = tokio::time::Instant::now() + CONNECT_TIMEOUT;
        let silent = |_| refused(format!("the server did not answer within {} s", CONNECT_TIMEOUT.as_secs()));
        let connecting = tokio::time::timeout_at(until, config.connect(MakeRustlsConnect::new(tls)));
        let (client, connection) = connecting.await.map_err(silent)?.map_err(|error| refused(causes(&error)))?;
        let gone = Arc::new(AtomicBool::new(false));
        let patience = Arc::new(Patience::new(patience));
        let (hung_up, runs_out) = (Arc::clone(&gone), Arc::clone(&patience));
        tokio::spawn(async move {
            tokio::select! {
                // An answer that is there already is taken, also where the whole machine slept past the limit.
                biased;
                ended = connection => {
                    if let Err(error) = ended {
                        tracing::warn!(error = %causes(&error), "a connection to the database has ended");
                    }
                }
                () = runs_out.runs_out() => {
                    tracing::warn!("a connection to the database is given up, because it owed an answer for too long");
                }
            }
            hung_up.store(true, Ordering::Release);
        });
        // It asks the first questions, which a pooler may pass on to a server that it has not got.
        let making = tokio::time::timeout_at(until, AsyncPgConnection::try_from(client));
        let made = making.await.map_err(silent)?.map_err(|error| refused(error.to_string()))?;
        Ok((made, gone, patience))
    });
    let (made, gone, patience) = connection?;
    Ok(PostgresConnection { inner: AsyncConnectionWrapper::from(made), gone, patience })
}

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long nothing may come from a server before it is asked whether it is there: a host that went away while it owed an
/// answer is noticed after three times as long.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// How long a server that is gone without a word may leave bytes unanswered.
const UNANSWERED_TIMEOUT: Duration = Duration::from_secs(60);

/// The runtime that drives the sockets of all connections of the process.
fn runtime() -> Result<&'static Runtime, Trouble> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let builder = builder.worker_threads(1).thread_name("datahub-postgres").enable_all();
        builder.build().map_err(|error| error.to_string())
    });
    runtime.as_ref().map_err(|reason| Trouble::Unavailable(format!("no thread could be started for it: {reason}")))
}

fn is_elsewhere(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => !(name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())),
        #[cfg(unix)]
        Host::Unix(_) => false,
    }
}

/// An error with its causes: the outermost alone says little.
fn causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// How long a statement may take, and how long a transaction may idle, where neither the address nor the server's own
/// settings say so: a thread that waits for ever serves nobody.
const BOUNDS: &str = "SELECT set_config(name, bound, false) FROM \
                      (VALUES ('statement_timeout', '30s'), ('idle_in_transaction_session_timeout', '60s')) \
                      AS bounds (name, bound) WHERE current_setting(name) IN ('0', '0ms')";

/// An index over a long history takes longer than statements otherwise may. What an upgrade waits for, others wait for too
/// behind it, so that it gives up as soon as they would.
const UNHURRIED: &str = "SELECT set_config(name, bound, true) FROM \
                         (VALUES ('statement_timeout', '1h', 3600000), ('lock_timeout', '30s', 1)) \
                         AS bounds (name, bound, least) JOIN pg_settings USING (name) WHERE setting::bigint < least";

/// An upgrade changes the tables that every operation reads before it writes: with a weaker lock at first and this one in
/// the end, it and a writer would wait for each other. In the order in which the operations ask for them: whoever asks for
/// records asks for them first.
const ALONE: &str =
    "LOCK TABLE datahub_records, datahub_intents, datahub_history, datahub_erasures IN ACCESS EXCLUSIVE MODE";

/// Each statement sees what was committed before it, whatever the server's settings say: a transaction waits for its
/// record's lock first, and has to see what was stored meanwhile.
const ISOLATION: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// A commit waits for the disk, even where the server's settings, the database's or the user's say otherwise: an intent
/// that a crash of the server takes back was not noted. Only the address itself can say otherwise, with
/// `options=-c synchronous_commit=off`.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) FROM pg_settings \
                       WHERE name = 'synchronous_commit' AND setting = 'off' AND source <> 'client'";

/// The language of messages, and for how many milliseconds a statement may run.
const SETTINGS: &str = "SELECT current_setting('lc_messages'), \
                        (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout')";

/// Bounds, also of the hub's own patience, and English messages where this user may ask for them: what went wrong is told
/// apart by words.
pub(super) fn prepare(connection: &mut Connection, grace: Duration) -> Result<(), Trouble> {
    connection.batch("SET client_min_messages = warning")?;
    connection.batch(ISOLATION)?;
    connection.batch(BOUNDS)?;
    connection.batch(DURABLE)?;
    if let Err(Trouble::Unavailable(reason)) = connection.batch("SET lc_messages TO 'C'") {
        return Err(Trouble::Unavailable(reason));
    }
    let asked = Statement::new(SETTINGS, []);
    let answer = connection.query(&asked, &[ColumnType::Text, ColumnType::BigInt])?.into_iter().next();
    let mut settings = answer.ok_or_else(|| Trouble::Corrupt("the server does not tell its settings".to_owned()))?;
    let (language, statement_ms) = (settings.text()?, settings.number()?);
    connection.limit_patience(Duration::from_millis(u64::try_from(statement_ms).unwrap_or(0)).saturating_add(grace));
    if is_english(&language) {
        return Ok(());
    }
    Err(Trouble::Unavailable(format!(
        "its messages are in the language {language:?}, and an outage could be taken for a rule of the database; let an \
         administrator say ALTER ROLE … SET lc_messages = 'C' for the hub's user"
    )))
}

fn is_english(language: &str) -> bool {
    matches!(language, "" | "C" | "POSIX") || language.starts_with("C.") || language.starts_with("en")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_clear_text() {
        for (host, elsewhere) in [
            ("localhost", false),
            ("127.0.0.1", false),
            ("::1", false),
            ("10.0.0.7", true),
            ("db.example.gov.uk", true),
            ("localhost.example.com", true),
        ] {
            assert_eq!(is_elsewhere(&Host::Tcp(host.to_owned())), elsewhere, "{host}");
        }
    }

    #[test]
    fn columns_are_judged_by_what_they_keep() {
        for (declared, kind, kept) in [
            ("timestamp with time zone", ColumnType::Instant, true),
            ("timestamp without time zone", ColumnType::Instant, false),
            ("bigint", ColumnType::BigInt, true),
            ("integer", ColumnType::BigInt, false),
            ("numeric(12,4)", ColumnType::BigInt, false),
            ("character varying(160)", ColumnType::Text, true),
            ("uuid", ColumnType::Guid, true),
            ("bytea", ColumnType::Guid, false),
        ] {
            assert_eq!(keeps(declared, kind), kept, "{declared} for {kind:?}");
        }
    }

    #[test]
    fn messages_are_understood_in_english_alone() {
        for (language, understood) in [
            ("C", true),
            ("C.UTF-8", true),
            ("en_GB.UTF-8", true),
            ("", true),
            ("de_DE.UTF-8", false),
            ("Czech", false),
        ] {
            assert_eq!(is_english(language), understood, "{language}");
        }
    }

    #[test]
    fn only_postgresqls_own_outages_are_outages() {
        assert!(is_outage("terminating connection due to administrator command"));
        assert!(!is_outage("value too long for type character varying(10)"));
    }
}
