//! Events: what the driver reports to a machine.

use std::collections::BTreeSet;

use cdms_odata::{Attributes, Facts};
use serde::{Deserialize, Serialize};

use crate::outcome::{Answer, LoginFailure};
use crate::{Failure, MappingTag, OpenIntent, OperationId, Reason, SettledPatch, TombstoneReason};

/// What happened after the last action.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<F> {
    /// The operation begins.
    Start,
    /// This program holds the record's lock, until the machine is dropped.
    Locked,
    /// The record's state in the store.
    Loaded(Box<Loaded>),
    /// The record's state in CDMS.
    Fetched(Fetched<F>),
    /// The result of the transaction.
    Committed(Committed),
    /// The answer to the write.
    Answered(Answer<F>),
    /// Whether the login succeeded, and if not, why.
    LoggedIn(Result<(), LoginFailure>),
    /// The pause is over.
    Resumed,
}

/// The version of a stored record, from one sequence for the whole database; later versions are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

/// The state of one record in the store, read in one statement.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Loaded {
    /// The record's state.
    pub stored: Stored,
    /// The write under way, if any.
    pub intent: Option<OpenIntent>,
    /// Recent writes that were found not applied and have not shown up, newest last.
    pub late: Vec<SettledPatch>,
    /// A delete that was never answered and was found applied because the record was gone. CDMS may still carry it out,
    /// which would remove a record that was created again in the meantime.
    pub unanswered_delete: Option<UnansweredDelete>,
    /// Whether an earlier read put the record in quarantine.
    pub quarantined: bool,
    /// The local fields, by position, that the caller is about to change or remove and that someone else changed after
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
    /// It had a row. The last state and the reason are kept.
    Tombstone(Snapshot, TombstoneReason),
}

impl Stored {
    /// The row, if there is one.
    pub(crate) fn into_row(self) -> Option<Snapshot> {
        match self {
            Stored::Row(snapshot) => Some(snapshot),
            Stored::Absent | Stored::Tombstone(..) => None,
        }
    }
}

impl TombstoneReason {
    /// The failure that a caller gets when it asks for the record.
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
    /// The version.
    pub version: Version,
    /// CDMS's facts about the record.
    pub facts: Facts,
    /// The raw attributes as last read.
    pub seen: Attributes,
    /// The mappings for which the row is complete: the one that stored it, and those that have since found nothing to
    /// change.
    pub complete_for: Vec<MappingTag>,
    /// The attributes of `seen` that may be older than the facts: they were read before, and not again when the record
    /// was found changed.
    pub outdated: BTreeSet<String>,
}

/// The result of a GET.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched<F> {
    /// The record.
    Record(Record),
    /// CDMS says, in its own words, that there is no such record.
    Gone,
    /// A record that cannot be read, because a value is not of its attribute's kind.
    Unreadable(F),
    /// CDMS refused the read, for this reason.
    Refused(String),
    /// CDMS could not be reached or did not answer properly.
    Unavailable(Reason),
    /// CDMS refused the login.
    LoginRefused(Reason),
    /// The server that answered is not the configured CDMS.
    Misconfigured(String),
}

/// A record as CDMS returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// CDMS's facts about the record.
    pub facts: Facts,
    /// The requested attributes.
    pub attributes: Attributes,
}

/// The result of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Committed {
    /// Committed, with this version.
    Done(Version),
    /// The guard did not hold, because another operation stored first. Nothing was changed.
    Lost,
    /// A rule of the database forbids the row. Nothing was changed.
    Refused(String),
    /// The database could not be used. Nothing was changed.
    Unavailable(String),
}
