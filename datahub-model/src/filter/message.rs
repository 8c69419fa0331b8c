//! A filter in a message: in the syntax of `only`, with values as messages show them.

use std::fmt;

use super::Filter;

/// In the syntax of `only`, for messages.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Filter], word: &str| {
            for (place, part) in parts.iter().enumerate() {
                let word = if place == 0 { "" } else { word };
                match part {
                    Filter::All(_) | Filter::Any(_) => write!(f, "{word}({part})")?,
                    _ => write!(f, "{word}{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Filter::All(parts) => joined(f, parts, " and "),
            Filter::Any(parts) => joined(f, parts, " or "),
            Filter::Not(part) => write!(f, "not ({})", **part),
            Filter::Compare { attribute, operator, value } => {
                write!(f, "{} {} {}", &**attribute, operator.name(), value.value())
            }
            Filter::Text { attribute, matching, text } => {
                write!(f, "{} {} {:?}", &**attribute, matching.name(), &**text)
            }
            Filter::Part { attribute, part, operator, value } => {
                write!(f, "{}({}) {} {value}", part.name(), &**attribute, operator.name())
            }
            Filter::Related { lookup, filter, .. } => write!(f, "{} matches ({})", &**lookup, **filter),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::MaybeStatic::Static;
    use crate::{Comparison, Filter, Literal};

    const ACTIVE_OR_NAMED: Filter = Filter::Any(Static(&[
        Filter::compare("StateCode", Comparison::Equal, Literal::Choice(0)),
        Filter::Not(Static(&Filter::compare("Name", Comparison::Equal, Literal::Null))),
    ]));
    const NESTED: Filter = Filter::All(Static(&[ACTIVE_OR_NAMED, ACTIVE_OR_NAMED]));

    #[test]
    fn a_filter_prints_in_the_words_of_only() {
        let text = ACTIVE_OR_NAMED.to_string();
        assert_eq!(text, "StateCode eq 0 or not (Name eq null)");
        assert_eq!(NESTED.to_string(), format!("({text}) and ({text})"));
        assert_eq!(
            Filter::compare("Name", Comparison::NotEqual, Literal::text("it's")).to_string(),
            r#"Name ne "it's""#
        );
    }
}
