//! The limits of a client of CDMS, and what it needs to know to connect.

use std::time::Duration;

use super::network::Network;

/// How many requests may be under way at once by default, if CDMS bears so many.
pub(crate) const CONCURRENT_REQUESTS: usize = 64;

/// Limits and names of a client.
#[derive(Clone, Debug)]
pub(crate) struct ClientOptions {
    /// How long one request may take, its answer included.
    pub(crate) time_limit: Duration,
    /// The largest answer, after decompression, in bytes.
    pub(crate) body_max: usize,
    /// How many requests are under way at once, at most, however much CDMS bears.
    pub(crate) concurrent_requests: usize,
    /// How long a login that failed stands at first.
    pub(crate) login_pause: Duration,
    /// The domain name of the CDMS user as whom the hub logs in.
    pub(crate) cdms_user: Option<String>,
    /// How many requests of pulls, backfills and sweeps are sent in a second, at most.
    pub(crate) background_per_second: Option<f64>,
    /// How connections are made.
    pub(crate) network: Network,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            time_limit: Duration::from_secs(60),
            body_max: 8 * 1024 * 1024,
            concurrent_requests: CONCURRENT_REQUESTS,
            login_pause: Duration::from_secs(10),
            cdms_user: None,
            background_per_second: None,
            network: Network::default(),
        }
    }
}
