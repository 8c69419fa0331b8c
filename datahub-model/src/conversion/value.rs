//! One value: between the form that CDMS has, the form that a row has, and the database's integer.

use std::borrow::Cow;

use cdms_odata::{Attributes, DOUBLE_SCALE, Instant, Kind, MONEY_SCALE, Reference, Value};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::midnight::Rule;
use crate::{Attribute, Column, Fault, ModelDescriptor};

/// The most digits after the point that a decimal is kept with. CDMS's decimals reach 100,000,000,000 either way, and a
/// column is an integer of 64 bits: with an eighth digit the largest would not fit.
pub const DECIMAL_SCALE: u32 = 7;

/// A value in the form that a column has in a row; see [`fit`]. A time of CDMS is cut to whole seconds, towards the past:
/// CDMS keeps no others (docs/protocol.md, 2.2), and what it would not keep is no change. The hub's own times are kept
/// whole.
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

/// A value in the form that a kind has in a row: an integer given for a choice becomes one, and so on.
///
/// # Errors
///
/// The value's form does not fit the kind.
#[inline]
pub fn fit(kind: Kind, value: Value) -> Result<Value, Fault> {
    if is_of(kind, &value) { Ok(value) } else { into_form(kind, value) }
}

/// Whether a value has the kind's form already, as nearly all have.
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
        (kind, value) => Err(Fault::new(format!("holds {}, not {kind}", value.form())).value(&value)),
    }
}

/// From the raw form to the model's: options checked, null refused where required, and what CDMS cannot hold refused too.
pub(super) fn to_model(contract: &Attribute, raw: &Value) -> Result<Value, Fault> {
    let value = match (contract.kind, raw) {
        (_, Value::Null) if contract.required => {
            return Err(Fault::new("is null in CDMS, but the contract says it is required").of(contract));
        }
        (Kind::Date, Value::Instant(instant)) => Value::Date(date_of(contract, *instant)?),
        // Of a model that the contract knows, the name is the contract's own text.
        (Kind::Lookup, Value::Lookup(Reference { logical_name, id })) => {
            let known = contract.targets.iter().find(|target| *target == logical_name);
            let logical_name = known.map_or_else(|| logical_name.clone(), |target| Cow::Borrowed(*target));
            Value::Lookup(Reference { logical_name, id: *id })
        }
        (kind, raw) => in_seconds(fit(kind, raw.clone()).map_err(|fault| fault.of(contract))?),
    };
    check_domain(contract, &value)?;
    // Of money and doubles CDMS may have more digits than the contract lets be written, and a row has room for them.
    let room = if contract.kind == Kind::Decimal { contract.scale } else { None };
    check_scale(&value, room).map_err(|digits| digits.fault(contract, &value, Way::Read))?;
    Ok(value)
}

/// From the model's form to the raw one, refusing what CDMS would refuse.
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
            // No text has more UTF-16 units than bytes, so most need not be counted.
            let over = |limit: &u32| text.len() > *limit as usize && text.encode_utf16().count() > *limit as usize;
            if let Some(limit) = contract.max_length.filter(over) {
                let length = text.encode_utf16().count();
                let reason = format!(
                    "has {length} characters, {} more than the {limit} that CDMS takes; shorten it",
                    length - limit as usize
                );
                return Err(Fault::new(reason).of(contract));
            }
        }
        // Its midnight may be just outside what CDMS holds.
        Value::Date(date) => check_domain(contract, &Value::Instant(midnight_of(contract, *date)?))?,
        Value::Choice(option)
            if !contract.choices.is_empty() && !contract.choices.iter().any(|(_, known)| known == option) =>
        {
            let known: Vec<_> = contract.choices.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let reason = format!("has no option with this value; the contract knows {}", known.join(", "));
            return Err(Fault::new(reason).of(contract).value(&value));
        }
        Value::Lookup(reference) if !contract.targets.contains(&reference.logical_name.as_ref()) => {
            let reason = format!("may point to {}, not to {}", contract.targets.join(" or "), reference.logical_name);
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

/// The most digits after the point that can be stated for a kind; `None` for a kind without a scale.
pub const fn scale_max(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Decimal => Some(DECIMAL_SCALE),
        Kind::Money => Some(MONEY_SCALE),
        Kind::Double => Some(DOUBLE_SCALE),
        _ => None,
    }
}

/// Refuses digits after the point that would be cut or rounded without a word. Of a double that is known only where its
/// contract says so: what CDMS keeps of one is set for each attribute, and nothing of it is published.
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

/// A number has more digits after the point than it may have.
struct TooManyDigits {
    scale: u32,
    may_be_raised: bool,
}

/// Whether a value comes from CDMS or goes there.
enum Way {
    Read,
    Written,
}

impl TooManyDigits {
    fn fault(self, contract: &Attribute, value: &Value, way: Way) -> Fault {
        let cure = match (way, self.may_be_raised) {
            (Way::Read, true) => "raise `scale` in the contract",
            (Way::Read, false) => {
                "round it in CDMS, or take it as a text by `with = \"module\", sql_type = \"string\"`"
            }
            (Way::Written, true) => "round it, or raise `scale` in the contract if CDMS keeps more",
            (Way::Written, false) => "round it",
        };
        let reason = format!("has more than {} digits after the point; {cure}", self.scale);
        Fault::new(reason).of(contract).value(value)
    }
}

/// How many digits a double has after the point, in its shortest form.
fn digits_of(number: f64) -> u32 {
    let text = number.to_string();
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    u32::try_from(digits).unwrap_or(u32::MAX)
}

fn rule_of(contract: &Attribute) -> Result<Rule, Fault> {
    let name = contract.zone.unwrap_or("UTC");
    let unknown = || Fault::new(format!("has the zone {name:?}, which no time zone is called")).of(contract);
    Rule::of(name).ok_or_else(unknown)
}

/// The calendar date that CDMS means by an instant: the one whose midnight is nearest, because dates are instants of local
/// midnight (docs/protocol.md, 2.2).
fn date_of(contract: &Attribute, instant: Instant) -> Result<NaiveDate, Fault> {
    check_domain(contract, &Value::Instant(instant))?;
    rule_of(contract)?.nearest(instant).ok_or_else(|| Fault::new("is outside the calendar").of(contract))
}

/// The instant at which a date begins for CDMS: local midnight by the rule that the contract's zone has today, whichever
/// year it is; where the clock skips midnight, as much later.
///
/// # Errors
///
/// A zone that does not exist, or a date outside the calendar.
pub fn midnight_of(contract: &Attribute, date: NaiveDate) -> Result<Instant, Fault> {
    rule_of(contract)?.midnight(date).ok_or_else(|| Fault::new("is outside the calendar").of(contract))
}

/// Gives a record's dates, which CDMS and older stores have as instants, their one form: the calendar date. What is no date
/// of CDMS stays as it is, and is refused when it is converted.
pub fn with_calendar_dates(model: &ModelDescriptor, attributes: &mut Attributes) {
    for contract in model.attributes.iter().filter(|contract| contract.kind == Kind::Date) {
        if let Some(value) = attributes.get(contract.name)
            && let Some(date) = calendar_date(contract, value)
        {
            attributes.insert(contract.name, date);
        }
    }
}

/// Gives a record's calendar dates the form that CDMS has: the instants of their midnights.
///
/// # Errors
///
/// As [`midnight_of`].
pub fn with_midnights(model: &ModelDescriptor, attributes: &mut Attributes) -> Result<(), Fault> {
    for contract in model.attributes.iter().filter(|contract| contract.kind == Kind::Date) {
        if let Some(Value::Date(date)) = attributes.get(contract.name) {
            let midnight = midnight_of(contract, *date)?;
            attributes.insert(contract.name, Value::Instant(midnight));
        }
    }
    Ok(())
}

/// The calendar date of a value that is an instant; `None` where it is no such value, or no date of CDMS.
pub fn calendar_date(contract: &Attribute, value: &Value) -> Option<Value> {
    match value {
        Value::Instant(instant) if contract.kind == Kind::Date => date_of(contract, *instant).ok().map(Value::Date),
        _ => None,
    }
}

/// A value as requests have it: a calendar date is the instant of its midnight, and everything else is as it is.
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

/// A decimal as an integer of the given number of digits after the point, exact or not at all.
pub fn scaled(number: Decimal, scale: u32) -> Option<i64> {
    let number = number.normalize();
    let missing = scale.checked_sub(number.scale())?;
    let factor = 10i128.checked_pow(missing)?;
    number.mantissa().checked_mul(factor).and_then(|scaled| i64::try_from(scaled).ok())
}
