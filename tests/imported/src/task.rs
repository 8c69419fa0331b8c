//! Records of `Task` in CDMS. `datahub import` wrote this first model; it is yours to change.

use datahub_runtime::prelude::*;

/// A record of `Task`.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "task.toml", table = "tasks", mode = "mirror")]
pub struct Task {
    #[cdms(key)]
    pub id: Id<Task>,
    #[cdms("Subject")]
    pub subject: Option<String>,
    // Not mapped yet:
    // `RegardingObjectId` its `target` is not known yet
}
