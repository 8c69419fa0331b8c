//! Where CDMS is, and how to log in there: as the program says, or as its configuration does.

use std::path::PathBuf;
use std::sync::Arc;

use cdms_odata::dialect::Dialect;

use crate::cdms::{Authenticator, cdms_at};
use crate::{CdmsConfig, Error};

/// Where CDMS is, and how to log in there.
pub(super) enum Remote {
    Stated(String, Arc<dyn Authenticator>),
    Configured(CdmsConfig),
}

impl Remote {
    /// What requests to it are made by.
    pub(super) fn dialect(&self) -> Result<Arc<dyn Dialect>, Error> {
        match self {
            Remote::Stated(address, _) => cdms_at(address),
            Remote::Configured(config) => cdms_at(config.url()),
        }
    }

    /// Who logs in there.
    pub(super) fn authenticator(&self) -> Result<Arc<dyn Authenticator>, Error> {
        match self {
            Remote::Stated(_, authenticator) => Ok(Arc::clone(authenticator)),
            Remote::Configured(config) => config.authenticator(),
        }
    }

    /// The file of authorities that the configuration names.
    pub(super) fn ca_file(&self) -> Option<PathBuf> {
        match self {
            Remote::Stated(..) => None,
            Remote::Configured(config) => config.ca_file(),
        }
    }
}
