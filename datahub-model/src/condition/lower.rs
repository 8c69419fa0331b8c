//! From fields to attributes: a condition on a model as a filter on the records of its entity.

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};

use super::compared::{attribute, column, has_order, holds, in_form, of_null};
use super::{Condition, NotLowered, RelatedModel, Why};
use crate::filter::{CalendarPart, Comparison, Filter, Matching};
use crate::{Attribute, Column, Fault, Literal, Mode, ModelDescriptor, Source};

impl Condition {
    /// The filter that holds for the records whose rows satisfy the condition.
    ///
    /// It contains no `not` except before a function on text, and says of every comparison what it means for a null, so
    /// that its meaning does not depend on how CDMS compares with null. `All` of nothing is every record, `Any` of
    /// nothing none; there is no such part below the top.
    ///
    /// # Errors
    ///
    /// CDMS does not have what a field holds: it is local, or joined from several attributes; or the model has no such
    /// field, or a value does not fit it. The error says what to write instead.
    pub fn lower(&self, model: &ModelDescriptor) -> Result<Filter, NotLowered> {
        let filter = if model.mode == Mode::Detached {
            Err(Why::Detached { model: model.name })
        } else {
            lowered(self, model, false)
        };
        filter.map_err(|why| NotLowered::of(why, model, self))
    }
}

fn lowered(condition: &Condition, model: &ModelDescriptor, is_negated: bool) -> Result<Filter, Why> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            let parts: Result<Vec<_>, _> = parts.iter().map(|part| lowered(part, model, is_negated)).collect();
            let is_all = matches!(condition, Condition::All(_)) != is_negated;
            Ok(if is_all { Filter::all_of(parts?) } else { Filter::any_of(parts?) })
        }
        Condition::Not(part) => lowered(part, model, !is_negated),
        Condition::Compare { field, operator, value } => {
            let field = Field::of(model, field)?;
            let value = in_form(field.column, value)?;
            field.compared(*operator, &value, is_negated)
        }
        Condition::Text { field, matching, text } => Field::of(model, field)?.matched(*matching, text, is_negated),
        Condition::Part { field, part, operator, value } => {
            Field::of(model, field)?.part(*part, *operator, *value, is_negated)
        }
        Condition::Related { field, model: other, condition } => {
            Field::of(model, field)?.related(*other, condition, is_negated)
        }
    }
}

/// The model's own condition, in a form that CDMS and the hub evaluate alike where an attribute is null.
pub(super) fn only_of(model: &ModelDescriptor) -> Option<Filter> {
    let is_required = |name: &str| model.attribute(name).is_some_and(|attribute| attribute.required);
    Some(model.only?.explicit_about_null(&is_required))
}

/// A field that CDMS can be asked for.
struct Field<'m> {
    column: &'m Column,
    attribute: Attribute,
}

/// What holds for the values of an attribute that are not null.
enum OfValues {
    /// Always, or never.
    Fixed(bool),
    /// If this holds, which a null does not satisfy.
    Without(Filter),
    /// If this holds. What it says of a null depends on who evaluates it.
    Unsure(Filter),
}

impl<'m> Field<'m> {
    fn of(model: &'m ModelDescriptor, field: &str) -> Result<Self, Why> {
        let column = column(model, field)?;
        Ok(Field { column, attribute: attribute(model, column)? })
    }

    fn compare(&self, operator: Comparison, value: Literal) -> Filter {
        Filter::compare(self.attribute.name, operator, value)
    }

    /// A condition on the attribute, if it holds for its values in this way, and for null or not.
    fn filter(&self, of_values: OfValues, of_null: bool) -> Filter {
        let null = || self.compare(Comparison::Equal, Literal::Null);
        let value = || self.compare(Comparison::NotEqual, Literal::Null);
        match (of_values, of_null) {
            // There are no nulls.
            (OfValues::Fixed(fixed), _) if self.attribute.required => {
                if fixed {
                    Filter::all_of(vec![])
                } else {
                    Filter::any_of(vec![])
                }
            }
            (OfValues::Without(filter) | OfValues::Unsure(filter), _) if self.attribute.required => filter,
            (OfValues::Fixed(true), true) => Filter::all_of(vec![]),
            (OfValues::Fixed(true), false) => value(),
            (OfValues::Fixed(false), true) => null(),
            (OfValues::Fixed(false), false) => Filter::any_of(vec![]),
            (OfValues::Without(filter), false) => filter,
            (OfValues::Unsure(filter), false) => Filter::all_of(vec![filter, value()]),
            (OfValues::Without(filter) | OfValues::Unsure(filter), true) => Filter::any_of(vec![filter, null()]),
        }
    }

    fn compared(&self, operator: Comparison, value: &Value, is_negated: bool) -> Result<Filter, Why> {
        if operator.is_of_order() && !has_order(self.attribute.kind) {
            return Err(Why::NoOrder { field: self.column.field, kind: self.attribute.kind });
        }
        let of_null = holds(operator, &of_null(self.column), value) != is_negated;
        if value.is_null() {
            self.can_test_null()?;
            let of_values = operator == Comparison::NotEqual;
            return Ok(self.filter(OfValues::Fixed(of_values != is_negated), of_null));
        }
        let operator = if is_negated { operator.complement() } else { operator };
        Ok(self.filter(self.of_values(operator, value)?, of_null))
    }

    /// The comparison of values that are not null.
    fn of_values(&self, operator: Comparison, value: &Value) -> Result<OfValues, Why> {
        let compare = |operator, value: &Value| Ok(self.compare(operator, self.literal(value)?));
        let either = |first: Filter, second: Filter| OfValues::Without(Filter::any_of(vec![first, second]));
        Ok(match (operator, value) {
            // What is not null comes after an empty text.
            (operator, Value::Text(text)) if text.is_empty() => OfValues::Fixed(matches!(
                operator,
                Comparison::NotEqual | Comparison::Greater | Comparison::GreaterOrEqual
            )),
            // CDMS keeps whole seconds, so a fraction lies between two of its times.
            (operator, Value::Instant(Instant(ms))) if ms.rem_euclid(1000) != 0 => {
                let second = Value::Instant(Instant(ms - ms.rem_euclid(1000)));
                match operator {
                    Comparison::Equal => OfValues::Fixed(false),
                    Comparison::NotEqual => OfValues::Fixed(true),
                    Comparison::Greater | Comparison::GreaterOrEqual => {
                        OfValues::Without(compare(Comparison::Greater, &second)?)
                    }
                    Comparison::Less | Comparison::LessOrEqual => {
                        OfValues::Without(compare(Comparison::LessOrEqual, &second)?)
                    }
                }
            }
            (Comparison::NotEqual, Value::Date(_)) => {
                either(compare(Comparison::Less, value)?, compare(Comparison::Greater, value)?)
            }
            (Comparison::NotEqual, _) => OfValues::Unsure(compare(operator, value)?),
            _ => OfValues::Without(compare(operator, value)?),
        })
    }

    /// The literal of a value of the column, in the attribute's form.
    fn literal(&self, value: &Value) -> Result<Literal, Why> {
        let refused = |reason: &'static str| Why::Value { field: self.column.field, fault: Fault::new(reason) };
        let value = match (self.attribute.kind, value) {
            (Kind::Lookup, Value::Text(text)) => {
                let reference: Result<Reference, _> = text.parse();
                Value::Lookup(reference.map_err(|_| refused("must be a reference, such as `account 6f9619ff-…`"))?)
            }
            (Kind::Lookup, Value::Guid(id)) => {
                Value::Lookup(Reference { logical_name: super::compared::USER.into(), id: *id })
            }
            (_, value) => value.clone(),
        };
        Literal::of(&value).ok_or_else(|| refused("has more digits than CDMS keeps"))
    }

    /// A reference to a record of another model reads as null, and CDMS cannot be asked what a lookup points to.
    fn can_test_null(&self) -> Result<(), Why> {
        let Source::Attribute { targets, .. } = &self.column.source else { return Ok(()) };
        let hides = |target: &&'static str| !targets.is_empty() && !targets.contains(target);
        match self.attribute.targets.iter().find(|target| hides(target)) {
            Some(target) => Err(Why::NullOfSomeTargets { field: self.column.field, target }),
            None => Ok(()),
        }
    }

    fn matched(&self, matching: Matching, text: &str, is_negated: bool) -> Result<Filter, Why> {
        if self.attribute.kind != Kind::String {
            return Err(Why::NoText { field: self.column.field, kind: self.attribute.kind });
        }
        let value = Value::Text(text.to_owned());
        let refused =
            |why: cdms_odata::OutOfDomain| Why::Value { field: self.column.field, fault: Fault::new(why.to_string()) };
        value.check_domain().map_err(refused)?;
        let of_null = matching.holds(&of_null(self.column), text) != is_negated;
        let found = Filter::Text { attribute: self.attribute.name.into(), matching, text: text.to_owned().into() };
        let of_values = match (text.is_empty(), is_negated) {
            (true, _) => OfValues::Fixed(!is_negated),
            (false, false) => OfValues::Without(found),
            (false, true) => OfValues::Unsure(Filter::Not(found.into())),
        };
        Ok(self.filter(of_values, of_null))
    }

    fn part(&self, part: CalendarPart, operator: Comparison, value: i32, is_negated: bool) -> Result<Filter, Why> {
        let is_of_kind = match self.attribute.kind {
            Kind::DateTime => true,
            Kind::Date => part.is_of_dates(),
            _ => false,
        };
        if !is_of_kind {
            return Err(Why::NoPart { field: self.column.field, kind: self.attribute.kind, part });
        }
        let of_null = operator.holds(&part.of(&of_null(self.column)), &Value::Integer(value)) != is_negated;
        let compare = |operator| Filter::Part { attribute: self.attribute.name.into(), part, operator, value };
        let of_values = match if is_negated { operator.complement() } else { operator } {
            Comparison::NotEqual => Filter::any_of(vec![compare(Comparison::Less), compare(Comparison::Greater)]),
            operator => compare(operator),
        };
        Ok(self.filter(OfValues::Without(of_values), of_null))
    }

    fn related(
        &self,
        RelatedModel(other): RelatedModel,
        condition: &Condition,
        is_negated: bool,
    ) -> Result<Filter, Why> {
        let (field, attribute) = (self.column.field, self.attribute.name);
        let target = other.entity.logical;
        if !self.attribute.targets.contains(&target) {
            return Err(Why::PointsElsewhere { field, model: other.name });
        }
        if is_negated {
            return Err(Why::NegatedRelation { field });
        }
        let stated = self.attribute.navigations.iter().find(|(entity, _)| *entity == target);
        let Some((_, navigation)) = stated else { return Err(Why::NoNavigation { field, attribute, target }) };
        if other.mode == Mode::Detached {
            return Err(Why::Detached { model: other.name });
        }
        let filter = lowered(condition, other, false)?;
        if !filter.navigations().is_empty() {
            return Err(Why::NestedRelation { field });
        }
        // Outside the model's condition there is no such record.
        let filter = Filter::all_of(only_of(other).into_iter().chain([filter]).collect());
        // Where there is no record, it depends on CDMS whether a condition that a null satisfies holds.
        let exists = || Filter::compare(other.entity.key, Comparison::NotEqual, Literal::Null);
        let filter = if filter.holds(&Attributes::new()) { Filter::all_of(vec![exists(), filter]) } else { filter };
        if filter.is_never() {
            return Ok(filter);
        }
        Ok(Filter::Related { lookup: attribute.into(), navigation: (*navigation).into(), filter: filter.into() })
    }
}
