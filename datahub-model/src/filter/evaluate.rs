//! Evaluation over a record's attributes: whether a filter holds, and whether it may hold if some attributes are
//! unknown.

use std::cmp::Ordering;

use cdms_odata::{Attributes, Value};
use chrono::{Datelike, Timelike};

use super::{CalendarPart, Comparison, Filter, Matching};

impl Filter {
    /// Whether attributes satisfy the filter. An unknown attribute counts as null.
    ///
    /// Text is compared as CDMS does by default, ignoring case and trailing spaces (docs/protocol.md, 3.1). Unlike
    /// CDMS, this comparison distinguishes accents, so conditions on text should use codes rather than words. Null
    /// equals null and has no ordering. What is known of a related record stands under `navigation/Attribute`.
    pub fn holds(&self, attributes: &Attributes) -> bool {
        self.outcome(&|attribute| attributes.get(attribute).or(Some(&Value::Null))) == Some(true)
    }

    /// Whether a record with these attributes and any others can satisfy the filter: a missing attribute may have any
    /// value.
    pub fn may_hold(&self, attributes: &Attributes) -> bool {
        self.outcome(&|attribute| attributes.get(attribute)) != Some(false)
    }

    /// Whether the filter holds; `None` if that depends on unknown attributes.
    fn outcome<'v>(&self, known: &dyn Fn(&str) -> Option<&'v Value>) -> Option<bool> {
        let joined = |parts: &[Filter], decides: bool| {
            let mut all = Some(!decides);
            for part in parts {
                match part.outcome(known) {
                    Some(outcome) if outcome == decides => return Some(decides),
                    Some(_) => {}
                    None => all = None,
                }
            }
            all
        };
        match self {
            Filter::All(parts) => joined(parts, false),
            Filter::Any(parts) => joined(parts, true),
            Filter::Not(part) => part.outcome(known).map(|holds| !holds),
            Filter::Compare { attribute, operator, value } => {
                known(attribute).map(|known| operator.holds(known, &value.value()))
            }
            Filter::Text { attribute, matching, text } => known(attribute).map(|known| matching.holds(known, text)),
            Filter::Part { attribute, part, operator, value } => {
                known(attribute).map(|known| operator.holds(&part.of(known), &Value::Integer(*value)))
            }
            Filter::Related { lookup, navigation, filter } => match known(lookup) {
                Some(Value::Null) => Some(false),
                reference => {
                    let outcome = filter.outcome(&|attribute| known(&format!("{}/{attribute}", &**navigation)));
                    if reference.is_some() || outcome == Some(false) { outcome } else { None }
                }
            },
        }
    }
}

impl Comparison {
    /// Whether the comparison holds between two values.
    pub(crate) fn holds(self, left: &Value, right: &Value) -> bool {
        let ordering = compare(left, right);
        match self {
            Comparison::Equal => ordering == Some(Ordering::Equal),
            Comparison::NotEqual => ordering != Some(Ordering::Equal),
            Comparison::Greater => ordering == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
            Comparison::Less => ordering == Some(Ordering::Less),
            Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

impl Matching {
    /// Whether a value is a text that contains another one in this place.
    pub(crate) fn holds(self, value: &Value, text: &str) -> bool {
        let Value::Text(value) = value else { return false };
        let (value, text) = (value.to_lowercase(), text.to_lowercase());
        match self {
            Matching::Contains => value.contains(&text),
            Matching::StartsWith => value.starts_with(&text),
            Matching::EndsWith => value.ends_with(&text),
        }
    }
}

impl CalendarPart {
    /// This part of a value; null if the value does not have it.
    pub(crate) fn of(self, value: &Value) -> Value {
        let found = match value {
            Value::Instant(instant) => instant.to_utc().and_then(|time| match self {
                CalendarPart::Hour => i32::try_from(time.hour()).ok(),
                CalendarPart::Minute => i32::try_from(time.minute()).ok(),
                _ => self.of_day(&time),
            }),
            Value::Date(date) => self.of_day(date),
            _ => None,
        };
        found.map_or(Value::Null, Value::Integer)
    }

    fn of_day(self, day: &impl Datelike) -> Option<i32> {
        match self {
            CalendarPart::Year => Some(day.year()),
            CalendarPart::Month => i32::try_from(day.month()).ok(),
            CalendarPart::Day => i32::try_from(day.day()).ok(),
            CalendarPart::Hour | CalendarPart::Minute => None,
        }
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Text(left), Value::Text(right)) => Some(folded(left).cmp(&folded(right))),
        (Value::Integer(left), Value::Integer(right)) | (Value::Choice(left), Value::Choice(right)) => {
            Some(left.cmp(right))
        }
        (Value::BigInt(left), Value::BigInt(right)) => Some(left.cmp(right)),
        (Value::Decimal(left), Value::Decimal(right)) | (Value::Money(left), Value::Money(right)) => {
            Some(left.cmp(right))
        }
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Instant(left), Value::Instant(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Guid(left), Value::Guid(right)) => Some(left.cmp(right)),
        (Value::Lookup(left), Value::Lookup(right)) => (left == right).then_some(Ordering::Equal),
        _ => None,
    }
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Literal;
    use crate::MaybeStatic::Static;

    const ACTIVE_OR_NAMED: Filter = Filter::Any(Static(&[
        Filter::compare("StateCode", Comparison::Equal, Literal::Choice(0)),
        Filter::Not(Static(&Filter::compare("Name", Comparison::Equal, Literal::Null))),
    ]));

    #[test]
    fn an_unknown_attribute_is_null() {
        assert!(!ACTIVE_OR_NAMED.holds(&Attributes::new()));
        assert!(ACTIVE_OR_NAMED.holds(&Attributes::from([("StateCode", Value::Choice(0))])));
        assert!(ACTIVE_OR_NAMED.holds(&Attributes::from([("Name", Value::text("A"))])));
    }

    #[test]
    fn what_is_not_known_may_be_anything() {
        let state = |state| Attributes::from([("StateCode", Value::Choice(state))]);
        assert!(ACTIVE_OR_NAMED.may_hold(&Attributes::new()));
        assert!(ACTIVE_OR_NAMED.may_hold(&state(1)), "it may have a name");
        let mut unnamed = state(1);
        unnamed.insert("Name", Value::Null);
        assert!(!ACTIVE_OR_NAMED.may_hold(&unnamed));
        unnamed.insert("StateCode", Value::Choice(0));
        assert!(ACTIVE_OR_NAMED.may_hold(&unnamed));
        const NEITHER: Filter = Filter::Not(Static(&ACTIVE_OR_NAMED));
        assert!(NEITHER.may_hold(&Attributes::new()));
        assert!(!NEITHER.may_hold(&state(0)));
    }

    #[test]
    fn text_compares_without_case_and_trailing_blanks() {
        let acme = Filter::compare("Name", Comparison::Equal, Literal::text("ACME"));
        assert!(acme.holds(&Attributes::from([("Name", Value::text("Acme  "))])));
        assert!(!acme.holds(&Attributes::from([("Name", Value::text(" Acme"))])));
    }

    #[test]
    fn a_text_contains_another_one_whatever_the_case() {
        let name = |name: &str| Attributes::from([("Name", Value::text(name))]);
        for (matching, text, found, other) in [
            (Matching::Contains, "CM", "Acme", "Ac me"),
            (Matching::StartsWith, "ac", "Acme", "An Acme"),
            (Matching::EndsWith, "ME", "Acme", "Acme "),
            (Matching::Contains, "", "Acme", ""),
            (Matching::Contains, "%", "100%", "100"),
        ] {
            let filter = Filter::Text { attribute: "Name".into(), matching, text: text.to_owned().into() };
            assert!(filter.holds(&name(found)) && !filter.holds(&name(other)), "{matching:?} {text}");
            assert!(filter.may_hold(&Attributes::new()), "the name is not known");
        }
    }

    #[test]
    fn parts_of_times_and_dates_are_compared() {
        let time = Value::Instant(cdms_odata::Instant(1_456_790_340_000)); // 2016-02-29T23:59:00Z
        let date = Value::Date(chrono::NaiveDate::from_ymd_opt(2016, 2, 29).unwrap());
        let parts = CalendarPart::ALL.map(|part| (part.of(&time), part.of(&date)));
        let number = Value::Integer;
        assert_eq!(
            parts,
            [
                (number(2016), number(2016)),
                (number(2), number(2)),
                (number(29), number(29)),
                (number(23), Value::Null),
                (number(59), Value::Null)
            ]
        );
    }

    #[test]
    fn a_related_record_is_known_by_its_navigation() {
        let food = Filter::compare("Name", Comparison::Equal, Literal::text("Food"));
        let filter = Filter::Related { lookup: "Sector".into(), navigation: "sector".into(), filter: food.into() };
        let sector = Value::Guid(uuid::Uuid::from_u128(1));
        let attributes =
            |name: &str| Attributes::from([("Sector", sector.clone()), ("sector/Name", Value::text(name))]);
        assert!(filter.holds(&attributes("food")));
        assert!(!filter.holds(&attributes("Farms")));
        let without = Attributes::from([("Sector", Value::Null), ("sector/Name", Value::text("Food"))]);
        assert!(!filter.holds(&without) && !filter.may_hold(&without), "it points to nothing");
        assert!(filter.may_hold(&Attributes::from([("Sector", sector)])));
        assert!(!filter.may_hold(&Attributes::from([("sector/Name", Value::text("Farms"))])));
    }

    #[test]
    fn null_has_no_order() {
        for operator in [Comparison::Greater, Comparison::Less] {
            let filter = Filter::compare("N", operator, Literal::Integer(3));
            assert!(!filter.holds(&Attributes::new()));
        }
    }
}
