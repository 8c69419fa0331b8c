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
pub struct Operand<'a> {
    /// Its kind.
    pub kind: Kind,
    /// For `lookup`: the logical name of the only entity that it may point to; `None` if there are several.
    pub target: Option<&'a str>,
}

impl Filter {
    /// A comparison of an attribute with a literal, both from a static.
    pub const fn compare(attribute: &'static str, operator: Comparison, value: Literal) -> Self {
        Filter::Compare { attribute: MaybeStatic::Static(attribute), operator, value }
    }

    /// The compared attributes, in the order of the text. An attribute that is compared twice appears twice.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            Filter::Compare { attribute, .. } => vec![attribute],
            Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(Filter::attributes).collect(),
            Filter::Not(part) => part.attributes(),
        }
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
}

impl From<&Attribute> for Operand<'static> {
    fn from(attribute: &Attribute) -> Self {
        let target = match attribute.targets {
            [target] => Some(*target),
            _ => None,
        };
        Operand { kind: attribute.kind, target }
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
