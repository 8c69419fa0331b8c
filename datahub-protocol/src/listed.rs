//! The read table for a record of a page, which was asked for a while before it is stored.

use crate::planted::{Planted, planted};
use crate::sight::{Finding, Sight, ToStore, sight};
use crate::{Commit, Failure, Fetched, Loaded, Mapping, OperationId, Origin, Record, Stored, Version};

/// What one record of a page comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed<F> {
    /// The row is as CDMS has it.
    AsIs,
    /// The row is to be stored.
    Store(Finding, Box<Commit<F>>),
    /// The record is no longer one of the model's: its row becomes a tombstone.
    Left(Box<Commit<F>>),
    /// The record is none of the model's; where an earlier read put it in quarantine, it leaves it.
    Foreign(Option<Box<Commit<F>>>),
    /// The record cannot be converted: it goes to quarantine.
    Quarantined(Box<Commit<F>>),
    /// Somebody stored the record after the page was asked for, so the page may be older: it is to be read by itself.
    ReadAgain,
    /// A write of the record is under way, which alone may store.
    Pending(OperationId),
    /// The row is newer than CDMS.
    LocalNewer,
}

/// Compares a record of a page with what the store has of it when the page is stored.
///
/// `asked_at` is the newest version in the database when the page was asked for: a row above it was stored since. The
/// guards of the transactions that come back hold as long as nobody else can store between the loading and the storing.
pub fn listed<M: Mapping>(
    mapping: &M,
    loaded: &Loaded,
    record: Result<Record, M::Fault>,
    asked_at: Version,
    clock_skew_ms: i64,
) -> Listed<M::Fault> {
    if let Some(open) = &loaded.intent {
        return Listed::Pending(open.intent.operation);
    }
    let stored_since = match &loaded.stored {
        Stored::Absent => false,
        Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => snapshot.version > asked_at,
    };
    let fetched = record.map_or_else(Fetched::Unreadable, Fetched::Record);
    let found = sight(mapping, loaded, fetched, clock_skew_ms);
    if stored_since && !matches!(found, Sight::InSync(..)) && !planted(Planted::PageWithoutGuard) {
        return Listed::ReadAgain;
    }
    match found {
        Sight::InSync(..) => Listed::AsIs,
        Sight::Store(to_store) => {
            let ToStore { finding, commit, .. } = *to_store;
            Listed::Store(finding, pulled(commit))
        }
        Sight::Record(commit, failure) => match (failure, &loaded.stored) {
            (Failure::Quarantined(_), _) => Listed::Quarantined(commit),
            (Failure::Left, Stored::Row(_)) => Listed::Left(pulled(commit)),
            _ => Listed::Foreign(Some(commit)),
        },
        Sight::HubNewer { .. } => Listed::LocalNewer,
        // Neither gone nor refused: the record is there, so this is what its conditions say.
        Sight::Fails(_) => Listed::Foreign(None),
    }
}

/// The same transaction, told as a pull's.
fn pulled<F>(mut commit: Box<Commit<F>>) -> Box<Commit<F>> {
    for entry in commit.history.iter_mut().filter(|entry| entry.origin == Origin::Cdms) {
        entry.origin = Origin::Pull;
    }
    commit
}

impl<F> Listed<F> {
    /// The same where the database refused to store it, so that the record went to quarantine with this reason.
    pub fn refused(self, fault: F) -> Self {
        let Some(commit) = self.commit() else { return self };
        Listed::Quarantined(Box::new(Commit::quarantining(commit.guard, fault)))
    }

    /// The transaction, where there is something to store.
    pub fn commit(&self) -> Option<&Commit<F>> {
        match self {
            Listed::Store(_, commit) | Listed::Left(commit) | Listed::Quarantined(commit) => Some(commit),
            Listed::Foreign(commit) => commit.as_deref(),
            Listed::AsIs | Listed::ReadAgain | Listed::Pending(_) | Listed::LocalNewer => None,
        }
    }
}
