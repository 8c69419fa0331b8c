//! From a record's raw attributes to a row's values.

use cdms_odata::{Attributes, Facts, Kind, Value};
use uuid::Uuid;

use super::beginning::{beginning, initial, placeholder};
use super::value::to_model;
use super::{Row, class_of, default_of, fit_column, most_sensitive, stated_near};
use crate::{Column, EngineAttribute, Fault, Mode, ModelDescriptor, Source};

/// The row that a record's attributes make. Local columns are null, or have their default: the caller lays the hub's values
/// over them.
///
/// # Errors
///
/// A required attribute that is null, an attribute that is not known, or a value that does not convert or that the
/// field's type does not take, with the attribute named.
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

/// The value that attributes give one column: what [`decode`] has in its place, without a look at the others. Null for the
/// key and for the columns of the engine's attributes, which attributes say nothing about.
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
                return Err(Fault::new("came out null, but the field cannot be").at(column.field));
            }
            value
        }
    };
    kept(model, column, value)
}

/// What CDMS says of the record itself, as the column of an engine's attribute holds it.
fn fact(column: &Column, attribute: EngineAttribute, facts: &Facts) -> Result<Value, Fault> {
    let value = match attribute {
        EngineAttribute::Modified => Some(Value::Instant(facts.modified)),
        EngineAttribute::Created => facts.created.map(Value::Instant),
        EngineAttribute::ModifiedBy => facts.modified_by.map(Value::Guid),
    };
    match value {
        None if !column.nullable => {
            Err(Fault::new("is null in CDMS, but the field cannot be; make it an Option").at(column.field))
        }
        value => Ok(value.unwrap_or_default()),
    }
}

/// What a column's type keeps of a value is what the row holds, so that a value it keeps less of is no change of it.
fn kept(model: &ModelDescriptor, column: &Column, value: Value) -> Result<Value, Fault> {
    match column.through {
        Some(through) if !column.is_local() => through(&value)
            .and_then(|value| fit_column(column, value))
            .map_err(|fault| fault.at_least(class_of(model, column)).at(column.field)),
        _ => Ok(value),
    }
}

/// The row that is known of a record which was stored before some of the model's attributes were mapped, with the positions
/// of the columns that rest on an attribute which was never read. Something of their form stands in for their values: null, their
/// default, the kind's zero, the first option.
///
/// # Errors
///
/// As [`decode`]; an attribute that was never read is an error only where nothing can stand for its value.
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

/// What stands in for a value that was never read.
fn stand_in(model: &ModelDescriptor, column: &Column, id: Uuid) -> Result<Value, Fault> {
    let value = match column.kind {
        Kind::Choice | Kind::State | Kind::Status | Kind::DateTime | Kind::Date | Kind::Guid | Kind::Lookup => {
            placeholder(model, column)
        }
        _ => beginning(model, column, id)?,
    };
    kept(model, column, value).map_err(|_| {
        let reason = "was never read from CDMS, and nothing can stand for it; read the record once with CDMS at hand";
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
    // A record has the model's attributes and no others, so it has this one where the descriptor has it.
    let raw = match attributes.get_near(place, attribute) {
        Some(raw) => raw,
        // CDMS cannot be asked any more: an attribute that was mapped since has no value.
        None if model.mode == Mode::Detached => &Value::Null,
        None => return Err(Fault::new("was never read from CDMS; read the record once").of(contract)),
    };
    let value = to_model(contract, raw)?;
    let value = match value {
        Value::Lookup(reference) if !targets.is_empty() && !targets.contains(&&*reference.logical_name) => {
            if !column.nullable && default_of(column)?.is_none() {
                let reason = format!(
                    "points to {}, and the field can point to {} only; make it an Option, or a OneOf of all",
                    reference.logical_name,
                    targets.join(" or ")
                );
                return Err(Fault::new(reason).of(contract));
            }
            Value::Null
        }
        // A column of references to several models holds which one too.
        Value::Lookup(reference) if column.kind == Kind::String => Value::text(reference.to_string()),
        value => value,
    };
    match value {
        Value::Null => match default_of(column)? {
            Some(default) => Ok(default),
            None if column.nullable => Ok(Value::Null),
            None => Err(Fault::new("is null in CDMS, but the field cannot be").of(contract)),
        },
        value => Ok(value),
    }
}
