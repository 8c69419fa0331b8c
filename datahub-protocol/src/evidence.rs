//! Evidence: whether a value that a read returns is the value that was sent, given what CDMS is known to do to its
//! kind.

use cdms_odata::{Instant, Value};
use rust_decimal::{Decimal, RoundingStrategy};

/// Whether a read returned what was sent: the same value, or what CDMS makes of it by itself. CDMS removes trailing
/// blanks from text and changes its line endings, rounds numbers to the precision of the attribute, and removes
/// fractions of a second.
pub(crate) fn shows(found: &Value, sent: &Value) -> bool {
    if found == sent {
        return true;
    }
    match (sent, found) {
        (Value::Text(sent), Value::Text(found)) => is_text_of(found, sent),
        (Value::Text(sent), Value::Null) => sent.trim_end().is_empty(),
        (Value::Decimal(sent), Value::Decimal(found)) | (Value::Money(sent), Value::Money(found)) => {
            is_rounded(*found, *sent)
        }
        (Value::Double(sent), Value::Double(found)) => {
            // Doubles are compared by their written digits: 0.1 is not 0.1000000000000000055.
            match (sent.to_string().parse(), found.to_string().parse()) {
                (Ok(sent), Ok(found)) => is_rounded(found, sent),
                _ => false,
            }
        }
        (Value::Instant(sent), Value::Instant(found)) => is_whole_second_of(*found, *sent),
        _ => false,
    }
}

fn is_text_of(found: &str, sent: &str) -> bool {
    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned();
    lines(found) == lines(sent)
}

/// Whether a number is another one rounded to fewer decimal places, with either rounding of halves.
fn is_rounded(found: Decimal, sent: Decimal) -> bool {
    let (found, sent) = (found.normalize(), sent.normalize());
    let halves = [RoundingStrategy::MidpointAwayFromZero, RoundingStrategy::MidpointNearestEven];
    found.scale() < sent.scale()
        && halves.into_iter().any(|half| sent.round_dp_with_strategy(found.scale(), half).normalize() == found)
}

fn is_whole_second_of(found: Instant, sent: Instant) -> bool {
    found.0 % 1_000 == 0 && sent.0 % 1_000 != 0 && found.0.abs_diff(sent.0) < 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cdms_makes_of_a_value_counts_as_evidence() {
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        let decimal = |text| Value::Decimal(number(text));
        let money = |text| Value::Money(number(text));
        let text = |text: &str| Value::text(text);
        for (sent, found, is_shown) in [
            (text("Acme Ltd "), text("Acme Ltd"), true),
            (text("a\nb"), text("a\r\nb"), true),
            (text("a\r\nb\r\n"), text("a\nb"), true),
            (text("  "), Value::Null, true),
            (text(" Acme"), text("Acme"), false),
            (text("Acme Ltd"), text("ACME LTD"), false),
            (text("Acme"), Value::Null, false),
            (decimal("10.0051"), decimal("10.01"), true),
            (decimal("10.005"), decimal("10.00"), true),
            (decimal("10.005"), decimal("10.01"), true),
            (decimal("10.004"), decimal("10.01"), false),
            (decimal("10"), decimal("10.01"), false),
            (decimal("10.50"), decimal("11"), true),
            (money("-0.055"), money("-0.06"), true),
            (money("10.01"), decimal("10.0"), false),
            (Value::Double(0.123_456_7), Value::Double(0.12346), true),
            (Value::Double(0.12), Value::Double(0.13), false),
            (Value::Double(f64::MAX), Value::Double(1.0), false),
            (Value::Instant(Instant(1_999)), Value::Instant(Instant(1_000)), true),
            (Value::Instant(Instant(1_999)), Value::Instant(Instant(2_000)), true),
            (Value::Instant(Instant(2_000)), Value::Instant(Instant(1_000)), false),
            (Value::Instant(Instant(1_999)), Value::Instant(Instant(3_000)), false),
            (Value::Choice(1), Value::Choice(2), false),
        ] {
            assert_eq!(shows(&found, &sent), is_shown, "sent {sent}, found {found}");
        }
    }
}
