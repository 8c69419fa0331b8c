//! Connects to a server: to the first of the address's hosts that answers, over TLS, with a token in the session by which
//! it is recognised.

use std::time::Duration;

use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::failure::{self, causes};
use crate::store::failure::Trouble;

pub(super) type Connected =
    (Client, tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

/// Connects to the first host that answers. Dropping the future gives up.
pub(super) async fn connect(address: &Address, token: &str) -> Result<Connected, Trouble> {
    // Another part of the program may already have installed a provider for the process. Either one works.
    _ = rustls::crypto::ring::default_provider().install_default();
    let unusable = |reason: String| Trouble::Unavailable(format!("invalid address: {reason}"));
    let tls = MakeRustlsConnect::new(address.tls().map_err(unusable)?);
    let refused = |reason: String| {
        Trouble::Unavailable(format!(
            "{reason}; check that the server is running and that its address, user and password are correct"
        ))
    };
    let share = CONNECT_TIMEOUT / u32::try_from(address.configs.len()).unwrap_or(1);
    let mut connected = Err(refused("the address names no host".to_owned()));
    for config in &address.configs {
        let limit = config.get_connect_timeout().map_or(share, |asked| share.min(*asked));
        let connecting = connect_to(address, config, &tls, token);
        connected = match tokio::time::timeout(limit, connecting).await {
            Ok(connected) => connected.map_err(|error| refused(causes(&error))),
            Err(_) => Err(refused(format!("the server did not answer within {} s", limit.as_secs_f64()))),
        };
        if connected.is_ok() {
            break;
        }
    }
    connected
}

/// Connects to one host, and passes the token that identifies the session if possible.
async fn connect_to(
    address: &Address,
    config: &Config,
    tls: &MakeRustlsConnect,
    token: &str,
) -> Result<Connected, Error> {
    let mut config = config.clone();
    if config.get_application_name().is_none() {
        config.application_name("datahub-sync");
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNANSWERED_TIMEOUT);
    }
    if !address.has_keepalives {
        config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).keepalives_retries(2);
    }
    let mut own = config.clone();
    own.options(format!("{} -c {TOKEN}={token}", config.get_options().unwrap_or_default()).trim_start());
    match own.connect(tls.clone()).await {
        Err(error) if failure::takes_no_parameters(&error) => config.connect(tls.clone()).await,
        connected => connected,
    }
}

/// The setting that identifies a session.
pub(super) const TOKEN: &str = "datahub.session";

/// How long connecting may take, for all hosts together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection may be silent before a keepalive is sent. A host that disappeared while it owed an answer is
/// noticed after three times as long.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// How long sent bytes may stay unacknowledged by a server that disappeared.
const UNANSWERED_TIMEOUT: Duration = Duration::from_secs(60);
