//! Any bytes as an answer of the SOAP service: what it says of entities becomes contracts that can be read, or there is a
//! reason that can be shown.

use std::collections::BTreeSet;

use datahub_import::{Base, Source, Wanted, merge, soap, unite};
use datahub_model::source::Contract;

/// Reads an answer, writes contracts of it, and imports it again.
pub fn run(data: &[u8]) {
    if let Some(fault) = soap::fault(data) {
        can_be_shown(&fault);
    }
    let source = match Source::read("answer", data) {
        Ok(source) if source.metadata().is_none() => source,
        // A target of its own reads `$metadata`.
        Ok(_) => return,
        Err(unusable) => return can_be_shown(&unusable.to_string()),
    };
    let united = match unite(&[source], &Wanted { entities: None, zone: None }) {
        Ok(united) => united,
        Err(reason) => return can_be_shown(&reason),
    };
    united.remarks.iter().for_each(|remark| obeys_nothing(&remark.to_string()));
    let mut names = BTreeSet::new();
    for entity in &united.entities {
        let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        assert!(!entity.name.is_empty() && entity.name.chars().all(is_of_a_name), "{:?} is no name", entity.name);
        assert!(names.insert(entity.name.to_lowercase()), "{} is written twice", entity.name);
        let first = merge(None, None, entity, false).expect("nothing is in the way of a first contract");
        let contract = Contract::parse(&first.text).into_result();
        assert!(contract.is_ok(), "{contract:?} in {}", first.text);
        let written = first.base.text();
        let base = Base::parse(&written).unwrap_or_else(|reason| panic!("{reason} in {written}"));
        assert_eq!(base.text(), written, "what CDMS said is read as it was written");
        let again = merge(Some(&first.text), Some(&base), entity, false).expect("it is a contract");
        assert_eq!((&again.changes[..], &again.conflicts[..]), (&[][..], &[][..]), "nothing has changed");
        assert_eq!(again.text, first.text);
    }
}

/// What comes from a server is shown on one line or two.
fn can_be_shown(text: &str) {
    obeys_nothing(text);
    assert!(text.len() < 4096, "a message of {} bytes", text.len());
}

/// What is shown has no characters that a terminal obeys.
fn obeys_nothing(text: &str) {
    assert!(!text.contains(|letter: char| letter.is_control() || letter == '\u{202e}'), "{text:?}");
}
