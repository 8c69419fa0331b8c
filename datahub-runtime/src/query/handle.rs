//! The handle of a field: the place of its column, with the types of the model and of what the field holds.

use std::fmt;
use std::marker::PhantomData;

use datahub_model::condition::{self, NotLowered, RelatedModel, attribute_of_order};
use datahub_model::filter::{CalendarPart, Comparison, Matching};

use super::compared::{Calendar, ComparedWith, Nullable, Ordered, Refers, Textual, Timed};
use super::{Condition, Part};
use crate::{CdmsSynced, FieldType};

/// A field of the model `M` that holds `V`: `Organisation::FIELDS.name`. It costs nothing until it is compared.
pub struct Field<M, V> {
    column: usize,
    of: PhantomData<fn() -> (M, V)>,
}

impl<M, V> Field<M, V> {
    /// The field of a column. For derived code.
    #[doc(hidden)]
    pub const fn at(column: usize) -> Self {
        Field { column, of: PhantomData }
    }

    /// The place of its column.
    pub(crate) fn column(self) -> usize {
        self.column
    }
}

impl<M: CdmsSynced, V> Field<M, V> {
    /// The field's path, with a dot before a group's member.
    pub fn path(self) -> &'static str {
        M::DESCRIPTOR.columns[self.column].field
    }

    fn compare(self, operator: Comparison, value: impl ComparedWith<V>) -> Condition<M> {
        Condition::of(condition::Condition::compare(self.path(), operator, value.value()))
    }

    fn text(self, matching: Matching, text: impl Into<String>) -> Condition<M> {
        Condition::of(condition::Condition::Text { field: self.path().into(), matching, text: text.into() })
    }
}

impl<M: CdmsSynced, V: FieldType> Field<M, V> {
    /// The field has this value. Text is compared without regard to case and trailing spaces.
    pub fn eq(self, value: impl ComparedWith<V>) -> Condition<M> {
        self.compare(Comparison::Equal, value)
    }

    /// The field has another value, or is null.
    pub fn ne(self, value: impl ComparedWith<V>) -> Condition<M> {
        self.compare(Comparison::NotEqual, value)
    }

    /// The field's value comes before this one.
    pub fn lt(self, value: impl ComparedWith<V>) -> Condition<M>
    where
        V: Ordered,
    {
        self.compare(Comparison::Less, value)
    }

    /// The field has this value, or one that comes before it.
    pub fn le(self, value: impl ComparedWith<V>) -> Condition<M>
    where
        V: Ordered,
    {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// The field's value comes after this one.
    pub fn gt(self, value: impl ComparedWith<V>) -> Condition<M>
    where
        V: Ordered,
    {
        self.compare(Comparison::Greater, value)
    }

    /// The field has this value, or one that comes after it.
    pub fn ge(self, value: impl ComparedWith<V>) -> Condition<M>
    where
        V: Ordered,
    {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// The field has a value from the first to the last of these.
    pub fn between(self, first: impl ComparedWith<V>, last: impl ComparedWith<V>) -> Condition<M>
    where
        V: Ordered,
    {
        self.ge(first).and(self.le(last))
    }

    /// The field has one of these values; without any, no record does.
    pub fn is_in(self, values: impl IntoIterator<Item = impl ComparedWith<V>>) -> Condition<M> {
        let parts = values.into_iter().map(|value| self.eq(value).into_untyped());
        Condition::of(condition::Condition::Any(parts.collect()))
    }

    /// The field is null.
    pub fn is_null(self) -> Condition<M>
    where
        V: Nullable,
    {
        Condition::of(condition::Condition::compare(self.path(), Comparison::Equal, crate::Value::Null))
    }

    /// The field is not null.
    pub fn is_not_null(self) -> Condition<M>
    where
        V: Nullable,
    {
        Condition::of(condition::Condition::compare(self.path(), Comparison::NotEqual, crate::Value::Null))
    }

    /// The field's text contains this one, whatever the case.
    pub fn contains(self, text: impl Into<String>) -> Condition<M>
    where
        V: Textual,
    {
        self.text(Matching::Contains, text)
    }

    /// The field's text starts with this one, whatever the case.
    pub fn starts_with(self, text: impl Into<String>) -> Condition<M>
    where
        V: Textual,
    {
        self.text(Matching::StartsWith, text)
    }

    /// The field's text ends with this one, whatever the case.
    pub fn ends_with(self, text: impl Into<String>) -> Condition<M>
    where
        V: Textual,
    {
        self.text(Matching::EndsWith, text)
    }

    /// The year, in UTC for a time.
    pub fn year(self) -> Part<M>
    where
        V: Calendar,
    {
        Part::of(self.path(), CalendarPart::Year)
    }

    /// The month from 1 to 12, in UTC for a time. CRM 2011 cannot be asked for it.
    pub fn month(self) -> Part<M>
    where
        V: Calendar,
    {
        Part::of(self.path(), CalendarPart::Month)
    }

    /// The day of the month from 1, in UTC for a time. CRM 2011 cannot be asked for it.
    pub fn day(self) -> Part<M>
    where
        V: Calendar,
    {
        Part::of(self.path(), CalendarPart::Day)
    }

    /// The hour from 0 to 23, in UTC. CRM 2011 cannot be asked for it.
    pub fn hour(self) -> Part<M>
    where
        V: Timed,
    {
        Part::of(self.path(), CalendarPart::Hour)
    }

    /// The minute from 0 to 59. CRM 2011 cannot be asked for it.
    pub fn minute(self) -> Part<M>
    where
        V: Timed,
    {
        Part::of(self.path(), CalendarPart::Minute)
    }

    /// There is a record that the field points to, and the condition holds for it.
    ///
    /// CRM 2011 can be asked for conditions on one related record alone, not together with conditions on the record
    /// itself, and needs the lookup's `navigation` in the contract.
    pub fn matches<T: CdmsSynced, At>(self, condition: Condition<T>) -> Condition<M>
    where
        V: Refers<T, At>,
    {
        Condition::of(condition::Condition::Related {
            field: self.path().into(),
            model: RelatedModel(T::DESCRIPTOR),
            condition: Box::new(condition.into_untyped()),
        })
    }

    /// The smallest value first.
    pub fn asc(self) -> Order<M>
    where
        V: Ordered,
    {
        Order { field: self.path(), is_descending: false, model: PhantomData }
    }

    /// The largest value first.
    pub fn desc(self) -> Order<M>
    where
        V: Ordered,
    {
        Order { field: self.path(), is_descending: true, model: PhantomData }
    }
}

/// An order of records by a field, made by [`Field::asc`] and [`Field::desc`]. It is CDMS's order of the attribute,
/// whatever a `default` replaces.
#[must_use = "an order does nothing until a query has it"]
pub struct Order<M> {
    field: &'static str,
    is_descending: bool,
    model: PhantomData<fn() -> M>,
}

impl<M: CdmsSynced> Order<M> {
    /// The field's path.
    pub fn path(self) -> &'static str {
        self.field
    }

    /// Whether the largest value comes first.
    pub fn is_descending(self) -> bool {
        self.is_descending
    }

    /// The attribute by which CDMS orders.
    ///
    /// # Errors
    ///
    /// CDMS cannot order by the field. The error says why, and which query of the hub's rows does it.
    pub fn attribute(self) -> Result<&'static str, NotLowered> {
        attribute_of_order(M::DESCRIPTOR, self.field)
    }
}

// Implemented by hand, because a derive would require the same of the models.
impl<M, V> Clone for Field<M, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, V> Copy for Field<M, V> {}

impl<M, V> fmt::Debug for Field<M, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&self.column).finish()
    }
}

impl<M> Clone for Order<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Order<M> {}

impl<M> fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, if self.is_descending { "desc" } else { "asc" })
    }
}
