//! The value of an attribute, read directly from JSON.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Shape;
use super::read::NameSeed;
use crate::{Instant, Kind, Reference, Value};

/// Reads a value of a kind. JSON of another form is an error.
#[derive(Clone, Copy)]
pub(super) struct ValueSeed(pub(super) Kind);

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let ValueSeed(kind) = self;
        match kind {
            // Numbers are parsed from their own text, so that no decimal passes through a float.
            Kind::Integer | Kind::BigInt | Kind::Decimal | Kind::Double => {
                let raw = <&RawValue>::deserialize(deserializer)?.get();
                if raw == "null" { Ok(Value::Null) } else { fitting(read_number(kind, raw)) }
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", self.0)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        fitting((self.0 == Kind::Boolean).then_some(Value::Boolean(value)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        fitting(match self.0 {
            Kind::String => Some(Value::text(text)),
            Kind::DateTime | Kind::Date => instant(text).map(Value::Instant),
            Kind::Guid => guid(text).map(Value::Guid),
            _ => None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        match self.0 {
            Kind::Money => match complex(map, [("Value", Kind::Decimal)])? {
                [Some(Value::Decimal(amount))] => Ok(Value::Money(amount)),
                [value] => fitting(value.filter(Value::is_null)),
            },
            Kind::Choice | Kind::State | Kind::Status => match complex(map, [("Value", Kind::Integer)])? {
                [Some(Value::Integer(option))] => Ok(Value::Choice(option)),
                [value] => fitting(value.filter(Value::is_null)),
            },
            Kind::Lookup => match complex(map, [("Id", Kind::Guid), ("LogicalName", Kind::String)])? {
                [Some(Value::Guid(id)), Some(Value::Text(mut logical_name))] => {
                    logical_name.make_ascii_lowercase();
                    Ok(Value::Lookup(Reference { logical_name: logical_name.into(), id }))
                }
                [id, _] => fitting(id.filter(Value::is_null)),
            },
            _ => fitting(None),
        }
    }
}

/// The reader notices that something does not fit, and reads again to find out what.
fn fitting<E: Error>(value: Option<Value>) -> Result<Value, E> {
    value.ok_or_else(|| E::custom("a value of another kind"))
}

/// The members with these names of a complex value, in the order of the names; other members are ignored.
fn complex<'de, A: MapAccess<'de>, const COUNT: usize>(
    mut map: A,
    members: [(&'static str, Kind); COUNT],
) -> Result<[Option<Value>; COUNT], A::Error> {
    let shape: &Shape = &members;
    let mut values = [const { None }; COUNT];
    while let Some(place) = map.next_key_seed(NameSeed { shape, expected: 0 })? {
        match place {
            Some(place) => {
                if values[place].is_some() {
                    return Err(A::Error::duplicate_field(members[place].0));
                }
                values[place] = Some(map.next_value_seed(ValueSeed(members[place].1))?);
            }
            None => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    Ok(values)
}

/// The number of a kind in a piece of JSON, as a number or as a string; `None` if it is anything else.
fn read_number(kind: Kind, raw: &str) -> Option<Value> {
    match kind {
        Kind::Integer => raw.parse().ok().map(Value::Integer),
        Kind::BigInt => number(raw).map(Value::BigInt),
        Kind::Decimal => decimal(raw).map(Value::Decimal),
        Kind::Double => number::<f64>(raw).filter(|number| number.is_finite()).map(Value::Double),
        _ => None,
    }
}

fn text(raw: &str) -> Option<Cow<'_, str>> {
    // The JSON has been validated, so what stands between the quotes is the text, unless it contains an escape.
    if let Some(plain) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && !plain.contains('\\')
    {
        return Some(Cow::Borrowed(plain));
    }
    serde_json::from_str(raw).ok().map(Cow::Owned)
}

fn number<T: FromStr>(raw: &str) -> Option<T> {
    if raw.starts_with('"') { text(raw)?.parse().ok() } else { raw.parse().ok() }
}

/// A GUID in the one form that the service writes: with hyphens, without braces.
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

/// A number times a power of ten, exactly; `None` if a decimal cannot hold it.
fn shifted(number: Decimal, power: i32) -> Option<Decimal> {
    if number.is_zero() {
        return Some(number);
    }
    let scale = i32::try_from(number.scale()).ok()?.checked_sub(power)?;
    let (scale, missing) = (u32::try_from(scale.max(0)).ok()?, u32::try_from(scale.min(0).checked_neg()?).ok()?);
    let mantissa = number.mantissa().checked_mul(10i128.checked_pow(missing)?)?;
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

/// `/Date(ms)/`. An offset changes how the time is shown, not which time it is (OData v2 JSON).
fn instant(text: &str) -> Option<Instant> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let offset = inner.char_indices().skip(1).find(|(_, sign)| matches!(sign, '+' | '-'));
    let (ms, offset) = offset.map_or((inner, ""), |(at, _)| (&inner[..at], &inner[at + 1..]));
    let offset_is_number = offset.bytes().all(|digit| digit.is_ascii_digit());
    ms.parse().ok().filter(|_| offset_is_number).map(Instant)
}

pub(super) fn form_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a Boolean",
        _ => "a number",
    }
}
