//! Named points in the course of an operation, at which a test stops its program.
//!
//! A point is named by operation, step and moment: `update/send/before`. Without the feature `crash-points` they cannot be
//! observed, and passing one does nothing.

use datahub_protocol::{Action, Commit, IntentChange, QuarantineChange, RecordChange, Verdict};

/// One step of an operation, as points and traces name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// `read`, `update`, `create`, `delete`, `settle`, `pull`, `sweep`, `list` or `backfill`.
    pub(crate) operation: &'static str,
    /// What the operation is about to do.
    pub(crate) action: &'static str,
}

/// A moment within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before it begins.
    Before,
    /// When sending a write: after the lease was checked, before the first byte.
    Checked,
    /// In a transaction: after its last statement, before the commit.
    InTransaction,
    /// After its outcome is known.
    After,
}

/// The names of all steps, so that a test can find steps that are never passed.
#[cfg(feature = "crash-points")]
pub const STEPS: [&str; 18] = [
    "lock",
    "load",
    "fetch",
    "refresh",
    "bury",
    "quarantine",
    "open",
    "send",
    "login",
    "pause",
    "read-back",
    "store",
    "store-local",
    "reject",
    "close",
    "note-end",
    "release",
    "complete",
];

impl Step {
    /// The step of an action. A GET after the write was sent is a read-back.
    pub(crate) fn of<O, F>(operation: &'static str, action: &Action<O, F>, has_sent: bool) -> Self {
        let action = match action {
            Action::Lock => "lock",
            Action::Load => "load",
            Action::Fetch if has_sent => "read-back",
            Action::Fetch => "fetch",
            Action::Commit(commit) => purpose(commit),
            Action::Send { .. } => "send",
            Action::Login => "login",
            Action::Pause { .. } => "pause",
            Action::Done(_) => "done",
        };
        Step { operation, action }
    }
}

/// The purpose of a transaction.
fn purpose<F>(commit: &Commit<F>) -> &'static str {
    match (&commit.intent, &commit.record, &commit.quarantine) {
        (IntentChange::Open(_), ..) => "open",
        (IntentChange::Close { verdict: Verdict::Applied, .. }, ..) => "store",
        (IntentChange::Close { verdict: Verdict::Rejected { .. }, .. }, ..) => "reject",
        (IntentChange::Close { .. }, ..) => "close",
        (IntentChange::Ended { .. }, ..) => "note-end",
        (IntentChange::Release { .. }, ..) => "release",
        (IntentChange::Keep, RecordChange::Put { .. }, _) => "refresh",
        (IntentChange::Keep, RecordChange::Tombstone { .. }, _) => "bury",
        (IntentChange::Keep, RecordChange::LocalOnly, _) => "store-local",
        (IntentChange::Keep, RecordChange::Keep | RecordChange::Touch, QuarantineChange::Keep) => "nothing",
        (IntentChange::Keep, RecordChange::Keep | RecordChange::Touch, _) => "quarantine",
    }
}

#[cfg(not(feature = "crash-points"))]
mod passing {
    use super::{Moment, Step};

    pub(crate) async fn pass(_: Step, _: Moment) {}

    pub(crate) fn pass_blocking(_: Step, _: Moment) {}

    pub(crate) const fn are_observed() -> bool {
        false
    }
}

#[cfg(feature = "crash-points")]
mod passing {
    use std::sync::OnceLock;
    use std::time::Duration;

    use tokio::sync::watch;

    use super::{Moment, Step};

    type Observer = Box<dyn Fn(&str) -> Option<watch::Receiver<bool>> + Send + Sync>;

    static OBSERVER: OnceLock<Observer> = OnceLock::new();

    /// Reports every point of this process to an observer, which may return a gate: the program waits there until the
    /// gate's value is true. The first observer stays.
    ///
    /// # Errors
    ///
    /// An observer is already set.
    pub fn observe(
        observer: impl Fn(&str) -> Option<watch::Receiver<bool>> + Send + Sync + 'static,
    ) -> Result<(), AlreadyObserved> {
        OBSERVER.set(Box::new(observer)).map_err(|_| AlreadyObserved)
    }

    /// The points of this process already have an observer.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("the points of this process already have an observer")]
    pub struct AlreadyObserved;

    /// Whether points can be observed.
    pub(crate) fn are_observed() -> bool {
        OBSERVER.get().is_some()
    }

    fn gate(step: Step, moment: Moment) -> Option<watch::Receiver<bool>> {
        let moment = match moment {
            Moment::Before => "before",
            Moment::Checked => "checked",
            Moment::InTransaction => "in-transaction",
            Moment::After => "after",
        };
        OBSERVER.get().and_then(|observer| observer(&format!("{}/{}/{moment}", step.operation, step.action)))
    }

    /// Passes a point in a future.
    pub(crate) async fn pass(step: Step, moment: Moment) {
        if let Some(mut gate) = gate(step, moment) {
            // If the holder of the gate is gone, the gate is open.
            _ = gate.wait_for(|open| *open).await;
        }
    }

    /// Passes a point on a thread.
    pub(crate) fn pass_blocking(step: Step, moment: Moment) {
        if let Some(gate) = gate(step, moment) {
            while !*gate.borrow() && gate.has_changed().is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

#[cfg(feature = "crash-points")]
pub use passing::{AlreadyObserved, observe};
pub(crate) use passing::{are_observed, pass, pass_blocking};
