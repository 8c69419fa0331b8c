//! What CDMS can hold of each kind: its first and last day, its largest numbers, the characters of its texts.
//!
//! A value outside its kind's domain has the right form and still cannot be in CDMS, which refuses it or, worse, keeps
//! something else.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{Instant, Value};

/// The most digits after the point that CDMS keeps of an amount of money.
pub const MONEY_SCALE: u32 = 4;

/// The most digits after the point that CDMS keeps of a double.
pub const DOUBLE_SCALE: u32 = 5;

/// The first and the last day that CDMS has.
const DAYS: (NaiveDate, NaiveDate) = match (NaiveDate::from_ymd_opt(1753, 1, 1), NaiveDate::from_ymd_opt(9999, 12, 31))
{
    (Some(first), Some(last)) => (first, last),
    _ => unreachable!(),
};

/// The first instant of the first day, and the last millisecond of the last one.
const INSTANTS: (Instant, Instant) = (Instant(-6_847_804_800_000), Instant(253_402_300_799_999));

/// The largest decimal and the largest double, either way.
const NUMBER_MAX: i64 = 100_000_000_000;

/// The largest amount of money, either way.
const MONEY_MAX: i64 = 922_337_203_685_477;

/// Why CDMS cannot hold a value. It reads on after what is wrong, as in "`Born`: is before …", and shows no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfDomain {
    /// A day or an instant before all that CDMS has.
    #[error("is before {}, the first day that CDMS has", DAYS.0)]
    TooEarly,
    /// A day or an instant after all that CDMS has.
    #[error("is after {}, the last day that CDMS has", DAYS.1)]
    TooLate,
    /// A number that is too large, either way.
    #[error("is beyond ±{max}, the largest {what} that CDMS has")]
    TooLarge {
        /// What it is, in words.
        what: &'static str,
        /// The largest of it.
        max: i64,
    },
    /// A double that is infinite or no number.
    #[error("is no finite number, and CDMS takes no other")]
    NotFinite,
    /// A text with a character that XML 1.0 forbids, and CDMS with it.
    #[error("has the character U+{:04X} at place {place}, which XML does not allow, and so CDMS; remove it", u32::from(*character))]
    Character {
        /// The character.
        character: char,
        /// Which of the text's characters it is, from 1.
        place: usize,
    },
}

impl Value {
    /// Whether CDMS can hold the value in an attribute of its kind.
    ///
    /// # Errors
    ///
    /// Why it cannot.
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
            // Every 32-bit and 64-bit integer, every option, id and reference, and both booleans.
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
    // What is forbidden begins with one of these bytes in UTF-8, and most texts have none of them.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != 0xEF));
    if is_plain {
        return Ok(());
    }
    match text.chars().enumerate().find(|(_, character)| is_forbidden(*character)) {
        Some((at, character)) => Err(OutOfDomain::Character { character, place: at + 1 }),
        None => Ok(()),
    }
}

/// Whether XML 1.0 has no such character. Surrogates are no characters of a text here anyway.
const fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}
