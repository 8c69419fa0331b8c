//! The health of a hub, for readiness probes and dashboards.

use std::fmt;
use std::time::Duration;

use crate::cdms::{Client, LoginState};
use crate::engine::{Engine, metrics};
use crate::reach::Reached;
use crate::{Error, ErrorKind, Hub, Instant};

/// How long the database may take: the caller of a probe treats a longer wait as a failure.
const PATIENCE: Duration = Duration::from_secs(5);

/// The health of a hub, as far as it is known without asking CDMS: database, network, login, rights and drift are told apart,
/// each with when it began and, in the error, what to do now.
///
/// The database is asked for it. What concerns CDMS is what this program's own requests have met since it connected, and
/// changes with the next request of the same kind; [`Hub::check_connection`] sends some.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// Whether the database can be used.
    pub database: SideState,
    /// Whether CDMS, or the server of its login, was reached when it was last needed.
    pub network: SideState,
    /// Whether CDMS took the login when it was last needed. A refused secret fails with [`ErrorKind::LoginRefused`]. While the
    /// network fails, a login that failed for another reason says nothing.
    pub login: SideState,
    /// The models whose records CDMS refused to show, or to change, when it was last asked.
    pub rights: Vec<ModelTrouble>,
    /// The models of which CDMS has another schema than their contracts, as its answers show, and as `$metadata` showed in the
    /// last [`Hub::check_connection`].
    pub drift: Vec<ModelTrouble>,
    /// The models for whose tables this program is too old, because a migration has raised the tables' epochs since it was
    /// built. It finishes what it began with them, and refuses everything else with [`ErrorKind::Outdated`].
    pub outdated: Vec<OutdatedModel>,
    /// Whether this hub has contacted its CDMS, and confirmed that the organisation is the right one.
    pub cdms_met: bool,
    /// How many requests to CDMS may be under way at once just now, as its answers show; see
    /// [`HubBuilder::concurrent_requests`](crate::HubBuilder::concurrent_requests). 0 if the hub has no CDMS.
    pub requests_at_once: usize,
    /// Whether the hub was shut down.
    pub shut_down: bool,
    /// Writes, of any program, whose outcome is unknown.
    pub open_writes: u64,
    /// How long the oldest of them has been open.
    pub oldest_open_write: Option<Duration>,
    /// Records in quarantine.
    pub quarantined: u64,
    /// Why creates are stopped, once CDMS has not kept a chosen id.
    pub creates_stopped: Option<Error>,
}

/// How one side of a hub was when it was last needed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SideState {
    /// It worked.
    Works,
    /// It did not work.
    Fails {
        /// When that began, by the hub's clock.
        since: Instant,
        /// Why, as the last try says, and what to do now.
        error: Error,
    },
    /// This program has not needed it yet.
    Untried,
}

/// Something that CDMS refuses for a model, or returns otherwise than its contract says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModelTrouble {
    /// The model's name.
    pub model: String,
    /// What does not work.
    pub with: TroubleWith,
    /// When that began, by the hub's clock.
    pub since: Instant,
    /// Why, and what to do now.
    pub error: Error,
}

/// What does not work for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TroubleWith {
    /// The right to read its records.
    Read,
    /// The right to create, change or delete its records.
    Write,
    /// What its contract says of CDMS.
    Schema,
}

impl SideState {
    /// Why it does not work; `None` if it does, or was not needed yet.
    pub fn error(&self) -> Option<&Error> {
        match self {
            SideState::Fails { error, .. } => Some(error),
            SideState::Works | SideState::Untried => None,
        }
    }
}

impl fmt::Display for SideState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SideState::Works => f.write_str("works"),
            SideState::Fails { since, error } => write!(f, "fails since {since}: {error}"),
            SideState::Untried => f.write_str("not needed yet"),
        }
    }
}

impl fmt::Display for ModelTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.with {
            TroubleWith::Read => "reading",
            TroubleWith::Write => "writing",
            TroubleWith::Schema => "the schema",
        };
        write!(f, "{what} of {} fails since {}: {}", self.model, self.since, self.error)
    }
}

impl fmt::Display for TroubleWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TroubleWith::Read => "read",
            TroubleWith::Write => "write",
            TroubleWith::Schema => "schema",
        })
    }
}

/// A model for whose table this program is too old.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutdatedModel {
    /// The model's name.
    pub model: &'static str,
    /// Its table.
    pub table: &'static str,
    /// The epoch of the table for which the program was built.
    pub epoch: u32,
    /// The oldest epoch that may use the table.
    pub oldest: u64,
}

impl Health {
    /// Whether the hub can serve: its database can be used, the program is not too old for a table of its models, and the
    /// hub was not shut down. A program that is too old could not connect again either. Reads with `or_local()` work even
    /// while CDMS is unavailable, so that is no reason to take a program out of service.
    pub fn is_ready(&self) -> bool {
        self.database.error().is_none() && self.outdated.is_empty() && !self.shut_down
    }
}

/// What the database knows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) open_writes: i64,
    /// By the database's clock.
    pub(crate) oldest_open_for: Option<Duration>,
    pub(crate) quarantined: i64,
    pub(crate) outdated: Vec<OutdatedModel>,
}

pub(crate) async fn of(hub: &Hub) -> Health {
    let engine = &hub.engine;
    let now = engine.clock.now();
    let since = || engine.store.away_since().unwrap_or(now);
    let unknown = |error| (Stored::default(), SideState::Fails { since: since(), error });
    let models: Vec<_> = engine.models.iter().collect();
    let (stored, database) = match tokio::time::timeout(PATIENCE, engine.store.health(models)).await {
        Ok(Ok(stored)) => {
            metrics::waiting(&stored);
            (stored, SideState::Works)
        }
        Ok(Err(error)) => unknown(error.into()),
        Err(_) => {
            let message = format!("the database did not report the hub's state within {} s", PATIENCE.as_secs());
            unknown(Error::new(ErrorKind::Store, message).advise("check whether it hangs or is overloaded"))
        }
    };
    let (rights, drift) = engine.client().map_or_else(|_| Default::default(), |client| client.troubles());
    let network = network(engine);
    let login = login(engine, &network);
    Health {
        database,
        network,
        login,
        rights,
        drift,
        outdated: stored.outdated,
        cdms_met: engine.has_met_cdms(),
        requests_at_once: engine.client().map_or(0, Client::requests_at_once),
        shut_down: engine.closing.is_cancelled(),
        open_writes: u64::try_from(stored.open_writes).unwrap_or(0),
        oldest_open_write: stored.oldest_open_for,
        quarantined: u64::try_from(stored.quarantined).unwrap_or(0),
        creates_stopped: engine.creates_stopped.get().cloned(),
    }
}

fn network(engine: &Engine) -> SideState {
    let Ok(client) = engine.client() else { return SideState::Untried };
    match client.reached() {
        Reached::Untried => SideState::Untried,
        Reached::Answers => SideState::Works,
        Reached::Away { since, reason } => {
            let message = format!("CDMS, or the server of its login, cannot be reached: {reason}");
            let advice =
                "the hub tries again with each operation; `hub.check_connection()` says at which step it fails";
            SideState::Fails { since, error: Error::new(ErrorKind::Unavailable, message).advise(advice) }
        }
    }
}

fn login(engine: &Engine, network: &SideState) -> SideState {
    let Ok(client) = engine.client() else { return SideState::Untried };
    match client.login_state() {
        LoginState::Untried => SideState::Untried,
        LoginState::Taken => SideState::Works,
        LoginState::Fails { since, reason, is_refused: true } => {
            SideState::Fails { since, error: Error::login_refused(reason) }
        }
        LoginState::Fails { .. } if network.error().is_some() => SideState::Untried,
        LoginState::Fails { since, reason, is_refused: false } => {
            let error = Error::because(ErrorKind::Unavailable, reason).advise(
                "correct what the message says; \"Logging in to CDMS\" in the documentation of Data Hub Sync \
                 (docs/logins.md) explains it",
            );
            SideState::Fails { since, error }
        }
    }
}
