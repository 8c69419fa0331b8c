//! The hub's database. It is type-erased, so that it is compiled once and not once per model.
//!
//! Statements are built from descriptors, values are always bound, and results are decoded by column kind.
//! All connections belong to threads of the store. A call is one job on one of them. A job that stores is one
//! transaction, and no transaction lasts longer than its job: **no connection and no transaction is held across a
//! request to CDMS.** Dropping the future of a call never leaves a transaction open, because a job that has started
//! runs to its end on the store's thread. The caller then does not know whether it had started, so it must read again.

mod columns;
mod commit;
mod completing;
mod connection;
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
#[cfg(feature = "postgres")]
mod patience;
#[cfg(feature = "postgres")]
mod postgres;
mod quarantine;
mod queue;
mod row;
mod row_filter;
mod row_query;
mod sequence;
pub(crate) mod settings;
mod sqlite;
mod sqlite_functions;
mod statement;
mod sweep;
mod trying;
mod waiting_fields;
mod watermark;
mod workers;

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use cdms_odata::Instant;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Committed, Listed, OperationId, Version};
use uuid::Uuid;

use commit::By;
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

use crate::crash_points::Step;
use crate::engine::clock::Clock;
use crate::engine::cost::Meters;
use crate::health;
use crate::migration::Migration;
use crate::reach::Reach;
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
        let (workers, reach) = (Arc::new(workers), Arc::new(Reach::of("database")));
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
            return Err(StoreError::Open { database: shown, reason: "there is no such file".to_owned() });
        }
        Store::open(url, clock, options, meters).await
    }

    /// The columns of a table, as far as a model's fields can be compared with them.
    pub(crate) async fn table_to_try(&self, model: &'static ModelDescriptor) -> Result<TableToTry, StoreError> {
        self.read(move |connection| trying::table(connection, model)).await
    }

    /// The next batch of a model's rows, as they are.
    pub(crate) async fn rows_to_try(
        &self,
        model: &'static ModelDescriptor,
        table: Arc<TableToTry>,
        after: Uuid,
    ) -> Result<RowsToTry, StoreError> {
        self.read(move |connection| trying::rows(connection, model, &table, after)).await
    }

    /// Creates missing tables, the engine's and the models', and rejects tables of another structure.
    pub(crate) async fn create_tables(&self, models: &[&'static ModelDescriptor]) -> Result<(), StoreError> {
        let models = models.to_vec();
        self.write(move |connection| {
            engine_tables::create(connection, &models)?;
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

    /// A record's history before an entry, newest first, at most `limit`.
    pub(crate) async fn history(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        before: i64,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(move |connection| history::before(connection, model, id, before, limit)).await
    }

    /// Erases the values that are kept of a record's past; `models` are those of its entity that this program lists.
    pub(crate) async fn erase(
        &self,
        model: &'static ModelDescriptor,
        models: Vec<&'static ModelDescriptor>,
        id: Uuid,
        actor: String,
        program: String,
        reason: String,
    ) -> Result<Erased, StoreError> {
        let (quiet_ms, keeps_erased) = (self.quiet_ms, Arc::clone(&self.keeps_erased));
        self.write(move |connection| {
            let by = By { model, actor: &actor, program: &program };
            let erased = erasure::erase(connection, by, &models, id, &reason, quiet_ms);
            let erased = erased.map_err(|trouble| epochs::cause(connection, model, trouble))?;
            // The erasure itself is committed, even if this fails.
            if matches!(erased, Erased::Done(_)) && !erasure::forget(connection) {
                keeps_erased.store(true, Ordering::Relaxed);
                tracing::warn!(
                    "a reader keeps erased data in the database's log; the log is emptied with a later settling"
                );
            }
            Ok(erased)
        })
        .await
    }

    /// Removes erased data from the files next to the database, if a reader prevented that before.
    pub(crate) async fn forget_erased(&self) -> Result<(), StoreError> {
        if !self.keeps_erased.load(Ordering::Relaxed) {
            return Ok(());
        }
        let keeps_erased = Arc::clone(&self.keeps_erased);
        self.write(move |connection| {
            if erasure::forget(connection) {
                keeps_erased.store(false, Ordering::Relaxed);
                tracing::info!("the database's log no longer contains erased data");
            }
            Ok(())
        })
        .await
    }

    /// The last entry of exactly this version of a model's row.
    pub(crate) async fn history_of_version(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        version: Version,
    ) -> Result<Option<HistoryRow>, StoreError> {
        self.read(move |connection| history::of_version(connection, model, id, version)).await
    }

    /// The last entry of a model's row up to a version.
    pub(crate) async fn history_up_to(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        version: Version,
    ) -> Result<Option<i64>, StoreError> {
        self.read(move |connection| history::up_to(connection, model, id, version)).await
    }

    /// The entries of a model's row after one entry and before another, newest first, at most `limit`.
    pub(crate) async fn history_between(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        bounds: (i64, i64),
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(move |connection| history::between(connection, model, id, bounds, limit)).await
    }

    /// The last entry up to a time, and the kind of the last one up to then that changed the model's row.
    pub(crate) async fn history_at(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        time: Instant,
    ) -> Result<Option<(i64, datahub_protocol::EntryKind)>, StoreError> {
        self.read(move |connection| history::last_at(connection, model, id, time)).await
    }

    /// A write that is open or ended at most a day ago.
    pub(crate) async fn operation(&self, operation: OperationId) -> Result<Option<IntentRow>, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.read(move |connection| intents::by_operation(connection, operation, quiet_ms)).await
    }

    /// The open writes after a given one, oldest first, at most `limit`.
    pub(crate) async fn open_intents(
        &self,
        after: Option<(Instant, OperationId)>,
        limit: i64,
    ) -> Result<Vec<IntentRow>, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.read(move |connection| intents::open_after(connection, after, limit, quiet_ms)).await
    }

    /// Deletes intents of writes that ended more than a day ago. The history keeps their changes.
    pub(crate) async fn forget_old_intents(&self) -> Result<(), StoreError> {
        self.write(|connection| connection.write(intents::forget_old)).await
    }

    /// How many writes are open and how many records are in quarantine, and for which of the models this program is too
    /// old, in one statement.
    pub(crate) async fn health(&self, models: Vec<&'static ModelDescriptor>) -> Result<health::Stored, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT (SELECT count(*) FROM datahub_intents WHERE verdict IS NULL), \
                       (SELECT min(opened_at) FROM datahub_intents WHERE verdict IS NULL), \
                       (SELECT count(*) FROM datahub_quarantine), epoch.name, epoch.value FROM (SELECT 1) AS one \
                       LEFT JOIN datahub_settings AS epoch ON epoch.name LIKE 'epoch:%'";
            type Row = (i64, Option<Instant>, i64, Option<String>, Option<String>);
            let rows = connection.read::<Row>(&statement::Statement::new(sql, []))?;
            let first =
                rows.first().map(|(open_writes, oldest, quarantined, ..)| (*open_writes, *oldest, *quarantined));
            let (open_writes, oldest, quarantined) =
                first.ok_or_else(|| Trouble::Corrupt("the query for the hub's health returned no row".to_owned()))?;
            let epochs: BTreeMap<_, _> = rows.into_iter().filter_map(|(.., name, value)| name.zip(value)).collect();
            let outdated = epochs::outdated_of(&models, &epochs)?;
            let now = connection.now()?;
            let age = |since: Instant| Duration::from_millis(u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0));
            Ok(health::Stored { open_writes, oldest_open_for: oldest.map(age), quarantined, outdated })
        })
        .await
    }

    /// The ids of a model's rows after a given one, in ascending order, at most `limit`.
    pub(crate) async fn row_ids(
        &self,
        model: &'static ModelDescriptor,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.read(move |connection| {
            let sql =
                "SELECT id FROM datahub_records WHERE model = ? AND state = 'row' AND id > ? ORDER BY id LIMIT 0 + ?";
            let values = [model.table.into(), after.into(), limit.into()];
            connection.read(&statement::Statement::new(sql, values))
        })
        .await
    }

    /// The records in quarantine, those that have waited longest first, at most `limit`.
    pub(crate) async fn quarantine(&self, limit: i64) -> Result<Vec<QuarantineEntry>, StoreError> {
        self.read(move |connection| quarantine::all(connection, limit)).await
    }

    /// The records of these tables in quarantine, those that have waited longest first, at most `limit`.
    pub(crate) async fn quarantine_of(
        &self,
        tables: Vec<&'static str>,
        limit: i64,
    ) -> Result<Vec<QuarantineEntry>, StoreError> {
        self.read(move |connection| quarantine::of_tables(connection, &tables, limit)).await
    }

    /// Moves a record in quarantine behind the others.
    pub(crate) async fn quarantine_tried(&self, model: &'static ModelDescriptor, id: Uuid) -> Result<(), StoreError> {
        self.write(move |connection| quarantine::tried(connection, model, id)).await
    }

    /// Removes a record from quarantine.
    pub(crate) async fn quarantine_cleared(&self, model: &'static ModelDescriptor, id: Uuid) -> Result<(), StoreError> {
        self.write(move |connection| quarantine::clear(connection, model, &[id])).await
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

    /// Stores records of a list that a caller asked for.
    pub(crate) async fn store_list(&self, part: ListPart) -> Result<Vec<ListedRecord>, StoreError> {
        let quiet_ms = self.quiet_ms;
        let listed = self.write(move |connection| list::store(connection, &part, quiet_ms)).await?;
        listed.iter().filter_map(ListedRecord::met).for_each(|version| self.workers.newest_known.note(version));
        Ok(listed)
    }

    /// Where the pulls of a model stand.
    pub(crate) async fn standing(
        &self,
        model: &'static ModelDescriptor,
        scopes: Scopes,
    ) -> Result<Standing, StoreError> {
        self.read(move |connection| {
            let standing = watermark::standing(connection, model, &scopes);
            standing.map_err(|trouble| epochs::cause(connection, model, trouble))
        })
        .await
    }

    /// Takes over a model's pull and returns its progress.
    pub(crate) async fn claim_pull(
        &self,
        claim: Claim,
        attributes: Vec<String>,
        restart: bool,
    ) -> Result<Watermark, StoreError> {
        self.write(move |connection| {
            connection.write(|connection| watermark::claim(connection, &claim, attributes, restart))
        })
        .await
    }

    /// Stores a page of records and the pull's progress, in one transaction.
    pub(crate) async fn store_page(&self, page: Page) -> Result<PageStored, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.write(move |connection| page::store(connection, page, quiet_ms)).await
    }

    /// Takes over a model's sweep and returns its progress.
    pub(crate) async fn claim_sweep(&self, claim: Claim, restart: bool) -> Result<Watermark, StoreError> {
        self.write(move |connection| sweep::begin(connection, &claim, restart)).await
    }

    /// Stores the progress of a sweep with what it has listed; returns whether the claim is still valid.
    pub(crate) async fn store_listed(
        &self,
        claim: Claim,
        to: Watermark,
        ids: Vec<Uuid>,
        step: Step,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| sweep::list(connection, &claim, &to, &ids, step)).await
    }

    /// Ends a sweep; returns whether the claim is still valid.
    pub(crate) async fn end_sweep(&self, claim: Claim, to: Watermark, step: Step) -> Result<bool, StoreError> {
        self.write(move |connection| sweep::end(connection, &claim, &to, step)).await
    }

    /// Notes that a record which was missing from the list of a sweep was read on its own.
    pub(crate) async fn found_missing(&self, model: &'static ModelDescriptor, id: Uuid) -> Result<(), StoreError> {
        self.write(move |connection| sweep::found(connection, model, id)).await
    }

    /// How many rows are missing from the list of a sweep that began before this version.
    pub(crate) async fn count_missing(
        &self,
        model: &'static ModelDescriptor,
        before: Version,
    ) -> Result<Missing, StoreError> {
        self.read(move |connection| sweep::count(connection, model, before)).await
    }

    /// The next rows that are missing from the list of a sweep, after an id, at most `limit`.
    pub(crate) async fn missing(
        &self,
        model: &'static ModelDescriptor,
        before: Version,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.read(move |connection| sweep::missing(connection, model, before, after, limit)).await
    }

    /// A planted fault: makes tombstones of rows without a look at their records.
    pub(crate) async fn bury_missing(&self, model: &'static ModelDescriptor, ids: Vec<Uuid>) -> Result<(), StoreError> {
        self.write(move |connection| sweep::bury_missing(connection, model, &ids)).await
    }

    /// The next batch of rows that the model's mapping did not store.
    pub(crate) async fn completing_candidates(
        &self,
        model: &'static ModelDescriptor,
        after: Uuid,
        judge: SeenJudge,
        lacking: Lacking,
    ) -> Result<Candidates, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.read(move |connection| {
            let found = completing::candidates(connection, model, after, (&judge, &lacking), quiet_ms);
            found.map_err(|trouble| epochs::cause(connection, model, trouble))
        })
        .await
    }

    /// Completes a batch of rows from what is kept of their records, in one transaction.
    pub(crate) async fn complete(
        &self,
        model: &'static ModelDescriptor,
        program: String,
        ids: Vec<Uuid>,
        judge: SeenJudge,
        step: Step,
    ) -> Result<Vec<(Uuid, Listed<Fault>)>, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.write(move |connection| {
            let by = By { model, actor: &program, program: &program };
            let completed = completing::complete(connection, by, &ids, &judge, step, quiet_ms);
            completed.map_err(|trouble| epochs::cause(connection, model, trouble))
        })
        .await
    }

    /// The number of a model's rows, and of those among them that are not complete for its mapping.
    pub(crate) async fn completeness(&self, model: &'static ModelDescriptor) -> Result<(i64, i64), StoreError> {
        self.read(move |connection| completing::count(connection, model)).await
    }

    /// Sets a setting unless it has a value, and returns the value that it has then.
    pub(crate) async fn put_setting_if_absent(&self, name: &'static str, value: &str) -> Result<String, StoreError> {
        let value = value.to_owned();
        self.write(move |connection| connection.write(|connection| settings::put_if_absent(connection, name, &value)))
            .await
    }

    /// A setting's value, if it has one.
    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| settings::get(connection, &name)).await
    }

    /// Sets a setting, and replaces its previous value.
    pub(crate) async fn put_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |connection| connection.write(|connection| settings::put(connection, &name, &value))).await
    }

    /// Deletes a setting.
    pub(crate) async fn forget_setting(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |connection| connection.write(|connection| settings::forget(connection, &name))).await
    }

    /// Takes a lease, unless another program has it.
    pub(crate) async fn take_lease(&self, lease: Lease) -> Result<Taking, StoreError> {
        self.write(move |connection| lease.take(connection)).await
    }

    /// Renews a lease, and returns whether its holder still has it.
    pub(crate) async fn renew_lease(&self, lease: Lease) -> Result<bool, StoreError> {
        self.write(move |connection| connection.write(|connection| lease.renew(connection))).await
    }

    /// Gives a lease back.
    pub(crate) async fn release_lease(&self, lease: Lease) -> Result<(), StoreError> {
        self.write(move |connection| connection.write(|connection| lease.release(connection))).await
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
