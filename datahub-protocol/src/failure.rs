//! How an operation can fail.

use cdms_odata::Instant;
use uuid::Uuid;

use crate::{OperationId, Reason, Rejection};

/// Why an operation did not do what was asked. The hub is unchanged, except for a refresh that was due, unless the
/// variant says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure<F> {
    /// Neither the hub nor CDMS has the record.
    NotFound,
    /// The record is gone from CDMS.
    Gone,
    /// CDMS has the record, but it no longer belongs to the model.
    Left,
    /// Another write of the record is under way, or other operations stored first each time.
    Busy {
        /// The write under way.
        operation: Option<OperationId>,
        /// Milliseconds after which to try again.
        retry_after_ms: u64,
    },
    /// A record with this id exists.
    AlreadyExists,
    /// CDMS refused the write, or the hub did before sending it.
    Rejected(Rejection),
    /// A rule of the hub's database forbids the row; nothing was sent to CDMS.
    ForbiddenByStore(String),
    /// The outcome of the write is unknown; settling will find out.
    Unsettled {
        /// The write.
        operation: OperationId,
        /// Whether the write is known to be in CDMS.
        in_cdms: bool,
        /// Why the outcome is unknown.
        reason: Reason,
    },
    /// The row is newer than CDMS.
    LocalNewer {
        /// The row's time of change.
        hub: Instant,
        /// CDMS's time of change.
        cdms: Instant,
    },
    /// Someone else changed these fields, in CDMS or in the hub, and the caller chose not to overwrite. For a delete,
    /// these are the local fields that changed; the list is empty if CDMS's attributes did.
    Conflict {
        /// The fields' positions.
        fields: Vec<usize>,
    },
    /// The record cannot be converted or stored; it waits in quarantine.
    Quarantined(F),
    /// A rule of the hub's database forbids CDMS's record; the record waits in quarantine.
    NotStorable(String),
    /// The write is in CDMS, but its result cannot be stored; the record waits in quarantine.
    AppliedButNotStorable {
        /// The write.
        operation: OperationId,
        /// Why it cannot be stored.
        reason: String,
    },
    /// CDMS would not accept a value; nothing was sent.
    Invalid(F),
    /// CDMS created the record under another id than the hub chose; it waits in quarantine.
    Orphan {
        /// The write.
        operation: OperationId,
        /// The id that CDMS assigned.
        id: Uuid,
    },
    /// CDMS could not be reached.
    Unavailable(Reason),
    /// CDMS refused the login.
    LoginRefused(Reason),
    /// CDMS refused the read.
    ReadRefused(String),
    /// The server that answered is not the configured CDMS.
    Misconfigured(String),
    /// The hub's database could not be used.
    Store {
        /// The write whose intent could not be stored, or may have been stored without an acknowledgement. It was never
        /// sent. If its intent was stored and could not be withdrawn, settling finds it not applied.
        operation: Option<OperationId>,
        /// Why the database could not be used.
        reason: String,
    },
}

impl<F> Failure<F> {
    /// The failure of a database that could not be used before an intent was stored.
    pub(crate) const fn store(reason: String) -> Self {
        Failure::Store { operation: None, reason }
    }

    /// Whether a tombstone replaces the row.
    pub(crate) const fn buries(&self) -> bool {
        matches!(self, Failure::Gone | Failure::Left)
    }

    /// The kind of failure in one word, for logs and metrics.
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
