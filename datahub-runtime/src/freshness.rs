//! How sure a read has to be, and how sure it was.

use chrono::{DateTime, Utc};
use datahub_protocol::{Finding, OperationId};

/// How a read of one record is checked against CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Freshness {
    /// CDMS is asked, every time: the promise.
    #[default]
    Always,
    /// CDMS is not asked; the hub's row is returned as it is.
    LocalOnly,
}

/// How a value was checked against CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checked {
    /// CDMS was asked, at this time (taken before the request was sent), and the hub is as CDMS was then.
    At {
        /// When.
        time: DateTime<Utc>,
        /// What the check found and did.
        found: Finding,
    },
    /// The hub wrote it, and CDMS's answer is in it.
    Written {
        /// When the write was begun.
        time: DateTime<Utc>,
    },
    /// The hub wrote it, and CDMS took it, but its answer could not be read back; the next read completes the row.
    NotReadBack {
        /// When the write was begun.
        time: DateTime<Utc>,
    },
    /// A write of the record is under way; this is the row before it.
    Pending {
        /// The write.
        operation: OperationId,
    },
    /// The model is detached: CDMS is not asked, and the hub's row is the truth.
    Detached,
    /// CDMS was not asked, or did not answer: the hub's row.
    NotChecked {
        /// When this program last checked the record, if it did.
        since: Option<DateTime<Utc>>,
    },
}

impl Checked {
    /// Whether nobody knows better: CDMS itself vouched for the value, or has no say.
    pub fn is_fresh(self) -> bool {
        matches!(self, Checked::At { .. } | Checked::Written { .. } | Checked::Detached)
    }
}
