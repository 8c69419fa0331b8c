//! Reads a condition on a model's fields from text, such as a search form's.

use std::borrow::Cow;
use std::fmt;

use cdms_odata::{Kind, Value};

use super::compared::{attribute, column, has_order, in_form};
use super::literal::{form, read};
use super::{Condition, RelatedModel};
use crate::filter::grammar::{self, Language, Phrase, Test};
use crate::filter::token::Token;
use crate::filter::{self, CalendarPart, Comparison};
use crate::nearest::nearest;
use crate::{Attribute, Column, ModelDescriptor, Source};

/// What is wrong with a condition's text, where, and what would be right.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError {
    at: usize,
    message: String,
    help: String,
}

/// `main` prints an error that it returns in this form, so it is in words.
impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ParseError {
    /// The number of characters before the word at fault.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What would be right.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at character {}; {}", self.message, self.at + 1, self.help)
    }
}

impl std::error::Error for ParseError {}

impl From<(usize, filter::ParseError)> for ParseError {
    fn from((at, error): (usize, filter::ParseError)) -> Self {
        let help = match &error {
            filter::ParseError::MissingCondition | filter::ParseError::MissingLiteral { .. } => {
                "write a field, an operator and a value, such as `name = \"Acme\"`".to_owned()
            }
            filter::ParseError::UnknownComparison { word } => {
                let near = nearest(word, OPERATORS);
                near.map_or_else(|| format!("expected one of: {}", OPERATORS.join(", ")), meant)
            }
            filter::ParseError::TrailingText { found } => {
                nearest(found, ["and", "or"]).filter(|near| near != found).map_or_else(|| error.help(), meant)
            }
            filter::ParseError::OpenText => "end it with the quote that begins it".to_owned(),
            filter::ParseError::Expected { .. } => {
                "write it like `size in (1, 2)`, `size between 1 and 9`, `name is not null` or `sector matches (…)`"
                    .to_owned()
            }
            error => error.help(),
        };
        ParseError { at, message: error.to_string(), help }
    }
}

/// The operators, for messages.
const OPERATORS: [&str; 20] = [
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "starts_with",
    "ends_with",
    "in",
    "between",
    "is",
    "matches",
    "not in",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
];

fn meant(near: &str) -> String {
    format!("did you mean `{near}`?")
}

impl Condition {
    /// Reads a condition on a model's fields; the [module](super) has the grammar. `models` are those whose records may
    /// be compared through a lookup, as in `sector.name = "Food"`.
    ///
    /// The result means what the same condition made by typed handles means. It is at most 64 levels deep.
    ///
    /// # Errors
    ///
    /// The first fault in the text, with its place.
    pub fn parse(
        text: &str,
        model: &'static ModelDescriptor,
        models: &[&'static ModelDescriptor],
    ) -> Result<Self, ParseError> {
        grammar::parse(text, &OfFields { model, models })
    }
}

/// The language in which names are fields of a model.
struct OfFields<'m> {
    model: &'static ModelDescriptor,
    models: &'m [&'static ModelDescriptor],
}

/// Where a name leads: to a field, perhaps of the record that a lookup points to.
struct Found {
    column: &'static Column,
    attribute: Option<Attribute>,
    /// The lookup on the way, and the model of its records.
    by: Option<(&'static str, RelatedModel)>,
}

impl Language for OfFields<'_> {
    type Tree = Condition;
    type Fault = ParseError;

    fn all(&self, parts: Vec<Condition>) -> Condition {
        Condition::All(parts)
    }

    fn any(&self, parts: Vec<Condition>) -> Condition {
        Condition::Any(parts)
    }

    fn not(&self, part: Condition) -> Condition {
        Condition::Not(Box::new(part))
    }

    fn condition(&self, Phrase { operand, part, test }: &Phrase) -> Result<Condition, ParseError> {
        let found = self.field(operand)?;
        let field = || Cow::Borrowed(found.column.field);
        let compare = |operator, literal: &Token| -> Result<Condition, ParseError> {
            match part {
                None => {
                    Ok(Condition::Compare { field: field(), operator, value: found.value(operand, operator, literal)? })
                }
                Some(part) => {
                    let value = found.number(operand, *part, literal)?;
                    Ok(Condition::Part { field: field(), part: *part, operator, value })
                }
            }
        };
        let condition = match test {
            Test::Compare(operator, literal) => compare(*operator, literal)?,
            Test::In(literals) => {
                let parts: Result<Vec<_>, _> =
                    literals.iter().map(|literal| compare(Comparison::Equal, literal)).collect();
                let mut parts = parts?;
                if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) }
            }
            Test::Between(low, high) => {
                let low = compare(Comparison::GreaterOrEqual, low)?;
                Condition::All(vec![low, compare(Comparison::LessOrEqual, high)?])
            }
            Test::Text(matching, literal) => {
                let text = found.text(operand, part.is_some(), literal)?;
                Condition::Text { field: field(), matching: *matching, text }
            }
            Test::Null if part.is_some() => return Err(found.wrong_part(operand, "a part of a time has no null")),
            Test::Null => Condition::compare(field(), Comparison::Equal, Value::Null),
        };
        Ok(match found.by {
            None => condition,
            Some((field, model)) => Condition::Related { field: field.into(), model, condition: Box::new(condition) },
        })
    }

    fn related(&self, operand: &Token) -> Result<Self, ParseError> {
        let found = self.field(operand)?;
        if found.by.is_some() {
            return Err(ParseError {
                at: operand.at,
                message: format!(
                    "`{}` is a field of a related record, whose own related records cannot be compared",
                    operand.text
                ),
                help: "compare fields of the record itself, or of one that it points to".to_owned(),
            });
        }
        match self.targets(operand, &found)?.as_slice() {
            [model] => Ok(OfFields { model, models: self.models }),
            several => {
                let names: Vec<_> = several.iter().map(|model| model.name).collect();
                Err(ParseError {
                    at: operand.at,
                    message: format!("`{}` may point to {}", operand.text, names.join(" or ")),
                    help: "compare a field that only one of them has".to_owned(),
                })
            }
        }
    }

    fn matches(&self, operand: &Token, related: &Self, condition: Condition) -> Condition {
        let field = self.field(operand).map_or_else(|_| operand.text.clone().into(), |found| found.column.field.into());
        Condition::Related { field, model: RelatedModel(related.model), condition: Box::new(condition) }
    }
}

impl OfFields<'_> {
    /// The field that a name means.
    fn field(&self, operand: &Token) -> Result<Found, ParseError> {
        let path = operand.text.replace('/', ".");
        if let Ok(column) = column(self.model, &path) {
            return Ok(Found { column, attribute: attribute(self.model, column).ok(), by: None });
        }
        // The longest beginning that is a field; the rest is a field of the record that it points to.
        let split =
            path.rmatch_indices('.').find_map(|(at, _)| Some((column(self.model, &path[..at]).ok()?, &path[at + 1..])));
        let Some((lookup, rest)) = split else { return Err(unknown(operand, self.model, &path)) };
        let lookup = Found { column: lookup, attribute: attribute(self.model, lookup).ok(), by: None };
        let targets = self.targets(operand, &lookup)?;
        let having: Vec<_> = targets.iter().filter_map(|model| Some((*model, column(model, rest).ok()?))).collect();
        match having.as_slice() {
            [(model, column)] => Ok(Found {
                column,
                attribute: attribute(model, column).ok(),
                by: Some((lookup.column.field, RelatedModel(model))),
            }),
            [] => Err(unknown(operand, targets.first().copied().unwrap_or(self.model), rest)),
            several => {
                let names: Vec<_> = several.iter().map(|(model, _)| model.name).collect();
                Err(ParseError {
                    at: operand.at,
                    message: format!("`{}` is a field of {}", operand.text, names.join(" and of ")),
                    help: "compare a field that only one of them has".to_owned(),
                })
            }
        }
    }

    /// The models of the records that a lookup points to.
    fn targets(&self, operand: &Token, lookup: &Found) -> Result<Vec<&'static ModelDescriptor>, ParseError> {
        let targets = match (&lookup.column.source, &lookup.attribute) {
            (Source::Attribute { targets, .. }, _) if !targets.is_empty() => *targets,
            (_, Some(attribute)) if attribute.kind == Kind::Lookup => attribute.targets,
            _ => {
                return Err(ParseError {
                    at: operand.at,
                    message: format!("`{}` does not point to a record", lookup.column.field),
                    help: format!("compare it with {}", form(lookup.column, lookup.attribute.as_ref())),
                });
            }
        };
        let known = |model: &&&ModelDescriptor| targets.contains(&model.entity.logical);
        let found: Vec<_> = self.models.iter().filter(known).copied().collect();
        if found.is_empty() {
            return Err(ParseError {
                at: operand.at,
                message: format!(
                    "`{}` points to {}, of which no model is listed",
                    lookup.column.field,
                    targets.join(" or ")
                ),
                help: "list the model of these records in `models![…]`".to_owned(),
            });
        }
        Ok(found)
    }
}

/// The fault of an unknown name, with the nearest one of the model.
fn unknown(operand: &Token, model: &ModelDescriptor, name: &str) -> ParseError {
    let fields = || model.columns.iter().map(|column| column.field);
    let help = match nearest(name, fields()) {
        Some(near) => meant(near),
        None if model.columns.len() <= FEW => format!("expected one of: {}", fields().collect::<Vec<_>>().join(", ")),
        None => format!("write the name of a field of {}", model.name),
    };
    ParseError { at: operand.at, message: format!("{} has no field `{name}`", model.name), help }
}

/// The largest number of fields that are listed.
const FEW: usize = 20;

impl Found {
    /// The value that a literal stands for.
    fn value(&self, operand: &Token, operator: Comparison, literal: &Token) -> Result<Value, ParseError> {
        let kind = self.attribute.map_or(self.column.kind, |attribute| attribute.kind);
        if operator.is_of_order() && !has_order(kind) {
            let message = format!("`{}` is of kind {kind}, which has no order", operand.text);
            let help = "compare it with `=`, `!=` or `in`".to_owned();
            return Err(ParseError { at: operand.at, message, help });
        }
        let read = read(self.column, self.attribute.as_ref(), literal).ok_or_else(|| self.wrong(operand, literal))?;
        match in_form(self.column, &read) {
            // A condition that handles made has the same value.
            Ok(_) => Ok(read),
            Err(why) => {
                Err(ParseError { at: literal.at, message: why.to_string(), help: "correct the value".to_owned() })
            }
        }
    }

    /// The number that a part of a time is compared with.
    fn number(&self, operand: &Token, part: CalendarPart, literal: &Token) -> Result<i32, ParseError> {
        let has_part = match self.column.kind {
            Kind::DateTime => true,
            Kind::Date => part.is_of_dates(),
            _ => false,
        };
        if !has_part {
            let kind = self.column.kind;
            return Err(self
                .wrong_part(operand, &format!("`{}` is of kind {kind}, which has no {}", operand.text, part.name())));
        }
        literal.text.parse().map_err(|_| ParseError {
            at: literal.at,
            message: format!("expected a number for the {}, found `{}`", part.name(), literal.text),
            help: format!("write it like `{}({}) = 1`", part.name(), operand.text),
        })
    }

    /// The text that is looked for.
    fn text(&self, operand: &Token, is_part: bool, literal: &Token) -> Result<String, ParseError> {
        let kind = self.attribute.map_or(self.column.kind, |attribute| attribute.kind);
        if kind != Kind::String || is_part {
            return Err(ParseError {
                at: operand.at,
                message: format!("`{}` is of kind {kind}, in which no text can be found", operand.text),
                help: format!("compare it with {}", form(self.column, self.attribute.as_ref())),
            });
        }
        let text = literal.quoted().ok_or_else(|| self.wrong(operand, literal))?;
        Value::text(text).check_domain().map_err(|why| ParseError {
            at: literal.at,
            message: format!("the text {why}"),
            help: "correct the text".to_owned(),
        })?;
        Ok(text.to_owned())
    }

    fn wrong(&self, operand: &Token, literal: &Token) -> ParseError {
        let expected = form(self.column, self.attribute.as_ref());
        let options = self.attribute.map_or(&[][..], |attribute| attribute.choices).iter().map(|(name, _)| *name);
        let help = match nearest(&literal.text, options) {
            Some(near) => meant(near),
            None if self.column.kind == Kind::String => format!("write `{} = \"{}\"`", operand.text, literal.text),
            None => format!("compare `{}` with {expected}", operand.text),
        };
        ParseError { at: literal.at, message: format!("expected {expected}, found `{}`", literal.text), help }
    }

    fn wrong_part(&self, operand: &Token, message: &str) -> ParseError {
        let help = format!("compare `{}` with {}", operand.text, form(self.column, self.attribute.as_ref()));
        ParseError { at: operand.at, message: message.to_owned(), help }
    }
}
