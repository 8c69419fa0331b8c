//! Initial values of columns.

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{default_of, fit, fit_column};
use crate::{Column, EngineAttribute, Fault, ModelDescriptor, Source, Write};

/// The initial value of a local column for a record that was first seen in CDMS: the column's default, otherwise null
/// if the column is nullable, otherwise the zero of its kind.
pub fn initial(column: &Column) -> Value {
    // The derive's checks rule out a default in another form.
    if let Some(Ok(value)) = column.default.map(|default| fit(column.kind, default())) {
        return value;
    }
    if column.nullable {
        return Value::Null;
    }
    // The derive rejects kinds without a zero.
    zero(column.kind).unwrap_or_default()
}

/// The initial value of a column of a new record: the id for the key, null if the column is nullable, its default, or
/// the zero of its kind. A column that CDMS fills in gets a placeholder of its form.
///
/// # Errors
///
/// A column that is written and whose kind has no zero.
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

/// A placeholder for a value of a kind without a zero: the first option, the first day of 1970, or the nil GUID.
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
        .ok_or_else(|| Fault::new(format!("has kind {}, which has no initial value", column.kind)).at(column.field))
}

/// The zero of a kind, which is null for text; `None` if the kind has none.
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
