//! Diesel's SQL types of the columns that Diesel itself has no exact type for on every database.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Nullable, SqlOrd, SqlType, ops};
use uuid::Uuid;

use crate::Id;

/// A GUID: `uuid` on PostgreSQL, 16 bytes on SQLite. Columns of kind `guid` and `lookup`, and the key.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 2950, array_oid = 2951)))]
pub struct Guid;

/// A point in time: `timestamptz` on PostgreSQL, microseconds since 1970 UTC on SQLite. Columns of kind `datetime`.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1184, array_oid = 1185)))]
pub struct Instant;

/// An amount of money in 1/10,000. Columns of kind `money`.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 20, array_oid = 1016)))]
pub struct Money;

/// A decimal as an integer in units of its contract's `scale`. Columns of kind `decimal`.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 20, array_oid = 1016)))]
pub struct Decimal;

// `table!` goes by a type's name and takes this one for a number. A number in units of a scale can be added to its like
// and multiplied by a plain one; a quotient is cut to the scale.
impl ops::Add for Decimal {
    type Rhs = Decimal;
    type Output = Decimal;
}

impl ops::Sub for Decimal {
    type Rhs = Decimal;
    type Output = Decimal;
}

impl ops::Mul for Decimal {
    type Rhs = BigInt;
    type Output = Decimal;
}

impl ops::Div for Decimal {
    type Rhs = BigInt;
    type Output = Decimal;
}

impl SqlOrd for Instant {}
impl SqlOrd for Money {}
impl SqlOrd for Decimal {}

// An id can stand wherever a GUID column can: `organisations::id.eq(id)`, `organisations::sector.eq(sector)`.
macro_rules! id_as_expression {
    ($sql:ty) => {
        impl<T> AsExpression<$sql> for Id<T> {
            type Expression = Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<'expr, T> AsExpression<$sql> for &'expr Id<T> {
            type Expression = Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
    };
}
id_as_expression!(Guid);
id_as_expression!(Nullable<Guid>);

impl<T, DB: Backend> ToSql<Guid, DB> for Id<T>
where
    Uuid: ToSql<Guid, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.as_guid().to_sql(out)
    }
}

impl<T, DB: Backend> ToSql<Nullable<Guid>, DB> for Id<T>
where
    Uuid: ToSql<Guid, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.as_guid().to_sql(out)
    }
}

impl<T, DB: Backend> FromSql<Guid, DB> for Id<T>
where
    Uuid: FromSql<Guid, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Uuid::from_sql(value).map(Id::from)
    }
}

impl<T, DB: Backend> diesel::Queryable<Guid, DB> for Id<T>
where
    Self: FromSql<Guid, DB>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}
