//! An account and its addresses, which are created, mirrored and deleted together (docs/protocol.md, 4.2).

use std::sync::Arc;

use cdms_odata::metadata::EntityType;
use cdms_odata::{Attributes, Reference, Value};
use uuid::Uuid;

use super::write::{Change, not_null};
use super::{Author, World, effects};
use crate::log::CommitKind;
use crate::refusal::Refusal;

const NUMBERS: [i32; 2] = [1, 2];

/// The attribute of an account that contains the id of its address.
fn id_place(number: i32) -> &'static str {
    if number == 1 { "Address1_AddressId" } else { "Address2_AddressId" }
}

/// Whether this attribute of an account contains the id of an address.
pub(super) fn is_an_id(name: &str) -> bool {
    NUMBERS.iter().any(|number| name == id_place(*number))
}

/// Refuses an address without a parent.
pub(super) fn check_creation(entity: &EntityType, values: &Attributes) -> Result<(), Refusal> {
    let parented = matches!(values.get("ParentId"), Some(Value::Lookup(_)));
    if entity.name == "CustomerAddress" && !parented {
        return Err(Refusal::orphaned_address());
    }
    Ok(())
}

/// Gives a new account the ids of the addresses that are created with it.
pub(super) fn give(world: &World, entity: &EntityType, values: &mut Attributes) {
    if entity.name == "Account" && world.metadata.entity("CustomerAddress").is_some() {
        for place in NUMBERS.map(id_place) {
            if entity.property(place).is_some() {
                values.insert(place, Value::Guid(Uuid::new_v4()));
            }
        }
    }
}

/// Creates the two addresses of a new account.
pub(super) fn after_creation(world: &mut World, entity: &EntityType, id: Uuid, author: &Author) {
    if entity.name == "CustomerAddress" {
        mirror_to_account(world, id, author);
        return;
    }
    let metadata = Arc::clone(&world.metadata);
    let Some(address) = metadata.entity("CustomerAddress").filter(|_| entity.name == "Account") else { return };
    for number in NUMBERS {
        let Ok(account) = world.kept(entity, id) else { return };
        let Some(Value::Guid(address_id)) = account.get(id_place(number)).cloned() else { continue };
        let mut values = mirrored(account, number, entity, address);
        let parent = Value::Lookup(Reference { logical_name: "account".into(), id });
        for (name, value) in [("ParentId", parent), ("AddressNumber", Value::Integer(number))] {
            if address.property(name).is_some() {
                values.insert(name, value);
            }
        }
        let record = not_null(effects::at_creation(world, address, address_id, values, author));
        world.keep(&address.name, address_id, record.clone());
        let (sent, before) = (Vec::new(), Attributes::new());
        let kind = CommitKind::Create;
        world.commit(Change { kind, entity: address, id: address_id, sent, before, after: record }, author);
    }
}

/// Mirrors an account to its addresses, and an address to its account.
pub(super) fn after_update(world: &mut World, entity: &EntityType, id: Uuid, author: &Author) {
    if entity.name == "CustomerAddress" {
        mirror_to_account(world, id, author);
        return;
    }
    let metadata = Arc::clone(&world.metadata);
    let Some(address) = metadata.entity("CustomerAddress").filter(|_| entity.name == "Account") else { return };
    for number in NUMBERS {
        let Ok(account) = world.kept(entity, id) else { return };
        let Some(Value::Guid(address_id)) = account.get(id_place(number)).cloned() else { continue };
        let values = mirrored(account, number, entity, address);
        change(world, address, address_id, &values, author);
    }
}

/// What must be cleaned up after a deleted record.
pub(super) enum Trace {
    /// The addresses of an account.
    Account(Uuid),
    /// The attributes of an address on its account.
    Address {
        account: Uuid,
        number: i32,
        id: Uuid,
    },
    Nothing,
}

impl Trace {
    pub(super) fn of(entity: &EntityType, id: Uuid, record: &Attributes) -> Self {
        match (entity.name.as_str(), place_of(record)) {
            ("Account", _) => Trace::Account(id),
            ("CustomerAddress", Some((account, number))) => Trace::Address { account, number, id },
            _ => Trace::Nothing,
        }
    }
}

/// Deletes the addresses of a deleted account, or empties a deleted address's attributes on its account.
pub(super) fn after_deletion(world: &mut World, trace: &Trace, author: &Author) {
    let metadata = Arc::clone(&world.metadata);
    match *trace {
        Trace::Account(account) => {
            let Some(address) = metadata.entity("CustomerAddress") else { return };
            world.keep_lookup(&address.name, "ParentId");
            let gone: Vec<_> = world.referring(address, "ParentId", account).into_iter().map(|(id, _)| id).collect();
            for id in gone {
                let Ok(before) = world.take_out(address, id) else { continue };
                let (sent, after) = (Vec::new(), Attributes::new());
                let kind = CommitKind::Delete;
                world.commit(Change { kind, entity: address, id, sent, before, after }, author);
            }
        }
        Trace::Address { account: account_id, number, id } => {
            let Some(account) = metadata.entity("Account") else { return };
            let Ok(before) = world.kept(account, account_id) else { return };
            if before.get(id_place(number)) != Some(&Value::Guid(id)) {
                return;
            }
            let prefix = format!("Address{number}_");
            let emptied = before.names().filter(|name| name.starts_with(&prefix));
            let emptied: Attributes = emptied.map(|name| (name.clone(), Value::Null)).collect();
            change(world, account, account_id, &emptied, author);
        }
        Trace::Nothing => {}
    }
}

fn mirror_to_account(world: &mut World, id: Uuid, author: &Author) {
    let metadata = Arc::clone(&world.metadata);
    let (Some(address), Some(account)) = (metadata.entity("CustomerAddress"), metadata.entity("Account")) else {
        return;
    };
    let Ok(record) = world.kept(address, id) else { return };
    let Some((account_id, number)) = place_of(record) else { return };
    let Ok(before) = world.kept(account, account_id) else { return };
    if before.get(id_place(number)) != Some(&Value::Guid(id)) {
        return;
    }
    let places = address.properties.iter().filter(|property| property.name != "AddressId");
    let values = places.map(|property| {
        let value = record.get(&property.name).cloned().unwrap_or_default();
        (format!("Address{number}_{}", property.name), value)
    });
    let values: Attributes = values.filter(|(place, _)| account.property(place).is_some()).collect();
    change(world, account, account_id, &values, author);
}

/// Sets values of a record, and logs this if it changes anything.
fn change(world: &mut World, entity: &EntityType, id: Uuid, values: &Attributes, author: &Author) {
    let Ok(old) = world.kept(entity, id) else { return };
    if values.iter().all(|(name, value)| old.get(name).unwrap_or(&Value::Null) == value) {
        return;
    }
    let mut new = old.clone();
    new.merge(values);
    effects::at_update(world, entity, &mut new, author);
    world.replace(entity, id, new, Vec::new(), author);
}

/// The account and number of an address.
fn place_of(address: &Attributes) -> Option<(Uuid, i32)> {
    match (address.get("ParentId"), address.get("AddressNumber")) {
        (Some(Value::Lookup(parent)), Some(Value::Integer(number)))
            if parent.logical_name == "account" && NUMBERS.contains(number) =>
        {
            Some((parent.id, *number))
        }
        _ => None,
    }
}

/// An account's attributes for one of its addresses, under the names that they have there.
fn mirrored(account: &Attributes, number: i32, entity: &EntityType, address: &EntityType) -> Attributes {
    let prefix = format!("Address{number}_");
    let own = entity.properties.iter().filter_map(|property| {
        let name = property.name.strip_prefix(&prefix)?;
        let is_mirrored = name != "AddressId" && address.property(name).is_some();
        is_mirrored.then(|| (name.to_owned(), account.get(&property.name).cloned().unwrap_or_default()))
    });
    own.collect()
}
