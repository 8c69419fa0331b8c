//! A condition as text, which is read as the same condition.

use std::fmt;

use super::Condition;
use super::literal::{quoted, written};
use crate::filter::Comparison;

/// As [`parse`](Condition::parse) reads it. Conditions without parts have no text; they are shown in words.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::All(parts) if parts.is_empty() => f.write_str("(always)"),
            Condition::Any(parts) if parts.is_empty() => f.write_str("(never)"),
            Condition::All(parts) => {
                joined(f, parts, " and ", |part| matches!(part, Condition::All(_) | Condition::Any(_)))
            }
            Condition::Any(parts) => joined(f, parts, " or ", |part| matches!(part, Condition::Any(_))),
            Condition::Not(part) => match &**part {
                Condition::Not(_) => write!(f, "not {part}"),
                part => write!(f, "not ({part})"),
            },
            Condition::Compare { field, operator, value } => {
                write!(f, "{field} {} {}", symbol(*operator), written(value))
            }
            Condition::Text { field, matching, text } => write!(f, "{field} {} {}", matching.name(), quoted(text)),
            Condition::Part { field, part, operator, value } => {
                write!(f, "{}({field}) {} {value}", part.name(), symbol(*operator))
            }
            Condition::Related { field, condition, .. } => write!(f, "{field} matches ({condition})"),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Condition],
    word: &str,
    in_parentheses: impl Fn(&Condition) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        f.write_str(if place == 0 { "" } else { word })?;
        if in_parentheses(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

fn symbol(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
    }
}
