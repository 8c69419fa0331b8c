//! What a field is when it is compared: its column, the attribute that it is compared by, and what a null of that
//! attribute means.

use cdms_odata::{Kind, Value};

use super::refused::Why;
use crate::conversion::{default_of, fit, fit_column};
use crate::filter::Comparison;
use crate::{Attribute, Column, EngineAttribute, Fault, ModelDescriptor, Source};

/// The column of a field.
///
/// # Errors
///
/// The model does not have it.
pub fn column<'m>(model: &'m ModelDescriptor, field: &str) -> Result<&'m Column, Why> {
    let found = model.columns.iter().find(|column| column.field == field);
    found.ok_or_else(|| Why::UnknownField { field: field.to_owned(), model: model.name })
}

/// The attribute by which a field is compared, also for the key and the engine's values.
pub(super) fn attribute(model: &ModelDescriptor, column: &Column) -> Result<Attribute, Why> {
    let entity = &model.entity;
    match column.source {
        Source::Key => Ok(Attribute::new(entity.key, Kind::Guid).required()),
        Source::Engine(EngineAttribute::Modified) => Ok(Attribute::new(entity.modified, Kind::DateTime).required()),
        Source::Engine(EngineAttribute::Created) => Ok(Attribute::new(entity.created, Kind::DateTime)),
        Source::Engine(EngineAttribute::ModifiedBy) => {
            Ok(Attribute::new(entity.modified_by, Kind::Lookup).targets(&[USER]))
        }
        Source::Attribute { attribute, .. } => {
            let known = model.attribute(attribute).copied();
            known.ok_or_else(|| Why::UnknownField { field: column.field.to_owned(), model: model.name })
        }
        Source::Joined { attributes, .. } => Err(Why::Joined { field: column.field, attributes }),
        Source::Local => Err(Why::Local { field: column.field }),
    }
}

/// The logical name of the entity of CDMS's users.
pub(super) const USER: &str = "systemuser";

/// A value in the form in which the column's values are compared. Unlike in a row, a time keeps its fraction of a
/// second, which decides a comparison.
///
/// # Errors
///
/// It does not fit the column.
pub fn in_form(column: &Column, value: &Value) -> Result<Value, Why> {
    let value = match (column.kind, value) {
        (Kind::Guid, Value::Lookup(reference)) => Value::Guid(reference.id),
        (_, value) => value.clone(),
    };
    // The value is the caller's, who knows it. It may be personal, so the message goes without it.
    let refused = |reason: String| Why::Value { field: column.field, fault: Fault::new(reason) };
    let value = fit(column.kind, value).map_err(|fault| refused(fault.reason().to_owned()))?;
    value.check_domain().map_err(|why| refused(why.to_string()))?;
    Ok(in_place_of_null(column, value))
}

/// A value as it is compared: where a text cannot be null, it is empty instead, and an empty text that can be is null.
pub(super) fn in_place_of_null(column: &Column, value: Value) -> Value {
    match value {
        Value::Null if column.kind == Kind::String && !column.nullable => Value::Text(String::new()),
        Value::Text(text) if text.is_empty() && column.nullable => Value::Null,
        value => value,
    }
}

/// Whether a comparison holds between two values of a column. An empty text comes before all others, also before those
/// of spaces alone: CDMS has null in its place.
pub(super) fn holds(operator: Comparison, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) if left.is_empty() || right.is_empty() => {
            operator.holds(&Value::Boolean(!left.is_empty()), &Value::Boolean(!right.is_empty()))
        }
        (left, right) => operator.holds(left, right),
    }
}

/// The model's value of a null of the attribute.
pub(super) fn of_null(column: &Column) -> Value {
    let value = default_of(column).ok().flatten().unwrap_or_default();
    let kept = match column.through {
        Some(through) => through(&value).and_then(|value| fit_column(column, value)).unwrap_or(value),
        None => value,
    };
    in_place_of_null(column, kept)
}

/// Whether values of the kind have an order that CDMS and the hub agree on.
pub(super) fn has_order(kind: Kind) -> bool {
    !matches!(kind, Kind::Boolean | Kind::Guid | Kind::Lookup | Kind::Choice | Kind::State | Kind::Status)
}
