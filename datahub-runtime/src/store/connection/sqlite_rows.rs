//! What SQLite returns through Diesel: rows and errors.

use cdms_odata::Instant;
use chrono::NaiveDate;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::row::{Field, Row};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Text};
use uuid::Uuid;

use crate::sql_types;
use crate::store::failure::{Rule, Trouble};
use crate::store::row::Cells;
use crate::store::sqlite;
use crate::store::statement::{ColumnType, Datum};

/// Distinguishes a violated rule of SQLite's tables from a database that cannot be used, with a plain message.
pub(in crate::store) fn trouble_of_file(error: Error) -> Trouble {
    match error {
        Error::DatabaseError(kind, information) => refusal(kind, information.message()),
        Error::SerializationError(error) => Trouble::Refused(error.to_string()),
        Error::DeserializationError(error) => Trouble::Corrupt(error.to_string()),
        other => Trouble::Unavailable(other.to_string()),
    }
}

fn refusal(kind: DatabaseErrorKind, message: &str) -> Trouble {
    let rule = match kind {
        DatabaseErrorKind::UniqueViolation => Rule::Unique,
        DatabaseErrorKind::NotNullViolation => Rule::NotNull,
        DatabaseErrorKind::CheckViolation => Rule::Check,
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => Rule::ForeignKey,
        _ if sqlite::is_outage(message) => return Trouble::Unavailable(message.to_owned()),
        _ => return Trouble::Other(message.to_owned()),
    };
    Trouble::Refused(rule.broken(message.split_once(": ").map_or(message, |(_, subject)| subject)))
}

/// The cells of a row whose columns have these types.
pub(super) fn cells<'r, DB>(row: &impl Row<'r, DB>, types: &[ColumnType]) -> Result<Cells, Trouble>
where
    DB: Backend,
    String: FromSql<Text, DB>,
    i32: FromSql<Integer, DB>,
    i64: FromSql<BigInt, DB>,
    f64: FromSql<Double, DB>,
    bool: FromSql<Bool, DB>,
    NaiveDate: FromSql<Date, DB>,
    Uuid: FromSql<sql_types::Guid, DB>,
    Instant: FromSql<sql_types::Instant, DB>,
{
    fn optional<'f, ST, T: FromSql<ST, DB>, DB: Backend>(field: &impl Field<'f, DB>) -> deserialize::Result<Option<T>> {
        field.value().map(T::from_sql).transpose()
    }
    let mut cells = Vec::with_capacity(types.len());
    for (at, kind) in types.iter().enumerate() {
        let field = row.get(at).ok_or_else(|| {
            Trouble::Corrupt(format!("expected a row of {} columns, found {}", types.len(), row.field_count()))
        })?;
        let datum = match kind {
            ColumnType::Text => optional::<Text, _, DB>(&field).map(Datum::Text),
            ColumnType::Integer => optional::<Integer, _, DB>(&field).map(Datum::Integer),
            ColumnType::BigInt => optional::<BigInt, _, DB>(&field).map(Datum::BigInt),
            ColumnType::Double => optional::<Double, _, DB>(&field).map(Datum::Double),
            ColumnType::Bool => optional::<Bool, _, DB>(&field).map(Datum::Bool),
            ColumnType::Date => optional::<Date, _, DB>(&field).map(Datum::Date),
            ColumnType::Guid => optional::<sql_types::Guid, _, DB>(&field).map(Datum::Guid),
            ColumnType::Instant => optional::<sql_types::Instant, _, DB>(&field).map(Datum::Instant),
        };
        cells.push(datum.map_err(|error| {
            let name = field.field_name().unwrap_or("?");
            Trouble::Corrupt(format!("column {name}: {error}"))
        })?);
    }
    Ok(Cells::new(cells))
}
