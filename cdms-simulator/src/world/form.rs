//! The form of values that an attribute of each type has, so that no scene contains values that cannot be shown.

use cdms_odata::Value;
use cdms_odata::metadata::{EdmType, Property};

/// What is wrong with a value for this property, and how to write it.
pub(super) fn fault(property: &Property, value: &Value) -> Option<String> {
    let fits = match (property.edm, value) {
        (_, Value::Null)
        | (EdmType::String, Value::Text(_))
        | (EdmType::Int32, Value::Integer(_))
        | (EdmType::Int64, Value::BigInt(_))
        | (EdmType::Decimal, Value::Decimal(_))
        | (EdmType::Boolean | EdmType::BooleanManagedProperty, Value::Boolean(_))
        | (EdmType::DateTime, Value::Instant(_))
        | (EdmType::Guid, Value::Guid(_))
        | (EdmType::OptionSetValue, Value::Choice(_))
        | (EdmType::Money, Value::Money(_)) => true,
        (EdmType::Double, Value::Double(number)) => number.is_finite(),
        (EdmType::EntityReference, Value::Lookup(to)) => !to.logical_name.contains(char::is_uppercase),
        _ => false,
    };
    let (form, expected) = (value.form(), expected(property.edm));
    (!fits).then(|| format!("has the type {} and cannot be the {form} {value}; write {expected}", property.edm.name()))
}

/// How JSON scenes write a value of a type.
fn expected(edm: EdmType) -> &'static str {
    match edm {
        EdmType::String => "text, as in \"Acme\"",
        EdmType::Int32 => "an integer, as in 5",
        EdmType::Int64 => "{\"bigint\": \"5\"}",
        EdmType::Decimal => "{\"decimal\": \"1.5\"}",
        EdmType::Double => "{\"double\": 51.5}, a finite number",
        EdmType::Boolean | EdmType::BooleanManagedProperty => "true or false",
        EdmType::DateTime => "{\"instant\": 1472338800000}, in ms since 1970 UTC",
        EdmType::Guid => "{\"guid\": \"7a4814f9-b0b8-ea11-a812-000d3a122b89\"}",
        EdmType::EntityReference => {
            "{\"lookup\": [\"account\", \"7a4814f9-b0b8-ea11-a812-000d3a122b89\"]}, with the entity's logical name in \
             lower case"
        }
        EdmType::OptionSetValue => "{\"choice\": 1}",
        EdmType::Money => "{\"money\": \"5.00\"}",
    }
}
