//! Types that will grow: a program with a match of them says what it does with words of later versions, so that those do
//! not break it.

use datahub_runtime::{EntryKind, Finding, Note, OnConflict, Origin, Resolution, Verdict, WriteKind};

// Were one of these matches complete without its last arm, that arm would be unreachable.
#[deny(unreachable_patterns)]
fn none_is_complete(
    (kind, origin, note): (EntryKind, Origin, Note),
    (write, verdict, seen): (WriteKind, Verdict, Finding),
    (conflict, resolution): (OnConflict, Resolution),
) -> usize {
    let kind = match kind {
        EntryKind::FirstSeen | EntryKind::Refreshed | EntryKind::Created | EntryKind::Updated => 1,
        EntryKind::Deleted | EntryKind::Gone | EntryKind::Revived | EntryKind::LeftModel => 1,
        EntryKind::LocalChanged | EntryKind::AppliedLate | EntryKind::NotApplied => 1,
        EntryKind::Superseded | EntryKind::Orphaned | EntryKind::Unknown(_) => 1,
        _ => 0,
    };
    let origin = match origin {
        Origin::Hub | Origin::Cdms | Origin::Pull | Origin::Revert | Origin::Settle | Origin::Unknown(_) => 1,
        _ => 0,
    };
    let note = match note {
        Note::Plain | Note::Conflict | Note::Adjusted { .. } | Note::NotKept { .. } | Note::Unknown(_) => 1,
        _ => 0,
    };
    let write = match write {
        WriteKind::Create | WriteKind::Update | WriteKind::Delete | WriteKind::Unknown(_) => 1,
        _ => 0,
    };
    let verdict = match verdict {
        Verdict::Applied | Verdict::Rejected { .. } | Verdict::Orphaned { .. } | Verdict::NotApplied => 1,
        Verdict::Superseded { .. } | Verdict::Unknown { .. } => 1,
        _ => 0,
    };
    let seen = match seen {
        Finding::InSync | Finding::First | Finding::Refreshed | Finding::Filled | Finding::Revived => 1,
        _ => 0,
    };
    let conflict = match conflict {
        OnConflict::LastWriterWins | OnConflict::Reject => 1,
        _ => 0,
    };
    let resolution = match resolution {
        Resolution::TakeCdms | Resolution::PushHub => 1,
        _ => 0,
    };
    kind + origin + note + write + verdict + seen + conflict + resolution
}

#[test]
fn a_match_has_an_arm_for_later_words() {
    let known = none_is_complete(
        (EntryKind::Orphaned, Origin::Settle, Note::Conflict),
        (WriteKind::Delete, Verdict::NotApplied, Finding::Filled),
        (OnConflict::Reject, Resolution::PushHub),
    );
    assert_eq!(known, 8);
}
