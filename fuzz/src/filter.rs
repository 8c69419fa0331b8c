//! Any text as an `only`: it is read or refused, and what is read says the same once it is written out again.

use std::sync::LazyLock;

use datahub_model::Filter;
use datahub_model::filter::{ODataV2, Operand};
use datahub_model::source::{ColumnLimit, Contract, DieselGlue, FieldAnnotation, ModelAnnotation, Placed, resolve};

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
    let known = |name: &str| READ.attribute(name).map(Operand::from);
    let written = condition.print(&ODataV2, known).expect("what is read can be written");
    assert_eq!(read(&written).as_ref(), Some(&condition), "{text:?} was written as {written:?}");
}

static READ: LazyLock<Contract> = LazyLock::new(|| {
    let contract = Contract::parse(CONTRACT).into_result().unwrap_or_else(|faults| panic!("{faults:?}"));
    contract.expect("a contract without faults")
});

/// The condition; `None` where it is refused, which takes a reason.
fn read(text: &str) -> Option<Filter> {
    let place = |value: &str| Placed { value: value.to_owned(), place: () };
    let model = ModelAnnotation {
        was: None,
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
