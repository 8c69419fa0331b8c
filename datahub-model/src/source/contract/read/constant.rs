//! The constants of a contract, each measured against its attribute.

use std::borrow::Cow;

use cdms_odata::{Kind, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::Reader;
use crate::ACTOR;
use crate::diagnostic::Code;
use crate::source::contract::{ConstantValue, Contract, ContractConstant};
use crate::source::writable::{Writable, writable};

impl Reader<'_> {
    pub(super) fn constant(
        &mut self,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        contract: &Contract,
    ) -> Option<ContractConstant> {
        let attribute = name.get_ref().to_string();
        let stated = self.declared(&attribute, name.span().start, contract)?;
        let constant = match value.get_ref() {
            DeValue::String(text) => ConstantValue::Text(text.to_string()),
            DeValue::Boolean(value) => ConstantValue::Boolean(*value),
            DeValue::Integer(number) => match i32::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => ConstantValue::Integer(number),
                Err(_) => {
                    let message = format!("{} is more than a constant of `{attribute}` can be", number.as_str());
                    let help = format!("write a number from {} to {}", i32::MIN, i32::MAX);
                    self.fault(Code::WrongValue, value.span().start, message, help);
                    return None;
                }
            },
            _ => {
                self.wrong(&attribute, value, "a string, a number or a boolean", sample(&attribute, stated.kind));
                return None;
            }
        };
        if stated.read_only {
            let message = format!("`{attribute}` is read-only, so it cannot have a constant");
            let is_kept = contract.is_engines(&attribute) || writable(&attribute, stated.kind) == Writable::Never;
            let help = if is_kept {
                "remove the constant; CDMS keeps the attribute itself".to_owned()
            } else {
                format!("remove the constant, or the `read-only` of `{attribute}`")
            };
            self.fault(Code::KeysExclude, name.span().start, message, help);
            return None;
        }
        let fits = match (&constant, stated.kind) {
            (ConstantValue::Text(text), Kind::String) => {
                if let Some(unknown) = placeholder(text) {
                    let message = format!("nothing is known to stand for `{unknown}` in a constant");
                    let help = "write `{actor}` for the acting user, or leave the braces out";
                    self.fault(Code::WrongValue, value.span().start, message, help);
                    return None;
                }
                if let Err(why) = Value::text(text).check_domain() {
                    let message = format!("the constant for `{attribute}` {why}");
                    self.fault(Code::WrongValue, value.span().start, message, "remove the character");
                    return None;
                }
                // The acting user's name takes the braces' place, so the whole is measured before it is sent.
                let fixed = text.replace(ACTOR, "");
                let limit = stated.max_length.filter(|limit| fixed.encode_utf16().count() > *limit as usize);
                if let Some(limit) = limit {
                    let message = format!("the constant is longer than the {limit} characters of `{attribute}`");
                    self.fault(Code::WrongValue, value.span().start, message, "shorten it");
                    return None;
                }
                true
            }
            (ConstantValue::Boolean(_), Kind::Boolean) => true,
            (ConstantValue::Integer(_), Kind::Integer) => true,
            (ConstantValue::Integer(number), Kind::Choice | Kind::Status) => {
                let known = stated.choices.iter().any(|(_, option)| option == number);
                stated.choices.is_empty() || known
            }
            _ => false,
        };
        if !fits {
            let (message, cure) = match (&constant, stated.kind) {
                (ConstantValue::Integer(number), Kind::Choice | Kind::Status) => {
                    let known: Vec<_> =
                        stated.choices.iter().map(|(name, number)| format!("{name} = {number}")).collect();
                    (format!("`{attribute}` has no option {number}"), format!("one of: {}", known.join(", ")))
                }
                (_, kind @ (Kind::String | Kind::Boolean | Kind::Integer | Kind::Choice | Kind::Status)) => {
                    (format!("the constant for `{attribute}` is no {kind}"), sample(&attribute, kind))
                }
                (_, kind) => {
                    let message = format!("`{attribute}` is of kind {kind}, which cannot have a constant");
                    (message, sample(&attribute, kind))
                }
            };
            self.fault(Code::WrongValue, value.span().start, message, cure);
            return None;
        }
        Some(ContractConstant { attribute, value: constant, spot: self.spot(name.span().start) })
    }
}

/// What a constant of an attribute of this kind looks like.
fn sample(attribute: &str, kind: Kind) -> String {
    match kind {
        Kind::String => format!("write `{attribute} = \"…\"`"),
        Kind::Boolean => format!("write `{attribute} = true` or `{attribute} = false`"),
        Kind::Integer => format!("write `{attribute} = 1`, or another integer"),
        Kind::Choice | Kind::Status => format!("write `{attribute} = 1`, or the number of another option"),
        _ => "constants are for the kinds string, boolean, integer, choice and status".to_owned(),
    }
}

/// The first part of a constant that looks as if something were to take its place, but for the acting user's.
fn placeholder(text: &str) -> Option<&str> {
    let starts = text.match_indices('{').map(|(at, _)| &text[at..]);
    let braced = starts.filter_map(|rest| rest.find('}').map(|end| &rest[..=end]));
    let is_word = |inside: &str| {
        let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ' | '.');
        !inside.trim().is_empty() && inside.chars().all(allowed)
    };
    braced.filter(|braced| *braced != ACTOR).find(|braced| is_word(&braced[1..braced.len() - 1]))
}
