//! Conditions on one record, and whether it satisfies them.

use std::collections::BTreeSet;

use cdms_odata::Attributes;
use uuid::Uuid;

use super::literal::Comparable;
use super::place::Place;
use super::syntax::Operator;
use super::text::{Collation, Matching};

/// A condition. The platform has no `not`: it asks for the opposite of each comparison instead.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Compare {
        place: Place,
        operator: Operator,
        value: Comparable,
    },
    /// Whether a text has a part, folded; with `opposite` whether it does not.
    Has {
        place: Place,
        matching: Matching,
        part: String,
        opposite: bool,
    },
}

/// How this server compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comparing {
    pub(crate) collation: Collation,
    /// Whether null differs from every value, so that `ne` and the opposite of a function find it.
    pub(crate) null_differs: bool,
}

impl Condition {
    /// Whether a record satisfies it.
    pub(super) fn holds(&self, record: &Attributes, comparing: Comparing) -> bool {
        match self {
            Condition::All(parts) => parts.iter().all(|part| part.holds(record, comparing)),
            Condition::Any(parts) => parts.iter().any(|part| part.holds(record, comparing)),
            Condition::Compare { place, operator, value } => {
                let found = place.of(record, comparing.collation);
                match (&found, value) {
                    (Comparable::Null, Comparable::Null) => *operator == Operator::Equal,
                    (_, Comparable::Null) => *operator == Operator::NotEqual,
                    (Comparable::Null, _) => *operator == Operator::NotEqual && comparing.null_differs,
                    (found, value) => operator.holds(found, value),
                }
            }
            Condition::Has { place, matching, part, opposite } => match place.text(record) {
                Some(text) => comparing.collation.has(&comparing.collation.folded(text), *matching, part) != *opposite,
                None => *opposite && comparing.null_differs,
            },
        }
    }

    /// The only ids that records satisfying it can have, if it names them.
    pub(super) fn ids(&self, key: &str) -> Option<BTreeSet<Uuid>> {
        match self {
            Condition::All(parts) => {
                let mut known = parts.iter().filter_map(|part| part.ids(key));
                let first = known.next()?;
                Some(known.fold(first, |one, other| &one & &other))
            }
            Condition::Any(parts) => {
                let known: Option<Vec<_>> = parts.iter().map(|part| part.ids(key)).collect();
                Some(known?.into_iter().flatten().collect())
            }
            Condition::Compare { place, operator: Operator::Equal, value: Comparable::Guid(id) }
                if place.name == key =>
            {
                Some(BTreeSet::from([*id]))
            }
            _ => None,
        }
    }

    /// The earliest time in ms that an attribute of a record satisfying it can have, if it says so.
    pub(super) fn earliest(&self, attribute: &str) -> Option<i64> {
        match self {
            Condition::All(parts) => parts.iter().filter_map(|part| part.earliest(attribute)).max(),
            Condition::Compare {
                place,
                operator: Operator::Equal | Operator::Greater | Operator::GreaterOrEqual,
                value: Comparable::Instant(ms),
            } if place.name == attribute => Some(*ms),
            _ => None,
        }
    }
}

impl Operator {
    /// The operator that holds where this one does not.
    pub(super) fn opposite(self) -> Self {
        match self {
            Operator::Equal => Operator::NotEqual,
            Operator::NotEqual => Operator::Equal,
            Operator::Greater => Operator::LessOrEqual,
            Operator::GreaterOrEqual => Operator::Less,
            Operator::Less => Operator::GreaterOrEqual,
            Operator::LessOrEqual => Operator::Greater,
        }
    }

    fn holds(self, left: &Comparable, right: &Comparable) -> bool {
        match self {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Greater => left > right,
            Operator::GreaterOrEqual => left >= right,
            Operator::Less => left < right,
            Operator::LessOrEqual => left <= right,
        }
    }
}
