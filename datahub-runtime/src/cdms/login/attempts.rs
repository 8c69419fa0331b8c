//! One login after the other: what each came to, what was refused, and when the next one may be begun.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// How long a refused secret is believed not to have changed.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// How long a session is used at least, whatever its login says. CDMS's answers can end it before.
const LASTS_MIN: Duration = Duration::from_secs(20);

/// The longest pause that a server can ask for.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// The words for a turn that did not come.
pub(super) fn no_turn(who: &str) -> String {
    format!("{who} is logging in as the same user, and has not come to an end")
}

/// Who logs in, and what came of it.
pub(super) struct Attempts {
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) transport: Arc<Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) refused: RefusedLogins,
    /// How long it takes at least until a secret is read again that could not be read.
    pause: Duration,
    /// Held as long as a login is under way.
    pub(super) state: Mutex<State>,
    /// Held as long as a session opens one of its connections. Whoever has the turn of its user must not wait for the state,
    /// whose holder may wait for the turn.
    pub(super) opening: Mutex<()>,
    /// The newest login that CDMS no longer takes.
    pub(super) lost: AtomicU64,
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
        let (state, opening) = (Mutex::new(State::new(Pace::new(pause))), Mutex::default());
        let (lost, taken, shown) = (AtomicU64::new(0), AtomicU64::new(0), Shown::new(Arc::clone(&clock)));
        Attempts { authenticator, transport, clock, refused, pause, state, opening, lost, taken, shown }
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
        {
            // It counts once, also where no other session comes of this call.
            self.lost.fetch_max(login.number, Ordering::AcqRel);
            if let Some(until) = state.pace.lost(lived, now) {
                return Err(LoginFailure::Failed(self.too_short(
                    &mut state,
                    until,
                    now,
                    "an answer has ended the session",
                )));
            }
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
        let turn = match self.refused.turn(presented.user()).await {
            Ok(turn) => turn,
            Err(who) => return Err(LoginFailure::Failed(self.had_no_turn(&mut state, &who))),
        };
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
                let login = Arc::new(Login {
                    number: state.number,
                    presented,
                    knows_user,
                    session,
                    begun,
                    ends,
                    opens_for_each: AtomicBool::new(false),
                });
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
                // The source may have taken its time.
                state.unread = Some((reason.clone(), self.clock.monotonic() + self.pause));
                Err(LoginFailure::Failed(reason))
            }
        }
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

    /// Notes that another program logs in without end. This program has tried nothing, so it is not counted.
    fn had_no_turn(&self, state: &mut State, who: &str) -> Reason {
        let now = self.clock.monotonic();
        let words = no_turn(who);
        self.not_before(state, now + self.pause, now, &words.clone().into(), words)
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
}
