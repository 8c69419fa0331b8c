//! What the platform does besides what a client requests (docs/protocol.md, 4.1).

use cdms_odata::metadata::EntityType;
use cdms_odata::{Attributes, Reference, Value};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Author, World, addresses, amounts};
use crate::log::CommitKind;

/// Whether only the server itself sets this attribute.
pub(super) fn is_the_servers(name: &str) -> bool {
    matches!(name, "CreatedOn" | "ModifiedOn" | "CreatedBy" | "ModifiedBy" | "VersionNumber")
        || addresses::is_an_id(name)
}

/// Attributes that the server derives from other values or keeps about a record. A client's value is ignored; a
/// person's action in the server's own pages may change them.
const KEPT: [&str; 14] = [
    "Address3_AddressId",
    "Aging30",
    "Aging60",
    "Aging90",
    "CreatedOnBehalfBy",
    "FullName",
    "MasterId",
    "Merged",
    "ModifiedOnBehalfBy",
    "OrganizationId",
    "OwningBusinessUnit",
    "OwningTeam",
    "OwningUser",
    "YomiFullName",
];

/// Whether a client cannot set this attribute.
pub(super) fn is_read_only(name: &str, kind: CommitKind) -> bool {
    match name {
        "StateCode" | "statecode" => true,
        "OwnerId" | "OverriddenCreatedOn" => kind == CommitKind::Update,
        _ => is_the_servers(name) || KEPT.contains(&name),
    }
}

/// The value of an attribute before it is set.
pub(super) fn default_of(name: &str) -> Value {
    match name {
        "StateCode" | "statecode" => Value::Choice(0),
        "StatusCode" | "statuscode" => Value::Choice(1),
        "ExchangeRate" => Value::Decimal(Decimal::new(10_000_000_000, 10)),
        _ => Value::Null,
    }
}

/// A new record with the values that the server sets.
pub(super) fn at_creation(
    world: &World,
    entity: &EntityType,
    id: Uuid,
    values: Attributes,
    author: &Author,
) -> Attributes {
    let defaults = entity.properties.iter().map(|property| (property, default_of(&property.name)));
    let defaults = defaults.filter(|(_, default)| !default.is_null());
    let mut record: Attributes = defaults.map(|(property, default)| (property.name.clone(), default)).collect();
    record.insert(entity.key.clone(), Value::Guid(id));
    let user = || Value::Lookup(Reference { logical_name: "systemuser".into(), id: author.user });
    for (name, value) in [
        ("CreatedOn", world.now()),
        ("ModifiedOn", world.now()),
        ("CreatedBy", user()),
        ("ModifiedBy", user()),
        ("OwnerId", user()),
    ] {
        if entity.property(name).is_some() {
            record.insert(name, value);
        }
    }
    record.merge(&values);
    full_name(entity, &mut record);
    amounts::reckon(&world.switches, entity, &mut record);
    record
}

/// Sets what an update changes besides the values that were sent.
pub(super) fn at_update(world: &World, entity: &EntityType, record: &mut Attributes, author: &Author) {
    if !author.freeze_modified && entity.property("ModifiedOn").is_some() {
        record.insert("ModifiedOn", world.now());
    }
    if entity.property("ModifiedBy").is_some() {
        record.insert("ModifiedBy", Value::Lookup(Reference { logical_name: "systemuser".into(), id: author.user }));
    }
    full_name(entity, record);
    amounts::reckon(&world.switches, entity, record);
}

fn full_name(entity: &EntityType, record: &mut Attributes) {
    if entity.name == "Contact" && entity.property("FullName").is_some() {
        let part = |name| match record.get(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let parts: Vec<_> = ["FirstName", "LastName"].into_iter().filter_map(part).collect();
        let full_name = Value::text(parts.join(" "));
        record.insert("FullName", full_name);
    }
}
