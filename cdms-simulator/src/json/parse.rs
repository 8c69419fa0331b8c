//! Parses request bodies.

use cdms_odata::metadata::{EdmType, EntityType, Property};
use cdms_odata::{Attributes, Instant, Reference, Value};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::refusal::Refusal;

/// Parses a request body. `infer` finds the entity of a reference that names none.
pub(crate) fn parse(
    namespace: &str,
    entity: &EntityType,
    body: &[u8],
    bare_null_clears: bool,
    infer: &dyn Fn(Uuid) -> Option<String>,
) -> Result<Attributes, Refusal> {
    let type_name = format!("{namespace}.{}", entity.name);
    let json: Json = serde_json::from_slice(body).map_err(|_| Refusal::no_resource())?;
    let Json::Object(members) = json else { return Err(Refusal::no_resource()) };
    let mut attributes = Attributes::new();
    for (name, value) in members {
        // A record that is sent back as it was read has these.
        if name == "__metadata" || value.get("__deferred").is_some() {
            continue;
        }
        if entity.navigates(&name) {
            return Err(Refusal::not_simulated("Creating related records in one request"));
        }
        let property = entity.property(&name).ok_or_else(|| Refusal::unknown_in_body(&name, &type_name))?;
        if value.is_null() && property.edm.is_complex() && !bare_null_clears {
            continue;
        }
        if property.edm == EdmType::EntityReference && !value.is_object() && !value.is_null() {
            return Err(Refusal::no_resource());
        }
        let parsed = match (property.edm, value.get("Id").filter(|id| !id.is_null())) {
            (EdmType::EntityReference, Some(id)) => parse_lookup(id, value.get("LogicalName"), infer)?,
            (edm, _) => {
                let (place, type_name) = converted(property);
                parse_value(edm, &value).ok_or_else(|| Refusal::conversion(place, type_name))?
            }
        };
        attributes.insert(name, parsed);
    }
    Ok(attributes)
}

/// What the message of a failed conversion names: for a complex value, its member.
fn converted(property: &Property) -> (&str, &'static str) {
    match property.edm {
        EdmType::Money => ("Value", "Edm.Decimal"),
        EdmType::OptionSetValue => ("Value", "Edm.Int32"),
        EdmType::BooleanManagedProperty => ("Value", "Edm.Boolean"),
        EdmType::EntityReference => ("Id", "Edm.Guid"),
        edm => (&property.name, edm.name()),
    }
}

/// A lookup of a record. If it names no entity and no entity has the record, the record is missing, as for a named
/// entity.
fn parse_lookup(id: &Json, entity: Option<&Json>, infer: &dyn Fn(Uuid) -> Option<String>) -> Result<Value, Refusal> {
    let id = id.as_str().and_then(|id| id.parse().ok()).ok_or_else(|| Refusal::conversion("Id", "Edm.Guid"))?;
    let logical_name = match entity {
        None | Some(Json::Null) => infer(id).ok_or_else(|| Refusal::record_missing("record", id))?,
        Some(Json::String(name)) => name.to_lowercase(),
        Some(_) => return Err(Refusal::conversion("LogicalName", "Edm.String")),
    };
    Ok(Value::Lookup(Reference { logical_name: logical_name.into(), id }))
}

fn parse_value(edm: EdmType, json: &Json) -> Option<Value> {
    if json.is_null() {
        return Some(Value::Null);
    }
    Some(match edm {
        EdmType::String => Value::text(json.as_str()?),
        EdmType::Int32 => Value::Integer(i32::try_from(json.as_i64()?).ok()?),
        EdmType::Int64 => Value::BigInt(json.as_i64().or_else(|| json.as_str()?.parse().ok())?),
        EdmType::Decimal => Value::Decimal(decimal(json)?),
        EdmType::Double => Value::Double(json.as_f64().or_else(|| json.as_str()?.parse().ok())?),
        EdmType::Boolean => Value::Boolean(json.as_bool()?),
        EdmType::DateTime => Value::Instant(instant(json.as_str()?)?),
        EdmType::Guid => Value::Guid(json.as_str()?.parse().ok()?),
        EdmType::Money => match json.get("Value")? {
            Json::Null => Value::Null,
            amount => Value::Money(decimal(amount)?),
        },
        EdmType::OptionSetValue => match json.get("Value")? {
            Json::Null => Value::Null,
            option => Value::Choice(i32::try_from(option.as_i64()?).ok()?),
        },
        // A lookup that is not null is parsed by `parse_lookup`.
        EdmType::EntityReference => json.get("Id")?.is_null().then_some(Value::Null)?,
        EdmType::BooleanManagedProperty => Value::Boolean(json.get("Value")?.as_bool()?),
    })
}

/// A fraction as a JSON number is reported to fail (docs/protocol.md, 2.1), so it fails here too.
fn decimal(json: &Json) -> Option<Decimal> {
    match json {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => number.as_i64().map(Decimal::from),
        _ => None,
    }
}

/// A time in any of the forms that clients send. A time without a zone is read as UTC; which zone a server assumes is
/// unknown (docs/protocol.md, 2.1).
fn instant(text: &str) -> Option<Instant> {
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        // An offset gives the client's time zone and does not change the instant.
        let offset_at = inner.char_indices().skip(1).find(|(_, sign)| matches!(sign, '+' | '-'));
        let (ms, offset) = inner.split_at(offset_at.map_or(inner.len(), |(at, _)| at));
        let digits = offset.get(1..).unwrap_or_default();
        let is_offset = offset.is_empty() || (1..=4).contains(&digits.len());
        return (is_offset && digits.bytes().all(|digit| digit.is_ascii_digit()))
            .then(|| ms.parse().ok().map(Instant))
            .flatten();
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Instant(time.timestamp_millis()));
    }
    let times = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"].into_iter();
    let time = times.filter_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).next();
    let midnight = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN));
    time.or_else(midnight).map(|time| Instant(time.and_utc().timestamp_millis()))
}
