//! The `only` of a model: a condition in the endpoint's filter language, on the entity's own attributes.

use cdms_odata::{Instant, Kind, OutOfDomain, Value};
use uuid::Uuid;

use super::contract::Contract;
use super::nearest::meant;
use crate::Comparison;

/// A condition as parsed, with every attribute checked against the contract.
#[derive(Clone, Debug, PartialEq)]
pub enum OnlyCondition {
    /// One attribute against a value.
    Compare {
        /// The attribute.
        attribute: String,
        /// How.
        operator: Comparison,
        /// The value.
        value: OnlyValue,
    },
    /// All of these.
    All(Vec<OnlyCondition>),
    /// At least one of these.
    Any(Vec<OnlyCondition>),
    /// Not this.
    Not(Box<OnlyCondition>),
}

/// A literal of a condition, already of its attribute's kind.
#[derive(Clone, Debug, PartialEq)]
pub enum OnlyValue {
    /// `null`
    Null,
    /// `'text'`
    Text(String),
    /// A whole number.
    Integer(i32),
    /// `true`, `false`
    Boolean(bool),
    /// `X/Value eq 1`
    Choice(i32),
    /// `guid'…'`
    Guid(u128),
    /// `X/Id eq guid'…'`, with the one target of the lookup.
    Lookup(String, u128),
    /// `datetime'2011-11-14T16:43:08Z'`, in ms.
    Instant(i64),
}

impl OnlyValue {
    /// Whether CDMS can have the value, so that it can be equal to any.
    fn check_domain(&self) -> Result<(), OutOfDomain> {
        match self {
            OnlyValue::Text(text) => Value::text(text).check_domain(),
            OnlyValue::Instant(ms) => Value::Instant(Instant(*ms)).check_domain(),
            OnlyValue::Null
            | OnlyValue::Integer(_)
            | OnlyValue::Boolean(_)
            | OnlyValue::Choice(_)
            | OnlyValue::Guid(_)
            | OnlyValue::Lookup(..) => Ok(()),
        }
    }
}

impl OnlyCondition {
    /// The attributes that the condition looks at.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            OnlyCondition::Compare { attribute, .. } => vec![attribute],
            OnlyCondition::All(parts) | OnlyCondition::Any(parts) => {
                parts.iter().flat_map(OnlyCondition::attributes).collect()
            }
            OnlyCondition::Not(part) => part.attributes(),
        }
    }
}

/// Reads a condition. The error says what is wrong, and what would be right.
pub(super) fn parse(text: &str, contract: &Contract) -> Result<OnlyCondition, (String, Option<String>)> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, contract, depth: 0 };
    let condition = parser.any()?;
    match parser.tokens {
        [] => Ok(condition),
        [rest, ..] => {
            Err((format!("nothing was expected at `{rest}`"), Some("join conditions with `and` or `or`".into())))
        }
    }
}

type Fault = (String, Option<String>);

fn tokens(text: &str) -> Result<Vec<String>, Fault> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                token.push(letter);
                loop {
                    match letters.next() {
                        None => return Err(("a text is not closed".into(), Some("end it with a single quote".into()))),
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

struct Parser<'t> {
    tokens: &'t [String],
    contract: &'t Contract,
    depth: usize,
}

/// How deep `not` and brackets may stand in each other: far more than anyone writes, and nothing for the stack.
const DEPTH_MAX: usize = 64;

impl Parser<'_> {
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

    fn any(&mut self) -> Result<OnlyCondition, Fault> {
        let mut parts = vec![self.all()?];
        while self.next_is("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { OnlyCondition::Any(parts) })
    }

    fn all(&mut self) -> Result<OnlyCondition, Fault> {
        let mut parts = vec![self.one()?];
        while self.next_is("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { OnlyCondition::All(parts) })
    }

    fn one(&mut self) -> Result<OnlyCondition, Fault> {
        if self.depth > DEPTH_MAX {
            let message = format!("`not` and brackets stand more than {DEPTH_MAX} deep in each other");
            return Err((message, Some("write it flatter, with `and` and `or` side by side".to_owned())));
        }
        if self.next_is("not") {
            self.depth += 1;
            let inner = self.one()?;
            self.depth -= 1;
            return Ok(OnlyCondition::Not(Box::new(inner)));
        }
        if self.next_is("(") {
            self.depth += 1;
            let inner = self.any()?;
            self.depth -= 1;
            return if self.next_is(")") { Ok(inner) } else { Err(("a bracket is not closed".into(), None)) };
        }
        let example = || Some("write it like `StateCode/Value eq 0`".to_owned());
        let name = self.next().ok_or_else(|| ("a condition is missing".to_owned(), example()))?;
        let operator = self.next().ok_or_else(|| (format!("`{name}` is compared with nothing"), example()))?;
        let operator = match operator.as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            other => {
                let help = meant(other, ["eq", "ne", "gt", "ge", "lt", "le"]);
                return Err((format!("no comparison is called `{other}`"), help));
            }
        };
        let literal = self.next().ok_or_else(|| (format!("`{name}` is compared with nothing"), example()))?;
        let (attribute, member) = name.split_once('/').unwrap_or((&name, ""));
        let stated = self.contract.attribute(attribute).ok_or_else(|| {
            let known = self.contract.attributes.iter().map(|known| known.name.as_str());
            (format!("`{attribute}` is not among the contract's attributes"), meant(attribute, known))
        })?;
        let wanted = match stated.kind {
            Kind::Choice | Kind::State | Kind::Status => "Value",
            Kind::Lookup => "Id",
            Kind::Decimal | Kind::Money | Kind::Double | Kind::BigInt | Kind::Date => {
                return Err((format!("a condition on the {} `{attribute}` is not supported", stated.kind), None));
            }
            _ => "",
        };
        if member != wanted {
            let right = if wanted.is_empty() { attribute.to_owned() } else { format!("{attribute}/{wanted}") };
            return Err((format!("`{name}` cannot be compared"), Some(format!("write `{right}`"))));
        }
        let value = literal_value(stated.kind, &stated.targets, &literal).ok_or_else(|| {
            let help = match stated.kind {
                Kind::String => "write texts as 'text'",
                Kind::Guid | Kind::Lookup => {
                    "write ids as guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'; a lookup must have one target"
                }
                Kind::DateTime => "write times as datetime'2011-11-14T16:43:08Z'",
                _ => "write numbers plain, and booleans as true or false",
            };
            (format!("`{literal}` is no {}", stated.kind), Some(help.to_owned()))
        })?;
        value.check_domain().map_err(|why| (format!("what `{name}` is compared with {why}"), None))?;
        Ok(OnlyCondition::Compare { attribute: attribute.to_owned(), operator, value })
    }
}

fn literal_value(kind: Kind, targets: &[String], literal: &str) -> Option<OnlyValue> {
    if literal == "null" {
        return Some(OnlyValue::Null);
    }
    let quoted = |prefix: &str| literal.strip_prefix(prefix)?.strip_prefix('\'')?.strip_suffix('\'');
    let guid = || quoted("guid").and_then(|id| id.parse::<Uuid>().ok()).map(|id| id.as_u128());
    Some(match kind {
        Kind::String => OnlyValue::Text(quoted("")?.to_owned()),
        Kind::Integer => OnlyValue::Integer(literal.parse().ok()?),
        Kind::Boolean => OnlyValue::Boolean(literal.parse().ok()?),
        Kind::Choice | Kind::State | Kind::Status => OnlyValue::Choice(literal.parse().ok()?),
        Kind::Guid => OnlyValue::Guid(guid()?),
        Kind::Lookup if targets.len() == 1 => OnlyValue::Lookup(targets[0].clone(), guid()?),
        Kind::DateTime => {
            let time = chrono::DateTime::parse_from_rfc3339(quoted("datetime")?).ok()?;
            OnlyValue::Instant(time.timestamp_millis())
        }
        _ => return None,
    })
}
