//! The settling table and the merge, row by row, in isolation.

use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_protocol::{
    Decoded, Intent, Mapping, Merged, OperationId, Record, Values, Verdict, WriteKind, merge, verdict,
};
use uuid::Uuid;

const OURS: Uuid = Uuid::from_u128(1);
const THEIRS: Uuid = Uuid::from_u128(2);

fn attributes<const COUNT: usize>(pairs: [(&'static str, i32); COUNT]) -> Attributes {
    pairs.into_iter().map(|(name, number)| (name, Value::Integer(number))).collect()
}

fn record(modified: i64, by: Uuid, values: Attributes) -> Record {
    let facts = Facts { modified: Instant(modified), created: None, modified_by: Some(by) };
    Record { facts, attributes: values }
}

fn intent(write: WriteKind, patch: Attributes, pre_image: Attributes) -> Intent {
    Intent {
        operation: OperationId(Uuid::from_u128(3)),
        write,
        patch,
        constants: Attributes::new(),
        pre_image,
        modified_before: Some(Instant(10)),
        conflicts: Attributes::new(),
    }
}

fn superseded(names: &[&str]) -> Option<Verdict> {
    Some(Verdict::Superseded { attributes: names.iter().map(ToString::to_string).collect() })
}

#[test]
fn an_update_settles_by_its_evidence() {
    use Verdict::{Applied, NotApplied};
    let update = intent(WriteKind::Update, attributes([("a", 2), ("b", 2)]), attributes([("a", 1), ("b", 1)]));
    let both = attributes([("a", 2), ("b", 2)]);
    let neither = attributes([("a", 1), ("b", 1)]);
    let rows = [
        // All evidence as patched, time moved, by our user: at once.
        (record(11, OURS, both.clone()), Some(OURS), Some(Applied), Some(Applied)),
        // The same without one of these three signs: after the quiet period.
        (record(11, THEIRS, both.clone()), Some(OURS), None, Some(Applied)),
        (record(11, OURS, both.clone()), None, None, Some(Applied)),
        (record(10, OURS, both), Some(OURS), None, Some(Applied)),
        // None as before, one as patched: CDMS adjusted the other.
        (record(11, OURS, attributes([("a", 2), ("b", 3)])), Some(OURS), None, Some(Applied)),
        // All as before.
        (record(10, THEIRS, neither.clone()), Some(OURS), None, Some(NotApplied)),
        (record(11, OURS, neither), Some(OURS), None, Some(NotApplied)),
        // Anything else.
        (record(11, THEIRS, attributes([("a", 2), ("b", 1)])), Some(OURS), None, superseded(&["b"])),
        (record(11, THEIRS, attributes([("a", 3), ("b", 1)])), Some(OURS), None, superseded(&["a", "b"])),
        (record(11, THEIRS, attributes([("a", 3), ("b", 3)])), Some(OURS), None, superseded(&["a", "b"])),
    ];
    for (record, user, at_once, later) in rows {
        assert_eq!(verdict(&update, Some(&record), user, false), at_once, "at once: {record:?}");
        assert_eq!(verdict(&update, Some(&record), user, true), later, "after the quiet period: {record:?}");
    }
    assert_eq!(verdict(&update, None, Some(OURS), false), None);
    // Without evidence there is no verdict at once.
    let same = intent(WriteKind::Update, attributes([("a", 1)]), attributes([("a", 1)]));
    let moved = record(11, OURS, attributes([("a", 1)]));
    assert_eq!(verdict(&same, Some(&moved), Some(OURS), false), None);
    assert_eq!(verdict(&same, Some(&moved), Some(OURS), true), Some(Applied));
    assert_eq!(verdict(&update, None, Some(OURS), true), superseded(&[]));
}

#[test]
fn what_cdms_makes_of_a_value_is_evidence_of_it() {
    let money = |text: &str| Value::Money(text.parse().expect("a number"));
    let values = |name: &str, amount: &str| Attributes::from([("a", Value::text(name)), ("b", money(amount))]);
    let update = intent(WriteKind::Update, values("Acme Ltd ", "10.0051"), values("Acme", "1"));
    let adjusted = record(11, OURS, values("Acme Ltd", "10.01"));
    assert_eq!(verdict(&update, Some(&adjusted), Some(OURS), false), Some(Verdict::Applied));
    let another = record(11, OURS, values("Acme Limited", "10.02"));
    assert_eq!(verdict(&update, Some(&another), Some(OURS), true), superseded(&["a", "b"]));
    let half = record(11, OURS, values("Acme Ltd", "1"));
    assert_eq!(verdict(&update, Some(&half), Some(OURS), true), superseded(&["b"]), "the adjusted one is shown");
    // If CDMS turns a new value into the old one, the other attributes decide.
    let patch = Attributes::from([("a", Value::text("Acme ")), ("b", money("2"))]);
    let beside = intent(WriteKind::Update, patch, values("Acme", "1"));
    let applied = record(11, OURS, values("Acme", "2"));
    assert_eq!(verdict(&beside, Some(&applied), Some(OURS), false), Some(Verdict::Applied));
    let not_applied = record(10, THEIRS, values("Acme", "1"));
    assert_eq!(verdict(&beside, Some(&not_applied), Some(OURS), true), Some(Verdict::NotApplied));
    // The old value stays the old value, although it is also what CDMS would make of the new one.
    let blank = intent(WriteKind::Update, values("Acme ", "1"), values("Acme", "1"));
    let before = record(10, THEIRS, values("Acme", "1"));
    assert_eq!(verdict(&blank, Some(&before), Some(OURS), true), Some(Verdict::NotApplied));
}

#[test]
fn what_the_patch_left_equal_is_no_evidence() {
    let update = intent(WriteKind::Update, attributes([("a", 1), ("b", 2)]), attributes([("a", 1), ("b", 1)]));
    let shown = record(11, THEIRS, attributes([("a", 9), ("b", 1)]));
    assert_eq!(verdict(&update, Some(&shown), None, true), Some(Verdict::NotApplied));
}

#[test]
fn creates_and_deletes_settle_by_existence() {
    let there = record(11, THEIRS, Attributes::new());
    let rows = [
        (WriteKind::Create, Some(&there), Some(Verdict::Applied), Some(Verdict::Applied)),
        (WriteKind::Create, None, None, Some(Verdict::NotApplied)),
        (WriteKind::Delete, None, Some(Verdict::Applied), Some(Verdict::Applied)),
        (WriteKind::Delete, Some(&there), None, Some(Verdict::NotApplied)),
    ];
    for (write, record, at_once, later) in rows {
        let intent = intent(write, Attributes::new(), Attributes::new());
        assert_eq!(verdict(&intent, record, Some(OURS), false), at_once, "{write}");
        assert_eq!(verdict(&intent, record, Some(OURS), true), later, "{write}");
    }
}

/// Three plain fields, and one that joins two attributes as `high * 10 + low`.
#[derive(Clone)]
struct Plain;

const NAMES: [&str; 3] = ["a", "b", "read_only"];

fn number(values: &Attributes, name: &str) -> Result<i32, String> {
    match values.get(name) {
        Some(Value::Integer(number)) => Ok(*number),
        other => Err(format!("{name} is {other:?}")),
    }
}

impl Mapping for Plain {
    type Fault = String;

    fn tag(&self) -> u64 {
        1
    }

    fn knows(&self, attribute: &str) -> bool {
        NAMES.contains(&attribute) || ["high", "low"].contains(&attribute)
    }

    fn includes(&self, _: &Attributes) -> bool {
        true
    }

    fn decode(&self, _: &Facts, values: &Attributes) -> Result<Values, String> {
        (0..=NAMES.len()).map(|field| self.decode_field(field, values)).collect()
    }

    fn decode_field(&self, field: usize, values: &Attributes) -> Result<Value, String> {
        let value = match NAMES.get(field) {
            Some(name) => number(values, name)?,
            None => number(values, "high")? * 10 + number(values, "low")?,
        };
        Ok(Value::Integer(value))
    }

    fn updatable(&self) -> Vec<usize> {
        vec![0, 1, 3]
    }

    fn encode(&self, field: usize, value: &Value, _: &Attributes) -> Result<Attributes, String> {
        let Value::Integer(number) = *value else { return Err("not a number".into()) };
        Ok(match NAMES.get(field) {
            Some(name) => Attributes::from([(*name, value.clone())]),
            None => attributes([("high", number / 10), ("low", number % 10)]),
        })
    }

    fn attributes_of(&self, field: usize) -> Vec<&str> {
        NAMES.get(field).map_or_else(|| vec!["high", "low"], |name| vec![*name])
    }

    fn encode_new(&self, _: &[Value]) -> Result<Attributes, String> {
        Ok(Attributes::new())
    }

    fn forbidden(&self, reason: &str) -> String {
        reason.to_owned()
    }

    fn constants(&self) -> Attributes {
        Attributes::new()
    }
}

fn base() -> Attributes {
    attributes([("a", 1), ("b", 1), ("read_only", 1), ("high", 1), ("low", 1)])
}

/// CDMS's facts about a record, which no field of the model shows.
const FACTS: Facts = Facts { modified: Instant(0), created: None, modified_by: None };

fn merged(base: &Attributes, mine: &[Value], current: &Attributes) -> Result<Merged, String> {
    let now = Plain.decode(&FACTS, current)?;
    // A field that an older mapping did not know has a placeholder value.
    let before: Vec<_> = (0..=NAMES.len()).map(|at| Plain.decode_field(at, base).unwrap_or_default()).collect();
    let (base, current) = (Decoded { seen: base, values: &before }, Decoded { seen: current, values: &now });
    merge(&Plain, base, mine, current)
}

fn with<const COUNT: usize>(changes: [(&'static str, i32); COUNT]) -> Attributes {
    let mut values = base();
    values.merge(&attributes(changes));
    values
}

fn row(numbers: [i32; 4]) -> Vec<Value> {
    numbers.into_iter().map(Value::Integer).collect()
}

#[test]
fn both_sides_changes_survive() {
    let both = merged(&base(), &row([2, 1, 1, 11]), &with([("b", 5)])).unwrap();
    assert_eq!(both.patch, attributes([("a", 2)]));
    assert_eq!(both.values, row([2, 5, 1, 11]));
    assert!(both.conflicts.is_empty());
}

#[test]
fn equal_values_are_no_conflict_and_no_request() {
    let both = merged(&base(), &row([2, 1, 1, 11]), &with([("a", 2)])).unwrap();
    assert!(both.patch.is_empty() && both.conflicts.is_empty());
    // A field that the caller did not change is not a change, whatever CDMS made of it.
    let both = merged(&base(), &row([1, 1, 1, 11]), &with([("a", 7)])).unwrap();
    assert!(both.patch.is_empty() && both.conflicts.is_empty());
    assert_eq!(both.values, row([7, 1, 1, 11]));
}

#[test]
fn the_last_writer_wins_and_the_other_value_is_kept() {
    let both = merged(&base(), &row([2, 1, 1, 11]), &with([("a", 3)])).unwrap();
    assert_eq!((both.conflicts, both.patch), (vec![0], attributes([("a", 2)])));
    assert_eq!(both.overwritten, attributes([("a", 3)]));
}

#[test]
fn a_joined_field_sends_what_differs_but_all_of_it_in_a_conflict() {
    let both = merged(&base(), &row([1, 1, 1, 12]), &base()).unwrap();
    assert_eq!(both.patch, attributes([("low", 2)]));
    // CDMS changed 11 to 21, the caller to 12: the result must not be a value that no one entered, such as 22.
    let both = merged(&base(), &row([1, 1, 1, 12]), &with([("high", 2)])).unwrap();
    assert_eq!(both.patch, attributes([("high", 1), ("low", 2)]));
    assert_eq!(both.overwritten, attributes([("high", 2)]));
}

#[test]
fn what_is_not_written_is_not_sent() {
    let both = merged(&base(), &row([1, 1, 9, 11]), &base()).unwrap();
    assert!(both.patch.is_empty());
}

#[test]
fn what_the_base_does_not_know_counts_as_unchanged() {
    let mut old = base();
    old.remove("b");
    let both = merged(&old, &row([2, 5, 1, 11]), &with([("b", 5)])).unwrap();
    assert_eq!(both.patch, attributes([("a", 2)]));
}
