//! What a column holds before anybody gave it a value.

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{default_of, fit, fit_column};
use crate::{Column, EngineAttribute, Fault, ModelDescriptor, Source, Write};

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
pub(super) fn placeholder(model: &ModelDescriptor, column: &Column) -> Value {
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
