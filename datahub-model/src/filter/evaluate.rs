//! Evaluation over a record's attributes: whether a filter holds, and whether it may hold if some attributes are
//! unknown.

use std::cmp::Ordering;

use cdms_odata::{Attributes, Value};

use super::{Comparison, Filter};

impl Filter {
    /// Whether attributes satisfy the filter. An unknown attribute counts as null.
    ///
    /// Text is compared as CDMS does by default, ignoring case and trailing spaces (docs/protocol.md, 3.1). Unlike
    /// CDMS, this comparison distinguishes accents, so conditions on text should use codes rather than words. Null
    /// equals null and has no ordering.
    pub fn holds(&self, attributes: &Attributes) -> bool {
        self.outcome(&|attribute| attributes.get(attribute).or(Some(&Value::Null))) == Some(true)
    }

    /// Whether a record with these attributes and any others can satisfy the filter: a missing attribute may have any
    /// value.
    pub fn may_hold(&self, attributes: &Attributes) -> bool {
        self.outcome(&|attribute| attributes.get(attribute)) != Some(false)
    }

    /// Whether the filter holds; `None` if that depends on unknown attributes.
    fn outcome<'v>(&self, known: &dyn Fn(&str) -> Option<&'v Value>) -> Option<bool> {
        let joined = |parts: &[Filter], decides: bool| {
            let mut all = Some(!decides);
            for part in parts {
                match part.outcome(known) {
                    Some(outcome) if outcome == decides => return Some(decides),
                    Some(_) => {}
                    None => all = None,
                }
            }
            all
        };
        match self {
            Filter::All(parts) => joined(parts, false),
            Filter::Any(parts) => joined(parts, true),
            Filter::Not(part) => part.outcome(known).map(|holds| !holds),
            Filter::Compare { attribute, operator, value } => {
                known(attribute).map(|known| operator.holds(known, &value.value()))
            }
        }
    }
}

impl Comparison {
    /// Whether the comparison holds between two values.
    fn holds(self, left: &Value, right: &Value) -> bool {
        let ordering = compare(left, right);
        match self {
            Comparison::Equal => ordering == Some(Ordering::Equal),
            Comparison::NotEqual => ordering != Some(Ordering::Equal),
            Comparison::Greater => ordering == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
            Comparison::Less => ordering == Some(Ordering::Less),
            Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Text(left), Value::Text(right)) => Some(folded(left).cmp(&folded(right))),
        (Value::Integer(left), Value::Integer(right)) | (Value::Choice(left), Value::Choice(right)) => {
            Some(left.cmp(right))
        }
        (Value::BigInt(left), Value::BigInt(right)) => Some(left.cmp(right)),
        (Value::Decimal(left), Value::Decimal(right)) | (Value::Money(left), Value::Money(right)) => {
            Some(left.cmp(right))
        }
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Instant(left), Value::Instant(right)) => Some(left.cmp(right)),
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Guid(left), Value::Guid(right)) => Some(left.cmp(right)),
        (Value::Lookup(left), Value::Lookup(right)) => (left == right).then_some(Ordering::Equal),
        _ => None,
    }
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Literal;
    use crate::MaybeStatic::Static;

    const ACTIVE_OR_NAMED: Filter = Filter::Any(Static(&[
        Filter::compare("StateCode", Comparison::Equal, Literal::Choice(0)),
        Filter::Not(Static(&Filter::compare("Name", Comparison::Equal, Literal::Null))),
    ]));

    #[test]
    fn an_unknown_attribute_is_null() {
        assert!(!ACTIVE_OR_NAMED.holds(&Attributes::new()));
        assert!(ACTIVE_OR_NAMED.holds(&Attributes::from([("StateCode", Value::Choice(0))])));
        assert!(ACTIVE_OR_NAMED.holds(&Attributes::from([("Name", Value::text("A"))])));
    }

    #[test]
    fn what_is_not_known_may_be_anything() {
        let state = |state| Attributes::from([("StateCode", Value::Choice(state))]);
        assert!(ACTIVE_OR_NAMED.may_hold(&Attributes::new()));
        assert!(ACTIVE_OR_NAMED.may_hold(&state(1)), "it may have a name");
        let mut unnamed = state(1);
        unnamed.insert("Name", Value::Null);
        assert!(!ACTIVE_OR_NAMED.may_hold(&unnamed));
        unnamed.insert("StateCode", Value::Choice(0));
        assert!(ACTIVE_OR_NAMED.may_hold(&unnamed));
        const NEITHER: Filter = Filter::Not(Static(&ACTIVE_OR_NAMED));
        assert!(NEITHER.may_hold(&Attributes::new()));
        assert!(!NEITHER.may_hold(&state(0)));
    }

    #[test]
    fn text_compares_without_case_and_trailing_blanks() {
        let acme = Filter::compare("Name", Comparison::Equal, Literal::text("ACME"));
        assert!(acme.holds(&Attributes::from([("Name", Value::text("Acme  "))])));
        assert!(!acme.holds(&Attributes::from([("Name", Value::text(" Acme"))])));
    }

    #[test]
    fn null_has_no_order() {
        for operator in [Comparison::Greater, Comparison::Less] {
            let filter = Filter::compare("N", operator, Literal::Integer(3));
            assert!(!filter.holds(&Attributes::new()));
        }
    }
}
