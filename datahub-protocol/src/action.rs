//! Actions: what a machine asks for.

use cdms_odata::{Attributes, Facts, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Entry, Event, Intent, Loaded, MappingTag, OperationId, SettledPatch, Snapshot, Stored, Values, Verdict, Version,
    WriteKind,
};

/// One operation on one record.
pub trait Machine {
    /// The operation in one word.
    const NAME: &'static str;
    /// What the operation yields.
    type Output;
    /// Why a value does not convert.
    type Fault;

    /// Tells the machine what happened and takes its next wish. Feed [`Event::Start`] first, then the answer to each
    /// action, until [`Action::Done`].
    ///
    /// # Panics
    ///
    /// On an event that does not answer the last action, which is a bug of the driver.
    fn step(&mut self, event: Event<Self::Fault>) -> Action<Self::Output, Self::Fault>;
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action<O, F> {
    /// Take the record's lock in this program; answered by [`Event::Locked`].
    Lock,
    /// Read what the store has; answered by [`Event::Loaded`].
    Load,
    /// GET the record; answered by [`Event::Fetched`].
    Fetch,
    /// Run one transaction; answered by [`Event::Committed`].
    Commit(Box<Commit<F>>),
    /// Send a write, if the lease covers it; answered by [`Event::Answered`].
    Send {
        /// What it does.
        write: WriteKind,
        /// The write's id.
        operation: OperationId,
        /// The attributes to send, constants included.
        body: Attributes,
    },
    /// Log in again; answered by [`Event::LoggedIn`].
    Login,
    /// Wait a little before try number `attempt`; answered by [`Event::Resumed`].
    Pause {
        /// The number of the try that follows, from 2.
        attempt: u8,
    },
    /// The operation is over.
    Done(O),
}

/// One transaction: all of it or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit<F> {
    /// What must hold for it.
    pub guard: Guard,
    /// What to try in a savepoint and to roll back, so that the database's rules speak in time.
    pub trial: Option<Trial>,
    /// What happens to the record.
    pub record: RecordChange,
    /// What the history gets.
    pub history: Vec<Entry>,
    /// What happens to the record's intent.
    pub intent: IntentChange,
    /// What happens in quarantine.
    pub quarantine: QuarantineChange<F>,
    /// Whether to try again while the lease lasts if the database is away: what it stores is true already.
    pub insist: bool,
}

/// What a write will do to the row once CDMS has taken it.
#[derive(Clone, Debug, PartialEq)]
pub enum Trial {
    /// The row gets these values, one for each column.
    Put(Vec<Value>),
    /// The row goes.
    Remove,
}

/// The condition under which a transaction may store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The record is as it was loaded, and has no open intent.
    Unchanged {
        /// Its version; `None` for one that was never seen.
        version: Option<Version>,
        /// The newest of the [writes that were found not applied](crate::Loaded::late). A write that was opened and given up
        /// since changes no version, and CDMS may carry it out yet.
        late: Option<OperationId>,
    },
    /// This intent is still open.
    Intent(OperationId),
}

impl Guard {
    /// That the record is still as it was loaded.
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let version = match &loaded.stored {
            Stored::Absent => None,
            Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => Some(snapshot.version),
        };
        Guard::Unchanged { version, late: newest(&loaded.late) }
    }

    /// That the record is still at this version, with these writes that were found not applied.
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
    /// It becomes this.
    Put {
        /// What is known of the record.
        row: NewRow,
        /// The model's values of it.
        values: Values,
    },
    /// It becomes a tombstone that keeps these last values.
    Tombstone {
        /// Why.
        reason: TombstoneReason,
        /// What was last known.
        last: NewRow,
    },
    /// Only the caller's local values are stored.
    LocalOnly,
    /// Its row stays, but gets a new version: CDMS has changed, so that whoever loaded it before has to load it again.
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
    /// For a reason that only a newer program knows.
    #[serde(untagged)]
    Unknown(crate::UnknownWord),
}

/// What a row is to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRow {
    /// What CDMS says of the record itself.
    pub facts: Facts,
    /// All raw attributes now known, those of other mappings included.
    pub seen: Attributes,
    /// The other mappings for which the row is complete still, because nothing of theirs changes.
    pub complete_for: Vec<MappingTag>,
}

impl NewRow {
    /// The stored form of the row at a version.
    pub fn at(self, version: Version, mapping: MappingTag) -> Snapshot {
        let NewRow { facts, seen, mut complete_for } = self;
        complete_for.insert(0, mapping);
        Snapshot { version, facts, seen, complete_for }
    }
}

impl From<&Snapshot> for NewRow {
    fn from(snapshot: &Snapshot) -> Self {
        NewRow { facts: snapshot.facts, seen: snapshot.seen.clone(), complete_for: Vec::new() }
    }
}

/// What happens to an intent.
#[derive(Clone, Debug, PartialEq)]
pub enum IntentChange {
    /// Nothing.
    Keep,
    /// It is opened, with a lease for this program.
    Open(Box<Intent>),
    /// It is closed.
    Close {
        /// Which.
        operation: OperationId,
        /// What became of the write.
        verdict: Verdict,
    },
    /// It stays open, and CDMS's server has finished with its request, so that settling it needs no quiet period.
    Ended {
        /// Which.
        operation: OperationId,
    },
    /// It stays open, but its writer is done: the lease ends now and the quiet period begins.
    Release {
        /// Which.
        operation: OperationId,
        /// Whether CDMS's server has finished with the request, so that there is no quiet period.
        has_ended: bool,
    },
}

/// What happens in quarantine.
#[derive(Clone, Debug, PartialEq)]
pub enum QuarantineChange<F> {
    /// Nothing.
    Keep,
    /// The record is put there, or its reason replaced.
    Put(F),
    /// A record with another id than the one chosen is put there.
    PutOrphan {
        /// The id that CDMS gave it.
        id: Uuid,
        /// The create that made it.
        operation: OperationId,
    },
    /// The record leaves it.
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
