//! Visits, and calls.

use datahub_runtime::prelude::*;

/// We visit someone.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "meeting.toml", table = "visits", only = "new_kind/Value eq 1")]
pub struct Visit {
    #[cdms(key)]
    pub id: Id<Visit>,
    #[cdms("new_subject")]
    pub subject: String,
    #[cdms("new_kind")]
    pub kind: MeetingKind,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// We call someone.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "meeting.toml", table = "calls", only = "new_kind/Value eq 2")]
pub struct Call {
    #[cdms(key)]
    pub id: Id<Call>,
    #[cdms("new_subject")]
    pub subject: String,
    #[cdms("new_kind")]
    pub kind: MeetingKind,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// How a meeting is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "meeting.toml", attribute = "new_kind")]
pub enum MeetingKind {
    Visit,
    Call,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Visit, Call]
}
