//! From raw attributes to a row's values and back, by what the descriptor says.

pub(crate) mod midnight;
mod value;

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

pub use value::{
    DECIMAL_SCALE, calendar_date, fit, fit_column, for_the_wire, midnight_of, scale_max, scaled, with_calendar_dates,
    with_midnights,
};
use value::{to_model, to_raw};

use crate::{ACTOR, Attribute, Class, Column, Constant, EngineAttribute, Fault, Mode, ModelDescriptor, Source, Write};

/// One value per column, in the descriptor's order.
pub type Row = Vec<Value>;

/// What is known of a record beside its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFacts {
    /// The record's id.
    pub id: Uuid,
    /// CDMS's time of the last change.
    pub modified: Option<Instant>,
    /// CDMS's time of creation.
    pub created: Option<Instant>,
    /// The user of the last change.
    pub modified_by: Option<Uuid>,
}

/// The row that a record's attributes make. Local columns are null, or have their default: the caller lays the hub's values
/// over them.
///
/// # Errors
///
/// A required attribute that is null, an attribute that is not known, or a value that does not convert or that the
/// field's type does not take, with the attribute named.
pub fn decode(model: &ModelDescriptor, facts: &RecordFacts, attributes: &Attributes) -> Result<Row, Fault> {
    let values = model.columns.iter().map(|column| {
        let value = decode_column(model, column, facts, attributes)?;
        kept(model, column, value)
    });
    values.collect()
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
    facts: &RecordFacts,
    attributes: &Attributes,
) -> Result<(Row, Vec<usize>), Fault> {
    let never_read = |name: &&str| !attributes.contains(name);
    let unread: Vec<&'static str> =
        model.attributes.iter().map(|attribute| attribute.name).filter(never_read).collect();
    if unread.is_empty() {
        return Ok((decode(model, facts, attributes)?, Vec::new()));
    }
    let mut known = attributes.clone();
    known.merge(&unread.iter().map(|name| (*name, Value::Null)).collect());
    let mut incomplete = Vec::new();
    let mut row = Row::with_capacity(model.columns.len());
    for (position, column) in model.columns.iter().enumerate() {
        let decoded = decode_column(model, column, facts, &known).and_then(|value| kept(model, column, value));
        row.push(if column.attributes().iter().any(|name| unread.contains(name)) {
            incomplete.push(position);
            match decoded {
                Ok(value) => value,
                Err(_) => stand_in(model, column, facts.id)?,
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

fn decode_column(
    model: &ModelDescriptor,
    column: &Column,
    facts: &RecordFacts,
    attributes: &Attributes,
) -> Result<Value, Fault> {
    match &column.source {
        Source::Key => Ok(Value::Guid(facts.id)),
        Source::Engine(engine) => {
            let value = match engine {
                EngineAttribute::Modified => facts.modified.map(Value::Instant),
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
        Source::Local if column.default.is_some() => Ok(initial(column)),
        Source::Local => Ok(Value::Null),
        Source::Attribute { attribute, near, targets, .. } => {
            let (place, contract) = stated_near(model, *near, attribute)?;
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
        Source::Joined { attributes: names, decode, .. } => {
            let class = most_sensitive(model, names);
            let value = decode(attributes).map_err(|fault| fault.class(class).at(column.field))?;
            let value = fit_column(column, value).map_err(|fault| fault.class(class).at(column.field))?;
            if value.is_null() && !column.nullable {
                return Err(Fault::new("came out null, but the field cannot be").at(column.field));
            }
            Ok(value)
        }
    }
}

/// The attributes to send for one column's new value, in raw form, checked against the contract.
///
/// # Errors
///
/// A value that CDMS would not take: text too long, an option that does not exist, a reference to another entity,
/// null where the contract requires a value.
pub fn encode(model: &ModelDescriptor, column: &Column, value: &Value, seen: &Attributes) -> Result<Attributes, Fault> {
    let mut patch = Attributes::new();
    encode_to(model, column, value, seen, |place, value| _ = patch.insert(model.attributes[place].name, value))?;
    Ok(patch)
}

/// Like [`encode`], attribute by attribute, each by its place in the descriptor.
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
                    Fault::new(format!("its `with` module set `{name}`, which is not among its attributes"))
                        .at(column.field)
                })?;
                let (place, contract) = stated_at(model, name)?;
                send(place, to_raw(contract, part)?);
            }
        }
    }
    Ok(())
}

/// All attributes of a new record that CDMS never sees, in raw form: also those that an update would not send, and null
/// for what the row has nothing in.
///
/// # Errors
///
/// As [`encode`].
pub fn encode_whole(model: &ModelDescriptor, row: &[Value]) -> Result<Attributes, Fault> {
    let names = model.columns.iter().flat_map(|column| column.attributes());
    let mut whole: Attributes = names.map(|name| (*name, Value::Null)).collect();
    // Where two columns show one attribute, the one that is written says what it is.
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

/// Everything a create sends for a row, without key and constants: what is null or stands for a null is left out.
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
        // Fields that share an attribute are encoded one after the other, each into what those before it have made.
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

/// Those of the attributes that are made already.
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

/// Measures the constants as a write by this actor would send them, so that what CDMS would refuse is refused before
/// anything is sent.
///
/// # Errors
///
/// A constant that does not fit its attribute, for example because the actor's name is too long for it.
pub fn check_constants(model: &ModelDescriptor, actor: &str) -> Result<(), Fault> {
    // What is fixed was measured by the derive.
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

/// What a local column holds for a record that was first seen in CDMS: its default, null where it may be, else the kind's
/// zero.
pub fn initial(column: &Column) -> Value {
    // A default of another form than the kind's is ruled out by the derive's checks.
    if let Some(Ok(value)) = column.default.map(|default| fit(column.kind, default())) {
        return value;
    }
    if column.nullable {
        return Value::Null;
    }
    // The derive refuses the kinds that have no zero.
    zero(column.kind).unwrap_or_default()
}

/// What a column of a new record holds before it is given a value: the id in its key, null where it may be null,
/// its default, or the kind's zero. What CDMS fills in holds something of its form.
///
/// # Errors
///
/// A column that is written and of whose kind no value is nothing.
pub fn beginning(model: &ModelDescriptor, column: &Column, id: Uuid) -> Result<Value, Fault> {
    let is_filled = column.write() == Write::Never;
    match column.source {
        Source::Key => return Ok(Value::Guid(id)),
        _ if column.nullable => return Ok(Value::Null),
        Source::Engine(EngineAttribute::ModifiedBy) => return Ok(Value::Guid(Uuid::nil())),
        Source::Engine(_) => return Ok(Value::Instant(Instant(0))),
        Source::Local if column.default.is_some() => return Ok(initial(column)),
        Source::Local => return zero_of(column),
        Source::Joined { attributes: names, decode, .. } => {
            let nothing: Attributes = names.iter().map(|name| (*name, Value::Null)).collect();
            return decode(&nothing)
                .and_then(|value| fit_column(column, value))
                .map_err(|fault| fault.at(column.field));
        }
        Source::Attribute { .. } => {}
    }
    if let Some(default) = default_of(column)? {
        return Ok(default);
    }
    match column.kind {
        Kind::Choice | Kind::State | Kind::Status | Kind::DateTime | Kind::Date | Kind::Guid | Kind::Lookup
            if is_filled =>
        {
            Ok(placeholder(model, column))
        }
        _ => zero_of(column),
    }
}

/// What stands in for a value of a kind that has no zero: the first option, the first day of 1970, nil.
fn placeholder(model: &ModelDescriptor, column: &Column) -> Value {
    let contract = column.attributes().first().and_then(|name| model.attribute(name));
    let target = contract.and_then(|contract| contract.targets.first()).copied().unwrap_or_default();
    match column.kind {
        Kind::Choice | Kind::State | Kind::Status => {
            let first = contract.and_then(|contract| contract.choices.first());
            Value::Choice(first.map_or(0, |(_, option)| *option))
        }
        Kind::DateTime => Value::Instant(Instant(0)),
        Kind::Date => Value::Date(NaiveDate::default()),
        Kind::Guid => Value::Guid(Uuid::nil()),
        Kind::Lookup => Value::Lookup(Reference { logical_name: target.into(), id: Uuid::nil() }),
        kind => zero(kind).unwrap_or_default(),
    }
}

fn zero_of(column: &Column) -> Result<Value, Fault> {
    zero(column.kind)
        .ok_or_else(|| Fault::new(format!("is a {} and has no value to begin with", column.kind)).at(column.field))
}

/// The value of a kind that stands for nothing, null for a text; `None` for kinds that have none.
fn zero(kind: Kind) -> Option<Value> {
    match kind {
        Kind::String => Some(Value::Null),
        Kind::Integer => Some(Value::Integer(0)),
        Kind::BigInt => Some(Value::BigInt(0)),
        Kind::Decimal => Some(Value::Decimal(Decimal::ZERO)),
        Kind::Money => Some(Value::Money(Decimal::ZERO)),
        Kind::Double => Some(Value::Double(0.0)),
        Kind::Boolean => Some(Value::Boolean(false)),
        Kind::DateTime | Kind::Date | Kind::Guid | Kind::Choice | Kind::State | Kind::Status | Kind::Lookup => None,
    }
}

/// The value that stands for a null of the column's attribute, in the form of its kind; `None` where none does.
///
/// # Errors
///
/// The default's form does not fit the kind, which the derive's checks rule out.
pub fn default_of(column: &Column) -> Result<Option<Value>, Fault> {
    match column.source {
        Source::Attribute { default: Some(default), .. } => {
            fit_column(column, default()).map(Some).map_err(|fault| fault.at(column.field))
        }
        _ => Ok(None),
    }
}

/// What the contract states on an attribute, with its place among the model's.
fn stated_at(model: &ModelDescriptor, name: &'static str) -> Result<(usize, &'static Attribute), Fault> {
    let place = model.place_of(name).ok_or_else(|| {
        Fault::new(format!("is not in the descriptor of {}; this is a bug of the derive", model.name)).at(name)
    })?;
    Ok((place, &model.attributes[place]))
}

/// Like [`stated_at`], and quicker where the attribute is at this place.
fn stated_near(
    model: &ModelDescriptor,
    place: usize,
    name: &'static str,
) -> Result<(usize, &'static Attribute), Fault> {
    match model.attributes.get(place) {
        // Where the compiler keeps both names as one text, which it mostly does, they need not be read.
        Some(known) if std::ptr::eq(known.name, name) || known.name == name => Ok((place, known)),
        _ => stated_at(model, name),
    }
}

/// A fault of a field's type, which knows no classes: its value is shown only if that of every attribute behind the field
/// may be. Where it is not known which field it is, no value is shown.
#[must_use]
pub fn classed(model: &ModelDescriptor, fault: Fault) -> Fault {
    let column = model.columns.iter().find(|column| fault.place() == Some(column.field));
    let class = column.map_or(Class::Personal, |column| class_of(model, column));
    fault.at_least(class)
}

/// The strictest class among a column's attributes; of one of the hub's own what the field says.
pub fn class_of(model: &ModelDescriptor, column: &Column) -> Class {
    if column.is_local() { column.local_class() } else { most_sensitive(model, column.attributes()) }
}

fn most_sensitive(model: &ModelDescriptor, names: &[&str]) -> Class {
    let classes = names.iter().filter_map(|name| model.attribute(name)).map(|attribute| attribute.class);
    classes.max().unwrap_or_default()
}
