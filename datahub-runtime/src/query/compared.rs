//! What a field may be compared with, and which questions its type allows.

use cdms_odata::Value;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::one_of::{PointsTo, Targets};
use crate::{FieldType, Id, Model, OneOf};

/// A value that can be compared with a field that holds `V`: a `V`, or a reference to one; for an `Option`, also what it
/// holds; for text, `&str`.
#[diagnostic::on_unimplemented(
    message = "the field holds `{V}` and cannot be compared with `{Self}`",
    label = "expected a value of the field's type, `{V}`",
    note = "an `Option` is compared with what it holds, or with an `Option`; text also with `&str`"
)]
pub trait ComparedWith<V> {
    /// The value, as the field's column holds it.
    fn value(self) -> Value;
}

impl<V: FieldType> ComparedWith<V> for V {
    fn value(self) -> Value {
        self.to_value()
    }
}

impl<V: FieldType> ComparedWith<Option<V>> for V {
    fn value(self) -> Value {
        self.to_value()
    }
}

impl<V: FieldType> ComparedWith<V> for &V {
    fn value(self) -> Value {
        self.to_value()
    }
}

impl<V: FieldType> ComparedWith<Option<V>> for &V {
    fn value(self) -> Value {
        self.to_value()
    }
}

impl ComparedWith<String> for &str {
    fn value(self) -> Value {
        Value::text(self)
    }
}

impl ComparedWith<Option<String>> for &str {
    fn value(self) -> Value {
        Value::text(self)
    }
}

/// A type whose values CDMS and the hub order alike. Implement it for a type of your own that keeps the order of such a
/// type: `impl Ordered for Postcode {}`.
#[diagnostic::on_unimplemented(
    message = "CDMS does not order values of `{Self}` as the hub does",
    label = "the field holds `{Self}`, which can be compared with `eq`, `ne` and `is_in` alone",
    note = "text, numbers, dates and times have an order; for a type of your own that keeps it, write \
            `impl datahub_runtime::query::Ordered for {Self} {{}}`"
)]
pub trait Ordered: FieldType {}

/// A type that holds text. Implement it for a type of your own that does: `impl Textual for Postcode {}`.
#[diagnostic::on_unimplemented(
    message = "the field holds `{Self}`, in which no text can be found",
    label = "expected a field that holds text",
    note = "for a type of your own that holds text, write `impl datahub_runtime::query::Textual for {Self} {{}}`"
)]
pub trait Textual: FieldType {}

/// A type that holds a date or a time, which has a year, a month and a day.
#[diagnostic::on_unimplemented(
    message = "the field holds `{Self}`, which has no year, month or day",
    label = "expected a field that holds a `DateTime<Utc>` or a `NaiveDate`",
    note = "for a type of your own that holds one, write `impl datahub_runtime::query::Calendar for {Self} {{}}`"
)]
pub trait Calendar: FieldType {}

/// A type that holds a time, which has an hour and a minute.
#[diagnostic::on_unimplemented(
    message = "the field holds `{Self}`, which has no hour or minute",
    label = "expected a field that holds a `DateTime<Utc>`",
    note = "for a type of your own that holds one, write `impl datahub_runtime::query::Timed for {Self} {{}}`"
)]
pub trait Timed: Calendar {}

/// A type that has a value for null: an `Option`.
#[diagnostic::on_unimplemented(
    message = "the field holds `{Self}`, which is never null",
    label = "expected a field that holds an `Option`",
    note = "a null that a `default` replaces is the default: compare with that"
)]
pub trait Nullable: FieldType {}

/// A reference to records of the model `T`, at the place `At` among several, which the compiler finds.
#[diagnostic::on_unimplemented(
    message = "the field holds `{Self}`, which does not point to a `{T}`",
    label = "the condition is about a `{T}`",
    note = "`matches` takes a condition on the model of the record that the field points to"
)]
pub trait Refers<T, At>: FieldType {}

impl<V: Ordered> Ordered for Option<V> {}
impl<V: Textual> Textual for Option<V> {}
impl<V: Calendar> Calendar for Option<V> {}
impl<V: Timed> Timed for Option<V> {}
impl<V: FieldType> Nullable for Option<V> {}

impl Ordered for String {}
impl Ordered for i32 {}
impl Ordered for i64 {}
impl Ordered for f64 {}
impl Ordered for Decimal {}
impl Ordered for NaiveDate {}
impl Ordered for DateTime<Utc> {}
impl Textual for String {}
impl Calendar for NaiveDate {}
impl Calendar for DateTime<Utc> {}
impl Timed for DateTime<Utc> {}

impl<T: Model> Refers<T, ()> for Id<T> {}
impl<T: Model> Refers<T, ()> for Option<Id<T>> {}
impl<T: Model, M: Targets + PointsTo<T, At>, At> Refers<T, At> for OneOf<M> {}
impl<T: Model, M: Targets + PointsTo<T, At>, At> Refers<T, At> for Option<OneOf<M>> {}
