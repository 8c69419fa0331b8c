//! The syntax of `$filter`: a tree of its operators, before names and types are looked at.

use super::token::{Token, Word, tokens};
use crate::refusal::Refusal;

/// How deep a condition may be nested, as WCF Data Services limits it.
const DEPTH_MAX: usize = 100;

/// A condition as it is written. `at` is the index of a part's first character.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// All of these.
    And(Vec<Expression>),
    /// Any of these.
    Or(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>, usize),
    /// A comparison.
    Compare { operator: Operator, at: usize, left: Box<Expression>, right: Box<Expression> },
    /// A function's name and arguments.
    Call { name: String, at: usize, arguments: Vec<Expression> },
    /// Names with slashes between them.
    Path { names: Vec<String>, at: usize },
    /// A literal.
    Literal(Word, usize),
}

/// The operators of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    pub(super) const ALL: [(Operator, &str); 6] = [
        (Operator::Equal, "eq"),
        (Operator::NotEqual, "ne"),
        (Operator::Greater, "gt"),
        (Operator::GreaterOrEqual, "ge"),
        (Operator::Less, "lt"),
        (Operator::LessOrEqual, "le"),
    ];

    pub(super) fn name(self) -> &'static str {
        Operator::ALL.into_iter().find(|(operator, _)| *operator == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Operator::ALL.into_iter().find(|(_, known)| *known == name).map(|(operator, _)| operator)
    }
}

/// Parses a condition.
pub(super) fn parse(text: &str) -> Result<Expression, Refusal> {
    let (tokens, end) = (tokens(text)?, text.chars().count());
    let mut parser = Parser { tokens: &tokens, end, depth: 0 };
    let expression = parser.or()?;
    if parser.tokens.is_empty() { Ok(expression) } else { Err(parser.unexpected()) }
}

/// What is left to parse.
struct Parser<'t> {
    tokens: &'t [Token],
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn at(&self) -> usize {
        self.tokens.first().map_or(self.end, |token| token.at)
    }

    fn unexpected(&self) -> Refusal {
        match self.tokens.first().map(|token| &token.word) {
            Some(Word::Name(name)) if is_arithmetic(name) => Refusal::arithmetic(self.at()),
            Some(Word::Minus) => Refusal::arithmetic(self.at()),
            _ => Refusal::syntax(self.at()),
        }
    }

    /// Takes the next word if it is this one.
    fn takes(&mut self, word: &Word) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.word == *word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    /// Takes the next word if it is this operator.
    fn takes_name(&mut self, name: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token { word: Word::Name(found), .. }) if found == name);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn or(&mut self) -> Result<Expression, Refusal> {
        let first = self.and()?;
        self.rest("or", first, Parser::and, Expression::Or)
    }

    fn and(&mut self) -> Result<Expression, Refusal> {
        let first = self.comparison()?;
        self.rest("and", first, Parser::comparison, Expression::And)
    }

    /// The parts that an operator joins to the first one.
    fn rest(
        &mut self,
        operator: &str,
        first: Expression,
        part: fn(&mut Self) -> Result<Expression, Refusal>,
        joined: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, Refusal> {
        let mut parts = vec![first];
        while self.takes_name(operator) {
            parts.push(part(self)?);
        }
        if parts.len() > 1 {
            return Ok(joined(parts));
        }
        parts.pop().ok_or_else(|| Refusal::syntax(0))
    }

    fn comparison(&mut self) -> Result<Expression, Refusal> {
        let left = self.unary()?;
        let at = self.at();
        let operator = match self.tokens.first().map(|token| &token.word) {
            Some(Word::Name(name)) => Operator::named(name),
            _ => None,
        };
        let Some(operator) = operator else { return Ok(left) };
        self.tokens = &self.tokens[1..];
        let right = self.unary()?;
        Ok(Expression::Compare { operator, at, left: left.into(), right: right.into() })
    }

    fn unary(&mut self) -> Result<Expression, Refusal> {
        let at = self.at();
        if !self.takes_name("not") {
            return self.primary();
        }
        Ok(Expression::Not(self.deeper(Parser::unary)?.into(), at))
    }

    /// Parses a nested part.
    fn deeper(&mut self, part: fn(&mut Self) -> Result<Expression, Refusal>) -> Result<Expression, Refusal> {
        if self.depth == DEPTH_MAX {
            return Err(Refusal::bad_request("Recursion limit reached: the condition is nested too deep."));
        }
        self.depth += 1;
        let expression = part(self)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn primary(&mut self) -> Result<Expression, Refusal> {
        let at = self.at();
        if self.takes(&Word::Open) {
            let expression = self.deeper(Parser::or)?;
            return if self.takes(&Word::Close) { Ok(expression) } else { Err(self.unexpected()) };
        }
        let word = self.tokens.first().map(|token| token.word.clone());
        match word {
            Some(Word::Name(name)) => {
                self.tokens = &self.tokens[1..];
                self.named(name, at)
            }
            Some(word @ (Word::Text(_) | Word::Typed(..) | Word::Number(_))) => {
                self.tokens = &self.tokens[1..];
                Ok(Expression::Literal(word, at))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// A function, a literal or a path, by its first name.
    fn named(&mut self, name: String, at: usize) -> Result<Expression, Refusal> {
        if self.takes(&Word::Open) {
            let mut arguments = Vec::new();
            while !self.takes(&Word::Close) {
                if !arguments.is_empty() && !self.takes(&Word::Comma) {
                    return Err(self.unexpected());
                }
                arguments.push(self.deeper(Parser::or)?);
            }
            return Ok(Expression::Call { name, at, arguments });
        }
        if matches!(name.as_str(), "null" | "true" | "false") {
            return Ok(Expression::Literal(Word::Name(name), at));
        }
        let mut names = vec![name];
        while self.takes(&Word::Slash) {
            match self.tokens.first().map(|token| token.word.clone()) {
                Some(Word::Name(name)) => names.push(name),
                _ => return Err(self.unexpected()),
            }
            self.tokens = &self.tokens[1..];
        }
        Ok(Expression::Path { names, at })
    }
}

fn is_arithmetic(name: &str) -> bool {
    matches!(name, "add" | "sub" | "mul" | "div" | "mod")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree with parentheses everywhere.
    fn shown(expression: &Expression) -> String {
        let joined =
            |parts: &[Expression], word| format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(word));
        match expression {
            Expression::And(parts) => joined(parts, " and "),
            Expression::Or(parts) => joined(parts, " or "),
            Expression::Not(part, _) => format!("(not {})", shown(part)),
            Expression::Compare { operator, left, right, .. } => {
                format!("({} {} {})", shown(left), operator.name(), shown(right))
            }
            Expression::Call { name, arguments, .. } => format!("{name}{}", joined(arguments, ",")),
            Expression::Path { names, .. } => names.join("/"),
            Expression::Literal(Word::Name(name) | Word::Number(name), _) => name.clone(),
            Expression::Literal(word, _) => format!("{word:?}"),
        }
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_than_a_comparison() {
        for (text, tree) in [
            ("a eq 1 or b eq 2 and c eq 3", "((a eq 1) or ((b eq 2) and (c eq 3)))"),
            ("(a eq 1 or b eq 2) and c eq 3", "(((a eq 1) or (b eq 2)) and (c eq 3))"),
            ("not a eq 1", "((not a) eq 1)"),
            ("not (a eq 1)", "(not (a eq 1))"),
            ("not not startswith(a/b,null)", "(not (not startswith(a/b,null)))"),
            ("a eq 1 and b eq 2 and c eq 3", "((a eq 1) and (b eq 2) and (c eq 3))"),
            ("f()", "f()"),
        ] {
            assert_eq!(shown(&parse(text).unwrap()), tree, "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_at_its_place() {
        let refused = |text: &str| parse(text).unwrap_err().message;
        for (text, place) in [
            ("", 0),
            ("a eq", 4),
            ("a eq 1)", 6),
            ("(a eq 1", 7),
            ("a/1 eq 2", 2),
            ("f(a b)", 4),
            ("f(a,)", 4),
            ("a b", 2),
        ] {
            assert_eq!(refused(text), format!("Syntax error at position {place}."), "{text}");
        }
        for text in ["a add 1 eq 2", "a eq 1 sub 1", "a eq -(1)"] {
            assert!(refused(text).contains("Arithmetic"), "{text}");
        }
        let deep = |depth| format!("{}a eq 1{}", "(".repeat(depth), ")".repeat(depth));
        parse(&deep(DEPTH_MAX)).unwrap();
        assert!(refused(&deep(DEPTH_MAX + 1)).contains("Recursion limit"));
        assert!(refused(&"not ".repeat(100_000)).contains("Recursion limit"));
        assert!(refused(&"f(".repeat(100_000)).contains("Recursion limit"));
    }
}
