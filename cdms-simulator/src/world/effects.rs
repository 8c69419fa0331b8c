//! What the platform does beside what a client asks for (fact sheet, 4).

use cdms_odata::metadata::EntityType;
use cdms_odata::{Attributes, Reference, Value};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Author, CommitKind, World};
use crate::refusal::Refusal;

/// Whether only the server itself sets this attribute.
pub(super) fn is_the_servers(name: &str) -> bool {
    matches!(name, "CreatedOn" | "ModifiedOn" | "CreatedBy" | "ModifiedBy" | "VersionNumber")
        || ADDRESS_NUMBERS.iter().any(|number| name == address_id(*number))
}

/// Whether a client's value for this attribute is not honoured.
pub(super) fn is_read_only(name: &str, kind: CommitKind) -> bool {
    match name {
        "StateCode" | "statecode" => true,
        "OwnerId" | "OverriddenCreatedOn" => kind == CommitKind::Update,
        _ => is_the_servers(name),
    }
}

/// What an attribute is that nobody has set.
pub(super) fn default_of(name: &str) -> Value {
    match name {
        "StateCode" | "statecode" => Value::Choice(0),
        "StatusCode" | "statuscode" => Value::Choice(1),
        "ExchangeRate" => Value::Decimal(Decimal::new(10_000_000_000, 10)),
        _ => Value::Null,
    }
}

/// A new record with what the server fills in.
pub(super) fn at_creation(
    world: &World,
    entity: &EntityType,
    id: Uuid,
    values: Attributes,
    author: Author,
) -> Attributes {
    let mut record: Attributes =
        entity.properties.iter().map(|property| (property.name.clone(), default_of(&property.name))).collect();
    let user = || Value::Lookup(Reference { logical_name: "systemuser".into(), id: author.user });
    let filled = [
        (entity.key.as_str(), Value::Guid(id)),
        ("CreatedOn", world.now()),
        ("ModifiedOn", world.now()),
        ("CreatedBy", user()),
        ("ModifiedBy", user()),
        ("OwnerId", user()),
    ];
    for (name, value) in filled {
        if record.contains(name) {
            record.insert(name.to_owned(), value);
        }
    }
    record.merge(&values);
    full_name(entity, &mut record);
    record
}

/// What an update moves beside the values sent.
pub(super) fn at_update(world: &World, entity: &EntityType, record: &mut Attributes, author: &Author) {
    if !author.freeze_modified && record.contains("ModifiedOn") {
        record.insert("ModifiedOn", world.now());
    }
    if record.contains("ModifiedBy") {
        record.insert("ModifiedBy", Value::Lookup(Reference { logical_name: "systemuser".into(), id: author.user }));
    }
    full_name(entity, record);
}

fn full_name(entity: &EntityType, record: &mut Attributes) {
    if entity.name == "Contact" && record.contains("FullName") {
        let part = |name| match record.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let parts: Vec<_> = ["FirstName", "LastName"].into_iter().filter_map(part).collect();
        record.insert("FullName", Value::text(parts.join(" ")));
    }
}

/// An address stands under a parent, or not at all.
pub(super) fn check_creation(entity: &EntityType, values: &Attributes) -> Result<(), Refusal> {
    let parented = matches!(values.get("ParentId"), Some(Value::Lookup(_)));
    if entity.name == "CustomerAddress" && !parented {
        return Err(Refusal::new(500, -2_147_220_989, "A CustomerAddress must be parented."));
    }
    Ok(())
}

const ADDRESS_NUMBERS: [i32; 2] = [1, 2];

/// Where an account carries the id of its address.
fn address_id(number: i32) -> String {
    format!("Address{number}_AddressId")
}

/// Gives a new account the ids of the addresses that come with it.
pub(super) fn give_addresses(world: &World, entity: &EntityType, values: &mut Attributes) {
    if entity.name == "Account" && world.metadata.entity("CustomerAddress").is_some() {
        for place in ADDRESS_NUMBERS.map(address_id) {
            if entity.property(&place).is_some() {
                values.insert(place, Value::Guid(Uuid::new_v4()));
            }
        }
    }
}

/// An account comes with two addresses, whose ids it carries.
pub(super) fn after_creation(world: &mut World, entity: &EntityType, id: Uuid, author: &Author) {
    if entity.name == "CustomerAddress" {
        mirror_to_account(world, id, author);
        return;
    }
    if entity.name != "Account" || world.metadata.entity("CustomerAddress").is_none() {
        return;
    }
    for number in ADDRESS_NUMBERS {
        let Ok(account) = world.record(entity, id) else { return };
        let Some(Value::Guid(address_id)) = account.get(&address_id(number)).cloned() else { continue };
        let Ok(address) = world.entity("CustomerAddress").cloned() else { return };
        let mut values = mirrored(&account, number, &address);
        let parent = Value::Lookup(Reference { logical_name: "account".into(), id });
        for (name, value) in [("ParentId", parent), ("AddressNumber", Value::Integer(number))] {
            if address.property(name).is_some() {
                values.insert(name, value);
            }
        }
        let record = at_creation(world, &address, address_id, values, author.clone());
        world.keep(&address.name, address_id, record.clone());
        world.commit(CommitKind::Create, "CustomerAddress", address_id, author, Vec::new(), Attributes::new(), record);
    }
}

/// Account and address mirror each other.
pub(super) fn after_update(world: &mut World, entity: &EntityType, id: Uuid, author: &Author) {
    match entity.name.as_str() {
        "CustomerAddress" => mirror_to_account(world, id, author),
        "Account" => {
            for number in ADDRESS_NUMBERS {
                let Ok(account) = world.record(entity, id) else { return };
                let Some(Value::Guid(address_id)) = account.get(&address_id(number)).cloned() else {
                    continue;
                };
                let Ok(address) = world.entity("CustomerAddress").cloned() else { return };
                let Ok(old) = world.record(&address, address_id) else { continue };
                let mut new = old.clone();
                new.merge(&mirrored(&account, number, &address));
                if new != old {
                    at_update(world, &address, &mut new, author);
                    world.replace(&address, address_id, &old, new, Vec::new(), author);
                }
            }
        }
        _ => {}
    }
}

/// A deleted account takes its addresses along; a deleted address empties its place on the account.
pub(super) fn after_deletion(world: &mut World, entity: &EntityType, old: &Attributes, author: &Author) {
    match entity.name.as_str() {
        "Account" => {
            let Some(Value::Guid(id)) = old.get(&entity.key) else { return };
            let under = |record: &Attributes| matches!(record.get("ParentId"), Some(Value::Lookup(to)) if to.id == *id);
            let Some(all) = world.records.get_mut("CustomerAddress") else { return };
            let gone: Vec<_> = all.extract_if(.., |_, record| under(record)).collect();
            for (address, record) in gone {
                let none = Attributes::new();
                world.commit(CommitKind::Delete, "CustomerAddress", address, author, Vec::new(), record, none);
            }
        }
        "CustomerAddress" => {
            let Some((account_id, number)) = place_of(old) else { return };
            let Ok(account) = world.entity("Account").cloned() else { return };
            let Ok(before) = world.record(&account, account_id) else { return };
            if before.get(&address_id(number)) != old.get("CustomerAddressId") {
                return;
            }
            let prefix = format!("Address{number}_");
            let mut after = before.clone();
            let names: Vec<_> = before.names().filter(|name| name.starts_with(&prefix)).cloned().collect();
            for name in names {
                after.insert(name, Value::Null);
            }
            at_update(world, &account, &mut after, author);
            world.replace(&account, account_id, &before, after, Vec::new(), author);
        }
        _ => {}
    }
}

fn mirror_to_account(world: &mut World, id: Uuid, author: &Author) {
    let Ok(address) = world.entity("CustomerAddress").cloned() else { return };
    let Ok(record) = world.record(&address, id) else { return };
    let Some((account_id, number)) = place_of(&record) else { return };
    let Ok(account) = world.entity("Account").cloned() else { return };
    let Ok(before) = world.record(&account, account_id) else { return };
    if before.get(&address_id(number)) != Some(&Value::Guid(id)) {
        return;
    }
    let mut after = before.clone();
    for (name, value) in record.iter() {
        let place = format!("Address{number}_{name}");
        if account.property(&place).is_some() && name != "AddressId" {
            after.insert(place, value.clone());
        }
    }
    if after != before {
        at_update(world, &account, &mut after, author);
        world.replace(&account, account_id, &before, after, Vec::new(), author);
    }
}

/// The account and number of an address.
fn place_of(address: &Attributes) -> Option<(Uuid, i32)> {
    match (address.get("ParentId"), address.get("AddressNumber")) {
        (Some(Value::Lookup(parent)), Some(Value::Integer(number))) if parent.logical_name == "account" => {
            Some((parent.id, *number))
        }
        _ => None,
    }
}

/// The attributes of an account's address under the address's own names.
fn mirrored(account: &Attributes, number: i32, address: &EntityType) -> Attributes {
    let prefix = format!("Address{number}_");
    let own = account.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(&prefix)?;
        (name != "AddressId" && address.property(name).is_some()).then(|| (name.to_owned(), value.clone()))
    });
    own.collect()
}
