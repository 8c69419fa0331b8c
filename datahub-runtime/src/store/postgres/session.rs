//! One connection to a server. Statements run on the driver directly, so that error codes are available.
//!
//! If the session is the hub's own, statements stay prepared and settings stay set. A pooler that gives every
//! transaction another session keeps neither: then each transaction begins with the settings that the promises depend
//! on, and no statement is prepared by name, because the name may belong to another program.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, Row, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use uuid::Uuid;

use super::address::Address;
use super::failure::{self, causes};
use super::values;
use crate::store::failure::Trouble;
use crate::store::patience::Patience;
use crate::store::row::Cells;
use crate::store::statement::{ColumnType, Datum, Statement};

/// A connection for the store's threads: each waits for its own answers, on a small shared runtime.
pub(crate) struct PostgresConnection {
    client: Client,
    runtime: &'static Runtime,
    /// The token that identifies the session, if it is the hub's own.
    token: Option<String>,
    /// The statements that the server has prepared, by text.
    prepared: HashMap<String, tokio_postgres::Statement>,
    /// The statements that begin a transaction.
    begin: String,
    /// The number of open transactions and savepoints, which are nested.
    depth: usize,
    /// Whether the open transaction can only be rolled back.
    is_failed: bool,
    /// Whether it is unknown which transactions are open.
    is_broken: bool,
    /// Whether the server has closed the connection, which is noticed before the connection is used again.
    gone: Arc<AtomicBool>,
    /// How long an answer of the server may take.
    pub(crate) patience: Arc<Patience>,
}

/// Why a statement failed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The server or the connection reported an error.
    Told(Error),
    /// A value cannot be sent.
    Value(String),
    /// A row does not have the expected contents.
    Row(Trouble),
    /// The transaction had failed before.
    Failed,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::Told(error)
    }
}

impl Problem {
    /// Converts to the store's error, and returns whether the connection must be closed.
    pub(crate) fn trouble(self) -> (Trouble, bool) {
        match self {
            Problem::Told(error) if failure::is_forgotten(&error) => {
                let reason = format!("{error}: its tables have just been changed", error = causes(&error));
                (Trouble::Forgotten(reason), false)
            }
            Problem::Told(error) => failure::trouble(&error),
            Problem::Value(reason) => (Trouble::Refused(reason), false),
            Problem::Row(trouble) => (trouble, false),
            Problem::Failed => {
                let reason = "a transaction continued after an error and was rolled back; this is a bug";
                (Trouble::Other(reason.to_owned()), false)
            }
        }
    }
}

impl PostgresConnection {
    /// Connects, to another machine only over TLS unless the address says `sslmode=disable`.
    pub(crate) fn establish(address: &Address, patience: Duration) -> Result<PostgresConnection, Trouble> {
        let unusable = |reason: String| Trouble::Unavailable(format!("invalid address: {reason}"));
        // Another part of the program may already have installed a provider for the process. Either one works.
        _ = rustls::crypto::ring::default_provider().install_default();
        let tls = MakeRustlsConnect::new(address.tls().map_err(unusable)?);
        let runtime = runtime()?;
        let refused = |reason: String| {
            Trouble::Unavailable(format!(
                "{reason}; check that the server is running and that its address, user and password are correct"
            ))
        };
        let token = Uuid::new_v4().simple().to_string();
        let share = CONNECT_TIMEOUT / u32::try_from(address.configs.len()).unwrap_or(1);
        let mut connected = Err(refused("the address names no host".to_owned()));
        for config in &address.configs {
            let limit = config.get_connect_timeout().map_or(share, |asked| share.min(*asked));
            let connecting = connect_to(address, config, &tls, &token);
            connected = match runtime.block_on(async { tokio::time::timeout(limit, connecting).await }) {
                Ok(connected) => connected.map_err(|error| refused(causes(&error))),
                Err(_) => Err(refused(format!("the server did not answer within {} s", limit.as_secs_f64()))),
            };
            if connected.is_ok() {
                break;
            }
        }
        let (client, connection) = connected?;
        let gone = Arc::new(AtomicBool::new(false));
        let patience = Arc::new(Patience::new(patience));
        let (hung_up, runs_out) = (Arc::clone(&gone), Arc::clone(&patience));
        runtime.spawn(async move {
            // The socket is closed once it is recorded here that the server has closed the connection.
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                // An answer that has already arrived is accepted, even if the whole machine slept past the limit.
                biased;
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::warn!(error = %causes(&error), "a connection to the database has ended");
                    }
                }
                () = runs_out.runs_out() => {
                    tracing::warn!("a connection to the database is closed, because an answer took too long");
                }
            }
            hung_up.store(true, Ordering::Release);
        });
        Ok(PostgresConnection {
            client,
            runtime,
            token: Some(token),
            prepared: HashMap::new(),
            begin: BEGIN.to_owned(),
            depth: 0,
            is_failed: false,
            is_broken: false,
            gone,
            patience,
        })
    }

    /// Whether the session is the one that this connection started, which no other program uses.
    pub(super) fn is_own(&mut self) -> Result<bool, Problem> {
        let asked = Statement::new("SELECT current_setting(?, true)", [TOKEN.into()]);
        let found = self.query(&asked, &[ColumnType::Text])?.into_iter().next();
        let found = found.map(|mut row| row.optional_text()).transpose().map_err(Problem::Row)?.flatten();
        if found.is_none() || found != self.token {
            self.token = None;
            self.prepared.clear();
        }
        Ok(self.token.is_some())
    }

    /// Whether it keeps the settings of its session.
    pub(crate) fn has_own_session(&self) -> bool {
        self.token.is_some()
    }

    /// Lets every transaction begin with these statements in addition.
    pub(super) fn begin_with(&mut self, settings: &str) {
        self.begin = format!("{BEGIN}; {settings}");
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.depth > 0
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Problem> {
        self.asks(|client| client.batch_execute(sql)).map_err(Problem::Told)
    }

    pub(crate) fn execute(&mut self, statement: &Statement) -> Result<usize, Problem> {
        let touched = self.run(statement, Client::execute, Client::execute_typed)?;
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }

    pub(crate) fn query(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Problem> {
        let rows: Vec<Row> = self.run(statement, Client::query, Client::query_typed)?;
        rows.iter().map(|row| values::cells(row, types).map_err(Problem::Row)).collect()
    }

    /// The results of a handwritten statement that returns one text column.
    pub(crate) fn texts(&mut self, sql: &str) -> Result<Vec<String>, Problem> {
        let rows = self.asks(|client| client.query_typed(sql, &[]))?;
        let text = |row| values::cells(row, &[ColumnType::Text]).and_then(|mut row| row.text());
        rows.iter().map(|row| text(row).map_err(Problem::Row)).collect()
    }

    /// Begins a transaction, or a savepoint if a transaction is open.
    pub(crate) fn begin(&mut self) -> Result<(), Problem> {
        match self.depth {
            0 => self.batch(&self.begin.clone())?,
            depth => self.batch(&format!("SAVEPOINT datahub_{depth}"))?,
        }
        self.depth += 1;
        Ok(())
    }

    /// Commits the innermost transaction or releases the innermost savepoint. If that fails, a transaction has ended,
    /// and a savepoint must be rolled back.
    pub(crate) fn commit(&mut self) -> Result<(), Problem> {
        if self.is_failed {
            // The server would accept the COMMIT and roll back.
            return Err(Problem::Failed);
        }
        match self.depth {
            0 | 1 => {
                let committed = self.batch("COMMIT");
                self.depth = 0;
                self.is_failed = false;
                // Without an answer from the server, the commit may have happened or not.
                self.is_broken |= matches!(&committed, Err(Problem::Told(error)) if error.as_db_error().is_none());
                committed
            }
            depth => {
                self.batch(&format!("RELEASE SAVEPOINT datahub_{}", depth - 1))?;
                self.depth -= 1;
                Ok(())
            }
        }
    }

    /// Rolls back the innermost transaction or savepoint.
    pub(crate) fn roll_back(&mut self) -> Result<(), Problem> {
        let undone = match self.depth {
            0 => return Ok(()),
            1 => self.batch("ROLLBACK"),
            depth => {
                let name = format!("datahub_{}", depth - 1);
                self.batch(&format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}"))
            }
        };
        self.depth -= 1;
        self.is_failed = false;
        self.is_broken |= undone.is_err();
        undone
    }

    /// Waits for an answer, and records whether it makes the transaction fail.
    fn asks<'s, T, F: Future<Output = Result<T, Error>> + 's>(
        &'s mut self,
        ask: impl FnOnce(&'s Client) -> F,
    ) -> Result<T, Error> {
        let PostgresConnection { client, runtime, depth, is_failed, patience, .. } = self;
        let _waiting = patience.asks();
        let answer = runtime.block_on(ask(client));
        *is_failed |= answer.is_err() && *depth > 0;
        answer
    }

    /// Runs a statement as a prepared one if the server keeps it, and as a typed query otherwise.
    fn run<T>(
        &mut self,
        statement: &Statement,
        prepared: impl AsyncFn(&Client, &tokio_postgres::Statement, &[&(dyn ToSql + Sync)]) -> Result<T, Error>,
        typed: impl AsyncFn(&Client, &str, &[(&(dyn ToSql + Sync), Type)]) -> Result<T, Error>,
    ) -> Result<T, Problem> {
        let (sql, values) = statement.numbered();
        if let Some(reason) = values.iter().find_map(|value| value.unsendable()) {
            return Err(Problem::Value(reason));
        }
        let ran = if self.token.is_some() && statement.is_kept() {
            match self.run_prepared(&sql, &values, &prepared) {
                // Nothing has been executed yet, so the statement can be repeated.
                Err(error) if failure::is_forgotten(&error) && self.depth == 0 => {
                    self.run_prepared(&sql, &values, &prepared)
                }
                ran => ran,
            }
        } else {
            let values: Vec<_> = values.iter().map(|value| (*value as &(dyn ToSql + Sync), value.sql_type())).collect();
            self.asks(|client| typed(client, &sql, &values))
        };
        ran.map_err(Problem::Told)
    }

    fn run_prepared<T>(
        &mut self,
        sql: &str,
        values: &[&Datum],
        run: &impl AsyncFn(&Client, &tokio_postgres::Statement, &[&(dyn ToSql + Sync)]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let types: Vec<_> = values.iter().map(|value| value.sql_type()).collect();
        let known = self.prepared.get(sql).filter(|known| known.params() == types).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.asks(|client| client.prepare_typed(sql, &types))?;
                self.prepared.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        let values: Vec<_> = values.iter().map(|value| *value as &(dyn ToSql + Sync)).collect();
        let ran = self.asks(|client| run(client, &statement, &values));
        if ran.as_ref().is_err_and(failure::is_forgotten) {
            // The change may affect other statements as well.
            self.prepared.clear();
        }
        ran
    }
}

type Connected = (Client, tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

/// Connects to one host, and passes the token that identifies the session if possible.
async fn connect_to(
    address: &Address,
    config: &Config,
    tls: &MakeRustlsConnect,
    token: &str,
) -> Result<Connected, Error> {
    let mut config = config.clone();
    if config.get_application_name().is_none() {
        config.application_name("datahub-sync");
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNANSWERED_TIMEOUT);
    }
    if !address.has_keepalives {
        config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).keepalives_retries(2);
    }
    let mut own = config.clone();
    own.options(format!("{} -c {TOKEN}={token}", config.get_options().unwrap_or_default()).trim_start());
    match own.connect(tls.clone()).await {
        Err(error) if failure::takes_no_parameters(&error) => config.connect(tls.clone()).await,
        connected => connected,
    }
}

/// Each statement sees what was committed before it, whatever the server's settings are: a transaction waits for its
/// record's lock first, and must see what was stored in the meantime.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The setting that identifies a session.
const TOKEN: &str = "datahub.session";

/// How long connecting may take, for all hosts together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection may be silent before a keepalive is sent. A host that disappeared while it owed an answer is
/// noticed after three times as long.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// How long sent bytes may stay unacknowledged by a server that disappeared.
const UNANSWERED_TIMEOUT: Duration = Duration::from_secs(60);

/// The runtime that drives the sockets of all connections of the process.
fn runtime() -> Result<&'static Runtime, Trouble> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let builder = builder.worker_threads(1).thread_name("datahub-postgres").enable_all();
        builder.build().map_err(|error| error.to_string())
    });
    runtime.as_ref().map_err(|reason| Trouble::Unavailable(format!("a thread for it could not be started: {reason}")))
}
