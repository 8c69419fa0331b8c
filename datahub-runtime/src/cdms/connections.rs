//! Connections to CDMS: those that all requests share, and those that belong to one session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datahub_protocol::planted::{Planted, planted};
use reqwest::redirect::Policy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::trust::Trust;

/// Connections with a limit of the requests that use them at once.
#[derive(Clone)]
pub struct Connections {
    http: reqwest::Client,
    /// A permit for each request that may be under way.
    turns: Arc<Semaphore>,
    at_once: usize,
}

/// A request may be under way while this is held.
pub(super) type Turn = OwnedSemaphorePermit;

impl Connections {
    /// Connections for so many requests at once to the data service at this address. They follow no redirects and repeat
    /// nothing.
    ///
    /// # Errors
    ///
    /// The HTTP client cannot be set up.
    pub(super) fn to(service: &Url, trust: &Trust, time_limit: Duration, at_once: usize) -> reqwest::Result<Self> {
        // The process may already have a provider; either will do.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(if planted(Planted::RedirectsFollowed) { Policy::limited(5) } else { Policy::none() })
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(time_limit)
            .connect_timeout(time_limit.min(Duration::from_secs(15)))
            .pool_max_idle_per_host(at_once)
            .user_agent(concat!("datahub-sync/", env!("CARGO_PKG_VERSION")));
        builder = trust.given_to(builder);
        if service.scheme() == "http" {
            // Plain http stays on this machine, so no proxy has a part in it.
            builder = builder.no_proxy();
        }
        let turns = Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)));
        Ok(Connections { http: builder.build()?, turns, at_once })
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// How many requests may use them at once.
    pub(super) fn at_once(&self) -> usize {
        self.at_once
    }

    /// Waits for a turn; `None` if none came within the time limit.
    pub(super) async fn turn(&self, time_limit: Duration) -> Option<Turn> {
        tokio::time::timeout(time_limit, Arc::clone(&self.turns).acquire_owned()).await.ok()?.ok()
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({} at once)", self.at_once)
    }
}
