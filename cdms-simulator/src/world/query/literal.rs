//! Literals of `$filter`, and the values that conditions and orders compare.

use cdms_odata::Instant;
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::token::Word;
use crate::refusal::Refusal;

/// A value with an order, as the database compares it. Null comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Comparable {
    Null,
    Boolean(bool),
    Number(Decimal),
    Double(Finite),
    Instant(i64),
    /// A text in the form in which it is compared.
    Text(String),
    Guid(Uuid),
}

/// A double that is a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finite(f64);

impl Finite {
    pub(super) fn new(number: f64) -> Option<Self> {
        // Both zeros are one number.
        number.is_finite().then_some(Finite(number + 0.0))
    }

    pub(super) fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Finite {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Finite {}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A literal and its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Int32(i32),
    Int64(i64),
    Decimal(Decimal),
    /// A double, with its digits: it is also taken for a decimal.
    Double(f64, String),
    Instant(i64),
    Text(String),
    Guid(Uuid),
}

impl Literal {
    /// Reads a literal at a place.
    pub(super) fn read(word: &Word, at: usize) -> Result<Self, Refusal> {
        let unrecognised = |edm: &str, text: &str| {
            Refusal::bad_request(format!("Unrecognized 'Edm.{edm}' literal '{text}' in '{at}'."))
        };
        Ok(match word {
            Word::Name(name) => match name.as_str() {
                "null" => Literal::Null,
                other => Literal::Boolean(other == "true"),
            },
            Word::Text(text) => Literal::Text(text.clone()),
            Word::Number(text) => number(text).map_err(|edm| unrecognised(edm, text))?,
            Word::Typed(prefix, text) => {
                let written = format!("{prefix}'{text}'");
                match prefix.as_str() {
                    "guid" => guid(text).map(Literal::Guid).ok_or_else(|| unrecognised("Guid", &written))?,
                    "datetime" => {
                        instant(text).map(Literal::Instant).ok_or_else(|| unrecognised("DateTime", &written))?
                    }
                    _ => return Err(Refusal::syntax(at)),
                }
            }
            _ => return Err(Refusal::syntax(at)),
        })
    }

    /// The name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Literal::Null => "null",
            Literal::Boolean(_) => "Edm.Boolean",
            Literal::Int32(_) => "Edm.Int32",
            Literal::Int64(_) => "Edm.Int64",
            Literal::Decimal(_) => "Edm.Decimal",
            Literal::Double(..) => "Edm.Double",
            Literal::Instant(_) => "Edm.DateTime",
            Literal::Text(_) => "Edm.String",
            Literal::Guid(_) => "Edm.Guid",
        }
    }
}

/// A number by the form of its digits and the letter behind them; otherwise the type that they name.
fn number(text: &str) -> Result<Literal, &'static str> {
    let (digits, letter) = match text.char_indices().next_back() {
        Some((at, letter)) if letter.is_ascii_alphabetic() => (&text[..at], Some(letter.to_ascii_lowercase())),
        _ => (text, None),
    };
    let double = || digits.parse().ok().filter(|number: &f64| number.is_finite());
    let is_whole = !digits.contains(['.', 'e', 'E']);
    match letter {
        None if is_whole => digits.parse().map(Literal::Int32).map_err(|_| "Int32"),
        Some('l') => digits.parse().map(Literal::Int64).map_err(|_| "Int64"),
        Some('m') => decimal(digits).map(Literal::Decimal).ok_or("Decimal"),
        None | Some('d' | 'f') => double().map(|number| Literal::Double(number, digits.to_owned())).ok_or("Double"),
        Some(_) => Err("Int32"),
    }
}

/// A decimal number, exactly.
pub(super) fn decimal(digits: &str) -> Option<Decimal> {
    if digits.contains(['e', 'E']) {
        return Decimal::from_scientific(digits).ok();
    }
    Decimal::from_str_exact(digits).ok()
}

/// A GUID with hyphens and without braces.
pub(super) fn guid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { text.parse().ok() } else { None }
}

/// A time in ms: a date, or a date and a time in UTC. Every part has all its digits.
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let is_formed = |form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(found, form)| match form {
                b'0' => found.is_ascii_digit(),
                form => found == form,
            })
    };
    if is_formed("0000-00-00") {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis());
    }
    if is_formed("0000-00-00T00:00") {
        return Some(NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()?.and_utc().timestamp_millis());
    }
    let (_, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = is_formed("0000-00-00T00:00:00");
    let has_fraction = text.len() == 20 + fraction.len() && (1..=7).contains(&fraction.len());
    if !(is_whole || has_fraction && fraction.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    // Chrono takes 60 seconds for a leap second, the service does not have any.
    let second = text.get(17..19)?;
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().filter(|_| second < "60")?;
    Some(time.and_utc().timestamp_millis())
}

/// A time as it is written in a literal.
pub(super) fn written(ms: i64) -> Option<String> {
    let time: DateTime<chrono::Utc> = Instant(ms).to_utc()?;
    Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: Word) -> Result<Literal, String> {
        Literal::read(&word, 7).map_err(|refusal| refusal.message)
    }

    #[test]
    fn a_number_has_the_type_of_its_form() {
        let number = |text: &str| read(Word::Number(text.to_owned()));
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        for (text, literal) in [
            ("-5", Literal::Int32(-5)),
            ("5L", Literal::Int64(5)),
            ("1.50M", Literal::Decimal(decimal("1.5"))),
            ("2m", Literal::Decimal(decimal("2"))),
            ("1.5", Literal::Double(1.5, "1.5".to_owned())),
            ("1e3", Literal::Double(1000.0, "1e3".to_owned())),
            ("1d", Literal::Double(1.0, "1".to_owned())),
        ] {
            assert_eq!(number(text), Ok(literal), "{text}");
        }
        for (text, edm) in
            [("2147483648", "Int32"), ("5x", "Int32"), ("9e999", "Double"), ("1e99m", "Decimal"), ("5mm", "Decimal")]
        {
            let refused = number(text).unwrap_err();
            assert!(refused.starts_with(&format!("Unrecognized 'Edm.{edm}' literal '{text}'")), "{text}: {refused}");
        }
    }

    #[test]
    fn a_time_has_all_its_digits() {
        let time = |text: &str| read(Word::Typed("datetime".to_owned(), text.to_owned()));
        for (text, ms) in [
            ("2011-11-14T16:43:08Z", 1_321_288_988_000),
            ("2011-11-14T16:43:08", 1_321_288_988_000),
            ("2011-11-14T16:43:08.1234567Z", 1_321_288_988_123),
            ("2011-11-14T16:43Z", 1_321_288_980_000),
            ("2011-11-14", 1_321_228_800_000),
        ] {
            assert_eq!(time(text), Ok(Literal::Instant(ms)), "{text}");
        }
        for text in [
            "2011-11-14T16:43:8Z",
            "2011-11-14T16:43:60Z",
            "2011-1-14",
            "2011-02-30",
            "2011-11-14T24:00:00Z",
            "2011-11-14T16:43:08+01:00",
            "2011-11-14T16:43:08.",
            "2011-11-14T16:43:08.12345678Z",
            "+011-11-14T16:43:08Z",
            "2011-11-14T16:43:08é",
            "",
        ] {
            let expected = format!("Unrecognized 'Edm.DateTime' literal 'datetime'{text}'' in '7'.");
            assert_eq!(time(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for ms in [0, -1, 1_321_288_988_123, -62_135_596_800_000] {
            assert_eq!(instant(&written(ms).unwrap()), Some(ms));
        }
        assert_eq!(guid("{7a4814f9-b0b8-ea11-a812-000d3a122b89}"), None);
        assert_eq!(guid("7a4814f9b0b8ea11a812000d3a122b89"), None);
    }
}
