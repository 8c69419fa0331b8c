//! What CDMS repeats of a write: a refusal often names the value that it refuses, and errors, logs and the outcomes of writes
//! carry its text. Values that are not for everybody are hidden in it.

use cdms_odata::dialect::WriteAnswer;
use cdms_odata::{Attributes, Value};
use datahub_model::{Class, ModelDescriptor};

/// What stands in place of a value.
const HIDDEN: &str = "[hidden]";

/// An answer to a write in which no value of class `personal` or `secret` can be read that was sent.
pub(super) fn hidden<R>(answer: WriteAnswer<R>, model: &'static ModelDescriptor, sent: &Attributes) -> WriteAnswer<R> {
    let hide = |text: &mut String| {
        for (_, attribute, value) in model.stated(sent) {
            if let (Some(attribute), Value::Text(value)) = (attribute, value)
                && attribute.class != Class::Public
            {
                *text = without(text, value.trim());
            }
        }
    };
    match answer {
        WriteAnswer::Refused(mut refusal) => {
            hide(&mut refusal.message);
            WriteAnswer::Refused(refusal)
        }
        WriteAnswer::Ended(mut refusal) => {
            hide(&mut refusal.message);
            WriteAnswer::Ended(refusal)
        }
        WriteAnswer::Deadlock(mut refusal) => {
            hide(&mut refusal.message);
            WriteAnswer::Deadlock(refusal)
        }
        WriteAnswer::Gone(mut refusal) => {
            hide(&mut refusal.message);
            WriteAnswer::Gone(refusal)
        }
        WriteAnswer::RefusedInFront(mut refused) => {
            hide(&mut refused.said);
            WriteAnswer::RefusedInFront(refused)
        }
        WriteAnswer::Unknown(mut what) => {
            hide(&mut what);
            WriteAnswer::Unknown(what)
        }
        WriteAnswer::Applied(record) => WriteAnswer::Applied(record),
    }
}

/// A text without a value, in upper or lower case. A value within a longer word is left, because a name of two letters is in
/// many words.
fn without(text: &str, value: &str) -> String {
    if value.is_empty() {
        return text.to_owned();
    }
    let (lower, wanted) = (text.to_ascii_lowercase(), value.to_ascii_lowercase());
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, found) in lower.match_indices(&wanted) {
        let end = at + found.len();
        let within = |next: Option<char>, edge: Option<char>| {
            next.is_some_and(char::is_alphanumeric) && edge.is_some_and(char::is_alphanumeric)
        };
        let begins_within = within(lower[..at].chars().next_back(), found.chars().next());
        let ends_within = within(lower[end..].chars().next(), found.chars().next_back());
        if !begins_within && !ends_within {
            shown.push_str(&text[rest..at]);
            shown.push_str(HIDDEN);
            rest = end;
        }
    }
    shown.push_str(&text[rest..]);
    shown
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_value_is_hidden_wherever_it_stands_as_a_word() {
        for (text, value, shown) in [
            ("ada@example.org is taken", "ada@example.org", "[hidden] is taken"),
            ("'ADA@EXAMPLE.ORG'", "ada@example.org", "'[hidden]'"),
            ("Li lives in Lille, says Li.", "Li", "[hidden] lives in Lille, says [hidden]."),
            ("Größe von Zoë: Zoë", "Zoë", "Größe von [hidden]: [hidden]"),
            ("x", "", "x"),
            ("+44 113, 44", "+44 113", "[hidden], 44"),
            ("", "Ada", ""),
        ] {
            assert_eq!(without(text, value), shown);
        }
    }
}
