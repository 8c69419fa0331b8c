//! The one login of a hub: begun once for all who need it, paused after failures, and never repeated with a secret that
//! was refused.

mod state;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{LoginFailure, Reason};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::authenticator::{Authenticator, LoginRequests};
use super::login_error::LoginError;
use super::refused_logins::RefusedLogins;
use super::session::{Session, SessionResponse, Standing};
use super::transport::{Received, Transport};
use crate::engine::clock::Clock;
use crate::engine::metrics;
use crate::login::Presented;
use state::{Last, State};
pub(crate) use state::{Login, LoginState};

/// How long a login may take: an authenticator with a client of its own may wait for ever, and all requests for it.
const LOGIN_TIME_MAX: Duration = Duration::from_secs(120);

/// How often a login may fail within the window before it is left alone until the window is over.
const FAILURES_MAX: usize = 3;

/// The window in which failures are counted, in first pauses: ten minutes by default.
const WINDOW_PAUSES: u32 = 60;

/// How long a refusal is believed before the database is asked whether it was taken back.
const RECALL_PAUSE: Duration = Duration::from_secs(60);

/// How long a refused secret is believed not to have changed.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause that a server can ask for.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// The pause after a second failure, in first pauses.
const SECOND_PAUSES: u32 = 6;

/// Who logs in, and what came of it.
pub(crate) struct Logins {
    authenticator: Arc<dyn Authenticator>,
    clock: Arc<dyn Clock>,
    refused: RefusedLogins,
    /// How long a first failure stands. Every try brings the user nearer to being locked out.
    pause: Duration,
    state: Mutex<State>,
    /// The newest login that CDMS no longer takes.
    lost: AtomicU64,
    /// The newest login under which CDMS has answered a request.
    taken: AtomicU64,
    /// What is shown to those who look on, and do not wait for a login that is under way.
    shown: SyncMutex<LoginState>,
}

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
        clock: Arc<dyn Clock>,
        refused: RefusedLogins,
        pause: Duration,
    ) -> Self {
        let (state, lost, taken) = (Mutex::default(), AtomicU64::new(0), AtomicU64::new(0));
        Logins { authenticator, clock, refused, pause, state, lost, taken, shown: SyncMutex::default() }
    }

    /// Where the login stands. It waits for nothing.
    pub(crate) fn state(&self) -> LoginState {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows that the login fails, since the first failure in a row.
    fn show_failure(&self, reason: &Reason, is_refused: bool) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match &*shown {
            LoginState::Fails { since, .. } => *since,
            LoginState::Untried | LoginState::Taken => self.clock.now(),
        };
        *shown = LoginState::Fails { since, reason: reason.clone(), is_refused };
    }

    fn show(&self, state: LoginState) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Who logs in, as far as the login states it; `None` if nobody is stated.
    pub(crate) fn user(&self) -> Option<String> {
        self.authenticator.credentials().map(|credentials| credentials.user().to_owned())
    }

    /// The current session, which is begun where there is none that CDMS takes. Dropping the future leaves the login to the
    /// next who asks.
    pub(crate) async fn session(&self, transport: &Transport) -> Result<Arc<Login>, LoginFailure> {
        let mut state = self.state.lock().await;
        let now = self.clock.monotonic();
        match &state.last {
            Last::Done(login) if state.number > self.lost.load(Ordering::Acquire) && !login.has_ended(now) => {
                return Ok(Arc::clone(login));
            }
            Last::Failed { reason, until } if now < *until => return Err(LoginFailure::Failed(reason.clone())),
            _ => {}
        }
        let presented = self.present(&mut state, now).await?;
        self.recall(&mut state, presented.as_ref(), now).await;
        match &state.last {
            Last::Refused { reason, presented: refused, .. }
                if *refused == presented && !planted(Planted::RefusedSecretAgain) =>
            {
                return Err(LoginFailure::Refused(reason.clone()));
            }
            _ => {}
        }
        state.forget_before(now, self.window());
        if state.failures.len() >= FAILURES_MAX {
            // Logins that were broken off leave no other trace.
            let until = state.failures[state.failures.len() - FAILURES_MAX] + self.window();
            let seconds = until.saturating_sub(now).as_secs();
            let reason = format!(
                "the login was tried {FAILURES_MAX} times and came to nothing; it is not tried again for {seconds} s"
            );
            return Err(LoginFailure::Failed(reason.into()));
        }
        // Where this future is dropped, the try counts all the same, and what was lost stays lost.
        state.last = Last::None;
        state.failures.push_back(now);
        state.number += 1;
        match self.log_in(transport, presented.as_deref()).await {
            Ok(session) => {
                // Whether CDMS takes it, its answers say.
                state.failures.pop_back();
                tracing::info!(host = transport.host(), "logged in to CDMS");
                metrics::login(false);
                let ends = SyncMutex::new(self.end_of(&*session));
                let login = Arc::new(Login { number: state.number, presented, session, ends });
                state.last = Last::Done(Arc::clone(&login));
                Ok(login)
            }
            Err(error) if error.is_refused() => {
                let reason = self.refuse(&mut state, transport, error.reason().clone(), presented).await;
                // Only now: if this future is dropped while the refusal is being stored, the attempt counts.
                state.failures.pop_back();
                Err(LoginFailure::Refused(reason))
            }
            Err(error) => {
                state.failures.pop_back();
                let pause = error.pause().unwrap_or_default();
                Err(LoginFailure::Failed(self.failed(&mut state, error.reason().clone(), pause)))
            }
        }
    }

    /// Reads the secret that a login is made with. One that is refused is not read for each request.
    async fn present(&self, state: &mut State, now: Duration) -> Result<Option<Arc<Presented>>, LoginFailure> {
        let Some(credentials) = self.authenticator.credentials() else { return Ok(None) };
        match &state.last {
            Last::Refused { reason, .. } if state.read.is_some_and(|then| now.saturating_sub(then) < READ_PAUSE) => {
                return Err(LoginFailure::Refused(reason.clone()));
            }
            _ => {}
        }
        match &state.unread {
            Some((reason, until)) if now < *until => return Err(LoginFailure::Failed(reason.clone())),
            _ => {}
        }
        match Presented::read(credentials).await {
            Ok(presented) => {
                (state.read, state.unread) = (Some(now), None);
                let presented = Some(Arc::new(presented));
                if state.presented != presented {
                    // Another program may have tried it.
                    state.recalled = None;
                }
                state.presented.clone_from(&presented);
                Ok(presented)
            }
            Err(error) => {
                let mut words = error.to_string();
                if self.refused.have_a_database() {
                    words.push_str(&format!("; it is not read again for {} s", self.pause.as_secs()));
                }
                tracing::warn!(error = error.reason().as_str(), "the login's secret cannot be read");
                let reason = error.reason().clone().in_words(words);
                self.show_failure(&reason, false);
                state.unread = Some((reason.clone(), now + self.pause));
                Err(LoginFailure::Failed(reason))
            }
        }
    }

    /// Notes that CDMS refuses credentials, and words the reason that stands until something changes.
    async fn refuse(
        &self,
        state: &mut State,
        transport: &Transport,
        error: Reason,
        presented: Option<Arc<Presented>>,
    ) -> Reason {
        let mut words = format!("CDMS refuses the login: {error}");
        if self.refused.have_a_database() {
            words.push_str(
                "; it is not tried again until the user or the password changes, or `hub.retry_login()` is called",
            );
        }
        tracing::error!(host = transport.host(), %error, "CDMS refuses the login");
        metrics::login(true);
        let is_kept = self.refused.remember(presented.as_deref(), &words).await;
        let reason = error.in_words(words);
        self.show_failure(&reason, true);
        state.recalled = Some(self.clock.monotonic());
        state.last = Last::Refused { reason: reason.clone(), presented, is_kept };
        reason
    }

    /// When a session ends that begins or is renewed now.
    fn end_of(&self, session: &dyn Session) -> Option<Duration> {
        self.clock.monotonic().checked_add(session.lasts()?)
    }

    async fn log_in(
        &self,
        transport: &Transport,
        presented: Option<&Presented>,
    ) -> Result<Box<dyn Session>, LoginError> {
        let span = tracing::info_span!("cdms_login", host = transport.host());
        let requests = LoginRequests::new(transport, presented).to(self.authenticator.login_hosts());
        let login = self.authenticator.login(requests).instrument(span);
        tokio::time::timeout(LOGIN_TIME_MAX, login).await.unwrap_or_else(|_| {
            let seconds = LOGIN_TIME_MAX.as_secs();
            Err(LoginError::new(format!("the authenticator had not answered after {seconds} s, so it was given up")))
        })
    }

    fn window(&self) -> Duration {
        self.pause.saturating_mul(WINDOW_PAUSES)
    }

    /// Asks the database whether these credentials were refused before: when the program begins, when they have changed, and
    /// while they are refused from time to time, because another program may have taken that back.
    async fn recall(&self, state: &mut State, presented: Option<&Arc<Presented>>, now: Duration) {
        let is_kept = matches!(state.last, Last::Refused { is_kept: true, .. });
        match state.recalled {
            None => {}
            Some(then) if is_kept && now.saturating_sub(then) >= RECALL_PAUSE => {}
            Some(_) => return,
        }
        match self.refused.recall(presented.map(|presented| &**presented)).await {
            Ok(Some(reason)) => {
                self.show_failure(&reason.clone().into(), true);
                state.last = Last::Refused { reason: reason.into(), presented: presented.cloned(), is_kept: true };
            }
            Ok(None) if is_kept => state.last = Last::None,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "refused logins cannot be recalled");
                return;
            }
        }
        state.recalled = Some(now);
    }

    /// Notes a failure and says for how long it stands: at least as long as the server asks to wait.
    fn failed(&self, state: &mut State, error: Reason, pause: Duration) -> Reason {
        let now = self.clock.monotonic();
        let window = self.window();
        state.forget_before(now, window);
        state.failures.push_back(now);
        let until = match state.failures.len() {
            1 => now + self.pause,
            2 => now + self.pause.saturating_mul(SECOND_PAUSES),
            count => state.failures[count - FAILURES_MAX] + window,
        };
        let until = until.max(now + pause.min(ASKED_PAUSE_MAX));
        let seconds = until.saturating_sub(now).as_secs();
        let mut words = format!("the login failed: {error}");
        if self.refused.have_a_database() {
            words.push_str(&format!("; it is not tried again for {seconds} s"));
        }
        tracing::warn!(error = error.as_str(), seconds, "the login to CDMS failed");
        let reason = error.in_words(words);
        self.show_failure(&reason, false);
        state.last = Last::Failed { reason: reason.clone(), until };
        reason
    }

    /// Has the session judge a response to one of its requests, and notes the result.
    ///
    /// # Errors
    ///
    /// The session cannot be used any more, and CDMS has not carried out the request.
    pub(crate) async fn observe(
        &self,
        transport: &Transport,
        login: &Login,
        received: &Received,
    ) -> Result<(), SessionEnd> {
        let response = SessionResponse::new(received, self.authenticator.login_hosts());
        match login.session().observe(&response) {
            Standing::Valid => self.taken(login).await,
            Standing::Renewed => {
                let ends = self.end_of(login.session());
                *login.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
                self.taken(login).await;
            }
            Standing::Unknown => {}
            Standing::Lost(sign) => {
                self.lost(login, &sign).await;
                return Err(SessionEnd::Lost(sign));
            }
            Standing::Refused(reason) => {
                return Err(SessionEnd::Refused(self.refused(transport, login, reason.into()).await));
            }
        }
        Ok(())
    }

    /// Notes that the session of a login could not open a connection, and says what that means for the session.
    pub(crate) async fn not_opened(&self, transport: &Transport, login: &Login, error: LoginError) -> SessionEnd {
        let reason = error.reason().clone();
        if error.is_refused() {
            SessionEnd::Refused(self.refused(transport, login, reason).await)
        } else {
            self.lost(login, reason.as_str()).await;
            SessionEnd::Lost(reason.as_str().to_owned())
        }
    }

    /// Notes that CDMS accepts this login.
    async fn taken(&self, login: &Login) {
        if self.taken.fetch_max(login.number, Ordering::AcqRel) < login.number {
            self.show(LoginState::Taken);
            self.state.lock().await.failures.clear();
        }
    }

    /// Notes that CDMS refuses the secret of this login.
    async fn refused(&self, transport: &Transport, login: &Login, reason: Reason) -> Reason {
        let mut state = self.state.lock().await;
        self.lost.fetch_max(login.number, Ordering::AcqRel);
        match &state.last {
            Last::Done(last) if last.number == login.number => {
                self.refuse(&mut state, transport, reason, login.presented.clone()).await
            }
            Last::Refused { reason, .. } => reason.clone(),
            // A later login may have been made with another secret.
            _ => reason,
        }
    }

    /// Notes that CDMS no longer takes this login, by the sign that it gave. A login that it never took has failed.
    async fn lost(&self, login: &Login, sign: &str) {
        let mut state = self.state.lock().await;
        let is_news = self.lost.fetch_max(login.number, Ordering::AcqRel) < login.number;
        let was_taken = self.taken.load(Ordering::Acquire) >= login.number;
        if is_news && !was_taken && state.number == login.number && !planted(Planted::LostLoginUnpaused) {
            self.failed(&mut state, format!("right after a login {sign}").into(), Duration::ZERO);
        }
    }

    /// Forgets every failure, so that the next request logs in again.
    pub(crate) async fn retry(&self) {
        let mut state = self.state.lock().await;
        if let Some(credentials) = self.authenticator.credentials()
            && let Ok(presented) = Presented::read(credentials).await
        {
            self.refused.forget(Some(&presented)).await;
        }
        self.show(LoginState::Untried);
        state.unread = None;
        (state.last, state.recalled) = (Last::None, Some(self.clock.monotonic()));
        state.failures.clear();
    }
}
