//! One value: between the form that CDMS has, the form that a row has, and the database's integer.

use std::borrow::Cow;

use cdms_odata::{Instant, Kind, Reference, Value};
use chrono::{NaiveDate, NaiveTime, Offset, TimeZone};
use rust_decimal::Decimal;

use crate::{Attribute, Column, Fault};

/// The most digits after the point that a decimal is kept with. CDMS's decimals reach 100,000,000,000 either way, and a
/// column is an integer of 64 bits: with an eighth digit the largest would not fit.
pub const DECIMAL_SCALE: u32 = 7;

/// A value in the form that a column has in a row; see [`fit`]. A time of CDMS is cut to whole seconds, towards the past:
/// CDMS keeps no others (fact sheet, 2.2), and what it would not keep is no change. The hub's own times are kept whole.
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

/// From the raw form to the model's: dates by their zone, options checked, null refused where required.
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
    check_scale(contract, &value)?;
    Ok(value)
}

/// From the model's form to the raw one, refusing what CDMS would refuse.
pub(super) fn to_raw(contract: &Attribute, value: Value) -> Result<Value, Fault> {
    let value = match (contract.kind, value) {
        (_, Value::Null) if contract.required => {
            return Err(Fault::new("is required by the contract and cannot be cleared").of(contract));
        }
        (Kind::Date, Value::Date(date)) => Value::Instant(midnight_of(contract, date)?),
        (Kind::DateTime, value) => in_seconds(fit(Kind::DateTime, value).map_err(|fault| fault.of(contract))?),
        (kind, value) => fit(kind, value).map_err(|fault| fault.of(contract))?,
    };
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
        Value::Double(number) if !number.is_finite() => {
            return Err(Fault::new("is no finite number, and CDMS takes no other").of(contract).value(&value));
        }
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
    check_scale(contract, &value)?;
    Ok(value)
}

fn check_scale(contract: &Attribute, value: &Value) -> Result<(), Fault> {
    let (number, scale) = match value {
        Value::Decimal(number) => (number, contract.scale.unwrap_or(DECIMAL_SCALE)),
        Value::Money(number) => (number, 4),
        _ => return Ok(()),
    };
    if number.normalize().scale() > scale {
        let reason =
            format!("has more than {scale} digits after the point; round it, or raise `scale` in the contract");
        return Err(Fault::new(reason).of(contract).value(value));
    }
    Ok(())
}

fn zone_of(contract: &Attribute) -> Result<chrono_tz::Tz, Fault> {
    let name = contract.zone.unwrap_or("UTC");
    name.parse().map_err(|_| Fault::new(format!("has the zone {name:?}, which no time zone is called")).of(contract))
}

/// The calendar date of an instant in the contract's zone (fact sheet, 2.2: dates are instants of local midnight).
fn date_of(contract: &Attribute, instant: Instant) -> Result<NaiveDate, Fault> {
    let time = instant.to_utc().map(|time| time.naive_utc());
    let zone = zone_of(contract)?;
    // At the calendar's ends a zone's own time may be beyond them.
    let local = time.and_then(|time| time.checked_add_offset(zone.offset_from_utc_datetime(&time).fix()));
    local.map(|time| time.date()).ok_or_else(|| Fault::new("is outside the calendar").of(contract))
}

/// The instant at which a date begins in the contract's zone; where midnight is skipped, the first instant after it.
///
/// # Errors
///
/// A zone that does not exist.
pub fn midnight_of(contract: &Attribute, date: NaiveDate) -> Result<Instant, Fault> {
    let zone = zone_of(contract)?;
    // Midnight is nearly always there; where it is not, a zone may have skipped any number of seconds.
    let begin = (0..86_400).find_map(|second| {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(second, 0)?;
        zone.from_local_datetime(&date.and_time(time)).earliest()
    });
    let begin = begin.ok_or_else(|| Fault::new("has no beginning in the contract's zone").of(contract))?;
    Ok(Instant(begin.timestamp_millis()))
}

/// A decimal as an integer of the given number of digits after the point, exact or not at all.
pub fn scaled(number: Decimal, scale: u32) -> Option<i64> {
    let number = number.normalize();
    let missing = scale.checked_sub(number.scale())?;
    let factor = 10i128.checked_pow(missing)?;
    number.mantissa().checked_mul(factor).and_then(|scaled| i64::try_from(scaled).ok())
}
