//! The printer: writes a filter as text for a request, in a dialect's syntax.

use cdms_odata::Kind;

use super::{Filter, Operand};
use crate::Literal;

/// The parts in which the filter languages of dialects differ. `and`, `or`, `not`, parentheses and the operators are
/// the same in all.
pub trait Syntax {
    /// The left side of a comparison; `None` if attributes of the kind cannot be compared.
    fn operand(&self, attribute: &str, kind: Kind) -> Option<String>;

    /// The literal on the right side of a comparison; `None` if the kind has no such literal.
    fn literal(&self, kind: Kind, literal: &Literal) -> Option<String>;
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
    /// The filter joins zero conditions, which cannot be written.
    #[error("`and` and `or` must join at least one condition")]
    Empty,
}

impl Filter {
    /// Prints the filter for a request, not yet encoded for an address.
    ///
    /// Parentheses are printed only if the meaning would change without them, and after `not`, which binds tighter than
    /// a comparison.
    ///
    /// # Errors
    ///
    /// The syntax cannot express part of the filter, or `known` does not know an attribute.
    pub fn print<'a>(
        &self,
        syntax: &impl Syntax,
        known: impl Fn(&str) -> Option<Operand<'a>>,
    ) -> Result<String, PrintError> {
        let mut printer = Printer { syntax, known: &known, text: String::new() };
        printer.filter(self)?;
        Ok(printer.text)
    }
}

struct Printer<'p, 'a, S> {
    syntax: &'p S,
    known: &'p dyn Fn(&str) -> Option<Operand<'a>>,
    text: String,
}

impl<S: Syntax> Printer<'_, '_, S> {
    fn filter(&mut self, filter: &Filter) -> Result<(), PrintError> {
        match filter {
            Filter::All(parts) => self.joined(parts, " and ", |part| matches!(part, Filter::All(_) | Filter::Any(_))),
            Filter::Any(parts) => self.joined(parts, " or ", |part| matches!(part, Filter::Any(_))),
            Filter::Not(part) => {
                self.text.push_str("not ");
                self.part(part, !matches!(**part, Filter::Not(_)))
            }
            Filter::Compare { attribute, operator, value } => {
                let Operand { kind, .. } = (self.known)(attribute)
                    .ok_or_else(|| PrintError::UnknownAttribute { attribute: attribute.to_string() })?;
                let operand = self
                    .syntax
                    .operand(attribute, kind)
                    .ok_or_else(|| PrintError::UnsupportedKind { attribute: attribute.to_string(), kind })?;
                let literal = self.syntax.literal(kind, value).ok_or_else(|| PrintError::UnsupportedLiteral {
                    attribute: attribute.to_string(),
                    kind,
                    found: value.value().form(),
                })?;
                self.text.extend([&operand, " ", operator.name(), " ", &literal]);
                Ok(())
            }
        }
    }

    fn joined(
        &mut self,
        parts: &[Filter],
        word: &str,
        in_parentheses: impl Fn(&Filter) -> bool,
    ) -> Result<(), PrintError> {
        let (first, others) = parts.split_first().ok_or(PrintError::Empty)?;
        self.part(first, in_parentheses(first))?;
        for part in others {
            self.text.push_str(word);
            self.part(part, in_parentheses(part))?;
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
            _ => return None,
        };
        Some(Operand { kind, target: None })
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
