//! Sending a write under its intent: once, and again only where CDMS surely has not taken it.

use cdms_odata::Attributes;
use cdms_odata::client::Refusal;
use uuid::Uuid;

use crate::planted::{self, Planted, planted};
use crate::{
    Action, Answer, Class, Commit, Committed, DEADLOCK_TRIES_MAX, Entry, Event, Failure, Guard, IntentChange,
    OperationId, QuarantineChange, Record, RecordChange, Rejection, Verdict, WriteKind, classify,
};

/// A write on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    write: WriteKind,
    operation: OperationId,
    body: Attributes,
    tries: u8,
    logged_in: bool,
    /// Why an attempt before the last login or pause was refused.
    refused: Option<Rejection>,
}

/// What sending comes to.
#[derive(Clone, Debug)]
pub(crate) enum Sent<O, F> {
    /// It wants something done.
    Act(Action<O, F>),
    /// The write is in CDMS; a create's reply carries the record.
    Applied(Option<(Uuid, Result<Record, F>)>),
    /// The write is not in CDMS and will not be.
    Rejected(Rejection),
    /// CDMS says that there is no such record.
    Gone(Refusal),
    /// It cannot be told.
    Unknown(String),
}

impl Sending {
    pub(crate) fn new(write: WriteKind, operation: OperationId, body: Attributes) -> Self {
        Sending { write, operation, body, tries: 0, logged_in: false, refused: None }
    }

    /// The action that sends.
    pub(crate) fn send<O, F>(&mut self) -> Action<O, F> {
        self.tries += 1;
        Action::Send { write: self.write, operation: self.operation, body: self.body.clone() }
    }

    pub(crate) fn step<O, F: std::fmt::Debug>(&mut self, event: Event<F>) -> Sent<O, F> {
        match event {
            Event::Answered(answer) => self.answered(answer),
            Event::LoggedIn(Ok(())) | Event::Resumed => Sent::Act(self.send()),
            Event::LoggedIn(Err(reason)) => Sent::Rejected(Rejection::LoginFailed(reason)),
            event => unreachable!("a write being sent got {event:?}: a bug of its driver"),
        }
    }

    fn answered<O, F>(&mut self, answer: Answer<F>) -> Sent<O, F> {
        match classify(self.write, answer) {
            Class::Applied(record) => Sent::Applied(record),
            Class::Gone(refusal) => Sent::Gone(refusal),
            Class::Unknown(_) if planted::resends_blindly(self.write, self.tries) => Sent::Act(self.send()),
            Class::Unknown(reason) if planted(Planted::UnknownIsRejected) => Sent::Rejected(Rejection::NotSent(reason)),
            Class::Unknown(reason) => Sent::Unknown(reason),
            // A lease too short for another try leaves the refusal that asked for it.
            Class::Rejected(rejection @ Rejection::NotSent(_)) => {
                Sent::Rejected(self.refused.take().unwrap_or(rejection))
            }
            Class::Rejected(rejection) => Sent::Rejected(rejection),
            Class::Deadlock(refusal) if self.tries < DEADLOCK_TRIES_MAX => {
                self.refused = Some(Rejection::Cdms(refusal));
                Sent::Act(Action::Pause { attempt: self.tries + 1 })
            }
            Class::Deadlock(refusal) => Sent::Rejected(Rejection::Cdms(refusal)),
            Class::LoginLost(sign) if !self.logged_in => {
                self.logged_in = true;
                self.refused = Some(Rejection::LoginFailed(sign));
                Sent::Act(Action::Login)
            }
            Class::LoginLost(sign) => Sent::Rejected(Rejection::LoginFailed(sign)),
        }
    }
}

/// The transaction that closes an intent and changes nothing else.
pub(crate) fn closing<F>(operation: OperationId, verdict: Verdict) -> Commit<F> {
    let mut commit = Commit::under(Guard::Intent(operation));
    commit.intent = IntentChange::Close { operation, verdict };
    commit
}

/// The transaction that ends a lease, so that settling can begin.
pub(crate) fn releasing<F>(operation: OperationId) -> Commit<F> {
    let mut commit = Commit::under(Guard::Intent(operation));
    commit.intent = IntentChange::Release { operation };
    commit
}

/// What an applied write ends with whose result cannot be stored: the record waits in quarantine, the row stays, and
/// the history keeps what the write did. What CDMS changed beside it is told when the record can be stored.
pub(crate) fn quarantining_applied<F>(operation: OperationId, fault: F, mut history: Vec<Entry>) -> Commit<F> {
    history.retain(|entry| entry.operation == Some(operation));
    let mut commit = closing(operation, Verdict::Applied);
    commit.record = RecordChange::Touch;
    commit.quarantine = QuarantineChange::Put(fault);
    commit.history = history;
    commit.insist = true;
    commit
}

/// What a rejected write ends with.
pub(crate) fn rejected<F>(operation: OperationId, rejection: &Rejection) -> Commit<F> {
    let reason = match rejection {
        Rejection::Cdms(refusal) => refusal.message.clone(),
        Rejection::NotSent(reason) | Rejection::LoginFailed(reason) => reason.clone(),
    };
    let mut commit = closing(operation, Verdict::Rejected { reason });
    // An intent that stayed open would be settled by what CDMS shows, which for a taken id is somebody else's record.
    commit.insist = true;
    commit
}

/// What follows where the database went away while an intent was noted: it may be noted all the same, and nobody will
/// send that write, so it is withdrawn if that can be done. Whatever comes of it, the write ends as `store_failed`.
pub(crate) fn withdrawing<F>(operation: OperationId) -> Commit<F> {
    let reason = "the hub's database went away before it was sent".to_owned();
    closing(operation, Verdict::Rejected { reason })
}

/// What the caller of a write learns whose intent could not be noted.
pub(crate) fn store_failed<F>(operation: OperationId, reason: String) -> Failure<F> {
    Failure::Store { operation: Some(operation), reason }
}

/// What the caller of a write learns that came to nothing, once its last transaction has ended. Where that could not be
/// stored the intent is still open, and settling has the last word.
pub(crate) fn ended<F: std::fmt::Debug>(
    operation: OperationId,
    failure: Failure<F>,
    committed: Committed,
) -> Failure<F> {
    match (committed, failure) {
        (Committed::Done(_) | Committed::Lost, failure) | (_, failure @ Failure::Unsettled { .. }) => failure,
        (Committed::Refused(reason) | Committed::Unavailable(reason), failure) => {
            let reason =
                format!("it ended as {}, but the hub's database could not note that: {reason}", failure.name());
            Failure::Unsettled { operation, in_cdms: false, reason }
        }
    }
}

/// What a write ends with whose result could not be stored: it is in CDMS, and its intent stays open unless another
/// program settled it.
pub(crate) fn not_stored<F>(operation: OperationId, committed: Committed) -> Failure<F> {
    Failure::Unsettled { operation, in_cdms: true, reason: why_not_stored(committed) }
}

/// Why the last transaction of a write did not end as it should.
pub(crate) fn why_not_stored(committed: Committed) -> String {
    match committed {
        Committed::Lost => "another program settled it first; read the record again".to_owned(),
        Committed::Refused(reason) | Committed::Unavailable(reason) => {
            format!("the hub's database could not store it: {reason}")
        }
        Committed::Done(_) => unreachable!("a transaction that committed is no failure"),
    }
}
