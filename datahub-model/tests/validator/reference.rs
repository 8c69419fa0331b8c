//! The reference of codes, `docs/faults.md`: each with its explanation and the messages of all cases.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use datahub_model::diagnostic::Code;

/// The page as it must be.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Faults of a mapping\n\n\
         The first line of every message of the derives and of `datahub check` ends with a code in brackets. The \
         compiler's own errors, such as for a function with a wrong signature, have none. `datahub explain <code>` shows \
         the text of this page for a code. The messages below it are those of the validator's test cases, and those of \
         the cases in `tests/ui/fail` if only the compiler can find the fault. This page is generated from these cases by \
         `DATAHUB_DOCS=overwrite cargo test --workspace --all-features --test validator`.\n",
    );
    let rows = super::all();
    for code in Code::ALL {
        _ = write!(page, "\n## `{code}`\n\n{}\n", code.explanation());
        let mut messages: BTreeSet<String> = rows.iter().flat_map(|row| row.messages(*code)).collect();
        let of_the_compiler = super::compiler::messages().into_iter().filter(|(of, ..)| of == code);
        messages.extend(of_the_compiler.map(|(_, message, help)| format!("| {message} | {help} |")));
        let of_the_command = super::command::MESSAGES.into_iter().filter(|(of, ..)| of == code);
        messages.extend(of_the_command.map(|(_, message, help)| format!("| {message} | {help} |")));
        _ = writeln!(page, "\n| message | help |\n|---|---|");
        for message in messages {
            _ = writeln!(page, "{message}");
        }
    }
    page
}

#[test]
fn the_reference_says_what_the_validator_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    let page = page();
    if std::env::var("DATAHUB_DOCS").is_ok_and(|value| value == "overwrite") {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/faults.md differs from the validator's messages; DATAHUB_DOCS=overwrite renews it");
}

/// The page about contracts names every kind and every key, and its example is one.
#[test]
fn the_page_about_contracts_is_complete() {
    let page = include_str!("../../../docs/contracts.md");
    // The cure for an unknown key lists all keys.
    let asked = "entity = 'A'\nquantum = 1\n[attributes]\nA = { kind = 'string', quantum = 1 }";
    let (_, messages) = datahub_model::source::Contract::parse(asked).into_parts();
    let keys: Vec<_> = messages.iter().filter_map(|fault| fault.cure.text.strip_prefix("expected one of: ")).collect();
    assert_eq!(keys.len(), 2, "{messages:#?}");
    let keys = keys.into_iter().flat_map(|keys| keys.split(", "));
    for name in keys {
        let is_there = [format!("`{name}"), format!("`[{name}")].iter().any(|begin| page.contains(begin.as_str()));
        assert!(is_there, "the key {name} is missing on the page");
    }
    for name in cdms_odata::Kind::ALL.iter().map(|kind| kind.name()) {
        assert!(page.contains(&format!("`{name}`")), "{name} is missing on the page");
    }
    let example =
        page.split("```").nth(1).and_then(|block| block.strip_prefix("toml\n")).expect("it begins with an example");
    let (contract, faults) = datahub_model::source::Contract::parse(example).into_parts();
    assert!(faults.is_empty() && contract.is_some_and(|contract| contract.attributes.len() == 10), "{faults:#?}");
}

#[test]
fn every_message_has_a_cure() {
    let lacking: Vec<_> = page().lines().filter(|line| line.ends_with("|  |")).map(str::to_owned).collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
}

#[test]
fn every_explanation_says_what_to_do() {
    for code in Code::ALL {
        let messages = code.explanation();
        let (meaning, cure) = messages.split_once("\n\nCure: ").unwrap_or_else(|| panic!("{code} has no cure"));
        assert!(meaning.ends_with('.') && cure.ends_with(['.', '`']), "{code} ends in mid-sentence");
        assert!(!messages.contains("  "), "{code} has two blanks");
        assert_eq!(Code::named(code.name()), Some(*code));
    }
    assert_eq!(Code::named("no-such-code"), None);
}
