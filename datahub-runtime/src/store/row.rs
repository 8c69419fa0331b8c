//! Conversion of values, the models' and the engine's, to and from database columns.

use std::fmt::Display;

use cdms_odata::{Instant, Kind, Value};
use chrono::NaiveDate;
use datahub_model::conversion::{initial, scaled};
use datahub_model::{Column, Fault};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::failure::Trouble;
use super::statement::{ColumnType, Datum};
use crate::diesel::stored_value::{DECIMAL_SCALE, MONEY_SCALE};

/// Converts a value to the form that its column stores.
///
/// # Errors
///
/// The value is not of the column's kind, or the database cannot store it exactly.
pub(crate) fn datum(column: &Column, value: &Value) -> Result<Datum, Fault> {
    let inexact = |reason: String| Fault::new(reason).at(column.field);
    Ok(match (ColumnType::of(column.kind), value) {
        // Empty text is null in CDMS and in a value. A column that cannot be null stores it as empty text.
        (ColumnType::Text, Value::Null) if !column.nullable => Datum::Text(Some(String::new())),
        (kind, Value::Null) => null(kind),
        (ColumnType::Text, Value::Text(text)) => Datum::Text(Some(text.clone())),
        (ColumnType::Integer, Value::Integer(number) | Value::Choice(number)) => Datum::Integer(Some(*number)),
        (ColumnType::BigInt, Value::BigInt(number)) if column.kind == Kind::BigInt => Datum::BigInt(Some(*number)),
        (ColumnType::BigInt, Value::Decimal(number) | Value::Money(number)) if column.kind != Kind::BigInt => {
            let scale = scale_of(column);
            let integer = scaled(*number, scale);
            Datum::BigInt(Some(
                integer.ok_or_else(|| {
                    inexact(format!("cannot be stored exactly with {scale} decimal places in 64 bits"))
                })?,
            ))
        }
        (ColumnType::Double, Value::Double(number)) if number.is_nan() => {
            return Err(inexact("is NaN, which the database cannot store".to_owned()));
        }
        (ColumnType::Double, Value::Double(number)) => Datum::Double(Some(*number)),
        (ColumnType::Bool, Value::Boolean(value)) => Datum::Bool(Some(*value)),
        (ColumnType::Date, Value::Date(date)) => Datum::Date(Some(*date)),
        (ColumnType::Instant, Value::Instant(instant)) => Datum::Instant(Some(*instant)),
        (ColumnType::Guid, Value::Guid(id)) => Datum::Guid(Some(*id)),
        (ColumnType::Guid, Value::Lookup(reference)) => Datum::Guid(Some(reference.id)),
        (_, other) => {
            return Err(inexact(format!("expected a value of kind {}, found {}", column.kind, other.form())));
        }
    })
}

/// Converts a column's contents to a value. A reference becomes its GUID, because the column stores nothing else.
pub(crate) fn value(column: &Column, datum: Datum) -> Value {
    let value = match datum {
        Datum::Text(text) => text.map(Value::text),
        Datum::Integer(number) => number.map(|number| match column.kind {
            Kind::Choice | Kind::State | Kind::Status => Value::Choice(number),
            _ => Value::Integer(number),
        }),
        Datum::BigInt(number) => number.map(|number| match column.kind {
            Kind::Money => Value::Money(Decimal::new(number, scale_of(column))),
            Kind::Decimal => Value::Decimal(Decimal::new(number, scale_of(column))),
            _ => Value::BigInt(number),
        }),
        Datum::Double(number) => number.map(Value::Double),
        Datum::Bool(value) => value.map(Value::Boolean),
        Datum::Date(date) => date.map(Value::Date),
        Datum::Guid(id) => id.map(Value::Guid),
        Datum::Instant(instant) => instant.map(Value::Instant),
    };
    value.unwrap_or_default()
}

/// The initial contents of a column: its default, null if it is nullable, or the zero of its type.
pub(crate) fn zero(column: &Column) -> Datum {
    let kind = ColumnType::of(column.kind);
    if column.default.is_some()
        && let Ok(datum) = datum(column, &initial(column))
    {
        return datum;
    }
    if column.nullable {
        return null(kind);
    }
    match kind {
        ColumnType::Text => Datum::Text(Some(String::new())),
        ColumnType::Integer => Datum::Integer(Some(0)),
        ColumnType::BigInt => Datum::BigInt(Some(0)),
        ColumnType::Double => Datum::Double(Some(0.0)),
        ColumnType::Bool => Datum::Bool(Some(false)),
        ColumnType::Date => Datum::Date(Some(NaiveDate::default())),
        ColumnType::Guid => Datum::Guid(Some(Uuid::nil())),
        ColumnType::Instant => Datum::Instant(Some(Instant(0))),
    }
}

fn null(kind: ColumnType) -> Datum {
    match kind {
        ColumnType::Text => Datum::Text(None),
        ColumnType::Integer => Datum::Integer(None),
        ColumnType::BigInt => Datum::BigInt(None),
        ColumnType::Double => Datum::Double(None),
        ColumnType::Bool => Datum::Bool(None),
        ColumnType::Date => Datum::Date(None),
        ColumnType::Guid => Datum::Guid(None),
        ColumnType::Instant => Datum::Instant(None),
    }
}

pub(super) fn scale_of(column: &Column) -> u32 {
    match column.kind {
        Kind::Money => MONEY_SCALE,
        _ => column.scale.unwrap_or(DECIMAL_SCALE),
    }
}

/// One row of a result, read cell by cell in the order of the statement's columns.
#[derive(Debug)]
pub(crate) struct Cells {
    cells: std::vec::IntoIter<Datum>,
}

impl Cells {
    pub(crate) fn new(cells: Vec<Datum>) -> Self {
        Cells { cells: cells.into_iter() }
    }

    /// The next cell, unconverted.
    pub(crate) fn datum(&mut self) -> Result<Datum, Trouble> {
        self.cells.next().ok_or_else(|| Trouble::Corrupt("a row has too few columns".to_owned()))
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, Trouble> {
        match self.datum()? {
            Datum::Text(text) => Ok(text),
            other => Err(unexpected("text", &other)),
        }
    }

    pub(crate) fn optional_guid(&mut self) -> Result<Option<Uuid>, Trouble> {
        match self.datum()? {
            Datum::Guid(id) => Ok(id),
            other => Err(unexpected("a GUID", &other)),
        }
    }

    pub(crate) fn optional_instant(&mut self) -> Result<Option<Instant>, Trouble> {
        match self.datum()? {
            Datum::Instant(instant) => Ok(instant),
            other => Err(unexpected("a time", &other)),
        }
    }

    pub(crate) fn optional_number(&mut self) -> Result<Option<i64>, Trouble> {
        match self.datum()? {
            Datum::BigInt(number) => Ok(number),
            other => Err(unexpected("a number", &other)),
        }
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Trouble> {
        match self.datum()? {
            Datum::Bool(Some(value)) => Ok(value),
            other => Err(unexpected("true or false", &other)),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, Trouble> {
        self.optional_text()?.ok_or_else(|| missing("a text"))
    }

    pub(crate) fn guid(&mut self) -> Result<Uuid, Trouble> {
        self.optional_guid()?.ok_or_else(|| missing("a GUID"))
    }

    pub(crate) fn instant(&mut self) -> Result<Instant, Trouble> {
        self.optional_instant()?.ok_or_else(|| missing("a time"))
    }

    pub(crate) fn number(&mut self) -> Result<i64, Trouble> {
        self.optional_number()?.ok_or_else(|| missing("a number"))
    }

    /// A text cell that contains JSON.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, Trouble> {
        from_json(&self.text()?)
    }

    /// A nullable text cell that contains JSON.
    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Trouble> {
        self.optional_text()?.as_deref().map(from_json).transpose()
    }

    /// A text cell that contains the one-word name of a serializable value.
    pub(crate) fn word<T: DeserializeOwned>(&mut self) -> Result<T, Trouble> {
        self.optional_word()?.ok_or_else(|| missing("a word"))
    }

    /// A nullable text cell that contains the one-word name of a serializable value.
    pub(crate) fn optional_word<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Trouble> {
        let word = self.optional_text()?.map(serde_json::Value::String);
        word.map(serde_json::from_value).transpose().map_err(|error| unreadable(&error))
    }
}

/// A value as JSON text, as engine columns store it.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Datum, Trouble> {
    serde_json::to_string(value).map(Datum::from).map_err(|error| unreadable(&error))
}

/// A value that serializes as one word, as this word.
pub(crate) fn to_word(value: &impl Serialize) -> Result<Datum, Trouble> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(Datum::from(word)),
        Ok(other) => Err(Trouble::Corrupt(format!("expected a value that serializes as one word, found {other}"))),
        Err(error) => Err(unreadable(&error)),
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Trouble> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

pub(super) fn unreadable(error: &dyn Display) -> Trouble {
    Trouble::Corrupt(format!("invalid JSON: {error}"))
}

/// The error for an unexpected null.
pub(super) fn missing(expected: &str) -> Trouble {
    Trouble::Corrupt(format!("expected {expected}, found null"))
}

fn unexpected(expected: &str, found: &Datum) -> Trouble {
    Trouble::Corrupt(format!("expected {expected}, found {found:?}"))
}
