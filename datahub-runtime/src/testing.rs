//! For tests: a simulated CDMS, a temporary database and a clock to move, in one line.
//!
//! The database is a SQLite file. With the feature `postgres`, and the address of a PostgreSQL server in the variable
//! `DATAHUB_TEST_DATABASE`, it is a schema on that server, which is dropped with the kit: the same tests run on both.
//!
//! ```no_run
//! # use datahub_runtime::{Models, testing::Kit};
//! # async fn example(models: Models, metadata: &str) -> Result<(), datahub_runtime::Error> {
//! let kit = Kit::new(metadata);
//! let hub = kit.hub(models).connect().await?;
//! # Ok(()) }
//! ```

mod mapping;
mod records;
#[cfg(feature = "source")]
mod source;

use std::sync::Arc;

use cdms_odata::metadata::Metadata;
pub use cdms_simulator as simulator;
use cdms_simulator::{Simulator, SimulatorBuilder, SimulatorClock};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

pub use mapping::{attributes_survive, unchanged_makes_no_patch, untouched_is_not_sent, written_reads_back};
pub use records::Records;
#[cfg(feature = "source")]
pub use source::source_is_read;

use crate::engine::cost::Meters;
use crate::login::{Credentials, Secret};
use crate::store::{Location, PlainConnection as Connection, PlainTrouble as Trouble, StoreOptions};
use crate::{
    Anonymous, Authenticator, Hub, HubBuilder, Instant, LoginError, LoginRequests, ManualClock, Models, Session,
    Settling, SystemClock,
};

/// A simulated CDMS, a database and a clock. Dropping it stops the simulator and removes the database.
#[derive(Debug)]
pub struct Kit {
    /// The simulated CDMS.
    pub simulator: Simulator,
    /// The hub's clock; [`Kit::advance`] moves it together with CDMS's.
    pub clock: ManualClock,
    database: TestDatabase,
}

/// A database that is removed with its kit.
#[derive(Debug)]
pub(crate) enum TestDatabase {
    File(TempDir),
    #[cfg(feature = "postgres")]
    Schema {
        server: String,
        name: String,
        /// Whether hubs connect with a role that can only read and write rows.
        rows_only: bool,
    },
}

/// The variable with the address of a PostgreSQL server for tests.
const SERVER: &str = "DATAHUB_TEST_DATABASE";

/// The variable that restricts hubs on a server: with `rows`, they connect with a role that can only read and write
/// rows, and the server's user creates the tables.
#[cfg(feature = "postgres")]
const RIGHTS: &str = "DATAHUB_TEST_RIGHTS";

/// The role that can only read and write rows.
#[cfg(feature = "postgres")]
const ROWS_ONLY: &str = "datahub_rows";

/// How many rounds the digest of a refused secret has, so that tests need not wait for them.
const DIGEST_ROUNDS: u32 = 1_000;

/// The time at which kits begin: noon in winter, far from midnight and from clock changes.
const BEGIN: &str = "2016-12-05T12:00:00Z";

impl Kit {
    /// A kit whose CDMS has this `$metadata`.
    ///
    /// # Panics
    ///
    /// When the document is invalid, when the machine provides no loopback socket or temporary folder, or when
    /// `DATAHUB_TEST_DATABASE` names a server that cannot be used.
    #[track_caller]
    pub fn new(metadata: &str) -> Self {
        Kit::with(metadata, |builder| builder)
    }

    /// A kit whose CDMS has further configuration.
    ///
    /// # Panics
    ///
    /// As [`Kit::new`].
    #[track_caller]
    pub fn with(metadata: &str, configure: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Self {
        Kit::on(TestDatabase::make(), metadata, configure)
    }

    /// A kit whose database is a SQLite file, whatever `DATAHUB_TEST_DATABASE` says.
    ///
    /// # Panics
    ///
    /// As [`Kit::new`].
    #[track_caller]
    pub fn on_sqlite(metadata: &str) -> Self {
        Kit::on(TestDatabase::file(), metadata, |builder| builder)
    }

    /// A kit whose database is a schema on this PostgreSQL server, `postgres://user@host/database`, whatever
    /// `DATAHUB_TEST_DATABASE` says.
    ///
    /// # Panics
    ///
    /// As [`Kit::new`].
    #[cfg(feature = "postgres")]
    #[track_caller]
    pub fn on_postgres(metadata: &str, server: &str) -> Self {
        Kit::on(TestDatabase::schema(server), metadata, |builder| builder)
    }

    #[track_caller]
    fn on(
        database: TestDatabase,
        metadata: &str,
        configure: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder,
    ) -> Self {
        let metadata = Metadata::parse(metadata).unwrap_or_else(|error| panic!("{error}"));
        let begin: DateTime<Utc> = BEGIN.parse().unwrap_or_else(|error| panic!("{BEGIN}: {error}"));
        let begin = Instant::from(begin);
        let builder = Simulator::builder().metadata(metadata).clock(SimulatorClock::standing_at(begin.0));
        let simulator = configure(builder).start().unwrap_or_else(|error| panic!("the simulator: {error}"));
        Kit { simulator, clock: ManualClock::at(begin), database }
    }

    /// A builder for a hub on this kit's CDMS and database. Tables are created, and unsettled writes are settled on
    /// request only, so that tests see every step.
    pub fn hub(&self, models: Models) -> HubBuilder {
        self.hub_with(models, Anonymous)
    }

    /// Like [`Kit::hub`], with a login.
    pub fn hub_with(&self, models: Models, authenticator: impl Authenticator) -> HubBuilder {
        let builder = Hub::builder().database(self.database.url_of_hubs());
        builder
            .cdms(self.simulator.root(), authenticator)
            .models(models)
            .clock(self.clock.clone())
            .settling(Settling::OnRequest)
            .connections(2)
            .digest_rounds(DIGEST_ROUNDS)
            .create_tables_as(self.database())
    }

    /// The database's address, for a user who may change tables.
    pub fn database(&self) -> String {
        self.database.url()
    }

    /// Whether the database is on PostgreSQL.
    pub fn is_on_postgres(&self) -> bool {
        self.database.is_on_postgres()
    }

    /// Runs SQL on the database directly, to set a scene.
    ///
    /// # Errors
    ///
    /// The database's error.
    pub fn run_sql(&self, sql: &str) -> Result<(), String> {
        let sql = sql.to_owned();
        self.with_connection(move |connection| connection.batch(&sql))
    }

    /// Every row of a table as text: `column=value` for each column, values quoted as in SQL, the rows in their order.
    ///
    /// # Panics
    ///
    /// When there is no such table.
    #[track_caller]
    pub fn rows_of(&self, table: &str) -> Vec<String> {
        let (name, is_on_postgres) = (table.to_owned(), self.is_on_postgres());
        let rows = self.with_connection(move |connection| {
            let shown = connection.columns_of(&name)?.into_iter().map(|column| {
                let column = column.name;
                if is_on_postgres {
                    format!("'{column}=' || COALESCE(quote_literal({column}::text), 'NULL')")
                } else {
                    format!("'{column}=' || quote({column})")
                }
            });
            let shown = shown.collect::<Vec<_>>().join(" || ' ' || ");
            connection.texts(&format!("SELECT {shown} FROM {name} ORDER BY 1"))
        });
        rows.unwrap_or_else(|reason| panic!("{table}: {reason}"))
    }

    /// Runs a function on its own thread, because waiting for connections would block the runtime.
    fn with_connection<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, String> {
        with_connection(self.database(), work)
    }

    /// Moves the clocks of both sides.
    pub fn advance(&self, time: std::time::Duration) {
        self.clock.advance(time);
        self.simulator.clock().advance_ms(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    }
}

/// Logs in to a simulator that was built with [`SimulatorBuilder::login`].
#[derive(Clone, Debug)]
pub struct FormLogin {
    user: String,
    password: Secret,
    hosts: Vec<String>,
}

impl FormLogin {
    /// A login with this user and password.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        FormLogin { user: user.into(), password: password.into(), hosts: vec!["login.example.gov.uk".to_owned()] }
    }
}

impl Authenticator for FormLogin {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new(&self.user, &self.password))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let url = format!("{}/login", requests.organisation());
            let password = requests.secret(&self.password).await?;
            let form = [("user", self.user.as_str()), ("password", password.expose_secret())];
            requests.post_form(&url, &form).await?.session()
        })
    }

    fn login_hosts(&self) -> &[String] {
        &self.hosts
    }
}

impl TestDatabase {
    /// The database's address.
    pub(crate) fn url(&self) -> String {
        match self {
            TestDatabase::File(folder) => format!("sqlite://{}", folder.path().join("datahub.db").display()),
            #[cfg(feature = "postgres")]
            TestDatabase::Schema { server, name, .. } => {
                let sign = if server.contains('?') { '&' } else { '?' };
                format!("{server}{sign}options=-c%20search_path%3D{name}")
            }
        }
    }

    /// The address with which hubs connect.
    pub(crate) fn url_of_hubs(&self) -> String {
        match self {
            #[cfg(feature = "postgres")]
            TestDatabase::Schema { rows_only: true, .. } => format!("{}%20-c%20role%3D{ROWS_ONLY}", self.url()),
            _ => self.url(),
        }
    }

    pub(crate) fn is_on_postgres(&self) -> bool {
        !matches!(self, TestDatabase::File(_))
    }

    #[cfg(feature = "postgres")]
    #[track_caller]
    pub(crate) fn make() -> Self {
        std::env::var(SERVER).map_or_else(|_| TestDatabase::file(), |server| TestDatabase::schema(&server))
    }

    #[cfg(feature = "postgres")]
    #[track_caller]
    fn schema(server: &str) -> Self {
        let server = server.to_owned();
        let name = format!("kit_{}", uuid::Uuid::new_v4().simple());
        let rows_only = std::env::var(RIGHTS).is_ok_and(|rights| rights == "rows");
        let restrict = if rows_only { rows_only_in(&name) } else { String::new() };
        let create = format!("CREATE SCHEMA {name}; {restrict}");
        with_connection(server.clone(), move |connection| connection.batch(&create))
            .unwrap_or_else(|reason| panic!("cannot create a schema on the PostgreSQL server for tests: {reason}"));
        TestDatabase::Schema { server, name, rows_only }
    }

    #[cfg(not(feature = "postgres"))]
    #[track_caller]
    pub(crate) fn make() -> Self {
        // Tests that are meant to run on a server must not pass on a file.
        assert!(
            std::env::var_os(SERVER).is_none(),
            "{SERVER} is set, but datahub-runtime lacks its feature `postgres`"
        );
        TestDatabase::file()
    }

    #[track_caller]
    pub(crate) fn file() -> Self {
        TestDatabase::File(tempfile::tempdir().unwrap_or_else(|error| panic!("a temporary folder: {error}")))
    }
}

#[cfg(feature = "postgres")]
impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let TestDatabase::Schema { server, name, .. } = self {
            let drop = format!("DROP SCHEMA {name} CASCADE");
            // A server that is gone has no schema any more.
            _ = with_connection(server.clone(), move |connection| connection.batch(&drop));
        }
    }
}

/// Gives the role that can only read and write rows its rights in a schema, also for the tables that it will have. The
/// role belongs to the whole server, so several tests may create it at once.
#[cfg(feature = "postgres")]
fn rows_only_in(schema: &str) -> String {
    format!(
        "DO $$ BEGIN CREATE ROLE {ROWS_ONLY}; GRANT {ROWS_ONLY} TO CURRENT_USER; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; \
         GRANT USAGE ON SCHEMA {schema} TO {ROWS_ONLY}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROWS_ONLY}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {ROWS_ONLY}"
    )
}

/// Keeps a transaction open on a connection of its own, in which these statements were executed, while a function runs
/// on this thread; then rolls it back.
///
/// # Errors
///
/// The database's error.
pub fn with_transaction(
    address: String,
    statements: &str,
    during: impl FnOnce() + Send + 'static,
) -> Result<(), String> {
    let statements = statements.to_owned();
    with_connection(address, move |connection| {
        connection.attempt(|connection| {
            connection.batch(&statements)?;
            during();
            Ok(())
        })
    })
}

/// Runs a function on a connection of its own.
pub(crate) fn with_connection<T: Send + 'static>(
    url: String,
    work: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, String> {
    let done = std::thread::spawn(move || {
        let options = StoreOptions { busy_timeout: std::time::Duration::from_secs(10), ..StoreOptions::default() };
        let (location, _) = Location::of_url(&url, &options).map_err(|error| error.to_string())?;
        let connection = Connection::open(&location, false, Meters::default(), Arc::new(SystemClock::new()));
        connection.and_then(|mut connection| work(&mut connection)).map_err(|trouble| format!("{trouble:?}"))
    });
    done.join().unwrap_or_else(|_| Err("the thread panicked".to_owned()))
}
