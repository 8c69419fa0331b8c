//! The JSON verbose form: records read straight into attributes, and request bodies.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{Attributes, Instant, Kind, Reference, Value};

/// The attributes to read from a record, with their kinds, in the order of their names.
pub type Shape = [(&'static str, Kind)];

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The records; one that cannot be read does not spoil the others.
    pub records: Vec<Result<Attributes, ReadError>>,
    /// The address of the next page.
    pub next: Option<String>,
}

/// Why an answer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no JSON.
    #[error("the answer is no JSON: {reason}")]
    NotJson {
        /// What and where.
        reason: String,
    },
    /// It is JSON, but not an answer of this service.
    #[error("the answer is JSON, but not {expected}")]
    NotARecord {
        /// What was expected.
        expected: &'static str,
    },
    /// An attribute that was asked for is not there.
    #[error("the answer lacks the attribute `{attribute}`")]
    Missing {
        /// The attribute.
        attribute: &'static str,
    },
    /// An attribute's value is not of its kind.
    #[error("the attribute `{attribute}` holds {form}, which is no {kind}")]
    Value {
        /// The attribute.
        attribute: &'static str,
        /// Its kind.
        kind: Kind,
        /// What it holds, in words that show no value.
        form: &'static str,
        /// The JSON itself. May hold personal data.
        found: String,
    },
}

/// A value that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the attribute `{attribute}` is of kind {kind} and cannot be sent as {form}")]
pub struct WriteError {
    /// The attribute.
    pub attribute: String,
    /// Its kind.
    pub kind: Kind,
    /// The form of the value given.
    pub form: &'static str,
}

/// Reads one record from `{"d":{…}}`. Attributes outside the shape are skipped without a trace.
///
/// # Errors
///
/// See [`ReadError`].
pub fn read_record(body: &[u8], shape: &Shape) -> Result<Attributes, ReadError> {
    debug_assert!(shape.is_sorted_by_key(|(name, _)| *name), "a shape is in the order of names");
    let envelope: Envelope<'_> = envelope(body, "a record")?;
    record(envelope.d, shape)
}

/// Reads a page of a list from `{"d":{"results":[…],"__next":"…"}}`, or from `{"d":[…]}`, which has no next page.
///
/// # Errors
///
/// An answer that is no page; records that cannot be read are errors of their own inside the page.
pub fn read_page(body: &[u8], shape: &Shape) -> Result<Page, ReadError> {
    #[derive(Deserialize)]
    struct Results<'a> {
        #[serde(borrow)]
        results: Vec<&'a RawValue>,
        #[serde(rename = "__next")]
        next: Option<String>,
    }
    let envelope: Envelope<'_> = envelope(body, "a list")?;
    let raw = envelope.d.get();
    let expected = "a list";
    let results = if raw.starts_with('[') {
        serde_json::from_str(raw).map(|results| Results { results, next: None })
    } else {
        serde_json::from_str(raw)
    };
    let Results { results, next } = results.map_err(|_| ReadError::NotARecord { expected })?;
    Ok(Page { records: results.into_iter().map(|raw| record(raw, shape)).collect(), next })
}

/// Writes a request body. A null is written as its kind needs it: complex kinds with all their members null.
///
/// # Errors
///
/// A value whose form is not that of the attribute's kind.
pub fn write_record<'v>(values: impl IntoIterator<Item = (&'v str, Kind, &'v Value)>) -> Result<Vec<u8>, WriteError> {
    let mut body = Map::new();
    for (name, kind, value) in values {
        let json =
            written(kind, value).ok_or_else(|| WriteError { attribute: name.to_owned(), kind, form: value.form() })?;
        body.insert(name.to_owned(), json);
    }
    // A map of JSON values always serializes.
    Ok(serde_json::to_vec(&Json::Object(body)).unwrap_or_default())
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    d: &'a RawValue,
}

fn envelope<'a>(body: &'a [u8], expected: &'static str) -> Result<Envelope<'a>, ReadError> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ReadError::NotARecord { expected },
        _ => ReadError::NotJson { reason: error.to_string() },
    })
}

fn record(raw: &RawValue, shape: &Shape) -> Result<Attributes, ReadError> {
    let mut fault = None;
    let mut found = vec![None; shape.len()];
    let seed = RecordSeed { shape, found: &mut found, fault: &mut fault };
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let read = seed.deserialize(&mut deserializer);
    if let Some(fault) = fault {
        return Err(fault);
    }
    read.map_err(|_| ReadError::NotARecord { expected: "a record" })?;
    let mut attributes = Vec::with_capacity(shape.len());
    for ((name, _), value) in shape.iter().zip(found) {
        attributes.push((*name, value.ok_or(ReadError::Missing { attribute: name })?));
    }
    Ok(attributes.into_iter().collect())
}

/// Reads an object's members into the places of a shape.
struct RecordSeed<'s> {
    shape: &'s Shape,
    found: &'s mut Vec<Option<Value>>,
    fault: &'s mut Option<ReadError>,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(NameSeed(self.shape))? {
            let Some(place) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let (attribute, kind) = self.shape[place];
            let raw: &RawValue = map.next_value()?;
            match read_value(kind, raw.get()) {
                Some(value) => self.found[place] = Some(value),
                None => {
                    let found = raw.get().to_owned();
                    *self.fault = Some(ReadError::Value { attribute, kind, form: form_of(raw.get()), found });
                    return Err(A::Error::custom("a value is not of its kind"));
                }
            }
        }
        Ok(())
    }
}

/// Finds a member's name in a shape without keeping it.
struct NameSeed<'s>(&'s Shape);

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.binary_search_by(|(known, _)| (*known).cmp(name)).ok())
    }
}

/// The value of a kind in a piece of JSON; `None` when it is something else. Numbers are read from their own text,
/// so that no decimal passes through a float.
fn read_value(kind: Kind, raw: &str) -> Option<Value> {
    if raw == "null" {
        return Some(Value::Null);
    }
    match kind {
        Kind::String => text(raw).map(|text| Value::text(text.into_owned())),
        Kind::Integer => raw.parse().ok().map(Value::Integer),
        Kind::BigInt => number(raw).map(Value::BigInt),
        Kind::Decimal => decimal(raw).map(Value::Decimal),
        Kind::Double => number::<f64>(raw).filter(|number| number.is_finite()).map(Value::Double),
        Kind::Boolean => raw.parse().ok().map(Value::Boolean),
        Kind::DateTime | Kind::Date => instant(&text(raw)?).map(Value::Instant),
        Kind::Guid => guid(&text(raw)?).map(Value::Guid),
        Kind::Money => match member(raw)? {
            None => Some(Value::Null),
            Some(value) => decimal(value.get()).map(Value::Money),
        },
        Kind::Choice | Kind::State | Kind::Status => match member(raw)? {
            None => Some(Value::Null),
            Some(value) => value.get().parse().ok().map(Value::Choice),
        },
        Kind::Lookup => lookup(raw),
    }
}

fn text(raw: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw).ok().map(|text| text.0)
}

fn number<T: FromStr>(raw: &str) -> Option<T> {
    if raw.starts_with('"') { text(raw)?.parse().ok() } else { raw.parse().ok() }
}

/// A GUID in the one form that the service writes: hyphens, no braces.
fn guid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

fn decimal(raw: &str) -> Option<Decimal> {
    let text = if raw.starts_with('"') { text(raw)? } else { Cow::Borrowed(raw) };
    if text.contains('_') {
        return None;
    }
    match text.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(&text).ok(),
        Some((number, power)) => shifted(Decimal::from_str_exact(number).ok()?.normalize(), power.parse().ok()?),
    }
}

/// A number times a power of ten, digit for digit; `None` where a decimal cannot hold it.
fn shifted(number: Decimal, power: i32) -> Option<Decimal> {
    if number.is_zero() {
        return Some(number);
    }
    let scale = i32::try_from(number.scale()).ok()?.checked_sub(power)?;
    let (scale, missing) = (u32::try_from(scale.max(0)).ok()?, u32::try_from(scale.min(0).checked_neg()?).ok()?);
    let mantissa = number.mantissa().checked_mul(10i128.checked_pow(missing)?)?;
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

/// The member `Value` of a complex value: inner `None` for null.
fn member(raw: &str) -> Option<Option<&RawValue>> {
    #[derive(Deserialize)]
    struct Complex<'a> {
        #[serde(borrow, rename = "Value")]
        value: &'a RawValue,
    }
    let value = serde_json::from_str::<Complex<'_>>(raw).ok()?.value;
    Some((value.get() != "null").then_some(value))
}

fn lookup(raw: &str) -> Option<Value> {
    #[derive(Deserialize)]
    struct Complex<'a> {
        #[serde(borrow, rename = "Id")]
        id: &'a RawValue,
        #[serde(borrow, rename = "LogicalName", default)]
        logical_name: Option<Cow<'a, str>>,
    }
    let Complex { id, logical_name } = serde_json::from_str(raw).ok()?;
    if id.get() == "null" {
        return Some(Value::Null);
    }
    let id = text(id.get())?;
    let logical_name = logical_name.filter(|name| !name.is_empty())?.to_ascii_lowercase();
    Some(Value::Lookup(Reference { logical_name, id: guid(&id)? }))
}

/// `/Date(ms)/`; an offset part changes how the time is shown, not which it is (OData v2 JSON).
fn instant(text: &str) -> Option<Instant> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let offset = inner.char_indices().skip(1).find(|(_, sign)| matches!(sign, '+' | '-'));
    let (ms, offset) = offset.map_or((inner, ""), |(at, _)| (&inner[..at], &inner[at + 1..]));
    let offset_is_number = offset.bytes().all(|digit| digit.is_ascii_digit());
    ms.parse().ok().filter(|_| offset_is_number).map(Instant)
}

fn form_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

fn written(kind: Kind, value: &Value) -> Option<Json> {
    let object = |members: &[(&str, Json)]| {
        Json::Object(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    Some(match (kind, value) {
        (Kind::Lookup, Value::Null) => object(&[("Id", Json::Null), ("LogicalName", Json::Null), ("Name", Json::Null)]),
        (Kind::Choice | Kind::State | Kind::Status | Kind::Money, Value::Null) => object(&[("Value", Json::Null)]),
        (_, Value::Null) => Json::Null,
        (Kind::String, Value::Text(text)) => Json::from(text.as_str()),
        (Kind::Integer, Value::Integer(number)) => Json::from(*number),
        (Kind::BigInt, Value::BigInt(number)) => Json::from(number.to_string()),
        (Kind::Decimal, Value::Decimal(number)) => Json::from(number.to_string()),
        (Kind::Double, Value::Double(number)) if number.is_finite() => Json::from(*number),
        (Kind::Boolean, Value::Boolean(value)) => Json::from(*value),
        (Kind::DateTime | Kind::Date, Value::Instant(instant)) => Json::from(format!("/Date({})/", instant.0)),
        (Kind::Guid, Value::Guid(id)) => Json::from(id.to_string()),
        (Kind::Money, Value::Money(amount)) => object(&[("Value", Json::from(amount.to_string()))]),
        (Kind::Choice | Kind::State | Kind::Status, Value::Choice(option)) => object(&[("Value", Json::from(*option))]),
        (Kind::Lookup, Value::Lookup(reference)) => object(&[
            ("Id", Json::from(reference.id.to_string())),
            ("LogicalName", Json::from(reference.logical_name.as_str())),
        ]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: Kind, json: &str) -> Result<Value, ReadError> {
        let body = format!(r#"{{"d":{{"__metadata":{{"uri":"x"}},"Other":[1],"A":{json}}}}}"#);
        read_record(body.as_bytes(), &[("A", kind)]).map(|mut attributes| attributes.remove("A").unwrap())
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
            (r#""x""#, "a text"),
            (r#"{"x":1}"#, "an object"),
            ("[1]", "a list"),
            ("true", "true or false"),
            ("false", "true or false"),
            ("1.5", "a number"),
        ] {
            let error = one(Kind::Integer, json).unwrap_err();
            assert_eq!(error.to_string(), format!("the attribute `A` holds {form}, which is no integer"));
        }
    }

    #[test]
    fn an_offset_does_not_move_the_instant() {
        assert_eq!(one(Kind::DateTime, r#""/Date(1000+0100)/""#).unwrap(), Value::Instant(Instant(1000)));
        assert_eq!(one(Kind::DateTime, r#""/Date(-1000-0100)/""#).unwrap(), Value::Instant(Instant(-1000)));
    }

    #[test]
    fn answers_of_another_sort_are_told_apart() {
        let shape: &Shape = &[("A", Kind::String)];
        let error = |body: &str| read_record(body.as_bytes(), shape).unwrap_err();
        assert!(matches!(error("<html>"), ReadError::NotJson { .. }));
        assert!(matches!(error(r#"{"d":{"A":"x""#), ReadError::NotJson { .. }));
        assert!(matches!(error(r#"{"error":{}}"#), ReadError::NotARecord { .. }));
        assert!(matches!(error(r#"{"d":[]}"#), ReadError::NotARecord { .. }));
        assert_eq!(error(r#"{"d":{"B":"x"}}"#), ReadError::Missing { attribute: "A" });
    }

    #[test]
    fn a_page_keeps_its_good_records() {
        let body = br#"{"d":{"results":[{"A":"x"},{"A":1},{"A":null}],"__next":"https://next"}}"#;
        let page = read_page(body, &[("A", Kind::String)]).unwrap();
        assert_eq!(page.next.as_deref(), Some("https://next"));
        assert_eq!(page.records[0].as_ref().unwrap().get("A"), Some(&Value::text("x")));
        assert!(page.records[1].is_err());
        assert_eq!(page.records[2].as_ref().unwrap().get("A"), Some(&Value::Null));
        assert_eq!(read_page(br#"{"d":[]}"#, &[]).unwrap(), Page { records: Vec::new(), next: None });
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
