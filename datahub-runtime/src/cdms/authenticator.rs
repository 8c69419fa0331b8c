//! Logging in to CDMS: what an organisation's own way of logging in has to provide.

use std::fmt;
use std::time::Instant;

use datahub_protocol::Reason;
use futures_util::future::BoxFuture;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use url::Url;
use zeroize::Zeroizing;

use super::connections::{Connections, Turn};
use super::login_error::LoginError;
use super::login_reply::LoginReply;
use super::session::Session;
use super::transport::{Over, Transport};
use crate::login::{Credentials, Presented, Secret};

/// Logs in to CDMS. Organisations differ in how (docs/protocol.md, 7), so this is for each to implement.
///
/// The hub logs in before its first request and again when CDMS says that the session is over, once for all requests
/// that wait for it.
///
/// ```
/// use datahub_runtime::login::{Credentials, Secret, secrecy::ExposeSecret};
/// use datahub_runtime::{Authenticator, BoxFuture, LoginError, LoginRequests, Session};
///
/// struct FormLogin {
///     user: String,
///     password: Secret,
///     /// Where CDMS redirects to when a session is over.
///     login_hosts: Vec<String>,
/// }
///
/// impl Authenticator for FormLogin {
///     fn credentials(&self) -> Option<Credentials> {
///         Some(Credentials::new(&self.user, &self.password))
///     }
///
///     fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
///         Box::pin(async move {
///             let url = format!("{}/login", requests.organisation());
///             let password = requests.secret(&self.password).await?;
///             let form = [("user", self.user.as_str()), ("password", password.expose_secret())];
///             requests.post_form(&url, &form).await?.session()
///         })
///     }
///
///     fn login_hosts(&self) -> &[String] {
///         &self.login_hosts
///     }
/// }
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Logs in and returns the session that all further requests use.
    ///
    /// Dropping the future must leave nothing behind that a later login would stumble over: it is dropped after 120 s,
    /// because all requests wait for it, and with the hub. Callers that go away do not drop it.
    ///
    /// # Errors
    ///
    /// Why there is no session, in words for the person who runs the hub, without the password:
    /// [`LoginError::refused`] where the user or the password is wrong, which is not tried again; [`LoginError::new`] for
    /// any other trouble, which is tried again after growing pauses, at most three times in ten minutes.
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>>;

    /// Who logs in and with which secret, so that the hub can tell whether either has changed: what CDMS has refused is not
    /// tried again until then, by a restarted program neither. Of refused credentials the hub keeps a digest in its database,
    /// with a salt of the database's own and slow to make; who can read the database can still try guesses against it.
    /// Without credentials a refusal is remembered until the program ends.
    ///
    /// The hub reads the secret before each login, and gives the login what it has read: [`LoginRequests::secret`].
    fn credentials(&self) -> Option<Credentials> {
        None
    }

    /// The hosts of the login pages, besides CDMS's own. [`LoginRequests::get`] and [`LoginRequests::post_form`] send nothing to
    /// any other. A redirect of a data request to one of them means that the session is over; a redirect to another host
    /// means that only to a session that knows where its login was, as those of [`Pages`](crate::login::Pages) and of
    /// [`LoginReply::session`] do.
    fn login_hosts(&self) -> &[String] {
        &[]
    }
}

/// No login, and a session that adds nothing: for a CDMS that asks for none, like the simulator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anonymous;

impl Authenticator for Anonymous {
    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async { Ok(Anonymous.boxed()) })
    }
}

impl Session for Anonymous {
    fn prepare(&self, _: &mut HeaderMap) {}
}

/// The requests that a login may make: counted, limited in time and size, and never following redirects by themselves.
#[derive(Clone, Copy)]
pub struct LoginRequests<'c> {
    transport: &'c Transport,
    presented: Option<&'c Presented>,
    /// The hosts that may be asked, besides CDMS.
    hosts: &'c [String],
    over: Over<'c>,
    /// When refusals were last taken back.
    #[cfg_attr(not(feature = "ntlm"), expect(dead_code, reason = "only NTLM keeps refusals of its own"))]
    taken_back: Option<Instant>,
}

impl<'c> LoginRequests<'c> {
    pub(crate) fn new(transport: &'c Transport, presented: Option<&'c Presented>) -> Self {
        LoginRequests { transport, presented, hosts: &[], over: Over::Shared, taken_back: None }
    }

    /// The same requests, which may also go to these hosts.
    pub(crate) fn to(self, hosts: &'c [String]) -> Self {
        LoginRequests { hosts, ..self }
    }

    /// The same requests, of a login that may try again what was refused before this time.
    pub(crate) fn trying_again(self, taken_back: Option<Instant>) -> Self {
        LoginRequests { taken_back, ..self }
    }

    /// Whether what was refused at this time may be tried again.
    #[cfg(feature = "ntlm")]
    pub(crate) fn may_try_again(&self, refused: Instant) -> bool {
        self.taken_back.is_some_and(|taken_back| taken_back > refused)
    }

    /// The value of a secret. That of the authenticator's [credentials](Authenticator::credentials) is the one that the hub
    /// has just read, and that it will remember if it is refused; any other is read now.
    ///
    /// # Errors
    ///
    /// As [`Secret::read`].
    pub async fn secret(&self, secret: &Secret) -> Result<SecretString, LoginError> {
        match self.presented.and_then(|presented| presented.value_of(secret)) {
            Some(value) => Ok(value.clone()),
            None => secret.read().await,
        }
    }

    /// Whether a text is the secret of the authenticator's credentials.
    #[cfg(feature = "adfs")]
    pub(crate) fn is_secret(&self, text: &str) -> bool {
        self.presented.is_some_and(|presented| presented.is(text))
    }

    /// What the secrets of the authenticator's credentials are.
    #[cfg(feature = "adfs")]
    pub(crate) fn presented_values(&self) -> impl Iterator<Item = &SecretString> {
        self.presented.into_iter().flat_map(Presented::values)
    }

    /// Connections that only this login and its session use, for so many requests at once; 0 counts as 1. They have the limits
    /// of the hub's other connections. Each is for one request at a time, and is one connection as long as CDMS keeps it open;
    /// [`Session::open`] can log it in.
    ///
    /// # Errors
    ///
    /// The HTTP client cannot be set up.
    pub fn connections(&self, at_once: usize) -> Result<Connections, LoginError> {
        let connections = self.transport.connections(at_once.max(1));
        connections.map_err(|error| LoginError::because(Reason::of(error)))
    }

    /// The same requests over these connections.
    pub fn over(self, connections: &'c Connections) -> Self {
        LoginRequests { over: Over::Own(connections), ..self }
    }

    /// The same requests over the connection of a turn.
    pub(crate) fn on(self, turn: &'c Turn) -> Self {
        LoginRequests { over: Over::Held(turn), ..self }
    }

    /// A turn on connections, for requests that must go over the same one.
    #[cfg(feature = "ntlm")]
    pub(crate) async fn turn(&self, connections: &Connections) -> Result<Turn, LoginError> {
        self.transport.turn(connections).await.map_err(LoginError::of_no_response)
    }

    /// The organisation's address, without a slash at the end.
    pub fn organisation(&self) -> String {
        self.transport.organisation().as_str().trim_end_matches('/').to_owned()
    }

    /// Gets a page of CDMS's host, or over https of one of the [`login_hosts`](Authenticator::login_hosts).
    ///
    /// Dropping the future breaks the request off; the login counts as not tried.
    ///
    /// # Errors
    ///
    /// Another host; no connection, no answer in time, or too large a one.
    pub async fn get(&self, url: &str) -> Result<LoginReply, LoginError> {
        self.exchange(url, None).await
    }

    /// Posts a form to CDMS's host, or over https to one of the [`login_hosts`](Authenticator::login_hosts). What is sent is
    /// wiped from memory once it is.
    ///
    /// Dropping the future breaks the request off; whether the server took the form is not known then.
    ///
    /// # Errors
    ///
    /// As [`LoginRequests::get`].
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<LoginReply, LoginError> {
        self.exchange(url, Some(encoded(fields))).await
    }

    /// Sends a request that changes nothing and has a small answer to the data service, with these headers.
    ///
    /// # Errors
    ///
    /// As [`LoginRequests::get`].
    #[cfg(feature = "ntlm")]
    pub(crate) async fn harmless(&self, headers: HeaderMap) -> Result<LoginReply, LoginError> {
        let harmless = self.transport.harmless();
        let url = Url::parse(&harmless.url).map_err(|error| LoginError::new(format!("invalid address: {error}")))?;
        let mut all = harmless.headers.clone();
        all.extend(super::session::sensitive(headers));
        let received = self.transport.login_request(url, all, None, self.over).await;
        received.map(|received| LoginReply::of(received, self.transport.service())).map_err(LoginError::of_no_response)
    }

    async fn exchange(&self, url: &str, form: Option<Zeroizing<String>>) -> Result<LoginReply, LoginError> {
        let url = Url::parse(url).map_err(|error| LoginError::new(format!("invalid login address: {error}")))?;
        self.protected(&url)?;
        let host = url.host_str().unwrap_or_default();
        if host != self.transport.host() && !self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return Err(LoginError::new(format!(
                "the login's address is at {host}, which is neither CDMS's host nor one of the login hosts; nothing was sent \
                 there; if it belongs to the login, return it from `Authenticator::login_hosts`"
            )));
        }
        self.send(url, form, None).await
    }

    /// Sends one request of a login, with these cookies. Whether its host is one of the login's, the caller has checked.
    pub(crate) async fn send(
        &self,
        url: Url,
        form: Option<Zeroizing<String>>,
        cookies: Option<HeaderValue>,
    ) -> Result<LoginReply, LoginError> {
        self.protected(&url)?;
        let headers = HeaderMap::from_iter(cookies.map(|cookies| (COOKIE, cookies)));
        let received = self.transport.login_request(url, headers, form, self.over).await;
        received.map(|received| LoginReply::of(received, self.transport.service())).map_err(LoginError::of_no_response)
    }

    /// Checks that what is sent to an address is protected by https. Plain http is taken where CDMS itself is reached so, on
    /// this machine, and for hosts that were named.
    fn protected(&self, url: &Url) -> Result<(), LoginError> {
        let host = url.host_str().unwrap_or_default();
        let is_cdms = self.transport.service().scheme() == url.scheme() && host == self.transport.host();
        if url.scheme() == "https" || is_cdms || self.transport.allows_plain_http(url) {
            return Ok(());
        }
        Err(LoginError::new(format!("the login at {host} is not protected by https")))
    }

    /// The address of CDMS's data service, which the session is for.
    #[cfg(feature = "adfs")]
    pub(crate) fn service(&self) -> &Url {
        self.transport.service()
    }
}

/// A form's fields as they are posted, in a buffer that never grows: what a grown one leaves behind would not be wiped.
pub(crate) fn encoded(fields: &[(&str, &str)]) -> Zeroizing<String> {
    // Three letters for each byte, a sign between name and value, and one between fields.
    let length = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let form = String::with_capacity(length);
    Zeroizing::new(url::form_urlencoded::Serializer::new(form).extend_pairs(fields).finish())
}

impl fmt::Debug for LoginRequests<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequests").field("host", &self.transport.host()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_fits_its_buffer_whatever_its_fields_are() {
        for fields in
            [&[][..], &[("a", "b")], &[("user", "hub"), ("password", "ä&=+ %\u{1f600}")], &[("", ""), ("", "")]]
        {
            let form = encoded(fields);
            let length = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum::<usize>();
            assert!(form.len() <= length, "{fields:?}");
            assert_eq!(form.capacity(), String::with_capacity(length).capacity(), "{fields:?}: it grew");
        }
    }
}
