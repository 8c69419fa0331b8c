//! The kinds of errors.

/// The kind of an [`Error`](crate::Error), for deciding what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Neither side has the record.
    NotFound,
    /// The record existed and is gone from CDMS, or has left the model.
    Gone,
    /// Another write of the record is in progress; try again after [`Error::retry_after`](crate::Error::retry_after).
    Busy,
    /// A record with this id already exists.
    AlreadyExists,
    /// CDMS refused, or could not be asked to write; nothing changed on either side.
    Rejected,
    /// The outcome of the write is unknown, or CDMS applied it and the hub could not store it; settling finds out.
    Unsettled,
    /// The row is newer than CDMS.
    LocalNewer,
    /// Someone else changed the same field, in CDMS or in the hub, and the policy is to reject.
    Conflict,
    /// CDMS's record cannot be converted or stored; it waits in quarantine. If [`Error::is_in_cdms`](crate::Error::is_in_cdms) is true, CDMS
    /// applied the write and this record is the result.
    Quarantined,
    /// A value that CDMS or the hub's database would not accept, and CDMS was not asked to write; or a query that CDMS
    /// cannot evaluate.
    Invalid,
    /// The hub has reached its limit of operations, or its database is overloaded; nothing was begun.
    Overloaded,
    /// The requested values were erased, see [`CdmsSynced::erase`](crate::CdmsSynced::erase).
    Erased,
    /// The budget of requests is used up; nothing was begun. See [`Hub::with_budget`](crate::Hub::with_budget).
    BudgetExceeded,
    /// A query needs more requests than it may send; see [`Find::max_requests`](crate::Find::max_requests).
    TooExpensive,
    /// CDMS cannot be reached.
    Unavailable,
    /// CDMS refuses the hub's user or password. The login is not tried again until they change or
    /// [`Hub::retry_login`](crate::Hub::retry_login) is called.
    LoginRefused,
    /// The configuration does not match CDMS or the database.
    Misconfigured,
    /// The hub's database cannot be used.
    Store,
    /// This program is too old for a table: a migration has raised the table's epoch. Nothing was begun; writes that
    /// the program began before are still finished.
    Outdated,
}

impl ErrorKind {
    /// The kind in one word, for spans and series.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "not_found",
            ErrorKind::Gone => "gone",
            ErrorKind::Busy => "busy",
            ErrorKind::AlreadyExists => "already_exists",
            ErrorKind::Rejected => "rejected",
            ErrorKind::Unsettled => "unsettled",
            ErrorKind::LocalNewer => "local_newer",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Quarantined => "quarantined",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Overloaded => "overloaded",
            ErrorKind::Erased => "erased",
            ErrorKind::BudgetExceeded => "budget_exceeded",
            ErrorKind::TooExpensive => "too_expensive",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::LoginRefused => "login_refused",
            ErrorKind::Misconfigured => "misconfigured",
            ErrorKind::Store => "store",
            ErrorKind::Outdated => "outdated",
        }
    }
}
