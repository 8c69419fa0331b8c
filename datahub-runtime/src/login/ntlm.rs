//! NTLM, with domain, user and password: three messages log a connection in, and not a request (MS-NTHT).
//!
//! Each connection of a session is logged in by a request that changes nothing, before anything else is sent over it. So
//! neither a first message nor a last one ever travels with a write.

mod handshake;
mod tries;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datahub_login::ntlm::{Identity, Scheme};
use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::{
    Authenticator, Connections, Credentials, LoginError, LoginRequests, Opened, Secret, Session, SessionResponse,
    Standing,
};
use handshake::{Handshake, LoggedIn};
use tries::Tries;

/// The sign that a session is over.
const FORGOTTEN: &str = "CDMS answered 401, because the connection was not logged in any more";

/// How long a password is believed not to have changed, however many connections are opened.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// How many requests are sent at once by default, each over a connection of its own.
const CONNECTIONS: usize = 4;

/// Logs in by NTLM, to a CDMS on the premises that takes Windows accounts without AD FS.
///
/// ```
/// use datahub_runtime::login::{Ntlm, Secret};
///
/// let login = Ntlm::new(r"CONTOSO\datahub", Secret::env("DATAHUB_PASSWORD"));
/// assert_eq!(format!("{login:?}"), r#"Ntlm("CONTOSO\\datahub", Secret(the environment variable DATAHUB_PASSWORD))"#);
/// ```
///
/// The messages are NTLMv2 with a check of their integrity, in the scheme `NTLM`, or in `Negotiate` where the server offers no
/// other. Over https they are bound to the server's certificate, which IIS asks for where Extended Protection is on. A
/// password is tried once: if the server refuses it, it is not tried again until it changes.
#[derive(Clone)]
pub struct Ntlm {
    identity: Identity,
    password: Secret,
    /// The domain that the user carries, where another one was given.
    other_domain: Option<String>,
    connections: usize,
    tries: Arc<Tries>,
}

impl Ntlm {
    /// A login as this user: `DOMAIN\user`, `user@domain.example`, or `user` with the domain given by [`Ntlm::domain`].
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        let user = user.into();
        let (domain, user) = match user.split_once('\\') {
            Some((domain, user)) => (domain.to_owned(), user.to_owned()),
            None => (String::new(), user),
        };
        let identity = Identity { domain, user, workstation: None };
        let (password, tries) = (password.into(), Arc::default());
        Ntlm { identity, password, other_domain: None, connections: CONNECTIONS, tries }
    }

    /// The domain of the user. A user who carries another domain is not logged in, because it would be another account whose
    /// password is tried.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        let domain = domain.into();
        let Identity { domain: known, user, .. } = &self.identity;
        let carried =
            if known.is_empty() { user.split_once('@').map(|(_, domain)| domain) } else { Some(known.as_str()) };
        self.other_domain = carried.filter(|carried| !carried.eq_ignore_ascii_case(&domain)).map(str::to_owned);
        self.identity.domain = domain;
        self
    }

    /// The name of this machine, which the server notes in its log. Default: none.
    #[must_use]
    pub fn workstation(mut self, workstation: impl Into<String>) -> Self {
        self.identity.workstation = Some(workstation.into());
        self
    }

    /// How many requests are sent at once, each over a connection of its own that is logged in; 0 counts as 1. Default: 4. A
    /// server that logs each request in by itself gets one at a time.
    #[must_use]
    pub fn connections(mut self, at_once: usize) -> Self {
        self.connections = at_once.max(1);
        self
    }

    fn handshake<'h>(&'h self, requests: &'h LoginRequests<'_>, password: &'h SecretString) -> Handshake<'h> {
        Handshake { identity: &self.identity, password, requests }
    }
}

impl fmt::Debug for Ntlm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ntlm({:?}, {:?})", self.identity, self.password)
    }
}

impl Authenticator for Ntlm {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new(self.identity.name(), &self.password))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            if let Some(other) = &self.other_domain {
                return Err(LoginError::new(format!(
                    "the user of the login by NTLM carries the domain {other:?}, and the login is for the domain {:?}: write \
                     the domain in one of the two; nothing was sent",
                    self.identity.domain
                )));
            }
            let password = requests.secret(&self.password).await?;
            let mut connections = requests.connections(self.connections)?;
            let line = requests.turn(&connections).await?;
            let logged_in = {
                let may_try_again = |refused| requests.may_try_again(refused);
                let _turn = self.tries.turn_of_login(&password, may_try_again).await?;
                let requests = requests.on(&line);
                let tried = self.handshake(&requests, &password).run().await;
                self.tries.note(&password, &tried);
                tried?
            };
            match logged_in {
                LoggedIn::Connection(_) | LoggedIn::Unasked => line.opened(),
                // Several at once would be several tries, if the password has changed.
                LoggedIn::Request(_) => connections = requests.connections(1)?,
            }
            let (checked, is_over) = (Mutex::new(Instant::now()), AtomicBool::new(false));
            Ok(NtlmSession { login: self.clone(), password, checked, connections, logged_in, is_over }.boxed())
        })
    }
}

/// Connections that are logged in, each when it is first used.
struct NtlmSession {
    login: Ntlm,
    /// The password with which the session began.
    password: SecretString,
    /// When its source was last found to have that password still.
    checked: Mutex<Instant>,
    connections: Connections,
    /// What the server did at the login.
    logged_in: LoggedIn,
    /// Whether the server has forgotten a connection. Then the next session takes over.
    is_over: AtomicBool,
}

impl NtlmSession {
    /// Checks that the password is the one with which the session began. Its source is asked by one caller at a time, and not
    /// again within a second.
    async fn is_unchanged(&self) -> Result<(), LoginError> {
        let mut checked = self.checked.lock().await;
        if checked.elapsed() < READ_PAUSE || self.is_over.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.login.password.read().await {
            Ok(newest) if newest.expose_secret() != self.password.expose_secret() => {
                self.is_over.store(true, Ordering::Release);
                Err(LoginError::new("the password has changed since the session began"))
            }
            // What cannot be read just now may still be right.
            _ => {
                *checked = Instant::now();
                Ok(())
            }
        }
    }

    async fn opened(&self, requests: &LoginRequests<'_>) -> Result<Opened, LoginError> {
        self.is_unchanged().await?;
        if self.is_over.load(Ordering::Acquire) {
            return Err(LoginError::new(FORGOTTEN));
        }
        let _turn = self.login.tries.turn_of_session(&self.password).await?;
        let handshake = self.login.handshake(requests, &self.password);
        let tried = match self.logged_in {
            LoggedIn::Request(scheme) => {
                let last = handshake.last_message(scheme).await?;
                return Ok(Opened::ForNext(HeaderMap::from_iter([(AUTHORIZATION, last)])));
            }
            LoggedIn::Connection(scheme) => handshake.run_in(scheme).await,
            LoggedIn::Unasked => handshake.run().await,
        };
        self.login.tries.note(&self.password, &tried);
        match tried? {
            LoggedIn::Connection(_) | LoggedIn::Unasked => Ok(Opened::Lasting),
            LoggedIn::Request(_) => Err(LoginError::new("CDMS has begun to log each request in by itself")),
        }
    }
}

impl Session for NtlmSession {
    fn prepare(&self, _: &mut HeaderMap) {}

    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        if response.status() != StatusCode::UNAUTHORIZED {
            return response.standing();
        }
        // On the connection of its challenge, a last message was checked; on another one it said nothing.
        if matches!(self.logged_in, LoggedIn::Request(_)) && response.continues() {
            let reason = handshake::refusal(&self.login.identity);
            self.login.tries.note_refusal(&self.password, reason.clone());
            return Standing::Refused(reason);
        }
        self.is_over.store(true, Ordering::Release);
        Standing::Lost(FORGOTTEN.to_owned())
    }

    fn connections(&self) -> Option<&Connections> {
        Some(&self.connections)
    }

    fn open<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Opened, LoginError>> {
        Box::pin(async move { self.opened(&requests).await })
    }
}

/// The value of an `Authorization` header with a message.
fn carrying(scheme: Scheme, message: &[u8]) -> http::HeaderValue {
    // The scheme's name and base64 are letters that a header may have.
    http::HeaderValue::try_from(scheme.carrying(message)).unwrap_or_else(|_| http::HeaderValue::from_static(""))
}
