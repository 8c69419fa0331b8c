//! The printer: writes a filter as text for a request, in a dialect's syntax.

use cdms_odata::Kind;

use super::range::in_ranges;
use super::{CalendarPart, Filter, Matching, Operand};
use crate::Literal;

/// The parts in which the filter languages of dialects differ. `and`, `or`, `not`, parentheses and the operators are
/// the same in all.
pub trait Syntax {
    /// The left side of a comparison; `None` if attributes of the kind cannot be compared.
    fn operand(&self, attribute: &str, kind: Kind) -> Option<String>;

    /// The literal on the right side of a comparison; `None` if the kind has no such literal.
    fn literal(&self, kind: Kind, literal: &Literal) -> Option<String>;

    /// A function that finds a text in an operand.
    fn matching(&self, operand: &str, matching: Matching, text: &str) -> String;

    /// A function that takes a part of a time; `None` if the dialect has none. The year is then written as a range.
    fn part(&self, operand: &str, part: CalendarPart) -> Option<String> {
        let _ = (operand, part);
        None
    }

    /// Refuses a filter that combines conditions in a way that the dialect does not evaluate.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    fn check(&self, filter: &Filter) -> Result<(), PrintError> {
        let _ = filter;
        Ok(())
    }
}

/// Why a filter cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrintError {
    /// The filter compares an unknown attribute.
    #[error("unknown attribute `{attribute}`")]
    UnknownAttribute {
        /// The attribute.
        attribute: String,
    },
    /// The dialect cannot compare attributes of this kind.
    #[error("a condition on the {kind} `{attribute}` is not supported")]
    UnsupportedKind {
        /// The attribute.
        attribute: String,
        /// Its kind.
        kind: Kind,
    },
    /// An attribute is compared with a literal of another kind, or with one that cannot be written.
    #[error("expected a literal of kind {kind} for `{attribute}`, found {found}")]
    UnsupportedLiteral {
        /// The attribute.
        attribute: String,
        /// Its kind.
        kind: Kind,
        /// The form of the literal.
        found: &'static str,
    },
    /// The dialect has no function for this part of a time or a date.
    #[error("a condition on the {} of `{attribute}` is not supported", part.name())]
    UnsupportedPart {
        /// The attribute.
        attribute: String,
        /// The part.
        part: CalendarPart,
    },
    /// Conditions on the record itself are combined with conditions on a related one.
    #[error("conditions on a related record cannot be combined with conditions on the record itself")]
    MixedEntities,
    /// The filter is about more than one related record.
    #[error("conditions on more than one related record are not supported")]
    SeveralRelations,
    /// A condition on a related record is negated.
    #[error("a condition on a related record cannot be negated")]
    NegatedRelation,
    /// The filter joins zero conditions, which cannot be written.
    #[error("`and` and `or` must join at least one condition")]
    Empty,
}

impl Filter {
    /// Prints the filter for a request, not yet encoded for an address.
    ///
    /// Parentheses are printed only if the meaning would change without them, and after `not`, which binds tighter than
    /// a comparison. A date is printed as the range of the instants that are read as it, and so is a year if the
    /// dialect has no function for it.
    ///
    /// # Errors
    ///
    /// The syntax cannot express part of the filter, or `known` does not know an attribute.
    pub fn print<'a>(
        &self,
        syntax: &impl Syntax,
        known: impl Fn(&str) -> Option<Operand<'a>>,
    ) -> Result<String, PrintError> {
        syntax.check(self)?;
        let mut printer = Printer { syntax, known: &known, navigation: None, text: String::new() };
        let filter = in_ranges(self, syntax, &known)?;
        printer.filter(&filter)?;
        Ok(printer.text)
    }
}

struct Printer<'p, 'a, S> {
    syntax: &'p S,
    known: &'p dyn Fn(&str) -> Option<Operand<'a>>,
    /// The navigation property to the record whose attributes are compared.
    navigation: Option<String>,
    text: String,
}

impl<S: Syntax> Printer<'_, '_, S> {
    fn filter(&mut self, filter: &Filter) -> Result<(), PrintError> {
        match filter {
            Filter::All(parts) => self.joined(parts, " and ", |part| matches!(part, Filter::All(_) | Filter::Any(_))),
            Filter::Any(parts) => self.joined(parts, " or ", |part| matches!(part, Filter::Any(_))),
            Filter::Not(part) => {
                self.text.push_str("not ");
                self.part(part, !matches!(within(part), Filter::Not(_)))
            }
            Filter::Compare { attribute, operator, value } => {
                let (kind, operand) = self.operand(attribute)?;
                let literal = self.literal(attribute, kind, value)?;
                self.text.extend([&operand, " ", operator.name(), " ", &literal]);
                Ok(())
            }
            Filter::Text { attribute, matching, text } => {
                let (kind, operand) = self.operand(attribute)?;
                let literal = self.literal(attribute, kind, &Literal::Text(text.clone()))?;
                self.text.push_str(&self.syntax.matching(&operand, *matching, &literal));
                Ok(())
            }
            Filter::Part { attribute, part, operator, value } => {
                let (_, operand) = self.operand(attribute)?;
                let unsupported = || PrintError::UnsupportedPart { attribute: attribute.to_string(), part: *part };
                let function = self.syntax.part(&operand, *part).ok_or_else(unsupported)?;
                self.text.extend([&function, " ", operator.name(), " ", &value.to_string()]);
                Ok(())
            }
            Filter::Related { navigation, filter, .. } => {
                let around = self.navigation.replace(navigation.to_string());
                self.filter(filter)?;
                self.navigation = around;
                Ok(())
            }
        }
    }

    /// The kind of an attribute, and how it is written.
    fn operand(&self, attribute: &str) -> Result<(Kind, String), PrintError> {
        let path = match &self.navigation {
            None => attribute.to_owned(),
            Some(navigation) => format!("{navigation}/{attribute}"),
        };
        let Some(Operand { kind, .. }) = (self.known)(&path) else {
            return Err(PrintError::UnknownAttribute { attribute: path });
        };
        let unsupported = || PrintError::UnsupportedKind { attribute: attribute.to_owned(), kind };
        Ok((kind, self.syntax.operand(&path, kind).ok_or_else(unsupported)?))
    }

    fn literal(&self, attribute: &str, kind: Kind, literal: &Literal) -> Result<String, PrintError> {
        self.syntax.literal(kind, literal).ok_or_else(|| PrintError::UnsupportedLiteral {
            attribute: attribute.to_owned(),
            kind,
            found: literal.value().form(),
        })
    }

    fn joined(
        &mut self,
        parts: &[Filter],
        word: &str,
        in_parentheses: impl Fn(&Filter) -> bool,
    ) -> Result<(), PrintError> {
        let (first, others) = parts.split_first().ok_or(PrintError::Empty)?;
        self.part(first, in_parentheses(within(first)))?;
        for part in others {
            self.text.push_str(word);
            self.part(part, in_parentheses(within(part)))?;
        }
        Ok(())
    }

    fn part(&mut self, part: &Filter, in_parentheses: bool) -> Result<(), PrintError> {
        if !in_parentheses {
            return self.filter(part);
        }
        self.text.push('(');
        self.filter(part)?;
        self.text.push(')');
        Ok(())
    }
}

/// The condition as it is printed: that on a related record differs from others only in its operands.
fn within(filter: &Filter) -> &Filter {
    match filter {
        Filter::Related { filter, .. } => within(filter),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Comparison;
    use crate::filter::ODataV2;

    fn known(name: &str) -> Option<Operand<'static>> {
        let kind = match name {
            "Name" => Kind::String,
            "Count" => Kind::Integer,
            "StateCode" => Kind::State,
            "Owner" => Kind::Lookup,
            "Limit" => Kind::Money,
            "Since" | "contact/Since" => Kind::DateTime,
            "Born" => return Some(Operand::of(Kind::Date).zone(Some("Europe/London"))),
            "contact/Name" => Kind::String,
            _ => return None,
        };
        Some(Operand::of(kind))
    }

    fn count(number: i32) -> Filter {
        Filter::compare("Count", Comparison::Equal, Literal::Integer(number))
    }

    fn all(parts: Vec<Filter>) -> Filter {
        Filter::All(parts.into())
    }

    fn any(parts: Vec<Filter>) -> Filter {
        Filter::Any(parts.into())
    }

    fn not(part: Filter) -> Filter {
        Filter::Not(part.into())
    }

    #[test]
    fn a_filter_is_read_as_it_is_printed() {
        for (filter, text) in [
            (Filter::compare("StateCode", Comparison::Equal, Literal::Choice(0)), "StateCode/Value eq 0"),
            (Filter::compare("Owner", Comparison::NotEqual, Literal::Null), "Owner/Id ne null"),
            (Filter::compare("Name", Comparison::Less, Literal::text("a 'b' (c")), "Name lt 'a ''b'' (c'"),
            (not(count(1)), "not (Count eq 1)"),
            (not(not(all(vec![count(1), count(2)]))), "not not (Count eq 1 and Count eq 2)"),
            (any(vec![count(1), all(vec![count(2), not(count(3))])]), "Count eq 1 or Count eq 2 and not (Count eq 3)"),
            (all(vec![count(1), any(vec![count(2), count(3)])]), "Count eq 1 and (Count eq 2 or Count eq 3)"),
            (all(vec![all(vec![count(1), count(2)]), count(3)]), "(Count eq 1 and Count eq 2) and Count eq 3"),
            (any(vec![count(1), any(vec![count(2), count(3)])]), "Count eq 1 or (Count eq 2 or Count eq 3)"),
        ] {
            assert_eq!(filter.print(&ODataV2, known).as_deref(), Ok(text));
            assert_eq!(Filter::parse(text, known), Ok(filter));
        }
    }

    fn named(matching: Matching, text: &str) -> Filter {
        Filter::Text { attribute: "Name".into(), matching, text: text.to_owned().into() }
    }

    fn contact(filter: Filter) -> Filter {
        Filter::Related { lookup: "Owner".into(), navigation: "contact".into(), filter: filter.into() }
    }

    #[test]
    fn texts_are_found_by_functions() {
        for (filter, text) in [
            (named(Matching::Contains, "it's % & + _"), "substringof('it''s % & + _',Name)"),
            (not(named(Matching::StartsWith, "a")), "not (startswith(Name,'a'))"),
            (any(vec![named(Matching::EndsWith, ""), count(1)]), "endswith(Name,'') or Count eq 1"),
        ] {
            assert_eq!(filter.print(&ODataV2, known).as_deref(), Ok(text));
            assert_eq!(Filter::parse(text, known), Ok(filter));
        }
    }

    #[test]
    fn dates_and_years_are_printed_as_ranges() {
        let born = |operator, days| Filter::compare("Born", operator, Literal::Date(days));
        let since =
            |operator, value| Filter::Part { attribute: "Since".into(), part: CalendarPart::Year, operator, value };
        // 2016-06-15 and 9999-12-31.
        let (summer, last) = (736_130, 3_652_059);
        for (filter, text) in [
            (
                born(Comparison::Equal, summer),
                "Born ge datetime'2016-06-14T11:00:00Z' and Born lt datetime'2016-06-15T11:00:00Z'",
            ),
            (born(Comparison::Less, summer), "Born lt datetime'2016-06-14T11:00:00Z'"),
            (born(Comparison::Greater, summer), "Born ge datetime'2016-06-15T11:00:00Z'"),
            (born(Comparison::LessOrEqual, last), "Born lt datetime'9999-12-31T12:00:00Z'"),
            (
                not(born(Comparison::NotEqual, summer)),
                "not (Born lt datetime'2016-06-14T11:00:00Z' or Born ge datetime'2016-06-15T11:00:00Z' or Born eq null)",
            ),
            (
                any(vec![since(Comparison::Equal, 2024), since(Comparison::NotEqual, 2020)]),
                "Since ge datetime'2024-01-01T00:00:00Z' and Since lt datetime'2025-01-01T00:00:00Z' or \
                 (Since lt datetime'2020-01-01T00:00:00Z' or Since ge datetime'2021-01-01T00:00:00Z' or Since eq null)",
            ),
            (since(Comparison::GreaterOrEqual, 12_000), "Since gt datetime'9999-12-31T23:59:59Z'"),
            (since(Comparison::Less, -5), "Since lt datetime'1753-01-01T00:00:00Z'"),
        ] {
            assert_eq!(filter.print(&ODataV2, known).as_deref(), Ok(text));
        }
        let month = Filter::Part {
            attribute: "Since".into(),
            part: CalendarPart::Month,
            operator: Comparison::Equal,
            value: 3,
        };
        let error = month.print(&ODataV2, known).unwrap_err();
        assert_eq!(error.to_string(), "a condition on the month of `Since` is not supported");
    }

    #[test]
    fn a_filter_is_about_the_record_or_about_one_related_record() {
        let named = || Filter::compare("Name", Comparison::Equal, Literal::text("Ada"));
        let filter = all(vec![contact(any(vec![named(), named()])), contact(named())]);
        let text = "(contact/Name eq 'Ada' or contact/Name eq 'Ada') and contact/Name eq 'Ada'";
        assert_eq!(filter.print(&ODataV2, known).as_deref(), Ok(text));
        let parent = Filter::Related { lookup: "P".into(), navigation: "parent".into(), filter: named().into() };
        for (filter, why) in [
            (all(vec![contact(named()), count(1)]), PrintError::MixedEntities),
            (not(contact(named())), PrintError::NegatedRelation),
            (all(vec![contact(named()), parent]), PrintError::SeveralRelations),
            (contact(contact(named())), PrintError::SeveralRelations),
        ] {
            assert_eq!(filter.print(&ODataV2, known), Err(why), "{filter}");
        }
    }

    #[test]
    fn filters_of_maximum_depth_are_read_as_they_are_printed() {
        for text in [
            format!("{}Count eq 1", "not ".repeat(64)),
            format!("{}(Count eq 1 or Count eq 2 and Count eq 3)", "not ".repeat(64)),
            format!("{}not Count eq 1{}", "not (Count eq 2 or ".repeat(63), ")".repeat(63)),
        ] {
            let filter = Filter::parse(&text, known).expect("the depth is within the limit");
            let printed = filter.print(&ODataV2, known).expect("a parsed filter can be printed");
            assert_eq!(Filter::parse(&printed, known), Ok(filter));
        }
    }

    #[test]
    fn what_has_no_text_is_not_printed() {
        let printed = |filter: &Filter| filter.print(&ODataV2, known).map_err(|error| error.to_string());
        let refused = [
            (Filter::compare("Nmae", Comparison::Equal, Literal::Null), "unknown attribute `Nmae`"),
            (
                Filter::compare("Limit", Comparison::Equal, Literal::Money(1, 0)),
                "a condition on the money `Limit` is not supported",
            ),
            (
                not(Filter::compare("StateCode", Comparison::Equal, Literal::text("active"))),
                "expected a literal of kind state for `StateCode`, found text",
            ),
            (all(vec![count(1), any(vec![])]), "`and` and `or` must join at least one condition"),
        ];
        for (filter, why) in refused {
            assert_eq!(printed(&filter), Err(why.to_owned()));
        }
    }
}
