//! Migrations: they change a database's tables, one after the other, and each once.
//!
//! [`migrations!`](crate::migrations) embeds a project's folder of migrations in the program, and `datahub migrate run`
//! reads the folder; both carry them out with [`Migrate`]. `docs/migrations.md` describes the folder.
//!
//! ```no_run
//! # use datahub_runtime::{prelude::*, migration::Migrations};
//! # const MIGRATIONS: Migrations = Migrations::embedded(&[], &[]); // migrations!()
//! # async fn example(models: datahub_runtime::Models) -> Result<(), Error> {
//! let builder = Hub::builder()
//!     .database("sqlite://hub.db")
//!     .cdms("https://crm.example.gov.uk/ORG", Anonymous)
//!     .models(models)
//!     .migrations(MIGRATIONS); // datahub_runtime::migrations!()
//! builder.migrate().await?; // or `datahub migrate run`, by a user who may change tables
//! let hub = builder.connect().await?;
//! # Ok(()) }
//! ```

mod batches;
mod checks;
mod error;
mod execute;
mod found;
mod history_guard;
mod lease;
mod raise;
mod record;
mod report;
mod runner;
mod schedule;

use std::borrow::Cow;
use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

pub use datahub_model::schema::{Database, FoundColumn};
use futures_util::future::BoxFuture;

pub use error::{MigrationError, OpenWrite};
pub use found::{FoundIndex, FoundTable, FoundTables};
pub use report::{
    AppliedMigration, MigrationEvent, MigrationReport, MigrationState, MigrationStatus, MigrationsStatus, StatementTime,
};
pub use schedule::Phase;

use crate::store::{Location, StoreOptions};
pub(crate) use record::{applied_versions, is_empty};
pub(crate) use schedule::Schedule;

/// A migration of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its folder's name, which begins with its version: `20261130094500_add_fax`.
    pub name: Cow<'static, str>,
    /// The first folder of the plan that it belongs to.
    pub plan: Cow<'static, str>,
    /// When it is executed.
    pub phase: Phase,
    /// Whether all of it is one transaction. Otherwise each statement is executed on its own, and can be repeated.
    pub in_transaction: bool,
    /// Its SQL, statement by statement.
    pub statements: Cow<'static, [Cow<'static, str>]>,
    /// The epoch to which each table is raised before the SQL is executed.
    pub epochs: Cow<'static, [(Cow<'static, str>, u32)]>,
    /// What must hold before the SQL is executed.
    pub checks: Cow<'static, [MigrationCheck]>,
    /// The folders that `datahub migrate rebase` has replaced by this one, and that execute the same. Where one of them is
    /// applied, so is this one, and a run records it instead of executing it.
    pub replaces: Cow<'static, [Cow<'static, str>]>,
}

/// A question to the data, which is asked before a migration is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationCheck {
    /// What must be true.
    pub description: Cow<'static, str>,
    /// A query that returns no row if it is true, and otherwise some of the rows at fault.
    pub query: Cow<'static, str>,
}

impl Migration {
    /// The version by which Diesel's table `__diesel_schema_migrations` records it: its name up to the first `_`,
    /// without hyphens.
    pub fn version(&self) -> String {
        version(&self.name)
    }

    /// The versions of the folders that it replaces.
    fn former_versions(&self) -> impl Iterator<Item = String> {
        self.replaces.iter().map(|name| version(name))
    }
}

fn version(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

/// A project's migrations, for each of its databases, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrations {
    sqlite: Cow<'static, [Migration]>,
    postgres: Cow<'static, [Migration]>,
}

impl Migrations {
    /// Migrations that are part of the program, as [`migrations!`](crate::migrations) embeds them.
    pub const fn embedded(sqlite: &'static [Migration], postgres: &'static [Migration]) -> Self {
        Migrations { sqlite: Cow::Borrowed(sqlite), postgres: Cow::Borrowed(postgres) }
    }

    /// Migrations of one database that were read from files, in their order.
    pub fn of(database: Database, migrations: Vec<Migration>) -> Self {
        let none = Migrations::embedded(&[], &[]);
        match database {
            Database::Sqlite => Migrations { sqlite: migrations.into(), ..none },
            Database::Postgres => Migrations { postgres: migrations.into(), ..none },
        }
    }

    /// The migrations of a database.
    pub fn on(&self, database: Database) -> &[Migration] {
        match database {
            Database::Sqlite => &self.sqlite,
            Database::Postgres => &self.postgres,
        }
    }
}

/// Runs the migrations of a database that are pending, when it is awaited; see
/// [`HubBuilder::migrate`](crate::HubBuilder::migrate) and [`Hub::migrate`](crate::Hub::migrate).
///
/// One program at a time runs migrations; others wait for it, and then find nothing left to do. Each migration is
/// recorded in Diesel's table `__diesel_schema_migrations`, in the transaction in which it was executed. If the program
/// is killed, whatever the moment, the next run finishes what is half done.
///
/// Dropping the future ends the wait and not the run.
///
/// # Errors
///
/// A [`MigrationError`] says what stands in the way and what to do. What was applied before stays applied.
#[must_use = "migrations run when they are awaited"]
pub struct Migrate {
    database: String,
    migrations: Migrations,
    options: Options,
    on_event: Option<OnEvent>,
}

type OnEvent = Box<dyn FnMut(&MigrationEvent) + Send>;

/// How migrations are run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Whether steps are executed that older programs cannot live with.
    pub(crate) contract: bool,
    /// Who runs them, for those that wait.
    pub(crate) program: String,
    /// How long to wait for open writes, and for another program that runs migrations.
    pub(crate) patience: Duration,
    /// How long the lease lasts without being renewed.
    pub(crate) lease: Duration,
    /// How long a statement waits for a lock, before it lets others through and tries again.
    pub(crate) lock_timeout: Duration,
    /// How often a statement tries to get its locks.
    pub(crate) lock_tries: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            contract: false,
            program: "datahub".to_owned(),
            patience: Duration::from_secs(15 * 60),
            lease: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(2),
            lock_tries: 60,
        }
    }
}

impl Migrate {
    /// Runs these migrations on the database at an address, in the form of
    /// [`HubBuilder::database`](crate::HubBuilder::database).
    pub fn new(database: impl Into<String>, migrations: Migrations) -> Self {
        Migrate { database: database.into(), migrations, options: Options::default(), on_event: None }
    }

    /// Also runs the steps that older programs cannot live with: run them when the older programs are gone. Without
    /// this, a run stops before the first of them, unless the database was empty when it began, as then there are none.
    pub fn contract(mut self) -> Self {
        self.options.contract = true;
        self
    }

    /// The name of the program, for other programs that wait for it. Default: `datahub`.
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.options.program = name.into();
        self
    }

    /// How long to wait for writes of older programs that are still open, and for another program that runs migrations.
    /// Default: 15 minutes.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.patience = patience;
        self
    }

    /// How long the lease of this run lasts if the program is killed; until then, no other program takes over.
    /// Default: 30 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease.max(Duration::from_millis(100));
        self
    }

    /// On PostgreSQL, how long a statement waits for a lock before it lets the other programs through and tries again,
    /// and how often it tries. Default: 2 s, 60 times.
    pub fn lock_timeout(mut self, timeout: Duration, tries: u32) -> Self {
        self.options.lock_timeout = timeout.max(Duration::from_millis(1));
        self.options.lock_tries = tries.max(1);
        self
    }

    /// Calls a function with everything that happens, for a progress bar or a log.
    pub fn on_event(mut self, on_event: impl FnMut(&MigrationEvent) + Send + 'static) -> Self {
        self.on_event = Some(Box::new(on_event));
        self
    }

    /// What is applied and what is pending, without changing anything.
    ///
    /// # Errors
    ///
    /// The database cannot be used.
    pub async fn status(self) -> Result<MigrationsStatus, MigrationError> {
        let Migrate { database, migrations, .. } = self;
        on_a_thread(move || {
            let (location, shown) = located(&database)?;
            runner::status(&location, &shown, &migrations)
        })
        .await
    }

    async fn run(self) -> Result<MigrationReport, MigrationError> {
        let Migrate { database, migrations, options, mut on_event } = self;
        if migrations == Migrations::embedded(&[], &[]) {
            return Err(MigrationError::NotGiven);
        }
        on_a_thread(move || {
            let (location, shown) = located(&database)?;
            let mut tell = |event: &MigrationEvent| {
                event.log();
                if let Some(on_event) = &mut on_event {
                    on_event(event);
                }
            };
            runner::run(&location, &shown, &migrations, &options, &mut tell)
        })
        .await
    }
}

/// The tables of the database at an address, as they really are: to plan a way back.
///
/// # Errors
///
/// The database cannot be used.
pub async fn tables_of(database: impl Into<String>) -> Result<FoundTables, MigrationError> {
    let database = database.into();
    on_a_thread(move || {
        let (location, shown) = located(&database)?;
        found::tables(&location, &shown)
    })
    .await
}

/// How many rows of a table have a value in a column that another of its columns does not have too.
///
/// # Errors
///
/// The database cannot be used, or has no such columns.
pub async fn rows_that_differ(
    database: impl Into<String>,
    table: impl Into<String>,
    column: impl Into<String>,
    other: impl Into<String>,
) -> Result<i64, MigrationError> {
    let (database, table, column, other) = (database.into(), table.into(), column.into(), other.into());
    on_a_thread(move || {
        let (location, shown) = located(&database)?;
        found::rows_that_differ(&location, &shown, &table, (&column, &other))
    })
    .await
}

/// Which database an address names.
///
/// # Errors
///
/// The address is invalid.
pub fn database_of(address: &str) -> Result<Database, MigrationError> {
    let (location, _) = located(address)?;
    Ok(location.database())
}

/// A way back to an earlier schema, which was planned from a database's [real state](tables_of).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WayBack {
    /// What is executed, one part after the other. They are not recorded as migrations.
    pub parts: Vec<Migration>,
    /// The versions that are taken back, which the database then forgets.
    pub versions: Vec<String>,
    /// The epochs of tables afterwards.
    pub epochs: Vec<(String, u32)>,
}

impl WayBack {
    /// Carries it out, with the lease of a run and like the last steps of a migration: the tables' epochs are raised
    /// first, so that running programs finish what they began and begin nothing more. Another attempt is planned again
    /// from the database's real state.
    ///
    /// # Errors
    ///
    /// As for [`Migrate`].
    pub async fn go(
        self,
        database: impl Into<String>,
        mut on_event: impl FnMut(&MigrationEvent) + Send + 'static,
    ) -> Result<Vec<AppliedMigration>, MigrationError> {
        let database = database.into();
        on_a_thread(move || {
            let (location, shown) = located(&database)?;
            runner::revert(&location, &shown, &self, &mut on_event)
        })
        .await
    }
}

fn located(database: &str) -> Result<(Location, String), MigrationError> {
    Ok(Location::of_url(database, &StoreOptions::default())?)
}

/// Runs blocking work on a thread of its own, which ends by itself if the caller goes away.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MigrationError> + Send + 'static,
) -> Result<T, MigrationError> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let started = std::thread::Builder::new().name("datahub-migration".to_owned()).spawn(move || {
        let _ = answer.send(work());
    });
    started.map_err(|error| MigrationError::Stopped { reason: format!("a thread could not be started: {error}") })?;
    let panicked = |_| MigrationError::Stopped { reason: "it panicked; this is a bug".to_owned() };
    answered.await.unwrap_or_else(|error| Err(panicked(error)))
}

impl fmt::Debug for Migrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may contain a password.
        f.debug_struct("Migrate").field("options", &self.options).finish_non_exhaustive()
    }
}

impl IntoFuture for Migrate {
    type Output = Result<MigrationReport, MigrationError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
