//! The parser: reads a filter from text in CRM 2011's language. The caller supplies the attributes.

use cdms_odata::{Kind, OutOfDomain};

use super::odata_v2;
use super::{Comparison, Filter, Operand};

/// Why a text is not a valid filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text continues after the end of the filter.
    #[error("expected the end of the condition, found `{found}`")]
    TrailingText {
        /// The first word after the end.
        found: String,
    },
    /// A string has no closing quote.
    #[error("unterminated string")]
    OpenText,
    /// An opening parenthesis has no closing one.
    #[error("unclosed parenthesis")]
    OpenBracket,
    /// `not` and parentheses are nested too deeply.
    #[error("`not` and parentheses are nested more than {DEPTH_MAX} levels deep")]
    TooDeep,
    /// The text ends where a comparison is expected.
    #[error("missing comparison")]
    MissingCondition,
    /// A comparison ends before its literal.
    #[error("incomplete comparison of `{operand}`")]
    MissingLiteral {
        /// The operand.
        operand: String,
    },
    /// The operator is unknown.
    #[error("unknown operator `{word}`")]
    UnknownComparison {
        /// The word in the operator's place.
        word: String,
    },
    /// The attribute is unknown.
    #[error("unknown attribute `{attribute}`")]
    UnknownAttribute {
        /// Its name.
        attribute: String,
    },
    /// Attributes of this kind cannot be compared.
    #[error("a condition on the {kind} `{attribute}` is not supported")]
    UnsupportedKind {
        /// The attribute.
        attribute: String,
        /// Its kind.
        kind: Kind,
    },
    /// The attribute's value is compared directly instead of a member of it, or the other way around.
    #[error("`{operand}` cannot be compared")]
    WrongMember {
        /// The operand.
        operand: String,
        /// The operand that can be compared.
        expected: String,
    },
    /// The literal is not of the attribute's kind.
    #[error("expected a literal of kind {kind}, found `{literal}`")]
    WrongLiteral {
        /// The literal.
        literal: String,
        /// The attribute's kind.
        kind: Kind,
    },
    /// CDMS cannot hold the value, so nothing could be equal to it.
    #[error("the value compared with `{operand}` {why}")]
    OutOfDomain {
        /// The operand.
        operand: String,
        /// Why CDMS cannot hold it.
        why: OutOfDomain,
    },
}

impl ParseError {
    /// How to fix the text.
    pub fn help(&self) -> String {
        let help = match self {
            ParseError::TrailingText { .. } => "join conditions with `and` or `or`",
            ParseError::OpenText => "end it with a single quote",
            ParseError::TooDeep => "nest it less deeply, by joining conditions with `and` and `or` on one level",
            ParseError::MissingCondition | ParseError::MissingLiteral { .. } => "write it like `StateCode/Value eq 0`",
            ParseError::UnknownComparison { .. } => {
                return format!("expected one of: {}", Comparison::ALL.map(Comparison::name).join(", "));
            }
            ParseError::WrongMember { expected, .. } => return format!("write `{expected}`"),
            ParseError::WrongLiteral { kind, .. } => match kind {
                Kind::String => "write strings as 'text'",
                Kind::Guid | Kind::Lookup => {
                    "write ids as guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'; a lookup must have one target"
                }
                Kind::DateTime => "write times as datetime'2011-11-14T16:43:08Z'",
                _ => "write numbers without quotes, and booleans as `true` or `false`",
            },
            ParseError::OpenBracket => "add the `)` that closes it",
            ParseError::UnknownAttribute { .. } => "correct the name; names are case-sensitive",
            ParseError::UnsupportedKind { .. } => {
                "compare an attribute of another kind, such as a string, an integer, a boolean, a datetime or a choice"
            }
            ParseError::OutOfDomain { why, .. } => match why {
                OutOfDomain::Character { .. } => "remove the character",
                OutOfDomain::TooEarly | OutOfDomain::TooLate => "write a time from the year 1753 to the year 9999",
                _ => "write a value that CDMS can hold",
            },
        };
        help.to_owned()
    }
}

impl Filter {
    /// Parses a filter whose attributes are those that `known` knows.
    ///
    /// # Errors
    ///
    /// The first fault in the text.
    pub fn parse<'a>(text: &str, known: impl Fn(&str) -> Option<Operand<'a>>) -> Result<Self, ParseError> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, known: &known, depth: 0 };
        let filter = parser.any()?;
        match parser.tokens {
            [] => Ok(filter),
            [found, ..] => Err(ParseError::TrailingText { found: found.clone() }),
        }
    }
}

/// Splits a text into words, parentheses and strings. Strings keep their surrounding quotes, and doubled quotes inside
/// them become single ones.
fn tokens(text: &str) -> Result<Vec<String>, ParseError> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                token.push(letter);
                loop {
                    match letters.next() {
                        None => return Err(ParseError::OpenText),
                        Some('\'') if letters.peek() == Some(&'\'') => {
                            letters.next();
                            token.push('\'');
                        }
                        Some('\'') => break,
                        Some(letter) => token.push(letter),
                    }
                }
                token.push(letter);
                tokens.push(std::mem::take(&mut token));
            }
            '(' | ')' => {
                tokens.extend((!token.is_empty()).then(|| std::mem::take(&mut token)));
                tokens.push(letter.to_string());
            }
            letter if letter.is_whitespace() => {
                tokens.extend((!token.is_empty()).then(|| std::mem::take(&mut token)));
            }
            letter => token.push(letter),
        }
    }
    tokens.extend((!token.is_empty()).then_some(token));
    Ok(tokens)
}

struct Parser<'t, 'a> {
    tokens: &'t [String],
    known: &'t dyn Fn(&str) -> Option<Operand<'a>>,
    depth: usize,
}

/// The maximum nesting of `not` and parentheses: far more than anyone writes, and far less than would overflow the
/// stack.
const DEPTH_MAX: usize = 64;

impl Parser<'_, '_> {
    fn next(&mut self) -> Option<String> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn next_is(&mut self, word: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| token == word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn any(&mut self) -> Result<Filter, ParseError> {
        let mut parts = vec![self.all()?];
        while self.next_is("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts.into()) })
    }

    fn all(&mut self) -> Result<Filter, ParseError> {
        let mut parts = vec![self.one()?];
        while self.next_is("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts.into()) })
    }

    fn one(&mut self) -> Result<Filter, ParseError> {
        if self.depth > DEPTH_MAX {
            return Err(ParseError::TooDeep);
        }
        if self.next_is("not") {
            // A parenthesis directly after `not` adds no depth, because the printer puts one around every comparison.
            let is_parenthesized = self.next_is("(");
            let part = self.deeper(if is_parenthesized { Self::parenthesized } else { Self::one })?;
            return Ok(Filter::Not(part.into()));
        }
        if self.next_is("(") { self.deeper(Self::parenthesized) } else { self.comparison() }
    }

    fn deeper(&mut self, part: fn(&mut Self) -> Result<Filter, ParseError>) -> Result<Filter, ParseError> {
        self.depth += 1;
        let part = part(self)?;
        self.depth -= 1;
        Ok(part)
    }

    /// Parses up to the closing parenthesis, after the opening one.
    fn parenthesized(&mut self) -> Result<Filter, ParseError> {
        let part = self.any()?;
        if self.next_is(")") { Ok(part) } else { Err(ParseError::OpenBracket) }
    }

    fn comparison(&mut self) -> Result<Filter, ParseError> {
        let operand = self.next().ok_or(ParseError::MissingCondition)?;
        let missing = || ParseError::MissingLiteral { operand: operand.clone() };
        let word = self.next().ok_or_else(missing)?;
        let operator = Comparison::named(&word).ok_or(ParseError::UnknownComparison { word })?;
        let literal = self.next().ok_or_else(missing)?;
        let (attribute, member) = operand.split_once('/').unwrap_or((&operand, ""));
        let attribute = attribute.to_owned();
        let Some(known) = (self.known)(&attribute) else { return Err(ParseError::UnknownAttribute { attribute }) };
        let kind = known.kind;
        let Some(expected) = odata_v2::member(kind) else {
            return Err(ParseError::UnsupportedKind { attribute, kind });
        };
        if member != expected {
            let expected = if expected.is_empty() { attribute } else { format!("{attribute}/{expected}") };
            return Err(ParseError::WrongMember { operand, expected });
        }
        let value = odata_v2::read(known, &literal).ok_or(ParseError::WrongLiteral { literal, kind })?;
        value.value().check_domain().map_err(|why| ParseError::OutOfDomain { operand, why })?;
        Ok(Filter::Compare { attribute: attribute.into(), operator, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Literal;

    fn known(name: &str) -> Option<Operand<'static>> {
        let (kind, target) = match name {
            "Name" => (Kind::String, None),
            "Count" => (Kind::Integer, None),
            "StateCode" => (Kind::State, None),
            "Parent" => (Kind::Lookup, Some("account")),
            "Owner" => (Kind::Lookup, None),
            "Limit" => (Kind::Money, None),
            _ => return None,
        };
        Some(Operand { kind, target })
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
