//! The wording of all messages: those of the reference, and those that the compiler shows in `tests/ui/fail`.

use std::collections::BTreeSet;

use datahub_model::diagnostic::Code;

/// Phrases that `CONTRIBUTING.md` replaces by others. Each is found at the beginning of a word.
const AVOIDED: [&str; 17] = [
    "are called",
    "are no ",
    "beside ",
    "cannot be read",
    "does not say",
    "has no key `",
    "has to be",
    "is called",
    "is no ",
    "is to be",
    "mend",
    "nobody",
    "nought",
    "reckon",
    "there is no ",
    "told",
    "whoever",
];

/// The phrases of a text that should be others.
fn avoided_in(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let is_in = |phrase: &str| {
        let mut found = text.match_indices(phrase);
        found.any(|(at, _)| !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
    };
    AVOIDED.into_iter().filter(|phrase| is_in(phrase)).collect()
}

/// Whether the compiler shows a line of source here, which is not part of a message.
fn is_source(line: &str) -> bool {
    let number = line.trim_start();
    let rest = number.trim_start_matches(|letter: char| letter.is_ascii_digit());
    rest.len() < number.len() && rest.trim_start().starts_with(['|', '+', '~'])
}

#[test]
fn messages_use_the_preferred_phrases() {
    let reference = super::reference::page();
    let compiler = super::compiler::texts();
    let compiler = compiler.iter().flat_map(|text| text.lines()).filter(|line| !is_source(line));
    let found: BTreeSet<_> = reference.lines().chain(compiler).filter(|line| !avoided_in(line).is_empty()).collect();
    let found: Vec<_> = found.into_iter().map(|line| (avoided_in(line), line)).collect();
    assert!(found.is_empty(), "CONTRIBUTING.md has better phrases: {found:#?}");
}

#[test]
fn messages_begin_in_lower_case_and_have_no_final_period() {
    let rows = super::all();
    let messages = Code::ALL.iter().flat_map(|code| rows.iter().flat_map(|row| row.messages(*code)));
    for line in messages {
        let cells: Vec<_> = line.trim_matches(['|', ' ']).split(" | ").collect();
        for text in cells {
            let begins_well = !text.starts_with(|letter: char| letter.is_uppercase()) || text.starts_with("CDMS");
            assert!(begins_well && !text.ends_with('.'), "{text}");
        }
    }
}

#[test]
fn an_avoided_phrase_is_found() {
    for (text, phrase) in [
        ("no kind is called `sting`", "is called"),
        ("the contract is no TOML", "is no "),
        ("Mend the line that is shown", "mend"),
        ("a contract has no key `sett`", "has no key `"),
    ] {
        assert_eq!(avoided_in(text), [phrase], "{text}");
    }
    assert_eq!(avoided_in("recommended by an untold number"), Vec::<&str>::new());
    assert!(is_source("12 | fax: \"nobody has one\"") && !is_source("error: nobody"));
}
