//! The grammar that all filters as text have, whether they name attributes or fields: how conditions are joined, and the
//! forms that a single condition has. What names and literals mean is for a [`Language`] to say.

use super::token::{Token, tokens};
use super::{CalendarPart, Comparison, Matching, ParseError};

/// What a grammar's conditions become.
pub(crate) trait Language {
    /// The tree.
    type Tree;
    /// What is wrong with a text.
    type Fault: From<(usize, ParseError)>;

    /// All of these.
    fn all(&self, parts: Vec<Self::Tree>) -> Self::Tree;
    /// Any of these.
    fn any(&self, parts: Vec<Self::Tree>) -> Self::Tree;
    /// The opposite.
    fn not(&self, part: Self::Tree) -> Self::Tree;
    /// One condition.
    fn condition(&self, condition: &Phrase) -> Result<Self::Tree, Self::Fault>;
    /// The language of conditions on the record that an operand points to.
    fn related(&self, operand: &Token) -> Result<Self, Self::Fault>
    where
        Self: Sized;
    /// A condition on the record that an operand points to, in that language.
    fn matches(&self, operand: &Token, related: &Self, condition: Self::Tree) -> Self::Tree;
}

/// One condition as written.
#[derive(Debug)]
pub(crate) struct Phrase {
    /// What is compared.
    pub(crate) operand: Token,
    /// The part of it that is compared, as in `year(CreatedOn)`.
    pub(crate) part: Option<CalendarPart>,
    /// With what, and how.
    pub(crate) test: Test,
}

/// What a condition asks of its operand.
#[derive(Debug)]
pub(crate) enum Test {
    /// `Count ge 1`, `Count >= 1`
    Compare(Comparison, Token),
    /// `Name contains 'x'`, `substringof('x',Name)`
    Text(Matching, Token),
    /// `Count in (1, 2)`
    In(Vec<Token>),
    /// `Count between 1 and 9`
    Between(Token, Token),
    /// `Name is null`
    Null,
}

/// The maximum nesting of `not` and parentheses: far more than anyone writes, and far less than would overflow the
/// stack.
pub(crate) const DEPTH_MAX: usize = 64;

/// Parses a text.
pub(crate) fn parse<L: Language>(text: &str, language: &L) -> Result<L::Tree, L::Fault> {
    let tokens = tokens(text)?;
    let end = text.chars().count();
    let mut parser = Parser { tokens: &tokens, language, end, depth: 0 };
    let tree = parser.any()?;
    match parser.tokens {
        [] => Ok(tree),
        [found, ..] => Err((found.at, ParseError::TrailingText { found: found.text.clone() }).into()),
    }
}

struct Parser<'t, 'l, L> {
    tokens: &'t [Token],
    language: &'l L,
    /// The length of the text, the place of what is missing at its end.
    end: usize,
    depth: usize,
}

impl<L: Language> Parser<'_, '_, L> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn is_next(&self, word: &str) -> bool {
        self.tokens.first().is_some_and(|token| token.text == word)
    }

    fn next_is(&mut self, word: &str) -> bool {
        let found = self.is_next(word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    /// The place of the next word.
    fn at(&self) -> usize {
        self.tokens.first().map_or(self.end, |token| token.at)
    }

    fn fault<T>(&self, error: ParseError) -> Result<T, L::Fault> {
        Err((self.at(), error).into())
    }

    fn any(&mut self) -> Result<L::Tree, L::Fault> {
        let mut parts = vec![self.all()?];
        while self.next_is("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { self.language.any(parts) })
    }

    fn all(&mut self) -> Result<L::Tree, L::Fault> {
        let mut parts = vec![self.one()?];
        while self.next_is("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { self.language.all(parts) })
    }

    fn one(&mut self) -> Result<L::Tree, L::Fault> {
        if self.depth > DEPTH_MAX {
            return self.fault(ParseError::TooDeep);
        }
        if self.next_is("not") {
            // A parenthesis directly after `not` adds no depth, because the printer puts one around every comparison.
            let is_parenthesized = self.next_is("(");
            let part = self.deeper(if is_parenthesized { Self::parenthesized } else { Self::one })?;
            return Ok(self.language.not(part));
        }
        if self.next_is("(") { self.deeper(Self::parenthesized) } else { self.condition() }
    }

    fn deeper(&mut self, part: fn(&mut Self) -> Result<L::Tree, L::Fault>) -> Result<L::Tree, L::Fault> {
        self.depth += 1;
        let part = part(self)?;
        self.depth -= 1;
        Ok(part)
    }

    /// Parses up to the closing parenthesis, after the opening one.
    fn parenthesized(&mut self) -> Result<L::Tree, L::Fault> {
        let part = self.any()?;
        if self.next_is(")") { Ok(part) } else { self.fault(ParseError::OpenBracket) }
    }

    fn condition(&mut self) -> Result<L::Tree, L::Fault> {
        let Some(first) = self.next() else { return self.fault(ParseError::MissingCondition) };
        let is_function = self.is_next("(");
        let matching = match first.text.as_str() {
            "substringof" => Some(Matching::Contains),
            "startswith" => Some(Matching::StartsWith),
            "endswith" => Some(Matching::EndsWith),
            _ => None,
        };
        match (matching, CalendarPart::named(&first.text)) {
            (Some(matching), _) if is_function => self.function(matching),
            (_, Some(part)) if is_function => {
                self.expect("(", "`(`")?;
                let operand = self.word("a name")?;
                self.expect(")", "`)`")?;
                self.tested(operand, Some(part))
            }
            _ => self.tested(first, None),
        }
    }

    /// Parses the arguments of a function that finds a text; `substringof` has the text first.
    fn function(&mut self, matching: Matching) -> Result<L::Tree, L::Fault> {
        self.expect("(", "`(`")?;
        let first = self.word("an argument")?;
        self.expect(",", "`,`")?;
        let second = self.word("an argument")?;
        self.expect(")", "`)`")?;
        let (operand, text) = if matching == Matching::Contains { (second, first) } else { (first, second) };
        self.phrase(operand, None, false, Test::Text(matching, text))
    }

    /// Parses the rest of a condition after its operand.
    fn tested(&mut self, operand: Token, part: Option<CalendarPart>) -> Result<L::Tree, L::Fault> {
        let missing = |this: &Self| this.fault(ParseError::MissingLiteral { operand: operand.text.clone() });
        let at = self.at();
        let Some(word) = self.next() else { return missing(self) };
        let is_negated = word.text == "not" && (self.is_next("in") || self.is_next("between"));
        let word = if is_negated { self.next().unwrap_or(word) } else { word };
        match word.text.as_str() {
            "in" if self.next_is("(") => {
                let mut literals = vec![self.word("a value")?];
                while self.next_is(",") {
                    literals.push(self.word("a value")?);
                }
                self.expect(")", "`,` or `)`")?;
                self.phrase(operand, part, is_negated, Test::In(literals))
            }
            "in" => self.expect("(", "`(`").and_then(|()| missing(self)),
            "between" => {
                let low = self.word("a value")?;
                self.expect("and", "`and`")?;
                let high = self.word("a value")?;
                self.phrase(operand, part, is_negated, Test::Between(low, high))
            }
            "is" => {
                let is_negated = self.next_is("not");
                self.expect("null", "`null` or `not null`")?;
                self.phrase(operand, part, is_negated, Test::Null)
            }
            "matches" if self.next_is("(") => {
                let related = self.language.related(&operand)?;
                let mut within = Parser { tokens: self.tokens, language: &related, end: self.end, depth: self.depth };
                let condition = within.deeper(Parser::parenthesized);
                self.tokens = within.tokens;
                Ok(self.language.matches(&operand, &related, condition?))
            }
            "matches" => self.unexpected("`(`"),
            name => {
                let matching = Matching::named(name);
                let comparison = Comparison::named(name).or_else(|| of_symbol(name));
                if matching.is_none() && comparison.is_none() {
                    return Err((at, ParseError::UnknownComparison { word: word.text }).into());
                }
                let Some(literal) = self.next() else { return missing(self) };
                let test = match (matching, comparison) {
                    (Some(matching), _) => Test::Text(matching, literal),
                    (None, comparison) => Test::Compare(comparison.unwrap_or(Comparison::Equal), literal),
                };
                self.phrase(operand, part, false, test)
            }
        }
    }

    fn phrase(
        &self,
        operand: Token,
        part: Option<CalendarPart>,
        is_negated: bool,
        test: Test,
    ) -> Result<L::Tree, L::Fault> {
        let condition = self.language.condition(&Phrase { operand, part, test })?;
        Ok(if is_negated { self.language.not(condition) } else { condition })
    }

    /// The next word, which must be a name or a literal.
    fn word(&mut self, expected: &'static str) -> Result<Token, L::Fault> {
        let is_word = self.tokens.first().is_some_and(|token| !matches!(token.text.as_str(), "(" | ")" | ","));
        match is_word.then(|| self.next()).flatten() {
            Some(word) => Ok(word),
            None => self.unexpected(expected),
        }
    }

    fn expect(&mut self, word: &str, expected: &'static str) -> Result<(), L::Fault> {
        if self.next_is(word) { Ok(()) } else { self.unexpected(expected) }
    }

    fn unexpected<T>(&self, expected: &'static str) -> Result<T, L::Fault> {
        let found = self.tokens.first();
        let found = found.map_or_else(|| "the end".to_owned(), |token| format!("`{}`", token.text));
        self.fault(ParseError::Expected { expected, found })
    }
}

/// The operator that a symbol stands for.
fn of_symbol(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "=" => Comparison::Equal,
        "!=" | "<>" => Comparison::NotEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        _ => return None,
    })
}
