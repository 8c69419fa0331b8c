//! Building a hub: where its sides are, its models, and its times and limits.

mod cdms;

use std::sync::Arc;
use std::time::Duration;

use datahub_model::Mode;

use super::pending::refuse_pending;
use super::remote::Remote;
use super::settings::Settings;
use super::{Engine, Hub};
use crate::cdms::{Client, ClientOptions, NetworkOptions, RefusedLogins};
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::cost::Meters;
use crate::engine::settling::Settling;
use crate::migration::{Migrate, Migrations};
use crate::store::{Pending, Store, StoreOptions};
use crate::{Error, ErrorKind, Models, environment};

/// Builds a [`Hub`]; see [`Hub::builder`].
#[must_use = "a builder does nothing until `connect` is called and awaited"]
pub struct HubBuilder {
    database: Option<String>,
    cdms: Option<Remote>,
    network: NetworkOptions,
    models: Models,
    program: String,
    cdms_user: Option<String>,
    environment: Option<String>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    tables: Tables,
}

/// What connecting does about the tables.
enum Tables {
    /// Checks them.
    Check,
    /// Checks them, and that these migrations are applied.
    Migrated(Migrations),
    /// Creates those that are missing.
    Create,
    /// Creates those that are missing through another address, as a user who may, and then checks them.
    #[cfg(feature = "testing")]
    CreateAs(String),
}

impl HubBuilder {
    pub(super) fn new() -> Self {
        HubBuilder {
            database: None,
            cdms: None,
            network: NetworkOptions::default(),
            models: Models::default(),
            program: "datahub".to_owned(),
            cdms_user: None,
            environment: None,
            clock: Arc::new(SystemClock::default()),
            settings: Settings::default(),
            tables: Tables::Check,
        }
    }

    /// The hub's database: `sqlite://datahub.db`, or with the feature `postgres` also `postgres://user@host/database`.
    ///
    /// A PostgreSQL address has the form that PostgreSQL's own clients accept: several hosts
    /// (`postgres://one,two/database`, of which the hub uses the one that accepts writes), `sslmode` up to
    /// `verify-full`, and `sslrootcert` with the file of a private certificate authority. The certificate of another
    /// machine is always verified, and its name too unless the address says `sslmode=verify-ca`. Poolers that give each
    /// transaction another session are supported.
    ///
    /// Every commit waits for the disk, because an intent that is lost in a power cut was not noted. If you can do
    /// without the promises about crashes of the machine, say so in the address:
    /// `sqlite://datahub.db?synchronous=normal`, or for PostgreSQL `?options=-c%20synchronous_commit%3Doff`. CDMS may
    /// then have a write that the hub does not know about.
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.database = Some(url.into());
        self
    }

    /// The models, as `models![Organisation, Contact]` lists them.
    pub fn models(mut self, models: Models) -> Self {
        self.models = models;
        self
    }

    /// The program's name: the actor if none is set, and part of every history entry. Default: `datahub`.
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.program = name.into();
        self
    }

    /// The domain name of the CDMS user that the hub logs in as, `DOMAIN\user`. If it is set, the hub recognises
    /// unsettled updates as its own at once instead of after the quiet period.
    pub fn cdms_user(mut self, domain_name: impl Into<String>) -> Self {
        self.cdms_user = Some(domain_name.into());
        self
    }

    /// The environment that the hub works in, such as `production`. The first hub that states one gives its name to the
    /// database; from then on, hubs of other environments, and those that state none, do not connect to it. So a copy of
    /// the database that was restored elsewhere cannot write to the same CDMS: it is taken over as a copy, with
    /// [`environment::adopt`](crate::environment::adopt) or `datahub adopt`. Default: none.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// The clock; tests can replace it. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// By how much the clocks of CDMS's front-end servers may differ. Default: zero.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.settings.clock_skew = skew;
        self
    }

    /// How long CDMS may keep executing a request (its server's execution limit). A write whose outcome is unknown
    /// counts as not applied only 1.1 times this long after the hub gave it up. Default: 300 s.
    pub fn execution_limit(mut self, limit: Duration) -> Self {
        self.settings.execution_limit = limit;
        self
    }

    /// How long one request to CDMS may take, connecting included, which has a
    /// [limit of its own](HubBuilder::connect_limit). Default: 60 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.settings.time_limit = limit;
        self
    }

    /// How many connections to the database are kept: on SQLite the connections that read, in addition to the one that
    /// writes; on other databases all of them. Operations that find none free wait in a fair and bounded queue.
    /// Default: 3 on SQLite, 8 on PostgreSQL.
    pub fn connections(mut self, count: usize) -> Self {
        self.settings.connections = Some(count);
        self
    }

    /// How many checks and writes may be in progress at once; any more are refused immediately with
    /// [`ErrorKind::Overloaded`]. Default: 1,000. How many of their requests are in flight at once, see
    /// [`concurrent_requests`](HubBuilder::concurrent_requests).
    pub fn max_operations(mut self, count: usize) -> Self {
        self.settings.operations_max = count;
        self
    }

    /// The maximum size of a response of CDMS in bytes, after decompression; a larger one counts as no answer. A page
    /// of a pull holds 50 records with the attributes of the model, so long texts may need more. Default: 8 MiB.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.settings.answer_max = bytes;
        self
    }

    /// The maximum number of requests to CDMS in flight at once; further ones wait in the order of arrival, at most for
    /// the [time limit](HubBuilder::time_limit). Default: 64.
    ///
    /// Up to this maximum, CDMS decides. The hub begins with 16 requests at once, which a CRM 2011 server is known to
    /// sustain for one client (docs/protocol.md, 10). It sends more while all of these are in use and records arrive
    /// about as fast as when it asks for few, and gradually goes back to 16 while they take more than twice as long. If
    /// CDMS answers 429 or 503, accepts no connection, or does not answer in time, the number is halved, down to 4, and
    /// grows again slowly. [`Health::requests_at_once`](crate::Health::requests_at_once) shows the present number.
    ///
    /// A lower maximum leaves more of the server to the people who work on it at the same time, and with 16 the hub
    /// never sends more than it is known to sustain.
    ///
    /// The minimum is 1; 0 counts as 1.
    pub fn concurrent_requests(mut self, count: usize) -> Self {
        self.settings.concurrent_requests = count.max(1);
        self
    }

    /// How many requests of pulls, backfills and sweeps may be sent to CDMS in a second, at most. Reads and writes are not
    /// limited. Whatever the rate, pulls, backfills and sweeps use at most half of the
    /// [`concurrent_requests`](HubBuilder::concurrent_requests) at once, so that people do not wait behind them.
    /// Default: no limit.
    ///
    /// A number that is not positive counts as no limit.
    pub fn background_requests_per_second(mut self, rate: f64) -> Self {
        // Slower than one in a day is no rate, and its pause could not be expressed.
        self.settings.background_per_second = (rate > 0.0).then(|| rate.max(1.0 / 86_400.0));
        self
    }

    /// How long to wait before retrying a login that failed for another reason than its user or password: this long
    /// after the first failure, six times this long after the second, and after the third until sixty times this long
    /// has passed since the first. Default: 10 s, so a login is tried at most three times in ten minutes.
    ///
    /// The minimum is a millisecond and the maximum a day; a pause beyond these counts as the nearest of them.
    pub fn login_pause(mut self, pause: Duration) -> Self {
        // A pause of zero would not limit anything, and times that are added up must be expressible.
        self.settings.login_pause = pause.clamp(Duration::from_millis(1), Duration::from_secs(86_400));
        self
    }

    /// Whether unsettled writes are settled in the background. Default: yes.
    pub fn settling(mut self, settling: Settling) -> Self {
        self.settings.settling = settling;
        self
    }

    /// Creates missing tables on connecting; for tests and examples. Replaces [`migrations`](HubBuilder::migrations).
    pub fn create_tables(mut self) -> Self {
        self.tables = Tables::Create;
        self
    }

    /// Creates missing tables as the user of another address.
    #[cfg(feature = "testing")]
    pub(crate) fn create_tables_as(mut self, owner: String) -> Self {
        self.tables = Tables::CreateAs(owner);
        self
    }

    /// How many rounds the digest of a refused secret has; for tests.
    #[cfg(feature = "testing")]
    pub(crate) fn digest_rounds(mut self, rounds: u32) -> Self {
        self.settings.digest_rounds = rounds;
        self
    }

    /// The migrations of the project, as [`migrations!`](crate::migrations) embeds them in the program. Connecting then
    /// also checks that those are applied that this program needs. Replaces
    /// [`create_tables`](HubBuilder::create_tables).
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.tables = Tables::Migrated(migrations);
        self
    }

    /// Runs the pending [`migrations`](HubBuilder::migrations) up to the first step that older programs cannot live
    /// with, before [`connect`](HubBuilder::connect). The database's user must have the right to change tables; a hub
    /// itself does not need it, so that `datahub migrate run` can also do this as another user.
    ///
    /// ```no_run
    /// # use datahub_runtime::{HubBuilder, prelude::*};
    /// # async fn example(builder: HubBuilder) -> Result<(), Error> {
    /// let report = builder.migrate().await?;
    /// for applied in &report.applied {
    ///     println!("{} took {:?}, and kept others waiting for {:?}", applied.name, applied.took, applied.longest_lock);
    /// }
    /// let hub = builder.connect().await?;
    /// # Ok(()) }
    /// ```
    pub fn migrate(&self) -> Migrate {
        let migrations = match &self.tables {
            Tables::Migrated(migrations) => migrations.clone(),
            _ => Migrations::embedded(&[], &[]),
        };
        Migrate::new(self.database.clone().unwrap_or_default(), migrations).program(self.program.clone())
    }

    /// Opens the database, and checks its tables. CDMS is not contacted yet, because it may be unavailable.
    ///
    /// The check changes no table, so the database's user only needs the right to read and write rows. It accepts what
    /// a migration leaves behind that is half way between two versions of a program.
    ///
    /// Dropping the future ends the wait.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] when a required setting is missing or the address of CDMS is wrong,
    /// [`ErrorKind::Store`] when the database's address is wrong, or the database cannot be opened or lacks the tables;
    /// the message then says which command to run. [`ErrorKind::Outdated`] when a migration has changed a table in a way
    /// that this program is too old for.
    pub async fn connect(self) -> Result<Hub, Error> {
        #[cfg(feature = "metrics")]
        crate::metrics::describe();
        let missing = |what: &str, call: &str| {
            Error::new(ErrorKind::Misconfigured, format!("the hub has no {what}"))
                .advise(format!("call `{call}` on its builder"))
        };
        let database = self.database.ok_or_else(|| missing("database", ".database(\"sqlite://datahub.db\")"))?;
        let models: Vec<_> = self.models.iter().collect();
        if models.is_empty() {
            return Err(missing("models", ".models(models![…])"));
        }
        if self.cdms.is_none() && models.iter().any(|model| model.mode != Mode::Detached) {
            return Err(missing("CDMS", ".cdms(address, authenticator)` or `.cdms_from(config)"));
        }
        let network = self.network.or(self.cdms.as_ref().map(Remote::network).unwrap_or_default());
        let cdms = match &self.cdms {
            Some(remote) => Some((remote.dialect(&network.plain_http)?, remote.authenticator()?)),
            None => None,
        };
        let client_options = ClientOptions {
            time_limit: self.settings.time_limit,
            body_max: self.settings.answer_max,
            concurrent_requests: self.settings.concurrent_requests,
            login_pause: self.settings.login_pause,
            cdms_user: self.cdms_user,
            background_per_second: self.settings.background_per_second,
            network: network.network()?,
        };
        let meters = Meters::default();
        let store_options = StoreOptions {
            quiet_ms: self.settings.quiet_ms(),
            connections: self.settings.connections,
            ..StoreOptions::default()
        };
        let store = Store::open(&database, Arc::clone(&self.clock), store_options, meters.clone()).await?;
        let migrations = match self.tables {
            Tables::Create => {
                store.create_tables(&models).await?;
                None
            }
            #[cfg(feature = "testing")]
            Tables::CreateAs(owner) => {
                create_tables_as(&owner, &database, &store, &models).await?;
                None
            }
            Tables::Check => {
                store.check_schema(&models, Pending::Unknown).await?;
                None
            }
            Tables::Migrated(migrations) => {
                let pending = refuse_pending(&store, &migrations).await?;
                store.check_schema(&models, pending).await?;
                Some((database, migrations))
            }
        };
        let copy_of = environment::checked(&store, self.environment).await?;
        let program: Arc<str> = self.program.into();
        let client = cdms.map(|(dialect, authenticator)| {
            let refused = RefusedLogins::in_database(store.clone(), Arc::clone(&program), self.settings.digest_rounds);
            Client::new(dialect, authenticator, refused, client_options, Arc::clone(&self.clock), meters.clone())
        });
        let client = client.transpose()?;
        let mut engine =
            Engine::new(store, client, meters, self.models, self.clock, self.settings, Arc::clone(&program));
        engine.migrations = migrations;
        engine.copy_of = copy_of;
        let engine = Arc::new(engine);
        if self.settings.settling == Settling::InBackground {
            crate::engine::settling::start(&engine);
        }
        Ok(Hub { engine, actor: program, budget: None, site: None })
    }
}

/// Creates missing tables as the user of an address, unless it is the store's own, and checks them as the store's.
#[cfg(feature = "testing")]
async fn create_tables_as(
    owner: &str,
    database: &str,
    store: &Store,
    models: &[&'static datahub_model::ModelDescriptor],
) -> Result<(), Error> {
    if owner == database {
        return Ok(store.create_tables(models).await?);
    }
    let options = StoreOptions { connections: Some(1), ..StoreOptions::default() };
    let of_owner = Store::open(owner, Arc::new(SystemClock::default()), options, Meters::default()).await?;
    let created = of_owner.create_tables(models).await;
    of_owner.close().await;
    created?;
    Ok(store.check_schema(models, Pending::Unknown).await?)
}
