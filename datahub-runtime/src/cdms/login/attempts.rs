//! One login after the other: what each came to, what was refused, and when the next one may be begun.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex};
use std::time::{Duration, Instant};

use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{LoginFailure, Reason};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::pace::{FAILURES_MAX, Pace};
use super::shown::Shown;
use super::state::{Last, Login, LoginState, State};
use crate::cdms::authenticator::{Authenticator, LoginRequests};
use crate::cdms::login_error::LoginError;
use crate::cdms::refused_logins::RefusedLogins;
use crate::cdms::session::Session;
use crate::cdms::transport::Transport;
use crate::engine::clock::Clock;
use crate::engine::metrics;
use crate::login::Presented;

/// How long a login may take: an authenticator with a client of its own may wait for ever, and all requests for it.
const LOGIN_TIME_MAX: Duration = Duration::from_secs(120);

/// How long a refusal is believed before the database is asked whether it was taken back.
const RECALL_PAUSE: Duration = Duration::from_secs(60);

/// How long a refused secret is believed not to have changed.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// How long a session is used at least, whatever its login says. CDMS's answers can end it before.
const LASTS_MIN: Duration = Duration::from_secs(20);

/// The longest pause that a server can ask for.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// Who logs in, and what came of it.
pub(super) struct Attempts {
    pub(super) authenticator: Arc<dyn Authenticator>,
    transport: Arc<Transport>,
    clock: Arc<dyn Clock>,
    refused: RefusedLogins,
    /// How long it takes at least until a secret is read again that could not be read.
    pause: Duration,
    /// Held as long as a login is under way.
    state: Mutex<State>,
    /// The newest login that CDMS no longer takes.
    lost: AtomicU64,
    /// The newest login under which CDMS has answered a request.
    taken: AtomicU64,
    /// What is shown to those who look on, and do not wait for a login that is under way.
    pub(super) shown: Shown,
}

impl Attempts {
    pub(super) fn new(
        authenticator: Arc<dyn Authenticator>,
        transport: Arc<Transport>,
        clock: Arc<dyn Clock>,
        refused: RefusedLogins,
        pause: Duration,
    ) -> Self {
        let state = Mutex::new(State::new(Pace::new(pause)));
        let (lost, taken, shown) = (AtomicU64::new(0), AtomicU64::new(0), Shown::new(Arc::clone(&clock)));
        Attempts { authenticator, transport, clock, refused, pause, state, lost, taken, shown }
    }

    /// What is known without a login, if none is under way.
    pub(super) fn known(&self) -> Option<Result<Arc<Login>, LoginFailure>> {
        self.known_of(&*self.state.try_lock().ok()?)
    }

    fn known_of(&self, state: &State) -> Option<Result<Arc<Login>, LoginFailure>> {
        let now = self.clock.monotonic();
        match &state.last {
            Last::Done(login) if !self.is_lost(login) && !login.has_ended(now) => Some(Ok(Arc::clone(login))),
            Last::Failed { reason, until } if now < *until => Some(Err(LoginFailure::Failed(reason.clone()))),
            _ => None,
        }
    }

    /// Whether CDMS no longer takes a login.
    pub(super) fn is_lost(&self, login: &Login) -> bool {
        login.number <= self.lost.load(Ordering::Acquire)
    }

    /// The current session, which is begun where there is none that CDMS takes.
    pub(super) async fn session(&self) -> Result<Arc<Login>, LoginFailure> {
        let mut state = self.state.lock().await;
        if let Some(known) = self.known_of(&state) {
            return known;
        }
        let now = self.clock.monotonic();
        if let Last::Done(login) = &state.last
            && !self.is_lost(login)
            && let Some(lived) = Some(now.saturating_sub(login.begun)).filter(|lived| *lived < LASTS_MIN)
            && let Some(until) = state.pace.lost(lived, now)
        {
            return Err(LoginFailure::Failed(self.too_short(
                &mut state,
                until,
                now,
                "an answer has ended the session",
            )));
        }
        let presented = self.present(&mut state, now).await?;
        if let Some(reason) = self.stands(&mut state, presented.as_ref(), now).await {
            return Err(LoginFailure::Refused(reason));
        }
        if let Some(until) = state.pace.spent(now) {
            // A login that panicked leaves no other trace.
            let seconds = until.saturating_sub(now).as_secs();
            let reason = format!(
                "the login was tried {FAILURES_MAX} times and came to nothing; it is not tried again for {seconds} s"
            );
            return Err(LoginFailure::Failed(reason.into()));
        }
        let Some(presented) = presented else { return self.begun(&mut state, None, false).await };
        let turn = self.refused.turn(presented.user()).await.map_err(|who| {
            LoginFailure::Failed(format!("{who} is logging in as the same user, and has not come to an end").into())
        })?;
        let told = match &turn {
            Some(turn) => turn.during(self.in_turn(&mut state, presented)).await,
            None => self.in_turn(&mut state, presented).await,
        };
        if let Some(turn) = turn {
            turn.give_back().await;
        }
        told
    }

    /// Logs in, unless another program has learned meanwhile that these credentials are refused.
    async fn in_turn(&self, state: &mut State, presented: Arc<Presented>) -> Result<Arc<Login>, LoginFailure> {
        let recalled = self.refused.recall(Some(&presented)).await;
        let recalled = recalled.inspect_err(|error| tracing::warn!(%error, "refused logins cannot be recalled")).ok();
        state.mark = recalled.as_ref().map(|recalled| recalled.mark.clone());
        let knows_user = recalled.as_ref().is_some_and(|recalled| recalled.knows_user);
        let was_taken_back = std::mem::take(&mut state.is_taken_back);
        if let Some(reason) = recalled.and_then(|recalled| recalled.reason)
            && !was_taken_back
            && !planted(Planted::RefusedSecretAgain)
        {
            let reason = Reason::from(reason);
            self.shown.fails(&reason, true);
            state.recalled = Some(self.clock.monotonic());
            state.last = Last::Refused { reason: reason.clone(), presented: Some(presented), mark: state.mark.clone() };
            return Err(LoginFailure::Refused(reason));
        }
        self.begun(state, Some(presented), knows_user).await
    }

    /// Logs in.
    async fn begun(
        &self,
        state: &mut State,
        presented: Option<Arc<Presented>>,
        knows_user: bool,
    ) -> Result<Arc<Login>, LoginFailure> {
        // Where the authenticator panics, the try counts all the same, and what was lost stays lost.
        state.last = Last::None;
        state.pace.begins(self.clock.monotonic());
        state.number += 1;
        let tried = self.log_in(presented.as_deref(), state.taken_back).await;
        state.pace.has_ended();
        match tried {
            Ok(session) => {
                // Whether CDMS takes it, its answers say.
                tracing::info!(host = self.transport.host(), "logged in to CDMS");
                metrics::login(false);
                let begun = self.clock.monotonic();
                let ends = SyncMutex::new(self.end_of(&*session).map(|end| end.max(begun + LASTS_MIN)));
                let login = Arc::new(Login { number: state.number, presented, knows_user, session, begun, ends });
                state.last = Last::Done(Arc::clone(&login));
                Ok(login)
            }
            Err(error) if error.is_refused() => {
                Err(LoginFailure::Refused(self.refuse(state, error.reason().clone(), presented).await))
            }
            Err(error) => {
                let pause = error.pause().unwrap_or_default();
                Err(LoginFailure::Failed(self.failed(state, error.reason().clone(), pause)))
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
                Ok(Some(Arc::new(presented)))
            }
            Err(error) => {
                let mut words = error.to_string();
                if self.refused.have_a_database() {
                    words.push_str(&format!("; it is not read again for {} s", self.pause.as_secs()));
                }
                tracing::warn!(error = error.reason().as_str(), "the login's secret cannot be read");
                let reason = error.reason().clone().in_words(words);
                self.shown.fails(&reason, false);
                state.unread = Some((reason.clone(), now + self.pause));
                Err(LoginFailure::Failed(reason))
            }
        }
    }

    /// Why these credentials are still refused, if they were the last ones. From time to time the database is asked, because
    /// another program may have taken that back.
    async fn stands(&self, state: &mut State, presented: Option<&Arc<Presented>>, now: Duration) -> Option<Reason> {
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

    /// Notes that CDMS refuses credentials, and words the reason that stands until something changes.
    async fn refuse(&self, state: &mut State, error: Reason, presented: Option<Arc<Presented>>) -> Reason {
        let mut words = format!("CDMS refuses the login: {error}");
        if self.refused.have_a_database() {
            words.push_str(
                "; it is not tried again until the user or the password changes, or `hub.retry_login()` is called",
            );
        }
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

    /// When a session ends that is renewed now. It may say that it is over at once.
    pub(super) fn end_of(&self, session: &dyn Session) -> Option<Duration> {
        self.clock.monotonic().checked_add(session.lasts()?)
    }

    async fn log_in(
        &self,
        presented: Option<&Presented>,
        taken_back: Option<Instant>,
    ) -> Result<Box<dyn Session>, LoginError> {
        let span = tracing::info_span!("cdms_login", host = self.transport.host());
        let requests = LoginRequests::new(&self.transport, presented);
        let requests = requests.to(self.authenticator.login_hosts()).trying_again(taken_back);
        let login = self.authenticator.login(requests).instrument(span);
        tokio::time::timeout(LOGIN_TIME_MAX, login).await.unwrap_or_else(|_| {
            let seconds = LOGIN_TIME_MAX.as_secs();
            Err(LoginError::new(format!("the authenticator had not answered after {seconds} s, so it was given up")))
        })
    }

    /// Notes a failure and says for how long it stands: at least as long as the server asks to wait.
    fn failed(&self, state: &mut State, error: Reason, pause: Duration) -> Reason {
        let now = self.clock.monotonic();
        let until = state.pace.failed(now).max(now + pause.min(ASKED_PAUSE_MAX));
        self.not_before(state, until, now, &error, format!("the login failed: {error}"))
    }

    /// Notes that there is no other session before this time, because they end soon, the last one by this sign.
    fn too_short(&self, state: &mut State, until: Duration, now: Duration, sign: &str) -> Reason {
        let words = format!("the login holds for a short time only, again and again: {sign}");
        self.not_before(state, until, now, &sign.to_owned().into(), words)
    }

    /// Notes that the next login is not begun before this time, and why.
    fn not_before(
        &self,
        state: &mut State,
        until: Duration,
        now: Duration,
        error: &Reason,
        mut words: String,
    ) -> Reason {
        let seconds = until.saturating_sub(now).as_secs();
        if self.refused.have_a_database() {
            words.push_str(&format!("; it is not tried again for {seconds} s"));
        }
        tracing::warn!(error = error.as_str(), seconds, "the login to CDMS failed");
        let reason = error.clone().in_words(words);
        self.shown.fails(&reason, false);
        state.last = Last::Failed { reason: reason.clone(), until };
        reason
    }

    /// Whether CDMS has not yet accepted this login, or a later one.
    pub(super) fn is_untried(&self, login: &Login) -> bool {
        self.taken.load(Ordering::Acquire) < login.number
    }

    /// Notes that CDMS accepts this login, and so its secret.
    pub(super) async fn taken(&self, login: &Login) {
        let mut state = self.state.lock().await;
        if self.taken.fetch_max(login.number, Ordering::AcqRel) < login.number {
            state.pace.taken();
            self.shown.is(LoginState::Taken);
            if let Some(presented) = login.presented().filter(|_| login.knows_user) {
                self.refused.forget(presented.user()).await;
            }
        }
    }

    /// Whether the secret of a session may be tried once more, as far as the database knows.
    ///
    /// # Errors
    ///
    /// Another program has learned that it is refused. That is noted.
    pub(super) async fn may_open(&self, login: &Login) -> Result<(), LoginError> {
        let Some(presented) = login.presented.as_ref() else { return Ok(()) };
        let refusal = match self.refused.refusal(presented).await {
            Ok((refusal, _)) => refusal.map(Reason::from),
            Err(error) => {
                tracing::warn!(%error, "refused logins cannot be recalled");
                None
            }
        };
        let Some(reason) = refusal.filter(|_| !planted(Planted::RefusedSecretAgain)) else { return Ok(()) };
        let mut state = self.state.lock().await;
        self.lost.fetch_max(login.number, Ordering::AcqRel);
        if matches!(&state.last, Last::Done(last) if last.number == login.number) {
            self.shown.fails(&reason, true);
            state.recalled = Some(self.clock.monotonic());
            let (mark, presented) = (state.mark.clone(), login.presented.clone());
            state.last = Last::Refused { reason: reason.clone(), presented, mark };
        }
        Err(LoginError::refused(reason.as_str()))
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

    /// Notes that CDMS no longer takes this login, by the sign that it gave. A login that it never took has failed, and one that
    /// it took for a short time only is not repeated without end.
    pub(super) async fn lost(&self, login: &Login, sign: &str) {
        let mut state = self.state.lock().await;
        let is_news = self.lost.fetch_max(login.number, Ordering::AcqRel) < login.number;
        if !is_news || state.number != login.number || planted(Planted::LostLoginUnpaused) {
            return;
        }
        let now = self.clock.monotonic();
        if self.is_untried(login) {
            self.failed(&mut state, format!("right after a login {sign}").into(), Duration::ZERO);
        } else if let Some(until) = state.pace.lost(now.saturating_sub(login.begun), now) {
            self.too_short(&mut state, until, now, sign);
        }
    }

    /// Forgets every failure, so that the next request logs in again.
    pub(super) async fn retry(&self) {
        let mut state = self.state.lock().await;
        if let Some(credentials) = self.authenticator.credentials() {
            self.refused.take_back(credentials.user()).await;
        }
        (state.last, state.read, state.unread) = (Last::None, None, None);
        // Also where the database has not noted it.
        (state.is_taken_back, state.taken_back) = (true, Some(Instant::now()));
        state.pace.forgive();
        self.shown.is(LoginState::Untried);
    }
}
