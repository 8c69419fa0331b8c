//! Values as a condition's text writes them.

use cdms_odata::{Instant, Kind, Reference, Value};
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat};

use crate::filter::token::Token;
use crate::{Attribute, Column};

/// Reads a value of a column; `None` if the text is no such value. Options are known by their names.
pub(super) fn read(column: &Column, attribute: Option<&Attribute>, token: &Token) -> Option<Value> {
    let text = token.text.as_str();
    if text == "null" {
        return Some(Value::Null);
    }
    let id = || token.quoted_after("guid").unwrap_or(text).parse().ok();
    Some(match column.kind {
        Kind::String => Value::text(token.quoted()?),
        Kind::Integer => Value::Integer(text.parse().ok()?),
        Kind::BigInt => Value::BigInt(text.parse().ok()?),
        Kind::Decimal => Value::Decimal(text.parse().ok()?),
        Kind::Money => Value::Money(text.parse().ok()?),
        // Rust also reads words, such as `inf`, which are not numbers.
        Kind::Double => Value::Double(text.parse().ok().filter(|number: &f64| number.is_finite())?),
        Kind::Boolean => Value::Boolean(text.parse().ok()?),
        Kind::DateTime => {
            let text = token.quoted_after("datetime").unwrap_or(text);
            let midnight = || text.parse().ok().map(|day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc());
            let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
            Value::Instant(Instant::from(time.or_else(midnight)?))
        }
        Kind::Date => Value::Date(token.quoted_after("datetime").unwrap_or(text).parse().ok()?),
        Kind::Guid => Value::Guid(id()?),
        Kind::Lookup => match token.quoted() {
            Some(reference) => Value::Lookup(reference.parse().ok()?),
            None => {
                let [target] = attribute?.targets else { return None };
                Value::Lookup(Reference { logical_name: (*target).into(), id: id()? })
            }
        },
        Kind::Choice | Kind::State | Kind::Status => Value::Choice(match text.parse() {
            Ok(number) => number,
            Err(_) => option(attribute?, token.quoted().unwrap_or(text))?,
        }),
    })
}

/// The number of an option by its name, in which case and underscores do not matter.
fn option(attribute: &Attribute, name: &str) -> Option<i32> {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let exactly = attribute.choices.iter().find(|(known, _)| *known == name);
    let nearly = || attribute.choices.iter().find(|(known, _)| plain(known) == plain(name));
    exactly.or_else(nearly).map(|(_, number)| *number)
}

/// What a value of a column looks like.
pub(super) fn form(column: &Column, attribute: Option<&Attribute>) -> String {
    let example = match column.kind {
        Kind::String => "a text in quotes",
        Kind::Integer | Kind::BigInt => "a whole number",
        Kind::Decimal | Kind::Money | Kind::Double => "a number such as 1.5",
        Kind::Boolean => "`true` or `false`",
        Kind::DateTime => "a time such as 2026-01-31T12:00:00Z, or a date",
        Kind::Date => "a date such as 2026-01-31",
        Kind::Guid => "an id such as 6f9619ff-8b86-d011-b42d-00c04fc964ff",
        Kind::Lookup => match attribute.map(|attribute| attribute.targets) {
            Some([_]) => "an id such as 6f9619ff-8b86-d011-b42d-00c04fc964ff",
            _ => "a reference such as 'account 6f9619ff-8b86-d011-b42d-00c04fc964ff'",
        },
        Kind::Choice | Kind::State | Kind::Status => {
            let names = attribute.map_or(&[][..], |attribute| attribute.choices).iter().map(|(name, _)| *name);
            let names: Vec<_> = names.take(FEW + 1).collect();
            return match names.len() {
                1..=FEW => format!("one of: {}", names.join(", ")),
                _ => "an option, by its name or number".to_owned(),
            };
        }
    };
    example.to_owned()
}

/// The largest number of options that are listed.
const FEW: usize = 20;

/// Writes a value so that it is read as the same one.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => quoted(text),
        Value::Integer(number) | Value::Choice(number) => number.to_string(),
        Value::BigInt(number) => number.to_string(),
        Value::Decimal(number) | Value::Money(number) => number.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::Boolean(value) => value.to_string(),
        Value::Instant(instant) => match instant.to_utc() {
            Some(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            None => format!("{instant:?}"),
        },
        Value::Date(date) => date.to_string(),
        Value::Guid(id) => id.to_string(),
        Value::Lookup(reference) => quoted(&reference.to_string()),
    }
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
