//! One HTTP exchange: bounded in time and size, never redirected, never repeated.

mod error;
mod handshake;
mod limited;
#[cfg(test)]
mod tests;
mod wiped;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cdms_odata::dialect::{Dialect, HttpRequest, HttpResponse};
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::tls::TlsInfo;
use url::Url;
use zeroize::Zeroizing;

pub(crate) use error::{Lost, NoResponse, NotSent};
use limited::{Limited, came};
use wiped::Wiped;

use super::addresses::Addresses;
use super::authenticator::LoginRequests;
use super::client_options::ClientOptions;
use super::connections::{Connections, Turn};
use super::login_error::LoginError;
use super::network::Network;
use super::session::{Opened, Session, prepared, sensitive};
use super::turns::Turns;
use crate::engine::clock::Clock;
use crate::engine::cost::Meters;
use crate::engine::metrics;
use crate::login::Presented;
use crate::reach::{Reach, Reached};
use crate::{Error, ErrorKind};

/// The largest number of headers of an answer. CDMS behind AD FS sends about twenty.
pub(super) const HEADERS_MAX: usize = 100;

/// The largest size of the headers of an answer together, in bytes. No browser takes many more cookies from one host.
pub(super) const HEADER_BYTES_MAX: usize = 64 * 1024;

/// The HTTP side of the client, with its counters.
#[derive(Debug)]
pub(crate) struct Transport {
    /// The address of CDMS's data service.
    service: Url,
    addresses: Addresses,
    /// The organisation's address, where logins begin.
    organisation: Url,
    /// A request that changes nothing and has a small answer.
    #[cfg(feature = "ntlm")]
    harmless: HttpRequest,
    /// The connections of all sessions that have none of their own. Every request waits for a turn here.
    shared: Connections,
    /// How many requests may have a turn at once.
    limited: Limited,
    network: Network,
    time_limit: Duration,
    body_max: usize,
    meters: Meters,
    reach: Reach,
}

/// What is expected of a response, which decides how long it may take and how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expecting {
    /// A record that was asked for alone, or an error: within the hub's limits. All of a set take about as long.
    Record,
    /// Records, an error, or a page: within the hub's limits.
    Answer,
    /// A whole document, such as `$metadata`.
    Document,
}

/// The largest document, in bytes after decompression: several times that of an organisation with a thousand entities.
const DOCUMENT_MAX: usize = 128 << 20;

/// How long a whole document may take.
const DOCUMENT_TIME: Duration = Duration::from_secs(180);

/// Whether a request may still be sent, asked at the last moment.
pub(crate) type MaySend<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// For requests that may be sent whenever their turn comes.
pub(crate) const ALWAYS: MaySend<'static> = &|| true;

/// The connections of a request.
#[derive(Clone, Copy)]
pub(crate) enum Over<'c> {
    /// Those that all requests share.
    Shared,
    /// One of these, when its turn comes.
    Own(&'c Connections),
    /// That of a turn which has come.
    Held(&'c Turn),
}

/// A response with what a session may want to know of its connection.
pub(crate) struct Received {
    pub(crate) response: HttpResponse,
    /// Whether it came over the same connection as the answer before, where the connection is a session's own.
    pub(crate) continues: bool,
    /// Whether another answer may follow over the same connection.
    pub(crate) stays_open: bool,
    /// The certificate of the server (DER), where the connection is a session's own.
    pub(crate) certificate: Option<Vec<u8>>,
    /// The turn on a connection of the session's own, which no other request has before the session has judged the response.
    pub(crate) turn: Option<Turn>,
}

/// Why there is no response to a request of a session.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The session could not open the connection, so the request was not sent.
    NotOpened(LoginError),
    /// No complete response came.
    NoResponse(NoResponse),
}

impl<E: Into<NoResponse>> From<E> for Unanswered {
    fn from(error: E) -> Self {
        Unanswered::NoResponse(error.into())
    }
}

/// A request with everything that is sent.
struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    expecting: Expecting,
    /// The set that it asks the data service about; `None` if it is a request of a login.
    about: Option<&'static str>,
}

impl Transport {
    pub(crate) fn new(
        dialect: &dyn Dialect,
        options: &ClientOptions,
        clock: Arc<dyn Clock>,
        meters: Meters,
    ) -> Result<Self, Error> {
        let &ClientOptions { time_limit, body_max, concurrent_requests: concurrent_max, .. } = options;
        let (service, organisation) = (dialect.root().clone(), dialect.organisation());
        let limited = Limited::to(concurrent_max);
        let at_once = limited.at_once();
        let shared = Connections::shared(&service, &options.network, time_limit, at_once, concurrent_max);
        let shared = shared.map_err(|error| {
            Error::new(ErrorKind::Misconfigured, format!("no HTTP client can be made: {}", error::in_words(&error)))
        })?;
        let reach = Reach::of("CDMS", clock);
        Ok(Transport {
            addresses: Addresses::of(service.clone()),
            service,
            organisation,
            #[cfg(feature = "ntlm")]
            harmless: dialect.contact(cdms_odata::dialect::Contact::Organisation),
            shared,
            limited,
            network: options.network.clone(),
            time_limit,
            body_max,
            meters,
            reach,
        })
    }

    /// Connections for one session alone.
    pub(crate) fn connections(&self, at_once: usize) -> Result<Connections, NoResponse> {
        Connections::own(&self.service, &self.network, self.time_limit, at_once)
            .map_err(|error| NotSent::Request(error).into())
    }

    /// Whether the host of an address may be reached by plain http, because it was named.
    pub(crate) fn allows_plain_http(&self, url: &Url) -> bool {
        self.network.allows_plain_http(url)
    }

    /// The address of CDMS's data service.
    pub(crate) fn service(&self) -> &Url {
        &self.service
    }

    /// The organisation's address, where logins begin.
    pub(crate) fn organisation(&self) -> &Url {
        &self.organisation
    }

    /// A request that changes nothing and has a small answer.
    #[cfg(feature = "ntlm")]
    pub(crate) fn harmless(&self) -> &HttpRequest {
        &self.harmless
    }

    /// How many requests may be under way at once just now.
    pub(crate) fn requests_at_once(&self) -> usize {
        self.limited.at_once()
    }

    /// The turns of requests that no person waits for.
    pub(super) fn background_turns(&self) -> Arc<Turns> {
        self.limited.background()
    }

    /// Whether CDMS, or a server of its login, could be reached when it was last needed.
    pub(crate) fn reached(&self) -> Reached {
        self.reach.last()
    }

    /// The host of CDMS, for logs.
    pub(crate) fn host(&self) -> &str {
        self.service.host_str().unwrap_or_default()
    }

    /// A request to the data service in a session, if `may_send` holds once its turn has come and its connection is open.
    /// Dropping the future closes the connection.
    pub(crate) async fn data_request(
        &self,
        request: HttpRequest,
        session: &dyn Session,
        presented: Option<&Presented>,
        may_send: MaySend<'_>,
        expecting: Expecting,
    ) -> Result<Received, Unanswered> {
        let turn = match session.connections() {
            None => None,
            Some(own) => Some(self.turn(own).await?),
        };
        let url = self.addresses.parse(&request.url);
        let url = url.map_err(|source| NotSent::Address { url: request.url, source })?;
        let body = request.body.map(Bytes::from);
        let mut is_second = false;
        loop {
            let mut headers = prepared(session);
            if let Some(turn) = turn.as_ref().filter(|turn| !turn.is_open()) {
                match session.open(LoginRequests::new(self, presented).on(turn)).await.map_err(Unanswered::NotOpened)? {
                    Opened::Lasting => turn.opened(),
                    Opened::ForNext(next) => headers.extend(sensitive(next)),
                }
            }
            for (name, value) in &request.headers {
                headers.insert(name, value.clone());
            }
            let outgoing = Outgoing {
                method: request.method.clone(),
                url: url.clone(),
                headers,
                body: body.clone(),
                expecting,
                about: Some(request.about),
            };
            let received = self.exchange(outgoing, turn.as_ref().map_or(Over::Shared, Over::Held), may_send).await?;
            let is_over = received.response.status == StatusCode::UNAUTHORIZED;
            if let Some(turn) = turn.as_ref().filter(|_| is_over) {
                turn.closed();
            }
            if !is_over || turn.is_none() || received.continues || is_second {
                return Ok(Received { turn, ..received });
            }
            // Another connection than the one that was opened answered, which says nothing of the session.
            is_second = true;
        }
    }

    /// A request of a login.
    pub(crate) async fn login_request(
        &self,
        url: Url,
        mut headers: HeaderMap,
        form: Option<Zeroizing<String>>,
        over: Over<'_>,
    ) -> Result<Received, NoResponse> {
        let method = if form.is_some() { Method::POST } else { Method::GET };
        if form.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let body = form.map(|form| Bytes::from_owner(Wiped(form)));
        let request = Outgoing { method, url, headers, body, expecting: Expecting::Answer, about: None };
        self.exchange(request, over, ALWAYS).await
    }

    /// A request to the data service's address without a session, which shows whether anything answers there.
    pub(crate) async fn plain_request(&self) -> Result<HttpResponse, NoResponse> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let received = self.login_request(self.service.clone(), headers, None, Over::Shared).await?;
        Ok(received.response)
    }

    /// A turn on connections of a session.
    pub(crate) async fn turn(&self, own: &Connections) -> Result<Turn, NoResponse> {
        own.turn(self.time_limit).await.ok_or_else(|| NotSent::NoConnection { at_once: own.at_once() }.into())
    }

    async fn exchange(&self, request: Outgoing, over: Over<'_>, may_send: MaySend<'_>) -> Result<Received, NoResponse> {
        let own_turn = match over {
            Over::Own(own) => Some(self.turn(own).await?),
            Over::Shared | Over::Held(_) => None,
        };
        let Some(shared_turn) = self.shared.turn(self.time_limit).await else {
            return Err(NotSent::NoTurn { others: self.shared.at_once() }.into());
        };
        let turn = match over {
            Over::Held(turn) => turn,
            Over::Shared | Over::Own(_) => own_turn.as_ref().unwrap_or(&shared_turn),
        };
        if !may_send() {
            return Err(NotSent::Lease.into());
        }
        let meters = self.meters.within_operation();
        meters.request(request.body.as_ref().map_or(0, Bytes::len));
        let (about, expecting, sent) = (request.about, request.expecting, self.limited.round());
        let begun = Instant::now();
        let received = self.send(request, turn, &meters).await;
        let took = begun.elapsed();
        match &received {
            Ok(received) => metrics::answered(received.response.status, took),
            Err(_) => metrics::lost(),
        }
        // What a server of a login bears says nothing about CDMS.
        if let Some(set) = about {
            let record = (expecting == Expecting::Record).then_some((set, took));
            self.limited.note(came(&received, record), sent, &self.shared);
        }
        received
    }

    /// Sends a request whose turn has come, and receives its response.
    async fn send(
        &self,
        Outgoing { method, url, headers, body, expecting, about: _ }: Outgoing,
        turn: &Turn,
        meters: &Meters,
    ) -> Result<Received, NoResponse> {
        let http = turn.http().map_err(NotSent::Request)?;
        let mut request = http.request(method.clone(), url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        } else if method == Method::POST {
            request = request.body(Vec::new());
        }
        let body_max = match expecting {
            Expecting::Record | Expecting::Answer => self.body_max,
            Expecting::Document => {
                request = request.timeout(DOCUMENT_TIME.max(self.time_limit));
                DOCUMENT_MAX.max(self.body_max)
            }
        };
        let request = request.build().map_err(|error| NoResponse::of_sending(error, &self.network))?;
        let (mut response, before) = turn.send(http, request, self.time_limit).await.map_err(|error| {
            let no_response = NoResponse::of_sending(error, &self.network);
            if no_response.is_outage() {
                self.reach.failed(&no_response.to_string());
            }
            no_response
        })?;
        let connection = response.extensions().get::<HttpInfo>().map(HttpInfo::local_addr);
        let certificate = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        let certificate = certificate.map(<[u8]>::to_vec);
        let stays_open = stays_open(response.version(), response.headers());
        let (url, status, headers) =
            (response.url().clone(), response.status(), std::mem::take(response.headers_mut()));
        if headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > HEADER_BYTES_MAX {
            return Err(Lost::Headers.into());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(NoResponse::of_reading)? {
            if body.len() + chunk.len() > body_max {
                return Err(Lost::TooLarge { max: body_max }.into());
            }
            meters.received(chunk.len());
            body.extend_from_slice(&chunk);
        }
        self.reach.answered();
        turn.answered(connection.filter(|_| stays_open));
        let continues = connection.is_some() && connection == before;
        let response = HttpResponse { url, status, headers, body };
        Ok(Received { response, continues, stays_open, certificate, turn: None })
    }
}

/// Whether another answer may follow over the same connection.
fn stays_open(version: Version, headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    let mut words = values.flat_map(|value| value.split(',')).map(str::trim);
    if version >= Version::HTTP_11 {
        !words.any(|word| word.eq_ignore_ascii_case("close"))
    } else {
        words.any(|word| word.eq_ignore_ascii_case("keep-alive"))
    }
}
