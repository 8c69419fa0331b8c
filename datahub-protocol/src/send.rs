//! Sending a write under its intent: once, and again only if CDMS has certainly not applied it. If CDMS answers with an
//! error that proves nothing, a look at the record decides.

use cdms_odata::dialect::{InFront, Meaning, Refusal, WriteAnswer};
use cdms_odata::{Attributes, Value};

use crate::evidence;
use crate::planted::{self, Planted, planted};
use crate::settle::verdict;
use crate::{
    Action, Answer, Commit, Committed, Created, DEADLOCK_TRIES_MAX, Entry, Event, Failure, Fetched, Guard, Intent,
    IntentChange, OperationId, QuarantineChange, Reason, Record, RecordChange, Rejection, Verdict, WriteKind,
};

/// A write being sent.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    intent: Intent,
    body: Attributes,
    tries: u8,
    logged_in: bool,
    state: State,
    /// Why an attempt before the last login or pause was refused.
    refused: Option<Rejection>,
    /// Whether an earlier attempt was answered with an error that proves nothing, and was then found not carried out.
    has_looked: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// Sent, or waiting for a login.
    Out,
    /// CDMS has finished with the write, and that is being stored.
    NotingEnd(Refusal),
    /// After an error that a collision causes: a pause, then a look.
    Pausing(Refusal),
    /// Looking at the record; if the write is not in it, the write may be sent again or given up.
    Looking(Refusal, AfterLook),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterLook {
    SendAgain,
    GiveUp,
}

/// What the knowledge of a write's outcome is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// CDMS's answer, or that nothing was sent.
    Answer,
    /// A look at the record after an error that proves nothing. It shows the record at that moment, but not who changed
    /// it.
    Look,
}

/// The result of a step of sending.
#[derive(Clone, Debug)]
pub(crate) enum Sent<O, F> {
    /// It requests an action.
    Act(Action<O, F>),
    /// The write is in CDMS; the answer to a create carries the record.
    Applied(Option<Created<F>>),
    /// CDMS answered with an error, but this look at the record shows that it carried the write out.
    Shown(Fetched<F>),
    /// The write is not in CDMS and never will be.
    Rejected(Rejection),
    /// CDMS says that the record does not exist.
    Gone(Refusal),
    /// The outcome of the write is unknown.
    Unknown {
        /// Why it is unknown.
        reason: Reason,
        /// Whether CDMS has finished with the request, so that nothing can happen later.
        has_ended: bool,
    },
}

impl Sending {
    /// Sends a write under its intent: the patch and the constants.
    pub(crate) fn new(intent: Intent) -> Self {
        let mut body = intent.constants.clone();
        body.merge(&intent.patch);
        Sending { intent, body, tries: 0, logged_in: false, state: State::Out, refused: None, has_looked: false }
    }

    /// Sends other attributes than the intent's, for a planted fault.
    pub(crate) fn with_body(mut self, body: Attributes) -> Self {
        self.body = body;
        self
    }

    /// Whether a look at the record found an earlier try not carried out.
    pub(crate) fn has_looked(&self) -> bool {
        self.has_looked
    }

    /// The action that sends.
    pub(crate) fn send<O, F>(&mut self) -> Action<O, F> {
        self.tries += 1;
        self.state = State::Out;
        Action::Send { write: self.intent.write, operation: self.intent.operation, body: self.body.clone() }
    }

    pub(crate) fn step<O, F: std::fmt::Debug>(&mut self, event: Event<F>) -> Sent<O, F> {
        match (std::mem::replace(&mut self.state, State::Out), event) {
            (State::Out, Event::Answered(answer)) => self.answered(answer),
            (State::Out, Event::LoggedIn(Ok(()))) => Sent::Act(self.send()),
            (State::Out, Event::LoggedIn(Err(failure))) => Sent::Rejected(failure.into()),
            // Whether the database stored the note matters only if this program crashes and another one settles.
            (State::NotingEnd(refusal), Event::Committed(_)) => self.look(refusal, AfterLook::GiveUp),
            (State::Pausing(refusal), Event::Resumed) => self.look(refusal, AfterLook::SendAgain),
            (State::Looking(refusal, then), Event::Fetched(fetched)) => self.looked(refusal, then, fetched),
            (state, event) => unreachable!(
                "unexpected event {event:?} for a write being sent in state {state:?}: a bug in the driver"
            ),
        }
    }

    fn answered<O, F>(&mut self, answer: Answer<F>) -> Sent<O, F> {
        match answer {
            // If the lease is too short for another try, the refusal that caused the retry is the result.
            Answer::NotSent(reason) => Sent::Rejected(self.refused.take().unwrap_or(Rejection::NotSent(reason))),
            Answer::LoginRefused(reason) => Sent::Rejected(Rejection::LoginRefused(reason)),
            Answer::Lost(reason) => self.unknown(reason),
            Answer::LoginLost(sign) if !self.logged_in => {
                self.logged_in = true;
                self.refused = Some(Rejection::LoginFailed(sign.into()));
                Sent::Act(Action::Login)
            }
            Answer::LoginLost(sign) => Sent::Rejected(Rejection::LoginFailed(sign.into())),
            Answer::Reply(reply) => self.replied(reply),
        }
    }

    fn replied<O, F>(&mut self, reply: WriteAnswer<Created<F>>) -> Sent<O, F> {
        match reply {
            WriteAnswer::Applied(record) => Sent::Applied(record),
            WriteAnswer::Gone(refusal) => Sent::Gone(refusal),
            WriteAnswer::Unknown(reason) => self.unknown(reason.into()),
            // The record may exist because the earlier try created it after all.
            WriteAnswer::Refused(refusal) if self.has_looked && refusal.meaning == Meaning::DuplicateKey => {
                self.note_end(refusal)
            }
            WriteAnswer::Refused(refusal) => Sent::Rejected(Rejection::Cdms(refusal)),
            WriteAnswer::RefusedInFront(refused) => Sent::Rejected(Rejection::InFront(refused)),
            WriteAnswer::Ended(refusal) => self.note_end(refusal),
            WriteAnswer::Deadlock(refusal) if self.tries < DEADLOCK_TRIES_MAX => {
                self.state = State::Pausing(refusal);
                Sent::Act(Action::Pause { attempt: self.tries + 1 })
            }
            WriteAnswer::Deadlock(refusal) => self.note_end(refusal),
        }
    }

    /// The outcome of the write is unknown.
    fn unknown<O, F>(&mut self, reason: Reason) -> Sent<O, F> {
        if planted::resends_blindly(self.intent.write, self.tries) {
            return Sent::Act(self.send());
        }
        if planted(Planted::UnknownIsRejected) {
            return Sent::Rejected(Rejection::NotSent(reason));
        }
        Sent::Unknown { reason, has_ended: false }
    }

    fn note_end<O, F>(&mut self, refusal: Refusal) -> Sent<O, F> {
        let operation = self.intent.operation;
        let mut commit = Commit::under(Guard::Intent(operation));
        commit.intent = IntentChange::Ended { operation };
        self.state = State::NotingEnd(refusal);
        Sent::Act(Action::Commit(Box::new(commit)))
    }

    fn look<O, F>(&mut self, refusal: Refusal, then: AfterLook) -> Sent<O, F> {
        if planted(Planted::DeadlockUnlooked) && then == AfterLook::SendAgain {
            return Sent::Act(self.send());
        }
        self.state = State::Looking(refusal, then);
        Sent::Act(Action::Fetch)
    }

    /// The settling table decides as if the quiet period were over, because nothing can happen later.
    fn looked<O, F>(&mut self, refusal: Refusal, then: AfterLook, fetched: Fetched<F>) -> Sent<O, F> {
        let record = match (&fetched, self.intent.write) {
            (Fetched::Record(record), _) => Some(record),
            (Fetched::Gone, _) => None,
            // The record exists, which is all that a create or a delete needs to know.
            (Fetched::Unreadable(_), WriteKind::Create) => return Sent::Shown(fetched),
            (Fetched::Unreadable(_), WriteKind::Delete) => return self.not_applied(refusal, then),
            (Fetched::Unreadable(_), WriteKind::Update | WriteKind::Unknown(_)) => {
                return undecided(&refusal, "the record cannot be read");
            }
            (Fetched::Unavailable(reason) | Fetched::LoginRefused(reason), _) => {
                return undecided(&refusal, reason.clone());
            }
            (Fetched::Refused(reason) | Fetched::Misconfigured(reason), _) => {
                return undecided(&refusal, reason.as_str());
            }
        };
        match verdict(&self.intent, record, None, true) {
            // A record under the id of a create was not necessarily made by it.
            Some(Verdict::Applied) if self.is_another_record(record) => {
                undecided(&refusal, "the record under this id has none of the values that were sent")
            }
            Some(Verdict::Applied) => Sent::Shown(fetched),
            Some(Verdict::NotApplied) => self.not_applied(refusal, then),
            _ if record.is_none() => undecided(&refusal, "the record is gone"),
            _ => undecided(&refusal, "others have changed the same attributes in the meantime"),
        }
    }

    fn is_another_record(&self, found: Option<&Record>) -> bool {
        let (WriteKind::Create, Some(found)) = (self.intent.write, found) else { return false };
        let is_shown =
            |(name, sent): (&str, &Value)| found.attributes.get(name).is_some_and(|now| evidence::shows(now, sent));
        !self.intent.patch.is_empty() && !self.intent.patch.iter().any(is_shown)
    }

    fn not_applied<O, F>(&mut self, refusal: Refusal, then: AfterLook) -> Sent<O, F> {
        self.has_looked = true;
        match then {
            AfterLook::GiveUp => Sent::Rejected(Rejection::Cdms(refusal)),
            AfterLook::SendAgain => {
                self.refused = Some(Rejection::Cdms(refusal));
                Sent::Act(self.send())
            }
        }
    }

    /// What the result of sending is based on.
    pub(crate) fn proof<O, F>(&self, sent: &Sent<O, F>) -> Proof {
        match sent {
            Sent::Shown(_) => Proof::Look,
            Sent::Act(_) | Sent::Applied(_) => Proof::Answer,
            // An earlier try may have been carried out after all, whatever the result of the last one.
            Sent::Rejected(_) | Sent::Gone(_) | Sent::Unknown { .. } if self.has_looked => Proof::Look,
            Sent::Rejected(_) | Sent::Gone(_) | Sent::Unknown { .. } => Proof::Answer,
        }
    }
}

/// CDMS answered with an error, and a look at the record could not determine the outcome of the write.
fn undecided<O, F>(refusal: &Refusal, why: impl Into<Reason>) -> Sent<O, F> {
    let why = why.into();
    let words = format!("{}; {why}", refusal.in_words());
    Sent::Unknown { reason: why.in_words(words), has_ended: true }
}

/// The transaction that closes an intent and changes nothing else.
pub(crate) fn closing<F>(operation: OperationId, verdict: Verdict) -> Commit<F> {
    let mut commit = Commit::under(Guard::Intent(operation));
    commit.intent = IntentChange::Close { operation, verdict };
    commit
}

/// The transaction that ends a lease, so that settling can begin.
pub(crate) fn releasing<F>(operation: OperationId, has_ended: bool) -> Commit<F> {
    let mut commit = Commit::under(Guard::Intent(operation));
    commit.intent = IntentChange::Release { operation, has_ended };
    commit
}

/// The end of an applied write whose result cannot be stored: the record waits in quarantine, the row stays, and the
/// history keeps what the write did. Other changes by CDMS are recorded once the record can be stored.
pub(crate) fn quarantining_applied<F>(operation: OperationId, fault: F, mut history: Vec<Entry>) -> Commit<F> {
    history.retain(|entry| entry.operation == Some(operation));
    let mut commit = closing(operation, Verdict::Applied);
    commit.record = RecordChange::Touch;
    commit.quarantine = QuarantineChange::Put(fault);
    commit.history = history;
    commit.insist = true;
    commit
}

/// The end of a rejected write.
pub(crate) fn rejected<F>(operation: OperationId, rejection: &Rejection) -> Commit<F> {
    let reason = match rejection {
        Rejection::Cdms(refusal) => refusal.message.clone(),
        Rejection::InFront(InFront { mark, said, .. }) => format!("{mark}: {said}"),
        Rejection::NotSent(reason) | Rejection::LoginFailed(reason) | Rejection::LoginRefused(reason) => {
            reason.as_str().to_owned()
        }
    };
    let mut commit = closing(operation, Verdict::Rejected { reason });
    // An intent left open would be settled by what CDMS shows, which for a taken id is someone else's record.
    commit.insist = true;
    commit
}

/// What to do if the database becomes unavailable while an intent is being stored: the intent may be stored anyway, and
/// that write will not be sent, so it is withdrawn if possible. In either case the write ends as `store_failed`.
pub(crate) fn withdrawing<F>(operation: OperationId) -> Commit<F> {
    let reason = "the hub's database became unavailable before the write was sent".to_owned();
    closing(operation, Verdict::Rejected { reason })
}

/// The failure of a write whose intent could not be stored.
pub(crate) fn store_failed<F>(operation: OperationId, reason: String) -> Failure<F> {
    Failure::Store { operation: Some(operation), reason }
}

/// The failure of a write that had no effect, once its last transaction has ended. If that transaction could not be
/// stored, the intent is still open and settling decides; if settling came first and looked too, it has already
/// decided.
pub(crate) fn ended<F: std::fmt::Debug>(
    operation: OperationId,
    failure: Failure<F>,
    proof: Proof,
    committed: Committed,
) -> Failure<F> {
    match (committed, proof, failure) {
        (_, _, failure @ Failure::Unsettled { .. }) => failure,
        (Committed::Lost, Proof::Look, _) => {
            Failure::Unsettled { operation, in_cdms: false, reason: why_not_stored(Committed::Lost).into() }
        }
        (Committed::Done(_) | Committed::Lost, _, failure) => failure,
        (Committed::Refused(reason) | Committed::Unavailable(reason), _, failure) => {
            let reason =
                format!("the write ended as {}, but the hub's database could not store that: {reason}", failure.name());
            Failure::Unsettled { operation, in_cdms: false, reason: reason.into() }
        }
    }
}

/// The failure of a write whose result could not be stored: it is in CDMS, and its intent stays open unless another
/// program settled it. If only a look showed that the write is in CDMS, a program that settled it first may know
/// better.
pub(crate) fn not_stored<F>(operation: OperationId, proof: Proof, committed: Committed) -> Failure<F> {
    let in_cdms = (proof, &committed) != (Proof::Look, &Committed::Lost);
    Failure::Unsettled { operation, in_cdms, reason: why_not_stored(committed).into() }
}

/// Why the last transaction of a write did not succeed.
pub(crate) fn why_not_stored(committed: Committed) -> String {
    match committed {
        Committed::Lost => "another program settled the write first; read the record again".to_owned(),
        Committed::Refused(reason) | Committed::Unavailable(reason) => {
            format!("the hub's database could not store the result: {reason}")
        }
        Committed::Done(_) => unreachable!("a committed transaction is not a failure"),
    }
}
