//! The Rust values that columns can be compared with and set to.

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

// An id can be used wherever a GUID column can: `organisations::id.eq(id)`, `organisations::sector.eq(sector)`. Of
// other types, only `Some` can, by Diesel's own rule for `Option`; their plain values are an `Operand` of the columns'
// own methods.
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

/// Converts a decimal to a column's units, exactly: a rounded number would match other rows than those requested.
fn units(number: Decimal, scale: u32) -> Result<i64, String> {
    scaled(number, scale).ok_or_else(|| {
        format!(
            "{number} does not fit in a 64-bit column with {scale} decimal places; round it first, in the direction \
             that the query needs"
        )
    })
}
