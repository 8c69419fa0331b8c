//! Verbose JSON: records read directly into attributes, and request bodies.

mod read;
mod value;
mod write;

use crate::Attributes;
pub use crate::dialect::{ReadError, Shape};

pub use read::{read_page, read_record};
pub use write::write_record;

/// A page of a list as it appears in JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPage {
    /// The records; one that cannot be read does not affect the others.
    pub records: Vec<Result<Attributes, ReadError>>,
    /// The address of the next page.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde_json::Value as Json;
    use uuid::Uuid;

    use super::*;
    use crate::{Instant, Kind, Reference, Value};

    fn one(kind: Kind, json: &str) -> Result<Value, ReadError> {
        let body = format!(r#"{{"d":{{"__metadata":{{"uri":"x"}},"Other":[1],"A":{json}}}}}"#);
        read_record(body.as_bytes(), &[("A", kind)]).map(|mut attributes| attributes.remove("A").unwrap())
    }

    #[test]
    fn the_order_of_a_record_before_does_not_matter() {
        let long: &Shape = &[("A", Kind::Integer), ("B", Kind::Integer), ("C", Kind::Integer)];
        let short: &Shape = &[("B", Kind::Integer), ("D", Kind::Integer)];
        let records = [
            (long, r#""A":1,"B":2,"C":3"#, "A 1, B 2, C 3"),
            (long, r#""C":3,"A":1,"B":2"#, "A 1, B 2, C 3"),
            (short, r#""D":4,"B":2"#, "B 2, D 4"),
            (long, r#""X":[],"C":9,"C":3,"C":3,"C":3,"B":2,"A":1,"B":7"#, "A 1, B 7, C 3"),
            (short, r#""A":1,"B":2,"C":3,"D":4"#, "B 2, D 4"),
            (long, r#""C":null,"B":2,"A":"no number""#, "none"),
            (long, r#""B":2,"A":1"#, "none"),
        ];
        // Each record after each other.
        for (before, (shape, members, expected)) in records.iter().flat_map(|before| records.map(|now| (before, now))) {
            let read = |shape, members: &str| read_record(format!(r#"{{"d":{{{members}}}}}"#).as_bytes(), shape);
            _ = read(before.0, before.1);
            let read = read(shape, members).map_or("none".to_owned(), |attributes| {
                let number = |(name, value): (&str, &Value)| match value {
                    Value::Integer(number) => format!("{name} {number}"),
                    other => format!("{name} {other:?}"),
                };
                attributes.iter().map(number).collect::<Vec<_>>().join(", ")
            });
            assert_eq!(read, expected, "{members} after {}", before.1);
        }
    }

    #[test]
    fn every_form_reads_and_writes_back() {
        let id = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
        let guid = Uuid::parse_str(id).unwrap();
        let rows = [
            (Kind::String, r#""Acme""#.to_owned(), Value::text("Acme")),
            (Kind::String, r#""""#.to_owned(), Value::Null),
            (Kind::Integer, "-500".to_owned(), Value::Integer(-500)),
            (Kind::BigInt, r#""9223372036854775807""#.to_owned(), Value::BigInt(i64::MAX)),
            (Kind::BigInt, r#""1\u0030""#.to_owned(), Value::BigInt(10)),
            (Kind::Decimal, r#""\u0031.5""#.to_owned(), Value::Decimal("1.5".parse().unwrap())),
            (Kind::Decimal, r#""0.1000000000""#.to_owned(), Value::Decimal("0.1".parse().unwrap())),
            (Kind::Decimal, "79228162514264337593543950335".to_owned(), Value::Decimal(Decimal::MAX)),
            (Kind::Double, "0.1".to_owned(), Value::Double(0.1)),
            (Kind::Boolean, "false".to_owned(), Value::Boolean(false)),
            (Kind::DateTime, r#""\/Date(1472338800000)\/""#.to_owned(), Value::Instant(Instant(1_472_338_800_000))),
            (Kind::DateTime, r#""/Date(-1000)/""#.to_owned(), Value::Instant(Instant(-1000))),
            (Kind::Guid, format!("\"{}\"", id.to_uppercase()), Value::Guid(guid)),
            (Kind::Money, r#"{"__metadata":{},"Value":"5000000.0000"}"#.to_owned(), Value::Money(5_000_000.into())),
            (Kind::Money, r#"{"Value":null}"#.to_owned(), Value::Null),
            (Kind::Choice, r#"{"Value":7}"#.to_owned(), Value::Choice(7)),
            (Kind::State, r#"{"Value":null}"#.to_owned(), Value::Null),
            (
                Kind::Lookup,
                format!(r#"{{"Id":"{id}","LogicalName":"Account","Name":"A Ltd"}}"#),
                Value::Lookup(Reference { logical_name: "account".into(), id: guid }),
            ),
            (Kind::Lookup, r#"{"Id":null,"LogicalName":null,"Name":null}"#.to_owned(), Value::Null),
            (Kind::Lookup, r#"{"Id":null,"LogicalName":"account"}"#.to_owned(), Value::Null),
            (Kind::Lookup, "null".to_owned(), Value::Null),
        ];
        for (kind, json, expected) in rows {
            assert_eq!(one(kind, &json).unwrap(), expected, "{kind} {json}");
            let body = write_record([("A", kind, &expected)]).unwrap();
            let written: Json = serde_json::from_slice(&body).unwrap();
            assert_eq!(one(kind, &written["A"].to_string()).unwrap(), expected, "{kind} {written}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_refused_by_name_and_without_the_value() {
        for (kind, json) in [
            (Kind::Guid, r#""not-a-guid""#),
            (Kind::Integer, "1.5"),
            (Kind::Integer, "4294967296"),
            (Kind::Boolean, r#""true""#),
            (Kind::DateTime, r#""2016-06-15""#),
            (Kind::DateTime, r#""/Date()/""#),
            (Kind::Money, r#""5""#),
            (Kind::Money, r#"{"Value":"x"}"#),
            (Kind::Choice, "7"),
            (Kind::Lookup, r#"{"Id":"6f9619ff-8b86-d011-b42d-00c04fc964ff","LogicalName":null}"#),
            (Kind::Lookup, r#"{"Id":"x","LogicalName":"account"}"#),
            (Kind::Double, r#""NaN""#),
            (Kind::Lookup, "{}"),
            (Kind::Lookup, r#"{"__deferred":{"uri":"x"}}"#),
            (Kind::Decimal, r#""1_000""#),
            (Kind::DateTime, r#""/Date(1+x)/""#),
            (Kind::Guid, r#""{6f9619ff-8b86-d011-b42d-00c04fc964ff}""#),
            (Kind::String, r#""\ud800""#),
            (Kind::Integer, "1.0"),
            (Kind::Money, r#"["5.0"]"#),
            (Kind::Money, r#"{"Value":null,"Value":"5"}"#),
            (Kind::Choice, r#"{"Value":"5"}"#),
            (Kind::Lookup, r#"["6f9619ff-8b86-d011-b42d-00c04fc964ff","account"]"#),
            (Kind::Lookup, r#"{"Id":null,"LogicalName":5}"#),
        ] {
            let error = one(kind, json).unwrap_err();
            assert!(matches!(&error, ReadError::Value { attribute: "A", .. }), "{kind} {json}: {error:?}");
            assert!(!error.to_string().contains("not-a-guid"), "{error}");
        }
    }

    #[test]
    fn a_decimal_with_an_exponent_is_read_to_the_last_digit_or_not_at_all() {
        for (json, expected) in [
            ("1e5", Some("100000")),
            ("-1.5E3", Some("-1500")),
            ("\"12.50e+1\"", Some("125")),
            ("1.5e-27", Some("0.0000000000000000000000000015")),
            ("7.9228162514264337593543950335e28", Some("79228162514264337593543950335")),
            ("0e99", Some("0")),
            ("1e29", None),
            ("1e-29", None),
            ("0.00000000000000000000000951999999999999e0", None),
            ("1.00000000000000000000000000001e1", None),
            ("1e99999999999", None),
            ("1e2147483647", None),
            ("1e-2147483648", None),
        ] {
            let expected = expected.map(|number| Value::Decimal(number.parse().unwrap()));
            assert_eq!(one(Kind::Decimal, json).ok(), expected, "{json}");
        }
    }

    #[test]
    fn a_refusal_tells_the_form() {
        for (json, form) in [
            (r#""x""#, "a string"),
            (r#"{"x":1}"#, "an object"),
            ("[1]", "an array"),
            ("true", "a Boolean"),
            ("false", "a Boolean"),
            ("1.5", "a number"),
        ] {
            let error = one(Kind::Integer, json).unwrap_err();
            assert_eq!(error.to_string(), format!("the attribute `A` must be of kind integer, CDMS returned {form}"));
        }
    }

    #[test]
    fn an_offset_does_not_move_the_instant() {
        assert_eq!(one(Kind::DateTime, r#""/Date(1000+0100)/""#).unwrap(), Value::Instant(Instant(1000)));
        assert_eq!(one(Kind::DateTime, r#""/Date(-1000-0100)/""#).unwrap(), Value::Instant(Instant(-1000)));
    }

    #[test]
    fn responses_without_a_record_have_different_errors() {
        let shape: &Shape = &[("A", Kind::String)];
        let error = |body: &str| read_record(body.as_bytes(), shape).unwrap_err();
        assert!(matches!(error("<html>"), ReadError::NotJson { .. }));
        assert!(matches!(error(r#"{"d":{"A":"x""#), ReadError::NotJson { .. }));
        assert!(matches!(error(r#"{"error":{}}"#), ReadError::NotARecord { .. }));
        assert!(matches!(error(r#"{"d":{"A":1,"#), ReadError::NotJson { .. }));
        assert!(matches!(error(r#"{"d":[]}"#), ReadError::NotARecord { .. }));
        for list in [r#"[{"A":"x"}]"#, r#" [{"A":"x"},{"A":"y"}]"#, "5"] {
            assert!(matches!(error(list), ReadError::NotARecord { .. }), "{list}");
        }
        assert!(matches!(error("5 x"), ReadError::NotJson { .. }));
        assert!(matches!(error(r#"{"d":{"A":"x"},"d":{"A":"x"}}"#), ReadError::NotARecord { .. }));
        assert!(matches!(error(r#"{"d":{"A":"x","\ud800":1}}"#), ReadError::NotARecord { .. }));
        let list = read_page(br#"[[{"A":"x"}]]"#, shape).unwrap_err();
        assert!(matches!(list, ReadError::NotARecord { .. }));
        assert_eq!(error(r#"{"d":{"B":"x"}}"#), ReadError::Missing { attribute: "A" });
    }

    #[test]
    fn a_value_of_another_kind_is_reported_before_other_errors() {
        let shape: &Shape = &[("A", Kind::String), ("B", Kind::String)];
        for record in [r#"{"B":1}"#, r#"{"A":"x","B":1,"B":"y"}"#, r#"{"A":"x","B":"y","B":1}"#] {
            let error = read_record(format!(r#"{{"d":{record}}}"#).as_bytes(), shape).unwrap_err();
            assert!(matches!(error, ReadError::Value { attribute: "B", .. }), "{record}: {error}");
            let page = read_page(format!(r#"{{"d":[{record}]}}"#).as_bytes(), shape).unwrap();
            assert_eq!(page.records, [Err(error)]);
        }
    }

    #[test]
    fn a_page_keeps_its_good_records() {
        let body = br#"{"d":{"results":[{"A":"x"},{"A":1},{"A":null}],"__next":"https://next"}}"#;
        let page = read_page(body, &[("A", Kind::String)]).unwrap();
        assert_eq!(page.next.as_deref(), Some("https://next"));
        assert_eq!(page.records[0].as_ref().unwrap().get("A"), Some(&Value::text("x")));
        assert!(page.records[1].is_err());
        assert_eq!(page.records[2].as_ref().unwrap().get("A"), Some(&Value::Null));
        assert_eq!(read_page(br#"{"d":[]}"#, &[]).unwrap(), JsonPage { records: Vec::new(), next: None });
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_sent() {
        let error = write_record([("A", Kind::Boolean, &Value::Integer(1))]).unwrap_err();
        assert_eq!(error.to_string(), "the attribute `A` is of kind boolean and cannot be sent as integer");
        // JSON has no such numbers, and null would clear the attribute.
        for number in [f64::NAN, f64::INFINITY] {
            assert!(write_record([("A", Kind::Double, &Value::Double(number))]).is_err());
        }
    }
}
