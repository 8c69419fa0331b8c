//! The names of ends, verdicts and transactions in the counts and in a replay.

use datahub_protocol::{Commit, Confirmation, IntentChange, RecordChange, Settled, Sighting, Verdict};

use super::Outcome;

pub(crate) fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Wrote(written) => match written.confirmation {
            Confirmation::Nothing(_) | Confirmation::Compared(_) => "nothing to do",
            Confirmation::ReadBack => "ok",
            Confirmation::NotReadBack => "ok, not read back",
        },
        Outcome::Saw(Sighting::Pending { .. }) => "pending",
        Outcome::Saw(Sighting::Current { .. }) => "ok",
        Outcome::Settled(Settled::Now(_)) => "settled",
        Outcome::Settled(Settled::Before) => "settled before",
        Outcome::Settled(Settled::NotYet { .. }) => "not yet",
        Outcome::Settled(Settled::LeftToOthers) => "left to others",
        Outcome::Failed(failure) => failure.name(),
    }
}

pub(crate) fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Applied => "applied",
        Verdict::Rejected { .. } => "rejected",
        Verdict::Orphaned { .. } => "orphaned",
        Verdict::NotApplied => "not applied",
        Verdict::Superseded { .. } => "superseded",
        _ => "unknown",
    }
}

pub(super) fn short(commit: &Commit<String>) -> String {
    let record = match &commit.record {
        RecordChange::Keep => "keep".to_owned(),
        RecordChange::Put { row, .. } => format!("put {:?} at {}", row.seen, row.facts.modified),
        RecordChange::Tombstone { reason, .. } => format!("tombstone {reason:?}"),
        RecordChange::LocalOnly => "local".to_owned(),
        RecordChange::Touch => "touch".to_owned(),
    };
    let history: Vec<_> = commit.history.iter().map(|entry| entry.kind.name()).collect();
    let guard: &dyn std::fmt::Debug = &commit.guard;
    let intent = match &commit.intent {
        IntentChange::Open(intent) => format!("open {:?}", intent.patch),
        other => format!("{other:?}"),
    };
    format!("{record}, {history:?}, {intent}, {guard:?}")
}
