//! The Rust types that single columns can be read into.

use chrono::{DateTime, Utc};
use diesel::Queryable;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Guid, Instant, Money};
use crate::Id;
use crate::diesel::stored_value::MONEY_SCALE;

impl<T, DB: Backend> FromSql<Guid, DB> for Id<T>
where
    Uuid: FromSql<Guid, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Uuid::from_sql(value).map(Id::from)
    }
}

impl<DB: Backend> FromSql<Instant, DB> for DateTime<Utc>
where
    cdms_odata::Instant: FromSql<Instant, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let instant = <cdms_odata::Instant as FromSql<Instant, DB>>::from_sql(value)?;
        DateTime::from_timestamp_millis(instant.0)
            .ok_or_else(|| format!("{instant} is out of the calendar's range").into())
    }
}

impl<DB: Backend> FromSql<Money, DB> for Decimal
where
    i64: FromSql<Money, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        of_units(<i64 as FromSql<Money, DB>>::from_sql(value)?.into(), MONEY_SCALE)
    }
}

impl<DB: Backend, const SCALE: u32> FromSql<super::Decimal<SCALE>, DB> for Decimal
where
    i64: FromSql<super::Decimal<SCALE>, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        of_units(<i64 as FromSql<super::Decimal<SCALE>, DB>>::from_sql(value)?.into(), SCALE)
    }
}

/// Converts a number of units to a decimal.
pub(super) fn of_units(number: i128, scale: u32) -> deserialize::Result<Decimal> {
    Ok(Decimal::try_from_i128_with_scale(number, scale)?)
}

impl<T, DB: Backend> Queryable<Guid, DB> for Id<T>
where
    Self: FromSql<Guid, DB>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

impl<DB: Backend> Queryable<Instant, DB> for cdms_odata::Instant
where
    Self: FromSql<Instant, DB>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}
