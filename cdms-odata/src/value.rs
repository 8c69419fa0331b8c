//! The value of an attribute in its one canonical form, so that equal values are equal however they arrived.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// One raw attribute value in canonical form: equal values mean the same.
///
/// Numbers compare by value, instants in milliseconds, and a lookup by its target and not by its display name, which
/// changes by itself. Empty text is null, because CDMS stores it so (docs/protocol.md, 2.2). The serde form is
/// self-describing JSON; `seen` and the history keep values in it.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// No value; also empty text and complex values whose members are all null.
    #[default]
    Null,
    /// Text that is not empty; create it with [`Value::text`].
    Text(String),
    /// `integer`.
    Integer(i32),
    /// `bigint`.
    BigInt(i64),
    /// `decimal`.
    Decimal(Decimal),
    /// `double`.
    Double(f64),
    /// `money`.
    Money(Decimal),
    /// `boolean`.
    Boolean(bool),
    /// `datetime`, and the wire form of a `date`: its local midnight.
    Instant(Instant),
    /// `date`: a calendar date. Its midnight on the wire depends on the time zone in the contract.
    Date(NaiveDate),
    /// `guid`.
    Guid(Uuid),
    /// `choice`, `state`, `status`.
    Choice(i32),
    /// `lookup`.
    Lookup(Reference),
}

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z, which is the resolution of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub i64);

/// The target of a lookup: the logical name of the record's entity, and the record's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The target entity's lowercase logical name.
    pub logical_name: Cow<'static, str>,
    /// The target record's id.
    pub id: Uuid,
}

impl Value {
    /// Text in canonical form: empty text is null.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Value::Null } else { Value::Text(text) }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The value's form in a word or two, for messages.
    pub fn form(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Text(_) => "text",
            Value::Integer(_) => "integer",
            Value::BigInt(_) => "64-bit integer",
            Value::Decimal(_) => "decimal",
            Value::Double(_) => "double",
            Value::Money(_) => "money",
            Value::Boolean(_) => "boolean",
            Value::Instant(_) => "instant",
            Value::Date(_) => "date",
            Value::Guid(_) => "GUID",
            Value::Choice(_) => "choice",
            Value::Lookup(_) => "lookup",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Integer(number) => number.fmt(f),
            Value::BigInt(number) => number.fmt(f),
            Value::Decimal(number) | Value::Money(number) => number.fmt(f),
            Value::Double(number) => number.fmt(f),
            Value::Boolean(value) => value.fmt(f),
            Value::Instant(instant) => instant.fmt(f),
            Value::Date(date) => date.fmt(f),
            Value::Guid(id) => id.fmt(f),
            Value::Choice(option) => option.fmt(f),
            Value::Lookup(reference) => reference.fmt(f),
        }
    }
}

/// A text that is not a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a logical name and a GUID, for example \"account 2b951fbc-5a1e-4b2f-8d3c-0e6f7a8b9c0d\"")]
pub struct InvalidReference;

impl std::str::FromStr for Reference {
    type Err = InvalidReference;

    /// The printed form of a reference: the logical name, a blank, the GUID.
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (logical_name, id) = text.split_once(' ').ok_or(InvalidReference)?;
        let id = id.parse().map_err(|_| InvalidReference)?;
        if logical_name.is_empty() {
            Err(InvalidReference)
        } else {
            Ok(Reference { logical_name: logical_name.to_owned().into(), id })
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.logical_name, self.id)
    }
}

impl Instant {
    /// The same instant in chrono's form; `None` outside chrono's range (about ±262,000 years).
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// This instant moved by a number of milliseconds, saturating at the ends of the range.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Instant(self.0.saturating_add(ms))
    }
}

impl From<DateTime<Utc>> for Instant {
    /// Truncates to whole milliseconds.
    fn from(time: DateTime<Utc>) -> Self {
        Instant(time.timestamp_millis())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_utc() {
            Some(time) => time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).fmt(f),
            None => write!(f, "{} ms since 1970", self.0),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn tagged<S: Serializer>(serializer: S, tag: &str, value: &impl Serialize) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(tag, value)?;
            map.end()
        }
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Integer(number) => serializer.serialize_i32(*number),
            Value::Boolean(value) => serializer.serialize_bool(*value),
            Value::BigInt(number) => tagged(serializer, "bigint", &number.to_string()),
            Value::Decimal(number) => tagged(serializer, "decimal", &number.normalize().to_string()),
            Value::Money(number) => tagged(serializer, "money", &number.normalize().to_string()),
            Value::Double(number) => tagged(serializer, "double", number),
            Value::Instant(instant) => tagged(serializer, "instant", instant),
            Value::Date(date) => tagged(serializer, "date", &date.to_string()),
            Value::Guid(id) => tagged(serializer, "guid", &id.to_string()),
            Value::Choice(option) => tagged(serializer, "choice", option),
            Value::Lookup(reference) => {
                tagged(serializer, "lookup", &(&reference.logical_name, reference.id.to_string()))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CanonicalVisitor)
    }
}

struct CanonicalVisitor;

impl<'de> Visitor<'de> for CanonicalVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a canonical attribute value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        i32::try_from(number).map(Value::Integer).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        i32::try_from(number).map(Value::Integer).map_err(E::custom)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let tag: String =
            map.next_key()?.ok_or_else(|| A::Error::custom("expected a value form, found an empty object"))?;
        let value = match tag.as_str() {
            "bigint" => Value::BigInt(parsed(&map.next_value::<String>()?)?),
            "decimal" => Value::Decimal(parsed(&map.next_value::<String>()?)?),
            "money" => Value::Money(parsed(&map.next_value::<String>()?)?),
            "double" => Value::Double(map.next_value()?),
            "instant" => Value::Instant(map.next_value()?),
            "date" => Value::Date(parsed(&map.next_value::<String>()?)?),
            "guid" => Value::Guid(parsed(&map.next_value::<String>()?)?),
            "choice" => Value::Choice(map.next_value()?),
            "lookup" => {
                let (logical_name, id): (String, String) = map.next_value()?;
                Value::Lookup(Reference { logical_name: logical_name.into(), id: parsed(&id)? })
            }
            other => return Err(A::Error::custom(format_args!("unknown value form {other:?}"))),
        };
        Ok(value)
    }
}

fn parsed<T: std::str::FromStr<Err: fmt::Display>, E: serde::de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_survives_its_canonical_json() {
        let values = [
            Value::Null,
            Value::text("Acme"),
            Value::Integer(-3),
            Value::BigInt(i64::MAX),
            Value::Decimal("1.50".parse().unwrap()),
            Value::Double(0.1),
            Value::Money("5000000.0000".parse().unwrap()),
            Value::Boolean(true),
            Value::Instant(Instant(-1)),
            Value::Date(NaiveDate::from_ymd_opt(2016, 6, 15).unwrap()),
            Value::Guid(Uuid::from_u128(7)),
            Value::Choice(1),
            Value::Lookup(Reference { logical_name: "account".into(), id: Uuid::from_u128(8) }),
        ];
        for value in values {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value, "{json}");
        }
    }

    #[test]
    fn equality_is_by_meaning() {
        assert_eq!(Value::text(""), Value::Null);
        assert_eq!(Value::Money("1.5".parse().unwrap()), Value::Money("1.5000".parse().unwrap()));
        assert_ne!(Value::text("a"), Value::text("a "));
    }

    #[test]
    fn an_instant_prints_as_a_time() {
        assert_eq!(Instant(1_472_338_800_000).to_string(), "2016-08-27T23:00:00Z");
        assert_eq!(Instant(i64::MAX).to_string(), format!("{} ms since 1970", i64::MAX));
    }
}
