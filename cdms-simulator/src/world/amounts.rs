//! Numbers and money: their precision, their currency, and amounts in the organisation's own currency. All of this is
//! off by default, because the behaviour of a CRM 2011 server is uncertain.

use cdms_odata::metadata::{EdmType, EntityType};
use cdms_odata::{Attributes, Value};
use rust_decimal::{Decimal, RoundingStrategy};

use super::Switches;
use crate::refusal::Refusal;

/// The attribute that contains the currency of a record's amounts.
const CURRENCY: &str = "TransactionCurrencyId";

/// The suffix of an amount in the organisation's own currency.
const BASE: &str = "_Base";

/// The number of decimal places that amounts are stored with.
const MONEY_SCALE: u32 = 4;

/// Rounds values to the precision of their attributes, if it is known, half away from zero.
pub(super) fn round(switches: &Switches, entity: &EntityType, values: &mut Attributes) {
    let precise = values.iter().filter_map(|(name, value)| {
        let digits = switches.rule(&entity.name, name)?.precision?;
        let decimal = |number: &Decimal| number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
        let rounded = match value {
            Value::Decimal(number) => Value::Decimal(decimal(number)),
            Value::Money(amount) => Value::Money(decimal(amount)),
            Value::Double(number) => {
                let shift = 10_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX));
                // If the shift overflows, the number stays as it is.
                let shifted = (number * shift).round() / shift;
                Value::Double(if shifted.is_finite() { shifted } else { *number })
            }
            _ => return None,
        };
        Some((name.to_owned(), rounded))
    });
    for (name, value) in precise.collect::<Vec<_>>() {
        values.insert(name, value);
    }
}

/// Refuses money without a currency, if the switch says so.
pub(super) fn check_currency(
    switches: &Switches,
    entity: &EntityType,
    values: &Attributes,
    record: &Attributes,
) -> Result<(), Refusal> {
    let has_none = entity.property(CURRENCY).is_some() && !matches!(record.get(CURRENCY), Some(Value::Lookup(_)));
    let amount = || values.iter().find(|(_, value)| matches!(value, Value::Money(_)));
    match amount().filter(|_| switches.money_needs_currency && has_none) {
        Some((name, _)) => Err(Refusal::invalid(&entity.name, name, "has no currency; the currency cannot be null")),
        None => Ok(()),
    }
}

/// Whether the server itself computes this attribute.
pub(super) fn is_reckoned(switches: &Switches, name: &str) -> bool {
    switches.base_amounts && name.ends_with(BASE)
}

/// Computes the amounts in the organisation's own currency, if the switch says so.
pub(super) fn reckon(switches: &Switches, entity: &EntityType, record: &mut Attributes) {
    if !switches.base_amounts {
        return;
    }
    let rate = match record.get("ExchangeRate") {
        Some(Value::Decimal(rate)) => *rate,
        _ => Decimal::ONE,
    };
    for property in entity.properties.iter().filter(|property| property.edm == EdmType::Money) {
        let Some(name) = property.name.strip_suffix(BASE) else { continue };
        let amount = match record.get(name) {
            Some(Value::Money(amount)) => amount.checked_div(rate),
            _ => None,
        };
        let base = amount.map_or(Value::Null, |amount| Value::Money(amount.round_dp(MONEY_SCALE)));
        record.insert(property.name.clone(), base);
    }
}
