//! A value in a constant or a filter, in a form that can be written in a static.

use cdms_odata::{Instant, Reference, Value};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::MaybeStatic;

/// A value that can be written in a static.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Null.
    Null,
    /// Text.
    Text(MaybeStatic<str>),
    /// `integer`.
    Integer(i32),
    /// `bigint`.
    BigInt(i64),
    /// `decimal`: unscaled number and scale.
    Decimal(i64, u32),
    /// `money`: unscaled number and scale.
    Money(i64, u32),
    /// `double`.
    Double(f64),
    /// `boolean`.
    Boolean(bool),
    /// `datetime`: milliseconds since 1970, UTC.
    Instant(i64),
    /// `date`: days since the first day of year 1, which is day 1.
    Date(i32),
    /// `guid`.
    Guid(u128),
    /// `choice`, `state`, `status`.
    Choice(i32),
    /// `lookup`: logical name and id.
    Lookup(MaybeStatic<str>, u128),
}

impl Literal {
    /// A string literal from a static.
    pub const fn text(text: &'static str) -> Self {
        Literal::Text(MaybeStatic::Static(text))
    }

    /// The literal of a value; `None` for a decimal with more digits than 64 bits hold.
    pub fn of(value: &Value) -> Option<Self> {
        let digits = |number: &Decimal| Some((i64::try_from(number.mantissa()).ok()?, number.scale()));
        Some(match value {
            Value::Null => Literal::Null,
            Value::Text(text) => Literal::Text(text.clone().into()),
            Value::Integer(number) => Literal::Integer(*number),
            Value::BigInt(number) => Literal::BigInt(*number),
            Value::Decimal(number) => digits(number).map(|(number, scale)| Literal::Decimal(number, scale))?,
            Value::Money(number) => digits(number).map(|(number, scale)| Literal::Money(number, scale))?,
            Value::Double(number) => Literal::Double(*number),
            Value::Boolean(value) => Literal::Boolean(*value),
            Value::Instant(instant) => Literal::Instant(instant.0),
            Value::Date(date) => Literal::Date(date.num_days_from_ce()),
            Value::Guid(id) => Literal::Guid(id.as_u128()),
            Value::Choice(option) => Literal::Choice(*option),
            Value::Lookup(Reference { logical_name, id }) => {
                Literal::Lookup(logical_name.clone().into_owned().into(), id.as_u128())
            }
        })
    }

    /// The literal as a value.
    pub fn value(&self) -> Value {
        match self {
            Literal::Null => Value::Null,
            Literal::Text(text) => Value::text(&**text),
            Literal::Integer(number) => Value::Integer(*number),
            Literal::BigInt(number) => Value::BigInt(*number),
            Literal::Decimal(number, scale) => Value::Decimal(Decimal::new(*number, *scale)),
            Literal::Money(number, scale) => Value::Money(Decimal::new(*number, *scale)),
            Literal::Double(number) => Value::Double(*number),
            Literal::Boolean(value) => Value::Boolean(*value),
            Literal::Instant(ms) => Value::Instant(Instant(*ms)),
            // No literal is made of a day outside the calendar.
            Literal::Date(days) => NaiveDate::from_num_days_from_ce_opt(*days).map_or(Value::Null, Value::Date),
            Literal::Guid(id) => Value::Guid(Uuid::from_u128(*id)),
            Literal::Choice(option) => Value::Choice(*option),
            Literal::Lookup(logical_name, id) => {
                let logical_name = match logical_name {
                    MaybeStatic::Static(name) => (*name).into(),
                    MaybeStatic::Boxed(name) => name.to_string().into(),
                };
                Value::Lookup(Reference { logical_name, id: Uuid::from_u128(*id) })
            }
        }
    }
}

/// Serializes as its value.
impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}
