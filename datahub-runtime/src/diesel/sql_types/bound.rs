//! The Rust values that columns are compared with and set to.

use chrono::{DateTime, Utc};
use datahub_model::conversion::scaled;
use diesel::backend::Backend;
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Nullable;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Database, Guid, Instant, Mean, Money, Total};
use crate::Id;
use crate::diesel::stored_value::MONEY_SCALE;

// An id can stand wherever a GUID column can: `organisations::id.eq(id)`, `organisations::sector.eq(sector)`. Only `Some`
// of other types can, by Diesel's own rule for `Option`; their plain values are an `Operand` of the columns' own methods.
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

impl<DB: Database> ToSql<Instant, DB> for DateTime<Utc> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        DB::instant(self.timestamp_micros(), out)
    }
}

impl<DB: Database> ToSql<Money, DB> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        DB::bigint(units(*self, MONEY_SCALE)?, out)
    }
}

impl<DB: Database, const SCALE: u32> ToSql<super::Decimal<SCALE>, DB> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        DB::bigint(units(*self, SCALE)?, out)
    }
}

impl<DB: Database, const SCALE: u32> ToSql<Total<SCALE>, DB> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        DB::total(units(*self, SCALE)?, out)
    }
}

impl<DB: Database, const SCALE: u32> ToSql<Mean<SCALE>, DB> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        DB::mean(units(*self, SCALE)?, out)
    }
}

/// A decimal in a column's units, exact or not at all: rounded it would find other rows than those asked for.
fn units(number: Decimal, scale: u32) -> Result<i64, String> {
    scaled(number, scale).ok_or_else(|| {
        format!(
            "{number} does not fit a column with {scale} digits after the point, in 64 bits; round it first, to the side \
             that the query means"
        )
    })
}
