//! The constants of a contract, each checked against its attribute.

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
                    let message = format!(
                        "the constant for `{attribute}` must be an integer of 32 bits, found `{}`",
                        number.as_str()
                    );
                    let help = format!("write a number from {} to {}", i32::MIN, i32::MAX);
                    self.fault(Code::WrongValue, value.span().start, message, help);
                    return None;
                }
            },
            _ => {
                self.wrong(&attribute, value, "a string, an integer or a boolean", sample(&attribute, stated.kind));
                return None;
            }
        };
        if stated.read_only {
            let message = format!("`{attribute}` is read-only and cannot have a constant");
            let is_kept = contract.is_engines(&attribute) || writable(&attribute, stated.kind) == Writable::Never;
            let help = if is_kept {
                "remove the constant; CDMS sets the attribute itself".to_owned()
            } else {
                format!("remove the constant, or remove `read-only` from `{attribute}`")
            };
            self.fault(Code::KeysExclude, name.span().start, message, help);
            return None;
        }
        let fits = match (&constant, stated.kind) {
            (ConstantValue::Text(text), Kind::String) => {
                if let Some(unknown) = placeholder(text) {
                    let message = format!("unknown placeholder `{unknown}` in a constant");
                    let help = "write `{actor}` for the acting user, or remove the braces";
                    self.fault(Code::WrongValue, value.span().start, message, help);
                    return None;
                }
                if let Err(why) = Value::text(text).check_domain() {
                    let message = format!("the constant for `{attribute}` {why}");
                    self.fault(Code::WrongValue, value.span().start, message, "remove the character");
                    return None;
                }
                // The acting user's name replaces the braces, so the whole length is checked before it is sent.
                let fixed = text.replace(ACTOR, "");
                let limit = stated.max_length.filter(|limit| fixed.encode_utf16().count() > *limit as usize);
                if let Some(limit) = limit {
                    let message = format!("the constant for `{attribute}` is longer than its `max-length` of {limit}");
                    let help = "shorten the constant, or correct `max-length`";
                    self.fault(Code::WrongValue, value.span().start, message, help);
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
                    (
                        format!("unknown option {number} of `{attribute}`"),
                        format!("expected one of: {}", known.join(", ")),
                    )
                }
                (_, kind @ (Kind::String | Kind::Boolean | Kind::Integer | Kind::Choice | Kind::Status)) => {
                    let (expected, found) = (sort_of(kind), sort_of_constant(&constant));
                    let message = format!("the constant for `{attribute}` must be {expected}, found {found}");
                    (message, sample(&attribute, kind))
                }
                (_, kind) => {
                    let message = format!("`{attribute}` is of kind {kind} and cannot have a constant");
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
        _ => "remove the constant; only the kinds string, boolean, integer, choice and status can have one".to_owned(),
    }
}

/// What the constant of an attribute of this kind must be.
const fn sort_of(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Boolean => "a boolean",
        _ => "an integer",
    }
}

const fn sort_of_constant(constant: &ConstantValue) -> &'static str {
    match constant {
        ConstantValue::Text(_) => "a string",
        ConstantValue::Integer(_) => "an integer",
        ConstantValue::Boolean(_) => "a boolean",
    }
}

/// The first part of a constant that looks like a placeholder, except the acting user's.
fn placeholder(text: &str) -> Option<&str> {
    let starts = text.match_indices('{').map(|(at, _)| &text[at..]);
    let braced = starts.filter_map(|rest| rest.find('}').map(|end| &rest[..=end]));
    let is_word = |inside: &str| {
        let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ' | '.');
        !inside.trim().is_empty() && inside.chars().all(allowed)
    };
    braced.filter(|braced| *braced != ACTOR).find(|braced| is_word(&braced[1..braced.len() - 1]))
}
