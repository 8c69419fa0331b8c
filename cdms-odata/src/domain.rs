//! What CDMS can hold of each kind: the range of days, the range of numbers, the characters of text.
//!
//! A value outside its kind's domain has the right form but cannot be in CDMS, which refuses it or, worse, stores
//! something else.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{Instant, Value};

/// The maximum number of decimal places that CDMS keeps of an amount of money.
pub const MONEY_SCALE: u32 = 4;

/// The maximum number of decimal places that CDMS keeps of a double.
pub const DOUBLE_SCALE: u32 = 5;

/// The first and the last day that CDMS supports.
const DAYS: (NaiveDate, NaiveDate) = match (NaiveDate::from_ymd_opt(1753, 1, 1), NaiveDate::from_ymd_opt(9999, 12, 31))
{
    (Some(first), Some(last)) => (first, last),
    _ => unreachable!(),
};

/// The first instant of the first day, and the last millisecond of the last day.
const INSTANTS: (Instant, Instant) = (Instant(-6_847_804_800_000), Instant(253_402_300_799_999));

/// The largest absolute value of a decimal or a double.
const NUMBER_MAX: i64 = 100_000_000_000;

/// The largest absolute value of an amount of money.
const MONEY_MAX: i64 = 922_337_203_685_477;

/// Why CDMS cannot hold a value. The message continues after the name of the value, as in "`Born`: is before …", and
/// does not show the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfDomain {
    /// A day or an instant before the first day that CDMS supports.
    #[error("is before {}, the first day that CDMS supports", DAYS.0)]
    TooEarly,
    /// A day or an instant after the last day that CDMS supports.
    #[error("is after {}, the last day that CDMS supports", DAYS.1)]
    TooLate,
    /// A number whose absolute value is too large.
    #[error("is beyond ±{max}, the largest {what} that CDMS supports")]
    TooLarge {
        /// The kind of number, in words.
        what: &'static str,
        /// The largest absolute value.
        max: i64,
    },
    /// A double that is infinite or NaN.
    #[error("must be a finite number")]
    NotFinite,
    /// A text with a character that XML 1.0, and therefore CDMS, does not allow.
    #[error("contains the character U+{:04X} at position {place}, which XML and CDMS do not allow; remove it", u32::from(*character))]
    Character {
        /// The character.
        character: char,
        /// The character's position in the text, from 1.
        place: usize,
    },
}

impl Value {
    /// Checks that CDMS can hold the value in an attribute of its kind.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub fn check_domain(&self) -> Result<(), OutOfDomain> {
        match self {
            Value::Text(text) => text_in_domain(text),
            Value::Decimal(number) => within(*number, "decimal", NUMBER_MAX),
            Value::Money(amount) => within(*amount, "amount of money", MONEY_MAX),
            Value::Double(number) if !number.is_finite() => Err(OutOfDomain::NotFinite),
            Value::Double(number) if number.abs() > NUMBER_MAX as f64 => {
                Err(OutOfDomain::TooLarge { what: "double", max: NUMBER_MAX })
            }
            Value::Date(date) => between(date, &DAYS.0, &DAYS.1),
            Value::Instant(instant) => between(instant, &INSTANTS.0, &INSTANTS.1),
            // All 32-bit and 64-bit integers, options, ids and references, and both Booleans.
            Value::Null
            | Value::Integer(_)
            | Value::BigInt(_)
            | Value::Double(_)
            | Value::Boolean(_)
            | Value::Guid(_)
            | Value::Choice(_)
            | Value::Lookup(_) => Ok(()),
        }
    }
}

fn within(number: Decimal, what: &'static str, max: i64) -> Result<(), OutOfDomain> {
    if number.abs() > Decimal::from(max) { Err(OutOfDomain::TooLarge { what, max }) } else { Ok(()) }
}

fn between<T: Ord>(value: &T, first: &T, last: &T) -> Result<(), OutOfDomain> {
    if value < first {
        Err(OutOfDomain::TooEarly)
    } else if value > last {
        Err(OutOfDomain::TooLate)
    } else {
        Ok(())
    }
}

fn text_in_domain(text: &str) -> Result<(), OutOfDomain> {
    // Every forbidden character begins with one of these bytes in UTF-8, and most texts contain none of them.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != 0xEF));
    if is_plain {
        return Ok(());
    }
    match text.chars().enumerate().find(|(_, character)| is_forbidden(*character)) {
        Some((at, character)) => Err(OutOfDomain::Character { character, place: at + 1 }),
        None => Ok(()),
    }
}

/// Whether XML 1.0 excludes this character. A `char` is never a surrogate.
const fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}
