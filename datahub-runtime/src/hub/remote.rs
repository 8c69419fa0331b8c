//! Where CDMS is, and how to log in there: as the program says, or as its configuration does.

use std::sync::Arc;

use cdms_odata::dialect::Dialect;

use crate::cdms::{Authenticator, NetworkOptions, cdms_at};
use crate::{CdmsConfig, Error};

/// Where CDMS is, and how to log in there.
pub(super) enum Remote {
    Stated(String, Arc<dyn Authenticator>),
    Configured(Box<CdmsConfig>),
}

impl Remote {
    /// What requests to it are made by; by plain http also to these hosts.
    pub(super) fn dialect(&self, plain_http: &[String]) -> Result<Arc<dyn Dialect>, Error> {
        match self {
            Remote::Stated(address, _) => cdms_at(address, plain_http),
            Remote::Configured(config) => cdms_at(config.url(), plain_http),
        }
    }

    /// Who logs in there.
    pub(super) fn authenticator(&self) -> Result<Arc<dyn Authenticator>, Error> {
        match self {
            Remote::Stated(_, authenticator) => Ok(Arc::clone(authenticator)),
            Remote::Configured(config) => config.authenticator(),
        }
    }

    /// How the configuration says that it is reached.
    pub(super) fn network(&self) -> NetworkOptions {
        match self {
            Remote::Stated(..) => NetworkOptions::default(),
            Remote::Configured(config) => config.network(),
        }
    }
}
