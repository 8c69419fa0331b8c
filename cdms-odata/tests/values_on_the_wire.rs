//! Whatever is written reads back as the same value, and damaged responses are errors, never panics.
//!
//! The values are random, from a seed that the tests print; `DATAHUB_SEED=n` repeats a run.
#![cfg(feature = "client")]
#![allow(clippy::print_stdout, reason = "a failing test must show its seed")]
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap what the tests wrote themselves")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use cdms_odata::crm2011::json::{ReadError, read_page, read_record, write_record};
use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use uuid::Uuid;

/// SplitMix64, whose only state is a counter.
struct Dice(u64);

impl Dice {
    fn thrown() -> Dice {
        let chosen = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = chosen.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
        println!("DATAHUB_SEED={seed} repeats the same values");
        Dice(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// A number of any magnitude: small numbers are as frequent as large ones, and the extremes occur.
    fn number(&mut self) -> i64 {
        match self.below(20) {
            0 => i64::MIN,
            1 => i64::MAX,
            _ => (self.bits() as i64) >> self.below(64),
        }
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.bits(), self.bits())
    }

    fn decimal(&mut self) -> Decimal {
        let digits = (i128::from(self.number()) << 31) ^ i128::from(self.number());
        Decimal::from_i128_with_scale(digits, self.below(29) as u32)
    }

    fn text(&mut self) -> String {
        const SIGNS: [char; 20] = [
            'a', 'Z', ' ', '"', '\\', '/', '\n', '\r', '\t', '\0', '\u{1f}', '\u{7f}', 'é', '£', '京', '\u{2028}',
            '😀', '\u{feff}', '\'', '&',
        ];
        (0..=self.below(12)).map(|_| SIGNS[self.below(SIGNS.len())]).collect()
    }

    fn double(&mut self) -> f64 {
        loop {
            let number = f64::from_bits(self.bits());
            if number.is_finite() {
                return number;
            }
        }
    }

    fn value(&mut self, kind: Kind) -> Value {
        if self.below(8) == 0 {
            return Value::Null;
        }
        match kind {
            Kind::String => Value::text(self.text()),
            Kind::Integer => Value::Integer((self.number() >> 32) as i32),
            Kind::BigInt => Value::BigInt(self.number()),
            Kind::Decimal => Value::Decimal(self.decimal()),
            Kind::Double => Value::Double(self.double()),
            Kind::Money => Value::Money(self.decimal()),
            Kind::Boolean => Value::Boolean(self.below(2) == 0),
            Kind::DateTime | Kind::Date => Value::Instant(Instant(self.number())),
            Kind::Guid => Value::Guid(self.id()),
            Kind::Choice | Kind::State | Kind::Status => Value::Choice((self.number() >> 32) as i32),
            Kind::Lookup => Value::Lookup(Reference { logical_name: "account".into(), id: self.id() }),
        }
    }
}

/// One attribute of every kind, named after it.
fn shape() -> Vec<(&'static str, Kind)> {
    let mut shape: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind.name(), kind)).collect();
    shape.sort_unstable();
    shape
}

fn random_record(dice: &mut Dice, shape: &[(&'static str, Kind)]) -> Attributes {
    shape.iter().map(|(name, kind)| (*name, dice.value(*kind))).collect()
}

/// The members of a record as the client writes them, each as its own text: through `serde_json::Value`, some doubles
/// would become their neighbours.
fn written(record: &Attributes, shape: &[(&'static str, Kind)]) -> BTreeMap<String, Box<RawValue>> {
    let values = shape.iter().map(|(name, kind)| (*name, *kind, record.get(name).unwrap()));
    serde_json::from_slice(&write_record(values).unwrap()).unwrap()
}

/// A written record as a server returns it: with additional members, escaped slashes, and GUIDs in upper case.
fn as_answered(written: BTreeMap<String, Box<RawValue>>) -> String {
    let mut members = vec![r#""__metadata":{"uri":"https://crm/(guid'1')"}"#.to_owned()];
    for (name, value) in written {
        let value = match value.get().strip_prefix('{') {
            Some(complex) => format!(r#"{{"__metadata":{{"type":"X"}},"Other":"members",{complex}"#),
            None if name == Kind::Guid.name() && value.get() != "null" => value.get().to_uppercase(),
            None => value.get().to_owned(),
        };
        members.push(format!("{name:?}:{value}"));
    }
    members.push(r#""contact_customer_accounts":{"__deferred":{"uri":"https://crm"}}"#.to_owned());
    format!("{{{}}}", members.join(",")).replace('/', "\\/")
}

#[test]
fn what_is_written_reads_back() {
    let (mut dice, shape) = (Dice::thrown(), shape());
    for round in 0..500 {
        let record = random_record(&mut dice, &shape);
        let body = format!(r#"{{"d":{}}}"#, as_answered(written(&record, &shape)));
        assert_eq!(read_record(body.as_bytes(), &shape).as_ref(), Ok(&record), "round {round}: {body}");
    }
}

#[test]
fn a_double_keeps_its_last_bit_in_the_canonical_form() {
    let mut dice = Dice::thrown();
    for _ in 0..20_000 {
        let number = dice.double();
        let text = serde_json::to_string(&Value::Double(number)).unwrap();
        let Value::Double(read) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        assert_eq!(read.to_bits(), number.to_bits(), "{number} as {text}");
    }
}

#[test]
fn a_page_reads_like_its_records() {
    let (mut dice, shape) = (Dice::thrown(), shape());
    let records: Vec<_> = (0..50).map(|_| random_record(&mut dice, &shape)).collect();
    let rows: Vec<_> = records.iter().map(|record| as_answered(written(record, &shape))).collect();
    let body = format!(r#"{{"d":{{"results":[{}],"__next":"https://crm/next"}}}}"#, rows.join(","));
    let page = read_page(body.as_bytes(), &shape).unwrap();
    assert_eq!(page.next.as_deref(), Some("https://crm/next"));
    assert_eq!(page.records, records.into_iter().map(Ok).collect::<Vec<_>>());
}

#[test]
fn the_order_of_members_does_not_matter() {
    let (mut dice, shape) = (Dice::thrown(), shape());
    for _ in 0..100 {
        let record = random_record(&mut dice, &shape);
        let members = written(&record, &shape).into_iter();
        let mut members: Vec<_> = members.map(|(name, value)| format!("{name:?}:{value}")).collect();
        for end in (1..members.len()).rev() {
            members.swap(end, dice.below(end + 1));
        }
        let body = format!(r#"{{"d":{{{}}}}}"#, members.join(","));
        assert_eq!(read_record(body.as_bytes(), &shape).as_ref(), Ok(&record), "{body}");
    }
}

#[test]
fn a_truncated_response_is_not_valid_json() {
    let (mut dice, shape) = (Dice::thrown(), shape());
    let body = format!(r#"{{"d":{}}}"#, as_answered(written(&random_record(&mut dice, &shape), &shape)));
    for end in 0..body.len() {
        let error = read_record(&body.as_bytes()[..end], &shape).unwrap_err();
        assert!(matches!(error, ReadError::NotJson { .. }), "{end} bytes: {error:?}");
    }
}

#[test]
fn a_damaged_response_never_panics_and_never_loses_an_attribute() {
    let (mut dice, shape) = (Dice::thrown(), shape());
    let (mut read, mut refused) = (0, 0);
    for _ in 0..3000 {
        let body = format!(r#"{{"d":{}}}"#, as_answered(written(&random_record(&mut dice, &shape), &shape)));
        let mut bytes = body.into_bytes();
        let at = dice.below(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
        match read_record(&bytes, &shape) {
            Ok(record) => {
                read += 1;
                assert!(record.names().eq(shape.iter().map(|(name, _)| name)));
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 100 && refused > 100, "{read} read and {refused} refused: the damage must cause both");
}

#[test]
fn a_missing_attribute_is_an_error() {
    let (mut dice, shape) = (Dice::thrown(), shape());
    let record = written(&random_record(&mut dice, &shape), &shape);
    for (attribute, _) in &shape {
        let mut without = record.clone();
        without.remove(*attribute);
        let body = serde_json::json!({ "d": without }).to_string();
        assert_eq!(read_record(body.as_bytes(), &shape), Err(ReadError::Missing { attribute }));
    }
}

#[test]
fn a_value_is_sent_only_as_its_own_kind() {
    let (mut dice, shape) = (Dice::thrown(), shape());
    for (_, written_as) in &shape {
        for (_, drawn_for) in &shape {
            let value = std::iter::repeat_with(|| dice.value(*drawn_for)).find(|value| !value.is_null()).unwrap();
            let fits = match written_as {
                Kind::String => matches!(value, Value::Text(_)),
                Kind::Integer => matches!(value, Value::Integer(_)),
                Kind::BigInt => matches!(value, Value::BigInt(_)),
                Kind::Decimal => matches!(value, Value::Decimal(_)),
                Kind::Double => matches!(value, Value::Double(_)),
                Kind::Money => matches!(value, Value::Money(_)),
                Kind::Boolean => matches!(value, Value::Boolean(_)),
                Kind::DateTime | Kind::Date => matches!(value, Value::Instant(_)),
                Kind::Guid => matches!(value, Value::Guid(_)),
                Kind::Choice | Kind::State | Kind::Status => matches!(value, Value::Choice(_)),
                Kind::Lookup => matches!(value, Value::Lookup(_)),
            };
            let sent = write_record([("A", *written_as, &value)]);
            assert_eq!(sent.is_ok(), fits, "{} as {written_as}", value.form());
            if let Err(error) = sent {
                assert_eq!((error.attribute.as_str(), error.kind, error.form), ("A", *written_as, value.form()));
            }
        }
    }
    let date = Value::Date("2016-06-15".parse().unwrap());
    assert!(write_record([("A", Kind::Date, &date)]).is_err(), "a calendar date must first be converted to an instant");
}

#[test]
fn characters_that_need_escaping_are_escaped() {
    let every = (0..=0x24f_u32).chain([0x2028, 0x2029, 0xfeff, 0xffff, 0x1_0000, 0x10_ffff]).filter_map(char::from_u32);
    for letter in every {
        for text in [letter.to_string(), format!("plain {letter} plain"), format!("{letter}{letter}\\ \"")] {
            let reference = Reference { logical_name: text.clone().into(), id: Uuid::nil() };
            let (value, lookup) = (Value::text(text.clone()), Value::Lookup(reference));
            let sent = write_record([(text.as_str(), Kind::String, &value), ("b", Kind::Lookup, &lookup)]).unwrap();
            let json = serde_json::json!(text);
            let expected =
                format!(r#"{{{json}:{json},"b":{{"Id":"{}","LogicalName":{json}}}}}"#, Uuid::nil().hyphenated());
            assert_eq!(String::from_utf8(sent).unwrap(), expected, "{letter:?}");
        }
    }
}

#[test]
fn the_last_of_duplicate_members_wins() {
    let shape = [("A", Kind::Integer), ("B", Kind::String)];
    let read = |body: &str| read_record(body.as_bytes(), &shape);
    let expected = Attributes::from([("A", Value::Integer(2)), ("B", Value::Null)]);
    assert_eq!(read(r#"{"d":{"A":1,"B":"x","A":2,"B":null}}"#), Ok(expected));
    assert_eq!(read(r#"{"d":{"A":1,"A":2}}"#), Err(ReadError::Missing { attribute: "B" }));
}

/// JSON numbers have less than 64 bits, so CDMS takes and returns such an integer as a string (docs/protocol.md, 2.1).
#[test]
fn a_64_bit_integer_is_sent_as_a_string() {
    for number in [0, -1, 9_007_199_254_740_993, i64::MAX, i64::MIN] {
        let body = write_record([("A", Kind::BigInt, &Value::BigInt(number))]).unwrap();
        assert_eq!(String::from_utf8(body).unwrap(), format!("{{\"A\":\"{number}\"}}"));
    }
    let body = write_record([("A", Kind::Integer, &Value::Integer(i32::MIN))]).unwrap();
    assert_eq!(String::from_utf8(body).unwrap(), r#"{"A":-2147483648}"#, "a 32-bit integer is sent as a number");
}
