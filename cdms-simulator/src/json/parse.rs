//! Request bodies in.

use cdms_odata::metadata::{EdmType, EntityType, Property};
use cdms_odata::{Attributes, Instant, Reference, Value};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::refusal::Refusal;

/// Reads a request body. `infer` finds the entity of a reference that names none.
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
        // A record that is posted back as it was read carries these.
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
        let parsed = parse_value(property.edm, &value, infer);
        let (place, type_name) = converted(property);
        attributes.insert(name, parsed.ok_or_else(|| Refusal::conversion(place, type_name))?);
    }
    Ok(attributes)
}

/// What a failed conversion names: of a complex value its member.
fn converted(property: &Property) -> (&str, &'static str) {
    match property.edm {
        EdmType::Money => ("Value", "Edm.Decimal"),
        EdmType::OptionSetValue => ("Value", "Edm.Int32"),
        EdmType::BooleanManagedProperty => ("Value", "Edm.Boolean"),
        EdmType::EntityReference => ("Id", "Edm.Guid"),
        edm => (&property.name, edm.name()),
    }
}

fn parse_value(edm: EdmType, json: &Json, infer: &dyn Fn(Uuid) -> Option<String>) -> Option<Value> {
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
        EdmType::EntityReference => match json.get("Id")? {
            Json::Null => Value::Null,
            id => {
                let id: Uuid = id.as_str()?.parse().ok()?;
                let named = json.get("LogicalName").and_then(Json::as_str).map(str::to_lowercase);
                Value::Lookup(Reference { logical_name: named.or_else(|| infer(id))?.into(), id })
            }
        },
        EdmType::BooleanManagedProperty => Value::Boolean(json.get("Value")?.as_bool()?),
    })
}

/// A fraction as a JSON number has been reported to fail (fact sheet, 2.1), so it fails here.
fn decimal(json: &Json) -> Option<Decimal> {
    match json {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => number.as_i64().map(Decimal::from),
        _ => None,
    }
}

fn instant(text: &str) -> Option<Instant> {
    if let Some(ms) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        return ms.parse().ok().map(Instant);
    }
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| Instant(time.timestamp_millis()))
}
