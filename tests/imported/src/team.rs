//! Records of `Team` in CDMS. `datahub import` wrote this first model; it is yours to change.

use datahub_runtime::prelude::*;

/// A record of `Team`.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "team.toml", table = "teams", mode = "mirror")]
pub struct Team {
    #[cdms(key)]
    pub id: Id<Team>,
    #[cdms("Name")]
    pub name: Option<String>,
}
