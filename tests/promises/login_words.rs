//! The words by which docs/logins.md explains errors are those of messages.

use std::fs;
use std::path::{Path, PathBuf};

/// Where messages about logins are written.
const SOURCES: [&str; 4] =
    ["datahub-runtime/src/login", "datahub-runtime/src/cdms", "datahub-login/src", "cdms-odata/src/dialect"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The code of a folder without comments and tests, as one line in which a message that is written over several lines is
/// whole, and numbers have no underscores.
fn code(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&code(&path));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let program = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for line in program.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            match line.strip_suffix('\\') {
                Some(begun) => all.push_str(begun),
                None => all.extend([line, "\n"]),
            }
        }
    }
    let letters: Vec<_> = all.chars().collect();
    let is_digit = |at: Option<&char>| at.is_some_and(char::is_ascii_digit);
    let kept = letters.iter().enumerate().filter(|(at, letter)| {
        **letter != '_' || !(is_digit(letters.get(at.wrapping_sub(1))) && is_digit(letters.get(at + 1)))
    });
    kept.map(|(_, letter)| *letter).collect()
}

/// The first cells of the tables of errors.
fn cells(document: &str) -> Vec<&str> {
    let mut cells = Vec::new();
    let mut is_inside = false;
    for line in document.lines() {
        is_inside = line.starts_with("| the error says |") || is_inside && line.starts_with('|');
        let cell = line.split('|').nth(1).unwrap_or_default().trim();
        if is_inside && cell != "the error says" && !cell.starts_with("---") {
            cells.push(cell);
        }
    }
    cells
}

#[test]
fn what_the_document_quotes_of_errors_stands_in_messages() {
    let code: String = SOURCES.iter().map(|folder| code(&root().join(folder))).collect();
    let document = fs::read_to_string(root().join("docs/logins.md")).unwrap();
    let cells = cells(&document);
    assert!(cells.len() >= 30, "{cells:?}");
    let mut missing = Vec::new();
    for cell in cells {
        // Codes are listed, each in backticks; messages are on lines of their own, and … stands for what differs.
        let parts: Vec<_> = match cell.starts_with('`') {
            true => cell.split(", ").map(|code| code.trim_matches('`').trim_start_matches("AADSTS")).collect(),
            false => cell.split("<br>").flat_map(|words| words.split('…')).collect(),
        };
        let is_said = |part: &&str| code.contains(*part);
        missing.extend(parts.into_iter().map(str::trim).filter(|part| !is_said(part)).map(|part| (part, cell)));
    }
    assert_eq!(missing, [], "no message has these words");
}
