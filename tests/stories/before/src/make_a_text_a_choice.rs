//! Questions and complaints.

use datahub_runtime::prelude::*;

/// A question or a complaint.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "incident.toml", table = "cases")]
pub struct Case {
    #[cdms(key)]
    pub id: Id<Case>,
    #[cdms("Title")]
    pub title: String,
    #[cdms("new_Urgency")]
    pub urgency: Option<String>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Case]
}
