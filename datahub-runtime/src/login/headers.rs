//! A login without a request of its own: the same headers with every request, for tests and for proxies that log in themselves.

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{Authenticator, Credentials, HeaderSession, LoginError, LoginRequests, Secret, Session};

/// Sends a header with every request to CDMS, such as a bearer token. The secret in it is read again whenever CDMS no longer
/// takes it, so that a token that is rotated in a file or by a callback is noticed.
///
/// ```
/// use datahub_runtime::login::{Secret, StaticHeaders};
///
/// let login = StaticHeaders::bearer(Secret::file("/run/secrets/token"));
/// ```
#[derive(Clone, Debug)]
pub struct StaticHeaders {
    name: HeaderName,
    /// What stands before the secret.
    before: &'static str,
    secret: Secret,
    lasts: Option<Duration>,
}

impl StaticHeaders {
    /// `Authorization: Bearer` with this token.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        StaticHeaders { name: AUTHORIZATION, before: "Bearer ", secret: token.into(), lasts: None }
    }

    /// A header whose value is this secret.
    pub fn header(name: HeaderName, value: impl Into<Secret>) -> Self {
        StaticHeaders { name, before: "", secret: value.into(), lasts: None }
    }

    /// How long a secret lasts once it was read; after that it is read again. Default: until CDMS no longer takes it.
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    fn value(&self, secret: &str) -> Result<HeaderValue, InvalidHeaderValue> {
        HeaderValue::from_str(&Zeroizing::new([self.before, secret].concat()))
    }
}

impl Authenticator for StaticHeaders {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new("", &self.secret))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let secret = requests.secret(&self.secret).await?;
            // The error would not say which header it is.
            let value = self.value(secret.expose_secret()).map_err(|_| {
                LoginError::new(format!(
                    "the secret for the header `{}` has letters that no header can have; it comes from {}",
                    self.name,
                    self.secret.source()
                ))
            })?;
            let headers = HeaderSession::new(HeaderMap::from_iter([(self.name.clone(), value)]));
            Ok(ForSomeTime { headers, lasts: self.lasts }.boxed())
        })
    }
}

/// A session of headers that may end by the clock.
struct ForSomeTime {
    headers: HeaderSession,
    lasts: Option<Duration>,
}

impl Session for ForSomeTime {
    fn prepare(&self, headers: &mut HeaderMap) {
        self.headers.prepare(headers);
    }

    fn lasts(&self) -> Option<Duration> {
        self.lasts
    }
}
