//! A filter that says of every comparison what it means for a null, so that its meaning does not depend on how its evaluator
//! compares with null.

use cdms_odata::Value;

use super::{Comparison, Filter};
use crate::{Literal, MaybeStatic};

impl Filter {
    /// The same filter, as [`holds`](Filter::holds) evaluates it, without a comparison or a negation of which SQL would say
    /// something else if an attribute is null. `is_required` returns whether an attribute never is.
    pub(crate) fn explicit_about_null(&self, is_required: &dyn Fn(&str) -> bool) -> Filter {
        explicit(self, false, is_required)
    }
}

fn explicit(filter: &Filter, is_negated: bool, is_required: &dyn Fn(&str) -> bool) -> Filter {
    let compare = |attribute: &MaybeStatic<str>, operator, value: &Literal| Filter::Compare {
        attribute: attribute.clone(),
        operator,
        value: value.clone(),
    };
    let null = |attribute: &MaybeStatic<str>, operator| compare(attribute, operator, &Literal::Null);
    let or_null = |filter: Filter, attribute: &MaybeStatic<str>, of_null: bool| {
        if of_null && !is_required(attribute) {
            Filter::any_of(vec![filter, null(attribute, Comparison::Equal)])
        } else {
            filter
        }
    };
    let resolved = |operator: Comparison| if is_negated { operator.complement() } else { operator };
    match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| explicit(part, is_negated, is_required)).collect();
            let is_all = matches!(filter, Filter::All(_)) != is_negated;
            if is_all { Filter::all_of(parts) } else { Filter::any_of(parts) }
        }
        Filter::Not(part) => explicit(part, !is_negated, is_required),
        // An empty text is null.
        Filter::Compare { attribute, operator, value } if value.value().is_null() => {
            let of_null = operator.holds(&Value::Null, &Value::Null) != is_negated;
            let of_values = (*operator == Comparison::NotEqual) != is_negated;
            match (of_values, of_null) {
                (true, true) => Filter::all_of(Vec::new()),
                (true, false) => null(attribute, Comparison::NotEqual),
                (false, true) => null(attribute, Comparison::Equal),
                (false, false) => Filter::any_of(Vec::new()),
            }
        }
        Filter::Compare { attribute, operator, value } => {
            let of_null = (*operator == Comparison::NotEqual) != is_negated;
            let of_values = compare(attribute, resolved(*operator), value);
            or_null(of_values, attribute, of_null)
        }
        Filter::Text { attribute, text, .. } if text.is_empty() => {
            null(attribute, if is_negated { Comparison::Equal } else { Comparison::NotEqual })
        }
        Filter::Text { attribute, .. } => match is_negated {
            true => or_null(Filter::Not(filter.clone().into()), attribute, true),
            false => filter.clone(),
        },
        Filter::Part { attribute, part, operator, value } => {
            let of_null = (*operator == Comparison::NotEqual) != is_negated;
            let (attribute, part, operator, value) = (attribute.clone(), *part, resolved(*operator), *value);
            or_null(Filter::Part { attribute: attribute.clone(), part, operator, value }, &attribute, of_null)
        }
        Filter::Related { .. } if is_negated => Filter::Not(filter.clone().into()),
        Filter::Related { .. } => filter.clone(),
    }
}
