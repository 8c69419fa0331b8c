//! What the columns of a table are compared with and set to: expressions of Diesel's, and plain values.
//!
//! A `Uuid` or a `DateTime<Utc>` is of another crate, and so is Diesel's trait for what stands in a query, so that nothing
//! of ours can join the two. Hence the columns have methods of their own, which ask for an [`Operand`].

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::expression::{AsExpression, TypedExpressionType};
use diesel::internal::derives::as_expression::Bound;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Nullable, SingleValue, SqlType, is_nullable};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Guid, Instant, Money};

/// What a column of SQL type `ST` is compared with and set to. `How` tells the compiler by which of the ways below.
#[diagnostic::on_unimplemented(
    message = "a column of the SQL type `{ST}` takes no `{Self}`",
    note = "`guid` and `lookup` take `Uuid` and `Id`, `datetime` takes `DateTime<Utc>`, `money` and `decimal` take \
            `rust_decimal::Decimal`; a column that may be null also takes an `Option` of it"
)]
pub trait Operand<ST, How>
where
    ST: SqlType + TypedExpressionType,
{
    /// The form in which Diesel takes it.
    type Form: AsExpression<ST>;

    /// Makes that form.
    fn form(self) -> Self::Form;
}

/// Diesel knows what to do with it.
#[derive(Debug)]
pub enum Expressed {}

/// It is a plain value.
#[derive(Debug)]
pub enum ByValue {}

/// It is a plain value, for a column that may be null.
#[derive(Debug)]
pub enum BySome {}

/// A plain value of columns of SQL type `ST`.
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
