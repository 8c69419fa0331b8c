//! Conversion from a row's values to the raw attributes that are sent.

use cdms_odata::{Attributes, Kind, Value};

use super::value::to_raw;
use super::{default_of, most_sensitive, stated_at, stated_near};
use crate::{ACTOR, Column, Constant, Fault, ModelDescriptor, Source, Write};

/// Converts a column's new value to the attributes to send, in raw form and checked against the contract.
///
/// # Errors
///
/// A value that CDMS would reject: text that is too long, an unknown option, a reference to another entity, or null if
/// the contract requires a value.
pub fn encode(model: &ModelDescriptor, column: &Column, value: &Value, seen: &Attributes) -> Result<Attributes, Fault> {
    let mut patch = Attributes::new();
    encode_to(model, column, value, seen, |place, value| _ = patch.insert(model.attributes[place].name, value))?;
    Ok(patch)
}

/// Like [`encode`], but passes each attribute to `send` by its position in the descriptor.
fn encode_to(
    model: &ModelDescriptor,
    column: &Column,
    value: &Value,
    seen: &Attributes,
    mut send: impl FnMut(usize, Value),
) -> Result<(), Fault> {
    match &column.source {
        Source::Key | Source::Engine(_) | Source::Local => {}
        Source::Attribute { attribute, near, .. } => {
            let (place, contract) = stated_near(model, *near, attribute)?;
            let value = match value {
                Value::Text(text) if contract.kind == Kind::Lookup => {
                    let reference =
                        text.parse().map_err(|error: cdms_odata::InvalidReference| Fault::new(error.to_string()));
                    Value::Lookup(reference.map_err(|fault| fault.of(contract))?)
                }
                value => value.clone(),
            };
            send(place, to_raw(contract, value)?);
        }
        Source::Joined { attributes: names, encode, .. } => {
            let class = most_sensitive(model, names);
            let parts = encode(value, seen).map_err(|fault| fault.class(class).at(column.field))?;
            for (name, part) in parts {
                let name = names.iter().find(|known| **known == name).ok_or_else(|| {
                    Fault::new(format!("its `with` module set `{name}`, which is not one of its attributes"))
                        .at(column.field)
                })?;
                let (place, contract) = stated_at(model, name)?;
                send(place, to_raw(contract, part)?);
            }
        }
    }
    Ok(())
}

/// All attributes of a new record of a detached model, in raw form. They include attributes that an update would not
/// send, and nulls for columns without a value.
///
/// # Errors
///
/// As [`encode`].
pub fn encode_whole(model: &ModelDescriptor, row: &[Value]) -> Result<Attributes, Fault> {
    let names = model.columns.iter().flat_map(|column| column.attributes());
    let mut whole: Attributes = names.map(|name| (*name, Value::Null)).collect();
    // If two columns show the same attribute, the one that is written determines its value.
    let columns = || model.columns.iter().zip(row);
    let views = columns().filter(|(column, _)| column.write() == Write::Never);
    for (column, value) in views.chain(columns().filter(|(column, _)| column.write() != Write::Never)) {
        if default_of(column)?.is_some_and(|default| default == *value) {
            continue;
        }
        let seen = whole.clone();
        encode_to(model, column, value, &seen, |place, value| _ = whole.insert(model.attributes[place].name, value))?;
    }
    Ok(whole)
}

/// All attributes that a create sends for a row, except key and constants. Nulls and defaults that replace a null are
/// left out.
///
/// # Errors
///
/// As [`encode`].
pub fn encode_new(model: &ModelDescriptor, row: &[Value]) -> Result<Attributes, Fault> {
    let mut body: Vec<Option<Value>> = vec![None; model.attributes.len()];
    for (column, value) in model.columns.iter().zip(row) {
        if column.write() == Write::Never || default_of(column)?.is_some_and(|default| default == *value) {
            continue;
        }
        // Fields that share an attribute are encoded in order, each on top of the result of the previous ones.
        let seen = match &column.source {
            Source::Joined { attributes, .. } => made_of(model, &body, attributes)?,
            _ => Attributes::new(),
        };
        encode_to(model, column, value, &seen, |place, value| body[place] = Some(value))?;
    }
    let mut made = Vec::with_capacity(body.len());
    for (attribute, value) in model.attributes.iter().zip(body) {
        match value {
            None | Some(Value::Null) => {}
            Some(value) => made.push((attribute.name.into(), value)),
        }
    }
    let body = Attributes::in_order(made);
    for attribute in model.attributes.iter().filter(|attribute| attribute.required && !attribute.read_only) {
        let is_constant = model.constants.iter().any(|(name, _)| *name == attribute.name);
        if !is_constant && !body.contains(attribute.name) {
            return Err(Fault::new("is required by the contract, but the new record has no value for it").of(attribute));
        }
    }
    Ok(body)
}

/// The attributes in `names` that already have a value.
fn made_of(model: &ModelDescriptor, body: &[Option<Value>], names: &[&'static str]) -> Result<Attributes, Fault> {
    let mut made = Attributes::new();
    for name in names {
        let (place, _) = stated_at(model, name)?;
        if let Some(value) = &body[place] {
            made.insert(*name, value.clone());
        }
    }
    Ok(made)
}

/// Checks the constants as a write by this actor would send them, so that values that CDMS would reject are found
/// before anything is sent.
///
/// # Errors
///
/// A constant does not fit its attribute, for example because the actor's name is too long.
pub fn check_constants(model: &ModelDescriptor, actor: &str) -> Result<(), Fault> {
    // The derive has checked fixed constants.
    let named = model.constants.iter().filter_map(|(name, constant)| match constant {
        Constant::Text(text) if text.contains(ACTOR) => Some((name, text.replace(ACTOR, actor))),
        _ => None,
    });
    for (name, text) in named {
        let (_, contract) = stated_at(model, name)?;
        to_raw(contract, Value::text(text))?;
    }
    Ok(())
}
