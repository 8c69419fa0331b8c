//! The canonical form of values, in which the hub's database keeps them: these texts never change.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap what the tests made themselves")]

use cdms_odata::{Attributes, Instant, Reference, Value};
use chrono::{DateTime, Utc};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(7);

/// Each form with its name, canonical JSON and text for people.
fn forms() -> Vec<(Value, &'static str, &'static str, &'static str)> {
    let decimal = |text: &str| text.parse().unwrap();
    vec![
        (Value::Null, "null", "null", "null"),
        (Value::text("a \"b\""), "text", r#""a \"b\"""#, r#""a \"b\"""#),
        (Value::Integer(-3), "integer", "-3", "-3"),
        (Value::Integer(3), "integer", "3", "3"),
        (Value::BigInt(i64::MIN), "64-bit integer", r#"{"bigint":"-9223372036854775808"}"#, "-9223372036854775808"),
        (Value::Decimal(decimal("1.50")), "decimal", r#"{"decimal":"1.5"}"#, "1.50"),
        (Value::Money(decimal("2.000")), "money", r#"{"money":"2"}"#, "2.000"),
        (Value::Double(0.1), "double", r#"{"double":0.1}"#, "0.1"),
        (Value::Boolean(true), "boolean", "true", "true"),
        (Value::Instant(Instant(-1)), "instant", r#"{"instant":-1}"#, "1969-12-31T23:59:59.999Z"),
        (Value::Date("2016-06-15".parse().unwrap()), "date", r#"{"date":"2016-06-15"}"#, "2016-06-15"),
        (
            Value::Guid(ID),
            "GUID",
            r#"{"guid":"00000000-0000-0000-0000-000000000007"}"#,
            "00000000-0000-0000-0000-000000000007",
        ),
        (Value::Choice(4), "choice", r#"{"choice":4}"#, "4"),
        (
            Value::Lookup(Reference { logical_name: "account".into(), id: ID }),
            "lookup",
            r#"{"lookup":["account","00000000-0000-0000-0000-000000000007"]}"#,
            "account 00000000-0000-0000-0000-000000000007",
        ),
    ]
}

#[test]
fn every_form_has_one_text_for_machines_and_one_for_people() {
    for (value, form, json, text) in forms() {
        assert_eq!(value.form(), form);
        assert_eq!(value.to_string(), text);
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), value);
        assert_eq!(value.is_null(), form == "null");
    }
}

#[test]
fn empty_text_is_null_wherever_it_comes_from() {
    assert_eq!(serde_json::from_str::<Value>(r#""""#).unwrap(), Value::Null);
    // A string with an escape cannot be borrowed.
    assert_eq!(serde_json::from_str::<Value>(r#""\n""#).unwrap(), Value::text("\n"));
    assert_eq!(serde_json::from_value::<Value>("".into()).unwrap(), Value::Null);
    assert_eq!(serde_json::from_value::<Value>("x".into()).unwrap(), Value::text("x"));
    assert_eq!(Value::text(""), Value::Null);
}

#[test]
fn other_forms_are_refused() {
    for (json, words) in [
        ("4294967296", "out of range"),
        ("-4294967296", "out of range"),
        ("1.5", "expected a canonical attribute value"),
        ("[]", "expected a canonical attribute value"),
        ("{}", "an empty object"),
        (r#"{"colour":1}"#, "unknown value form \"colour\""),
        (r#"{"bigint":"x"}"#, "invalid digit"),
        (r#"{"guid":"x"}"#, "invalid"),
        (r#"{"date":"2016-02-30"}"#, "out of range"),
    ] {
        let error = serde_json::from_str::<Value>(json).unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
}

#[test]
fn an_instant_is_a_time_in_milliseconds() {
    let time: DateTime<Utc> = "2016-06-15T12:00:00.123999Z".parse().unwrap();
    let instant = Instant::from(time);
    assert_eq!(instant.to_string(), "2016-06-15T12:00:00.123Z");
    assert_eq!(instant.to_utc().map(Instant::from), Some(instant));
    assert_eq!(instant.plus_ms(-123).to_string(), "2016-06-15T12:00:00Z");
    assert_eq!(Instant(i64::MAX).plus_ms(1), Instant(i64::MAX));
    assert_eq!(Instant(i64::MAX).to_utc(), None);
}

#[test]
fn attributes_are_a_map_in_the_order_of_names() {
    let mut attributes: Attributes = [("b", Value::Integer(2)), ("a", Value::Null), ("b", Value::Integer(3))].into();
    assert_eq!(serde_json::to_string(&attributes).unwrap(), r#"{"a":null,"b":3}"#);
    assert_eq!(serde_json::from_str::<Attributes>(r#"{"b":3,"a":null}"#).unwrap(), attributes);
    assert!(serde_json::from_str::<Attributes>("[]").unwrap_err().to_string().contains("attributes by name"));
    assert_eq!((attributes.len(), attributes.is_empty(), Attributes::new().is_empty()), (2, false, true));
    assert!(attributes.contains("a") && !attributes.contains("c"));
    assert_eq!(attributes.insert("a", Value::Integer(1)), Some(Value::Null));
    assert_eq!(attributes.insert("c", Value::Integer(9)), None);
    assert_eq!(attributes.remove("c"), Some(Value::Integer(9)));
    assert_eq!(attributes.remove("c"), None);
    attributes.merge(&[("b", Value::Integer(7)), ("d", Value::Null)].into());
    attributes.retain(|name, value| name == "a" || *value == Value::Integer(7));
    assert_eq!(attributes.iter().collect::<Vec<_>>(), [("a", &Value::Integer(1)), ("b", &Value::Integer(7))]);
    assert_eq!(attributes.names().collect::<Vec<_>>(), ["a", "b"]);
}
