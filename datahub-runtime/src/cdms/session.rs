//! Sessions: what a login yields, and what every request to CDMS needs from it.

use std::fmt;
use std::time::Duration;

use cdms_odata::dialect::HttpResponse;
use futures_util::future::BoxFuture;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::authenticator::LoginRequests;
use super::connections::Connections;
use super::cookie_session::asks_for_password;
use super::login_error::LoginError;
use super::transport::Received;

/// What a login yields. It prepares the requests to CDMS, and judges by the responses whether CDMS still accepts it.
///
/// The hub has one session at a time, and many requests use it at once. A session never sees the requests of a login, and its
/// headers are sent to CDMS only.
///
/// ```
/// use std::time::Duration;
///
/// use datahub_runtime::Session;
/// use datahub_runtime::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
///
/// /// A bearer token that is good for an hour.
/// struct Token(HeaderValue);
///
/// impl Session for Token {
///     fn prepare(&self, headers: &mut HeaderMap) {
///         headers.insert(AUTHORIZATION, self.0.clone());
///     }
///
///     fn lasts(&self) -> Option<Duration> {
///         Some(Duration::from_secs(3_600))
///     }
/// }
/// ```
pub trait Session: Send + Sync + 'static {
    /// Adds what a request must carry to its headers. The hub marks all of it as sensitive.
    fn prepare(&self, headers: &mut HeaderMap);

    /// Judges the session by a response to one of its requests. This is called once for each response.
    ///
    /// By default 401, a redirect to one of the [`login_hosts`](crate::Authenticator::login_hosts) and a login form mean that
    /// the session is lost, see [`SessionResponse::standing`].
    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        response.standing()
    }

    /// How long the session lasts from now on, if that is known. After that time the next request logs in first. The hub asks
    /// after the login, and after each [`Standing::Renewed`].
    fn lasts(&self) -> Option<Duration> {
        None
    }

    /// The connections that the requests of the session must use, if it has its own: NTLM, for instance, authenticates a
    /// connection and not a request. A login gets them from [`LoginRequests::connections`](crate::LoginRequests::connections).
    fn connections(&self) -> Option<&Connections> {
        None
    }

    /// Opens one of the session's own [connections](Session::connections): logs it in, for instance. The hub calls this before
    /// the first request over a connection, and again after [`Opened::ForNext`], after 401, and where the connection was
    /// closed or idle for long. Nothing else uses the connection meanwhile, and the request that waits is sent right after.
    ///
    /// By default there is nothing to do.
    ///
    /// Dropping the future must leave nothing behind; the connection is opened again for the next request.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened. The request is not sent: a [refusal](LoginError::refused) counts as one of the login, anything
    /// else ends the session.
    fn open<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Opened, LoginError>> {
        _ = requests;
        Box::pin(async { Ok(Opened::Lasting) })
    }

    /// The session in a box, as a login returns it.
    fn boxed(self) -> Box<dyn Session>
    where
        Self: Sized,
    {
        Box::new(self)
    }
}

impl fmt::Debug for dyn Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(hidden)")
    }
}

/// How a session has opened a connection. `Debug` hides the headers.
#[non_exhaustive]
pub enum Opened {
    /// For all requests, as long as the connection is open.
    Lasting,
    /// For the next request, which must have these headers as well. The hub marks them as sensitive.
    ForNext(HeaderMap),
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Opened::Lasting => f.write_str("Lasting"),
            Opened::ForNext(headers) => write!(f, "ForNext({} headers, hidden)", headers.len()),
        }
    }
}

/// The headers of a request in a session, all of them marked as sensitive.
pub(super) fn prepared(session: &dyn Session) -> HeaderMap {
    let mut headers = HeaderMap::new();
    session.prepare(&mut headers);
    sensitive(headers)
}

/// The same headers, marked as sensitive.
pub(super) fn sensitive(mut headers: HeaderMap) -> HeaderMap {
    headers.values_mut().for_each(|value| value.set_sensitive(true));
    headers
}

/// What a response says about the session of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// CDMS accepts the session.
    Valid,
    /// CDMS accepts the session, and it [lasts](Session::lasts) longer than before.
    Renewed,
    /// The response says nothing about the session. It may come from a server in front of CDMS.
    Unknown,
    /// The session is over, by this sign, and CDMS has not carried out the request. The hub logs in and sends it again.
    Lost(String),
    /// CDMS refuses the user or the password, for this reason, and has not carried out the request. The hub does not log in
    /// again with the same [credentials](crate::Authenticator::credentials).
    Refused(String),
}

/// A response of CDMS, as a session sees it.
pub struct SessionResponse<'r> {
    response: &'r HttpResponse,
    continues: bool,
    login_hosts: &'r [String],
}

impl<'r> SessionResponse<'r> {
    pub(super) fn new(received: &'r Received, login_hosts: &'r [String]) -> Self {
        SessionResponse { response: &received.response, continues: received.continues, login_hosts }
    }

    /// Whether it came over the same connection as the answer before, where the connection is the session's
    /// [own](Session::connections). If not, what was done to [open](Session::open) the connection does not count.
    pub fn continues(&self) -> bool {
        self.continues
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status
    }

    /// The address that the request was sent to.
    pub fn url(&self) -> &Url {
        &self.response.url
    }

    /// Where the response redirects to, if it does.
    pub fn redirect(&self) -> Option<Url> {
        let location = self.headers().get(LOCATION).filter(|_| self.status().is_redirection())?;
        self.url().join(location.to_str().ok()?).ok()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.response.headers
    }

    /// The bytes of the body.
    pub fn body(&self) -> &[u8] {
        &self.response.body
    }

    /// The body, if it is an HTML page; invalid UTF-8 is replaced.
    pub fn page(&self) -> Option<String> {
        self.response.page()
    }

    /// What the response says about most sessions (docs/protocol.md, 7.1). The session is lost after 401, a redirect to a
    /// login host, or a page with a password field instead of data. A server error says nothing, and everything else comes
    /// from a CDMS that accepts the session.
    pub fn standing(&self) -> Standing {
        match self.sign_of_loss() {
            Some(sign) => Standing::Lost(sign),
            None if self.status().is_server_error() => Standing::Unknown,
            None => Standing::Valid,
        }
    }

    /// The sign that the session is over. A page with another status than 200 proves nothing about its request.
    fn sign_of_loss(&self) -> Option<String> {
        if self.status() == StatusCode::UNAUTHORIZED {
            return Some("CDMS answered 401".to_owned());
        }
        if self.status().is_redirection() {
            let host = self.response.redirect_host()?;
            let pinned = self.login_hosts.iter().any(|pinned| pinned.eq_ignore_ascii_case(&host));
            return pinned.then(|| format!("CDMS sent us to the login at {host}"));
        }
        let is_form = self.status() == StatusCode::OK && asks_for_password(self.response);
        is_form.then(|| "CDMS answered with its login form".to_owned())
    }
}

impl fmt::Debug for SessionResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionResponse({}, {} bytes)", self.response.status, self.response.body.len())
    }
}

/// A session that sends the same headers with every request. `Debug` hides them.
///
/// ```
/// use datahub_runtime::HeaderSession;
/// use datahub_runtime::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer 2b951fbc"));
/// let session = HeaderSession::new(headers);
/// assert_eq!(format!("{session:?}"), "HeaderSession(1 headers, hidden)");
/// ```
#[derive(Clone, Default)]
pub struct HeaderSession {
    headers: HeaderMap,
}

impl HeaderSession {
    /// A session that sends these headers.
    pub fn new(headers: HeaderMap) -> Self {
        HeaderSession { headers }
    }
}

impl Session for HeaderSession {
    fn prepare(&self, headers: &mut HeaderMap) {
        headers.extend(self.headers.clone());
    }
}

impl fmt::Debug for HeaderSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeaderSession({} headers, hidden)", self.headers.len())
    }
}
