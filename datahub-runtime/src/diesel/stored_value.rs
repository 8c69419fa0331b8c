//! A type that reads a column of any SQL type of a synced table, for the models' `Queryable`.

use std::borrow::Cow;

use cdms_odata::{Kind, Value};
use chrono::NaiveDate;
use datahub_model::Column;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Nullable, Text};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::sql_types;

/// A column's value as the database returns it. What only the column's description knows (a decimal's scale, or that an
/// integer is a choice) is applied by [`RowReader`](crate::RowReader).
#[derive(Clone, Debug, PartialEq, diesel::deserialize::FromSqlRow)]
pub struct StoredValue(pub Value);

macro_rules! read_as {
    ($($({$($parameter:tt)*})? $sql:ty: $raw:ty, $value:ident => $make:expr;)*) => {$(
        impl<DB: Backend, $($($parameter)*)?> FromSql<$sql, DB> for StoredValue
        where
            $raw: FromSql<$sql, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let $value = <$raw as FromSql<$sql, DB>>::from_sql(value)?;
                Ok(StoredValue($make))
            }
        }

        impl<DB: Backend, $($($parameter)*)?> FromSql<Nullable<$sql>, DB> for StoredValue
        where
            $raw: FromSql<$sql, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                <StoredValue as FromSql<$sql, DB>>::from_sql(value)
            }

            fn from_nullable_sql(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self> {
                value.map_or(Ok(StoredValue(Value::Null)), <StoredValue as FromSql<$sql, DB>>::from_sql)
            }
        }
    )*};
}

read_as! {
    Text: String, text => Value::text(text);
    Integer: i32, number => Value::Integer(number);
    BigInt: i64, number => Value::BigInt(number);
    Double: f64, number => Value::Double(number);
    Bool: bool, value => Value::Boolean(value);
    Date: NaiveDate, date => Value::Date(date);
    sql_types::Guid: Uuid, id => Value::Guid(id);
    sql_types::Instant: cdms_odata::Instant, instant => Value::Instant(instant);
    sql_types::Money: i64, amount => Value::Money(Decimal::new(amount, MONEY_SCALE));
    { const SCALE: u32 } sql_types::Decimal<SCALE>: i64, number => Value::BigInt(number);
}

/// The number of decimal places of an amount of money.
pub(crate) const MONEY_SCALE: u32 = 4;

pub(crate) use datahub_model::conversion::DECIMAL_SCALE;

/// Converts a stored value to the form of its column's kind.
pub(crate) fn of_column<'v>(column: &Column, value: &'v Value) -> Cow<'v, Value> {
    match (column.kind, value) {
        (Kind::Decimal, Value::BigInt(number)) => {
            Cow::Owned(Value::Decimal(Decimal::new(*number, column.scale.unwrap_or(DECIMAL_SCALE))))
        }
        (Kind::Choice | Kind::State | Kind::Status, Value::Integer(option)) => Cow::Owned(Value::Choice(*option)),
        _ => Cow::Borrowed(value),
    }
}
