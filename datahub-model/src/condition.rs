//! A condition on raw attributes: the `only` of a model.

use std::cmp::Ordering;

use cdms_odata::{Attributes, Value};
use serde::Serialize;

use crate::Literal;

/// Which records of an entity belong to a model, in a form that a static can hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// One attribute against a literal.
    Compare {
        /// The attribute's name.
        attribute: &'static str,
        /// How to compare.
        operator: Comparison,
        /// What to compare with.
        value: Literal,
    },
    /// All of these.
    All(&'static [Condition]),
    /// At least one of these.
    Any(&'static [Condition]),
    /// Not this.
    Not(&'static Condition),
}

/// The comparison operators of the endpoint's filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Comparison {
    /// `eq`
    #[serde(rename = "eq")]
    Equal,
    /// `ne`
    #[serde(rename = "ne")]
    NotEqual,
    /// `gt`
    #[serde(rename = "gt")]
    Greater,
    /// `ge`
    #[serde(rename = "ge")]
    GreaterOrEqual,
    /// `lt`
    #[serde(rename = "lt")]
    Less,
    /// `le`
    #[serde(rename = "le")]
    LessOrEqual,
}

impl Condition {
    /// Whether attributes satisfy the condition; an attribute that is not known counts as null.
    ///
    /// Text compares as CDMS does by default, without regard to case and trailing blanks (fact sheet, 3.1);
    /// accents are told apart here, so conditions on text should be on codes rather than on words.
    /// Null equals null, and no ordering holds for it.
    pub fn holds(&self, attributes: &Attributes) -> bool {
        match self {
            Condition::All(conditions) => conditions.iter().all(|condition| condition.holds(attributes)),
            Condition::Any(conditions) => conditions.iter().any(|condition| condition.holds(attributes)),
            Condition::Not(condition) => !condition.holds(attributes),
            Condition::Compare { attribute, operator, value } => {
                let known = attributes.get(attribute).unwrap_or(&Value::Null);
                let ordering = compare(known, &value.value());
                match operator {
                    Comparison::Equal => ordering == Some(Ordering::Equal),
                    Comparison::NotEqual => ordering != Some(Ordering::Equal),
                    Comparison::Greater => ordering == Some(Ordering::Greater),
                    Comparison::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
                    Comparison::Less => ordering == Some(Ordering::Less),
                    Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
                }
            }
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

    const ACTIVE_OR_NAMED: Condition = Condition::Any(&[
        Condition::Compare { attribute: "StateCode", operator: Comparison::Equal, value: Literal::Choice(0) },
        Condition::Not(&Condition::Compare { attribute: "Name", operator: Comparison::Equal, value: Literal::Null }),
    ]);

    #[test]
    fn an_unknown_attribute_is_null() {
        assert!(!ACTIVE_OR_NAMED.holds(&Attributes::new()));
        assert!(ACTIVE_OR_NAMED.holds(&Attributes::from([("StateCode", Value::Choice(0))])));
        assert!(ACTIVE_OR_NAMED.holds(&Attributes::from([("Name", Value::text("A"))])));
    }

    #[test]
    fn text_compares_without_case_and_trailing_blanks() {
        let acme = Condition::Compare { attribute: "Name", operator: Comparison::Equal, value: Literal::Text("ACME") };
        assert!(acme.holds(&Attributes::from([("Name", Value::text("Acme  "))])));
        assert!(!acme.holds(&Attributes::from([("Name", Value::text(" Acme"))])));
    }

    #[test]
    fn null_has_no_order() {
        for operator in [Comparison::Greater, Comparison::Less] {
            let condition = Condition::Compare { attribute: "N", operator, value: Literal::Integer(3) };
            assert!(!condition.holds(&Attributes::new()));
        }
    }
}
