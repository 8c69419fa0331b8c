//! How strictly a read checks with CDMS, and how it did.

use chrono::{DateTime, Utc};
use datahub_protocol::{Finding, OperationId};

/// How a read of one record is checked against CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Freshness {
    /// CDMS is asked every time: the promise.
    #[default]
    Always,
    /// CDMS is not asked; the hub's row is returned as it is.
    LocalOnly,
}

/// How a value was checked against CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checked {
    /// CDMS was asked at this time (taken before the request was sent), and the hub matches CDMS as of then.
    At {
        /// When.
        time: DateTime<Utc>,
        /// What the check found and did.
        found: Finding,
    },
    /// The hub wrote it, and CDMS's answer is included.
    Written {
        /// When the write was begun.
        time: DateTime<Utc>,
    },
    /// The hub wrote it and CDMS applied it, but the record could not be read back; the next read completes the row.
    NotReadBack {
        /// When the write was begun.
        time: DateTime<Utc>,
    },
    /// A write of the record is in progress; this is the row before it.
    Pending {
        /// The write.
        operation: OperationId,
    },
    /// The model is detached: CDMS is not asked, and the hub's row is authoritative.
    Detached,
    /// CDMS was not asked or did not answer; this is the hub's row.
    NotChecked {
        /// When this program last checked the record, if it did.
        since: Option<DateTime<Utc>>,
    },
}

impl Checked {
    /// Whether the value is authoritative: CDMS itself confirmed it, or the model is detached.
    pub fn is_fresh(self) -> bool {
        matches!(self, Checked::At { .. } | Checked::Written { .. } | Checked::Detached)
    }
}
