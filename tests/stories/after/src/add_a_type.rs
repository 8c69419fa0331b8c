//! Teams, and where their work waits.

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

/// Where work waits for a team.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "queue.toml", table = "queues")]
pub struct Queue {
    #[cdms(key)]
    pub id: Id<Queue>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("EMailAddress")]
    pub email: Option<String>,
    #[cdms("new_TeamId")]
    pub team: Option<Id<Team>>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Team, Queue]
}
