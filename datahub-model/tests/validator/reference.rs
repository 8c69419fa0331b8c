//! The reference of codes, `docs/faults.md`: each with its explanation and the messages of all cases, from the cases.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use datahub_model::diagnostic::Code;

/// The page as it must be.
fn page() -> String {
    let mut page = String::from(
        "# Faults of a mapping\n\n\
         Every message of the derives and of `datahub check` ends its first line with a code in brackets; what the \
         compiler finds by itself, such as a function of another signature, it tells in its own words. \
         `datahub explain <code>` shows this page's text for one of them. The messages below it are those of the \
         validator's own test cases, and where only the compiler can tell of its cases in `tests/ui/fail`, of which this page is made: `DATAHUB_DOCS=overwrite cargo test -p datahub-model \
         --all-features --test validator`.\n",
    );
    let rows = super::all();
    for code in Code::ALL {
        _ = write!(page, "\n## `{code}`\n\n{}\n", code.explanation());
        let mut told: BTreeSet<String> = rows.iter().flat_map(|row| row.messages(*code)).collect();
        let of_the_compiler = super::compiler::told().into_iter().filter(|(of, ..)| of == code);
        told.extend(of_the_compiler.map(|(_, message, help)| format!("| {message} | {help} |")));
        _ = writeln!(page, "\n| message | help |\n|---|---|");
        for message in told {
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
    assert!(kept == page, "docs/faults.md is not as the validator has it; run the test with DATAHUB_DOCS=overwrite");
}

/// The page about contracts names every kind and every key, and its example is one.
#[test]
fn the_page_about_contracts_is_whole() {
    let page = include_str!("../../../docs/contracts.md");
    // The reader itself names the keys, where it does not know one.
    let asked = "entity = 'A'\nquantum = 1\n[attributes]\nA = { kind = 'string', quantum = 1 }";
    let (_, told) = datahub_model::source::Contract::parse(asked).into_parts();
    let keys: Vec<_> = told.iter().filter_map(|fault| fault.cure.strip_prefix("one of: ")).collect();
    assert_eq!(keys.len(), 2, "{told:#?}");
    let keys = keys.into_iter().flat_map(|keys| keys.split(", "));
    for name in keys {
        let is_there = [format!("`{name}"), format!("`[{name}")].iter().any(|begin| page.contains(begin.as_str()));
        assert!(is_there, "the key {name} is not on the page");
    }
    for name in cdms_odata::Kind::ALL.iter().map(|kind| kind.name()) {
        assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
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
        let told = code.explanation();
        let (meaning, cure) = told.split_once("\n\nCure: ").unwrap_or_else(|| panic!("{code} names no cure"));
        assert!(meaning.ends_with('.') && cure.ends_with(['.', '`']), "{code} ends in mid-sentence");
        assert!(!told.contains("  "), "{code} has two blanks");
        assert_eq!(Code::named(code.name()), Some(*code));
    }
    assert_eq!(Code::named("no-such-code"), None);
}
