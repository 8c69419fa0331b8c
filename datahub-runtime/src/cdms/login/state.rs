//! Where the logins of a hub stand: the last one and what came of it, and what must be known for the next one.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::{Duration, Instant as Moment};

use cdms_odata::Instant;
use datahub_protocol::Reason;

use super::pace::Pace;
use crate::cdms::session::Session;
use crate::login::Presented;

/// Where the logins of a hub stand. Times are by the monotonic clock.
pub(super) struct State {
    /// The number of the last login: later ones have larger numbers.
    pub(super) number: u64,
    pub(super) last: Last,
    pub(super) pace: Pace,
    /// When the secret was read.
    pub(super) read: Option<Duration>,
    /// Why the secret could not be read, and until when that is the answer.
    pub(super) unread: Option<(Reason, Duration)>,
    /// When the database was last asked whether a refusal was taken back.
    pub(super) recalled: Option<Duration>,
    /// The database's mark of when the user's refusals were last taken back, as it was before the last login.
    pub(super) mark: Option<String>,
    /// Whether refusals were taken back in this program that the database still has, and no login was begun since.
    pub(super) is_taken_back: bool,
    /// When refusals were last taken back, in this program or another one.
    pub(super) taken_back: Option<Moment>,
}

/// What the last login came to.
#[derive(Default)]
pub(super) enum Last {
    #[default]
    None,
    Done(Arc<Login>),
    /// Why it failed, and until when, by the monotonic clock, that is the answer.
    Failed {
        reason: Reason,
        until: Duration,
    },
    /// Why its credentials were refused, and which they were.
    Refused {
        reason: Reason,
        presented: Option<Arc<Presented>>,
        /// The database's mark of when the user's refusals were last taken back, if it was read.
        mark: Option<String>,
    },
}

impl State {
    pub(super) fn new(pace: Pace) -> Self {
        State {
            number: 0,
            last: Last::None,
            pace,
            read: None,
            unread: None,
            recalled: None,
            mark: None,
            is_taken_back: false,
            taken_back: None,
        }
    }
}

/// Where the login stands, for those who look on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum LoginState {
    /// CDMS has not answered in a session yet.
    #[default]
    Untried,
    /// CDMS takes the login.
    Taken,
    /// It fails.
    Fails {
        /// Since when.
        since: Instant,
        /// Why, as the last try says.
        reason: Reason,
        /// Whether the user or the password is refused, so that nothing is tried.
        is_refused: bool,
    },
}

/// A login that yielded a session.
pub(crate) struct Login {
    /// Later logins have larger numbers.
    pub(super) number: u64,
    /// What the login was made with.
    pub(super) presented: Option<Arc<Presented>>,
    /// Whether the database remembers something of its user that was refused.
    pub(super) knows_user: bool,
    pub(super) session: Box<dyn Session>,
    /// When the session began, by the monotonic clock.
    pub(super) begun: Duration,
    /// When the session ends, by the monotonic clock, if that is known.
    pub(super) ends: SyncMutex<Option<Duration>>,
    /// Whether the session opens a connection anew for each request.
    pub(super) opens_for_each: AtomicBool,
}

impl Login {
    /// The session.
    pub(crate) fn session(&self) -> &dyn Session {
        &*self.session
    }

    /// What the login was made with.
    pub(crate) fn presented(&self) -> Option<&Presented> {
        self.presented.as_deref()
    }

    pub(super) fn has_ended(&self, now: Duration) -> bool {
        let ends = *self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.is_some_and(|ends| ends <= now)
    }
}
