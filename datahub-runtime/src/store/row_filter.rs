//! A condition on a model's fields as a condition on its rows: what is compared with what, in the form that the columns
//! have. It means the same as [`Condition::holds`], and is true or false for every row, never null.

use cdms_odata::{Kind, Value};
use datahub_model::condition::{Condition, RelatedModel, Why, column_of_field, in_form_of_column};
use datahub_model::filter::{CalendarPart, Comparison, Matching};
use datahub_model::{Column, ModelDescriptor};
use rust_decimal::{Decimal, RoundingStrategy};

use super::row::{datum, scale_of};
use super::statement::Datum;

/// A condition on rows.
#[derive(Clone, Debug)]
pub(crate) enum RowFilter {
    /// Always, or never.
    Fixed(bool),
    /// The column is null.
    IsNull(&'static Column),
    /// The column is compared with a value that is not null; with what holds for null.
    Compare { column: &'static Column, operator: Comparison, value: Datum, of_null: bool },
    /// The column's text contains another one.
    Text { column: &'static Column, matching: Matching, text: String },
    /// A part of the column's time or date; with what holds if there is none.
    Part { column: &'static Column, part: CalendarPart, operator: Comparison, value: i32, of_null: bool },
    /// There is a row of a model that the column points to, and this holds for it.
    Related { column: &'static Column, model: &'static ModelDescriptor, filter: Box<RowFilter> },
    /// All of these hold.
    All(Vec<RowFilter>),
    /// At least one of these holds.
    Any(Vec<RowFilter>),
    /// This does not hold.
    Not(Box<RowFilter>),
}

impl RowFilter {
    /// What a condition means for the rows of a model.
    ///
    /// # Errors
    ///
    /// The model does not have a field, or a value does not fit it.
    pub(crate) fn of(model: &'static ModelDescriptor, condition: &Condition) -> Result<Self, Why> {
        Ok(match condition {
            Condition::All(parts) => RowFilter::All(all_of(model, parts)?),
            Condition::Any(parts) => RowFilter::Any(all_of(model, parts)?),
            Condition::Not(part) => RowFilter::Not(Box::new(RowFilter::of(model, part)?)),
            Condition::Compare { field, operator, value } => {
                let column = column_of_field(model, field)?;
                compared(column, *operator, &in_form_of_column(column, value)?)?
            }
            Condition::Text { field, matching, text } => match column_of_field(model, field)? {
                column if column.kind == Kind::String => {
                    RowFilter::Text { column, matching: *matching, text: text.clone() }
                }
                _ => RowFilter::Fixed(false),
            },
            Condition::Part { field, part, operator, value } => {
                let (column, of_null) = (column_of_field(model, field)?, *operator == Comparison::NotEqual);
                let has_part = match column.kind {
                    Kind::DateTime => true,
                    Kind::Date => part.is_of_dates(),
                    _ => false,
                };
                match has_part {
                    true => RowFilter::Part { column, part: *part, operator: *operator, value: *value, of_null },
                    false => RowFilter::Fixed(of_null),
                }
            }
            Condition::Related { field, model: RelatedModel(other), condition } => RowFilter::Related {
                column: column_of_field(model, field)?,
                model: other,
                filter: Box::new(RowFilter::of(other, condition)?),
            },
        })
    }
}

fn all_of(model: &'static ModelDescriptor, parts: &[Condition]) -> Result<Vec<RowFilter>, Why> {
    parts.iter().map(|part| RowFilter::of(model, part)).collect()
}

fn compared(column: &'static Column, operator: Comparison, value: &Value) -> Result<RowFilter, Why> {
    let of_null = operator == Comparison::NotEqual;
    if value.is_null() {
        return Ok(match operator {
            Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual => RowFilter::IsNull(column),
            Comparison::NotEqual => RowFilter::Not(Box::new(RowFilter::IsNull(column))),
            Comparison::Less | Comparison::Greater => RowFilter::Fixed(false),
        });
    }
    let stored = |value: &Value| datum(column, value).map_err(|fault| Why::Value { field: column.field, fault });
    let compare = |operator, value| RowFilter::Compare { column, operator, value, of_null };
    let (Value::Decimal(number) | Value::Money(number)) = value else {
        return Ok(compare(operator, stored(value)?));
    };
    // Columns hold whole numbers of their smallest unit, and a value can lie between two of them.
    let below = number.round_dp_with_strategy(scale_of(column), RoundingStrategy::ToNegativeInfinity);
    let same_kind = |number: Decimal| match value {
        Value::Money(_) => Value::Money(number),
        _ => Value::Decimal(number),
    };
    let Ok(bound) = datum(column, &same_kind(below)) else {
        // It is beyond everything that the column can hold.
        let is_above = number.is_sign_positive();
        return Ok(match operator {
            Comparison::Equal => RowFilter::Fixed(false),
            Comparison::NotEqual => RowFilter::Fixed(true),
            Comparison::Less | Comparison::LessOrEqual if is_above => has_value(column),
            Comparison::Greater | Comparison::GreaterOrEqual if !is_above => has_value(column),
            _ => RowFilter::Fixed(false),
        });
    };
    if below == *number {
        return Ok(compare(operator, bound));
    }
    Ok(match operator {
        Comparison::Equal => RowFilter::Fixed(false),
        Comparison::NotEqual => RowFilter::Fixed(true),
        Comparison::Less | Comparison::LessOrEqual => compare(Comparison::LessOrEqual, bound),
        Comparison::Greater | Comparison::GreaterOrEqual => compare(Comparison::Greater, bound),
    })
}

fn has_value(column: &'static Column) -> RowFilter {
    RowFilter::Not(Box::new(RowFilter::IsNull(column)))
}
