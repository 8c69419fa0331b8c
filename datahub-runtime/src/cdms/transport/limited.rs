//! The limit of requests at once, and the turns that follow it: those of all requests, and those of the background.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;

use super::{Connections, Lost, NoResponse, NotSent, Received};
use crate::cdms::background;
use crate::cdms::request_limit::{Came, RequestLimit, Round};
use crate::cdms::turns::Turns;
use crate::engine::metrics;

/// The limit, with the turns of requests that no person waits for.
#[derive(Debug)]
pub(super) struct Limited {
    limit: Mutex<RequestLimit>,
    background: Arc<Turns>,
}

impl Limited {
    /// A limit that is at most `max`, whatever CDMS bears.
    pub(super) fn to(max: usize) -> Self {
        let limit = RequestLimit::new(max);
        metrics::requests_at_once(limit.now());
        let background = Turns::new(background::share(limit.now()));
        Limited { limit: Mutex::new(limit), background }
    }

    /// How many requests may be under way at once just now.
    pub(super) fn at_once(&self) -> usize {
        self.limit().now()
    }

    /// The turns of requests that no person waits for, beside which each waits for the turn that every request needs.
    pub(super) fn background(&self) -> Arc<Turns> {
        Arc::clone(&self.background)
    }

    /// The round in which a request is sent now.
    pub(super) fn round(&self) -> Round {
        self.limit().round()
    }

    /// Notes what came of a request to the data service that was sent in this round. Its turn on the shared connections
    /// lasts until this returns.
    pub(super) fn note(&self, came: Came, sent: Round, shared: &Connections) {
        let mut limit = self.limit();
        let before = limit.now();
        limit.note(came, sent, shared.in_use());
        let now = limit.now();
        if now == before {
            return;
        }
        shared.resize(now);
        self.background.resize(background::share(now));
        metrics::requests_at_once(now);
        if came == Came::Overload {
            tracing::info!(
                requests_at_once = now,
                "CDMS has too much to do, so the hub sends it fewer requests at once"
            );
        }
    }

    fn limit(&self) -> MutexGuard<'_, RequestLimit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of a request, as far as it shows how much CDMS bears; `record` is the set and the time of a read of one record.
pub(super) fn came(received: &Result<Received, NoResponse>, record: Option<(&'static str, Duration)>) -> Came {
    match received {
        Ok(received) => match received.response.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Came::Overload,
            status if status.is_server_error() => Came::Other,
            _ => Came::Answer { record },
        },
        Err(NoResponse::NotSent(NotSent::Connect(_)) | NoResponse::Lost(Lost::TimedOut(_))) => Came::Overload,
        Err(_) => Came::Other,
    }
}
