//! Conversion from a record's raw attributes to a row's values.

use cdms_odata::{Attributes, Facts, Kind, Value};
use uuid::Uuid;

use super::beginning::{beginning, initial, placeholder};
use super::value::to_model;
use super::{Row, class_of, default_of, fit_column, most_sensitive, stated_near};
use crate::{Column, EngineAttribute, Fault, Mode, ModelDescriptor, Source};

/// Converts a record's attributes to a row. Local columns are null or have their defaults; the caller fills in the
/// hub's values.
///
/// # Errors
///
/// A required attribute is null, an attribute was never read, or a value cannot be converted or is rejected by the
/// field's type. The fault names the attribute.
pub fn decode(model: &ModelDescriptor, id: Uuid, facts: &Facts, attributes: &Attributes) -> Result<Row, Fault> {
    model.columns.iter().map(|column| decode_column(model, column, id, facts, attributes)).collect()
}

fn decode_column(
    model: &ModelDescriptor,
    column: &Column,
    id: Uuid,
    facts: &Facts,
    attributes: &Attributes,
) -> Result<Value, Fault> {
    match column.source {
        Source::Key => kept(model, column, Value::Guid(id)),
        Source::Engine(attribute) => kept(model, column, fact(column, attribute, facts)?),
        Source::Local | Source::Attribute { .. } | Source::Joined { .. } => decode_field(model, column, attributes),
    }
}

/// Converts the attributes of one column, without looking at the others; the result is the same as in [`decode`]. Null
/// for the key and for columns of engine attributes, which the attributes do not contain.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_field(model: &ModelDescriptor, column: &Column, attributes: &Attributes) -> Result<Value, Fault> {
    let value = match &column.source {
        Source::Key | Source::Engine(_) => return Ok(Value::Null),
        Source::Local if column.default.is_some() => initial(column),
        Source::Local => Value::Null,
        Source::Attribute { attribute, near, targets, .. } => {
            decode_attribute(model, column, (*near, attribute), targets, attributes)?
        }
        Source::Joined { attributes: names, decode, .. } => {
            let class = most_sensitive(model, names);
            let value = decode(attributes).map_err(|fault| fault.class(class).at(column.field))?;
            let value = fit_column(column, value).map_err(|fault| fault.class(class).at(column.field))?;
            if value.is_null() && !column.nullable {
                return Err(Fault::new("the conversion returned null, but the field cannot be null").at(column.field));
            }
            value
        }
    };
    kept(model, column, value)
}

/// A fact about the record, as the value of an engine attribute's column.
fn fact(column: &Column, attribute: EngineAttribute, facts: &Facts) -> Result<Value, Fault> {
    let value = match attribute {
        EngineAttribute::Modified => Some(Value::Instant(facts.modified)),
        EngineAttribute::Created => facts.created.map(Value::Instant),
        EngineAttribute::ModifiedBy => facts.modified_by.map(Value::Guid),
    };
    match value {
        None if !column.nullable => {
            Err(Fault::new("is null in CDMS, but the field cannot be null; make it an `Option`").at(column.field))
        }
        value => Ok(value.unwrap_or_default()),
    }
}

/// Passes a value through the column's type. The row holds what the type keeps, so that a value of which the type keeps
/// less does not count as changed.
fn kept(model: &ModelDescriptor, column: &Column, value: Value) -> Result<Value, Fault> {
    match column.through {
        Some(through) if !column.is_local() => through(&value)
            .and_then(|value| fit_column(column, value))
            .map_err(|fault| fault.at_least(class_of(model, column)).at(column.field)),
        _ => Ok(value),
    }
}

/// The known part of the row of a record that was stored before some of the model's attributes were mapped, and the
/// positions of the columns that depend on attributes that were never read. These columns get a placeholder of their
/// form: null, their default, the zero of their kind, or the first option.
///
/// # Errors
///
/// As [`decode`]. An attribute that was never read is an error only if its column has no placeholder.
pub fn decode_known(
    model: &ModelDescriptor,
    id: Uuid,
    facts: &Facts,
    attributes: &Attributes,
) -> Result<(Row, Vec<usize>), Fault> {
    let never_read = |name: &&str| !attributes.contains(name);
    let unread: Vec<&'static str> =
        model.attributes.iter().map(|attribute| attribute.name).filter(never_read).collect();
    if unread.is_empty() {
        return Ok((decode(model, id, facts, attributes)?, Vec::new()));
    }
    let mut known = attributes.clone();
    known.merge(&unread.iter().map(|name| (*name, Value::Null)).collect());
    let mut incomplete = Vec::new();
    let mut row = Row::with_capacity(model.columns.len());
    for (position, column) in model.columns.iter().enumerate() {
        let decoded = decode_column(model, column, id, facts, &known);
        row.push(if column.attributes().iter().any(|name| unread.contains(name)) {
            incomplete.push(position);
            match decoded {
                Ok(value) => value,
                Err(_) => stand_in(model, column, id)?,
            }
        } else {
            decoded?
        });
    }
    Ok((row, incomplete))
}

/// The placeholder for a value that was never read.
fn stand_in(model: &ModelDescriptor, column: &Column, id: Uuid) -> Result<Value, Fault> {
    let value = match column.kind {
        Kind::Choice | Kind::State | Kind::Status | Kind::DateTime | Kind::Date | Kind::Guid | Kind::Lookup => {
            placeholder(model, column)
        }
        _ => beginning(model, column, id)?,
    };
    kept(model, column, value).map_err(|_| {
        let reason = "was never read from CDMS and has no placeholder; read the record once while CDMS is available";
        Fault::new(reason).at(column.field)
    })
}

fn decode_attribute(
    model: &ModelDescriptor,
    column: &Column,
    (near, attribute): (usize, &'static str),
    targets: &[&str],
    attributes: &Attributes,
) -> Result<Value, Fault> {
    let (place, contract) = stated_near(model, near, attribute)?;
    // A record has exactly the model's attributes, so this one is at the descriptor's position.
    let raw = match attributes.get_near(place, attribute) {
        Some(raw) => raw,
        // CDMS is no longer read: an attribute that was mapped after the model was detached has no value.
        None if model.mode == Mode::Detached => &Value::Null,
        None => return Err(Fault::new("was never read from CDMS; read the record once").of(contract)),
    };
    let value = to_model(contract, raw)?;
    let value = match value {
        Value::Lookup(reference) if !targets.is_empty() && !targets.contains(&&*reference.logical_name) => {
            if !column.nullable && default_of(column)?.is_none() {
                let reason = format!(
                    "points to {}, but the field can only point to {}; make it an `Option`, or a `OneOf` of all models",
                    reference.logical_name,
                    targets.join(" or ")
                );
                return Err(Fault::new(reason).of(contract));
            }
            Value::Null
        }
        // A column that references several models also stores which one.
        Value::Lookup(reference) if column.kind == Kind::String => Value::text(reference.to_string()),
        value => value,
    };
    match value {
        Value::Null => match default_of(column)? {
            Some(default) => Ok(default),
            None if column.nullable => Ok(Value::Null),
            None => Err(Fault::new("is null in CDMS, but the field cannot be null").of(contract)),
        },
        value => Ok(value),
    }
}
