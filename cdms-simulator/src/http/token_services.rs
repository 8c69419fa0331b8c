//! The servers of AD FS's token services, which have addresses of their own.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming as Received;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{BODY_MAX, Body, Broken, pass_on_panic};
use crate::login::Incoming;
use crate::state::{RequestEntry, State, lock};

/// Serves the token services of AD FS, if that is the way to log in.
pub(super) fn serve(state: &Arc<State>) -> JoinSet<()> {
    let listeners = state.login.adfs().map(|adfs| lock(adfs).take_listeners()).unwrap_or_default();
    let mut services = JoinSet::new();
    for (service, listener) in listeners.into_iter().enumerate() {
        let listener =
            TcpListener::from_std(listener).unwrap_or_else(|error| panic!("a token service cannot listen: {error}"));
        services.spawn(token_service(Arc::clone(state), service, listener));
    }
    services
}

/// Serves one token service of AD FS.
async fn token_service(state: Arc<State>, service: usize, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
            Some(ended) = connections.join_next() => {
                pass_on_panic(ended);
                continue;
            }
        };
        _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        let answer = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { answer_of(&state, service, request).await }
        });
        connections.spawn(async move {
            // An error here is a client that disconnected.
            _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

/// The answer of a token service, which is logged with its whole address.
async fn answer_of(state: &State, service: usize, request: Request<Received>) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX).collect().await.map_err(|_| Broken)?.to_bytes();
    let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let arrived_us = state.now_us();
    let now_ms = state.world().clock.now_ms();
    let Some(adfs) = state.login.adfs() else { return Err(Broken) };
    let (answer, target) = {
        let mut adfs = lock(adfs);
        let incoming = Incoming { parts: &parts, outside: Some(&path), body: &body, now_ms, connection: 0 };
        (adfs.serve(service, &incoming), format!("{}{path}", adfs.addresses()[service]))
    };
    state.remember(RequestEntry {
        method: parts.method.to_string(),
        target,
        body: String::from_utf8_lossy(&body).into_owned(),
        status: Some(answer.status),
        answered_bytes: answer.body.len(),
        arrived_us,
        ..RequestEntry::default()
    });
    Ok(answer.into_response())
}
