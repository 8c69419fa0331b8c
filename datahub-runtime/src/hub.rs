//! The hub: one program's handle on its database and its CDMS.

mod builder;
mod connection;
mod handle;
mod pending;
mod remote;
mod settings;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use datahub_protocol::{OperationId, Verdict, WriteKind};
use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::budget::Budget;
use crate::engine::call::Call;
use crate::engine::cost::Cost;
use crate::engine::settling::{SettlingReport, settle_all};
use crate::health::Health;
use crate::migration::{Migrate, Migrations};
use crate::operation::{Backfill, Completeness, EnsureFresh, Pull, Sweep, WatchBuilder};
use crate::quarantine::RetryReport;
use crate::rehearsal::Rehearse;
use crate::store::{IntentRow, QuarantineEntry};
use crate::{CdmsSynced, Error, ErrorKind, Freshness, Instant};

pub use builder::HubBuilder;
pub(crate) use connection::ORGANISATION;
pub(crate) use settings::Settings;

/// A program's handle on the hub. Cheap to clone; clones share everything but the actor and the budget.
///
/// A service connects once, when it starts, and takes a handle for each user whose requests it serves:
///
/// ```no_run
/// # use datahub_runtime::prelude::*;
/// # #[derive(Clone, CdmsSynced)]
/// # #[cdms(mapping = "account.toml", table = "organisations")]
/// # struct Organisation {
/// #     #[cdms(key)]
/// #     id: Id<Organisation>,
/// #     #[cdms("Name")]
/// #     name: String,
/// # }
/// # async fn connect() -> Result<(), Error> {
/// let hub = Hub::builder()
///     .database("sqlite://hub.db")
///     .cdms("https://crm.example.gov.uk/ORG", Anonymous)
///     .models(models![Organisation])
///     .program("web") // the actor of operations that no user asked for
///     .connect()
///     .await?;
///
/// let ada = hub.acting_as("ada@example.gov.uk"); // the history shows who changed what
/// let organisation = Organisation::create(&ada, Organisation { id: Id::new(), name: "Acme".into() }).await?;
/// # _ = organisation;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hub {
    pub(crate) engine: Arc<Engine>,
    pub(crate) actor: Arc<str>,
    pub(crate) budget: Option<Arc<Budget>>,
    /// Where the operation was called that has this handle.
    pub(crate) site: Option<&'static Location<'static>>,
}

impl Hub {
    /// Returns a builder for a hub.
    ///
    /// [`HubBuilder::database`], [`HubBuilder::cdms`] and [`HubBuilder::models`] are required; everything else has a
    /// default.
    pub fn builder() -> HubBuilder {
        HubBuilder::new()
    }

    /// Creates the missing tables of the engine and of the models; for tests and examples.
    ///
    /// Dropping the future leaves the tables either as they were or complete.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be used, a table has a different shape, or a model's table exists
    /// under the model's former name.
    pub async fn create_tables(&self) -> Result<(), Error> {
        let models: Vec<_> = self.engine.models.iter().collect();
        Ok(self.engine.store.create_tables(&models).await?)
    }

    /// Runs the [`migrations`](HubBuilder::migrations) of this program that are still pending. After
    /// [`connect`](HubBuilder::connect) these can only be steps that older programs cannot live with: run them with
    /// [`contract`](Migrate::contract), when the older programs are gone.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # async fn example(hub: Hub) -> Result<(), Error> {
    /// hub.migrate().contract().await?; // the older programs are gone
    /// # Ok(()) }
    /// ```
    ///
    /// Dropping the future ends the wait and not the run.
    pub fn migrate(&self) -> Migrate {
        let (database, migrations) =
            self.engine.migrations.clone().unwrap_or_else(|| (String::new(), Migrations::embedded(&[], &[])));
        Migrate::new(database, migrations).program(self.engine.program.to_string())
    }

    /// Returns what is known about a write, by the id from an error or the history. Reads the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when no such write was ever begun, or when it ended more than a day ago.
    pub async fn operation(&self, operation: OperationId) -> Result<Operation, Error> {
        let row = self.engine.store.operation(operation).await?;
        let row = row.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("unknown write {operation}")).advise(
                "a write is remembered for a day after it ended; the record's history keeps every write that was not \
                 refused",
            )
        })?;
        Ok(row.into())
    }

    /// Returns the writes, of any program, whose outcome is unknown: those that were begun first, at most `limit`. A write
    /// that is only under way is one of them. Reads the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be read.
    pub async fn open_writes(&self, limit: u32) -> Result<Vec<Operation>, Error> {
        let open = self.engine.store.open_intents(None, i64::from(limit)).await?;
        Ok(open.into_iter().map(Operation::from).collect())
    }

    /// Settles every write whose outcome can be determined now; the background task does the same on its own schedule.
    ///
    /// Dropping the future stops between two steps; what is not settled by then is left for the next round.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the open writes cannot be listed. Errors of single writes are in the report.
    #[track_caller]
    pub fn settle(&self) -> impl Future<Output = Result<SettlingReport, Error>> + Send + use<> {
        let hub = self.called();
        async move { Call::new(&hub, "settle", "").run(settle_all(&hub.engine)).await }
    }

    /// Returns the records in quarantine, which cannot be converted or stored: those that have waited longest, at most
    /// `limit`. A record leaves quarantine with its first successful read. Reads the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be read.
    pub async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineEntry>, Error> {
        Ok(self.engine.store.quarantine(i64::from(limit)).await?)
    }

    /// Reads the records of this hub's models again that have waited longest in quarantine, at most `limit`. A record
    /// leaves quarantine if the problem was fixed in CDMS, in the contract or in the database; a record that CDMS
    /// created under another id than the chosen one leaves it once it was removed from CDMS. Records that stay move
    /// behind the others. Sends one request for each record, one after the other.
    ///
    /// Dropping the future stops between two records.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`], [`ErrorKind::Overloaded`] and [`ErrorKind::Store`] as for a read, if no record had
    /// any other result; the retry stops at the third such record in a row. Records that stay are in the report.
    #[track_caller]
    pub fn retry_quarantined(&self, limit: u32) -> impl Future<Output = Result<RetryReport, Error>> + Send + use<> {
        let hub = self.called();
        async move { Call::new(&hub, "retry_quarantined", "").run(crate::quarantine::retry(&hub, limit)).await }
    }

    /// Brings a model up to date, page by page: all of its records first, so that a team with existing data can start, and
    /// after that only what has changed. If a pull stopped before its end, for whatever reason, the next one resumes it.
    /// [`Pull::restart`] loads everything again.
    ///
    /// The first load reads the records that belong to the model in CDMS's order of keys. A later pull reads what has
    /// changed in the entity since the last one began, and in the time before that for which CDMS may still have been
    /// executing a request (see [`execution_limit`](HubBuilder::execution_limit)). If nothing has changed, it costs one
    /// request. It also sees records that have left the model; it does not see records that were deleted, which takes a
    /// [sweep](Hub::sweep).
    ///
    /// A page of 50 records costs one request and a fixed number of statements. A record that is stored by someone else
    /// while its page is in flight is not overwritten but read again on its own. A record that cannot be converted or
    /// stored goes to quarantine and does not stop the rest. A record that is missing from the list is not treated as
    /// gone.
    ///
    /// Dropping the future stops between two steps: a page is stored whole or not at all, and the next pull resumes
    /// there.
    ///
    /// # Errors
    ///
    /// `Unavailable` when CDMS cannot be reached, `Busy` when another pull of the model has taken over, `Misconfigured`
    /// when the server that answers is not the configured CDMS or does not accept the list request, `Store` when the
    /// database cannot be used. Errors of single records are in the report.
    #[track_caller]
    pub fn pull<T: CdmsSynced>(&self) -> Pull<T> {
        Pull::new(self)
    }

    /// Finds the records of a model that were deleted in CDMS, which no list shows: lists the ids of all records that belong
    /// to the model, reads the records of rows that are missing there on their own, and makes tombstones of those that
    /// are gone or have left the model. Absence from the list alone proves nothing, because CDMS leaves out what the
    /// user may not read.
    ///
    /// Costs a request for each page of 50 records and for each missing row. Rows that are stored while it runs and those
    /// with an open write are left alone. If more than 5 % of the rows are missing, and more than 20, it stops before it
    /// reads any of them; see [`Sweep::any_number`]. If a sweep stopped before its end, for whatever reason, the next
    /// one resumes it.
    ///
    /// Dropping the future stops between two steps.
    ///
    /// # Errors
    ///
    /// As [`pull`](Hub::pull), and [`ErrorKind::Misconfigured`] when too many rows are missing. Errors of single records
    /// are in the report.
    #[track_caller]
    pub fn sweep<T: CdmsSynced>(&self) -> Sweep<T> {
        Sweep::new(self)
    }

    /// Brings models up to date, so that the program can ask its own tables: for counts, joins, groups, and everything else
    /// that SQL can do. Each model is pulled as by [`pull`](Hub::pull), unless it is fresh enough already: one request for
    /// each model if nothing has changed. The targets of lookups come first, and several models are pulled at once.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # use std::time::Duration;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn example(hub: Hub) -> Result<(), Error> {
    /// let report = hub.ensure_fresh(models![Organisation], Freshness::MaxAge(Duration::from_secs(60))).await?;
    /// println!("as of {:?}, for {}", report.models[0].checked_at, report.cost);
    /// // And now the team's own Diesel queries on `organisations`.
    /// # Ok(()) }
    /// ```
    ///
    /// Callers who come at the same time share a pull. Programs on one database share what they have checked.
    ///
    /// Dropping the future stops between two steps, as with a pull.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when a model has no complete first load, unless [`EnsureFresh::or_load`] was called; else
    /// as [`pull`](Hub::pull). Models that were brought up to date before stay so.
    #[track_caller]
    pub fn ensure_fresh(&self, models: crate::Models, freshness: Freshness) -> EnsureFresh {
        EnsureFresh::new(self, models, freshness)
    }

    /// Keeps models up to date in the background: pulls each of them about once in this time, until the handle that it
    /// returns is dropped or the hub is shut down. A model that was never loaded is loaded first. Add
    /// [`sweep_every`](WatchBuilder::sweep_every) to find deletions, too.
    ///
    /// Programs that watch a model on the same database share the work: one of them pulls it, under a lease in the
    /// database, and if it is gone, another one takes over when the lease ends, at most two intervals and a minute
    /// after the last pull. If CDMS is away, the watch asks it in growing pauses and goes on when it is back. A model
    /// whose pulls fail is paused, and the others go on. [`Watch::report`](crate::Watch::report) and
    /// [`on_event`](WatchBuilder::on_event) say how it stands.
    ///
    /// ```no_run
    /// # use datahub_runtime::{Error, Hub, WatchEvent, prelude::*};
    /// # use std::time::Duration;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn serve(hub: &Hub) -> Result<(), Error> {
    /// let watch = hub
    ///     .watch(models![Organisation], Duration::from_secs(60))
    ///     .sweep_every(Duration::from_secs(24 * 3600))
    ///     .on_event(|event| {
    ///         if let WatchEvent::Paused { model, pause } = event {
    ///             eprintln!("{model} is not up to date; it is tried again in {pause:?}");
    ///         }
    ///     })
    ///     .await?;
    /// // … while the program serves, and then:
    /// let report = watch.stop().await;
    /// println!("{} pulls for {}", report.models[0].pulls, report.cost);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] when the interval is shorter than a second, or the hub was not built with one of the
    /// models. Errors of pulls and sweeps are in the report and the events.
    #[track_caller]
    pub fn watch(&self, models: crate::Models, every: Duration) -> WatchBuilder {
        WatchBuilder::new(self, models, every)
    }

    /// Gives fields that are new, or whose mapping has changed, their values in the rows that an earlier version of the
    /// mapping stored. Rows of which the hub keeps all attributes are completed in batches, without a request. For the
    /// others it reads what they lack: a list of the key, the time of the last change and the missing attributes, page by
    /// page, or the records on their own if they are few. A record that has changed since its row was stored is read whole.
    ///
    /// If a backfill stopped before its end, for whatever reason, the next one resumes it, in any program with the same
    /// mapping. It can run next to reads, writes and programs with other versions of the mapping: each row is stored as a
    /// whole, with the guards of a pull. Until then [`Synced::incomplete`](crate::Synced::incomplete) says what a row lacks,
    /// and [`Hub::completeness`] how many there are.
    ///
    /// Dropping the future stops between two steps: a batch or page is stored whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Hub::pull`]. Errors of single records are in the report.
    #[track_caller]
    pub fn backfill<T: CdmsSynced>(&self) -> Backfill<T> {
        Backfill::new(self)
    }

    /// Returns how many rows of a model there are, and how many of them do not have all of its fields yet: a column of a
    /// new field may be made NOT NULL once there is none. One statement, and no request.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be read.
    pub async fn completeness<T: CdmsSynced>(&self) -> Result<Completeness, Error> {
        crate::operation::completeness(&self.engine, T::DESCRIPTOR).await
    }

    /// Rehearses mappings on this hub's rows, before they are deployed: runs each one, with the model's own types and
    /// conversions, on what the hub keeps of every record, and reports for each field which values would be equal or
    /// changed, lost in a write, or refused, and what the save of an unchanged value would send. Nothing is changed, no
    /// request is sent, and the memory that it takes does not depend on the number of rows.
    ///
    /// The models need not be those of the hub. [`rehearse`](crate::rehearse) takes a database by its address, also one
    /// whose tables do not fit the models yet.
    ///
    /// Dropping the future stops it between two batches.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be read, [`ErrorKind::Misconfigured`] when a limit is exceeded.
    pub fn rehearse(&self, models: crate::Models) -> Rehearse {
        Rehearse::on_hub(self, models)
    }

    /// Makes the next request log in again even if CDMS refused the user and password before, or the login has just
    /// failed; for example after an account was unlocked. Other programs on the database that were refused with the
    /// same user and password log in again within a minute. Sends nothing to CDMS itself.
    ///
    /// Dropping the future ends the wait only: once begun, it is carried out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] when the hub has no CDMS.
    pub async fn retry_login(&self) -> Result<(), Error> {
        self.engine.client()?.retry_login().await;
        Ok(())
    }

    /// Returns the hub's health, for readiness probes: one statement, and no request to CDMS. A database that does not
    /// answer within 5 s counts as unusable. It also tells for which models this program is too old.
    ///
    /// Database, network, login, rights and drift are told apart, each since when and what to do. What it says of CDMS is what
    /// this program's own requests have met, so it costs nothing and is as fresh as they are; to have CDMS asked now, call
    /// [`check_connection`](Hub::check_connection).
    ///
    /// ```no_run
    /// # use datahub_runtime::Hub;
    /// # async fn example(hub: &Hub) {
    /// let health = hub.health().await;
    /// println!("database: {}", health.database); // "works", or "fails since …: why; what to do"
    /// println!("network: {}, login: {}", health.network, health.login);
    /// for trouble in health.rights.iter().chain(&health.drift) {
    ///     println!("{trouble}");
    /// }
    /// # }
    /// ```
    ///
    /// Dropping the future changes nothing.
    pub async fn health(&self) -> Health {
        crate::health::of(self).await
    }

    /// The cost of this hub's operations since it was connected, summed over all handles, together with what its background
    /// does.
    pub fn cost(&self) -> Cost {
        self.engine.meters.of_hub()
    }

    /// Shuts the hub down: waits for the writes and the login in progress and for the database's threads, but no longer than
    /// `patience`. What is not done by then is settled by the next program that connects. Later operations of any
    /// handle fail.
    ///
    /// If the shutdown completed in time and no other program has the SQLite file open, the file is the complete
    /// database: its log has been merged into it.
    ///
    /// Dropping the future ends the wait, not the shutdown.
    pub async fn shutdown(&self, patience: Duration) {
        self.engine.closing.cancel();
        self.engine.tasks.close();
        let begun = tokio::time::Instant::now();
        let engine = Arc::clone(&self.engine);
        let (refusing, refuses) = tokio::sync::oneshot::channel();
        let ending = tokio::spawn(async move {
            if tokio::time::timeout(patience, engine.tasks.wait()).await.is_err() {
                let open = engine.tasks.len();
                tracing::warn!(open, "shut down with operations under way; they will be settled");
            }
            engine.store.refuse();
            // No caller waits for it any more if the shutdown's future was dropped.
            _ = refusing.send(());
            engine.store.close().await;
        });
        _ = refuses.await;
        if tokio::time::timeout(patience.saturating_sub(begun.elapsed()), ending).await.is_err() {
            tracing::warn!("the database's threads have not ended yet; they end after their last jobs");
        }
    }
}

/// What is known about a write.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// The write's id.
    pub id: OperationId,
    /// What it does.
    pub write: WriteKind,
    /// The table of the model through which it was made.
    pub model: String,
    /// The record.
    pub record: Uuid,
    /// Who requested it.
    pub actor: String,
    /// The program that began it.
    pub program: String,
    /// When it was begun, by the database's clock.
    pub opened_at: Instant,
    /// Its verdict; `None` while the outcome is unknown.
    pub verdict: Option<Verdict>,
}

impl From<IntentRow> for Operation {
    fn from(row: IntentRow) -> Self {
        let IntentRow { intent, id, model, actor, program, opened_at, verdict, .. } = row;
        Operation { id: intent.operation, write: intent.write, model, record: id, actor, program, opened_at, verdict }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("actor", &self.actor).field("program", &self.engine.program).finish_non_exhaustive()
    }
}
