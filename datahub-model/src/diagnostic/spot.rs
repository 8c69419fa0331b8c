//! A place in one of the project's files, and its drawing in a message.

use super::Diagnostic;

/// A place in a contract, or in `datahub.toml`. Places are ordered as in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Spot {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The line itself; empty where it must not be shown.
    pub text: String,
}

impl Spot {
    /// The place at a byte offset of a text.
    pub fn at(text: &str, offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].lines().next().unwrap_or_default().to_owned();
        Spot { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1, text: line }
    }

    /// The file, the line and the column, and the line itself, if there is one, with a mark below the place.
    pub fn drawn(&self, path: &str) -> String {
        let Spot { line, column, text } = self;
        let gutter = " ".repeat(line.to_string().len());
        if text.is_empty() {
            return format!("{gutter}--> {path}:{line}:{column}");
        }
        let before = text.chars().take(column.saturating_sub(1));
        let indent: String = before.map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
        format!("{gutter}--> {path}:{line}:{column}\n{gutter} |\n{line} | {text}\n{gutter} | {indent}^")
    }
}

impl Diagnostic<Spot> {
    /// The whole text, with the line of the file of this path.
    pub fn render(&self, path: &str) -> String {
        self.text(Some(&self.place.drawn(path)))
    }
}
