//! The engine: the state that all handles on a hub share, and the execution of the protocol's decisions.

pub(crate) mod budget;
pub(crate) mod call;
pub(crate) mod check_times;
pub(crate) mod clock;
pub(crate) mod cost;
pub(crate) mod entrance;
pub(crate) mod executor;
pub(crate) mod known_row;
pub(crate) mod local_fields;
pub(crate) mod mapping;
pub(crate) mod metrics;
pub(crate) mod observed;
pub(crate) mod record_lock;
pub(crate) mod revalidation;
pub(crate) mod settling;
pub(crate) mod shared_check;
pub(crate) mod shared_pull;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use datahub_model::ModelDescriptor;
use datahub_protocol::OperationId;
use datahub_protocol::planted::{Planted, planted};
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::cdms::{Client, FirstContact};
use crate::engine::clock::Clock;
use crate::engine::cost::{Meters, part};
use crate::engine::record_lock::RecordLocks;
use crate::engine::revalidation::Revalidations;
use crate::engine::settling::Looks;
use crate::engine::shared_check::SharedChecks;
use crate::engine::shared_pull::SharedPulls;
use crate::hub::{ORGANISATION, Settings};
use crate::migration::Migrations;
use crate::store::Store;
use crate::{Error, ErrorKind, ModelFresh, Models, environment};

/// The state that all handles share.
pub(crate) struct Engine {
    pub(crate) store: Store,
    /// `None` if all models are detached and no CDMS was named.
    client: Option<Client>,
    pub(crate) meters: Meters,
    pub(crate) models: Models,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) program: Arc<str>,
    /// This program's instance, as the holder of leases.
    pub(crate) holder: Uuid,
    pub(crate) locks: RecordLocks,
    /// One resolution of a record at a time: the next one sees its result.
    pub(crate) resolutions: RecordLocks,
    pub(crate) checks: SharedChecks,
    pub(crate) revalidations: Revalidations,
    pub(crate) pulls: SharedPulls<Result<ModelFresh, Error>>,
    /// The tasks that a shutdown waits for.
    pub(crate) tasks: TaskTracker,
    /// A permit for each check and write that may be in progress.
    room: Arc<Semaphore>,
    pub(crate) closing: CancellationToken,
    /// Wakes the settling in the background.
    pub(crate) unsettled: Arc<Notify>,
    /// When the background looks again at which open writes.
    pub(crate) looks: Looks,
    /// When ended writes were last forgotten.
    pub(crate) forgot_at: Mutex<Option<cdms_odata::Instant>>,
    contact: OnceCell<Option<Uuid>>,
    /// How many first contacts were attempted and why the last one failed, for all callers that waited for it.
    contact_failed: Mutex<(u64, Option<Error>)>,
    /// Why creates are stopped, once CDMS has not kept a chosen id.
    pub(crate) creates_stopped: OnceLock<Error>,
    /// The database's address and the migrations of this program, if it has any.
    pub(crate) migrations: Option<(String, Migrations)>,
    /// The environment whose database this one is a copy of, if it is one.
    pub(crate) copy_of: Option<String>,
}

/// While many records are read: whether CDMS is unavailable, or only cannot return single records. CDMS is asked at the
/// first failure in a row, the second, the fourth and so on, so that many bad records cost few additional requests.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    failures: u32,
    is_away: bool,
}

impl Doubt {
    /// Notes that a record could not be read, and returns whether CDMS is unavailable.
    pub(crate) async fn is_outage(&mut self, engine: &Engine) -> bool {
        self.failures += 1;
        if self.failures.is_power_of_two() {
            self.is_away = !engine.cdms_answers().await;
        }
        self.is_away
    }

    /// Notes that CDMS has returned a record.
    pub(crate) fn is_over(&mut self) {
        *self = Doubt::default();
    }
}

impl Engine {
    /// An engine on an open database, for a program that has not contacted CDMS yet.
    pub(super) fn new(
        store: Store,
        client: Option<Client>,
        meters: Meters,
        models: Models,
        clock: Arc<dyn Clock>,
        settings: Settings,
        program: Arc<str>,
    ) -> Self {
        let tasks = client.as_ref().map(Client::tasks).unwrap_or_default();
        let room = Arc::new(Semaphore::new(settings.operations_max.min(Semaphore::MAX_PERMITS)));
        Engine {
            store,
            client,
            meters,
            models,
            clock,
            settings,
            program,
            holder: Uuid::now_v7(),
            locks: RecordLocks::default(),
            resolutions: RecordLocks::default(),
            checks: SharedChecks::default(),
            revalidations: Revalidations::default(),
            pulls: SharedPulls::default(),
            tasks,
            room,
            closing: CancellationToken::new(),
            unsettled: Arc::default(),
            looks: Looks::default(),
            forgot_at: Mutex::default(),
            contact: OnceCell::new(),
            contact_failed: Mutex::default(),
            creates_stopped: OnceLock::new(),
            migrations: None,
            copy_of: None,
        }
    }

    /// Contacts CDMS for the first time, or returns the result of that: the organisation must be the one whose data the
    /// database holds, and the hub's user is looked up if it was named.
    pub(crate) async fn contact(&self) -> Result<Option<Uuid>, Error> {
        match self.contact.get() {
            Some(contact) => Ok(*contact),
            // It is large, and happens once.
            None => Box::pin(self.first_contact()).await,
        }
    }

    async fn first_contact(&self) -> Result<Option<Uuid>, Error> {
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
        let FirstContact { organisation, user } = self.client()?.first_contact().await?;
        let known = self.store.put_setting_if_absent(ORGANISATION, &organisation.to_string()).await?;
        if known == organisation.to_string() || planted(Planted::NoOrganisationCheck) {
            tracing::info!(%organisation, user = user.map(tracing::field::display), "met CDMS");
            return Ok(user);
        }
        let message = format!("the database holds data of organisation {known}, but CDMS is {organisation}");
        Err(Error::new(ErrorKind::Misconfigured, message)
            .advise("connect to the right CDMS, or use a new database; nothing was read or written"))
    }

    /// The client of CDMS.
    ///
    /// # Errors
    ///
    /// The hub has none.
    pub(crate) fn client(&self) -> Result<&Client, Error> {
        self.client.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Misconfigured, "the hub has no CDMS, so only detached models can be used")
                .advise("call `.cdms(address, authenticator)` on its builder")
        })
    }

    /// Whether CDMS answers now: distinguishes a CDMS that is unavailable from one that cannot return a single record. One
    /// request.
    pub(crate) async fn cdms_answers(&self) -> bool {
        if planted(Planted::OneFailureIsOutage) {
            return false;
        }
        match self.client() {
            Ok(client) => client.answers().await,
            Err(_) => false,
        }
    }

    /// Whether CDMS was contacted and is the right one.
    pub(crate) fn has_met_cdms(&self) -> bool {
        self.contact.initialized()
    }

    /// Stops creates, because CDMS did not keep the id that was chosen in this write.
    pub(crate) fn stop_creates(&self, operation: OperationId) {
        let why = format!("CDMS did not keep the chosen id (write {operation})");
        // The first reason stays.
        _ = self.creates_stopped.set(Error::new(ErrorKind::Misconfigured, why));
    }

    /// The descriptor of a model by its table.
    pub(crate) fn model(&self, table: &str) -> Option<&'static ModelDescriptor> {
        self.models.iter().find(|model| model.table == table)
    }

    /// Runs a check or a write in a task of the hub, so that it does not stop if the caller drops its future. It counts for
    /// the operation that begins it. Beyond the hub's limit it is refused, and no part of it begins.
    pub(crate) fn spawn<F>(&self, operation: F) -> Result<JoinHandle<F::Output>, Error>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            let max = self.settings.operations_max;
            let message = format!("{max} operations are under way, which is the hub's limit");
            return Err(Error::new(ErrorKind::Overloaded, message)
                .advise(
                    "try again later; if CDMS and the database are idle, raise `max_operations` on the hub's builder",
                )
                .after(Duration::from_secs(1)));
        };
        // What is spawned is moved several times, and an operation is large.
        let operation = Box::pin(operation);
        Ok(self.tasks.spawn(part(async move {
            let output = operation.await;
            drop(permit);
            output
        })))
    }

    /// Refuses to write to CDMS from a copy of a database.
    pub(crate) fn admit_write(&self) -> Result<(), Error> {
        match &self.copy_of {
            Some(original) if !planted(Planted::CopyWrites) => Err(environment::refused(original)),
            _ => Ok(()),
        }
    }

    /// Refuses anything after shutdown.
    pub(crate) fn admit_any(&self) -> Result<(), Error> {
        if self.closing.is_cancelled() {
            return Err(Error::new(ErrorKind::Unavailable, "the hub was shut down").advise("connect again"));
        }
        Ok(())
    }

    /// Refuses models that the hub was not built with, and anything after shutdown.
    pub(crate) fn admit(&self, model: &'static ModelDescriptor) -> Result<(), Error> {
        self.admit_any()?;
        if !self.models.iter().any(|known| std::ptr::eq(known, model) || known.mapping_id == model.mapping_id) {
            let message = format!("unknown model {}: the hub was not built with it", model.name);
            return Err(Error::new(ErrorKind::Misconfigured, message)
                .advise(format!("add {} to `.models(models![…])` on the hub's builder", model.name)));
        }
        Ok(())
    }
}
