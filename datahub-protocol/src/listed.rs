//! The read table for a record of a page. Some time passes between requesting a page and storing its records.

use crate::planted::{Planted, planted};
use crate::sight::{Finding, Sight, ToStore, sight};
use crate::{Commit, Failure, Fetched, Loaded, Mapping, OperationId, Origin, Record, Stored, Values, Version};

/// What to do with one record of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed<F> {
    /// The row is as CDMS has it.
    AsIs,
    /// The row must be stored.
    Store(Finding, Box<Commit<F>>),
    /// The record no longer belongs to the model: its row becomes a tombstone.
    Left(Box<Commit<F>>),
    /// The record does not belong to the model; if an earlier read quarantined it, it leaves quarantine.
    Foreign(Option<Box<Commit<F>>>),
    /// The record cannot be converted: it goes to quarantine.
    Quarantined(Box<Commit<F>>),
    /// Someone stored the record after the page was requested, so the page may be older. The record must be read
    /// individually.
    ReadAgain,
    /// A write of the record is under way; only that write may store.
    Pending(OperationId),
    /// The row is newer than CDMS.
    LocalNewer,
}

/// Compares a record of a page with its state in the store at the time when the page is stored.
///
/// `asked_at` is the newest version in the database when the page was requested; a row with a later version was stored
/// after that. The guards of the returned transactions hold if no one else can store between loading and storing.
pub fn listed<M: Mapping>(
    mapping: &M,
    loaded: &Loaded,
    record: Result<Record, M::Fault>,
    asked_at: Version,
    clock_skew_ms: i64,
) -> Listed<M::Fault> {
    listed_with_values(mapping, loaded, record, asked_at, clock_skew_ms).0
}

/// Like [`listed`], for a caller that returns the records: also the model's values of a record whose row is
/// [as it is in CDMS](Listed::AsIs). Those of a row to store are in its transaction.
pub fn listed_with_values<M: Mapping>(
    mapping: &M,
    loaded: &Loaded,
    record: Result<Record, M::Fault>,
    asked_at: Version,
    clock_skew_ms: i64,
) -> (Listed<M::Fault>, Option<Values>) {
    if let Some(open) = &loaded.intent {
        return (Listed::Pending(open.intent.operation), None);
    }
    let stored_since = match &loaded.stored {
        Stored::Absent => false,
        Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => snapshot.version > asked_at,
    };
    let fetched = record.map_or_else(Fetched::Unreadable, Fetched::Record);
    let found = sight(mapping, loaded, fetched, clock_skew_ms);
    if stored_since && !matches!(found, Sight::InSync(..)) && !planted(Planted::PageWithoutGuard) {
        return (Listed::ReadAgain, None);
    }
    let listed = match found {
        Sight::InSync(values) => return (Listed::AsIs, Some(values)),
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
        // Neither gone nor refused: the record exists, so these are the results of evaluating `only`.
        Sight::Fails(_) => Listed::Foreign(None),
    };
    (listed, None)
}

/// The same transaction with the origin of its entries set to the pull.
fn pulled<F>(mut commit: Box<Commit<F>>) -> Box<Commit<F>> {
    for entry in commit.history.iter_mut().filter(|entry| entry.origin == Origin::Cdms) {
        entry.origin = Origin::Pull;
    }
    commit
}

impl<F> Listed<F> {
    /// The result if the database refuses to store the record, which goes to quarantine with this reason instead.
    pub fn refused(self, fault: F) -> Self {
        let Some(commit) = self.commit() else { return self };
        Listed::Quarantined(Box::new(Commit::quarantining(commit.guard, fault)))
    }

    /// The transaction, if there is anything to store.
    pub fn commit(&self) -> Option<&Commit<F>> {
        match self {
            Listed::Store(_, commit) | Listed::Left(commit) | Listed::Quarantined(commit) => Some(commit),
            Listed::Foreign(commit) => commit.as_deref(),
            Listed::AsIs | Listed::ReadAgain | Listed::Pending(_) | Listed::LocalNewer => None,
        }
    }
}
