//! What the login of a hub looks like to those who look on, and do not wait for a login that is under way.

use std::sync::{Arc, Mutex as SyncMutex, PoisonError};

use datahub_protocol::Reason;

use super::state::LoginState;
use crate::engine::clock::Clock;

/// Where the login stands, as far as it is known.
pub(super) struct Shown {
    state: SyncMutex<LoginState>,
    clock: Arc<dyn Clock>,
}

impl Shown {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Shown { state: SyncMutex::default(), clock }
    }

    /// Where the login stands. It waits for nothing.
    pub(super) fn state(&self) -> LoginState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes where the login stands.
    pub(super) fn is(&self, state: LoginState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Notes that the login fails, since the first failure in a row.
    pub(super) fn fails(&self, reason: &Reason, is_refused: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match &*state {
            LoginState::Fails { since, .. } => *since,
            LoginState::Untried | LoginState::Taken => self.clock.now(),
        };
        *state = LoginState::Fails { since, reason: reason.clone(), is_refused };
    }
}
