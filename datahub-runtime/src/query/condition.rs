//! A condition on the fields of one model.

use std::fmt;
use std::marker::PhantomData;

use datahub_model::condition::{self, NotLowered, ParseError, Wanted};
use datahub_model::filter::Syntax;

use crate::{CdmsSynced, Models};

/// A condition on the fields of the model `M`, made by handles such as `M::FIELDS.name` or read from text.
///
/// It prints as the text that is read as the same condition.
#[must_use = "a condition does nothing until a query has it"]
pub struct Condition<M> {
    condition: condition::Condition,
    model: PhantomData<fn() -> M>,
}

impl<M: CdmsSynced> Condition<M> {
    pub(super) fn of(condition: condition::Condition) -> Self {
        Condition { condition, model: PhantomData }
    }

    /// Reads a condition from text, such as a search form's: `name contains "Acme" and sector.name = "Food"`.
    /// [`datahub_model::condition`] has the grammar. `models` are those whose records may be compared through a lookup.
    ///
    /// ```
    /// # use datahub_runtime::prelude::*;
    /// # use datahub_runtime::query::Condition;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(table = "people", mode = "detached")]
    /// # struct Person {
    /// #     #[cdms(key)]
    /// #     id: Id<Person>,
    /// #     #[cdms(local, sql_type = "string", default)]
    /// #     name: String,
    /// # }
    /// let models = models![Person];
    /// let condition = Condition::<Person>::parse("name starts_with 'A' or name = 'Bo'", &models)?;
    /// assert_eq!(condition.to_string(), r#"name starts_with "A" or name = "Bo""#);
    ///
    /// let error = Condition::<Person>::parse("nmae = 'Bo'", &models).unwrap_err();
    /// assert_eq!(error.to_string(), "Person has no field `nmae`, at character 1; did you mean `name`?");
    /// # Ok::<_, datahub_runtime::query::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first fault in the text, with its place and what would be right.
    pub fn parse(text: &str, models: &Models) -> Result<Self, ParseError> {
        let models: Vec<_> = models.iter().collect();
        condition::Condition::parse(text, M::DESCRIPTOR, &models).map(Condition::of)
    }

    /// Both conditions hold.
    pub fn and(self, other: Self) -> Self {
        Condition::of(self.condition.and(other.condition))
    }

    /// At least one of the conditions holds.
    pub fn or(self, other: Self) -> Self {
        Condition::of(self.condition.or(other.condition))
    }

    /// The condition does not hold.
    #[allow(
        clippy::should_implement_trait,
        reason = "it is read in a row with `and` and `or`, which have no operators"
    )]
    pub fn not(self) -> Self {
        Condition::of(condition::Condition::Not(Box::new(self.condition)))
    }

    /// What a list of these records asks of CDMS in a dialect's language.
    ///
    /// # Errors
    ///
    /// CDMS cannot evaluate the condition. The error says why, and which query of the hub's rows does it.
    pub fn wanted(&self, syntax: &impl Syntax) -> Result<Wanted, NotLowered> {
        self.condition.wanted(M::DESCRIPTOR, syntax)
    }
}

impl<M> Condition<M> {
    /// The condition without its type.
    pub fn untyped(&self) -> &condition::Condition {
        &self.condition
    }

    pub(super) fn into_untyped(self) -> condition::Condition {
        self.condition
    }
}

// Implemented by hand, because a derive would require the same of `M`.
impl<M> Clone for Condition<M> {
    fn clone(&self) -> Self {
        Condition { condition: self.condition.clone(), model: PhantomData }
    }
}

impl<M> PartialEq for Condition<M> {
    fn eq(&self, other: &Self) -> bool {
        self.condition == other.condition
    }
}

impl<M> fmt::Debug for Condition<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

impl<M> fmt::Display for Condition<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}
