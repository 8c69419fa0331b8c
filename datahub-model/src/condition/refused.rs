//! Why CDMS cannot be asked for a condition, and what to write instead.

use std::fmt;

use cdms_odata::Kind;

use super::{Condition, diesel};
use crate::filter::{CalendarPart, PrintError};
use crate::{Fault, ModelDescriptor};

/// A condition, or an order, that CDMS cannot evaluate. Its text says why, and what to write instead; it has no value in
/// it.
#[derive(Clone, PartialEq, thiserror::Error)]
pub struct NotLowered {
    why: Box<Why>,
    instead: Option<String>,
}

/// `main` prints an error that it returns in this form, so it is in words.
impl fmt::Debug for NotLowered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why CDMS cannot be asked for a condition.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// The model has no such field.
    #[error("{model} has no field `{field}`")]
    UnknownField {
        /// The field.
        field: String,
        /// The model.
        model: &'static str,
    },
    /// The value does not fit the field.
    #[error("the value that `{field}` is compared with does not fit: {fault}")]
    Value {
        /// The field.
        field: &'static str,
        /// Why.
        fault: Fault,
    },
    /// The field is local to the hub.
    #[error("`{field}` is a local field, which CDMS does not have")]
    Local {
        /// The field.
        field: &'static str,
    },
    /// The field is made of several attributes, or of one by the user's functions.
    #[error("`{field}` is made by a `with` module from {}, so CDMS does not have its values", attributes.join(", "))]
    Joined {
        /// The field.
        field: &'static str,
        /// Its attributes.
        attributes: &'static [&'static str],
    },
    /// The model is detached.
    #[error("{model} is detached from CDMS")]
    Detached {
        /// The model.
        model: &'static str,
    },
    /// Values of the kind have no order, or one that CDMS and the hub do not agree on.
    #[error("`{field}` is of kind {kind}, by which CDMS cannot be asked to order or to compare with `<` and `>`")]
    NoOrder {
        /// The field.
        field: &'static str,
        /// The attribute's kind.
        kind: Kind,
    },
    /// A text is looked for in a field that holds none.
    #[error("`{field}` is of kind {kind}, in which no text can be found")]
    NoText {
        /// The field.
        field: &'static str,
        /// The attribute's kind.
        kind: Kind,
    },
    /// A part of something that is no time, or that has no such part.
    #[error("`{field}` is of kind {kind}, which has no {}", part.name())]
    NoPart {
        /// The field.
        field: &'static str,
        /// The attribute's kind.
        kind: Kind,
        /// The part.
        part: CalendarPart,
    },
    /// The field reads references to one of the entities as null.
    #[error("`{field}` holds no reference to {target}, and CDMS cannot be asked what a lookup points to")]
    NullOfSomeTargets {
        /// The field.
        field: &'static str,
        /// The entity.
        target: &'static str,
    },
    /// The field does not point to records of the model.
    #[error("`{field}` does not point to a {model}")]
    PointsElsewhere {
        /// The field.
        field: &'static str,
        /// The model.
        model: &'static str,
    },
    /// The contract does not state how to get to the related record.
    #[error(
        "the contract does not state the navigation property from `{attribute}` to {target}: add `navigation = \"…\"` to \
         the attribute, with its name in $metadata"
    )]
    NoNavigation {
        /// The field.
        field: &'static str,
        /// The lookup.
        attribute: &'static str,
        /// The entity that it points to.
        target: &'static str,
    },
    /// A condition on a related record is negated.
    #[error("a condition on the record that `{field}` points to cannot be negated")]
    NegatedRelation {
        /// The lookup's field.
        field: &'static str,
    },
    /// A related record's own related record is compared.
    #[error("a condition on the record that `{field}` points to cannot be about a further record")]
    NestedRelation {
        /// The lookup's field.
        field: &'static str,
    },
    /// The dialect cannot evaluate the filter.
    #[error(transparent)]
    Dialect(PrintError),
}

impl NotLowered {
    pub(super) fn of(why: Why, model: &ModelDescriptor, condition: &Condition) -> Self {
        let instead = why.has_way_out().then(|| diesel::instead(model, condition));
        NotLowered { why: Box::new(why), instead }
    }

    pub(super) fn of_order(why: Why, model: &ModelDescriptor, field: &str) -> Self {
        let instead = why.has_way_out().then(|| diesel::instead_of_order(model, field));
        NotLowered { why: Box::new(why), instead }
    }

    /// Why.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// What to write instead: bring the hub up to date, and ask it. `None` if the condition itself is wrong.
    pub fn instead(&self) -> Option<&str> {
        self.instead.as_deref()
    }
}

impl fmt::Display for NotLowered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)?;
        match &self.instead {
            Some(instead) => write!(f, "; {instead}"),
            None => Ok(()),
        }
    }
}

impl Why {
    /// Whether the hub's rows can be asked for the condition.
    fn has_way_out(&self) -> bool {
        !matches!(
            self,
            Why::UnknownField { .. }
                | Why::Value { .. }
                | Why::NoText { .. }
                | Why::NoPart { .. }
                | Why::PointsElsewhere { .. }
        )
    }
}
