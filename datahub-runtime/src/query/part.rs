//! A part of a time or a date that is compared.

use std::marker::PhantomData;

use datahub_model::condition;
use datahub_model::filter::{CalendarPart, Comparison};

use super::Condition;
use crate::CdmsSynced;

/// A part of a field, such as `Organisation::FIELDS.created.year()`. Times are in UTC.
///
/// CRM 2011 can be asked for a year; the other parts can be asked of the hub's rows.
#[derive(Debug)]
#[must_use = "a part does nothing until it is compared"]
pub struct Part<M> {
    field: &'static str,
    part: CalendarPart,
    model: PhantomData<fn() -> M>,
}

impl<M: CdmsSynced> Part<M> {
    pub(super) fn of(field: &'static str, part: CalendarPart) -> Self {
        Part { field, part, model: PhantomData }
    }

    /// It is this number.
    pub fn eq(self, value: i32) -> Condition<M> {
        self.compare(Comparison::Equal, value)
    }

    /// It is another number, or there is no time.
    pub fn ne(self, value: i32) -> Condition<M> {
        self.compare(Comparison::NotEqual, value)
    }

    /// It is less.
    pub fn lt(self, value: i32) -> Condition<M> {
        self.compare(Comparison::Less, value)
    }

    /// It is less or equal.
    pub fn le(self, value: i32) -> Condition<M> {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// It is greater.
    pub fn gt(self, value: i32) -> Condition<M> {
        self.compare(Comparison::Greater, value)
    }

    /// It is greater or equal.
    pub fn ge(self, value: i32) -> Condition<M> {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// It is one of these numbers.
    pub fn is_in(self, values: impl IntoIterator<Item = i32>) -> Condition<M> {
        let parts = values.into_iter().map(|value| self.untyped(Comparison::Equal, value));
        Condition::of(condition::Condition::Any(parts.collect()))
    }

    /// It is from the first to the last of these numbers.
    pub fn between(self, first: i32, last: i32) -> Condition<M> {
        let parts = [self.untyped(Comparison::GreaterOrEqual, first), self.untyped(Comparison::LessOrEqual, last)];
        Condition::of(condition::Condition::All(parts.into()))
    }

    fn compare(&self, operator: Comparison, value: i32) -> Condition<M> {
        Condition::of(self.untyped(operator, value))
    }

    fn untyped(&self, operator: Comparison, value: i32) -> condition::Condition {
        condition::Condition::Part { field: self.field.into(), part: self.part, operator, value }
    }
}
