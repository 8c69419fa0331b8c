//! How an operation can end without what was asked for.

use cdms_odata::Instant;
use uuid::Uuid;

use crate::{OperationId, Reason, Rejection};

/// Why an operation did not do what was asked. In each case the hub is as it was, but for a refresh that was due,
/// unless the variant says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure<F> {
    /// Neither the hub nor CDMS has the record.
    NotFound,
    /// The record is gone from CDMS.
    Gone,
    /// CDMS has the record, but it is no longer one of the model's.
    Left,
    /// Another write of the record is under way, or others kept storing first.
    Busy {
        /// The write under way.
        operation: Option<OperationId>,
        /// Milliseconds after which to try again.
        retry_after_ms: u64,
    },
    /// A record with this id exists.
    AlreadyExists,
    /// CDMS, or we before asking it, refused the write.
    Rejected(Rejection),
    /// A rule of the hub's database forbids the row; CDMS was not asked to write.
    ForbiddenByStore(String),
    /// The write's outcome is not known yet; settling will find out.
    Unsettled {
        /// The write.
        operation: OperationId,
        /// Whether it is known to be in CDMS.
        in_cdms: bool,
        /// Why it is not known.
        reason: Reason,
    },
    /// The row is newer than CDMS.
    LocalNewer {
        /// The row's time.
        hub: Instant,
        /// CDMS's time.
        cdms: Instant,
    },
    /// Somebody else changed these fields, in CDMS or in the hub, and the caller wants no overwriting. For a delete: the
    /// hub's own fields that changed; none where CDMS's did.
    Conflict {
        /// The fields' positions.
        fields: Vec<usize>,
    },
    /// The record cannot be converted or stored; it waits in quarantine.
    Quarantined(F),
    /// The database's own rule refused CDMS's record; it waits in quarantine.
    NotStorable(String),
    /// The write is in CDMS, but its result cannot be stored; it waits in quarantine.
    AppliedButNotStorable {
        /// The write.
        operation: OperationId,
        /// Why.
        reason: String,
    },
    /// A value that CDMS would not take; it was not asked.
    Invalid(F),
    /// CDMS created the record under another id than the chosen one; it waits in quarantine.
    Orphan {
        /// The write.
        operation: OperationId,
        /// The id that CDMS gave.
        id: Uuid,
    },
    /// CDMS could not be reached.
    Unavailable(Reason),
    /// CDMS refuses the login.
    LoginRefused(Reason),
    /// CDMS refused the read.
    ReadRefused(String),
    /// What answered is not the CDMS that is configured.
    Misconfigured(String),
    /// The hub's database could not be used.
    Store {
        /// The write whose intent could not be noted, or may have been noted without an acknowledgement. It was never sent;
        /// where its intent was noted and could not be withdrawn, settling finds it not applied.
        operation: Option<OperationId>,
        /// Why not.
        reason: String,
    },
}

impl<F> Failure<F> {
    /// That the database could not be used, before any write was noted.
    pub(crate) const fn store(reason: String) -> Self {
        Failure::Store { operation: None, reason }
    }

    /// Whether it comes with a tombstone in place of the row.
    pub(crate) const fn buries(&self) -> bool {
        matches!(self, Failure::Gone | Failure::Left)
    }

    /// The sort of failure in one word, for logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Failure::NotFound => "not_found",
            Failure::Gone => "gone",
            Failure::Left => "left",
            Failure::Busy { .. } => "busy",
            Failure::AlreadyExists => "already_exists",
            Failure::Rejected(_) => "rejected",
            Failure::ForbiddenByStore(_) => "forbidden_by_store",
            Failure::Unsettled { .. } => "unsettled",
            Failure::LocalNewer { .. } => "local_newer",
            Failure::Conflict { .. } => "conflict",
            Failure::Quarantined(_) => "quarantined",
            Failure::NotStorable(_) => "not_storable",
            Failure::AppliedButNotStorable { .. } => "applied_but_not_storable",
            Failure::Invalid(_) => "invalid",
            Failure::Orphan { .. } => "orphan",
            Failure::Unavailable(_) => "unavailable",
            Failure::LoginRefused(_) => "login_refused",
            Failure::ReadRefused(_) => "read_refused",
            Failure::Misconfigured(_) => "misconfigured",
            Failure::Store { .. } => "store",
        }
    }
}
