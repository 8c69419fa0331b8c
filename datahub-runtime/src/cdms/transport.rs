//! One HTTP exchange: bounded in time and size, never redirected, never repeated.

mod error;
#[cfg(test)]
mod tests;

use std::time::Duration;

use cdms_odata::dialect::{Dialect, HttpRequest, HttpResponse};
use datahub_protocol::planted::{Planted, planted};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;
use url::Url;

pub(crate) use error::{Lost, NoResponse, NotSent};

use super::authenticator::Session;
use super::client::ClientOptions;
use crate::engine::cost::Meters;
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
            Error::new(ErrorKind::Misconfigured, format!("no HTTP client can be made: {}", error::in_words(&error)))
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

    /// The host of CDMS, for logs.
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
    ) -> Result<HttpResponse, NoResponse> {
        let mut headers = session.headers().clone();
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        match Url::parse(&request.url) {
            Ok(url) => self.exchange(request.method, url, headers, request.body, may_send).await,
            Err(source) => Err(NotSent::Address { url: request.url, source }.into()),
        }
    }

    /// A request of a login, without the session's headers.
    pub(crate) async fn login_request(&self, url: Url, form: Option<String>) -> Result<HttpResponse, NoResponse> {
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
    ) -> Result<HttpResponse, NoResponse> {
        let Ok(Ok(_place)) = tokio::time::timeout(self.time_limit, self.places.acquire()).await else {
            return Err(NotSent::NoTurn { others: self.concurrent_max }.into());
        };
        if !may_send() {
            return Err(NotSent::Lease.into());
        }
        let meters = self.meters.within_operation();
        meters.request(body.as_ref().map_or(0, Vec::len));
        let mut request = self.http.request(method.clone(), url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        } else if method == Method::POST {
            request = request.body(Vec::new());
        }
        let mut response = request.send().await.map_err(|error| {
            let no_response = NoResponse::of_sending(error);
            if no_response.is_outage() {
                self.reach.failed(&no_response.to_string());
            }
            no_response
        })?;
        let (url, status, headers) =
            (response.url().clone(), response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(NoResponse::of_reading)? {
            if body.len() + chunk.len() > self.body_max {
                return Err(Lost::TooLarge { max: self.body_max }.into());
            }
            meters.received(chunk.len());
            body.extend_from_slice(&chunk);
        }
        self.reach.answered();
        Ok(HttpResponse { url, status, headers, body })
    }
}
