//! Events: what a machine is told.

use cdms_odata::{Attributes, Facts};
use serde::{Deserialize, Serialize};

use crate::outcome::{Answer, LoginFailure};
use crate::{Failure, MappingTag, OpenIntent, OperationId, Reason, SettledPatch, TombstoneReason};

/// What happened after the last action.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<F> {
    /// The operation begins.
    Start,
    /// The record's lock in this program is held, until the machine is dropped.
    Locked,
    /// What the store has of the record.
    Loaded(Box<Loaded>),
    /// What CDMS has of it.
    Fetched(Fetched<F>),
    /// How the transaction ended.
    Committed(Committed),
    /// How the write ended.
    Answered(Answer<F>),
    /// Whether the login succeeded; if not, why.
    LoggedIn(Result<(), LoginFailure>),
    /// The pause is over.
    Resumed,
}

/// The version of a stored record, from one sequence for the whole database: later is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

/// What the store has of one record, read in one statement.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Loaded {
    /// The record's state.
    pub stored: Stored,
    /// The write under way, if any.
    pub intent: Option<OpenIntent>,
    /// Recent writes that were found not applied and have not shown up, the newest last.
    pub late: Vec<SettledPatch>,
    /// A delete that was never answered and found done, because the record was gone: CDMS may still carry it out, which
    /// would end a record that was made again meanwhile.
    pub unanswered_delete: Option<UnansweredDelete>,
    /// Whether an earlier read put the record in quarantine.
    pub quarantined: bool,
    /// The hub's own fields, by position, that the caller means to change or remove and that somebody else has changed since
    /// the caller loaded them.
    pub local_conflicts: Vec<usize>,
}

/// A delete that CDMS may still carry out although its record is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnansweredDelete {
    /// The write.
    pub operation: OperationId,
    /// Milliseconds until its quiet period ends.
    pub left_ms: u64,
}

/// The state of a record in the hub.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Stored {
    /// Never seen.
    #[default]
    Absent,
    /// It has a row.
    Row(Snapshot),
    /// It had a row; what is kept of it, and why it ended.
    Tombstone(Snapshot, TombstoneReason),
}

impl TombstoneReason {
    /// What somebody learns who asks for the record.
    pub fn failure<F>(self) -> Failure<F> {
        match self {
            // Whatever a newer program found, there is no row.
            TombstoneReason::Gone | TombstoneReason::Unknown(_) => Failure::Gone,
            TombstoneReason::LeftModel => Failure::Left,
        }
    }
}

/// A stored version of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Which version this is.
    pub version: Version,
    /// What CDMS said of the record itself.
    pub facts: Facts,
    /// The raw attributes as last read.
    pub seen: Attributes,
    /// The mappings for which the row is complete: the one that stored it, and those that found nothing to change since.
    pub complete_for: Vec<MappingTag>,
}

/// What a GET brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched<F> {
    /// The record.
    Record(Record),
    /// CDMS says, in its own words, that there is no such record.
    Gone,
    /// A record that cannot be read: one of its values is not of its kind.
    Unreadable(F),
    /// CDMS refused the read, with its reason.
    Refused(String),
    /// CDMS could not be reached or did not answer properly.
    Unavailable(Reason),
    /// CDMS refuses the login.
    LoginRefused(Reason),
    /// What answered is not the CDMS that is configured.
    Misconfigured(String),
}

/// A record as CDMS gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What CDMS says of the record itself.
    pub facts: Facts,
    /// The attributes that were asked for.
    pub attributes: Attributes,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Committed {
    /// Committed; the version it made.
    Done(Version),
    /// The guard did not hold: somebody else stored first. Nothing was changed.
    Lost,
    /// A rule of the database forbids the row. Nothing was changed.
    Refused(String),
    /// The database could not be used. Nothing was changed.
    Unavailable(String),
}
