//! Any text as a contract: it is read and checked without a panic, its faults lie in the text, and there is a mapping
//! of it or a reason why there is none.

use std::sync::LazyLock;

use cdms_odata::metadata::Metadata;
use datahub_derive::project::Settings;
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{
    ColumnLimit, Contract, DieselGlue, FieldAnnotation, Mapping, ModelAnnotation, Placed, Spot, check_choices, resolve,
};

static METADATA: LazyLock<Metadata> =
    LazyLock::new(|| Metadata::parse(include_str!("../../mappings/metadata.xml")).expect("our own snapshot is read"));

/// Reads, checks and resolves a contract.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The project's own file is read by the same reader of TOML.
    if let Err(fault) = Settings::parse(text) {
        lies_in(&fault, text);
    }
    let read = Contract::parse(text);
    assert_eq!(Contract::parse(text), read, "read again it is another contract");
    let (contract, faults) = read.into_parts();
    faults.iter().for_each(|fault| lies_in(fault, text));
    let Some(contract) = contract else {
        assert!(!faults.is_empty(), "there is neither a contract nor a fault");
        return;
    };
    let (beside, faults) = Contract::parse_beside(text, Some(&METADATA)).into_parts();
    assert_eq!(beside.map(|beside| beside.entity), Some(contract.entity.clone()), "$metadata makes another contract");
    faults.iter().for_each(|fault| lies_in(fault, text));
    for attribute in &contract.attributes {
        choices(&contract, &attribute.name);
    }
    for mode in ["sync", "mirror", "detached"] {
        let model = model(&contract, mode);
        let mapping = resolve(&model, &contract, ColumnLimit::Columns128);
        assert_eq!(
            resolve(&model, &contract, ColumnLimit::Columns128),
            mapping,
            "resolved again it is another mapping"
        );
        match mapping {
            Ok(mapping) => is_whole(&mapping, &model),
            Err(faulty) => {
                let is_told = !faulty.diagnostics.is_empty() || !faults.is_empty();
                assert!(is_told, "there is no mapping, and no fault says why");
                faulty.diagnostics.iter().for_each(|fault| _ = fault.text(None));
            }
        }
    }
}

/// A fault shows a line of the text and a column of that line. Where the settings are no TOML, the line is not shown.
fn lies_in(fault: &Diagnostic<Spot>, text: &str) {
    _ = fault.render("contract.toml");
    let spot = &fault.place;
    let line = text.split('\n').nth(spot.line.checked_sub(1).expect("lines begin with 1"));
    let line = line.unwrap_or_else(|| panic!("there is no such line: {fault:?}"));
    // A carriage return belongs to the line's end, unless the text ends with it.
    let is_hidden = spot.text.is_empty() && fault.code == Code::FaultyToml;
    let is_shown = is_hidden || line == spot.text || line.strip_suffix('\r') == Some(&spot.text);
    assert!(is_shown, "the line is not as shown: {fault:?}");
    let columns = 1..=line.chars().count() + 1;
    assert!(columns.contains(&spot.column), "the line has no such column: {fault:?}");
}

fn choices(contract: &Contract, attribute: &str) {
    let placed = |value: &str| Placed { value: value.to_owned(), place: "enum" };
    let variants: Vec<_> = ["active", "inactive"].map(placed).into();
    for takes_rest in [true, false] {
        if let Ok(numbers) = check_choices(contract, &placed(attribute), &variants, takes_rest) {
            assert_eq!(numbers.len(), variants.len(), "not every variant has its option");
        }
    }
}

/// A model with a field for each attribute and each group that the contract has.
fn model(contract: &Contract, mode: &str) -> ModelAnnotation<&'static str> {
    let field = |name: String, is_option| {
        let place = "field";
        FieldAnnotation::new(Placed { value: name, place }, place, is_option)
    };
    let key = FieldAnnotation { key: Some("key"), ..field("id".to_owned(), false) };
    let attributes = contract.attributes.iter().enumerate().map(|(at, attribute)| FieldAnnotation {
        attribute: Some(Placed { value: attribute.name.clone(), place: "attribute" }),
        read_only: attribute.read_only.then_some("read_only"),
        ..field(format!("a{at}"), !attribute.required)
    });
    let groups = contract.groups.iter().enumerate().map(|(at, group)| FieldAnnotation {
        flatten: Some(Placed { value: group.name.clone(), place: "flatten" }),
        read_only: Some("read_only"),
        ..field(format!("g{at}"), false)
    });
    ModelAnnotation {
        was: None,
        name: Placed { value: "Model".to_owned(), place: "struct" },
        table: Some(Placed { value: "models".to_owned(), place: "table" }),
        mode: Some(Placed { value: mode.to_owned(), place: "mode" }),
        only: None,
        diesel: DieselGlue { no_table: Some("table"), ..DieselGlue::default() },
        fields: [key].into_iter().chain(attributes).chain(groups).collect(),
        is_faulty: false,
    }
}

fn is_whole(mapping: &Mapping, model: &ModelAnnotation<&str>) {
    assert_eq!(mapping.fields.len(), model.fields.len(), "a field was lost");
    let mut names: Vec<_> = mapping.columns.iter().map(|column| &column.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), mapping.columns.len(), "two columns have one name");
}
