//! Secrets that CDMS refuses: which stand, how they are noted, and how that is taken back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use datahub_protocol::Reason;
use datahub_protocol::planted::{Planted, planted};

use super::attempts::Attempts;
use super::state::{Last, Login, LoginState, State};
use crate::engine::metrics;
use crate::login::Presented;

/// How long a refusal is believed before the database is asked whether it was taken back.
const RECALL_PAUSE: Duration = Duration::from_secs(60);

impl Attempts {
    /// Why these credentials are still refused, if they were the last ones. From time to time the database is asked, because
    /// another program may have taken that back.
    pub(super) async fn stands(
        &self,
        state: &mut State,
        presented: Option<&Arc<Presented>>,
        now: Duration,
    ) -> Option<Reason> {
        let Last::Refused { reason, presented: refused, mark } = &mut state.last else { return None };
        if refused.as_ref() != presented || planted(Planted::RefusedSecretAgain) {
            return None;
        }
        let is_believed = state.recalled.is_some_and(|then| now.saturating_sub(then) < RECALL_PAUSE);
        let Some(presented) = presented.filter(|_| !is_believed) else { return Some(reason.clone()) };
        match self.refused.mark(presented.user()).await {
            Ok(newest) if mark.as_ref().is_some_and(|mark| *mark != newest) => {
                (state.last, state.taken_back) = (Last::None, Some(Instant::now()));
                return None;
            }
            Ok(newest) => *mark = Some(newest),
            Err(error) => tracing::warn!(%error, "refused logins cannot be recalled"),
        }
        state.recalled = Some(now);
        Some(reason.clone())
    }

    /// What is told, and kept in the database, of a refusal.
    pub(super) fn refusal_in_words(&self, error: &Reason) -> String {
        let mut words = format!("CDMS refuses the login: {error}");
        if self.refused.have_a_database() {
            words.push_str(
                "; it is not tried again until the user or the password changes, or `hub.retry_login()` is called",
            );
        }
        words
    }

    /// Notes that CDMS refuses credentials, and words the reason that stands until something changes.
    pub(super) async fn refuse(&self, state: &mut State, error: Reason, presented: Option<Arc<Presented>>) -> Reason {
        let words = self.refusal_in_words(&error);
        tracing::error!(host = self.transport.host(), %error, "CDMS refuses the login");
        metrics::login(true);
        let reason = error.in_words(words.clone());
        self.shown.fails(&reason, true);
        // Before it is stored: whoever is not there to see the end of that must not find another answer.
        state.recalled = Some(self.clock.monotonic());
        let (mark, refused) = (state.mark.clone(), presented.clone());
        state.last = Last::Refused { reason: reason.clone(), presented: refused, mark };
        self.refused.remember(presented.as_ref(), &words).await;
        reason
    }

    /// Why the secret of a session must not be tried once more, as far as the database knows: another program may have learned
    /// that it is refused.
    pub(super) async fn known_refusal(&self, presented: &Arc<Presented>) -> Option<Reason> {
        let refusal = self.refused.refusal(presented).await;
        let refusal = refusal.inspect_err(|error| tracing::warn!(%error, "refused logins cannot be recalled")).ok();
        let (reason, _) = refusal.filter(|_| !planted(Planted::RefusedSecretAgain))?;
        reason.map(Reason::from)
    }

    /// Notes that another program has learned that the secret of this login is refused.
    pub(super) async fn learned(&self, login: &Login, reason: &Reason) {
        let mut state = self.state.lock().await;
        self.lost.fetch_max(login.number, Ordering::AcqRel);
        if matches!(&state.last, Last::Done(last) if last.number == login.number) {
            self.shown.fails(reason, true);
            state.recalled = Some(self.clock.monotonic());
            let (mark, presented) = (state.mark.clone(), login.presented.clone());
            state.last = Last::Refused { reason: reason.clone(), presented, mark };
        }
    }

    /// Notes that CDMS refuses the secret of this login.
    pub(super) async fn refused(&self, login: &Login, reason: Reason) -> Reason {
        let mut state = self.state.lock().await;
        self.lost.fetch_max(login.number, Ordering::AcqRel);
        match &state.last {
            Last::Done(last) if last.number == login.number => {
                self.refuse(&mut state, reason, login.presented.clone()).await
            }
            Last::Refused { reason, .. } => reason.clone(),
            // A later login may have been made with another secret.
            _ => reason,
        }
    }

    /// Forgets every failure, so that the next request logs in again.
    pub(super) async fn retry(&self) {
        let mut state = self.state.lock().await;
        let is_stored = match self.authenticator.credentials() {
            Some(credentials) => self.refused.take_back(credentials.user()).await,
            None => true,
        };
        (state.last, state.read, state.unread) = (Last::None, None, None);
        // What the database still has of this user is what was learned since, unless it has not noted this.
        (state.is_taken_back, state.taken_back) = (!is_stored, Some(Instant::now()));
        state.pace.forgive();
        self.shown.is(LoginState::Untried);
    }
}
