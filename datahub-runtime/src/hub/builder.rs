//! How a hub is built: where its sides are, its models, and its times and limits.

use std::sync::Arc;
use std::time::Duration;

use datahub_model::Mode;

use super::{Engine, Hub};
use crate::cdms::{Authenticator, Client, ClientOptions, RefusedLogins, cdms_at};
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::cost::Meters;
use crate::engine::settling::Settling;
use crate::store::{Store, StoreOptions};
use crate::{Error, ErrorKind, Models};

/// Builds a [`Hub`]; see [`Hub::builder`].
#[must_use = "a builder does nothing until `connect` is called and awaited"]
pub struct HubBuilder {
    database: Option<String>,
    cdms: Option<(String, Arc<dyn Authenticator>)>,
    models: Models,
    program: String,
    cdms_user: Option<String>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    create_tables: bool,
}

impl HubBuilder {
    pub(super) fn new() -> Self {
        HubBuilder {
            database: None,
            cdms: None,
            models: Models::default(),
            program: "datahub".to_owned(),
            cdms_user: None,
            clock: Arc::new(SystemClock::default()),
            settings: Settings::default(),
            create_tables: false,
        }
    }

    /// The hub's database: `sqlite://datahub.db`, or with the feature `postgres` `postgres://user@host/database`.
    ///
    /// An address of PostgreSQL is what its own client programs take: several hosts (`postgres://one,two/database`, of which
    /// the one is used that takes writes), `sslmode` up to `verify-full`, and `sslrootcert` with the file of a private
    /// authority. Another machine's certificate is verified in any case, its name too unless the address says
    /// `sslmode=verify-ca`. Poolers that give each transaction another session may stand in between.
    ///
    /// Every commit waits for the disk, because an intent that a power cut takes back was not noted. Who can do without
    /// the promises about crashes of the machine says so in the address: `sqlite://datahub.db?synchronous=normal`, or for
    /// PostgreSQL `?options=-c%20synchronous_commit%3Doff`. A write may then be in CDMS of which the hub knows nothing.
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.database = Some(url.into());
        self
    }

    /// The organisation's address in CDMS, and how to log in there. Plain http is taken for this machine only. A hub whose
    /// models are all detached needs none.
    ///
    /// Whom to trust is for the machine's own store of certificates to say; on Linux `SSL_CERT_FILE` or `SSL_CERT_DIR` name
    /// another. A proxy is taken from the environment, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
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
        self.settings.clock_skew = skew;
        self
    }

    /// How long CDMS may go on executing a request (its server's execution limit). A write whose outcome is unknown is
    /// called not applied only 1.1 times this after it was given up. Default: 300 s.
    pub fn execution_limit(mut self, limit: Duration) -> Self {
        self.settings.execution_limit = limit;
        self
    }

    /// How long one request to CDMS may take, 15 s of it at most for connecting. Default: 60 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.settings.time_limit = limit;
        self
    }

    /// How many connections to the database are kept: on SQLite those that read, beside the one that writes, elsewhere
    /// all. Operations that find none free wait in a fair and bounded queue. Default: 3 on SQLite, 8 on PostgreSQL.
    pub fn connections(mut self, count: usize) -> Self {
        self.settings.connections = Some(count);
        self
    }

    /// How many checks and writes may be under way at once; one more is refused at once, as
    /// [`ErrorKind::Overloaded`]. Default: 1,000. Of their requests to CDMS 16 are under way at once.
    pub fn max_operations(mut self, count: usize) -> Self {
        self.settings.operations_max = count;
        self
    }

    /// How many bytes of one answer of CDMS are read, after decompression; a larger one counts as none. A page of a pull
    /// holds 50 records with the attributes of the model, so long texts may need more. Default: 8 MiB.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.settings.answer_max = bytes;
        self
    }

    /// How many requests to CDMS are under way at once, at most; further ones wait. Default: 16, which a CRM 2011 server is
    /// known to sustain for one client (docs/protocol.md, 10). Fewer are kinder to a server that people work on at the same
    /// time.
    ///
    /// One is the least; 0 counts as 1.
    pub fn concurrent_requests(mut self, count: usize) -> Self {
        self.settings.concurrent_requests = count.max(1);
        self
    }

    /// How long a login that failed for another reason than its user or password is not tried again: so long after the first
    /// failure, six times that after a second, and after a third until sixty times that have passed since the first. Default:
    /// 10 s, so that a login is tried at most three times in ten minutes.
    pub fn login_pause(mut self, pause: Duration) -> Self {
        // A pause of nothing would be no rule.
        self.settings.login_pause = pause.max(Duration::from_millis(1));
        self
    }

    /// Whether unsettled writes are settled in the background. Default: they are.
    pub fn settling(mut self, settling: Settling) -> Self {
        self.settings.settling = settling;
        self
    }

    /// Creates missing tables when connecting; for tests and examples.
    pub fn create_tables(mut self) -> Self {
        self.create_tables = true;
        self
    }

    /// Opens the database. CDMS is not asked yet, because it may be away.
    ///
    /// Engine tables of an older version of this library get what they lack first, which takes a while in a large database.
    ///
    /// Dropping the future ends the waiting; an upgrade that has begun goes on to its end, and its connection with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] when something needed is missing or the address of CDMS is wrong,
    /// [`ErrorKind::Store`] when the database's address is wrong, or it cannot be opened or lacks the tables.
    pub async fn connect(self) -> Result<Hub, Error> {
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
            return Err(missing("CDMS", ".cdms(address, authenticator)"));
        }
        let cdms = match self.cdms {
            Some((address, authenticator)) => Some((cdms_at(&address)?, authenticator)),
            None => None,
        };
        let client_options = ClientOptions {
            time_limit: self.settings.time_limit,
            body_max: self.settings.answer_max,
            concurrent_requests: self.settings.concurrent_requests,
            login_pause: self.settings.login_pause,
            cdms_user: self.cdms_user,
        };
        let meters = Meters::default();
        let store_options = StoreOptions {
            quiet_ms: self.settings.quiet_ms(),
            connections: self.settings.connections,
            ..StoreOptions::default()
        };
        let store = Store::open(&database, Arc::clone(&self.clock), store_options, meters.clone()).await?;
        if self.create_tables {
            store.create_tables(&models).await?;
        } else {
            store.check_schema(&models).await?;
        }
        let client = cdms.map(|(dialect, authenticator)| {
            let refused = RefusedLogins::in_database(store.clone());
            Client::new(dialect, authenticator, refused, client_options, Arc::clone(&self.clock), meters.clone())
        });
        let client = client.transpose()?;
        let program: Arc<str> = self.program.into();
        let engine = Engine::new(store, client, meters, self.models, self.clock, self.settings, Arc::clone(&program));
        let engine = Arc::new(engine);
        if self.settings.settling == Settling::InBackground {
            crate::engine::settling::start(&engine);
        }
        Ok(Hub { engine, actor: program })
    }
}

/// Times and limits, each with its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) clock_skew: Duration,
    pub(crate) execution_limit: Duration,
    pub(crate) time_limit: Duration,
    pub(crate) settling: Settling,
    pub(crate) connections: Option<usize>,
    pub(crate) operations_max: usize,
    /// Requests to CDMS under way at once.
    pub(crate) concurrent_requests: usize,
    /// How long a login that failed stands at first.
    pub(crate) login_pause: Duration,
    /// The largest answer of CDMS, in bytes.
    pub(crate) answer_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            clock_skew: Duration::ZERO,
            execution_limit: Duration::from_secs(300),
            time_limit: Duration::from_secs(60),
            settling: Settling::InBackground,
            connections: None,
            operations_max: 1_000,
            concurrent_requests: 16,
            login_pause: Duration::from_secs(10),
            answer_max: 8 * 1024 * 1024,
        }
    }
}

impl Settings {
    /// A lease covers two tries, the read-back and the storing, and a login of usual length; a write that a longer one holds
    /// up is not sent any more.
    pub(crate) fn lease_ms(&self) -> u64 {
        u64::try_from(self.time_limit.as_millis() * 4).unwrap_or(u64::MAX)
    }

    pub(crate) fn clock_skew_ms(&self) -> i64 {
        i64::try_from(self.clock_skew.as_millis()).unwrap_or(i64::MAX)
    }

    /// 1.1 times the execution limit: 330 s by default.
    pub(crate) fn quiet_ms(&self) -> u64 {
        u64::try_from(self.execution_limit.as_millis() * 11 / 10).unwrap_or(u64::MAX)
    }
}
