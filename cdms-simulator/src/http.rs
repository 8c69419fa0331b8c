//! The server: accepts connections and answers one request after another, with its faults.

mod address;
mod answer;
mod route;
mod soap;
mod token_services;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming as Received;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::control;
use crate::fault::{Fault, Operation, Stage};
use crate::login::{self, Incoming};
use crate::refusal::{PLUGIN, Refusal};
use crate::state::{Listening, RequestEntry, State, lock};
pub(crate) use answer::Answer;
use route::Call;

/// The largest request body, which is the real server's default (docs/protocol.md, 10).
const BODY_MAX: usize = 8 * 1024 * 1024;

pub(crate) type Body = BoxBody<Bytes, Broken>;

/// The connection ends before or during the response.
#[derive(Debug)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a fault breaks the connection")
    }
}

impl std::error::Error for Broken {}

/// Serves until stopped.
pub(crate) async fn serve(
    state: Arc<State>,
    listener: std::net::TcpListener,
    address: SocketAddr,
    mut asked: watch::Receiver<Listening>,
    report: watch::Sender<Listening>,
) {
    let mut number = 0;
    // The end of this function drops the set, which ends them.
    let mut token_services = token_services::serve(&state);
    let mut listener = Some(TcpListener::from_std(listener).unwrap_or_else(|error| panic!("cannot listen: {error}")));
    // Bound without listening, so that connections are refused and no other process takes the port.
    let mut reserved = None;
    loop {
        let wanted = *asked.borrow_and_update();
        let placed = match wanted {
            Listening::Stopped => return,
            Listening::Away if reserved.is_none() => {
                listener = None;
                reserve(address).map(|socket| reserved = Some(socket))
            }
            Listening::Open if listener.is_none() => match reserved.take() {
                Some(socket) => socket.listen(BACKLOG).map(|bound| listener = Some(bound)),
                None => Ok(()),
            },
            Listening::Away | Listening::Open => Ok(()),
        };
        if let Err(error) = placed {
            panic!("the simulator cannot keep its address {address}: {error}");
        }
        report.send_replace(wanted);
        let mut connections = JoinSet::new();
        loop {
            let accepted = async {
                match &listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = asked.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    break;
                }
                accepted = accepted => {
                    if let Ok((stream, _)) = accepted {
                        number += 1;
                        connections.spawn(connection(Arc::clone(&state), stream, number));
                    }
                }
                Some(ended) = connections.join_next() => pass_on_panic(ended),
                Some(ended) = token_services.join_next() => pass_on_panic(ended),
            }
        }
        // A server that is stopped right after a panic must still report it.
        while let Some(ended) = connections.try_join_next() {
            pass_on_panic(ended);
        }
        // The end of the iteration drops the set, which closes every connection.
    }
}

/// A connection's panic becomes the server's.
fn pass_on_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// The number of connections that can wait to be accepted.
const BACKLOG: u32 = 1024;

fn reserve(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn connection(state: Arc<State>, stream: tokio::net::TcpStream, number: u64) {
    _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { respond(&state, number, request).await }
    });
    // An error here is a client that disconnected or a connection that a fault broke.
    _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(state: &Arc<State>, connection: u64, request: Request<Received>) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let body = Limited::new(body, BODY_MAX).collect().await.map(Collected::to_bytes);
    let Ok(body) = body else {
        let entry = RequestEntry { method: parts.method.to_string(), target, ..RequestEntry::default() };
        let mut remembered = Remembered { state, entry };
        return Ok(remembered.answered(Answer::text(413, "The request is too large.")).into_response());
    };
    if target.starts_with("/_control/") && state.control {
        return Ok(control::answer(state, parts.method.as_str(), &target, &body).into_response());
    }
    let call = Call::read(state, &parts, &target, body.clone());
    state.met.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let (operation, entity) = call.as_ref().map_or((Operation::Other, None), Call::matched);
    let met = lock(&state.faults).meet(operation, entity.as_deref());
    let entry = RequestEntry {
        method: call.as_ref().map_or_else(|_| parts.method.to_string(), |call| call.method.clone()),
        target,
        operation: header(&parts, "x-datahub-operation"),
        body: String::from_utf8_lossy(&body).into_owned(),
        status: None,
        answered_bytes: 0,
        faults: met.names().into_iter().map(str::to_owned).collect(),
        arrived_us: state.now_us(),
        ..RequestEntry::default()
    };
    let mut remembered = Remembered { state, entry };
    assert!(!met.has("panic"), "a fault makes the simulator panic");
    met.delay().await;
    for gate in met.gates(Stage::BeforeCommit) {
        gate.pass().await;
    }
    if met.has("drop_before_commit") {
        return Err(Broken);
    }
    if met.has("commit_late") {
        if let Ok(call) = call {
            lock(&state.late)
                .push(Box::new(move |world| call.carry_out(world, &crate::fault::Met::default()).map(drop)));
        }
        return Err(Broken);
    }
    let missing = || no_privilege(state, operation, entity.as_deref());
    let answer = match met.0.iter().find_map(|fault| instead(fault, &missing)) {
        Some(answer) => answer,
        None => {
            let now_ms = state.world().clock.now_ms();
            // The SOAP service wants a session as the data service does.
            let outside = call.as_ref().ok().and_then(Call::outside).filter(|path| !soap::is_service(path));
            let incoming = Incoming { parts: &parts, outside, body: &body, connection, now_ms };
            state.login.answer(&incoming).unwrap_or_else(|| {
                let answer = call.and_then(|call| call.carry_out(&mut state.world(), &met));
                state.login.tell(connection, answer.unwrap_or_else(|refusal| Answer::refusal(&refusal)))
            })
        }
    };
    let answer = met.0.iter().find_map(failed).unwrap_or(answer);
    for gate in met.gates(Stage::AfterCommit) {
        gate.pass().await;
    }
    // A response without a body has no middle where it could break off.
    if met.has("drop_after_commit") || (met.has("truncate") && answer.body.is_empty()) {
        return Err(Broken);
    }
    let answer = remembered.answered(answer);
    Ok(if met.has("truncate") { answer.into_broken_response() } else { answer.into_response() })
}

/// Logs a request when it ends, however it ends.
struct Remembered<'s> {
    state: &'s State,
    entry: RequestEntry,
}

impl Remembered<'_> {
    /// The answer, dated by the simulator's own clock.
    fn answered(&mut self, answer: Answer) -> Answer {
        self.entry.status = Some(answer.status);
        self.entry.answered_bytes = answer.body.len();
        match chrono::DateTime::from_timestamp_millis(self.state.world().clock.now_ms()) {
            Some(now) => answer.with_header("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            None => answer,
        }
    }
}

impl Drop for Remembered<'_> {
    fn drop(&mut self) {
        self.state.remember(std::mem::take(&mut self.entry));
    }
}

fn no_privilege(state: &State, operation: Operation, entity: Option<&str>) -> Answer {
    let right = match operation {
        Operation::Read | Operation::List | Operation::Other => "Read",
        Operation::Create => "Create",
        Operation::Update => "Write",
        Operation::Delete => "Delete",
    };
    let user = state.world().service_user;
    Answer::refusal(&Refusal::no_privilege(user, right, entity.unwrap_or("Organization")))
}

/// The answer that a fault gives instead of carrying the request out.
fn instead(fault: &Fault, no_privilege: &dyn Fn() -> Answer) -> Option<Answer> {
    Some(match fault {
        Fault::Unauthorized => Answer::empty(401),
        Fault::RedirectToLogin => login::redirect(),
        Fault::RedirectTo(address) => Answer::empty(302).with_header("location", address.clone()),
        Fault::LoginForm => login::form(200),
        Fault::Html(status) => Answer::html(*status, "<html><body><h1>Server Error</h1></body></html>"),
        Fault::Refuse { status, code, message } => Answer::refusal(&Refusal::new(*status, *code, message.clone())),
        Fault::Deadlock => Answer::refusal(&Refusal::deadlock()),
        Fault::PlugIn(text) => Answer::refusal(&Refusal::new(500, PLUGIN, text.clone())),
        Fault::NoPrivilege => no_privilege(),
        Fault::NotJson => Answer::text(200, "this is not JSON"),
        _ => return None,
    })
}

/// The answer that a fault gives after the request was carried out.
fn failed(fault: &Fault) -> Option<Answer> {
    let Fault::FailAfterCommit { code, message } = fault else { return None };
    Some(Answer::refusal(&Refusal::new(500, *code, message.clone())))
}

fn header(parts: &hyper::http::request::Parts, name: &str) -> Option<String> {
    parts.headers.get(name)?.to_str().ok().map(str::to_owned)
}

impl From<Infallible> for Broken {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
