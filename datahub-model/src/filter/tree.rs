//! The tree: comparisons of attributes with literals, combined and negated.

use cdms_odata::Kind;
use serde::Serialize;

use crate::{Attribute, Literal, MaybeStatic};

/// A condition on a record's attributes, which can be stored in a static or built at run time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Compares one attribute with a literal.
    Compare {
        /// The attribute's name.
        attribute: MaybeStatic<str>,
        /// How to compare.
        operator: Comparison,
        /// What to compare with.
        value: Literal,
    },
    /// All of these hold.
    All(MaybeStatic<[Filter]>),
    /// At least one of these holds.
    Any(MaybeStatic<[Filter]>),
    /// This does not hold.
    Not(MaybeStatic<Filter>),
    /// A text contains another one. Never true of a null.
    Text {
        /// The attribute's name.
        attribute: MaybeStatic<str>,
        /// Where the text must be.
        matching: Matching,
        /// The text to find.
        text: MaybeStatic<str>,
    },
    /// Compares a part of a time, in UTC, or of a date.
    Part {
        /// The attribute's name.
        attribute: MaybeStatic<str>,
        /// Which part.
        part: CalendarPart,
        /// How to compare.
        operator: Comparison,
        /// What to compare with.
        value: i32,
    },
    /// There is a record that a lookup points to, and this holds for it. Conditions on its attributes name them alone;
    /// what is known of them is asked for as `navigation/Attribute`.
    Related {
        /// The lookup's name.
        lookup: MaybeStatic<str>,
        /// The navigation property that leads to the record.
        navigation: MaybeStatic<str>,
        /// The condition on that record.
        filter: MaybeStatic<Filter>,
    },
}

/// Where a text must contain another one. Case does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Anywhere.
    Contains,
    /// At its beginning.
    StartsWith,
    /// At its end.
    EndsWith,
}

/// A part of a time or a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarPart {
    /// The year.
    Year,
    /// The month, from 1 to 12.
    Month,
    /// The day of the month, from 1.
    Day,
    /// The hour of a time, from 0 to 23.
    Hour,
    /// The minute of a time, from 0 to 59.
    Minute,
}

/// The comparison operators of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Comparison {
    /// `eq`
    #[serde(rename = "eq")]
    Equal,
    /// `ne`
    #[serde(rename = "ne")]
    NotEqual,
    /// `gt`
    #[serde(rename = "gt")]
    Greater,
    /// `ge`
    #[serde(rename = "ge")]
    GreaterOrEqual,
    /// `lt`
    #[serde(rename = "lt")]
    Less,
    /// `le`
    #[serde(rename = "le")]
    LessOrEqual,
}

/// What the parser and the printer must know about a compared attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operand<'a> {
    /// Its kind.
    pub kind: Kind,
    /// For `lookup`: the logical name of the only entity that it may point to; `None` if there are several.
    pub target: Option<&'a str>,
    /// For `date`: the time zone in which CDMS stores it as midnight.
    pub zone: Option<&'a str>,
}

impl<'a> Operand<'a> {
    /// An operand of which only the kind is known.
    pub const fn of(kind: Kind) -> Self {
        Operand { kind, target: None, zone: None }
    }

    /// Sets the only entity that a lookup may point to.
    pub const fn pointing_to(mut self, target: Option<&'a str>) -> Self {
        self.target = target;
        self
    }

    /// Sets a date's time zone.
    pub const fn zone(mut self, zone: Option<&'a str>) -> Self {
        self.zone = zone;
        self
    }
}

impl Filter {
    /// A comparison of an attribute with a literal, both from a static.
    pub const fn compare(attribute: &'static str, operator: Comparison, value: Literal) -> Self {
        Filter::Compare { attribute: MaybeStatic::Static(attribute), operator, value }
    }

    /// All of these hold, on one level, with what always or never does decided.
    pub(crate) fn all_of(parts: Vec<Filter>) -> Self {
        let mut level = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                part if part.is_never() => return part,
                Filter::All(parts) => level.extend(parts.iter().cloned()),
                part => level.push(part),
            }
        }
        if level.len() == 1 { level.remove(0) } else { Filter::All(level.into()) }
    }

    /// One of these holds, on one level, with what always or never does decided.
    pub(crate) fn any_of(parts: Vec<Filter>) -> Self {
        let mut level = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                part if part.is_always() => return part,
                Filter::Any(parts) => level.extend(parts.iter().cloned()),
                part => level.push(part),
            }
        }
        if level.len() == 1 { level.remove(0) } else { Filter::Any(level.into()) }
    }

    /// Whether it is `Any` of nothing.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Filter::Any(parts) if parts.is_empty())
    }

    /// Whether it is `All` of nothing.
    pub(crate) fn is_always(&self) -> bool {
        matches!(self, Filter::All(parts) if parts.is_empty())
    }

    /// The compared attributes, in the order of the text. An attribute that is compared twice appears twice.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            Filter::Compare { attribute, .. } => vec![attribute],
            Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(Filter::attributes).collect(),
            Filter::Not(part) => part.attributes(),
            Filter::Text { attribute, .. } | Filter::Part { attribute, .. } => vec![attribute],
            Filter::Related { lookup, .. } => vec![lookup],
        }
    }

    /// The navigation properties that the filter follows, each once, in the order of the text.
    pub fn navigations(&self) -> Vec<&str> {
        let mut found: Vec<&str> = match self {
            Filter::Compare { .. } | Filter::Text { .. } | Filter::Part { .. } => Vec::new(),
            Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(Filter::navigations).collect(),
            Filter::Not(part) => part.navigations(),
            Filter::Related { navigation, .. } => vec![navigation],
        };
        let mut position = 0;
        while position < found.len() {
            let is_new = !found[..position].contains(&found[position]);
            if is_new {
                position += 1;
            } else {
                found.remove(position);
            }
        }
        found
    }
}

impl Matching {
    /// Every way of matching.
    pub const ALL: [Matching; 3] = [Matching::Contains, Matching::StartsWith, Matching::EndsWith];

    /// Its operator in a filter.
    pub const fn name(self) -> &'static str {
        match self {
            Matching::Contains => "contains",
            Matching::StartsWith => "starts_with",
            Matching::EndsWith => "ends_with",
        }
    }

    /// The one with this operator.
    pub fn named(name: &str) -> Option<Self> {
        Matching::ALL.into_iter().find(|matching| matching.name() == name)
    }
}

impl CalendarPart {
    /// Every part.
    pub const ALL: [CalendarPart; 5] =
        [CalendarPart::Year, CalendarPart::Month, CalendarPart::Day, CalendarPart::Hour, CalendarPart::Minute];

    /// Its function in a filter.
    pub const fn name(self) -> &'static str {
        match self {
            CalendarPart::Year => "year",
            CalendarPart::Month => "month",
            CalendarPart::Day => "day",
            CalendarPart::Hour => "hour",
            CalendarPart::Minute => "minute",
        }
    }

    /// The one with this function.
    pub fn named(name: &str) -> Option<Self> {
        CalendarPart::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Whether a calendar date has it too, not only a time.
    pub const fn is_of_dates(self) -> bool {
        matches!(self, CalendarPart::Year | CalendarPart::Month | CalendarPart::Day)
    }
}

impl Comparison {
    /// Every operator.
    pub const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ];

    /// The operator's name in a filter.
    pub const fn name(self) -> &'static str {
        match self {
            Comparison::Equal => "eq",
            Comparison::NotEqual => "ne",
            Comparison::Greater => "gt",
            Comparison::GreaterOrEqual => "ge",
            Comparison::Less => "lt",
            Comparison::LessOrEqual => "le",
        }
    }

    /// The operator of this name.
    pub fn named(name: &str) -> Option<Self> {
        Comparison::ALL.into_iter().find(|operator| operator.name() == name)
    }

    /// The operator that holds for two values that can be compared exactly if this one does not.
    #[must_use]
    pub const fn complement(self) -> Self {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
        }
    }

    /// Whether it asks which of two values comes first.
    pub const fn is_of_order(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

impl From<&Attribute> for Operand<'static> {
    fn from(attribute: &Attribute) -> Self {
        let target = match attribute.targets {
            [target] => Some(*target),
            _ => None,
        };
        Operand { kind: attribute.kind, target, zone: attribute.zone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_listed_in_the_order_of_the_text() {
        const FILTER: Filter = Filter::All(MaybeStatic::Static(&[
            Filter::compare("Name", Comparison::NotEqual, Literal::Null),
            Filter::Not(MaybeStatic::Static(&Filter::Any(MaybeStatic::Static(&[
                Filter::compare("Count", Comparison::Equal, Literal::Integer(1)),
                Filter::compare("Name", Comparison::Equal, Literal::text("x")),
            ])))),
        ]));
        assert_eq!(FILTER.attributes(), ["Name", "Count", "Name"]);
    }

    #[test]
    fn a_static_filter_equals_one_built_at_run_time() {
        static FIXED: Filter = Filter::Not(MaybeStatic::Static(&Filter::All(MaybeStatic::Static(&[Filter::compare(
            "Name",
            Comparison::Equal,
            Literal::text("x"),
        )]))));
        let name = Filter::Compare {
            attribute: "Name".to_owned().into(),
            operator: Comparison::Equal,
            value: Literal::Text("x".to_owned().into()),
        };
        let built = Filter::Not(Filter::All(vec![name].into()).into());
        assert_eq!(FIXED, built);
        assert_eq!(format!("{FIXED:?}"), format!("{built:?}"));
    }

    #[test]
    fn an_operator_has_the_name_by_which_it_is_found() {
        for operator in Comparison::ALL {
            assert_eq!(Comparison::named(operator.name()), Some(operator));
        }
        assert_eq!(Comparison::named("=="), None);
    }

    #[test]
    fn the_one_target_of_a_lookup_is_known() {
        let target = |targets| Operand::from(&Attribute::new("Owner", Kind::Lookup).targets(targets)).target;
        assert_eq!(target(&["team"]), Some("team"));
        assert_eq!(target(&["systemuser", "team"]), None);
        assert_eq!(target(&[]), None);
    }
}
