//! The parser of filters on attributes: reads CRM 2011's language. The caller supplies the attributes.

use super::grammar::{self, Language, Phrase, Test};
use super::token::Token;
use super::{Comparison, Filter, Operand, ParseError, odata_v2};
use crate::Literal;

impl Filter {
    /// Parses a filter whose attributes are those that `known` knows.
    ///
    /// Everything that CRM 2011 understands is read, and shorter ways to write it: `Count in (1, 2)`,
    /// `Count between 1 and 9`, `Name is not null`, `Name contains "x"`, and `=`, `!=`, `<`, `<=`, `>`, `>=`.
    ///
    /// # Errors
    ///
    /// The first fault in the text.
    pub fn parse<'a>(text: &str, known: impl Fn(&str) -> Option<Operand<'a>>) -> Result<Self, ParseError> {
        grammar::parse(text, &OfAttributes { known: &known })
    }
}

impl From<(usize, ParseError)> for ParseError {
    fn from((_, error): (usize, ParseError)) -> Self {
        error
    }
}

/// The language in which names are attributes.
struct OfAttributes<'k, 'a> {
    known: &'k dyn Fn(&str) -> Option<Operand<'a>>,
}

impl Language for OfAttributes<'_, '_> {
    type Tree = Filter;
    type Fault = ParseError;

    fn all(&self, parts: Vec<Filter>) -> Filter {
        Filter::All(parts.into())
    }

    fn any(&self, parts: Vec<Filter>) -> Filter {
        Filter::Any(parts.into())
    }

    fn not(&self, part: Filter) -> Filter {
        Filter::Not(part.into())
    }

    fn condition(&self, Phrase { operand, part, test }: &Phrase) -> Result<Filter, ParseError> {
        let compared = self.compared(&operand.text)?;
        if let Some(part) = part {
            return Err(ParseError::UnsupportedPart { attribute: compared.attribute, part: part.name() });
        }
        let compare = |operator, literal: &Token| {
            let value = compared.literal(literal)?;
            Ok(Filter::Compare { attribute: compared.attribute.clone().into(), operator, value })
        };
        match test {
            Test::Compare(operator, literal) => compare(*operator, literal),
            Test::Text(matching, literal) => match compared.literal(literal)? {
                Literal::Text(text) => {
                    Ok(Filter::Text { attribute: compared.attribute.into(), matching: *matching, text })
                }
                _ => Err(compared.wrong(literal)),
            },
            Test::In(literals) => {
                let parts: Result<Vec<_>, _> =
                    literals.iter().map(|literal| compare(Comparison::Equal, literal)).collect();
                let mut parts = parts?;
                Ok(if parts.len() == 1 { parts.remove(0) } else { self.any(parts) })
            }
            Test::Between(low, high) => {
                let (low, high) = (compare(Comparison::GreaterOrEqual, low)?, compare(Comparison::LessOrEqual, high)?);
                Ok(self.all(vec![low, high]))
            }
            Test::Null => {
                let attribute = compared.attribute.into();
                Ok(Filter::Compare { attribute, operator: Comparison::Equal, value: Literal::Null })
            }
        }
    }

    /// Which model a lookup leads to is known of fields, not of attributes.
    fn related(&self, operand: &Token) -> Result<Self, ParseError> {
        Err(ParseError::UnknownComparison { word: format!("{} matches", operand.text) })
    }

    fn matches(&self, _: &Token, _: &Self, condition: Filter) -> Filter {
        condition
    }
}

/// An attribute that is compared.
struct Compared<'a> {
    attribute: String,
    /// As it is written, with the member of its value.
    written: String,
    known: Operand<'a>,
}

impl<'a> OfAttributes<'_, 'a> {
    fn compared(&self, written: &str) -> Result<Compared<'a>, ParseError> {
        let (attribute, member) = written.split_once('/').unwrap_or((written, ""));
        let attribute = attribute.to_owned();
        let Some(known) = (self.known)(&attribute) else { return Err(ParseError::UnknownAttribute { attribute }) };
        // A date is compared as the range of instants that are read as it, which this language does not write.
        let expected = odata_v2::member(known.kind).filter(|_| known.kind != cdms_odata::Kind::Date);
        let Some(expected) = expected else {
            return Err(ParseError::UnsupportedKind { attribute, kind: known.kind });
        };
        if member != expected {
            let expected = if expected.is_empty() { attribute } else { format!("{attribute}/{expected}") };
            return Err(ParseError::WrongMember { operand: written.to_owned(), expected });
        }
        Ok(Compared { attribute, written: written.to_owned(), known })
    }
}

impl Compared<'_> {
    fn literal(&self, literal: &Token) -> Result<Literal, ParseError> {
        let value = odata_v2::read(self.known, &literal.text).ok_or_else(|| self.wrong(literal))?;
        let out = |why| ParseError::OutOfDomain { operand: self.written.clone(), why };
        value.value().check_domain().map_err(out)?;
        Ok(value)
    }

    fn wrong(&self, literal: &Token) -> ParseError {
        ParseError::WrongLiteral { literal: literal.text.clone(), kind: self.known.kind }
    }
}

#[cfg(test)]
mod tests {
    use cdms_odata::Kind;

    use super::*;

    fn known(name: &str) -> Option<Operand<'static>> {
        let (kind, target) = match name {
            "Name" => (Kind::String, None),
            "Count" => (Kind::Integer, None),
            "StateCode" => (Kind::State, None),
            "Parent" => (Kind::Lookup, Some("account")),
            "Owner" => (Kind::Lookup, None),
            "Limit" => (Kind::Money, None),
            "Since" => (Kind::DateTime, None),
            _ => return None,
        };
        Some(Operand::of(kind).pointing_to(target))
    }

    fn refused(text: &str) -> (String, String) {
        let error = Filter::parse(text, known).expect_err(text);
        (error.to_string(), error.help())
    }

    #[test]
    fn and_binds_closer_than_or() {
        let compare = |attribute, operator, literal| Filter::compare(attribute, operator, literal);
        let both = vec![
            compare("Count", Comparison::GreaterOrEqual, Literal::Integer(2)),
            Filter::Not(compare("Name", Comparison::Equal, Literal::text("it's (not) so")).into()),
        ];
        let either = vec![compare("StateCode", Comparison::Equal, Literal::Choice(0)), Filter::All(both.into())];
        let text = "StateCode/Value eq 0 or Count ge 2 and not(Name eq 'it''s (not) so')";
        assert_eq!(Filter::parse(text, known), Ok(Filter::Any(either.into())));
    }

    #[test]
    fn a_reference_points_to_the_only_target() {
        let id = "guid'00000000-0000-0000-0000-000000000007'";
        let parent = Filter::compare("Parent", Comparison::Equal, Literal::Lookup("account".into(), 7));
        assert_eq!(Filter::parse(&format!("Parent/Id eq {id}"), known), Ok(parent));
        let (why, help) = refused(&format!("Owner/Id eq {id}"));
        assert_eq!(why, format!("expected a literal of kind lookup, found `{id}`"));
        assert!(help.contains("a lookup must have one target"));
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_would_be_right() {
        for (text, why, help) in [
            (
                "Count eq 1 Count",
                "expected the end of the condition, found `Count`",
                "join conditions with `and` or `or`",
            ),
            ("Name eq 'a", "unterminated string", "end it with a single quote"),
            ("(Count eq 1", "unclosed parenthesis", "add the `)` that closes it"),
            ("", "missing comparison", "write it like `StateCode/Value eq 0`"),
            ("Name", "incomplete comparison of `Name`", "write it like `StateCode/Value eq 0`"),
            ("Name == 'a'", "unknown operator `==`", "expected one of: eq, ne, gt, ge, lt, le"),
            ("Nmae eq 'a'", "unknown attribute `Nmae`", "correct the name; names are case-sensitive"),
            (
                "Limit eq 3",
                "a condition on the money `Limit` is not supported",
                "compare an attribute of another kind, such as a string, an integer, a boolean, a datetime or a choice",
            ),
            ("StateCode eq 0", "`StateCode` cannot be compared", "write `StateCode/Value`"),
            ("Name/Id eq 'a'", "`Name/Id` cannot be compared", "write `Name`"),
            (
                "Count eq '3'",
                "expected a literal of kind integer, found `'3'`",
                "write numbers without quotes, and booleans as `true` or `false`",
            ),
            (
                "Name eq 'a\u{B}'",
                "the value compared with `Name` contains the character U+000B at position 2, which XML and CDMS do not allow; remove it",
                "remove the character",
            ),
        ] {
            let (found_why, found_help) = refused(text);
            assert_eq!((found_why.as_str(), found_help.as_str()), (why, help), "{text:?}");
        }
    }

    #[test]
    fn there_are_shorter_ways_to_write_a_filter() {
        for (short, long) in [
            ("Count>=2 and Name=\"it's\"", "Count ge 2 and Name eq 'it''s'"),
            ("Count in (1, 2,3)", "Count eq 1 or Count eq 2 or Count eq 3"),
            ("Count not in (1)", "not (Count eq 1)"),
            ("Count between 1 and 9 or Name is not null", "Count ge 1 and Count le 9 or not (Name eq null)"),
            ("StateCode/Value is null", "StateCode/Value eq null"),
            ("Name contains 'x'", "substringof('x',Name)"),
            ("Name starts_with 'x' and not Name ends_with 'y'", "startswith(Name,'x') and not endswith(Name,'y')"),
        ] {
            let (short, long) = (Filter::parse(short, known), Filter::parse(long, known));
            assert_eq!(short, long);
            assert!(short.is_ok(), "{short:?}");
        }
    }

    #[test]
    fn what_is_missing_in_a_longer_condition_is_said() {
        for (text, why) in [
            ("Count in 1", "expected `(`, found `1`"),
            ("Count in ()", "expected a value, found `)`"),
            ("Count in (1 2)", "expected `,` or `)`, found `2`"),
            ("Count between 1 or 2", "expected `and`, found `or`"),
            ("Count is 1", "expected `null` or `not null`, found `1`"),
            ("startswith(Name 'x')", "expected `,`, found `'x'`"),
            ("startswith(Name,'x'", "expected `)`, found the end"),
            ("startswith(Count,'x')", "expected a literal of kind integer, found `'x'`"),
            ("year(Since) eq 2024", "a condition on the year of `Since` is not supported"),
            ("Name contains x", "expected a literal of kind string, found `x`"),
        ] {
            assert_eq!(refused(text).0, why, "{text:?}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let deep = |opening: &str, depth: usize, closing: &str| {
            Filter::parse(&format!("{}Count eq 1{}", opening.repeat(depth), closing.repeat(depth)), known)
        };
        for (opening, closing) in [("(", ")"), ("not ", ""), ("not (", ")")] {
            assert!(deep(opening, 64, closing).is_ok(), "{opening}");
            assert_eq!(deep(opening, 65, closing), Err(ParseError::TooDeep), "{opening}");
        }
        assert_eq!(deep("not ", 100_000, ""), Err(ParseError::TooDeep));
    }
}
