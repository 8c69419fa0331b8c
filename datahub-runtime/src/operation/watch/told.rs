//! What a watch tells: events as they happen, and a report on how things are.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::operation::{ModelFresh, SweepReport};
use crate::{Cost, Error};

/// What happens in a [watch](crate::Hub::watch). With `on_event`, the program is told of each.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WatchEvent {
    /// A model was brought up to date. Its `pull` is `None` if an operation of this or another program had done so in the
    /// meantime.
    Pulled(ModelFresh),
    /// A pull has failed, or has quarantined too many records.
    PullFailed {
        /// The model's name.
        model: &'static str,
        /// Why.
        error: Error,
        /// How many pulls in a row have failed, with this one.
        failures: u32,
    },
    /// A model is not pulled for a while, because its pulls fail. The others go on.
    Paused {
        /// The model's name.
        model: &'static str,
        /// For how long.
        pause: Duration,
    },
    /// A model whose pulls had failed is pulled again.
    Recovered {
        /// The model's name.
        model: &'static str,
    },
    /// A sweep was complete.
    Swept {
        /// The model's name.
        model: &'static str,
        /// What it found.
        report: SweepReport,
    },
    /// A sweep has failed or was stopped by its brake. Pulls go on, and the next sweep is tried after its interval.
    SweepFailed {
        /// The model's name.
        model: &'static str,
        /// Why.
        error: Error,
    },
    /// Another program pulls the model, so this one does not. It looks again after this time, or earlier.
    LeftToOthers {
        /// The model's name.
        model: &'static str,
        /// The other program.
        who: String,
        /// How long the other one has the model, unless it goes on.
        lease: Duration,
    },
    /// This program pulls a model now that another one has left behind.
    TakenOver {
        /// The model's name.
        model: &'static str,
        /// The other program.
        from: String,
    },
    /// CDMS cannot be reached or refuses the login, so nothing is pulled or swept. It is asked again in growing pauses, and
    /// this is told once for an outage.
    CdmsAway {
        /// What failed.
        error: Error,
    },
    /// CDMS answers again, and what is due begins.
    CdmsBack,
}

/// How a [watch](crate::Hub::watch) stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WatchReport {
    /// The models, in the order in which they were listed.
    pub models: Vec<WatchedModel>,
    /// Whether CDMS was away when it was last needed.
    pub is_cdms_away: bool,
    /// What the watch has cost so far.
    pub cost: Cost,
}

/// How a watched model stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WatchedModel {
    /// The model's name.
    pub model: &'static str,
    /// What the watch does with it.
    pub state: WatchState,
    /// Everything that had changed in CDMS before this time is in the rows, as far as this watch knows.
    pub checked_at: Option<DateTime<Utc>>,
    /// Records that were deleted before this time are no longer among the rows, as far as this watch knows.
    pub deletions_as_of: Option<DateTime<Utc>>,
    /// How often this watch has brought it up to date.
    pub pulls: u64,
    /// How many complete sweeps this watch has made.
    pub sweeps: u64,
    /// How many pulls in a row have failed.
    pub failures: u32,
    /// Why the last pull failed, until one succeeds.
    pub pull_error: Option<Error>,
    /// Why the last sweep failed, until one succeeds.
    pub sweep_error: Option<Error>,
}

/// What a watch does with a model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchState {
    /// It was not pulled yet.
    New,
    /// It is being pulled.
    Pulling,
    /// It was pulled, and will be again.
    Waiting,
    /// Another program pulls it.
    LeftToOthers(String),
    /// Its pulls fail, so it is left alone for a while.
    Paused,
}

impl WatchReport {
    pub(super) fn of(models: impl Iterator<Item = &'static str>) -> Self {
        let models = models.map(|model| WatchedModel {
            model,
            state: WatchState::New,
            checked_at: None,
            deletions_as_of: None,
            pulls: 0,
            sweeps: 0,
            failures: 0,
            pull_error: None,
            sweep_error: None,
        });
        WatchReport { models: models.collect(), is_cdms_away: false, cost: Cost::default() }
    }
}
