//! Numbers, times, sums and averages on PostgreSQL.

use std::io::Write as _;

use diesel::data_types::PgNumeric;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output};
use diesel::sql_types::Numeric;
use rust_decimal::Decimal;

use super::read::of_units;
use super::{Database, Mean, Number, Total};

/// The time from 1970 to 2000, PostgreSQL's epoch.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// The base of `numeric`'s digits.
const BASE: u16 = 10_000;

/// The number of decimal digits in one digit of `numeric`.
const BASE_DIGITS: u32 = 4;

impl Database for Pg {
    fn integer(number: i32, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        out.write_all(&number.to_be_bytes())?;
        Ok(IsNull::No)
    }

    fn bigint(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        out.write_all(&number.to_be_bytes())?;
        Ok(IsNull::No)
    }

    fn instant(microseconds: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        let since_2000 = microseconds.checked_sub(EPOCH_MICROSECONDS);
        Self::bigint(since_2000.ok_or("the time is before the database's range")?, out)
    }

    fn total(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        let mut digits = Vec::with_capacity(5);
        let mut rest = number.unsigned_abs();
        while rest > 0 {
            digits.push((rest % u64::from(BASE)) as u16);
            rest /= u64::from(BASE);
        }
        let (count, sign) = (digits.len() as u16, if number < 0 { 0x4000 } else { 0 });
        // The number of digits, the position of the first digit, the sign, and the number of decimal places to display.
        for word in [count, count.saturating_sub(1), sign, 0].into_iter().chain(digits.into_iter().rev()) {
            out.write_all(&word.to_be_bytes())?;
        }
        Ok(IsNull::No)
    }

    fn mean(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result {
        Self::total(number, out)
    }
}

impl<const SCALE: u32> FromSql<Total<SCALE>, Pg> for Decimal {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        of_units(Digits::of(value)?.nearest()?, SCALE)
    }
}

impl<const SCALE: u32> FromSql<Mean<SCALE>, Pg> for Decimal {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        of_units(Digits::of(value)?.nearest()?, SCALE)
    }
}

impl FromSql<Numeric, Pg> for Number {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let digits = Digits::of(value)?;
        let mut number = of_units(digits.whole()?, 0)?;
        // As many decimal places as a decimal can hold.
        let (mut unit, mut place) = (Decimal::ONE, -1);
        while place > -7 && digits.has(place) {
            unit *= Decimal::new(1, BASE_DIGITS);
            number += Decimal::from(digits.at(place)) * unit;
            place -= 1;
        }
        Ok(Number(if digits.is_negative { -number } else { number }.normalize()))
    }
}

/// The digits of a `numeric`, in base 10,000.
struct Digits {
    is_negative: bool,
    /// The position of the first digit; that of the ones is 0.
    first: i16,
    digits: Vec<i16>,
}

impl Digits {
    fn of(value: PgValue<'_>) -> deserialize::Result<Self> {
        match FromSql::<Numeric, Pg>::from_sql(value)? {
            PgNumeric::Positive { weight, digits, .. } => Ok(Digits { is_negative: false, first: weight, digits }),
            PgNumeric::Negative { weight, digits, .. } => Ok(Digits { is_negative: true, first: weight, digits }),
            PgNumeric::NaN => Err("the database returned NaN".into()),
        }
    }

    /// The digit at a position. Trailing zeros are omitted, and so are those between the decimal point and the first
    /// digit.
    fn at(&self, place: i16) -> i16 {
        usize::try_from(self.first - place).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(0)
    }

    /// Whether there are digits at a position or after it.
    fn has(&self, place: i16) -> bool {
        usize::try_from(self.first - place).map_or(true, |at| at < self.digits.len())
    }

    /// The integer part, without the sign.
    fn whole(&self) -> deserialize::Result<i128> {
        let mut whole: i128 = 0;
        for place in (0..=self.first).rev() {
            let next = whole.checked_mul(BASE.into()).and_then(|whole| whole.checked_add(self.at(place).into()));
            whole = next.ok_or("the number is too large to read")?;
        }
        Ok(whole)
    }

    /// The nearest integer, with halves rounded away from zero.
    fn nearest(&self) -> deserialize::Result<i128> {
        let whole = self.whole()? + i128::from(self.at(-1) >= BASE as i16 / 2);
        Ok(if self.is_negative { -whole } else { whole })
    }
}
