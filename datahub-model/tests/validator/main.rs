//! The validator, case by case: a row has an input, and either each diagnostic that it must have or what was resolved.

mod attributes;
mod beside;
mod choices;
mod command;
mod compiler;
mod contracts;
mod corrections;
mod fields;
mod groups;
mod hostile_names;
mod mapping_id;
mod metadata;
mod models;
mod only;
mod questions;
mod reader;
mod reference;
mod row;
mod ways;
mod wording;

use std::collections::BTreeSet;

use datahub_model::diagnostic::Code;
use row::Row;

fn all() -> Vec<Row> {
    let topics = [
        attributes::rows,
        beside::rows,
        choices::rows,
        contracts::rows,
        fields::rows,
        groups::rows,
        metadata::rows,
        models::rows,
        only::rows,
        questions::rows,
    ];
    topics.iter().flat_map(|rows| rows()).collect()
}

/// Checks a topic's rows, and reports every row whose outcome is not the expected one.
fn check(rows: Vec<Row>) {
    let wrong: Vec<String> = rows.iter().filter_map(|row| row.check().err()).collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn every_code_is_made_by_a_row() {
    let mut made: BTreeSet<Code> = all().iter().flat_map(Row::codes).collect();
    made.extend(compiler::messages().into_iter().map(|(code, ..)| code));
    made.extend(command::MESSAGES.map(|(code, ..)| code));
    let missing: Vec<_> = Code::ALL.iter().filter(|code| !made.contains(code)).collect();
    assert!(missing.is_empty(), "no row makes {missing:?}");
}

/// A validator that rejects everything would pass every case of a fault.
#[test]
fn more_is_accepted_than_refused() {
    let rows = all();
    let refused = rows.iter().filter(|row| !row.codes().is_empty()).count();
    let accepted = rows.len() - refused + ways::tried();
    assert!(accepted > refused, "{accepted} cases are accepted, {refused} refused");
}

#[test]
fn names_of_rows_and_codes_are_unique() {
    let rows = all();
    let names: BTreeSet<_> = rows.iter().map(Row::name).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(codes.len(), Code::ALL.len(), "two codes have one name");
}
