//! The health of a hub, for readiness probes and dashboards.

use std::time::Duration;

use crate::engine::metrics;
use crate::{Error, ErrorKind, Hub};

/// How long the database may take: the caller of a probe treats a longer wait as a failure.
const PATIENCE: Duration = Duration::from_secs(5);

/// The health of a hub, as far as it is known without asking CDMS.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// Why the database cannot be used; `None` if it can.
    pub database: Option<Error>,
    /// The models for whose tables this program is too old, because a migration has raised the tables' epochs since it was
    /// built. It finishes what it began with them, and refuses everything else with [`ErrorKind::Outdated`].
    pub outdated: Vec<OutdatedModel>,
    /// Whether this hub has contacted its CDMS, and confirmed that the organisation is the right one.
    pub cdms_met: bool,
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
        self.database.is_none() && self.outdated.is_empty() && !self.shut_down
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
    let unknown = |error| (Stored::default(), Some(error));
    let models: Vec<_> = engine.models.iter().collect();
    let (stored, database) = match tokio::time::timeout(PATIENCE, engine.store.health(models)).await {
        Ok(Ok(stored)) => {
            metrics::waiting(&stored);
            (stored, None)
        }
        Ok(Err(error)) => unknown(error.into()),
        Err(_) => {
            let message = format!("the database did not report the hub's state within {} s", PATIENCE.as_secs());
            unknown(Error::new(ErrorKind::Store, message).advise("check whether it hangs or is overloaded"))
        }
    };
    Health {
        database,
        outdated: stored.outdated,
        cdms_met: engine.has_met_cdms(),
        shut_down: engine.closing.is_cancelled(),
        open_writes: u64::try_from(stored.open_writes).unwrap_or(0),
        oldest_open_write: stored.oldest_open_for,
        quarantined: u64::try_from(stored.quarantined).unwrap_or(0),
        creates_stopped: engine.creates_stopped.get().cloned(),
    }
}
