//! Conversion of one value between CDMS's form, the row's form, and the database's integer.

use std::borrow::Cow;

use cdms_odata::{Attributes, DOUBLE_SCALE, Instant, Kind, MONEY_SCALE, Reference, Value};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::midnight::Rule;
use crate::{Attribute, Column, Fault, ModelDescriptor};

/// The maximum number of decimal places of a decimal. CDMS's decimals range from -100,000,000,000 to 100,000,000,000
/// and a column is a 64-bit integer: with an eighth decimal place the largest would not fit.
pub const DECIMAL_SCALE: u32 = 7;

/// Converts a value to the form that a column has in a row; see [`fit`]. A time from CDMS is truncated to whole
/// seconds, towards the past: CDMS stores nothing finer (docs/protocol.md, 2.2), and what it would not store is not a
/// change. The hub's own times are not truncated.
///
/// # Errors
///
/// The value's form does not fit the column's kind.
#[inline]
pub fn fit_column(column: &Column, value: Value) -> Result<Value, Fault> {
    let value = fit(column.kind, value)?;
    let is_whole = !matches!(value, Value::Instant(_)) || column.attributes().is_empty();
    Ok(if is_whole { value } else { in_seconds(value) })
}

fn in_seconds(value: Value) -> Value {
    match value {
        Value::Instant(Instant(ms)) => Value::Instant(Instant(ms.div_euclid(1000).saturating_mul(1000))),
        value => value,
    }
}

/// Converts a value to the form that a kind has in a row: for example, an integer for a choice becomes a choice.
///
/// # Errors
///
/// The value's form does not fit the kind.
#[inline]
pub fn fit(kind: Kind, value: Value) -> Result<Value, Fault> {
    if is_of(kind, &value) { Ok(value) } else { into_form(kind, value) }
}

/// Whether a value already has the kind's form, which is the usual case.
fn is_of(kind: Kind, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(_) => kind == Kind::String,
        Value::Integer(_) => kind == Kind::Integer,
        Value::BigInt(_) => kind == Kind::BigInt,
        Value::Decimal(_) => kind == Kind::Decimal,
        Value::Double(_) => kind == Kind::Double,
        Value::Money(_) => kind == Kind::Money,
        Value::Boolean(_) => kind == Kind::Boolean,
        Value::Instant(_) => kind == Kind::DateTime,
        Value::Date(_) => kind == Kind::Date,
        Value::Guid(_) => kind == Kind::Guid,
        Value::Choice(_) => matches!(kind, Kind::Choice | Kind::State | Kind::Status),
        Value::Lookup(_) => kind == Kind::Lookup,
    }
}

fn into_form(kind: Kind, value: Value) -> Result<Value, Fault> {
    match (kind, value) {
        (Kind::Choice | Kind::State | Kind::Status, Value::Integer(option)) => Ok(Value::Choice(option)),
        (Kind::Money, Value::Decimal(amount)) => Ok(Value::Money(amount)),
        (Kind::Decimal, Value::Money(amount)) => Ok(Value::Decimal(amount)),
        (kind, value) => Err(Fault::new(format!("expected {kind}, found {}", value.form())).value(&value)),
    }
}

/// Converts a value from the raw form to the model's. Null is rejected if the contract requires a value, and so are
/// values that CDMS cannot hold.
pub(super) fn to_model(contract: &Attribute, raw: &Value) -> Result<Value, Fault> {
    let value = match (contract.kind, raw) {
        (_, Value::Null) if contract.required => {
            return Err(Fault::new("is null in CDMS, but the contract requires a value").of(contract));
        }
        (Kind::Date, Value::Instant(instant)) => Value::Date(date_of(contract, *instant)?),
        // If the contract has the target, its static name is used, which avoids an allocation.
        (Kind::Lookup, Value::Lookup(Reference { logical_name, id })) => {
            let known = contract.targets.iter().find(|target| *target == logical_name);
            let logical_name = known.map_or_else(|| logical_name.clone(), |target| Cow::Borrowed(*target));
            Value::Lookup(Reference { logical_name, id: *id })
        }
        (kind, raw) => in_seconds(fit(kind, raw.clone()).map_err(|fault| fault.of(contract))?),
    };
    check_domain(contract, &value)?;
    // CDMS may return money and doubles with more decimal places than the contract allows for writing, and a row can
    // hold them.
    let room = if contract.kind == Kind::Decimal { contract.scale } else { None };
    check_scale(&value, room).map_err(|digits| digits.fault(contract, &value, Way::Read))?;
    Ok(value)
}

/// Converts a value from the model's form to the raw one, and rejects what CDMS would reject.
pub(super) fn to_raw(contract: &Attribute, value: Value) -> Result<Value, Fault> {
    let value = match (contract.kind, value) {
        (_, Value::Null) if contract.required => {
            return Err(Fault::new("is required by the contract and cannot be cleared").of(contract));
        }
        (Kind::DateTime, value) => in_seconds(fit(Kind::DateTime, value).map_err(|fault| fault.of(contract))?),
        (kind, value) => fit(kind, value).map_err(|fault| fault.of(contract))?,
    };
    check_domain(contract, &value)?;
    match &value {
        Value::Text(text) => {
            // A text never has more UTF-16 units than bytes, so most need no counting.
            let over = |limit: &u32| text.len() > *limit as usize && text.encode_utf16().count() > *limit as usize;
            if let Some(limit) = contract.max_length.filter(over) {
                let length = text.encode_utf16().count();
                let reason = format!(
                    "has {length} characters, {} more than the {limit} that CDMS accepts; shorten it",
                    length - limit as usize
                );
                return Err(Fault::new(reason).of(contract));
            }
        }
        // The midnight of a valid date may be outside CDMS's range.
        Value::Date(date) => check_domain(contract, &Value::Instant(midnight_of(contract, *date)?))?,
        Value::Choice(option)
            if !contract.choices.is_empty() && !contract.choices.iter().any(|(_, known)| known == option) =>
        {
            let known: Vec<_> = contract.choices.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let reason = format!("unknown option; expected one of {}", known.join(", "));
            return Err(Fault::new(reason).of(contract).value(&value));
        }
        Value::Lookup(reference) if !contract.targets.contains(&reference.logical_name.as_ref()) => {
            let reason =
                format!("expected a reference to {}, found {}", contract.targets.join(" or "), reference.logical_name);
            return Err(Fault::new(reason).of(contract));
        }
        _ => {}
    }
    check_scale(&value, contract.scale).map_err(|digits| digits.fault(contract, &value, Way::Written))?;
    Ok(value)
}

fn check_domain(contract: &Attribute, value: &Value) -> Result<(), Fault> {
    value.check_domain().map_err(|why| Fault::new(why.to_string()).of(contract).value(value))
}

/// The largest scale that a contract can state for a kind; `None` for a kind without a scale.
pub const fn scale_max(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Decimal => Some(DECIMAL_SCALE),
        Kind::Money => Some(MONEY_SCALE),
        Kind::Double => Some(DOUBLE_SCALE),
        _ => None,
    }
}

/// Rejects decimal places that would be silently cut or rounded. Doubles are checked only if the contract states a
/// scale: the precision that CDMS keeps is set for each attribute and is not published.
fn check_scale(value: &Value, stated: Option<u32>) -> Result<(), TooManyDigits> {
    let (digits, most) = match value {
        Value::Decimal(number) => (number.normalize().scale(), DECIMAL_SCALE),
        Value::Money(number) => (number.normalize().scale(), MONEY_SCALE),
        Value::Double(number) if stated.is_some() => (digits_of(*number), DOUBLE_SCALE),
        _ => return Ok(()),
    };
    let scale = stated.unwrap_or(most);
    if digits <= scale { Ok(()) } else { Err(TooManyDigits { scale, may_be_raised: scale < most }) }
}

/// A number has more decimal places than allowed.
struct TooManyDigits {
    scale: u32,
    may_be_raised: bool,
}

/// Whether a value was read from CDMS or is to be written to it.
enum Way {
    Read,
    Written,
}

impl TooManyDigits {
    fn fault(self, contract: &Attribute, value: &Value, way: Way) -> Fault {
        let cure = match (way, self.may_be_raised) {
            (Way::Read, true) => "raise `scale` in the contract",
            (Way::Read, false) => {
                "round it in CDMS, or read it as text with `with = \"module\", sql_type = \"string\"`"
            }
            (Way::Written, true) => "round it, or raise `scale` in the contract if CDMS keeps more",
            (Way::Written, false) => "round it",
        };
        let reason = format!("has more than {} decimal places; {cure}", self.scale);
        Fault::new(reason).of(contract).value(value)
    }
}

/// The number of decimal places of a double, in its shortest form.
fn digits_of(number: f64) -> u32 {
    let text = number.to_string();
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    u32::try_from(digits).unwrap_or(u32::MAX)
}

fn rule_of(contract: &Attribute) -> Result<Rule, Fault> {
    let name = contract.zone.unwrap_or("UTC");
    let unknown = || Fault::new(format!("unknown time zone {name:?}")).of(contract);
    Rule::of(name).ok_or_else(unknown)
}

/// The calendar date that an instant from CDMS means: the date with the nearest midnight, because CDMS stores dates as
/// instants of local midnight (docs/protocol.md, 2.2).
fn date_of(contract: &Attribute, instant: Instant) -> Result<NaiveDate, Fault> {
    check_domain(contract, &Value::Instant(instant))?;
    rule_of(contract)?.nearest(instant).ok_or_else(|| Fault::new("is out of the calendar's range").of(contract))
}

/// The instant at which a date begins for CDMS: local midnight by the current rule of the contract's zone, in any year.
/// If the clock skips midnight, it is later by the length of the gap.
///
/// # Errors
///
/// The zone is unknown, or the date is out of the calendar's range.
pub fn midnight_of(contract: &Attribute, date: NaiveDate) -> Result<Instant, Fault> {
    rule_of(contract)?.midnight(date).ok_or_else(|| Fault::new("is out of the calendar's range").of(contract))
}

/// Converts a record's dates, which are instants in CDMS and in older stores, to calendar dates. An instant that CDMS
/// cannot hold as a date stays as it is, and is rejected when it is converted.
pub fn with_calendar_dates(model: &ModelDescriptor, attributes: &mut Attributes) {
    for contract in model.read_attributes().filter(|contract| contract.kind == Kind::Date) {
        if let Some(value) = attributes.get(contract.name)
            && let Some(date) = calendar_date(contract, value)
        {
            attributes.insert(contract.name, date);
        }
    }
}

/// Converts a record's calendar dates to the form that CDMS has: the instants of their midnights.
///
/// # Errors
///
/// As [`midnight_of`].
pub fn with_midnights(model: &ModelDescriptor, attributes: &mut Attributes) -> Result<(), Fault> {
    for contract in model.read_attributes().filter(|contract| contract.kind == Kind::Date) {
        if let Some(Value::Date(date)) = attributes.get(contract.name) {
            let midnight = midnight_of(contract, *date)?;
            attributes.insert(contract.name, Value::Instant(midnight));
        }
    }
    Ok(())
}

/// The calendar date of an instant; `None` if the value is not an instant, the attribute is not a date, or CDMS cannot
/// hold the date.
pub fn calendar_date(contract: &Attribute, value: &Value) -> Option<Value> {
    match value {
        Value::Instant(instant) if contract.kind == Kind::Date => date_of(contract, *instant).ok().map(Value::Date),
        _ => None,
    }
}

/// Converts a value to the form in a request: a calendar date becomes the instant of its midnight, and any other value
/// stays as it is.
///
/// # Errors
///
/// As [`midnight_of`].
pub fn for_the_wire<'v>(contract: &Attribute, value: &'v Value) -> Result<Cow<'v, Value>, Fault> {
    match value {
        Value::Date(date) if contract.kind == Kind::Date => {
            Ok(Cow::Owned(Value::Instant(midnight_of(contract, *date)?)))
        }
        value => Ok(Cow::Borrowed(value)),
    }
}

/// A decimal as an integer with the given number of decimal places; `None` if that is not exact or does not fit.
pub fn scaled(number: Decimal, scale: u32) -> Option<i64> {
    let number = number.normalize();
    let missing = scale.checked_sub(number.scale())?;
    let factor = 10i128.checked_pow(missing)?;
    number.mantissa().checked_mul(factor).and_then(|scaled| i64::try_from(scaled).ok())
}
