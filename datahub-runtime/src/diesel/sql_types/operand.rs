//! What the columns of a table can be compared with and set to: Diesel's expressions, and plain values.
//!
//! `Uuid` and `DateTime<Utc>` belong to other crates, and so does Diesel's trait for expressions, so we cannot
//! implement the trait for them. Therefore the columns have methods of their own, which accept an [`Operand`].

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::expression::{AsExpression, TypedExpressionType};
use diesel::internal::derives::as_expression::Bound;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Nullable, SingleValue, SqlType, is_nullable};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Guid, Instant, Money};

/// What a column of SQL type `ST` can be compared with and set to. `How` tells the compiler which of the
/// implementations below applies.
#[diagnostic::on_unimplemented(
    message = "expected an operand for a column of SQL type `{ST}`, found `{Self}`",
    note = "`guid` and `lookup` accept `Uuid` and `Id`, `datetime` accepts `DateTime<Utc>`, `money` and `decimal` \
            accept `rust_decimal::Decimal`; a nullable column also accepts an `Option`"
)]
pub trait Operand<ST, How>
where
    ST: SqlType + TypedExpressionType,
{
    /// The form that Diesel accepts.
    type Form: AsExpression<ST>;

    /// Converts to that form.
    fn form(self) -> Self::Form;
}

/// An expression that Diesel accepts as it is.
#[derive(Debug)]
pub enum Expressed {}

/// A plain value.
#[derive(Debug)]
pub enum ByValue {}

/// A plain value, for a nullable column.
#[derive(Debug)]
pub enum BySome {}

/// A plain value for columns of SQL type `ST`.
pub trait OfColumn<ST> {}

impl OfColumn<Guid> for Uuid {}
impl OfColumn<Instant> for DateTime<Utc> {}
impl OfColumn<Instant> for cdms_odata::Instant {}
impl OfColumn<Money> for Decimal {}
impl<const SCALE: u32> OfColumn<super::Decimal<SCALE>> for Decimal {}
impl<V: OfColumn<ST>, ST> OfColumn<ST> for &V {}

impl<T, ST> Operand<ST, Expressed> for T
where
    ST: SqlType + TypedExpressionType,
    T: AsExpression<ST>,
{
    type Form = T;

    fn form(self) -> T {
        self
    }
}

impl<V, ST> Operand<ST, ByValue> for V
where
    ST: SqlType + TypedExpressionType,
    V: OfColumn<ST>,
{
    type Form = Plain<V>;

    fn form(self) -> Plain<V> {
        Plain(self)
    }
}

impl<V, ST> Operand<Nullable<ST>, BySome> for V
where
    ST: SqlType<IsNull = is_nullable::NotNull> + SingleValue,
    V: OfColumn<ST>,
{
    type Form = Option<V>;

    fn form(self) -> Option<V> {
        Some(self)
    }
}

/// A plain value in a query.
#[derive(Clone, Copy, Debug)]
pub struct Plain<V>(V);

impl<V, ST> AsExpression<ST> for Plain<V>
where
    ST: SqlType + TypedExpressionType,
    V: OfColumn<ST>,
{
    type Expression = Bound<ST, Self>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl<V, ST, DB> ToSql<ST, DB> for Plain<V>
where
    DB: Backend,
    V: OfColumn<ST> + ToSql<ST, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}
