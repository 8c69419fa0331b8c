//! Visits and calls.

use datahub_runtime::prelude::*;

/// A visit or a call.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "meeting.toml", table = "meetings")]
pub struct Meeting {
    #[cdms(key)]
    pub id: Id<Meeting>,
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
    models![Meeting]
}
