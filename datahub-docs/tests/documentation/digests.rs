//! When a digest changes, and when it does not.

use std::collections::BTreeMap;

use datahub_docs::{Atlas, Digest, Digests, Standing};

use crate::project::{ACCOUNT, MODELS, whole, with};

fn digests(account: &str, models: &str) -> Digests {
    Digests::of(&Atlas::new("Firms", &with(account, models)))
}

/// The committed files of the small project.
fn committed() -> BTreeMap<String, String> {
    Digests::of(&Atlas::new("Firms", &whole())).files().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The files that are stale after an edit.
fn stale(from: &str, to: &str) -> Vec<String> {
    assert!(ACCOUNT.contains(from) || MODELS.contains(from), "nothing to replace: {from}");
    let found = digests(&ACCOUNT.replace(from, to), &MODELS.replace(from, to)).against(&committed());
    assert!(found.iter().all(|(_, _, standing)| *standing == Standing::Stale), "{found:?}");
    found.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn a_file_each_for_models_and_contracts() {
    let committed = committed();
    let names: Vec<_> = committed.keys().map(String::as_str).collect();
    let expected =
        ["contract-account.digest", "contract-country.digest", "model-companies.digest", "model-countries.digest"];
    assert_eq!(names, expected);
    assert!(committed["model-companies.digest"].ends_with(" model `Company`\n"));
    assert_eq!(digests(ACCOUNT, MODELS).against(&committed), []);
}

#[test]
fn files_of_others_are_no_digests() {
    for (name, text) in committed() {
        assert_eq!(format!("{}\n", Digest::of_file(&name, text.as_bytes()).unwrap()), text);
    }
    let line = "0123456789abcdef model `Lead`";
    assert!(Digest::of_file("model-leads.digest", line.as_bytes()).is_some());
    for (name, content) in [
        ("leads.digest", line.as_bytes()),
        ("model-.digest", line.as_bytes()),
        ("contract-leads.digest", line.as_bytes()),
        ("model-leads.txt", line.as_bytes()),
        ("model-leads.digest", b""),
        ("model-leads.digest", b"0123456789abcde model `Lead`"),
        ("model-leads.digest", b"0123456789ABCDEF model `Lead`"),
        ("model-leads.digest", b"0123456789abcdef Lead"),
        ("model-leads.digest", b"0123456789abcdef model `Lead`\nand more, `ours`"),
        ("model-leads.digest", b"0123456789abcdef model `\xff`"),
    ] {
        assert_eq!(Digest::of_file(name, content), None, "{name}: {content:?}");
    }
}

#[test]
fn only_what_a_page_is_made_from_makes_it_stale() {
    assert_eq!(stale("A company. It trades.", "A company."), ["model-companies.digest"]);
    assert_eq!(stale("A country.", "A land."), ["model-countries.digest"]);
    assert_eq!(stale("Where a company is.", "Its place."), ["model-companies.digest"]);
    assert_eq!(stale("max-length = 160", "max-length = 200"), ["contract-account.digest", "model-companies.digest"]);
    assert_eq!(stale("nobody has one", "too old"), ["contract-account.digest"]);
    // A line more above a model moves it, and its page changes by a line number.
    assert_eq!(stale("//! Models.\n", "//! Models.\n\n"), [""; 0]);
}

#[test]
fn what_has_no_digest_or_no_page_is_told_apart() {
    let mut committed = committed();
    committed.remove("model-countries.digest");
    committed.insert("model-leads.digest".to_owned(), "0123456789abcdef model `Lead`\n".to_owned());
    let found = digests(ACCOUNT, MODELS).against(&committed);
    let expected = [
        ("model-countries.digest".to_owned(), "model `Country`".to_owned(), Standing::Missing),
        ("model-leads.digest".to_owned(), "model `Lead`".to_owned(), Standing::Leftover),
    ];
    assert_eq!(found, expected);
}
