//! One HTTP exchange: bounded in time and size, never redirected, never repeated.

mod error;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use bytes::Bytes;
use cdms_odata::dialect::{Dialect, HttpRequest, HttpResponse};
use http::header::{CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;
use zeroize::Zeroizing;

pub(crate) use error::{Lost, NoResponse, NotSent};

use super::client::ClientOptions;
use super::connections::Connections;
use super::session::{Session, prepared};
use super::trust::Trust;
use crate::engine::cost::Meters;
use crate::engine::metrics;
use crate::reach::Reach;
use crate::{Error, ErrorKind};

/// The HTTP side of the client, with its counters.
#[derive(Debug)]
pub(crate) struct Transport {
    /// The address of CDMS's data service.
    service: Url,
    /// The organisation's address, where logins begin.
    organisation: Url,
    /// The connections of all sessions that have none of their own. Every request waits for a turn here.
    shared: Connections,
    trust: Trust,
    time_limit: Duration,
    body_max: usize,
    meters: Meters,
    reach: Reach,
}

/// Whether a request may still be sent, asked at the last moment.
pub(crate) type MaySend<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// For requests that may be sent whenever their turn comes.
pub(crate) const ALWAYS: MaySend<'static> = &|| true;

/// A request with everything that is sent.
struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
}

/// A form that is wiped from memory once it was sent.
struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Transport {
    pub(crate) fn new(dialect: &dyn Dialect, options: &ClientOptions, meters: Meters) -> Result<Self, Error> {
        let &ClientOptions { time_limit, body_max, concurrent_requests: concurrent_max, .. } = options;
        let (service, organisation) = (dialect.root().clone(), dialect.organisation());
        let shared = Connections::to(&service, &options.trust, time_limit, concurrent_max).map_err(|error| {
            Error::new(ErrorKind::Misconfigured, format!("no HTTP client can be made: {}", error::in_words(&error)))
        })?;
        let reach = Reach::of("CDMS");
        let trust = options.trust.clone();
        Ok(Transport { service, organisation, shared, trust, time_limit, body_max, meters, reach })
    }

    /// Connections for one session alone.
    pub(crate) fn connections(&self, at_once: usize) -> Result<Connections, NoResponse> {
        Connections::to(&self.service, &self.trust, self.time_limit, at_once)
            .map_err(|error| NotSent::Request(error).into())
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

    /// A request to the data service in a session, if `may_send` holds once its turn has come. Dropping the future closes the
    /// connection.
    pub(crate) async fn data_request(
        &self,
        request: HttpRequest,
        session: &dyn Session,
        may_send: MaySend<'_>,
    ) -> Result<HttpResponse, NoResponse> {
        let mut headers = prepared(session);
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        match Url::parse(&request.url) {
            Ok(url) => {
                let request = Outgoing { method: request.method, url, headers, body: request.body.map(Bytes::from) };
                self.exchange(request, session.connections(), may_send).await
            }
            Err(source) => Err(NotSent::Address { url: request.url, source }.into()),
        }
    }

    /// A request of a login with these cookies, over connections of its own if it has any.
    pub(crate) async fn login_request(
        &self,
        url: Url,
        form: Option<Zeroizing<String>>,
        cookies: Option<HeaderValue>,
        own: Option<&Connections>,
    ) -> Result<HttpResponse, NoResponse> {
        let mut headers = HeaderMap::from_iter(cookies.map(|cookies| (COOKIE, cookies)));
        let method = if form.is_some() { Method::POST } else { Method::GET };
        if form.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let body = form.map(|form| Bytes::from_owner(Wiped(form)));
        let request = Outgoing { method, url, headers, body };
        self.exchange(request, own, ALWAYS).await
    }

    async fn exchange(
        &self,
        request: Outgoing,
        own: Option<&Connections>,
        may_send: MaySend<'_>,
    ) -> Result<HttpResponse, NoResponse> {
        let _own_turn = match own {
            None => None,
            Some(own) => match own.turn(self.time_limit).await {
                None => return Err(NotSent::NoConnection { at_once: own.at_once() }.into()),
                turn => turn,
            },
        };
        let Some(_turn) = self.shared.turn(self.time_limit).await else {
            return Err(NotSent::NoTurn { others: self.shared.at_once() }.into());
        };
        if !may_send() {
            return Err(NotSent::Lease.into());
        }
        let meters = self.meters.within_operation();
        meters.request(request.body.as_ref().map_or(0, Bytes::len));
        let begun = Instant::now();
        let response = self.send(request, own, &meters).await;
        match &response {
            Ok(response) => metrics::answered(response.status, begun.elapsed()),
            Err(_) => metrics::lost(),
        }
        response
    }

    /// Sends a request whose turn has come, and receives its response.
    async fn send(
        &self,
        Outgoing { method, url, headers, body }: Outgoing,
        own: Option<&Connections>,
        meters: &Meters,
    ) -> Result<HttpResponse, NoResponse> {
        let http = own.unwrap_or(&self.shared).http();
        let mut request = http.request(method.clone(), url).headers(headers);
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
