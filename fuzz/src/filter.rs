//! Any text as an `only`: it is read or refused, and what is read says the same once it is written out again.

use std::sync::LazyLock;

use chrono::SecondsFormat;
use datahub_model::Comparison;
use datahub_model::source::{
    ColumnLimit, Contract, DieselGlue, FieldAnnotation, ModelAnnotation, OnlyCondition, OnlyValue, Placed, resolve,
};
use uuid::Uuid;

/// An attribute of every kind.
const CONTRACT: &str = r#"
entity = "Account"
[attributes]
Name = { kind = "string" }
Count = { kind = "integer" }
Verified = { kind = "boolean" }
Since = { kind = "datetime" }
Token = { kind = "guid" }
Limit = { kind = "money" }
Budget = { kind = "decimal", scale = 2 }
Ratio = { kind = "double" }
Views = { kind = "bigint" }
Born = { kind = "date", zone = "Europe/London" }
IndustryCode = { kind = "choice", choices = { accounting = 1 } }
StateCode = { kind = "state" }
StatusCode = { kind = "status" }
Parent = { kind = "lookup", target = "account" }
Owner = { kind = "lookup", target = ["systemuser", "team"] }
"#;

/// Reads a condition and writes it out again.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(condition) = read(text) else { return };
    let written = text_of(&condition);
    assert_eq!(read(&written).as_ref(), Some(&condition), "{text:?} was written as {written:?}");
}

static READ: LazyLock<Contract> = LazyLock::new(|| {
    let (contract, faults) = Contract::parse::<()>(CONTRACT);
    assert!(faults.is_empty(), "{faults:?}");
    contract.expect("a contract without faults")
});

/// The condition; `None` where it is refused, which takes a reason.
fn read(text: &str) -> Option<OnlyCondition> {
    let place = |value: &str| Placed { value: value.to_owned(), place: () };
    let model = ModelAnnotation {
        name: place("Model"),
        table: Some(place("models")),
        mode: Some(place("mirror")),
        only: Some(place(text)),
        diesel: DieselGlue::default(),
        fields: vec![FieldAnnotation { key: Some(()), ..FieldAnnotation::new(place("id"), (), false) }],
        is_faulty: false,
    };
    match resolve(&model, &READ, ColumnLimit::Columns32) {
        Ok(mapping) => Some(mapping.only.expect("a mapping of a condition has one")),
        Err(faulty) => {
            assert!(faulty.diagnostics.iter().any(|fault| !fault.message.is_empty()), "refused without a reason");
            None
        }
    }
}

fn text_of(condition: &OnlyCondition) -> String {
    let joined = |parts: &[OnlyCondition], word: &str| {
        let parts: Vec<_> = parts.iter().map(inside).collect();
        parts.join(word)
    };
    match condition {
        OnlyCondition::All(parts) => joined(parts, " and "),
        OnlyCondition::Any(parts) => joined(parts, " or "),
        OnlyCondition::Not(part) => format!("not {}", inside(part)),
        OnlyCondition::Compare { attribute, operator, value } => {
            let operator = match operator {
                Comparison::Equal => "eq",
                Comparison::NotEqual => "ne",
                Comparison::Greater => "gt",
                Comparison::GreaterOrEqual => "ge",
                Comparison::Less => "lt",
                Comparison::LessOrEqual => "le",
            };
            let member = match attribute.as_str() {
                "IndustryCode" | "StateCode" | "StatusCode" => "/Value",
                "Parent" | "Owner" => "/Id",
                _ => "",
            };
            format!("{attribute}{member} {operator} {}", literal(value))
        }
    }
}

/// A part of a larger condition: in brackets where it is one of several itself.
fn inside(condition: &OnlyCondition) -> String {
    match condition {
        OnlyCondition::All(_) | OnlyCondition::Any(_) => format!("({})", text_of(condition)),
        _ => text_of(condition),
    }
}

fn literal(value: &OnlyValue) -> String {
    match value {
        OnlyValue::Null => "null".to_owned(),
        OnlyValue::Text(text) => format!("'{}'", text.replace('\'', "''")),
        OnlyValue::Integer(number) | OnlyValue::Choice(number) => number.to_string(),
        OnlyValue::Boolean(value) => value.to_string(),
        OnlyValue::Guid(id) | OnlyValue::Lookup(_, id) => format!("guid'{}'", Uuid::from_u128(*id)),
        OnlyValue::Instant(ms) => {
            let time = chrono::DateTime::from_timestamp_millis(*ms).expect("a time that was read from a text");
            format!("datetime'{}'", time.to_rfc3339_opts(SecondsFormat::Millis, true))
        }
    }
}
