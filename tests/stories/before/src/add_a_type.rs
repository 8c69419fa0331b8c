//! Teams.

use datahub_runtime::prelude::*;

/// People who work together.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "team.toml", table = "teams")]
pub struct Team {
    #[cdms(key)]
    pub id: Id<Team>,
    #[cdms("Name")]
    pub name: String,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Team]
}
