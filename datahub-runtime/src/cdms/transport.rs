//! One HTTP exchange: bounded in time and size, never redirected, never repeated.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use cdms_odata::dialect::{Dialect, HttpAnswer, HttpRequest};
use datahub_protocol::planted::{Planted, planted};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;
use url::Url;

use super::authenticator::Session;
use super::client::ClientOptions;
use crate::cost::Meters;
use crate::reach::Reach;
use crate::{Error, ErrorKind};

/// The HTTP side of the client, with its counters.
#[derive(Debug)]
pub(crate) struct Transport {
    /// The address of CDMS's data service.
    service: Url,
    /// The organisation's address, where logins begin.
    organisation: Url,
    http: reqwest::Client,
    time_limit: Duration,
    body_max: usize,
    /// A permit for each request that may be under way.
    places: Semaphore,
    concurrent_max: usize,
    meters: Meters,
    reach: Reach,
}

/// Whether a request may still be sent, asked at the last moment.
pub(crate) type MaySend<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// For requests that may be sent whenever their turn comes.
pub(crate) const ALWAYS: MaySend<'static> = &|| true;

/// How an exchange ended.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, at least in part, and no whole answer came.
    Lost(String),
    /// An answer came.
    Answered(HttpAnswer),
}

impl Transport {
    pub(crate) fn new(dialect: &dyn Dialect, options: &ClientOptions, meters: Meters) -> Result<Self, Error> {
        let &ClientOptions { time_limit, body_max, concurrent_requests: concurrent_max, .. } = options;
        // Somebody else may have chosen a provider for the process already; either serves.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(if planted(Planted::RedirectsFollowed) { Policy::limited(5) } else { Policy::none() })
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(time_limit)
            .connect_timeout(time_limit.min(Duration::from_secs(15)))
            .pool_max_idle_per_host(concurrent_max)
            .user_agent(concat!("datahub-sync/", env!("CARGO_PKG_VERSION")));
        let (service, organisation) = (dialect.root().clone(), dialect.organisation());
        if service.scheme() == "http" {
            // Plain http stays on this machine, so no proxy has a part in it.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| {
            Error::new(ErrorKind::Misconfigured, format!("no HTTP client can be made: {}", causes(&error)))
        })?;
        let places = Semaphore::new(concurrent_max.min(Semaphore::MAX_PERMITS));
        let reach = Reach::of("CDMS");
        Ok(Transport { service, organisation, http, time_limit, body_max, places, concurrent_max, meters, reach })
    }

    /// The address of CDMS's data service.
    pub(crate) fn service(&self) -> &Url {
        &self.service
    }

    /// The organisation's address, where logins begin.
    pub(crate) fn organisation(&self) -> &Url {
        &self.organisation
    }

    /// CDMS's host, for logs.
    pub(crate) fn host(&self) -> &str {
        self.service.host_str().unwrap_or_default()
    }

    /// A request to the data service, with the session's headers, if `may_send` holds once its turn has come.
    /// Dropping the future closes the connection.
    pub(crate) async fn data_request(
        &self,
        request: HttpRequest,
        session: &Session,
        may_send: MaySend<'_>,
    ) -> Exchange {
        let mut headers = session.headers().clone();
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        match Url::parse(&request.url) {
            Ok(url) => self.exchange(request.method, url, headers, request.body, may_send).await,
            Err(error) => Exchange::NotSent(format!("{} is no URL: {error}", request.url)),
        }
    }

    /// A request of a login, without the session's headers.
    pub(crate) async fn login_request(&self, url: Url, form: Option<String>) -> Exchange {
        let mut headers = HeaderMap::new();
        let method = if form.is_some() { Method::POST } else { Method::GET };
        if form.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        self.exchange(method, url, headers, form.map(String::into_bytes), ALWAYS).await
    }

    async fn exchange(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
        may_send: MaySend<'_>,
    ) -> Exchange {
        let Ok(Ok(_place)) = tokio::time::timeout(self.time_limit, self.places.acquire()).await else {
            return Exchange::NotSent(format!(
                "{} other requests are under way, and none came to an end; if CDMS bears more at once, raise \
                 `concurrent_requests` on the hub's builder",
                self.concurrent_max
            ));
        };
        if !may_send() {
            return Exchange::NotSent("this program's lease on the record is nearly over".to_owned());
        }
        let meters = self.meters.within_operation();
        meters.request(body.as_ref().map_or(0, Vec::len));
        let mut request = self.http.request(method.clone(), url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        } else if method == Method::POST {
            request = request.body(Vec::new());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let reason = causes(&error);
                // A connection that breaks is no outage yet.
                if error.is_connect() || error.is_timeout() {
                    self.reach.failed(&reason);
                }
                let is_unsent = error.is_connect() || error.is_builder();
                return if is_unsent { Exchange::NotSent(reason) } else { Exchange::Lost(reason) };
            }
        };
        let (url, status, headers) =
            (response.url().clone(), response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() > self.body_max => {
                    return Exchange::Lost(format!(
                        "the answer is larger than {} bytes, and the hub reads no more of one; if it is no mistake, raise \
                         `max_answer_bytes` on its builder",
                        self.body_max
                    ));
                }
                Ok(Some(chunk)) => {
                    meters.received(chunk.len());
                    body.extend_from_slice(&chunk);
                }
                Err(error) => return Exchange::Lost(format!("the answer broke off: {}", causes(&error))),
            }
        }
        self.reach.answered();
        Exchange::Answered(HttpAnswer { url, status, headers, body })
    }
}

/// An error with all its causes, without the address, which may carry what nobody should read in a log.
fn causes(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { String::new() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let separator = if text.is_empty() { "" } else { ": " };
        // Writing to a string cannot fail.
        _ = write!(text, "{separator}{inner}");
        cause = inner.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}
