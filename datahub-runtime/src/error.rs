//! The one error of the runtime: what happened, to which record, and what to do now.

mod kind;

use std::fmt;
use std::time::Duration;

use cdms_odata::Instant;
use cdms_odata::dialect::{InFront, Meaning};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Failure, OperationId, Reason, Rejection};
use uuid::Uuid;

pub use kind::ErrorKind;

/// Why an operation of the hub failed.
///
/// After an error both sides are as they were, except for a refresh that was due, and for CDMS's values that a
/// `resolve` took before its push failed. The exceptions are [`ErrorKind::Unsettled`]; [`ErrorKind::Quarantined`] if
/// [`is_in_cdms`](Error::is_in_cdms) is true; [`ErrorKind::Store`] with an [`operation_id`](Error::operation_id), whose
/// write may have been noted and is settled as not applied; and [`ErrorKind::Misconfigured`] of a create whose record
/// CDMS made under another id than the chosen one.
///
/// The message contains values that the hub knows only if their attribute's class is `public`. It also contains what
/// CDMS itself says in a refusal, and CDMS, or a plug-in in it, can put any value there: show [`kind`](Error::kind) to
/// others, and write the message only to a log that is protected like the records.
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
///         // The outcome is unknown: never repeat the write, look it up later.
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
    /// What happened, with the error that caused it, if any.
    reason: Reason,
    advice: Option<String>,
    operation: Option<OperationId>,
    retry_after: Option<Duration>,
    in_cdms: bool,
    fields: Vec<&'static str>,
}

/// A record as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RecordName {
    model: &'static str,
    id: Uuid,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error::because(kind, message.into())
    }

    /// An error with a reason, whose cause becomes the error's source.
    pub(crate) fn because(kind: ErrorKind, reason: impl Into<Reason>) -> Self {
        Error(Box::new(Inner {
            kind,
            record: None,
            reason: reason.into(),
            advice: None,
            operation: None,
            retry_after: None,
            in_cdms: false,
            fields: Vec::new(),
        }))
    }

    /// What to do now, in the imperative.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// What happened, without advice: for an error that has its own advice.
    pub(crate) fn reason(&self) -> Reason {
        self.0.reason.clone()
    }

    /// Adds advice to the existing one.
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

    /// Sets how long to wait before trying again.
    pub(crate) fn after(mut self, pause: Duration) -> Self {
        self.0.retry_after = Some(pause);
        self
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The write that the error is about, if any; [`Hub::operation`](crate::Hub::operation) returns its outcome.
    pub fn operation_id(&self) -> Option<OperationId> {
        self.0.operation
    }

    /// How long to wait before trying again, if known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The id of the record that the error is about, if any.
    pub fn record_id(&self) -> Option<Uuid> {
        self.0.record.map(|record| record.id)
    }

    /// The fields of a [`Conflict`](ErrorKind::Conflict): those that someone else changed too, by their paths, with a dot
    /// before a group's member. Empty for other errors, and if the whole record was changed in the meantime.
    pub fn fields(&self) -> &[&'static str] {
        &self.0.fields
    }

    /// For a write that is unsettled or whose record is in quarantine: whether the write is known to be in CDMS.
    pub fn is_in_cdms(&self) -> bool {
        self.0.in_cdms
    }

    /// The error of a protocol failure.
    pub(crate) fn from_failure(failure: Failure<Fault>, model: &'static ModelDescriptor, id: Uuid) -> Self {
        describe(failure, model).of_record(model, id)
    }

    /// CDMS refuses the login.
    pub(crate) fn login_refused(reason: Reason) -> Self {
        Error::because(ErrorKind::LoginRefused, reason)
            .advise("check the user of the login, or its client id, and the secret")
    }

    /// Whether CDMS could not be asked at all.
    pub(crate) fn is_without_cdms(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::LoginRefused)
    }

    /// A write of the record is in progress, and its outcome decides what to do.
    pub(crate) fn busy(model: &'static ModelDescriptor, id: Uuid, operation: OperationId) -> Self {
        let failure = Failure::Busy { operation: Some(operation), retry_after_ms: BUSY_RETRY_MS };
        Error::from_failure(failure, model, id)
    }
}

/// How long to wait before asking again for a record while a write of it is in progress.
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
        Failure::AlreadyExists => Error::new(ErrorKind::AlreadyExists, format!("a {entity} with this id already exists"))
            .advise("read it, or use a new id"),
        Failure::Rejected(rejection) => rejected(rejection),
        Failure::ForbiddenByStore(reason) => {
            Error::new(ErrorKind::Invalid, format!("the hub's database forbids the row: {reason}"))
                .advise("CDMS was not asked to write; change the value or the table's rule")
        }
        Failure::Unsettled { operation, in_cdms, reason } => {
            let message = if in_cdms {
                format!("CDMS applied the write, but the hub has not stored it: {reason}")
            } else {
                format!("the outcome of the write is unknown: {reason}")
            };
            let mut error = Error::because(ErrorKind::Unsettled, reason.in_words(message)).of_operation(operation);
            error.0.in_cdms = in_cdms;
            error.advise(format!("do not repeat it; `hub.operation({operation})` will return its outcome"))
        }
        Failure::LocalNewer { hub, cdms } => Error::new(
            ErrorKind::LocalNewer,
            format!("the row is newer than CDMS: {hub} in the hub, {cdms} in CDMS"),
        )
        .advise(newer_advice(hub, cdms)),
        Failure::Conflict { fields } if fields.is_empty() => {
            Error::new(ErrorKind::Conflict, "the record was changed in the meantime").advise("read it again")
        }
        Failure::Conflict { fields } => {
            let names: Vec<_> = fields.iter().map(|field| model.columns[*field].field).collect();
            let message = format!("the same fields were changed in the meantime: {}", names.join(", "));
            let mut error = Error::new(ErrorKind::Conflict, message);
            error.0.fields = names;
            error.advise("read the record again and decide field by field")
        }
        Failure::Quarantined(fault) => {
            Error::new(ErrorKind::Quarantined, format!("CDMS's record does not fit the model: {fault}"))
                .advise("the row stays as it was; correct the value in CDMS or the contract, then read it again or call `hub.retry_quarantined`")
        }
        Failure::NotStorable(reason) => {
            Error::new(ErrorKind::Quarantined, format!("the hub's database forbids CDMS's record: {reason}"))
                .advise("the row stays as it was; correct the value in CDMS or the table's rule, then read it again")
        }
        Failure::AppliedButNotStorable { operation, reason } => {
            let message = format!("CDMS applied the write, but the resulting record cannot be stored: {reason}");
            let mut error = Error::new(ErrorKind::Quarantined, message).of_operation(operation);
            error.0.in_cdms = true;
            error.advise("the row stays as it was; correct the value in CDMS, then read the record again")
        }
        Failure::Invalid(fault) => Error::new(ErrorKind::Invalid, format!("the value cannot be written: {fault}")),
        Failure::Orphan { operation, id } => Error::new(
            ErrorKind::Misconfigured,
            format!("CDMS created the {entity} under the id {id} instead of the chosen one"),
        )
        .of_operation(operation)
        .advise("creates are stopped; configure CDMS to accept ids chosen by clients, remove the orphan, and connect again"),
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

/// Up to this difference, differing clocks of CDMS's servers are a likelier reason than a restored backup.
const SKEW_MS: i64 = 120_000;

fn newer_advice(hub: Instant, cdms: Instant) -> String {
    let resolve = "after a restore of CDMS, decide which side is right with `resolve` or `resolve_all`";
    let behind_ms = hub.0.saturating_sub(cdms.0);
    if behind_ms > SKEW_MS {
        return format!("CDMS's time went back; {resolve}");
    }
    let seconds = behind_ms.div_euclid(1_000) + i64::from(behind_ms.rem_euclid(1_000) > 0);
    format!(
        "CDMS's time went back by {seconds} s; if CDMS has several servers whose clocks differ, set `clock_skew` on the \
         hub's builder to more than that; {resolve}"
    )
}

fn rejected(rejection: Rejection) -> Error {
    match rejection {
        Rejection::Cdms(refusal) => {
            let message = format!("CDMS refused the write ({}): {}", refusal.mark, refusal.message);
            let advice = match refusal.meaning {
                // The write's own record exists, or is about to: it was checked.
                Meaning::RecordMissing => {
                    "a record that the write refers to does not exist in CDMS, see its message; refer to one that exists"
                }
                meaning => meaning.advice(),
            };
            Error::new(ErrorKind::Rejected, message).advise(format!("nothing changed on either side; {advice}"))
        }
        Rejection::InFront(InFront { cause, mark, said }) => {
            let message = format!("a server in front of CDMS refused the write ({mark}): {said}");
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
            let message = format!("CDMS did not accept the login for the write: {reason}");
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

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};

    use crate::migration::MigrationError;
    use crate::{Cursor, Id, LoginError, VersionToken};

    /// What a program prints whose `main` returns an error, which is a user's first sight of it.
    #[test]
    fn an_error_that_main_returns_is_printed_in_words() {
        fn is_in_words(error: impl Debug + Display) {
            assert_eq!(format!("{error:?}"), error.to_string());
        }
        is_in_words("foo".parse::<Id<()>>().unwrap_err());
        is_in_words("foo".parse::<VersionToken>().unwrap_err());
        is_in_words("foo".parse::<Cursor>().unwrap_err());
        is_in_words(LoginError::new("the form was not found"));
        is_in_words(MigrationError::Unknown { versions: vec!["20260101000000".to_owned()] });
        is_in_words(MigrationError::Database { reason: "unable to open database file".to_owned() });
    }
}
