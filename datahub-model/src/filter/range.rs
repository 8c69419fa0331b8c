//! Dates and years as ranges of instants, for dialects that compare instants only.

use std::borrow::Cow;

use cdms_odata::Instant;
use chrono::{NaiveDate, NaiveTime};

use super::{CalendarPart, Comparison, Filter, Operand, PrintError, Syntax};
use crate::conversion::midnight::Rule;
use crate::{Literal, MaybeStatic};

/// The filter with dates and years replaced by the instants that are read as them.
pub(super) fn in_ranges<'f, 'a>(
    filter: &'f Filter,
    syntax: &impl Syntax,
    known: &dyn Fn(&str) -> Option<Operand<'a>>,
) -> Result<Cow<'f, Filter>, PrintError> {
    let all = |parts: &[Filter]| {
        let parts: Result<Vec<Filter>, _> =
            parts.iter().map(|part| in_ranges(part, syntax, known).map(Cow::into_owned)).collect();
        parts.map(MaybeStatic::from)
    };
    let zone = |attribute: &str| known(attribute).and_then(|operand| operand.zone).unwrap_or("UTC");
    Ok(match filter {
        Filter::All(parts) => Cow::Owned(Filter::All(all(parts)?)),
        Filter::Any(parts) => Cow::Owned(Filter::Any(all(parts)?)),
        Filter::Not(part) => Cow::Owned(Filter::Not(in_ranges(part, syntax, known)?.into_owned().into())),
        Filter::Compare { attribute, operator, value: Literal::Date(days) } => {
            let day = NaiveDate::from_num_days_from_ce_opt(*days);
            let range = day.and_then(|day| Some((day, day.succ_opt()?)));
            let range = range.map(|(first, next)| of_dates(zone(attribute), first, next));
            let unsupported = || PrintError::UnsupportedLiteral {
                attribute: attribute.to_string(),
                kind: cdms_odata::Kind::Date,
                found: "a date outside the calendar",
            };
            Cow::Owned(range.flatten().ok_or_else(unsupported)?.compared(attribute, *operator))
        }
        Filter::Part { attribute, part: CalendarPart::Year, operator, value }
            if syntax.part(attribute, CalendarPart::Year).is_none() =>
        {
            Cow::Owned(of_year(known(attribute), *value).compared(attribute, *operator))
        }
        Filter::Related { lookup, navigation, filter } => {
            let within = |attribute: &str| known(&format!("{}/{attribute}", &**navigation));
            let filter = in_ranges(filter, syntax, &within)?.into_owned().into();
            Cow::Owned(Filter::Related { lookup: lookup.clone(), navigation: navigation.clone(), filter })
        }
        Filter::Compare { .. } | Filter::Text { .. } | Filter::Part { .. } => Cow::Borrowed(filter),
    })
}

/// Instants in whole seconds, from the first one and before the other one.
struct Range {
    first: Instant,
    end: Instant,
}

/// The first and the last instant that CDMS can hold, in whole seconds.
const FIRST: Instant = Instant(-6_847_804_800_000);
const LAST: Instant = Instant(253_402_300_799_000);

impl Range {
    /// The comparison of an attribute with the whole range, in which null equals only null.
    fn compared(&self, attribute: &MaybeStatic<str>, operator: Comparison) -> Filter {
        let compare = |operator, Instant(ms)| Filter::Compare {
            attribute: attribute.clone(),
            operator,
            value: Literal::Instant(ms),
        };
        let before = |instant: Instant| match instant > LAST {
            true => compare(Comparison::LessOrEqual, LAST),
            false => compare(Comparison::Less, instant.max(FIRST)),
        };
        let from = |instant: Instant| match instant > LAST {
            true => compare(Comparison::Greater, LAST),
            false => compare(Comparison::GreaterOrEqual, instant.max(FIRST)),
        };
        let null =
            || Filter::Compare { attribute: attribute.clone(), operator: Comparison::Equal, value: Literal::Null };
        match operator {
            Comparison::Equal => Filter::All(vec![from(self.first), before(self.end)].into()),
            Comparison::NotEqual => Filter::Any(vec![before(self.first), from(self.end), null()].into()),
            Comparison::Less => before(self.first),
            Comparison::LessOrEqual => before(self.end),
            Comparison::Greater => from(self.end),
            Comparison::GreaterOrEqual => from(self.first),
        }
    }
}

/// The instants that are read as dates from the first one and before the other one; `None` for an unknown zone, or
/// outside the calendar.
fn of_dates(zone: &str, first: NaiveDate, next: NaiveDate) -> Option<Range> {
    let rule = Rule::of(zone)?;
    Some(Range { first: rule.first_of(first)?, end: rule.first_of(next)? })
}

/// A year: of the dates of a zone, or of times in UTC. A year that CDMS cannot hold begins before or after everything.
fn of_year(operand: Option<Operand<'_>>, year: i32) -> Range {
    let first_day = |year| NaiveDate::from_ymd_opt(year, 1, 1);
    let begins = |year: i32| {
        let beyond = if year < 1753 { FIRST } else { LAST.plus_ms(1000) };
        if !(1753..=9999).contains(&year) {
            return beyond;
        }
        let rule = operand.and_then(|operand| operand.zone).and_then(Rule::of);
        let begins = first_day(year).and_then(|day| match rule {
            Some(rule) => rule.first_of(day),
            None => Some(Instant(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis())),
        });
        begins.unwrap_or(beyond)
    };
    Range { first: begins(year), end: begins(year.saturating_add(1)) }
}
