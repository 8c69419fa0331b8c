//! The server's side of the JSON verbose form: records out, request bodies in.

use cdms_odata::metadata::{EdmType, EntityType, Property};
use cdms_odata::{Attributes, Instant, Reference, Value};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::refusal::Refusal;

/// What writing a record needs beside the record.
pub(crate) struct Rendering<'r> {
    pub(crate) namespace: &'r str,
    /// The service root as the client wrote it.
    pub(crate) root: &'r str,
    /// The properties to show; `None`: all, with deferred navigation.
    pub(crate) select: Option<&'r [String]>,
    /// The current display name of what a lookup points to.
    pub(crate) name_of: &'r dyn Fn(&Reference) -> Option<String>,
}

/// A record as the service shows it.
pub(crate) fn render(entity: &EntityType, id: Uuid, attributes: &Attributes, rendering: &Rendering<'_>) -> Json {
    let Rendering { namespace, root, select, .. } = rendering;
    let uri = format!("{root}/{}(guid'{id}')", entity.set);
    let mut record = Map::new();
    record.insert("__metadata".into(), json!({"uri": uri, "type": format!("{namespace}.{}", entity.name)}));
    for property in &entity.properties {
        if select.is_none_or(|names| names.contains(&property.name)) {
            let value = attributes.get(&property.name).unwrap_or(&Value::Null);
            record.insert(property.name.clone(), render_value(property, value, rendering));
        }
    }
    for name in entity.navigation.iter().map(|navigation| &navigation.name) {
        if select.is_none_or(|names| names.contains(name)) {
            record.insert(name.clone(), json!({"__deferred": {"uri": format!("{uri}/{name}")}}));
        }
    }
    Json::Object(record)
}

fn render_value(property: &Property, value: &Value, rendering: &Rendering<'_>) -> Json {
    let edm = property.edm;
    let namespace = rendering.namespace;
    let metadata = json!({"type": format!("{namespace}.{}", edm.name())});
    match (edm, value) {
        // The version is declared, but this endpoint never fills it (fact sheet, 9).
        (EdmType::Int64, _) if property.name == "VersionNumber" => Json::Null,
        // Any other is text, by the specification of the protocol (fact sheet, 2): a number of JSON would lose digits.
        (EdmType::Int64, Value::BigInt(number)) => json!(number.to_string()),
        (EdmType::OptionSetValue, Value::Choice(option)) => json!({"__metadata": metadata, "Value": option}),
        (EdmType::OptionSetValue | EdmType::Money, Value::Null) => json!({"__metadata": metadata, "Value": null}),
        (EdmType::Money, Value::Money(amount)) => {
            let mut amount = *amount;
            amount.rescale(4);
            json!({"__metadata": metadata, "Value": amount.to_string()})
        }
        (EdmType::EntityReference, Value::Lookup(reference)) => json!({
            "__metadata": metadata,
            "Id": reference.id.to_string(),
            "LogicalName": reference.logical_name,
            "Name": (rendering.name_of)(reference),
        }),
        (EdmType::EntityReference, _) => {
            json!({"__metadata": metadata, "Id": null, "LogicalName": null, "Name": null})
        }
        (EdmType::BooleanManagedProperty, value) => json!({
            "__metadata": metadata,
            "Value": matches!(value, Value::Boolean(true)),
            "CanBeChanged": true,
            "ManagedPropertyLogicalName": property.name.to_lowercase(),
        }),
        (_, Value::Text(text)) => json!(text),
        (_, Value::Integer(number)) => json!(number),
        (_, Value::Double(number)) => json!(number),
        (_, Value::Boolean(value)) => json!(value),
        (_, Value::Decimal(number)) => json!(number.to_string()),
        (_, Value::Instant(instant)) => json!(format!("/Date({})/", instant.0)),
        (_, Value::Guid(id)) => json!(id.to_string()),
        _ => Json::Null,
    }
}

/// The text of a body, with the slashes of dates escaped as the service does.
pub(crate) fn text(json: &Json) -> String {
    json.to_string().replace("\"/Date(", "\"\\/Date(").replace(")/\"", ")\\/\"")
}

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
