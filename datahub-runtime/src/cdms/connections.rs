//! Connections to CDMS: those that all requests share, and those that belong to one session.

use std::fmt;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};
use url::Url;

use super::network::Network;
use super::turns::{Permit, Turns};

/// How long a connection of a session may be idle before it is closed. Servers close theirs after two minutes, and a request
/// that crosses this on the wire is lost.
const IDLE_MAX: Duration = Duration::from_secs(55);

/// How long after an answer a request waits for its connection. The HTTP client takes a connection back a moment after the end of
/// an answer, which may be long on a busy machine; one that is not back by then has been closed.
const RETURN_MAX: Duration = Duration::from_secs(2);

/// How long a request waits at least.
const RETURN_MIN: Duration = Duration::from_millis(50);

/// Connections with a limit of the requests that use them at once.
#[derive(Clone)]
pub struct Connections {
    lines: Arc<Lines>,
    /// One for each request that may be under way.
    turns: Arc<Turns>,
}

/// The clients of the connections.
enum Lines {
    /// All requests share one client, which has as many connections as it needs.
    Shared(reqwest::Client),
    /// Each has one connection at a time, because a client with several takes any of them for a request.
    Own {
        lines: Vec<Line>,
        free: Mutex<Vec<usize>>,
        make: Box<dyn Fn(Gate) -> reqwest::Result<reqwest::Client> + Send + Sync>,
    },
}

/// A client of one connection, made when it is used first, and what is known of its connection.
#[derive(Default)]
struct Line {
    http: OnceLock<reqwest::Client>,
    gate: Gate,
    state: Mutex<LineState>,
}

/// Until when the client of a line makes no other connection, because the one it has is about to come back.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Option<Instant>>>);

/// A request that waited for its connection goes on elsewhere. Nothing was sent for it over another one.
#[derive(Debug, thiserror::Error)]
#[error("the connection is not back yet")]
struct NotBack;

/// What makes the connections of a line, once its gate is open.
#[derive(Clone)]
struct Gated<S> {
    gate: Gate,
    inner: S,
}

impl Gate {
    fn close(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Waits until a connection may be made. It is not made if the request got the old one meanwhile: then the HTTP client goes
    /// on connecting in a task of its own.
    async fn opened(self) -> Result<(), NotBack> {
        let Some(until) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else { return Ok(()) };
        let task = tokio::task::try_id();
        let mut open = pin!(tokio::time::sleep_until(until));
        poll_fn(|context| match open.as_mut().poll(context) {
            Poll::Pending if tokio::task::try_id() != task => Poll::Ready(Err(NotBack)),
            opened => opened.map(Ok),
        })
        .await
    }
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { gate: self.clone(), inner }
    }
}

impl<S, Target> Service<Target> for Gated<S>
where
    S: Service<Target, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    Target: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let gate = self.gate.clone();
        // The one that is ready, and not its clone.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            gate.opened().await?;
            inner.call(target).await
        })
    }
}

/// What is known of the one connection of a line. A connection is known by the address of its own end.
#[derive(Default)]
struct LineState {
    /// The connection of the last answer, unless no other answer follows on it.
    last: Option<SocketAddr>,
    /// The connection that the session has opened.
    opened: Option<SocketAddr>,
    used: Option<Instant>,
}

impl LineState {
    /// Whether a connection may still be open.
    fn is_fresh(&self) -> bool {
        self.used.is_some_and(|used| used.elapsed() < IDLE_MAX)
    }
}

/// A request may be under way while this is held, and no other uses its line.
pub(crate) struct Turn {
    lines: Arc<Lines>,
    /// Which line, where there are several.
    line: usize,
    /// The last field, so that the line is free before the next turn begins.
    _permit: Permit,
}

impl Connections {
    /// Connections for so many requests at once to the data service at this address, which all requests share. As many are
    /// kept open as there may ever be requests at once.
    ///
    /// # Errors
    ///
    /// The HTTP client cannot be set up.
    pub(super) fn shared(
        service: &Url,
        network: &Network,
        time_limit: Duration,
        at_once: usize,
        at_once_max: usize,
    ) -> reqwest::Result<Self> {
        let http = network.client(service, time_limit).pool_max_idle_per_host(at_once_max).build()?;
        Ok(Connections::over(Lines::Shared(http), at_once))
    }

    /// So many connections to the data service at this address for one session, each for one request at a time.
    ///
    /// # Errors
    ///
    /// The HTTP client cannot be set up.
    pub(super) fn own(service: &Url, network: &Network, time_limit: Duration, at_once: usize) -> reqwest::Result<Self> {
        let (service, network) = (service.clone(), network.clone());
        let make = move |gate| {
            let one = network.client(&service, time_limit).pool_max_idle_per_host(1).pool_idle_timeout(IDLE_MAX);
            one.http1_only().tls_info(true).connector_layer(gate).build()
        };
        let lines: Vec<_> = (0..at_once).map(|_| Line::default()).collect();
        _ = lines.first().map(|line| make(line.gate.clone()).map(|http| line.http.set(http))).transpose()?;
        let free = Mutex::new((0..at_once).rev().collect());
        Ok(Connections::over(Lines::Own { lines, free, make: Box::new(make) }, at_once))
    }

    fn over(lines: Lines, at_once: usize) -> Self {
        Connections { lines: Arc::new(lines), turns: Turns::new(at_once) }
    }

    /// How many requests may use them at once.
    pub(crate) fn at_once(&self) -> usize {
        self.turns.size()
    }

    /// How many requests use them.
    pub(super) fn in_use(&self) -> usize {
        self.turns.taken()
    }

    /// Changes how many requests may use them at once. Only for those that all requests share.
    pub(super) fn resize(&self, at_once: usize) {
        self.turns.resize(at_once);
    }

    /// Waits for a turn; `None` if none came within the time limit.
    pub(crate) async fn turn(&self, time_limit: Duration) -> Option<Turn> {
        let permit = tokio::time::timeout(time_limit, self.turns.take()).await.ok()??;
        let line = match &*self.lines {
            Lines::Shared(_) => 0,
            // There is a line for each permit. The last used one comes first: its connection is most likely still open.
            Lines::Own { free, .. } => free.lock().unwrap_or_else(PoisonError::into_inner).pop()?,
        };
        Some(Turn { lines: Arc::clone(&self.lines), line, _permit: permit })
    }
}

impl Turn {
    /// The client of the turn.
    ///
    /// # Errors
    ///
    /// It cannot be set up.
    pub(super) fn http(&self) -> reqwest::Result<&reqwest::Client> {
        match &*self.lines {
            Lines::Shared(http) => Ok(http),
            Lines::Own { lines, make, .. } => {
                let Line { http, gate, .. } = &lines[self.line];
                match http.get() {
                    Some(http) => Ok(http),
                    None => make(gate.clone()).map(|made| http.get_or_init(|| made)),
                }
            }
        }
    }

    /// Whether the session has opened the connection that the next request goes over, as far as can be known.
    pub(super) fn is_open(&self) -> bool {
        self.state(|state| state.is_fresh() && state.opened.is_some() && state.opened == state.last)
    }

    /// Notes that the session has opened the connection of the last answer.
    pub(crate) fn opened(&self) {
        self.state(|state| state.opened = state.last);
    }

    /// Notes that the connection must be opened again.
    pub(super) fn closed(&self) {
        self.state(|state| state.opened = None);
    }

    /// Sends a request by the client of the turn, and returns its answer with the connection of the answer before. Where
    /// another answer may follow on that one, the request goes over it unless it was closed meanwhile. Waiting for it counts
    /// towards the time limit, which holds unless the request has one of its own.
    ///
    /// # Errors
    ///
    /// No answer has begun.
    pub(super) async fn send(
        &self,
        http: &reqwest::Client,
        mut request: reqwest::Request,
        time_limit: Duration,
    ) -> reqwest::Result<(reqwest::Response, Option<SocketAddr>)> {
        let before = self.begin();
        let Lines::Own { lines, .. } = &*self.lines else { return Ok((http.execute(request).await?, before)) };
        let gate = &lines[self.line].gate;
        let begun = Instant::now();
        let time_limit = request.timeout().copied().unwrap_or(time_limit);
        let until = begun + RETURN_MIN;
        let until = self.state(|state| state.used).map_or(until, |answered| until.max(answered + RETURN_MAX));
        // The rest of the time is for the answer.
        gate.close(before.map(|_| until.min(begun + time_limit / 2)));
        // A body in memory can be sent again.
        while let Some(attempt) = request.try_clone() {
            match http.execute(attempt).await {
                Err(error) if is_not_back(&error) => {}
                answered => return Ok((answered?, before)),
            }
            *request.timeout_mut() = Some((begun + time_limit).saturating_duration_since(Instant::now()));
        }
        Ok((http.execute(request).await?, before))
    }

    /// Begins a request, and returns the connection of the answer before if another answer may follow on it. Until the request is
    /// answered, also where its sender goes away, that connection counts as gone.
    fn begin(&self) -> Option<SocketAddr> {
        self.state(|state| state.last.take().filter(|_| state.is_fresh()))
    }

    /// Notes the connection of an answer, if another answer may follow on it.
    pub(super) fn answered(&self, connection: Option<SocketAddr>) {
        self.state(|state| (state.last, state.used) = (connection, Some(Instant::now())));
    }

    /// What is known of the turn's connection; of shared ones nothing is.
    fn state<T: Default>(&self, then: impl FnOnce(&mut LineState) -> T) -> T {
        match &*self.lines {
            Lines::Shared(_) => T::default(),
            Lines::Own { lines, .. } => {
                then(&mut lines[self.line].state.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Lines::Own { free, .. } = &*self.lines {
            free.lock().unwrap_or_else(PoisonError::into_inner).push(self.line);
        }
    }
}

/// Whether a request was not sent, because its connection is not back yet.
fn is_not_back(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.is::<NotBack>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({} at once)", self.at_once())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Connections {
        let service = Url::parse("https://crm.example.gov.uk/ORG").expect("it is an address");
        Connections::own(&service, &Network::default(), Duration::from_secs(1), 1).expect("an HTTP client can be made")
    }

    fn end(port: u16) -> Option<SocketAddr> {
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// A turn whose connection is open.
    async fn open(connections: &Connections) -> Turn {
        let turn = connections.turn(Duration::from_secs(1)).await.expect("they are not in use");
        assert!(!turn.is_open(), "it is not known yet");
        turn.begin();
        turn.answered(end(1));
        assert!(!turn.is_open(), "no session has opened it");
        turn.opened();
        assert!(turn.is_open());
        turn
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_open_until_it_was_idle_for_long() {
        let connections = own();
        drop(open(&connections).await);
        tokio::time::advance(IDLE_MAX - Duration::from_millis(1)).await;
        let turn = connections.turn(Duration::from_secs(1)).await.expect("the other has ended");
        assert!(turn.is_open(), "the next turn has the same line");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!turn.is_open());
    }

    #[tokio::test]
    async fn a_connection_is_open_until_it_is_another_one_or_gone() {
        let connections = own();
        let turn = open(&connections).await;
        assert_eq!(turn.begin(), end(1));
        assert!(!turn.is_open(), "the sender may be gone");
        turn.answered(end(1));
        assert!(turn.is_open());
        turn.begin();
        turn.answered(end(2));
        assert!(!turn.is_open(), "it is another one");
        turn.opened();
        assert!(turn.is_open());
        turn.begin();
        turn.answered(None);
        assert!(!turn.is_open(), "no other answer follows on it");
        turn.opened();
        assert!(!turn.is_open(), "what is gone cannot be opened");
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_is_opened_again() {
        let connections = own();
        let turn = open(&connections).await;
        turn.closed();
        assert!(!turn.is_open());
        assert!(connections.turn(Duration::ZERO).await.is_none(), "it is in use");
    }
}
