//! What a condition means, on the row of a model.

use cdms_odata::{Kind, Reference, Value};

use super::compared::{column, holds, in_form, in_place_of_null};
use super::{Condition, NotLowered, RelatedModel, Why};
use crate::conversion::Row;
use crate::{Column, ModelDescriptor};

impl Condition {
    /// Whether the condition holds for a row: one value for each of the model's columns. `related` returns the row of
    /// the record that a lookup points to, if it is known and belongs to the model.
    ///
    /// Text is compared without regard to case and trailing spaces, as by CDMS; unlike CDMS, accents are distinguished.
    ///
    /// # Errors
    ///
    /// The model does not have a field, or a value does not fit it.
    pub fn holds(
        &self,
        model: &ModelDescriptor,
        row: &[Value],
        related: &dyn Fn(&'static ModelDescriptor, &Reference) -> Option<Row>,
    ) -> Result<bool, NotLowered> {
        self.is_true(model, row, related).map_err(|why| NotLowered::of(why, model, self))
    }

    fn is_true(
        &self,
        model: &ModelDescriptor,
        row: &[Value],
        related: &dyn Fn(&'static ModelDescriptor, &Reference) -> Option<Row>,
    ) -> Result<bool, Why> {
        let value_of = |field: &str| -> Result<(&Column, Value), Why> {
            let column = column(model, field)?;
            let place = model.columns.iter().position(|known| known.field == field);
            let value = place.and_then(|place| row.get(place)).cloned().unwrap_or_default();
            Ok((column, in_place_of_null(column, value)))
        };
        Ok(match self {
            Condition::Compare { field, operator, value } => {
                let (column, found) = value_of(field)?;
                holds(*operator, &found, &in_form(column, value)?)
            }
            Condition::Text { field, matching, text } => matching.holds(&value_of(field)?.1, text),
            Condition::Part { field, part, operator, value } => {
                operator.holds(&part.of(&value_of(field)?.1), &Value::Integer(*value))
            }
            Condition::Related { field, model: RelatedModel(other), condition } => {
                let (column, value) = value_of(field)?;
                let reference = match &value {
                    Value::Lookup(reference) => Some(reference.clone()),
                    Value::Text(text) if column.kind == Kind::String => text.parse().ok(),
                    _ => None,
                };
                let reference = reference.filter(|reference| reference.logical_name == other.entity.logical);
                match reference.and_then(|reference| related(other, &reference)) {
                    Some(row) => condition.is_true(other, &row, related)?,
                    None => false,
                }
            }
            Condition::All(parts) => {
                parts.iter().try_fold(true, |all, part| Ok::<_, Why>(part.is_true(model, row, related)? && all))?
            }
            Condition::Any(parts) => {
                parts.iter().try_fold(false, |any, part| Ok::<_, Why>(part.is_true(model, row, related)? || any))?
            }
            Condition::Not(part) => !part.is_true(model, row, related)?,
        })
    }
}
