//! Values in PostgreSQL's binary form.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use cdms_odata::Instant;
use chrono::NaiveDate;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::store::failure::{Trouble, changed_tables};
use crate::store::row::Cells;
use crate::store::rows::Bound;
use crate::store::statement::{ColumnType, Datum};

type Fault = Box<dyn Error + Sync + Send>;

const MICROSECONDS: i64 = 1_000;

/// The time from 1970 to 2000, PostgreSQL's epoch.
const EPOCH_MS: i64 = 946_684_800_000;

/// PostgreSQL's epoch.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("the date is valid");

/// A time as microseconds since PostgreSQL's epoch.
pub(super) fn microseconds(instant: Instant) -> Result<i64, Fault> {
    let microseconds = instant.0.checked_sub(EPOCH_MS).and_then(|ms| ms.checked_mul(MICROSECONDS));
    microseconds.ok_or_else(|| format!("the time {instant} is out of the database's range").into())
}

/// A time from microseconds since PostgreSQL's epoch, truncated to whole milliseconds towards the past.
pub(super) fn instant(microseconds: i64) -> Instant {
    Instant(microseconds.div_euclid(MICROSECONDS).saturating_add(EPOCH_MS))
}

impl Bound<'_> {
    /// Its type in PostgreSQL.
    pub(super) fn sql_type(&self) -> Type {
        match self {
            Bound::One(datum) => datum.sql_type(),
            Bound::Column(data) => data.first().map_or(Type::TEXT_ARRAY, |datum| datum.array_type()),
        }
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Bound::One(datum) => datum.to_sql(kind, out),
            Bound::Column(data) => data.to_sql(kind, out),
        }
    }

    /// Each value is sent as its own [`sql_type`](Bound::sql_type).
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Datum {
    /// Why it cannot be sent, if PostgreSQL has no form for it.
    pub(super) fn unsendable(&self) -> Option<String> {
        match self {
            Datum::Instant(Some(instant)) => microseconds(*instant).err().map(|error| error.to_string()),
            _ => None,
        }
    }

    fn array_type(&self) -> Type {
        match self {
            Datum::Text(_) => Type::TEXT_ARRAY,
            Datum::Integer(_) => Type::INT4_ARRAY,
            Datum::BigInt(_) => Type::INT8_ARRAY,
            Datum::Double(_) => Type::FLOAT8_ARRAY,
            Datum::Bool(_) => Type::BOOL_ARRAY,
            Datum::Date(_) => Type::DATE_ARRAY,
            Datum::Guid(_) => Type::UUID_ARRAY,
            Datum::Instant(_) => Type::TIMESTAMPTZ_ARRAY,
        }
    }

    fn sql_type(&self) -> Type {
        match self {
            Datum::Text(_) => Type::TEXT,
            Datum::Integer(_) => Type::INT4,
            Datum::BigInt(_) => Type::INT8,
            Datum::Double(_) => Type::FLOAT8,
            Datum::Bool(_) => Type::BOOL,
            Datum::Date(_) => Type::DATE,
            Datum::Guid(_) => Type::UUID,
            Datum::Instant(_) => Type::TIMESTAMPTZ,
        }
    }
}

impl ToSql for Datum {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Datum::Text(text) => return text.to_sql(kind, out),
            Datum::Integer(number) => return number.to_sql(kind, out),
            Datum::BigInt(number) => return number.to_sql(kind, out),
            Datum::Double(number) => return number.to_sql(kind, out),
            Datum::Bool(value) => return value.to_sql(kind, out),
            Datum::Date(None) | Datum::Guid(None) | Datum::Instant(None) => return Ok(IsNull::Yes),
            Datum::Date(Some(date)) => {
                let days = date.signed_duration_since(EPOCH).num_days();
                out.put_i32(
                    i32::try_from(days).map_err(|_| format!("the date {date} is out of the database's range"))?,
                );
            }
            Datum::Guid(Some(id)) => out.put_slice(id.as_bytes()),
            Datum::Instant(Some(instant)) => out.put_i64(microseconds(*instant)?),
        }
        Ok(IsNull::No)
    }

    /// Each value is sent as its own type, alone or in an array.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A raw cell.
struct Cell<'r> {
    kind: Type,
    bytes: Option<&'r [u8]>,
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(kind: &Type, bytes: &'r [u8]) -> Result<Self, Fault> {
        Ok(Cell { kind: kind.clone(), bytes: Some(bytes) })
    }

    fn from_sql_null(kind: &Type) -> Result<Self, Fault> {
        Ok(Cell { kind: kind.clone(), bytes: None })
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The cells of a row whose columns must have these types.
pub(super) fn cells(row: &Row, types: &[ColumnType]) -> Result<Cells, Trouble> {
    let cells = types.iter().enumerate().map(|(at, wanted)| {
        let cell: Cell<'_> = row
            .try_get(at)
            .map_err(|_| Trouble::Corrupt(format!("expected a row of {} columns, found {}", types.len(), row.len())))?;
        let name = row.columns()[at].name();
        if !holds(&cell.kind, *wanted) {
            return Err(changed_tables(&format!("column {name} now has type {}", cell.kind)));
        }
        datum(&cell, *wanted).map_err(|error| Trouble::Corrupt(format!("column {name}: {error}")))
    });
    Ok(Cells::new(cells.collect::<Result<_, _>>()?))
}

/// Whether a column of PostgreSQL's type returns values of ours. Wider types do, as long as the values fit.
fn holds(found: &Type, wanted: ColumnType) -> bool {
    match wanted {
        ColumnType::Text => <&str as FromSql<'_>>::accepts(found),
        ColumnType::Integer | ColumnType::BigInt => [Type::INT2, Type::INT4, Type::INT8].contains(found),
        ColumnType::Double => [Type::FLOAT4, Type::FLOAT8].contains(found),
        ColumnType::Bool => *found == Type::BOOL,
        ColumnType::Date => *found == Type::DATE,
        ColumnType::Guid => *found == Type::UUID,
        ColumnType::Instant => *found == Type::TIMESTAMPTZ,
    }
}

fn datum(cell: &Cell<'_>, wanted: ColumnType) -> Result<Datum, Fault> {
    let Cell { kind, bytes } = cell;
    let whole = |bytes| match *kind {
        Type::INT2 => i16::from_sql(kind, bytes).map(i64::from),
        Type::INT4 => i32::from_sql(kind, bytes).map(i64::from),
        _ => i64::from_sql(kind, bytes),
    };
    Ok(match wanted {
        ColumnType::Text => Datum::Text(bytes.map(|bytes| String::from_sql(kind, bytes)).transpose()?),
        ColumnType::Integer => {
            Datum::Integer(bytes.map(|bytes| Ok::<_, Fault>(whole(bytes)?.try_into()?)).transpose()?)
        }
        ColumnType::BigInt => Datum::BigInt(bytes.map(whole).transpose()?),
        ColumnType::Double => Datum::Double(
            bytes
                .map(|bytes| match *kind {
                    Type::FLOAT4 => f32::from_sql(kind, bytes).map(f64::from),
                    _ => f64::from_sql(kind, bytes),
                })
                .transpose()?,
        ),
        ColumnType::Bool => Datum::Bool(bytes.map(|bytes| bool::from_sql(kind, bytes)).transpose()?),
        ColumnType::Date => Datum::Date(bytes.map(date).transpose()?),
        ColumnType::Guid => Datum::Guid(bytes.map(Uuid::from_slice).transpose()?),
        ColumnType::Instant => {
            let counted = bytes.map(|bytes| Ok::<_, Fault>(i64::from_be_bytes(bytes.try_into()?))).transpose()?;
            Datum::Instant(counted.map(instant))
        }
    })
}

fn date(bytes: &[u8]) -> Result<NaiveDate, Fault> {
    let days = i32::from_be_bytes(bytes.try_into()?);
    let date = EPOCH.checked_add_signed(chrono::TimeDelta::days(i64::from(days)));
    date.ok_or_else(|| "the date is out of the calendar's range".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_2000() {
        for (day, counted) in
            [("2000-01-01", 0), ("1999-12-31", -1), ("1753-01-01", -90_214), ("9999-12-31", 2_921_939)]
        {
            let day: NaiveDate = day.parse().unwrap();
            let mut out = BytesMut::new();
            Datum::Date(Some(day)).to_sql(&Type::DATE, &mut out).unwrap();
            assert_eq!((i32::from_be_bytes(out[..].try_into().unwrap()), date(&out).unwrap()), (counted, day));
        }
        assert!(date(&i32::MAX.to_be_bytes()).is_err(), "infinity is not a date");
    }

    #[test]
    fn a_wider_column_gives_the_values_that_fit() {
        let read = |number: i64, wanted| {
            let bytes = number.to_be_bytes();
            datum(&Cell { kind: Type::INT8, bytes: Some(&bytes) }, wanted)
        };
        assert_eq!(read(7, ColumnType::Integer).unwrap(), Datum::Integer(Some(7)));
        assert!(read(i64::MAX, ColumnType::Integer).is_err());
        assert!(holds(&Type::VARCHAR, ColumnType::Text) && !holds(&Type::NUMERIC, ColumnType::BigInt));
    }
}
