//! A condition on raw attributes: the `only` of a model.

use std::cmp::Ordering;
use std::fmt;

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
    /// Text compares as CDMS does by default, without regard to case and trailing blanks (docs/protocol.md, 3.1);
    /// accents are told apart here, so conditions on text should be on codes rather than on words.
    /// Null equals null, and no ordering holds for it.
    pub fn holds(&self, attributes: &Attributes) -> bool {
        match self {
            Condition::All(conditions) => conditions.iter().all(|condition| condition.holds(attributes)),
            Condition::Any(conditions) => conditions.iter().any(|condition| condition.holds(attributes)),
            Condition::Not(condition) => !condition.holds(attributes),
            Condition::Compare { attribute, .. } => self.holds_for(attributes.get(attribute).unwrap_or(&Value::Null)),
        }
    }

    /// Whether some record with these attributes and others satisfies the condition: an attribute that is not among them
    /// may have any value.
    pub fn may_hold(&self, attributes: &Attributes) -> bool {
        self.outcome(attributes) != Some(false)
    }

    /// Whether it holds; `None` where that depends on attributes that are not known.
    fn outcome(&self, attributes: &Attributes) -> Option<bool> {
        let outcomes = |conditions: &[Condition], decides: bool| {
            let mut all = Some(!decides);
            for condition in conditions {
                match condition.outcome(attributes) {
                    Some(outcome) if outcome == decides => return Some(decides),
                    Some(_) => {}
                    None => all = None,
                }
            }
            all
        };
        match self {
            Condition::All(conditions) => outcomes(conditions, false),
            Condition::Any(conditions) => outcomes(conditions, true),
            Condition::Not(condition) => condition.outcome(attributes).map(|holds| !holds),
            Condition::Compare { attribute, .. } => attributes.get(attribute).map(|known| self.holds_for(known)),
        }
    }

    /// Whether a comparison holds for a value of its attribute.
    fn holds_for(&self, known: &Value) -> bool {
        match self {
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => true,
            Condition::Compare { operator, value, .. } => {
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

impl Comparison {
    /// The operator as it is written in a condition.
    pub const fn name(self) -> &'static str {
        match self {
            Comparison::Equal => "eq",
            Comparison::NotEqual => "ne",
            Comparison::Greater => "gt",
            Comparison::GreaterOrEqual => "ge",
            Comparison::Less => "lt",
            Comparison::LessOrEqual => "le",
        }
    }
}

/// In the words of `only`, for messages.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, conditions: &[Condition], word: &str| {
            for (place, condition) in conditions.iter().enumerate() {
                let word = if place == 0 { "" } else { word };
                match condition {
                    Condition::Compare { .. } | Condition::Not(_) => write!(f, "{word}{condition}")?,
                    Condition::All(_) | Condition::Any(_) => write!(f, "{word}({condition})")?,
                }
            }
            Ok(())
        };
        match self {
            Condition::All(conditions) => joined(f, conditions, " and "),
            Condition::Any(conditions) => joined(f, conditions, " or "),
            Condition::Not(condition) => write!(f, "not ({condition})"),
            Condition::Compare { attribute, operator, value } => {
                write!(f, "{attribute} {} {}", operator.name(), value.value())
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
    fn what_is_not_known_may_be_anything() {
        let state = |state| Attributes::from([("StateCode", Value::Choice(state))]);
        assert!(ACTIVE_OR_NAMED.may_hold(&Attributes::new()));
        assert!(ACTIVE_OR_NAMED.may_hold(&state(1)), "it may have a name");
        let mut unnamed = state(1);
        unnamed.insert("Name", Value::Null);
        assert!(!ACTIVE_OR_NAMED.may_hold(&unnamed));
        unnamed.insert("StateCode", Value::Choice(0));
        assert!(ACTIVE_OR_NAMED.may_hold(&unnamed));
        let not = |condition: &'static Condition| Condition::Not(condition);
        assert!(not(&ACTIVE_OR_NAMED).may_hold(&Attributes::new()));
        assert!(!not(&ACTIVE_OR_NAMED).may_hold(&state(0)));
    }

    #[test]
    fn a_condition_prints_in_the_words_of_only() {
        let text = ACTIVE_OR_NAMED.to_string();
        assert_eq!(text, "StateCode eq 0 or not (Name eq null)");
        let nested = Condition::All(&[ACTIVE_OR_NAMED, ACTIVE_OR_NAMED]).to_string();
        assert_eq!(nested, format!("({text}) and ({text})"));
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
