//! The value of an attribute, from a piece of JSON and to one.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Instant, Kind, Reference, Value};

/// The value of a kind in a piece of JSON; `None` when it is something else. Numbers are read from their own text,
/// so that no decimal passes through a float.
pub(super) fn read_value(kind: Kind, raw: &str) -> Option<Value> {
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
    // Of JSON that was read as such, what stands between the quotes is the text, unless something in it is escaped.
    if let Some(plain) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && !plain.contains('\\')
    {
        return Some(Cow::Borrowed(plain));
    }
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

pub(super) fn form_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

/// A value in the form that a request has for its kind.
pub(super) struct Written<'v> {
    pub(super) kind: Kind,
    pub(super) value: &'v Value,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.kind, self.value) {
            (Kind::Lookup, Value::Null) => serializer.collect_map([("Id", ()), ("LogicalName", ()), ("Name", ())]),
            (Kind::Choice | Kind::State | Kind::Status | Kind::Money, Value::Null) => {
                serializer.collect_map([("Value", ())])
            }
            (_, Value::Null) => serializer.serialize_unit(),
            (Kind::String, Value::Text(text)) => serializer.serialize_str(text),
            (Kind::Integer, Value::Integer(number)) => serializer.serialize_i32(*number),
            (Kind::BigInt, Value::BigInt(number)) => serializer.collect_str(number),
            (Kind::Decimal, Value::Decimal(number)) => serializer.collect_str(number),
            (Kind::Double, Value::Double(number)) if number.is_finite() => serializer.serialize_f64(*number),
            (Kind::Boolean, Value::Boolean(value)) => serializer.serialize_bool(*value),
            (Kind::DateTime | Kind::Date, Value::Instant(Instant(ms))) => {
                serializer.collect_str(&format_args!("/Date({ms})/"))
            }
            (Kind::Guid, Value::Guid(id)) => id.serialize(serializer),
            (Kind::Money, Value::Money(amount)) => serializer.collect_map([("Value", AsText(amount))]),
            (Kind::Choice | Kind::State | Kind::Status, Value::Choice(option)) => {
                serializer.collect_map([("Value", option)])
            }
            (Kind::Lookup, Value::Lookup(Reference { logical_name, id })) => {
                let mut members = serializer.serialize_map(Some(2))?;
                members.serialize_entry("Id", id)?;
                members.serialize_entry("LogicalName", logical_name)?;
                members.end()
            }
            _ => Err(S::Error::custom("a value is not of its kind")),
        }
    }
}

/// A number that the service has as text.
struct AsText<T>(T);

impl<T: fmt::Display> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
