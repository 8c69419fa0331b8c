//! The stored forms of the protocol's types: in history rows, intents, exports and logs. A database that an older
//! program filled must stay readable, so these texts never change.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap what the tests made themselves")]

use cdms_odata::{Instant, Value};
use datahub_protocol::{
    Change, EntryKind, Failure, Intent, Note, OperationId, Origin, Rejection, TombstoneReason, UnknownWord, Verdict,
    Version, WriteKind,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x1234);
const ID_TEXT: &str = "00000000-0000-0000-0000-000000001234";

/// Asserts a type's JSON, both ways.
#[track_caller]
fn stored<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, json: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), json);
    assert_eq!(serde_json::from_str::<T>(json).unwrap(), *value);
}

#[test]
fn a_change_tells_null_from_what_was_not_known() {
    let change = |from, to, note| Change { attribute: "town".to_owned(), from, to, note };
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    stored(
        &change(text("Oslo"), Some(Value::Null), Note::Plain),
        r#"{"attribute":"town","from":["Oslo"],"to":[null]}"#,
    );
    stored(
        &change(None, text("Oslo"), Note::Conflict),
        r#"{"attribute":"town","from":[],"to":["Oslo"],"note":"conflict"}"#,
    );
    stored(
        &change(Some(Value::Null), None, Note::Adjusted { sent: Value::Integer(7) }),
        r#"{"attribute":"town","from":[null],"to":[],"note":{"adjusted":{"sent":7}}}"#,
    );
    stored(
        &change(None, None, Note::NotKept { sent: Value::Integer(7) }),
        r#"{"attribute":"town","from":[],"to":[],"note":{"not_kept":{"sent":7}}}"#,
    );
}

#[test]
fn verdicts_carry_their_name() {
    stored(&Verdict::Applied, r#"{"verdict":"applied"}"#);
    stored(&Verdict::Rejected { reason: "no".to_owned() }, r#"{"verdict":"rejected","reason":"no"}"#);
    stored(&Verdict::Orphaned { id: ID }, &format!(r#"{{"verdict":"orphaned","id":"{ID_TEXT}"}}"#));
    stored(&Verdict::NotApplied, r#"{"verdict":"not_applied"}"#);
    stored(&Verdict::Superseded { attributes: vec!["a".to_owned()] }, r#"{"verdict":"superseded","attributes":["a"]}"#);
}

#[test]
fn an_intent_is_complete() {
    let intent = Intent {
        operation: OperationId(ID),
        write: WriteKind::Update,
        patch: [("a", Value::Integer(2))].into(),
        constants: [("c", Value::Boolean(true))].into(),
        pre_image: [("a", Value::Null)].into(),
        modified_before: Some(Instant(10)),
        conflicts: [("a", Value::Integer(1))].into(),
    };
    stored(
        &intent,
        &format!(
            r#"{{"operation":"{ID_TEXT}","write":"update","patch":{{"a":2}},"constants":{{"c":true}},"pre_image":{{"a":null}},"modified_before":10,"conflicts":{{"a":1}}}}"#
        ),
    );
}

#[test]
fn names_are_words() {
    let writes = [(WriteKind::Create, "create"), (WriteKind::Update, "update"), (WriteKind::Delete, "delete")];
    for (write, name) in writes {
        assert_eq!((write.name(), write.to_string().as_str()), (name, name));
        stored(&write, &format!("\"{name}\""));
    }
    assert_eq!(OperationId(ID).to_string(), ID_TEXT);
    assert_eq!(ID_TEXT.parse(), Ok(OperationId(ID)));
    assert!("not a GUID".parse::<OperationId>().is_err());
    stored(&Version(7), "7");
    stored(&TombstoneReason::LeftModel, "\"left_model\"");
    stored(&TombstoneReason::Gone, "\"gone\"");
    let kinds = [
        (EntryKind::FirstSeen, "first_seen", "first seen"),
        (EntryKind::Refreshed, "refreshed", "refreshed"),
        (EntryKind::Created, "created", "created"),
        (EntryKind::Updated, "updated", "updated"),
        (EntryKind::Deleted, "deleted", "deleted"),
        (EntryKind::Gone, "gone", "gone"),
        (EntryKind::Revived, "revived", "revived"),
        (EntryKind::LeftModel, "left_model", "left the model"),
        (EntryKind::LocalChanged, "local_changed", "local fields changed"),
        (EntryKind::AppliedLate, "applied_late", "applied late"),
        (EntryKind::NotApplied, "not_applied", "not applied"),
        (EntryKind::Superseded, "superseded", "superseded"),
        (EntryKind::Orphaned, "orphaned", "created under another id"),
    ];
    for (kind, json, words) in kinds {
        stored(&kind, &format!("\"{json}\""));
        assert_eq!(kind.name(), words);
        assert_eq!(kind.is_end(), ["deleted", "gone", "left_model"].contains(&json));
        assert_eq!(kind.changes_nothing(), ["not_applied", "superseded", "orphaned"].contains(&json));
    }
    let origins = [
        (Origin::Hub, "hub"),
        (Origin::Cdms, "cdms"),
        (Origin::Pull, "pull"),
        (Origin::Revert, "revert"),
        (Origin::Settle, "settle"),
    ];
    for (origin, json) in origins {
        stored(&origin, &format!("\"{json}\""));
    }
}

#[test]
fn a_newer_programs_words_are_carried_as_they_are() {
    let word = UnknownWord::new("merged");
    stored(&WriteKind::Unknown(word), "\"merged\"");
    assert_eq!(WriteKind::Unknown(word).to_string(), "merged");
    stored(&EntryKind::Unknown(word), "\"merged\"");
    stored(&Origin::Unknown(word), "\"merged\"");
    stored(&TombstoneReason::Unknown(word), "\"merged\"");
    stored(&Verdict::Unknown { verdict: word }, r#"{"verdict":"merged"}"#);
    let verdict: Verdict = serde_json::from_str(r#"{"verdict":"merged","into":"another"}"#).unwrap();
    assert_eq!(verdict, Verdict::Unknown { verdict: word });
    stored(&Note::Unknown(word), "\"merged\"");
    let with_more: Note = serde_json::from_str(r#"{"merged":{"from":[1,2]},"and":3}"#).unwrap();
    assert_eq!(with_more, Note::Unknown(word));
    // Anything but a word was not written by a newer program.
    assert!(serde_json::from_str::<EntryKind>("7").is_err());
    let long = "ä".repeat(30);
    assert_eq!(UnknownWord::new(&long).as_str(), "ä".repeat(23));
}

#[test]
fn every_failure_has_its_own_word() {
    let text = String::new;
    let operation = OperationId(ID);
    let failures: [(Failure<()>, &str); 19] = [
        (Failure::NotFound, "not_found"),
        (Failure::Gone, "gone"),
        (Failure::Left, "left"),
        (Failure::Busy { operation: None, retry_after_ms: 1 }, "busy"),
        (Failure::AlreadyExists, "already_exists"),
        (Failure::Rejected(Rejection::NotSent(text().into())), "rejected"),
        (Failure::ForbiddenByStore(text()), "forbidden_by_store"),
        (Failure::Unsettled { operation, in_cdms: false, reason: text().into() }, "unsettled"),
        (Failure::LocalNewer { hub: Instant(2), cdms: Instant(1) }, "local_newer"),
        (Failure::Conflict { fields: Vec::new() }, "conflict"),
        (Failure::Quarantined(()), "quarantined"),
        (Failure::NotStorable(text()), "not_storable"),
        (Failure::AppliedButNotStorable { operation, reason: text() }, "applied_but_not_storable"),
        (Failure::Invalid(()), "invalid"),
        (Failure::Orphan { operation, id: ID }, "orphan"),
        (Failure::Unavailable(text().into()), "unavailable"),
        (Failure::ReadRefused(text()), "read_refused"),
        (Failure::Misconfigured(text()), "misconfigured"),
        (Failure::Store { operation: Some(operation), reason: text() }, "store"),
    ];
    for (failure, name) in failures {
        assert_eq!(failure.name(), name);
    }
}
