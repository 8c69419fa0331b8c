//! Telephone numbers: one value here, three attributes in CDMS.

use datahub_runtime::{Attributes, Fault, FieldType, Kind, Value};

/// A telephone number as people write it: country code, area code and number, separated by spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// A number; leading, trailing and repeated spaces are dropped.
    pub fn new(number: &str) -> Self {
        Phone(number.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldType for Phone {
    const KINDS: &'static [Kind] = String::KINDS;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        String::from_value(value).map(|number| Phone::new(&number))
    }

    fn to_value(&self) -> Value {
        Value::text(self.0.as_str())
    }
}

const COUNTRY: &str = "optevia_CountryCode";
const AREA: &str = "optevia_AreaCode";
const NUMBER: &str = "optevia_TelephoneNumber";

/// The three parts as one number.
pub(super) fn decode(attributes: &Attributes) -> Result<Option<Phone>, Fault> {
    let parts = [COUNTRY, AREA, NUMBER].map(|name| match attributes.get(name) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    });
    let joined = Phone::new(&parts.join(" "));
    Ok((!joined.0.is_empty()).then_some(joined))
}

/// The number as three parts. If it still begins with CDMS's parts, they are kept. Otherwise a first group with a plus
/// is the country code. The next group is the area code if another one follows it; without a country code, if two
/// others follow it.
pub(super) fn encode(phone: &Option<Phone>, seen: &Attributes) -> Result<Attributes, Fault> {
    let mut rest = phone.as_ref().map_or("", Phone::as_str);
    let known = |name: &str| match seen.get(name) {
        Some(Value::Text(text)) => Some(Phone::new(text).0),
        _ => None,
    };
    let country = match known(COUNTRY).filter(|country| begins(rest, country)) {
        Some(country) => take(&mut rest, country.len()),
        None if rest.starts_with('+') => take_group(&mut rest),
        None => "",
    };
    let area = match known(AREA).filter(|area| begins(rest, area)) {
        Some(area) => take(&mut rest, area.len()),
        None if rest.matches(' ').count() > usize::from(country.is_empty()) => take_group(&mut rest),
        None => "",
    };
    Ok(Attributes::from([(COUNTRY, Value::text(country)), (AREA, Value::text(area)), (NUMBER, Value::text(rest))]))
}

/// Whether a number begins with these complete groups, and continues after them.
fn begins(number: &str, groups: &str) -> bool {
    number.strip_prefix(groups).is_some_and(|rest| rest.starts_with(' '))
}

/// Takes the first group of a number.
fn take_group<'n>(rest: &mut &'n str) -> &'n str {
    let length = rest.find(' ').unwrap_or(rest.len());
    take(rest, length)
}

/// Takes the first bytes of a number, up to a space or to its end.
fn take<'n>(rest: &mut &'n str, length: usize) -> &'n str {
    let (taken, left) = rest.split_at(length);
    *rest = left.trim_start();
    taken
}
