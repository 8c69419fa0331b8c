//! A type that binds a value of any column of a synced table, for the models' `Insertable` and `AsChangeset`.

use diesel::backend::Backend;
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Nullable, Text};

use crate::model::row_of;
use crate::store::{Datum, datum};
use crate::{CdmsSynced, sql_types};

/// A column's value in its stored form, or why it cannot be stored, which Diesel reports when it runs the statement.
#[derive(Clone, Debug)]
pub struct BindValue(Result<Datum, String>);

/// The values of a model's row, one per column.
pub fn bind_values<T: CdmsSynced>(model: &T) -> Vec<BindValue> {
    let columns = T::DESCRIPTOR.columns;
    let values = match row_of(model) {
        Ok(row) => columns
            .iter()
            .zip(&row)
            .map(|(column, value)| datum(column, value).map_err(|why| why.to_string()))
            .collect(),
        Err(why) => vec![Err(why.to_string()); columns.len()],
    };
    values.into_iter().map(BindValue).collect()
}

macro_rules! bound_as {
    ($($({$($parameter:tt)*})? $sql:ty: $raw:ty as $bound:ty, $datum:ident;)*) => {$(
        impl<DB: Backend, $($($parameter)*)?> ToSql<$sql, DB> for BindValue
        where
            $raw: ToSql<$bound, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                match &self.0 {
                    Ok(Datum::$datum(Some(value))) => <$raw as ToSql<$bound, DB>>::to_sql(value, out),
                    Ok(Datum::$datum(None)) => Ok(IsNull::Yes),
                    // A row's values have the kinds of their columns, and so does the table: this would be a bug in the
                    // derive.
                    Ok(other) => Err(format!("expected {}, found {other:?}", stringify!($sql)).into()),
                    Err(why) => Err(why.clone().into()),
                }
            }
        }

        impl<DB: Backend, $($($parameter)*)?> ToSql<Nullable<$sql>, DB> for BindValue
        where
            BindValue: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <BindValue as ToSql<$sql, DB>>::to_sql(self, out)
            }
        }

        impl<$($($parameter)*)?> AsExpression<$sql> for BindValue {
            type Expression = Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<$($($parameter)*)?> AsExpression<Nullable<$sql>> for BindValue {
            type Expression = Bound<Nullable<$sql>, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
    )*};
}

bound_as! {
    Text: String as Text, Text;
    Integer: i32 as Integer, Integer;
    BigInt: i64 as BigInt, BigInt;
    Double: f64 as Double, Double;
    Bool: bool as Bool, Bool;
    Date: chrono::NaiveDate as Date, Date;
    sql_types::Guid: uuid::Uuid as sql_types::Guid, Guid;
    sql_types::Instant: cdms_odata::Instant as sql_types::Instant, Instant;
    sql_types::Money: i64 as BigInt, BigInt;
    { const SCALE: u32 } sql_types::Decimal<SCALE>: i64 as BigInt, BigInt;
}
