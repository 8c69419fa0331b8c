//! Actions: what a machine asks its driver to do.

use std::collections::BTreeSet;

use cdms_odata::{Attributes, Facts, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Entry, Event, Intent, Loaded, MappingTag, OperationId, SettledPatch, Snapshot, Stored, Values, Verdict, Version,
    WriteKind,
};

/// One operation on one record.
pub trait Machine {
    /// The operation's name in one word.
    const NAME: &'static str;
    /// What the operation yields.
    type Output;
    /// Why a value does not convert.
    type Fault;

    /// Passes an event to the machine and returns its next action. Pass [`Event::Start`] first, then the response to
    /// each action, until [`Action::Done`].
    ///
    /// # Panics
    ///
    /// If the event does not respond to the last action, which is a bug in the driver.
    fn step(&mut self, event: Event<Self::Fault>) -> Action<Self::Output, Self::Fault>;
}

/// What the driver must do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action<O, F> {
    /// Take the record's lock in this program; answered by [`Event::Locked`].
    Lock,
    /// Read the record's state from the store; answered by [`Event::Loaded`].
    Load,
    /// GET the record; answered by [`Event::Fetched`].
    Fetch,
    /// Run one transaction; answered by [`Event::Committed`].
    Commit(Box<Commit<F>>),
    /// Send a write if the lease covers it; answered by [`Event::Answered`].
    Send {
        /// What the write does.
        write: WriteKind,
        /// The write's id.
        operation: OperationId,
        /// The attributes to send, constants included.
        body: Attributes,
    },
    /// Log in again; answered by [`Event::LoggedIn`].
    Login,
    /// Wait briefly before try number `attempt`; answered by [`Event::Resumed`].
    Pause {
        /// The number of the next try, starting at 2.
        attempt: u8,
    },
    /// The operation is over.
    Done(O),
}

/// One transaction, which stores everything or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit<F> {
    /// The condition under which it stores.
    pub guard: Guard,
    /// What to try in a savepoint and roll back, so that a violation of the database's rules is found before sending.
    pub trial: Option<Trial>,
    /// What happens to the record.
    pub record: RecordChange,
    /// The entries to append to the history.
    pub history: Vec<Entry>,
    /// What happens to the record's intent.
    pub intent: IntentChange,
    /// What happens in quarantine.
    pub quarantine: QuarantineChange<F>,
    /// Whether to retry for as long as the lease lasts if the database is unavailable: what it stores is already true.
    pub insist: bool,
}

/// What a write will do to the row once CDMS has applied it.
#[derive(Clone, Debug, PartialEq)]
pub enum Trial {
    /// The row gets these values, one for each column.
    Put(Vec<Value>),
    /// The row is removed.
    Remove,
}

/// The condition under which a transaction may store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The record is unchanged since it was loaded, and has no open intent.
    Unchanged {
        /// Its version; `None` if it was never seen.
        version: Option<Version>,
        /// The newest of the [writes found not applied](crate::Loaded::late). A write that was opened and given up since
        /// then changes no version, but CDMS may still carry it out.
        late: Option<OperationId>,
    },
    /// This intent is still open.
    Intent(OperationId),
}

impl Guard {
    /// The guard that the record is unchanged since it was loaded.
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let version = match &loaded.stored {
            Stored::Absent => None,
            Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => Some(snapshot.version),
        };
        Guard::Unchanged { version, late: newest(&loaded.late) }
    }

    /// The guard that the record is still at this version, with these writes found not applied.
    pub(crate) fn at(version: Version, late: &[SettledPatch]) -> Self {
        Guard::Unchanged { version: Some(version), late: newest(late) }
    }
}

fn newest(late: &[SettledPatch]) -> Option<OperationId> {
    late.last().map(|late| late.operation)
}

/// What happens to a record's row.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordChange {
    /// Nothing.
    Keep,
    /// It is stored with these values.
    Put {
        /// What is known about the record.
        row: NewRow,
        /// The model's values of the record.
        values: Values,
    },
    /// It becomes a tombstone that keeps these last values.
    Tombstone {
        /// Why.
        reason: TombstoneReason,
        /// The last known state.
        last: NewRow,
    },
    /// Only the caller's local values are stored.
    LocalOnly,
    /// Its row stays but gets a new version: CDMS has changed, so callers that loaded the row before must load it again.
    Touch,
}

/// Why a row became a tombstone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TombstoneReason {
    /// The record is gone from CDMS.
    Gone,
    /// The record no longer satisfies the model's `only`.
    LeftModel,
    /// A reason that only a newer program knows.
    #[serde(untagged)]
    Unknown(crate::UnknownWord),
}

/// What a row will hold.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRow {
    /// CDMS's facts about the record.
    pub facts: Facts,
    /// All raw attributes known now, including those of other mappings.
    pub seen: Attributes,
    /// The other mappings for which the row is still complete, because none of their attributes change.
    pub complete_for: Vec<MappingTag>,
    /// The attributes of `seen` that may be older than the facts; see [`Snapshot::outdated`].
    pub outdated: BTreeSet<String>,
}

impl NewRow {
    /// The stored form of the row at a version.
    pub fn at(self, version: Version, mapping: MappingTag) -> Snapshot {
        let NewRow { facts, seen, mut complete_for, outdated } = self;
        complete_for.insert(0, mapping);
        Snapshot { version, facts, seen, complete_for, outdated }
    }
}

impl From<&Snapshot> for NewRow {
    fn from(snapshot: &Snapshot) -> Self {
        NewRow {
            facts: snapshot.facts,
            seen: snapshot.seen.clone(),
            complete_for: Vec::new(),
            outdated: snapshot.outdated.clone(),
        }
    }
}

/// What happens to an intent.
#[derive(Clone, Debug, PartialEq)]
pub enum IntentChange {
    /// Nothing.
    Keep,
    /// It is opened with a lease for this program.
    Open(Box<Intent>),
    /// It is closed.
    Close {
        /// The write.
        operation: OperationId,
        /// The outcome of the write.
        verdict: Verdict,
    },
    /// It stays open, but CDMS has finished with its request, so it can be settled without a quiet period.
    Ended {
        /// The write.
        operation: OperationId,
    },
    /// It stays open, but its writer is done: the lease ends and the quiet period begins now.
    Release {
        /// The write.
        operation: OperationId,
        /// Whether CDMS has finished with the request, so that no quiet period is needed.
        has_ended: bool,
    },
}

/// What happens in quarantine.
#[derive(Clone, Debug, PartialEq)]
pub enum QuarantineChange<F> {
    /// Nothing.
    Keep,
    /// The record is quarantined, or the reason for it is replaced.
    Put(F),
    /// A record that CDMS created under another id than the hub chose is quarantined.
    PutOrphan {
        /// The id that CDMS assigned.
        id: Uuid,
        /// The create that produced it.
        operation: OperationId,
    },
    /// The record leaves quarantine.
    Clear,
}

impl<F> Commit<F> {
    /// A transaction that changes nothing yet.
    pub(crate) fn under(guard: Guard) -> Self {
        Commit {
            guard,
            trial: None,
            record: RecordChange::Keep,
            history: Vec::new(),
            intent: IntentChange::Keep,
            quarantine: QuarantineChange::Keep,
            insist: false,
        }
    }

    /// A transaction that only puts the record in quarantine.
    pub(crate) fn quarantining(guard: Guard, fault: F) -> Self {
        Commit { quarantine: QuarantineChange::Put(fault), ..Commit::under(guard) }
    }
}
