//! Records of `SystemUser` in CDMS. `datahub import` wrote this first model; it is yours to change.

use datahub_runtime::prelude::*;

/// A record of `SystemUser`.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "systemuser.toml", table = "system_users", mode = "mirror")]
pub struct SystemUser {
    #[cdms(key)]
    pub id: Id<SystemUser>,
    #[cdms("FullName", read_only)]
    pub full_name: Option<String>,
}
