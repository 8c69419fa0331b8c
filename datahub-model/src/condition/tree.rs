//! The tree: comparisons of fields with values, combined and negated.

use std::borrow::Cow;
use std::fmt;

use cdms_odata::Value;

use crate::ModelDescriptor;
use crate::filter::{CalendarPart, Comparison, Matching};

/// A condition on the fields of a model.
///
/// It means the model's values: a null that a field's `default` replaces counts as that default, and a text that cannot
/// be null as empty. Otherwise null equals only null, and is neither before nor after anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Compares one field with a value.
    Compare {
        /// The field's path, with a dot before a group's member.
        field: Cow<'static, str>,
        /// How to compare.
        operator: Comparison,
        /// What to compare with, as the field's column holds it.
        value: Value,
    },
    /// A text contains another one, whatever the case.
    Text {
        /// The field's path.
        field: Cow<'static, str>,
        /// Where the text must be.
        matching: Matching,
        /// The text to find.
        text: String,
    },
    /// Compares a part of a time, in UTC, or of a date.
    Part {
        /// The field's path.
        field: Cow<'static, str>,
        /// Which part.
        part: CalendarPart,
        /// How to compare.
        operator: Comparison,
        /// What to compare with.
        value: i32,
    },
    /// There is a record that a lookup points to, and this holds for it.
    Related {
        /// The lookup's path.
        field: Cow<'static, str>,
        /// The model of the record.
        model: RelatedModel,
        /// The condition on its fields.
        condition: Box<Condition>,
    },
    /// All of these hold; without any, always.
    All(Vec<Condition>),
    /// At least one of these holds; without any, never.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
}

/// The model of a related record. Models with one table are equal.
#[derive(Clone, Copy)]
pub struct RelatedModel(pub &'static ModelDescriptor);

impl PartialEq for RelatedModel {
    fn eq(&self, other: &Self) -> bool {
        self.0.table == other.0.table
    }
}

impl fmt::Debug for RelatedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Condition {
    /// A comparison of a field with a value.
    pub fn compare(field: impl Into<Cow<'static, str>>, operator: Comparison, value: Value) -> Self {
        Condition::Compare { field: field.into(), operator, value }
    }

    /// Both hold. Conditions that are joined one after the other stay on one level.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Condition::All(mut parts) if !parts.is_empty() => {
                parts.push(other);
                Condition::All(parts)
            }
            first => Condition::All(vec![first, other]),
        }
    }

    /// At least one of the two holds. Conditions that are joined one after the other stay on one level.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Condition::Any(mut parts) if !parts.is_empty() => {
                parts.push(other);
                Condition::Any(parts)
            }
            first => Condition::Any(vec![first, other]),
        }
    }

    /// The models that the condition is about besides its own, each once.
    pub fn related_models(&self) -> Vec<&'static ModelDescriptor> {
        let mut found = Vec::new();
        self.each_relation(&mut |_, RelatedModel(model)| {
            if !found.iter().any(|known: &&ModelDescriptor| known.table == model.table) {
                found.push(model);
            }
        });
        found
    }

    /// Passes on the lookups that the condition follows, with the models of their records.
    pub(super) fn each_relation(&self, see: &mut dyn FnMut(&str, RelatedModel)) {
        match self {
            Condition::Compare { .. } | Condition::Text { .. } | Condition::Part { .. } => {}
            Condition::Related { field, model, condition } => {
                see(field, *model);
                condition.each_relation(see);
            }
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| part.each_relation(see)),
            Condition::Not(part) => part.each_relation(see),
        }
    }
}
