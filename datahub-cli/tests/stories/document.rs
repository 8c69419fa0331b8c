//! The document that a story becomes: what was said, done and answered, on both databases side by side.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

use regex::{Captures, Regex};

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// The same on each database.
    Same(String),
    /// What a database answered.
    Of(String),
}

/// The document of a story that was carried out on one database or on two.
pub(crate) fn joined(sqlite: &[Part], postgres: Option<&[Part]>) -> String {
    let mut document = String::new();
    let Some(postgres) = postgres else {
        for part in sqlite {
            match part {
                Part::Same(text) | Part::Of(text) => document.push_str(text),
            }
        }
        return document;
    };
    assert_eq!(sqlite.len(), postgres.len(), "the story goes on differently:\n{sqlite:#?}\n{postgres:#?}");
    for pair in sqlite.iter().zip(postgres) {
        match pair {
            (Part::Same(one), Part::Same(other)) => {
                assert_eq!(masked(one), masked(other), "SQLite and PostgreSQL differ");
                document.push_str(one);
            }
            (Part::Of(one), Part::Of(other)) if one == other && masked(one) == *one => document.push_str(one),
            // How long something took is different on each.
            (Part::Of(one), Part::Of(other)) => {
                _ = write!(document, "On SQLite:\n\n{one}On PostgreSQL:\n\n{other}");
            }
            (one, other) => panic!("the story goes on differently:\n{one:#?}\n{other:#?}"),
        }
    }
    document
}

/// Asserts that a document of `docs/` is this one but for times, or renews it.
pub(crate) fn is_recorded(name: &str, document: &str) {
    let path = docs().join(name);
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    if masked(&recorded) == masked(document) {
        return;
    }
    if env::var("DATAHUB_DOCS").is_ok_and(|docs| docs == "overwrite") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, document).unwrap();
        return;
    }
    let (recorded, document) = (masked(&recorded), masked(document));
    let diff = similar::TextDiff::from_lines(&recorded, &document).unified_diff().context_radius(3).to_string();
    panic!("docs/{name} tells something else; DATAHUB_DOCS=overwrite renews it\n{diff}");
}

pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// A text in which what differs between runs is replaced by what does not: how long things took, and how much was done
/// meanwhile.
fn masked(text: &str) -> String {
    static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b\d+(\.\d+)? ?(?<unit>ms|s|rounds)\b|, no lock that keeps others waiting").unwrap()
    });
    let masked = NUMBERS.replace_all(text, |found: &Captures<'_>| match found.name("unit").map(|unit| unit.as_str()) {
        Some("rounds") => "# rounds",
        Some(_) => "# ms",
        None => ", longest lock # ms",
    });
    // The report names the longest lock only if there was one.
    masked.replace("; the longest lock was held for # ms", "")
}
