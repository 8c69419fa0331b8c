//! Numbers both ways: what is read is the number that is written there, digit for digit, and it comes back as it was.

use cdms_odata::crm2011::json::{read_record, write_record};
use cdms_odata::{Attributes, Kind, Value};
use datahub_model::conversion::{DECIMAL_SCALE, scaled};
use rust_decimal::Decimal;

/// Takes the bytes for a number as JSON, plain and as a text.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let text = text.trim();
    let quoted = format!("{text:?}");
    for json in [text, quoted.as_str()] {
        for kind in [Kind::Integer, Kind::BigInt, Kind::Decimal, Kind::Double] {
            read(kind, json.to_owned(), text);
        }
        for kind in [Kind::Money, Kind::Choice, Kind::State, Kind::Status] {
            read(kind, format!("{{\"Value\":{json}}}"), text);
        }
    }
}

fn read(kind: Kind, json: String, text: &str) {
    let answer = format!("{{\"d\":{{\"A\":{json}}}}}");
    let Ok(attributes) = read_record(answer.as_bytes(), &[("A", kind)]) else {
        let may_be_refused = !matches!(kind, Kind::Decimal | Kind::Money) || !is_plain(text);
        assert!(
            may_be_refused || serde_json::from_str::<serde_json::Value>(&json).is_err(),
            "{kind} {json} is refused"
        );
        return;
    };
    // A text with other members than the one that is asked for, such as `1,"B":2`, is no number.
    let (Some(value), Some(written)) = (attributes.get("A"), Digits::of(text)) else { return };
    let exact = match value {
        Value::Integer(number) | Value::Choice(number) => Digits::of(&number.to_string()),
        Value::BigInt(number) => Digits::of(&number.to_string()),
        Value::Decimal(number) | Value::Money(number) => {
            keeps_its_scale(*number);
            Digits::of(&number.to_string())
        }
        Value::Double(number) => {
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(number.to_bits()), "{json}");
            Some(written.clone())
        }
        Value::Null => return,
        other => panic!("{kind} {json} was read as {other:?}"),
    };
    assert_eq!(exact, Some(written), "{kind} {json} was read as {value}");
    comes_back(kind, value);
}

fn comes_back(kind: Kind, value: &Value) {
    let body = write_record([("A", kind, value)]).expect("what was read can be sent");
    let answer = format!("{{\"d\":{}}}", String::from_utf8_lossy(&body));
    let read = read_record(answer.as_bytes(), &[("A", kind)]);
    assert_eq!(read, Ok(Attributes::from([("A", value.clone())])), "{answer}");
    let stored = serde_json::to_string(value).expect("what was read can be stored");
    assert_eq!(serde_json::from_str::<Value>(&stored).ok().as_ref(), Some(value), "{stored}");
}

/// A column's integer is the decimal, or there is none.
fn keeps_its_scale(number: Decimal) {
    for scale in 0..=DECIMAL_SCALE {
        if let Some(kept) = scaled(number, scale) {
            assert_eq!(Decimal::new(kept, scale), number, "{number} is kept with {scale} digits as {kept}");
        }
    }
}

/// A number of at most 28 digits, without an exponent, which CDMS and every decimal can hold.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    all(whole) && all(part) && whole.len() + part.len() <= 28 && (whole == "0" || !whole.starts_with('0'))
}

/// A number as its digits without zeros around them, and the power of ten of the last one.
#[derive(Clone, Debug, PartialEq)]
struct Digits {
    is_negative: bool,
    digits: String,
    power: i64,
}

impl Digits {
    /// The digits of a number in JSON's form, with a sign or leading zeros more; `None` of any other text.
    fn of(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (number, power) = match text.split_once(['e', 'E']) {
            Some((number, power)) => (number, power.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let all = format!("{whole}{part}");
        if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let short = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - short.len()).ok()?;
        let power = power.checked_sub(i64::try_from(part.len()).ok()?)?.checked_add(dropped)?;
        let digits = short.trim_start_matches('0').to_owned();
        Some(if digits.is_empty() {
            Digits { is_negative: false, digits, power: 0 }
        } else {
            Digits { is_negative, digits, power }
        })
    }
}
