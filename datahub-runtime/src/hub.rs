//! The hub: one program's handle on its database and its CDMS.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use datahub_model::ModelDescriptor;
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{OperationId, Verdict, WriteKind};
use tokio::sync::{Notify, OnceCell};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::cdms::{Authenticator, Client, ClientOptions, FirstContact};
use crate::clock::{Clock, SystemClock};
use crate::cost::{Cost, Meters};
use crate::health::Health;
use crate::operation::Pull;
use crate::record_lock::RecordLocks;
use crate::settling::{Settling, SettlingReport};
use crate::shared_check::SharedChecks;
use crate::store::{QuarantineEntry, Store, StoreOptions};
use crate::{CdmsSynced, Error, ErrorKind, Models};

/// A program's handle on the hub. Cheap to clone; clones share everything but the actor.
#[derive(Clone)]
pub struct Hub {
    pub(crate) engine: Arc<Engine>,
    pub(crate) actor: Arc<str>,
}

/// What all handles share.
pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) client: Client,
    meters: Meters,
    pub(crate) models: Models,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) program: Arc<str>,
    /// This program's instance, as the holder of leases.
    pub(crate) holder: Uuid,
    pub(crate) locks: RecordLocks,
    pub(crate) checks: SharedChecks,
    pub(crate) tasks: TaskTracker,
    pub(crate) closing: CancellationToken,
    /// Wakes the settling in the background.
    pub(crate) unsettled: Arc<Notify>,
    /// When ended writes were last forgotten.
    pub(crate) forgot_at: Mutex<Option<cdms_odata::Instant>>,
    contact: OnceCell<Option<Uuid>>,
    /// How often CDMS was to be met, and why not, for everybody who waited for it.
    contact_failed: Mutex<(u64, Option<Error>)>,
    /// Why creates are stopped, once CDMS has not honoured a chosen id.
    pub(crate) creates_stopped: OnceLock<Error>,
}

/// Times and limits, each with its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) clock_skew: Duration,
    pub(crate) execution_limit: Duration,
    pub(crate) time_limit: Duration,
    pub(crate) settling: Settling,
    pub(crate) connections: Option<usize>,
    pub(crate) operations_max: usize,
    /// The largest answer of CDMS, in bytes.
    pub(crate) answer_max: usize,
}

impl Options {
    /// A lease covers a login, two tries, the read-back and the storing.
    pub(crate) fn lease_ms(&self) -> u64 {
        u64::try_from(self.time_limit.as_millis() * 4).unwrap_or(u64::MAX)
    }

    pub(crate) fn clock_skew_ms(&self) -> i64 {
        i64::try_from(self.clock_skew.as_millis()).unwrap_or(i64::MAX)
    }

    /// 1.1 times the execution limit: 330 s by default.
    fn quiet_ms(&self) -> u64 {
        u64::try_from(self.execution_limit.as_millis() * 11 / 10).unwrap_or(u64::MAX)
    }
}

/// Builds a [`Hub`]; see [`Hub::builder`].
#[must_use = "a builder does nothing until `connect` is called and awaited"]
pub struct HubBuilder {
    database: Option<String>,
    cdms: Option<(String, Arc<dyn Authenticator>)>,
    models: Models,
    program: String,
    cdms_user: Option<String>,
    clock: Arc<dyn Clock>,
    options: Options,
    create_tables: bool,
}

impl Hub {
    /// Begins to build a hub.
    ///
    /// [`HubBuilder::database`], [`HubBuilder::cdms`] and [`HubBuilder::models`] are needed, the rest has defaults.
    pub fn builder() -> HubBuilder {
        HubBuilder {
            database: None,
            cdms: None,
            models: Models::default(),
            program: "datahub".to_owned(),
            cdms_user: None,
            clock: Arc::new(SystemClock::default()),
            options: Options {
                clock_skew: Duration::ZERO,
                execution_limit: Duration::from_secs(300),
                time_limit: Duration::from_secs(60),
                settling: Settling::InBackground,
                connections: None,
                operations_max: 1_000,
                answer_max: 8 * 1024 * 1024,
            },
            create_tables: false,
        }
    }

    /// Another handle on the same hub that acts for this user: the name is kept in the history of what it writes.
    pub fn acting_as(&self, actor: impl Into<String>) -> Hub {
        Hub { engine: Arc::clone(&self.engine), actor: actor.into().into() }
    }

    /// The user for whom this handle acts; the program's name where none was set.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Creates the engine's tables and those of the models where they are missing; for tests and examples.
    ///
    /// Dropping the future leaves the tables either as they were or complete.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be used or has a table of another shape.
    pub async fn create_tables(&self) -> Result<(), Error> {
        let models: Vec<_> = self.engine.models.iter().collect();
        Ok(self.engine.store.create_tables(&models).await?)
    }

    /// What became of a write, by the id that an error or the history gave. Asks the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when no such write was ever begun, or it ended more than a day ago.
    pub async fn operation(&self, operation: OperationId) -> Result<Operation, Error> {
        let row = self.engine.store.operation(operation).await?;
        let row = row.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no write {operation} is known")).advise(
                "writes are remembered for a day after they ended; the record's history remembers for good those that \
                 were not refused",
            )
        })?;
        Ok(Operation {
            id: operation,
            write: row.intent.write,
            model: row.model.clone(),
            record: row.id,
            actor: row.actor.clone(),
            verdict: row.verdict.clone(),
        })
    }

    /// Settles now every write whose fate can be told; the background does the same on its own time.
    ///
    /// Dropping the future stops between two steps; what is not settled then is left for the next round.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the open writes cannot be listed. Trouble with a single write is in the report.
    pub async fn settle(&self) -> Result<SettlingReport, Error> {
        crate::settling::settle_all(&self.engine).await
    }

    /// The records that wait in quarantine because they cannot be converted or stored: those that wait longest, at most `limit`. Each
    /// leaves it with the first read that succeeds. Asks the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be read.
    pub async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineEntry>, Error> {
        Ok(self.engine.store.quarantine(i64::from(limit)).await?)
    }

    /// Reads the records again that wait longest in quarantine, at most `limit`: what was mended in CDMS, in the contract
    /// or in the database leaves it. One request for each, one after the other.
    ///
    /// Dropping the future stops between two records.
    ///
    /// # Errors
    ///
    /// `Unavailable` when CDMS goes away, `Store` when the quarantine cannot be listed. What still does not fit is in the
    /// report.
    pub async fn retry_quarantined(&self, limit: u32) -> Result<RetryReport, Error> {
        let mut report = RetryReport::default();
        for entry in self.quarantine(limit).await? {
            // An orphan is no record that anybody reads; it waits to be removed.
            let Some(model) = self.engine.model(&entry.model).filter(|_| entry.orphan_of.is_none()) else { continue };
            match crate::shared_check::check(&self.engine, model, entry.id).await {
                Ok(_) => report.left.push(entry),
                Err(error) => match error.kind() {
                    ErrorKind::Unavailable => return Err(error),
                    ErrorKind::NotFound | ErrorKind::Gone => report.left.push(entry),
                    _ => report.stayed.push((entry, error)),
                },
            }
        }
        Ok(report)
    }

    /// Reads all records of a model, so that a team with existing data can begin: page by page in CDMS's order of keys, each
    /// page compared with the rows and stored in one transaction. A pull that stopped before its end, for whatever reason,
    /// is gone on with by the next one; one that was complete begins anew.
    ///
    /// A page of 50 records costs one request and a fixed number of statements. What somebody stores while a page is on its
    /// way is not overwritten but read again by itself. A record that cannot be converted or stored goes to quarantine and
    /// does not stop the rest. A record that is missing from the list is not taken for gone.
    ///
    /// Dropping the future stops between two steps: a page is stored whole or not at all, and the next pull goes on there.
    ///
    /// # Errors
    ///
    /// `Unavailable` when CDMS goes away, `Busy` when another pull of the model has taken over, `Misconfigured` when what
    /// answers is not the configured CDMS or does not take the list, `Store` when the database cannot be used. Trouble with
    /// single records is in the report.
    pub fn pull<T: CdmsSynced>(&self) -> Pull<T> {
        Pull::new(self)
    }

    /// How the hub is doing, for readiness probes: one statement, and no request to CDMS.
    ///
    /// Dropping the future changes nothing.
    pub async fn health(&self) -> Health {
        crate::health::of(self).await
    }

    /// What this hub's operations have cost since it was connected: the sums over all handles.
    pub fn cost(&self) -> Cost {
        self.engine.meters.of_hub()
    }

    /// Ends the hub: waits for the writes under way and for the database's threads, at most as long as given. What is
    /// not done by then is settled by the next program that connects. Later operations of any handle fail.
    ///
    /// Dropping the future ends the waiting, not the shutdown.
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
            // Nobody waits for it any more where the shutdown's future was dropped.
            _ = refusing.send(());
            engine.store.close().await;
        });
        _ = refuses.await;
        if tokio::time::timeout(patience.saturating_sub(begun.elapsed()), ending).await.is_err() {
            tracing::warn!("the database's threads have not ended yet; they do once their last jobs are done");
        }
    }
}

impl Engine {
    /// Meets CDMS for the first time, or remembers having met it: the organisation must be the one whose data the
    /// database holds, and the hub's user is looked up where it was named.
    pub(crate) async fn contact(&self) -> Result<Option<Uuid>, Error> {
        let failed = || self.contact_failed.lock().unwrap_or_else(PoisonError::into_inner);
        let tries_before = failed().0;
        let contact = self.contact.get_or_try_init(|| async {
            if let (tries, Some(error)) = &*failed()
                && *tries > tries_before
            {
                return Err(error.clone());
            }
            let met = self.meet().await;
            let mut failed = failed();
            *failed = (failed.0 + 1, met.as_ref().err().cloned());
            met
        });
        contact.await.copied()
    }

    async fn meet(&self) -> Result<Option<Uuid>, Error> {
        let FirstContact { organisation, user } = self.client.first_contact().await?;
        let known = self.store.put_setting_if_absent("organisation", &organisation.to_string()).await?;
        if known == organisation.to_string() || planted(Planted::NoOrganisationCheck) {
            return Ok(user);
        }
        let message = format!("the database holds data of organisation {known}, but CDMS is {organisation}");
        Err(Error::new(ErrorKind::Misconfigured, message)
            .advise("connect to the right CDMS, or use a new database; nothing was read or written"))
    }

    /// Whether CDMS was met and is the right one.
    pub(crate) fn has_met_cdms(&self) -> bool {
        self.contact.initialized()
    }

    /// Stops creates, because CDMS did not keep the id that was chosen in this one.
    pub(crate) fn stop_creates(&self, operation: OperationId) {
        let why = format!("CDMS did not keep the chosen id (write {operation})");
        // The first reason stays.
        _ = self.creates_stopped.set(Error::new(ErrorKind::Misconfigured, why));
    }

    /// The descriptor of a model by its table.
    pub(crate) fn model(&self, table: &str) -> Option<&'static ModelDescriptor> {
        self.models.iter().find(|model| model.table == table)
    }

    /// Refuses one more operation than the hub takes at once.
    pub(crate) fn has_room(&self) -> Result<(), Error> {
        let max = self.options.operations_max;
        if self.tasks.len() < max {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Overloaded,
            format!("{max} operations are under way, and the hub takes no more at once"),
        )
        .advise("try again later; if CDMS and the database are idle, raise `max_operations` on the hub's builder")
        .after(Duration::from_secs(1)))
    }

    /// Refuses models that the hub was not built with, and anything after shutdown.
    pub(crate) fn admit(&self, model: &'static ModelDescriptor) -> Result<(), Error> {
        if self.closing.is_cancelled() {
            return Err(Error::new(ErrorKind::Unavailable, "the hub was shut down").advise("connect again"));
        }
        if !self.models.iter().any(|known| std::ptr::eq(known, model) || known.mapping_id == model.mapping_id) {
            let message = format!("the hub does not know the model {}", model.name);
            return Err(Error::new(ErrorKind::Misconfigured, message)
                .advise(format!("add {} to `.models(models![…])` on the hub's builder", model.name)));
        }
        Ok(())
    }
}

impl HubBuilder {
    /// The hub's database: `sqlite://datahub.db`, or with the feature `postgres` `postgres://user@host/database`.
    ///
    /// Every commit waits for the disk, because an intent that a power cut takes back was not noted. Who can do without
    /// the promises about crashes of the machine says so in the address: `sqlite://datahub.db?synchronous=normal`, or for
    /// PostgreSQL `?options=-c%20synchronous_commit%3Doff`. A write may then be in CDMS of which the hub knows nothing.
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.database = Some(url.into());
        self
    }

    /// The organisation's address in CDMS, and how to log in there. Plain http is taken for this machine only.
    pub fn cdms(mut self, root: impl Into<String>, authenticator: impl Authenticator) -> Self {
        self.cdms = Some((root.into(), Arc::new(authenticator)));
        self
    }

    /// The models, as `models![Organisation, Contact]` lists them.
    pub fn models(mut self, models: Models) -> Self {
        self.models = models;
        self
    }

    /// The program's name: the actor where none is set, and part of every history entry. Default: `datahub`.
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.program = name.into();
        self
    }

    /// The domain name of the CDMS user as whom the hub logs in, `DOMAIN\user`. Naming it lets unsettled updates be
    /// recognised as ours at once instead of after the quiet period.
    pub fn cdms_user(mut self, domain_name: impl Into<String>) -> Self {
        self.cdms_user = Some(domain_name.into());
        self
    }

    /// The clock; tests move their own. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// By how much the clocks of CDMS's front ends may differ. Default: not at all.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.options.clock_skew = skew;
        self
    }

    /// How long CDMS may go on executing a request (its server's execution limit). A write whose outcome is unknown is
    /// called not applied only 1.1 times this after it was given up. Default: 300 s.
    pub fn execution_limit(mut self, limit: Duration) -> Self {
        self.options.execution_limit = limit;
        self
    }

    /// How long one request to CDMS may take. Default: 60 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.options.time_limit = limit;
        self
    }

    /// How many connections to the database are kept: on SQLite those that read, beside the one that writes, elsewhere
    /// all. Operations that find none free wait in a fair and bounded queue. Default: 3 on SQLite, 8 on PostgreSQL.
    pub fn connections(mut self, count: usize) -> Self {
        self.options.connections = Some(count);
        self
    }

    /// How many checks and writes may be under way at once; one more is refused at once, as
    /// [`ErrorKind::Overloaded`]. Default: 1,000. Of their requests to CDMS 16 are under way at once.
    pub fn max_operations(mut self, count: usize) -> Self {
        self.options.operations_max = count;
        self
    }

    /// How many bytes of one answer of CDMS are read, after decompression; a larger one counts as none. A page of a pull
    /// holds 50 records with the attributes of the model, so long texts may need more. Default: 8 MiB.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.options.answer_max = bytes;
        self
    }

    /// Whether unsettled writes are settled in the background. Default: they are.
    pub fn settling(mut self, settling: Settling) -> Self {
        self.options.settling = settling;
        self
    }

    /// Creates missing tables when connecting; for tests and examples.
    pub fn create_tables(mut self) -> Self {
        self.create_tables = true;
        self
    }

    /// Opens the database. CDMS is not asked yet, because it may be away.
    ///
    /// Dropping the future leaves no connection behind.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] when something needed is missing or an address is wrong, [`ErrorKind::Store`] when
    /// the database cannot be opened or lacks the tables.
    pub async fn connect(self) -> Result<Hub, Error> {
        let missing = |what: &str, call: &str| {
            Error::new(ErrorKind::Misconfigured, format!("the hub has no {what}"))
                .advise(format!("call `{call}` on its builder"))
        };
        let database = self.database.ok_or_else(|| missing("database", ".database(\"sqlite://datahub.db\")"))?;
        let (root, authenticator) = self.cdms.ok_or_else(|| missing("CDMS", ".cdms(address, authenticator)"))?;
        let models: Vec<_> = self.models.iter().collect();
        if models.is_empty() {
            return Err(missing("models", ".models(models![…])"));
        }
        let client_options = ClientOptions {
            time_limit: self.options.time_limit,
            body_max: self.options.answer_max,
            cdms_user: self.cdms_user,
        };
        let meters = Meters::default();
        let client = Client::new(&root, authenticator, client_options, Arc::clone(&self.clock), meters.clone())?;
        let store_options = StoreOptions {
            quiet_ms: self.options.quiet_ms(),
            connections: self.options.connections,
            ..StoreOptions::default()
        };
        let store = Store::open(&database, Arc::clone(&self.clock), store_options, meters.clone()).await?;
        if self.create_tables {
            store.create_tables(&models).await?;
        } else {
            store.check_schema(&models).await?;
        }
        let program: Arc<str> = self.program.into();
        let engine = Arc::new(Engine {
            store,
            client,
            meters,
            models: self.models,
            clock: self.clock,
            options: self.options,
            program: Arc::clone(&program),
            holder: Uuid::now_v7(),
            locks: RecordLocks::default(),
            checks: SharedChecks::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            unsettled: Arc::default(),
            forgot_at: Mutex::default(),
            contact: OnceCell::new(),
            contact_failed: Mutex::default(),
            creates_stopped: OnceLock::new(),
        });
        if self.options.settling == Settling::InBackground {
            crate::settling::start(&engine);
        }
        Ok(Hub { engine, actor: program })
    }
}

/// What a retry of quarantined records came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RetryReport {
    /// The records that fit now, or are gone.
    pub left: Vec<QuarantineEntry>,
    /// The records that still do not fit, each with the reason.
    pub stayed: Vec<(QuarantineEntry, Error)>,
}

/// What is known of one write.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// The write's id.
    pub id: OperationId,
    /// What it does.
    pub write: WriteKind,
    /// The table of the model it was made through.
    pub model: String,
    /// The record.
    pub record: Uuid,
    /// Who asked for it.
    pub actor: String,
    /// What became of it; `None` while that is not known.
    pub verdict: Option<Verdict>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("actor", &self.actor).field("program", &self.engine.program).finish_non_exhaustive()
    }
}
