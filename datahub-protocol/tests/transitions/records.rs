//! The record of all scenarios, in the states in which the hub and CDMS can have it.

use std::collections::BTreeSet;

use cdms_odata::crm2011::{Body, outcome, refusal};
use cdms_odata::dialect::Write;
use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_protocol::{
    Answer, Base, Created, Fetched, Intent, LeaseState, Loaded, Mapping as _, OpenIntent, OperationId, Record,
    SettledPatch, Snapshot, Stored, TombstoneReason, UnansweredDelete, Version, WriteKind,
};
use uuid::Uuid;

use crate::mapping::{Model, UNREADABLE};
use crate::walk::Answers;

/// The CDMS user that the hub writes as.
pub(crate) const OURS: Uuid = Uuid::from_u128(1);
/// A person.
pub(crate) const THEIRS: Uuid = Uuid::from_u128(2);
/// The write under test.
pub(crate) const OPERATION: OperationId = OperationId(Uuid::from_u128(3));
/// Another write.
pub(crate) const OTHER: OperationId = OperationId(Uuid::from_u128(4));
/// The record.
pub(crate) const ID: Uuid = Uuid::from_u128(5);

pub(crate) fn attributes<const COUNT: usize>(pairs: [(&'static str, i32); COUNT]) -> Attributes {
    pairs.into_iter().map(|(name, number)| (name, Value::Integer(number))).collect()
}

/// The record's attributes, with these changes.
pub(crate) fn with<const COUNT: usize>(changes: [(&'static str, i32); COUNT]) -> Attributes {
    let mut values = attributes([("a", 1), ("b1", 1), ("b2", 1), ("c", 5), ("k", 1)]);
    values.merge(&attributes(changes));
    values
}

/// The model's values.
pub(crate) fn model(a: i32, b: i32) -> Vec<Value> {
    vec![Value::Integer(a), Value::Integer(b)]
}

/// The record as a caller loaded it, with the wider mapping.
pub(crate) fn base(seen: Attributes) -> Base {
    let values = Model::Wide.decode(&facts(10, THEIRS), &seen).expect("a caller only has values that fit the model");
    Base { seen, values }
}

fn facts(modified: i64, by: Uuid) -> Facts {
    Facts { modified: Instant(modified), created: Some(Instant(1)), modified_by: Some(by) }
}

pub(crate) fn record(modified: i64, by: Uuid, attributes: Attributes) -> Record {
    Record { facts: facts(modified, by), attributes }
}

/// The result of a GET of the record with these changes.
pub(crate) fn shown<const COUNT: usize>(
    modified: i64,
    by: Uuid,
    changes: [(&'static str, i32); COUNT],
) -> Fetched<String> {
    Fetched::Record(record(modified, by, with(changes)))
}

/// The record as stored.
pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        version: Version(3),
        facts: facts(10, THEIRS),
        seen: with([]),
        complete_for: vec![2],
        outdated: BTreeSet::new(),
    }
}

pub(crate) fn row() -> Loaded {
    Loaded { stored: Stored::Row(snapshot()), ..Loaded::default() }
}

pub(crate) fn tombstone(reason: TombstoneReason) -> Loaded {
    Loaded { stored: Stored::Tombstone(snapshot(), reason), ..Loaded::default() }
}

/// The record as stored by an older program, which knows less of it.
fn narrow() -> Loaded {
    let snapshot = Snapshot { seen: attributes([("a", 1), ("k", 1)]), complete_for: vec![1], ..snapshot() };
    Loaded { stored: Stored::Row(snapshot), ..Loaded::default() }
}

/// The record as stored by another mapping, which knows all of it and more.
fn others() -> Loaded {
    let mut seen = with([]);
    seen.merge(&attributes([("z", 9)]));
    let snapshot = Snapshot { seen, complete_for: vec![7], ..snapshot() };
    Loaded { stored: Stored::Row(snapshot), ..Loaded::default() }
}

/// The record as stored by another mapping, which has since not read all of what this one needs.
pub(crate) fn outdated() -> Loaded {
    let outdated = ["b1", "z"].map(str::to_owned).into();
    let snapshot = Snapshot { complete_for: vec![7], outdated, ..snapshot() };
    Loaded { stored: Stored::Row(snapshot), ..Loaded::default() }
}

/// The record as stored by this mapping; more other mappings than are kept have found nothing to change.
fn others_too() -> Loaded {
    let snapshot = Snapshot { complete_for: (2..12).collect(), ..snapshot() };
    Loaded { stored: Stored::Row(snapshot), ..Loaded::default() }
}

/// Another write, which was found not applied.
pub(crate) fn late(write: WriteKind, patch: Attributes) -> Vec<SettledPatch> {
    vec![SettledPatch { operation: OTHER, write, patch, constants: attributes([("c", 5)]) }]
}

/// An intent of another write.
pub(crate) fn open(operation: OperationId, write: WriteKind, lease: LeaseState) -> OpenIntent {
    let (patch, constants, pre_image) = match write {
        WriteKind::Create => (attributes([("a", 2), ("b1", 2), ("b2", 2)]), attributes([("c", 5)]), Attributes::new()),
        WriteKind::Update => {
            (attributes([("a", 2), ("b2", 2)]), attributes([("c", 5)]), attributes([("a", 1), ("b2", 1)]))
        }
        _ => (Attributes::new(), Attributes::new(), with([])),
    };
    let modified_before = (write != WriteKind::Create).then_some(Instant(10));
    let intent =
        Intent { operation, write, patch, constants, pre_image, modified_before, conflicts: attributes([("a", 1)]) };
    OpenIntent { intent, lease }
}

/// The possible states of the store, the ordinary row first.
pub(crate) fn stores() -> Answers<Loaded> {
    let busy = |lease| Some(open(OTHER, WriteKind::Update, lease));
    vec![
        ("a row", row()),
        ("nothing", Loaded::default()),
        ("gone", tombstone(TombstoneReason::Gone)),
        ("left", tombstone(TombstoneReason::LeftModel)),
        ("an older program's row", narrow()),
        ("another mapping's row", others()),
        ("a row in quarantine", Loaded { quarantined: true, ..others_too() }),
        ("nothing, in quarantine", Loaded { quarantined: true, ..Loaded::default() }),
        ("a row, an update not applied", Loaded { late: late(WriteKind::Update, attributes([("a", 2)])), ..row() }),
        ("a row, a delete not applied", Loaded { late: late(WriteKind::Delete, Attributes::new()), ..row() }),
        (
            "nothing, a create not applied",
            Loaded { late: late(WriteKind::Create, attributes([("a", 2)])), ..Loaded::default() },
        ),
        ("a row, a write under way", Loaded { intent: busy(LeaseState::Active { left_ms: 30 }), ..row() }),
        ("a row, a write at rest", Loaded { intent: busy(LeaseState::Quiet { left_ms: 0 }), ..row() }),
        ("nothing, a write over", Loaded { intent: busy(LeaseState::Over), ..Loaded::default() }),
        (
            "gone, a delete unanswered",
            Loaded {
                unanswered_delete: Some(UnansweredDelete { operation: OTHER, left_ms: 0 }),
                ..tombstone(TombstoneReason::Gone)
            },
        ),
        (
            "gone, a create not applied",
            Loaded { late: late(WriteKind::Create, attributes([("a", 2)])), ..tombstone(TombstoneReason::Gone) },
        ),
        (
            "gone, an update superseded and a delete not applied",
            Loaded {
                late: [late(WriteKind::Delete, Attributes::new()), late(WriteKind::Update, attributes([("a", 2)]))]
                    .concat(),
                ..tombstone(TombstoneReason::Gone)
            },
        ),
    ]
}

/// What CDMS can return, the record as stored first.
pub(crate) fn sights() -> Answers<Fetched<String>> {
    vec![
        ("equal", shown(10, THEIRS, [])),
        ("newer", shown(12, THEIRS, [("a", 2)])),
        ("newer in what is joined", shown(12, THEIRS, [("b2", 7), ("c", 6)])),
        ("changed at the same time", shown(10, OURS, [("a", 2)])),
        ("only its time newer", shown(12, THEIRS, [])),
        ("only its user other", shown(10, OURS, [])),
        ("a little older", shown(8, THEIRS, [])),
        ("a little older and changed", shown(8, THEIRS, [("a", 2)])),
        ("older", shown(7, THEIRS, [("a", 2)])),
        ("none of the model's", shown(12, THEIRS, [("k", 0), ("a", 2)])),
        ("what no model holds", shown(12, THEIRS, [("a", UNREADABLE)])),
        ("unreadable", Fetched::Unreadable("not a number".into())),
        ("gone", Fetched::Gone),
        ("read refused", Fetched::Refused("no privilege".into())),
        ("CDMS down", Fetched::Unavailable("down".into())),
        ("another CDMS", Fetched::Misconfigured("another organisation".into())),
    ]
}

/// What a response of CDMS with this status and body means for a write.
pub(crate) fn reply(write: Write, status: u16, body: Body<Created<String>>) -> Answer<String> {
    Answer::Reply(outcome(write, status, body))
}

fn refused(write: Write, status: u16, code: Option<i32>) -> Answer<String> {
    reply(write, status, Body::Refusal(refusal(status, code, "no")))
}

pub(crate) fn deadlock(write: Write) -> Answer<String> {
    refused(write, 500, Some(-2_147_204_784))
}

pub(crate) fn login_lost() -> Answer<String> {
    Answer::LoginLost("401".into())
}

/// The answers to a write, other than the ordinary one.
pub(crate) fn troubles(write: Write) -> Answers<Answer<String>> {
    vec![
        ("not sent", Answer::NotSent("no connection".into())),
        ("lost", Answer::Lost("reset".into())),
        ("refused", refused(write, 400, None)),
        ("no such record", refused(write, 404, Some(-2_147_220_969))),
        ("taken", refused(write, 500, Some(-2_147_220_937))),
        ("deadlock", deadlock(write)),
        ("an unexpected error", refused(write, 500, Some(-2_147_220_970))),
        ("too large for the web server", reply(write, 413, Body::Other("an HTML page".into()))),
        ("login lost", login_lost()),
        ("a proxy's page", reply(write, 502, Body::Other("an HTML page".into()))),
    ]
}
