//! For tests: a simulated CDMS, a temporary SQLite and a clock to move, in one line.
//!
//! ```no_run
//! # use datahub_runtime::{Models, testing::Kit};
//! # async fn example(models: Models, metadata: &str) -> Result<(), datahub_runtime::Error> {
//! let kit = Kit::new(metadata);
//! let hub = kit.hub(models).connect().await?;
//! # Ok(()) }
//! ```

use std::path::PathBuf;

use cdms_odata::metadata::Metadata;
pub use cdms_simulator as simulator;
use cdms_simulator::{Simulator, SimulatorBuilder, SimulatorClock};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use crate::{
    Anonymous, Authenticator, Hub, HubBuilder, Instant, LoginError, LoginRequests, ManualClock, Models, Session,
    Settling,
};

/// A simulated CDMS, a place for a database and a clock. Dropping it stops the one and removes the other.
#[derive(Debug)]
pub struct Kit {
    /// The simulated CDMS.
    pub simulator: Simulator,
    /// The hub's clock; [`Kit::advance`] moves it together with CDMS's.
    pub clock: ManualClock,
    folder: TempDir,
}

/// When kits begin: a winter's noon, far from midnights and clock changes.
const BEGIN: &str = "2016-12-05T12:00:00Z";

impl Kit {
    /// A kit whose CDMS has this `$metadata`.
    ///
    /// # Panics
    ///
    /// When the document cannot be read, or the machine has no loopback socket or temporary folder to give.
    #[track_caller]
    pub fn new(metadata: &str) -> Self {
        Kit::with(metadata, |builder| builder)
    }

    /// A kit whose CDMS is further configured.
    ///
    /// # Panics
    ///
    /// As [`Kit::new`].
    #[track_caller]
    pub fn with(metadata: &str, configure: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Self {
        let metadata = Metadata::parse(metadata).unwrap_or_else(|error| panic!("{error}"));
        let begin: DateTime<Utc> = BEGIN.parse().unwrap_or_else(|error| panic!("{BEGIN}: {error}"));
        let begin = Instant::from(begin);
        let builder = Simulator::builder().metadata(metadata).clock(SimulatorClock::standing_at(begin.0));
        let simulator = configure(builder).start().unwrap_or_else(|error| panic!("the simulator: {error}"));
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("a temporary folder: {error}"));
        Kit { simulator, clock: ManualClock::at(begin), folder }
    }

    /// A hub on this kit's CDMS and database, to be connected: tables are created, and unsettled writes are settled on
    /// request only, so that tests see every step.
    pub fn hub(&self, models: Models) -> HubBuilder {
        self.hub_with(models, Anonymous)
    }

    /// Like [`Kit::hub`], logging in.
    pub fn hub_with(&self, models: Models, authenticator: impl Authenticator) -> HubBuilder {
        Hub::builder()
            .database(self.database())
            .cdms(self.simulator.root(), authenticator)
            .models(models)
            .clock(self.clock.clone())
            .settling(Settling::OnRequest)
            .create_tables()
    }

    /// The database's address.
    pub fn database(&self) -> String {
        format!("sqlite://{}", self.database_path().display())
    }

    /// The database's file.
    pub fn database_path(&self) -> PathBuf {
        self.folder.path().join("datahub.db")
    }

    /// Moves the clocks of both sides.
    pub fn advance(&self, time: std::time::Duration) {
        self.clock.advance(time);
        self.simulator.clock().advance_ms(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    }
}

/// Logs in to a simulator that was built with [`SimulatorBuilder::login`].
#[derive(Clone)]
pub struct FormLogin {
    user: String,
    password: String,
    hosts: Vec<String>,
}

impl FormLogin {
    /// A login with this user and password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        FormLogin { user: user.into(), password: password.into(), hosts: vec!["login.example.gov.uk".to_owned()] }
    }
}

impl std::fmt::Debug for FormLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FormLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Authenticator for FormLogin {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Session, LoginError>> {
        Box::pin(async move {
            let url = format!("{}/login", requests.organisation());
            let form = [("user", self.user.as_str()), ("password", self.password.as_str())];
            requests.post_form(&url, &form).await?.session()
        })
    }

    fn login_hosts(&self) -> &[String] {
        &self.hosts
    }
}
