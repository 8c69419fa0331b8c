//! Why a text is not a filter, and how to correct it.

use cdms_odata::{Kind, OutOfDomain};

use super::Comparison;
use super::grammar::DEPTH_MAX;

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
    /// Something else was expected within a condition.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What was expected.
        expected: &'static str,
        /// The word in its place, in backticks, or the end of the text.
        found: String,
    },
    /// A part of a time is compared, which no request to CDMS can ask for.
    #[error("a condition on the {part} of `{attribute}` is not supported")]
    UnsupportedPart {
        /// The attribute.
        attribute: String,
        /// The name of the part.
        part: &'static str,
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
            ParseError::Expected { .. } => {
                "write it like `Count in (1, 2)`, `Count between 1 and 9`, `Name is not null`, `startswith(Name,'a')` or \
                 `Name contains 'a'`"
            }
            ParseError::UnsupportedPart { .. } => {
                "compare the whole time, such as `CreatedOn ge datetime'2026-01-01T00:00:00Z'`"
            }
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
