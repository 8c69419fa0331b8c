//! Dates and their midnights in CDMS, by a zone's current rule in every year.

use cdms_odata::{Attributes, Instant, Value};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use datahub_model::conversion::{calendar_date, decode, encode, for_the_wire, with_calendar_dates};
use datahub_model::{Attribute, ModelDescriptor};

use crate::model::{self, column, full};
use crate::{ID, facts};

const HOUR: i64 = 3_600_000;

/// A zone's current rule, written independently of the zone's data: the offset in minutes without summer time, and the
/// Sundays on which summer time begins and ends, by month and number, where 5 is the last one. The changes happen after
/// midnight, so the first day of summer time begins without it, and the last day of summer time begins with it.
struct Rule {
    zone: &'static str,
    minutes: i64,
    summer: Option<[(u32, u8); 2]>,
}

const RULES: [Rule; 7] = [
    Rule { zone: "Europe/London", minutes: 0, summer: Some([(3, 5), (10, 5)]) },
    Rule { zone: "Europe/Dublin", minutes: 0, summer: Some([(3, 5), (10, 5)]) },
    Rule { zone: "America/New_York", minutes: -300, summer: Some([(3, 2), (11, 1)]) },
    Rule { zone: "Australia/Sydney", minutes: 600, summer: Some([(10, 1), (4, 1)]) },
    Rule { zone: "Pacific/Auckland", minutes: 720, summer: Some([(9, 5), (4, 1)]) },
    Rule { zone: "Asia/Kolkata", minutes: 330, summer: None },
    Rule { zone: "UTC", minutes: 0, summer: None },
];

impl Rule {
    fn midnight(&self, date: NaiveDate) -> Instant {
        let is_summer = self.summer.is_some_and(|[begin, end]| {
            let (begin, end) = (sunday(date.year(), begin), sunday(date.year(), end));
            if begin < end { begin < date && date <= end } else { begin < date || date <= end }
        });
        let offset = self.minutes + if is_summer { 60 } else { 0 };
        Instant(i64::from(date.to_epoch_days()) * 24 * HOUR - offset * 60_000)
    }
}

fn sunday(year: i32, (month, number): (u32, u8)) -> NaiveDate {
    let nth = |number| NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, number);
    nth(number).or_else(|| nth(number - 1)).unwrap()
}

fn read(stated: &Attribute, instant: Instant) -> Option<Value> {
    calendar_date(stated, &Value::Instant(instant))
}

#[test]
fn every_day_of_two_centuries_goes_both_ways() {
    let first = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
    let last = NaiveDate::from_ymd_opt(2100, 12, 31).unwrap();
    for rule in &RULES {
        let stated = Attribute::new("Born", cdms_odata::Kind::Date).zone(rule.zone);
        for date in first.iter_days().take_while(|date| *date <= last) {
            let (value, midnight) = (Value::Date(date), rule.midnight(date));
            let sent = for_the_wire(&stated, &value).unwrap().into_owned();
            assert_eq!(sent, Value::Instant(midnight), "{} {date}", rule.zone);
            // The correct instant, and those written under a rule that was off by one hour or by eleven.
            for hours in [0, -1, 11] {
                let instant = midnight.plus_ms(hours * HOUR);
                assert_eq!(read(&stated, instant), Some(value.clone()), "{} {date} {hours}", rule.zone);
            }
            // Halfway between two midnights, the later one counts.
            let next = date + Days::new(1);
            let half = (rule.midnight(next).0 - midnight.0) / 2;
            assert_eq!(read(&stated, midnight.plus_ms(half)), Some(Value::Date(next)), "{} {date}", rule.zone);
            assert_eq!(read(&stated, midnight.plus_ms(half - 1)), Some(value), "{} {date}", rule.zone);
        }
    }
}

/// This includes zones whose rule differs from one release of the zone data to the next, such as Morocco's.
#[test]
fn every_zone_reads_what_it_writes() {
    let first = NaiveDate::from_ymd_opt(1753, 1, 3).unwrap();
    for zone in ["Africa/Casablanca", "America/Nuuk", "Antarctica/Troll", "Asia/Gaza", "Pacific/Apia", "Etc/GMT+12"] {
        let stated = Attribute::new("Born", cdms_odata::Kind::Date).zone(zone);
        for date in (0..1_000).map(|number| first + Days::new(number * 89)) {
            let value = Value::Date(date);
            let Value::Instant(midnight) = *for_the_wire(&stated, &value).unwrap() else { panic!("{zone} {date}") };
            assert_eq!(read(&stated, midnight), Some(value), "{zone} {date}");
        }
    }
}

#[test]
fn a_zone_s_history_plays_no_part() {
    let london = Attribute::new("Born", cdms_odata::Kind::Date).zone("Europe/London");
    for (date, midnight) in [
        // Summer time had ended three days earlier; by the current rule it would have lasted until the 31st.
        ("1993-10-27", "1993-10-26T23:00:00Z"),
        // Summer time had begun four days earlier.
        ("1975-03-20", "1975-03-20T00:00:00Z"),
        // The clock was an hour ahead all winter.
        ("1970-01-01", "1970-01-01T00:00:00Z"),
        ("1753-01-01", "1753-01-01T00:00:00Z"),
        ("9999-12-31", "9999-12-31T00:00:00Z"),
        ("9999-07-01", "9999-06-30T23:00:00Z"),
    ] {
        let value = Value::Date(date.parse().unwrap());
        let midnight = Instant::from(midnight.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        assert_eq!(*for_the_wire(&london, &value).unwrap(), Value::Instant(midnight), "{date}");
        assert_eq!(read(&london, midnight), Some(value), "{date}");
    }
}

#[test]
fn where_midnight_is_skipped_or_comes_twice_it_is_the_first_instant_of_the_day() {
    for (zone, date, midnight) in [
        // Midnight is skipped: the day begins at 01:00.
        ("America/Santiago", "2025-09-07", "2025-09-07T04:00:00Z"),
        ("America/Havana", "2025-03-09", "2025-03-09T05:00:00Z"),
        // Midnight occurs twice: the day begins at the first.
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"),
        ("Atlantic/Azores", "2025-10-26", "2025-10-26T00:00:00Z"),
    ] {
        let stated = Attribute::new("Born", cdms_odata::Kind::Date).zone(zone);
        let value = Value::Date(date.parse().unwrap());
        let midnight = Instant::from(midnight.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        assert_eq!(*for_the_wire(&stated, &value).unwrap(), Value::Instant(midnight), "{zone} {date}");
        assert_eq!(read(&stated, midnight), Some(value), "{zone} {date}");
    }
}

#[test]
fn the_one_form_of_a_date_is_the_calendar_date() {
    let model: ModelDescriptor = model::with_zone("Europe/Oslo");
    let born = column(&model, "born");
    let date = Value::Date("2016-06-15".parse().unwrap());
    assert_eq!(
        encode(&model, born, &date, &Attributes::new()).unwrap(),
        Attributes::from([("Born", date.clone())]),
        "the midnight is computed last"
    );
    let mut record = full();
    record.insert("Born", Value::Instant(Instant(1_465_941_600_000)));
    let at = model.columns.iter().position(|column| column.field == "born").unwrap();
    assert_eq!(decode(&model, ID, &facts(), &record).unwrap()[at], date, "older stores have the instant");
    with_calendar_dates(&model, &mut record);
    assert_eq!(record.get("Born"), Some(&date));
    assert_eq!(record.get("Opened"), full().get("Opened"), "a time is not a date");
    assert_eq!(decode(&model, ID, &facts(), &record).unwrap()[at], date);
    // An instant that CDMS cannot hold stays, and is rejected when it is converted.
    let early = Value::Instant(Instant(i64::MIN));
    record.insert("Born", early.clone());
    with_calendar_dates(&model, &mut record);
    assert_eq!(record.get("Born"), Some(&early));
    assert!(decode(&model, ID, &facts(), &record).is_err());
}
