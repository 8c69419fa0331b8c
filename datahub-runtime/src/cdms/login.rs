//! The one login of a hub: begun once for all who need it, paused after failures, and never repeated with a secret that
//! was refused.
//!
//! A login runs in a task of the hub, and those who need it wait for the task. So it comes to its end, and is noted, when
//! they have long gone away.

mod attempts;
mod opening;
mod pace;
mod refusals;
mod shown;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use datahub_protocol::{LoginFailure, Reason};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::{AbortHandle, JoinError};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::authenticator::Authenticator;
use super::login_error::LoginError;
use super::refused_logins::RefusedLogins;
use super::session::{Session, SessionResponse, Standing};
use super::transport::{Received, Transport};
use crate::engine::clock::Clock;
use crate::engine::cost::part;
use attempts::Attempts;
use opening::Opening;
pub(crate) use state::{Login, LoginState};

/// The logins of a hub. Dropping this ends the one that is under way.
pub(crate) struct Logins {
    attempts: Arc<Attempts>,
    /// The task of the last login.
    under_way: Arc<SyncMutex<Option<UnderWay>>>,
    tasks: TaskTracker,
}

/// A login in a task, and what its task will tell.
struct UnderWay {
    told: Shared<BoxFuture<'static, Told>>,
    task: AbortHandle,
}

type Told = Result<Arc<Login>, LoginFailure>;

/// Why the session of a request cannot be used any more.
#[derive(Debug)]
pub(crate) enum SessionEnd {
    /// It is over, by this sign.
    Lost(String),
    /// CDMS refuses the user or the password.
    Refused(Reason),
}

impl Logins {
    pub(crate) fn new(
        authenticator: Arc<dyn Authenticator>,
        transport: Arc<Transport>,
        clock: Arc<dyn Clock>,
        refused: RefusedLogins,
        pause: Duration,
    ) -> Self {
        let attempts = Arc::new(Attempts::new(authenticator, transport, clock, refused, pause));
        Logins { attempts, under_way: Arc::default(), tasks: TaskTracker::new() }
    }

    /// Where the login stands. It waits for nothing.
    pub(crate) fn state(&self) -> LoginState {
        self.attempts.shown.state()
    }

    /// Who logs in, as far as the login states it; `None` if it states no user.
    pub(crate) fn user(&self) -> Option<String> {
        self.attempts.authenticator.credentials().map(|credentials| credentials.user().to_owned())
    }

    /// The tasks of logins.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// The current session, which is begun where there is none that CDMS takes. Dropping the future ends the wait, and not
    /// the login.
    pub(crate) async fn session(&self) -> Told {
        loop {
            if let Some(known) = self.attempts.known() {
                return known;
            }
            let told = self.attempt().await;
            // The task may have told of a session that was lost while it ended.
            if !told.as_ref().is_ok_and(|login| self.attempts.is_lost(login)) {
                return told;
            }
        }
    }

    /// The session of a login, for a request.
    pub(crate) fn of(&self, login: &Arc<Login>) -> impl Session + use<> {
        Opening { attempts: Arc::clone(&self.attempts), login: Arc::clone(login), tasks: self.tasks.clone() }
    }

    /// The attempt that is under way, or a new one.
    fn attempt(&self) -> Shared<BoxFuture<'static, Told>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(UnderWay { told, .. }) = under_way.as_ref().filter(|last| !last.task.is_finished()) {
            return told.clone();
        }
        let attempts = Arc::clone(&self.attempts);
        let task = self.tasks.spawn(part(async move { attempts.session().await }).in_current_span());
        let abort = task.abort_handle();
        let told = task.map(|told| told.unwrap_or_else(|error| Err(LoginFailure::Failed(broken_off(&error)))));
        let told = told.boxed().shared();
        *under_way = Some(UnderWay { told: told.clone(), task: abort });
        told
    }

    /// Has the session judge a response to one of its requests, and notes the result.
    ///
    /// # Errors
    ///
    /// The session cannot be used any more, and CDMS has not carried out the request.
    pub(crate) async fn observe(&self, login: &Arc<Login>, received: &Received) -> Result<(), SessionEnd> {
        let attempts = &self.attempts;
        let response = SessionResponse::new(received, attempts.authenticator.login_hosts());
        match login.session().observe(&response) {
            Standing::Valid => self.taken(login).await,
            Standing::Renewed => {
                let ends = attempts.end_of(login.session());
                *login.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
                self.taken(login).await;
            }
            Standing::Unknown => {}
            Standing::Lost(sign) => {
                attempts.lost(login, &sign).await;
                return Err(SessionEnd::Lost(sign));
            }
            Standing::Refused(reason) => return Err(SessionEnd::Refused(self.refused(login, reason.into()).await)),
        }
        Ok(())
    }

    /// Notes that the session of a login could not open a connection, and says what that means for the session.
    pub(crate) async fn not_opened(&self, login: &Arc<Login>, error: LoginError) -> SessionEnd {
        let reason = error.reason().clone();
        if error.is_refused() {
            SessionEnd::Refused(self.refused(login, reason).await)
        } else {
            self.attempts.lost(login, reason.as_str()).await;
            SessionEnd::Lost(reason.as_str().to_owned())
        }
    }

    /// Notes that CDMS accepts this login, whether or not the caller waits for it.
    async fn taken(&self, login: &Arc<Login>) {
        if self.attempts.is_untried(login) {
            let (attempts, login) = (Arc::clone(&self.attempts), Arc::clone(login));
            let noted = part(async move { attempts.taken(&login).await });
            // It has no result, and a panic of its is told by the panic itself.
            _ = self.tasks.spawn(noted.in_current_span()).await;
        }
    }

    /// Notes that CDMS refuses the secret of this login, whether or not the caller waits for it.
    async fn refused(&self, login: &Arc<Login>, reason: Reason) -> Reason {
        let (attempts, login, said) = (Arc::clone(&self.attempts), Arc::clone(login), reason.clone());
        let noted = part(async move { attempts.refused(&login, said).await });
        self.tasks.spawn(noted.in_current_span()).await.unwrap_or(reason)
    }

    /// Forgets every failure, so that the next request logs in again. Dropping the future ends the wait only.
    pub(crate) async fn retry(&self) {
        let (attempts, under_way) = (Arc::clone(&self.attempts), Arc::clone(&self.under_way));
        let forgotten = part(async move {
            attempts.retry().await;
            // What came of an earlier one is of no interest any more.
            *under_way.lock().unwrap_or_else(PoisonError::into_inner) = None;
        });
        // It has no result, and a panic of its is told by the panic itself.
        _ = self.tasks.spawn(forgotten.in_current_span()).await;
    }
}

impl Drop for Logins {
    fn drop(&mut self) {
        if let Some(UnderWay { task, .. }) = &*self.under_way.lock().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// Why a task told nothing. What a panic says may be a secret.
fn broken_off(error: &JoinError) -> Reason {
    if error.is_panic() { "the authenticator panicked in the login" } else { "the login's task was ended" }.into()
}
