//! Renders records.

use cdms_odata::metadata::{EdmType, EntityType, Property};
use cdms_odata::{Attributes, Reference, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::Shown;
use crate::world::Selection;

/// What rendering a record needs besides the record.
pub(crate) struct Rendering<'r> {
    pub(crate) namespace: &'r str,
    /// The service root as the client wrote it.
    pub(crate) root: &'r str,
    /// The properties to show; `None`: all, with deferred navigation properties.
    pub(crate) selection: Option<&'r Selection>,
    /// The current display name of the record that a lookup refers to.
    pub(crate) name_of: &'r dyn Fn(&Reference) -> Option<&'r str>,
}

/// A record as the service shows it. Only the attributes that are shown are built: an organisation's records can have
/// hundreds.
pub(crate) fn render<'r>(
    entity: &'r EntityType,
    id: Uuid,
    attributes: &Attributes,
    rendering: &Rendering<'_>,
) -> Vec<(&'r str, Shown<'r>)> {
    let Rendering { namespace, root, selection, .. } = rendering;
    let uri = format!("{root}/{}(guid'{id}')", entity.set);
    let type_name = format!("{namespace}.{}", entity.name);
    let deferred = |name: &str| {
        let deferred = Shown::Object(vec![("uri", Shown::text(format!("{uri}/{name}")))]);
        Shown::Object(vec![("__deferred", deferred)])
    };
    let value = |property| render_value(property, attributes.get(&property.name).unwrap_or(&Value::Null), rendering);
    let metadata = Shown::Object(vec![("uri", Shown::text(&*uri)), ("type", Shown::text(type_name))]);
    let mut record = vec![("__metadata", metadata)];
    match selection {
        None => {
            record.reserve(entity.properties.len() + entity.navigation.len());
            record.extend(entity.properties.iter().map(|property| (property.name.as_str(), value(property))));
            let navigation = entity.navigation.iter().map(|navigation| navigation.name.as_str());
            record.extend(navigation.map(|name| (name, deferred(name))));
        }
        Some(selection) => {
            let properties = selection.properties.iter().map(|at| &entity.properties[*at]);
            record.extend(properties.map(|property| (property.name.as_str(), value(property))));
            let navigation = selection.navigation.iter().map(|at| entity.navigation[*at].name.as_str());
            record.extend(navigation.map(|name| (name, deferred(name))));
        }
    }
    record
}

fn render_value<'r>(property: &Property, value: &Value, rendering: &Rendering<'_>) -> Shown<'r> {
    let edm = property.edm;
    let complex = |members: &[(&'static str, Json)]| {
        let type_name = format!("{}.{}", rendering.namespace, edm.name());
        let metadata = Shown::Object(vec![("type", Shown::text(type_name))]);
        let members = members.iter().map(|(name, value)| (*name, Shown::Plain(value.clone())));
        Shown::Object([("__metadata", metadata)].into_iter().chain(members).collect())
    };
    Shown::Plain(match (edm, value) {
        // The version is declared, but this endpoint never fills it (docs/protocol.md, 9).
        (EdmType::Int64, _) if property.name == "VersionNumber" => Json::Null,
        // Any other is text, by the protocol's specification (docs/protocol.md, 2.1): a JSON number would lose digits.
        (EdmType::Int64, Value::BigInt(number)) => json!(number.to_string()),
        (EdmType::OptionSetValue, Value::Choice(option)) => return complex(&[("Value", json!(option))]),
        (EdmType::OptionSetValue | EdmType::Money, Value::Null) => return complex(&[("Value", Json::Null)]),
        (EdmType::Money, Value::Money(amount)) => {
            let mut amount = *amount;
            amount.rescale(4);
            return complex(&[("Value", json!(amount.to_string()))]);
        }
        (EdmType::EntityReference, Value::Lookup(reference)) => {
            return complex(&[
                ("Id", json!(reference.id.to_string())),
                ("LogicalName", json!(reference.logical_name)),
                ("Name", json!((rendering.name_of)(reference))),
            ]);
        }
        (EdmType::EntityReference, _) => {
            return complex(&[("Id", Json::Null), ("LogicalName", Json::Null), ("Name", Json::Null)]);
        }
        (EdmType::BooleanManagedProperty, value) => {
            return complex(&[
                ("Value", json!(matches!(value, Value::Boolean(true)))),
                ("CanBeChanged", json!(true)),
                ("ManagedPropertyLogicalName", json!(property.name.to_lowercase())),
            ]);
        }
        (_, Value::Text(text)) => json!(text),
        (_, Value::Integer(number)) => json!(number),
        (_, Value::Double(number)) => json!(number),
        (_, Value::Boolean(value)) => json!(value),
        (_, Value::Decimal(number)) => json!(number.to_string()),
        (_, Value::Instant(instant)) => json!(format!("/Date({})/", instant.0)),
        (_, Value::Guid(id)) => json!(id.to_string()),
        _ => Json::Null,
    })
}
