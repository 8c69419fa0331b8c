//! Request bodies, written directly as bytes.

use std::fmt;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::dialect::ValueError;
use crate::{Instant, Kind, Reference, Value};

/// The approximate number of bytes that an attribute takes in a body.
const ROOM: usize = 48;

/// Writes a request body with its attributes in the given order. A null is written as its kind requires: for complex
/// kinds, with all members null.
///
/// # Errors
///
/// If the form of a value is not that of the attribute's kind.
pub fn write_record<'v>(values: impl IntoIterator<Item = (&'v str, Kind, &'v Value)>) -> Result<Vec<u8>, ValueError> {
    let values = values.into_iter();
    let mut body = Vec::with_capacity(ROOM * (values.size_hint().0 + 1));
    body.push(b'{');
    for (name, kind, value) in values {
        if body.len() > 1 {
            body.push(b',');
        }
        // Writing to memory fails only if a value does not have such a form.
        let refused = |_| ValueError { attribute: name.to_owned(), kind, form: value.form() };
        write_text(&mut body, name).map_err(refused)?;
        body.push(b':');
        write_value(&mut body, kind, value).map_err(refused)?;
    }
    body.push(b'}');
    Ok(body)
}

/// Most of a body is strings and GUIDs, which do not need a serializer that goes byte by byte.
fn write_value(body: &mut Vec<u8>, kind: Kind, value: &Value) -> serde_json::Result<()> {
    match (kind, value) {
        (Kind::String, Value::Text(text)) => write_text(body, text),
        (Kind::Guid, Value::Guid(id)) => write_guid(body, *id),
        (Kind::Lookup, Value::Lookup(Reference { logical_name, id })) => {
            body.extend_from_slice(br#"{"Id":"#);
            write_guid(body, *id)?;
            body.extend_from_slice(br#","LogicalName":"#);
            write_text(body, logical_name)?;
            body.push(b'}');
            Ok(())
        }
        _ => serde_json::to_writer(body, &Written { kind, value }),
    }
}

/// A quoted string: copied whole if nothing in it must be escaped, which is checked many bytes at a time.
fn write_text(body: &mut Vec<u8>, text: &str) -> serde_json::Result<()> {
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'));
    if !is_plain {
        return serde_json::to_writer(body, text);
    }
    body.reserve(text.len() + 2);
    body.push(b'"');
    body.extend_from_slice(text.as_bytes());
    body.push(b'"');
    Ok(())
}

fn write_guid(body: &mut Vec<u8>, id: Uuid) -> serde_json::Result<()> {
    write_text(body, id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

/// Any other value in the form that requests have for its kind.
struct Written<'v> {
    kind: Kind,
    value: &'v Value,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.kind, self.value) {
            (Kind::Lookup, Value::Null) => serializer.collect_map([("Id", ()), ("LogicalName", ()), ("Name", ())]),
            (Kind::Choice | Kind::State | Kind::Status | Kind::Money, Value::Null) => {
                serializer.collect_map([("Value", ())])
            }
            (_, Value::Null) => serializer.serialize_unit(),
            (Kind::Integer, Value::Integer(number)) => serializer.serialize_i32(*number),
            (Kind::BigInt, Value::BigInt(number)) => serializer.collect_str(number),
            (Kind::Decimal, Value::Decimal(number)) => serializer.collect_str(number),
            (Kind::Double, Value::Double(number)) if number.is_finite() => serializer.serialize_f64(*number),
            (Kind::Boolean, Value::Boolean(value)) => serializer.serialize_bool(*value),
            (Kind::DateTime | Kind::Date, Value::Instant(Instant(ms))) => {
                serializer.collect_str(&format_args!("/Date({ms})/"))
            }
            (Kind::Money, Value::Money(amount)) => serializer.collect_map([("Value", AsText(amount))]),
            (Kind::Choice | Kind::State | Kind::Status, Value::Choice(option)) => {
                serializer.collect_map([("Value", option)])
            }
            _ => Err(S::Error::custom("a value is not of its kind")),
        }
    }
}

/// A number that the service represents as a string.
struct AsText<T>(T);

impl<T: fmt::Display> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
