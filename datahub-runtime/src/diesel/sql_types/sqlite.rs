//! Numbers, times, sums and averages on SQLite.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, IsNull, Output};
use diesel::sql_types::{BigInt, Double, Numeric};
use diesel::sqlite::{Sqlite, SqliteType};
use rust_decimal::Decimal;

use super::read::of_units;
use super::{Database, Mean, Number, Total};

impl Database for Sqlite {
    fn integer(number: i32, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        out.set_value(number);
        Ok(IsNull::No)
    }

    fn bigint(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        out.set_value(number);
        Ok(IsNull::No)
    }

    fn instant(microseconds: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        Self::bigint(microseconds, out)
    }

    fn total(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        Self::bigint(number, out)
    }

    fn mean(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        // The average that it is compared with has no more digits either.
        out.set_value(number as f64);
        Ok(IsNull::No)
    }
}

impl<const SCALE: u32> FromSql<Total<SCALE>, Sqlite> for Decimal {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        of_units(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?.into(), SCALE)
    }
}

impl<const SCALE: u32> FromSql<Mean<SCALE>, Sqlite> for Decimal {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let mean = <f64 as FromSql<Double, Sqlite>>::from_sql(value)?;
        // Columns have 64 bits, so their mean fits as well.
        of_units(mean.round() as i128, SCALE)
    }
}

impl FromSql<Numeric, Sqlite> for Number {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        // A sum of integers is an integer, an average is not.
        if matches!(value.value_type(), Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt)) {
            return Ok(Number(value.read_long().into()));
        }
        Ok(Number(Decimal::try_from(value.read_double())?))
    }
}
