//! The domain of each kind of value: what a CDMS can store, in any organisation.

use cdms_odata::metadata::EntityType;
use cdms_odata::{Instant, Value};
use rust_decimal::Decimal;

use crate::refusal::Refusal;

/// 1753-01-01T00:00:00Z, the first instant that the database can store (docs/protocol.md, 2.2).
const FIRST_MS: i64 = -6_847_804_800_000;

/// The end of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// The largest absolute value of a decimal or double.
const NUMBER_MAX: i64 = 100_000_000_000;

/// The largest absolute value of an amount of money.
const MONEY_MAX: i64 = 922_337_203_685_477;

/// Refuses a value that no attribute of its kind can have.
pub(super) fn check(entity: &EntityType, name: &str, value: &Value) -> Result<(), Refusal> {
    let within = |number: &Decimal, most: i64| number.abs() <= Decimal::from(most);
    match value {
        Value::Text(text) => match text.chars().find(|letter| !is_in_xml(*letter)) {
            None => Ok(()),
            Some(letter) => {
                let letter = u32::from(letter);
                let reason = format!("holds the character U+{letter:04X}, which XML 1.0 does not have");
                Err(Refusal::invalid(&entity.name, name, &reason))
            }
        },
        Value::Instant(Instant(ms)) if !(FIRST_MS..=LAST_MS).contains(ms) => {
            Err(Refusal::invalid(&entity.name, name, "is before the year 1753 or after 9999"))
        }
        // NaN and infinities are out of range too.
        Value::Double(number) if !number.is_finite() || !within_double(*number) => {
            Err(Refusal::number_out_of_range(&entity.name, name))
        }
        Value::Decimal(number) if !within(number, NUMBER_MAX) => Err(Refusal::number_out_of_range(&entity.name, name)),
        Value::Money(amount) if !within(amount, MONEY_MAX) => Err(Refusal::number_out_of_range(&entity.name, name)),
        _ => Ok(()),
    }
}

#[allow(clippy::cast_precision_loss, reason = "the limit has twelve digits, which a double represents exactly")]
fn within_double(number: f64) -> bool {
    number.abs() <= NUMBER_MAX as f64
}

/// Whether XML 1.0 has the character. CDMS also sends its values in SOAP messages.
fn is_in_xml(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}
