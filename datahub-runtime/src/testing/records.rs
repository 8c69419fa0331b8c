//! Random records of a model, as CDMS could have them by the contract.

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use chrono::{Days, NaiveDate};
use datahub_model::{Attribute, ModelDescriptor, conversion};
use rust_decimal::Decimal;
use uuid::Uuid;

/// An endless source of records of one model, deterministic for a seed: every attribute of the mapping in CDMS's form,
/// with nulls where allowed, texts up to their maximum length, numbers up to their limits, dates as the instants of their
/// midnights, and options and targets of the contract.
#[derive(Clone, Debug)]
pub struct Records {
    model: &'static ModelDescriptor,
    dice: fastrand::Rng,
}

impl Records {
    /// The records of a model for a seed.
    pub fn of(model: &'static ModelDescriptor, seed: u64) -> Self {
        Records { model, dice: fastrand::Rng::with_seed(seed) }
    }

    /// An id that follows from the seed.
    pub fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.dice.u128(..))
    }

    fn value(&mut self, stated: &'static Attribute) -> Value {
        loop {
            let null = !stated.required && self.dice.u8(..6) == 0;
            let value = if null { Value::Null } else { self.some(stated) };
            if !(stated.required && value.is_null()) {
                return value;
            }
        }
    }

    fn some(&mut self, stated: &'static Attribute) -> Value {
        match stated.kind {
            Kind::String => Value::text(self.text(stated.max_length)),
            Kind::Integer => Value::Integer(self.number() as i32),
            Kind::BigInt => Value::BigInt(self.number()),
            Kind::Double => Value::Double(match stated.scale {
                Some(scale) => self.decimal(scale).to_string().parse().unwrap_or_default(),
                None => self.double(),
            }),
            Kind::Boolean => Value::Boolean(self.dice.bool()),
            Kind::Decimal => Value::Decimal(self.decimal(stated.scale.unwrap_or(conversion::DECIMAL_SCALE))),
            Kind::Money => Value::Money(self.decimal(stated.scale.unwrap_or(4))),
            // CDMS keeps whole seconds (docs/protocol.md, 2.2).
            Kind::DateTime => Value::Instant(Instant(self.dice.i64(SECONDS) * 1000)),
            Kind::Date => {
                let begin = NaiveDate::default() - Days::new(36_500);
                let date = begin + Days::new(self.dice.u64(..80_000));
                conversion::midnight_of(stated, date).map_or(Value::Null, Value::Instant)
            }
            Kind::Guid => Value::Guid(self.id()),
            Kind::Choice | Kind::State | Kind::Status => Value::Choice(match self.dice.choice(stated.choices) {
                Some((_, option)) => *option,
                None => self.dice.i32(0..1_000_000),
            }),
            Kind::Lookup => {
                let logical_name = self.dice.choice(stated.targets).copied().unwrap_or("account").into();
                Value::Lookup(Reference { logical_name, id: self.id() })
            }
        }
    }

    /// A text that is usually short and sometimes as long as allowed.
    fn text(&mut self, max_length: Option<u32>) -> String {
        let most = max_length.unwrap_or(4_000) as usize;
        let length = if self.dice.u8(..16) == 0 { most } else { self.dice.usize(..=most.min(24)) };
        let mut text = String::new();
        // CDMS counts UTF-16 units.
        let mut left = length;
        while left > 0 {
            let letter = *self.dice.choice(LETTERS).unwrap_or(&'a');
            let units = letter.len_utf16();
            if units <= left {
                text.push(letter);
            }
            left = left.saturating_sub(units);
        }
        text
    }

    fn number(&mut self) -> i64 {
        match self.dice.u8(..8) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => 0,
            _ => self.dice.i64(..) >> self.dice.u32(..63),
        }
    }

    fn double(&mut self) -> f64 {
        loop {
            let number = f64::from_bits(self.dice.u64(..));
            // CDMS accepts none closer to zero or outside its domain (docs/protocol.md, 2.2), and JSON has no negative zero.
            if number.is_normal() && Value::Double(number).check_domain().is_ok() {
                return number;
            }
        }
    }

    /// Between plus and minus a hundred thousand million, CDMS's limits, with every scale that a contract can state.
    fn decimal(&mut self, scale: u32) -> Decimal {
        let digits = self.dice.i64(..) >> self.dice.u32(..63);
        let most = 100_000_000_000_i64.saturating_mul(10_i64.saturating_pow(scale));
        Decimal::new(digits.clamp(-most, most), scale).normalize()
    }
}

/// Instants from 1900 to 2199.
const SECONDS: std::ops::Range<i64> = -2_208_988_800..7_258_118_400;

/// Characters that are likely to cause errors: of one to four bytes, spaces, quotes, syntax of formats, combining ones.
const LETTERS: &[char] = &[
    'a', 'b', 'Z', '0', '7', ' ', ' ', '-', '+', '\'', '"', '\\', '/', '&', '<', '%', '{', '\n', '\t', 'é', 'ß', 'Ø',
    'İ', '中', '\u{301}', '𝄞', '👩',
];

impl Iterator for Records {
    type Item = Attributes;

    fn next(&mut self) -> Option<Attributes> {
        let model = self.model;
        Some(model.attributes.iter().map(|stated| (stated.name, self.value(stated))).collect())
    }
}
