//! The state that the server's tasks share with its handle: the world, faults, sessions, and the log of requests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::fault::Faults;
use crate::log::Log;
use crate::login::Login;
use crate::refusal::Refusal;
use crate::world::World;

/// What the server must do, or is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listening {
    Open,
    Away,
    Stopped,
}

/// The state that the server's tasks share with the handle.
pub(crate) struct State {
    pub(crate) world: Mutex<World>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) requests: Mutex<Log<RequestEntry>>,
    pub(crate) late: Mutex<Vec<LateCommit>>,
    pub(crate) login: Login,
    pub(crate) control: bool,
    pub(crate) begun: std::time::Instant,
    /// The number of all requests, including those that were dropped or taken.
    pub(crate) met: std::sync::atomic::AtomicU64,
}

/// A write that is carried out on demand.
pub(crate) type LateCommit = Box<dyn FnOnce(&mut World) -> Result<(), Refusal> + Send>;

/// How the server answers a request without a valid session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// 401.
    Unauthorized,
    /// 302 to the login page.
    Redirect,
    /// 302 to the login page under the server's own address, `/adfs/ls/`.
    RedirectHere,
    /// 200 with the login page.
    LoginForm,
}

/// One request as the server received it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RequestEntry {
    /// The effective method: the tunnelled one, if there is one.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The `X-Datahub-Operation` header.
    pub operation: Option<String>,
    /// The request's body.
    pub body: String,
    /// The answer's status; `None` if either side closed the connection instead.
    pub status: Option<u16>,
    /// The length of the answer's body in bytes.
    pub answered_bytes: usize,
    /// The faults that affected it.
    pub faults: Vec<String>,
    /// When it arrived, in microseconds since the server started, by a monotonic clock.
    pub arrived_us: u64,
    /// When it ended, by the same clock; this is before the client can know.
    pub ended_us: u64,
    /// When it ended, by the simulated clock that also dates commits, in ms since 1970 UTC.
    pub ended_ms: i64,
}

impl State {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn commit_late(&self) -> usize {
        let late = std::mem::take(&mut *lock(&self.late));
        let mut world = self.world();
        late.into_iter().map(|commit| commit(&mut world)).filter(Result::is_ok).count()
    }

    pub(crate) fn now_us(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(crate) fn remember(&self, mut entry: RequestEntry) {
        entry.ended_ms = self.world().clock.now_ms();
        let mut requests = lock(&self.requests);
        // Under the lock, so that entries are ordered by their ends.
        entry.ended_us = self.now_us();
        requests.push(entry);
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
