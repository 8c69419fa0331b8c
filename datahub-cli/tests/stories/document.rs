//! The document that a story becomes: what was said, done and answered, on both databases side by side.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

use regex::Regex;

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// The same on each database.
    Same(String),
    /// What a database answered.
    Of { intro: String, text: String },
}

/// The document of a story that was told on one database or on two.
pub(crate) fn joined(sqlite: &[Part], postgres: Option<&[Part]>) -> String {
    let mut document = String::new();
    let Some(postgres) = postgres else {
        for part in sqlite {
            match part {
                Part::Same(text) => document.push_str(text),
                Part::Of { intro, text } => _ = write!(document, "{intro}{text}"),
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
            (Part::Of { intro, text: one }, Part::Of { text: other, .. }) if masked(one) == masked(other) => {
                _ = write!(document, "{intro}{one}");
            }
            (Part::Of { intro, text: one }, Part::Of { text: other, .. }) => {
                _ = write!(document, "{intro}On SQLite:\n\n{one}On PostgreSQL:\n\n{other}");
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

/// A text in which what differs between runs is replaced by what does not: how long things took.
fn masked(text: &str) -> String {
    static DURATION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d+(\.\d+)? ?(ms|µs|s)\b").unwrap());
    DURATION.replace_all(text, "# ms").into_owned()
}
