//! Where the logins of a hub stand: the last one and what came of it, and the failures that count.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use cdms_odata::Instant;
use datahub_protocol::Reason;

use crate::cdms::session::Session;
use crate::login::Presented;

/// Where the logins of a hub stand.
#[derive(Default)]
pub(super) struct State {
    /// The number of the last login: later ones have larger numbers.
    pub(super) number: u64,
    pub(super) last: Last,
    /// When logins within the window failed, or were broken off, by the monotonic clock.
    pub(super) failures: VecDeque<Duration>,
    /// What the last login was made with.
    pub(super) presented: Option<Arc<Presented>>,
    /// When its secret was read, by the monotonic clock.
    pub(super) read: Option<Duration>,
    /// Why its secret could not be read, and until when, by the monotonic clock, that is the answer.
    pub(super) unread: Option<(Reason, Duration)>,
    /// When the database was last asked whether it was refused before, by the monotonic clock.
    pub(super) recalled: Option<Duration>,
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
        /// Whether the database remembers it.
        is_kept: bool,
    },
}

impl State {
    /// Forgets failures from before the window.
    pub(super) fn forget_before(&mut self, now: Duration, window: Duration) {
        while self.failures.front().is_some_and(|first| now.saturating_sub(*first) >= window) {
            self.failures.pop_front();
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
    pub(super) session: Box<dyn Session>,
    /// When the session ends, by the monotonic clock, if that is known.
    pub(super) ends: SyncMutex<Option<Duration>>,
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
