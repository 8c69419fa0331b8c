//! The one error of the runtime: what happened, to which record, and what to do now.

use std::fmt;
use std::time::Duration;

use cdms_odata::Instant;
use cdms_odata::dialect::{InFront, Meaning};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Failure, OperationId, Reason, Rejection};
use uuid::Uuid;

/// Why an operation of the hub did not do what was asked.
///
/// After an error both sides are as they were, but for a refresh that was due, and for CDMS's values that a `resolve` has
/// taken before its push failed. Some kinds may say otherwise: [`ErrorKind::Unsettled`]; [`ErrorKind::Quarantined`] where
/// [`is_in_cdms`](Error::is_in_cdms) is true; [`ErrorKind::Store`] with an [`operation_id`](Error::operation_id), whose
/// write may be noted and is settled as not applied; and [`ErrorKind::Misconfigured`] of a create whose record CDMS made
/// under another id than the chosen one.
///
/// Values that the hub knows of are in its text only where their attribute's class is `public`. What CDMS itself says in a
/// refusal is in its text too, and CDMS, or a plug-in in it, can put any value there: show
/// [`kind`](Error::kind) to others, and write the text to a log that is guarded like the records.
///
/// ```no_run
/// # use datahub_runtime::prelude::*;
/// # #[derive(Clone, CdmsSynced)]
/// # #[cdms(mapping = "account.toml", table = "organisations")]
/// # struct Organisation {
/// #     #[cdms(key)]
/// #     id: Id<Organisation>,
/// #     #[cdms("Name")]
/// #     name: String,
/// # }
/// # async fn rename(hub: &Hub, mut organisation: datahub_runtime::Synced<Organisation>) -> Result<(), Error> {
/// match organisation.save(hub).await {
///     Ok(_) => println!("saved"),
///     Err(error) => match error.kind() {
///         // Another write of the record is in flight, or the hub is overloaded.
///         ErrorKind::Busy | ErrorKind::Overloaded => println!("try again in {:?}", error.retry_after()),
///         // The outcome is not known yet: never repeat the write, ask for it later.
///         ErrorKind::Unsettled => println!("pending: {:?}", error.operation_id()),
///         // Read the record again, and decide field by field.
///         ErrorKind::Conflict => println!("someone else changed it: {error}"),
///         _ => return Err(error),
///     },
/// }
/// # Ok(())
/// # }
/// ```
///
/// `examples/statuses` maps every kind to an HTTP status.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    record: Option<RecordName>,
    /// What happened, with the error that caused it if there is one.
    reason: Reason,
    advice: Option<String>,
    operation: Option<OperationId>,
    retry_after: Option<Duration>,
    in_cdms: bool,
}

/// A record as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RecordName {
    model: &'static str,
    id: Uuid,
}

/// What sort of error it is, to decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Neither side has the record.
    NotFound,
    /// The record was there and is gone from CDMS, or left the model.
    Gone,
    /// Another write of the record is under way; try again after [`Error::retry_after`].
    Busy,
    /// A record with this id exists.
    AlreadyExists,
    /// CDMS refused, or could not be asked to write; nothing changed on either side.
    Rejected,
    /// Whether CDMS took the write is not known yet, or it did and the hub could not store it; settling finds out.
    Unsettled,
    /// The row is newer than CDMS.
    LocalNewer,
    /// Somebody else changed the same field, in CDMS or in the hub, and the policy is to refuse.
    Conflict,
    /// CDMS's record cannot be converted or stored; it waits in quarantine. Where [`Error::is_in_cdms`] is true, CDMS took
    /// the write and this is what it made of it.
    Quarantined,
    /// A value that CDMS or the hub's database would not take; CDMS was not asked to write.
    Invalid,
    /// The hub has as many operations under way as it takes, or its database has too much to do; nothing was begun.
    Overloaded,
    /// The values asked for were erased, see [`CdmsSynced::erase`](crate::CdmsSynced::erase).
    Erased,
    /// CDMS cannot be reached.
    Unavailable,
    /// CDMS refuses the hub's user or password. It is not tried again until they change or
    /// [`Hub::retry_login`](crate::Hub::retry_login) is called.
    LoginRefused,
    /// The configuration does not fit CDMS or the database.
    Misconfigured,
    /// The hub's database cannot be used.
    Store,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error::because(kind, message.into())
    }

    /// An error with a reason, whose cause becomes its source.
    pub(crate) fn because(kind: ErrorKind, reason: impl Into<Reason>) -> Self {
        Error(Box::new(Inner {
            kind,
            record: None,
            reason: reason.into(),
            advice: None,
            operation: None,
            retry_after: None,
            in_cdms: false,
        }))
    }

    /// What to do now, in the imperative.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// What happened, without advice: for an error that has its own.
    pub(crate) fn reason(&self) -> Reason {
        self.0.reason.clone()
    }

    /// Adds advice to what it has.
    pub(crate) fn advise_too(self, advice: impl fmt::Display) -> Self {
        let advice = match &self.0.advice {
            Some(first) => format!("{first}; {advice}"),
            None => advice.to_string(),
        };
        self.advise(advice)
    }

    pub(crate) fn of_record(mut self, model: &'static ModelDescriptor, id: Uuid) -> Self {
        self.0.record = Some(RecordName { model: model.name, id });
        self
    }

    fn of_operation(mut self, operation: OperationId) -> Self {
        self.0.operation = Some(operation);
        self
    }

    fn retry_after_ms(self, ms: u64) -> Self {
        self.after(Duration::from_millis(ms))
    }

    /// When trying again makes sense.
    pub(crate) fn after(mut self, pause: Duration) -> Self {
        self.0.retry_after = Some(pause);
        self
    }

    /// What sort of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The write that it is about, if any; [`Hub::operation`](crate::Hub::operation) tells what became of it.
    pub fn operation_id(&self) -> Option<OperationId> {
        self.0.operation
    }

    /// When trying again makes sense, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The id of the record that it is about, if any.
    pub fn record_id(&self) -> Option<Uuid> {
        self.0.record.map(|record| record.id)
    }

    /// Of a write that is unsettled or whose record is in quarantine: whether it is known to be in CDMS.
    pub fn is_in_cdms(&self) -> bool {
        self.0.in_cdms
    }

    /// The error of a protocol failure.
    pub(crate) fn from_failure(failure: Failure<Fault>, model: &'static ModelDescriptor, id: Uuid) -> Self {
        describe(failure, model).of_record(model, id)
    }

    /// CDMS refuses the login.
    pub(crate) fn login_refused(reason: Reason) -> Self {
        Error::because(ErrorKind::LoginRefused, reason).advise("check the CDMS user and its password")
    }

    /// Whether CDMS could not be asked at all.
    pub(crate) fn is_without_cdms(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::LoginRefused)
    }

    /// A write of the record is under way, and what it comes to decides what there is to do.
    pub(crate) fn busy(model: &'static ModelDescriptor, id: Uuid, operation: OperationId) -> Self {
        let failure = Failure::Busy { operation: Some(operation), retry_after_ms: BUSY_RETRY_MS };
        Error::from_failure(failure, model, id)
    }
}

/// When to ask again for a record of which a write is under way.
const BUSY_RETRY_MS: u64 = 1_000;

fn describe(failure: Failure<Fault>, model: &'static ModelDescriptor) -> Error {
    let entity = model.entity.name;
    match failure {
        Failure::NotFound => Error::new(ErrorKind::NotFound, format!("CDMS has no such {entity}")),
        Failure::Gone => Error::new(ErrorKind::Gone, format!("the {entity} is gone from CDMS"))
            .advise("its last values are in its history; create it again from there if it was removed by mistake"),
        Failure::Left => Error::new(ErrorKind::Gone, format!("the {entity} is no longer a {}", model.name))
            .advise("CDMS has it, but it does not satisfy the model's `only`; its last values are in its history"),
        Failure::Busy { operation, retry_after_ms } => {
            let error = Error::new(ErrorKind::Busy, "another write of the record is under way")
                .advise(format!("try again in {}", duration(retry_after_ms)))
                .retry_after_ms(retry_after_ms);
            match operation {
                Some(operation) => error.of_operation(operation),
                None => error,
            }
        }
        Failure::AlreadyExists => Error::new(ErrorKind::AlreadyExists, format!("a {entity} with this id exists"))
            .advise("read it, or create under a new id"),
        Failure::Rejected(rejection) => rejected(rejection),
        Failure::ForbiddenByStore(reason) => {
            Error::new(ErrorKind::Invalid, format!("the hub's database forbids the row: {reason}"))
                .advise("CDMS was not asked to write; change the value, or the rule of the table")
        }
        Failure::Unsettled { operation, in_cdms, reason } => {
            let message = if in_cdms {
                format!("CDMS has the write, but the hub has not: {reason}")
            } else {
                format!("whether CDMS has the write is not known: {reason}")
            };
            let mut error = Error::because(ErrorKind::Unsettled, reason.in_words(message)).of_operation(operation);
            error.0.in_cdms = in_cdms;
            error.advise(format!("do not repeat it; `hub.operation({operation})` will tell what became of it"))
        }
        Failure::LocalNewer { hub, cdms } => Error::new(
            ErrorKind::LocalNewer,
            format!("the row is newer than CDMS: {hub} in the hub, {cdms} in CDMS"),
        )
        .advise(newer_advice(hub, cdms)),
        Failure::Conflict { fields } if fields.is_empty() => {
            Error::new(ErrorKind::Conflict, "the record was changed meanwhile").advise("read it again")
        }
        Failure::Conflict { fields } => {
            let names: Vec<_> = fields.iter().map(|field| model.columns[*field].field).collect();
            Error::new(ErrorKind::Conflict, format!("the same fields were changed meanwhile: {}", names.join(", ")))
                .advise("read the record again and decide field by field")
        }
        Failure::Quarantined(fault) => {
            Error::new(ErrorKind::Quarantined, format!("CDMS's record does not fit the model: {fault}"))
                .advise("the row stays as it was; mend the value in CDMS, or the contract, and read it again or call `hub.retry_quarantined`")
        }
        Failure::NotStorable(reason) => {
            Error::new(ErrorKind::Quarantined, format!("the hub's database forbids CDMS's record: {reason}"))
                .advise("the row stays as it was; mend the value in CDMS, or the rule of the table, and read it again")
        }
        Failure::AppliedButNotStorable { operation, reason } => {
            let message = format!("CDMS has the write, but what CDMS made of it cannot be stored: {reason}");
            let mut error = Error::new(ErrorKind::Quarantined, message).of_operation(operation);
            error.0.in_cdms = true;
            error.advise("the row stays as it was; mend the value in CDMS and read the record again")
        }
        Failure::Invalid(fault) => Error::new(ErrorKind::Invalid, format!("the value cannot be written: {fault}")),
        Failure::Orphan { operation, id } => Error::new(
            ErrorKind::Misconfigured,
            format!("CDMS created the {entity} under the id {id} instead of the chosen one"),
        )
        .of_operation(operation)
        .advise("creates are stopped; let CDMS take the ids that clients choose, remove the orphan, and connect again"),
        Failure::Unavailable(reason) => {
            let message = format!("CDMS cannot be read: {reason}");
            Error::because(ErrorKind::Unavailable, reason.in_words(message)).advise("try again later")
        }
        Failure::LoginRefused(reason) => Error::login_refused(reason),
        Failure::ReadRefused(reason) => Error::new(ErrorKind::Rejected, format!("CDMS refused the read: {reason}"))
            .advise("give the CDMS user the right to read it"),
        Failure::Misconfigured(reason) => Error::new(ErrorKind::Misconfigured, reason),
        Failure::Store { operation, reason } => {
            let error = Error::new(ErrorKind::Store, format!("the hub's database cannot be used: {reason}"));
            match operation {
                None => error,
                Some(operation) => error.of_operation(operation),
            }
        }
    }
}

/// Up to which difference of times the clocks of CDMS's servers are a likelier reason than a restored backup.
const SKEW_MS: i64 = 120_000;

fn newer_advice(hub: Instant, cdms: Instant) -> String {
    let resolve = "after a restore of CDMS decide which side is right with `resolve` or `resolve_all`";
    let behind_ms = hub.0.saturating_sub(cdms.0);
    if behind_ms > SKEW_MS {
        return format!("CDMS's time went back; {resolve}");
    }
    let seconds = behind_ms.div_euclid(1_000) + i64::from(behind_ms.rem_euclid(1_000) > 0);
    format!(
        "CDMS's time went back by {seconds} s; where CDMS has several servers whose clocks differ, set `clock_skew` on the \
         hub's builder to more than that; {resolve}"
    )
}

fn rejected(rejection: Rejection) -> Error {
    match rejection {
        Rejection::Cdms(refusal) => {
            let message = format!("CDMS refused the write ({}): {}", refusal.mark, refusal.message);
            let advice = match refusal.meaning {
                // The write's own record is there, or is about to be: it was looked at.
                Meaning::RecordMissing => {
                    "a record that the write refers to is missing in CDMS, as its text says; refer to one that is there"
                }
                meaning => meaning.advice(),
            };
            Error::new(ErrorKind::Rejected, message).advise(format!("nothing changed on either side; {advice}"))
        }
        Rejection::InFront(InFront { cause, mark, said }) => {
            let message = format!("what stands in front of CDMS refused the write ({mark}): {said}");
            Error::new(ErrorKind::Rejected, message)
                .advise(format!("nothing changed on either side; {}", cause.advice()))
        }
        Rejection::NotSent(reason) => {
            let message = format!("the write was not sent to CDMS: {reason}");
            Error::because(ErrorKind::Unavailable, reason.in_words(message))
                .advise("nothing changed on either side; try again later")
        }
        Rejection::LoginRefused(reason) => Error::login_refused(reason).advise_too("nothing changed on either side"),
        Rejection::LoginFailed(reason) => {
            let message = format!("CDMS took no login for the write: {reason}");
            Error::because(ErrorKind::Unavailable, reason.in_words(message))
                .advise("nothing changed on either side; check the CDMS user's login")
        }
    }
}

fn duration(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{} s", ms.div_ceil(1000)) }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(RecordName { model, id }) = &self.0.record {
            write!(f, "{model} {id}: ")?;
        }
        self.0.reason.fmt(f)?;
        if let Some(advice) = &self.0.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)?;
        match self.0.operation {
            Some(operation) => write!(f, " (operation {operation})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.reason.source()
    }
}

impl From<crate::store::StoreError> for Error {
    fn from(error: crate::store::StoreError) -> Self {
        let told = error.to_string();
        match error {
            crate::store::StoreError::Overloaded { .. } => Error::new(ErrorKind::Overloaded, told)
                .advise("try again later; if its threads are always busy, raise `connections` on the hub's builder")
                .after(Duration::from_secs(1)),
            _ => Error::new(ErrorKind::Store, told),
        }
    }
}
