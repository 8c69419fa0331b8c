//! The hub's database. It is type-erased, so that it is compiled once and not once per model.
//!
//! Statements are built from descriptors, values are always bound, and results are decoded by column kind.
//! All connections belong to threads of the store. A call is one job on one of them. A job that stores is one
//! transaction, and no transaction lasts longer than its job: **no connection and no transaction is held across a
//! request to CDMS.** Dropping the future of a call never leaves a transaction open, because a job that has started
//! runs to its end on the store's thread. The caller then does not know whether it had started, so it must read again.

mod adoption;
mod columns;
mod commit;
mod completing;
mod connection;
#[cfg(feature = "counts")]
pub mod counted;
mod cure;
mod database_time;
mod deferred;
mod dialect;
mod differences;
mod engine_tables;
pub(crate) mod epochs;
mod erasure;
mod failure;
mod history;
mod intents;
mod lease;
mod list;
mod load;
mod location;
mod model_table;
mod page;
mod past;
#[cfg(feature = "postgres")]
mod postgres;
mod pulling;
mod quarantine;
mod queue;
mod row;
mod row_filter;
mod row_query;
mod rows;
mod seen;
mod sequence;
pub(crate) mod settings;
mod sqlite;
mod sqlite_functions;
mod sqlite_statement;
mod statement;
mod sweep;
mod trying;
mod upkeep;
mod waiting_fields;
mod watermark;
mod workers;

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use datahub_model::ModelDescriptor;
use datahub_protocol::{Committed, Version};
use uuid::Uuid;

pub(crate) use adoption::{Adoption, LOGIN_SETTINGS};
pub(crate) use commit::Job;
pub(crate) use completing::{Candidates, Lacking, SeenJudge, row_of};
pub(crate) use cure::Pending;
pub(crate) use engine_tables::{Lacks, complete as complete_engine_tables, lacks as lacks_of_engine_tables};
pub(crate) use epochs::{Stage, may_finish};
pub(crate) use erasure::Erased;
pub(crate) use failure::StoreError;
pub use history::Erasure;
pub(crate) use history::{FieldChangeOfDay, HistoryRow};
pub(crate) use intents::IntentRow;
pub(crate) use lease::{Lease, Taking, holder as lease_holder};
pub(crate) use list::{ListPart, ListedRecord};
pub(crate) use load::StoredRecord;
pub(crate) use page::{Judge, Page, PageStored};
pub use quarantine::QuarantineEntry;
pub(crate) use row::{datum, value};
pub(crate) use row_filter::RowFilter;
pub(crate) use row_query::RowQuery;
pub(crate) use statement::{Datum, Statement};
pub(crate) use sweep::Missing;
pub(crate) use trying::{RowToTry, RowsToTry, TableToTry};
pub(crate) use watermark::{Claim, Scopes, Standing, Vouched, Watermark};

use crate::engine::clock::Clock;
use crate::engine::cost::Meters;
use crate::migration::Migration;
use crate::reach::{Reach, Reached};
pub(crate) use connection::Connection as PlainConnection;
pub(crate) use location::Location;

use connection::Connection;
pub(crate) use failure::Trouble as PlainTrouble;
use failure::Trouble;
use workers::{Lane, Workers};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreOptions {
    /// The number of connections: on SQLite those that read, in addition to the one that writes; otherwise all. `None`:
    /// the database's default.
    pub(crate) connections: Option<usize>,
    /// How many milliseconds after a lease CDMS may still execute the request.
    pub(crate) quiet_ms: u64,
    /// How long to wait for transactions of other programs.
    pub(crate) busy_timeout: Duration,
    /// How much longer an answer may take than the server's own limit for statements.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "SQLite has no server"))]
    pub(crate) grace: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        let (busy_timeout, grace) = (Duration::from_secs(5), Duration::from_secs(30));
        StoreOptions { connections: None, quiet_ms: 330_000, busy_timeout, grace }
    }
}

/// The hub's database. Cheap to clone; when the last clone is dropped, its threads stop.
#[derive(Clone)]
pub(crate) struct Store {
    workers: Arc<Workers>,
    database: Arc<str>,
    quiet_ms: u64,
    /// Whether the files next to the database may still contain data that was erased from it.
    keeps_erased: Arc<AtomicBool>,
    reach: Arc<Reach>,
}

impl Store {
    /// Opens the database at `sqlite://path`, and creates it if it does not exist.
    pub(crate) async fn open(
        url: &str,
        clock: Arc<dyn Clock>,
        options: StoreOptions,
        meters: Meters,
    ) -> Result<Store, StoreError> {
        let (location, shown) = Location::of_url(url, &options)?;
        let connections = options.connections.unwrap_or(if location.has_one_writer() { 3 } else { 8 });
        let of_reach = Arc::clone(&clock);
        // Opening may wait for other programs, so it happens on a thread of its own.
        let (answer, waiting) = tokio::sync::oneshot::channel();
        let started = std::thread::Builder::new().name("datahub-opening".to_owned()).spawn(move || {
            let _ = answer.send(Workers::start(&location, connections, &meters, &clock));
        });
        let unopened = |reason: String| StoreError::Open { database: shown.clone(), reason };
        started.map_err(|error| unopened(format!("a thread for it could not be started: {error}")))?;
        let workers = waiting.await.map_err(|_| unopened("opening it panicked; this is a bug".to_owned()))?;
        let workers = workers.map_err(|trouble| match trouble {
            Trouble::Unavailable(reason) | Trouble::Other(reason) | Trouble::Corrupt(reason) => unopened(reason),
            trouble => trouble.of(&shown),
        })?;
        let quiet_ms = options.quiet_ms;
        let (workers, reach) = (Arc::new(workers), Arc::new(Reach::of("database", of_reach)));
        Ok(Store { workers, database: shown.into(), quiet_ms, keeps_erased: Arc::default(), reach })
    }

    /// Opens the database at an address where there is one, and creates no file.
    pub(crate) async fn open_existing(
        url: &str,
        clock: Arc<dyn Clock>,
        options: StoreOptions,
        meters: Meters,
    ) -> Result<Store, StoreError> {
        if let (Location::Sqlite { path, .. }, shown) = Location::of_url(url, &options)?
            && !std::path::Path::new(&path).is_file()
        {
            let reason = "there is no such file; check the address".to_owned();
            return Err(StoreError::Open { database: shown, reason });
        }
        Store::open(url, clock, options, meters).await
    }

    /// Creates missing tables, the engine's and the models', and rejects tables of another structure.
    pub(crate) async fn create_tables(&self, models: &[&'static ModelDescriptor]) -> Result<(), StoreError> {
        let models = models.to_vec();
        self.write(move |connection| {
            engine_tables::create(connection, &models)?;
            seen::register(connection, &models)?;
            intents::forget_old(connection)
        })
        .await
    }

    /// The migrations among these that are pending: those that a run would execute, and those that wait until older
    /// programs are gone.
    pub(crate) async fn pending(
        &self,
        migrations: &crate::migration::Migrations,
    ) -> Result<(Vec<Migration>, Vec<Migration>), StoreError> {
        let migrations = migrations.clone();
        self.read(move |connection| {
            let migrations = migrations.on(connection.dialect().database);
            let is_empty = crate::migration::is_empty(connection)?;
            let applied = crate::migration::applied_versions(connection)?;
            let schedule = crate::migration::Schedule::of(migrations, &applied, is_empty);
            let owned = |migrations: Vec<&Migration>| migrations.into_iter().cloned().collect();
            Ok((owned(schedule.due), owned(schedule.waiting)))
        })
        .await
    }

    /// Checks that all tables exist and have the right structure.
    pub(crate) async fn check_schema(
        &self,
        models: &[&'static ModelDescriptor],
        pending: Pending,
    ) -> Result<(), StoreError> {
        let models = models.to_vec();
        self.write(move |connection| {
            engine_tables::check(connection, &models, &pending)?;
            seen::register(connection, &models)?;
            intents::forget_old(connection)
        })
        .await
    }

    /// Everything that the hub has of one record, in one statement, which also shows whether this program is too old.
    pub(crate) async fn load(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        stage: Stage,
    ) -> Result<StoredRecord, StoreError> {
        let quiet_ms = self.quiet_ms;
        let loaded = self.read(move |connection| {
            let loaded = load::load(connection, model, &[id], quiet_ms, stage);
            loaded.map_err(|trouble| epochs::cause(connection, model, trouble))
        });
        let loaded = loaded.await?;
        // There is one record for each id.
        Ok(loaded.into_iter().next().unwrap_or_default())
    }

    /// The rows that satisfy a condition, in order.
    pub(crate) async fn row_ids_of(&self, query: RowQuery) -> Result<Vec<Uuid>, StoreError> {
        self.read(move |connection| row_query::ids(connection, &query)).await
    }

    /// How many rows satisfy a condition.
    pub(crate) async fn count_rows(&self, query: RowQuery) -> Result<i64, StoreError> {
        self.read(move |connection| row_query::count(connection, &query)).await
    }

    /// Everything that the hub has of records, in their order, one statement for each 50.
    pub(crate) async fn load_many(
        &self,
        model: &'static ModelDescriptor,
        ids: Vec<Uuid>,
        stage: Stage,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.read(move |connection| {
            let mut all = Vec::with_capacity(ids.len());
            for ids in ids.chunks(page::RECORDS_PER_STATEMENT) {
                let loaded = load::load(connection, model, ids, quiet_ms, stage);
                all.extend(loaded.map_err(|trouble| epochs::cause(connection, model, trouble))?);
            }
            Ok(all)
        })
        .await
    }

    /// Runs one transaction. Leases and the history use the time by the database's clock.
    ///
    /// # Errors
    ///
    /// Too many jobs are waiting for the database, so the transaction was not started; or the program has become too
    /// old. Any other problem is part of the outcome.
    pub(crate) async fn commit(&self, job: Job) -> Result<Committed, StoreError> {
        match self.write(move |connection| commit::run(connection, &job)).await {
            Err(error @ (StoreError::Overloaded { .. } | StoreError::Outdated { .. })) => Err(error),
            Err(error) => Ok(Committed::Unavailable(error.to_string())),
            Ok(committed) => Ok(committed),
        }
    }

    /// The newest version in the database. Everything that is stored later has a larger one.
    pub(crate) async fn newest_version(&self) -> Result<Version, StoreError> {
        let newest = self.read(sequence::newest).await?;
        self.workers.newest_known.note(newest);
        Ok(newest)
    }

    /// The newest version in the database that this program knows of, without a statement. What other programs have stored
    /// may have a larger one.
    pub(crate) fn newest_known_version(&self) -> Option<Version> {
        self.workers.newest_known.get()
    }

    /// Stops accepting jobs.
    pub(crate) fn refuse(&self) {
        self.workers.refuse();
    }

    /// Stops accepting jobs, finishes the waiting ones and closes the connections.
    ///
    /// Dropping the future stops the waiting, not the closing.
    pub(crate) async fn close(&self) {
        let workers = Arc::clone(&self.workers);
        let (closed, closes) = tokio::sync::oneshot::channel();
        // Not a thread of the runtime, which would wait for it at its end if a database hangs.
        let closing = std::thread::Builder::new().name("datahub-closing".to_owned()).spawn(move || {
            workers.join();
            // The caller may have stopped waiting.
            _ = closed.send(());
        });
        match closing {
            Ok(_) if closes.await.is_ok() => {}
            Ok(_) => tracing::error!("closing the database panicked; this is a bug"),
            Err(error) => tracing::warn!(%error, "a thread to wait for the database's threads could not be started"),
        }
    }

    /// Whether the store no longer accepts jobs.
    pub(crate) fn is_closed(&self) -> bool {
        self.workers.are_closed()
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let read = self.workers.run(Lane::Read, job).await;
        self.noted(read)
    }

    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let written = self.workers.run(Lane::Write, job).await;
        self.noted(written)
    }

    /// Since when the database is away, if it is.
    pub(crate) fn away_since(&self) -> Option<cdms_odata::Instant> {
        match self.reach.last() {
            Reached::Away { since, .. } => Some(since),
            Reached::Answers | Reached::Untried => None,
        }
    }

    /// Reports when the database becomes unavailable and when it is back.
    fn noted<T>(&self, result: Result<T, Trouble>) -> Result<T, StoreError> {
        match &result {
            Err(Trouble::Unavailable(reason)) => self.reach.failed(reason),
            Ok(_) => self.reach.answered(),
            Err(_) => {}
        }
        result.map_err(|trouble| trouble.of(&self.database))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("database", &self.database).finish_non_exhaustive()
    }
}
