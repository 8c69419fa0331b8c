//! Output: text for people, JSON for machines, commands for GitHub's workflows. The rest of this crate does not print.

use std::io::Write as _;

use clap::ValueEnum;
use serde_json::{Value, json};

/// Whom the output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; in colour on a terminal, unless NO_COLOR is set.
    Text,
    /// For machines: one object on each line.
    Json,
    /// For GitHub: annotations of the changed files.
    Github,
}

/// Something to read while a command runs, on standard error.
pub(crate) fn note(text: &str) {
    _ = writeln!(std::io::stderr(), "{text}");
}

/// Where and how results are printed.
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Output { format }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// A result: the text, or as JSON the value on one line.
    pub(crate) fn result(&self, text: &str, json: &Value) {
        match self.format {
            Format::Json => self.line(&json.to_string()),
            Format::Text | Format::Github => self.line(text),
        }
    }

    /// A result that only machines want to have.
    pub(crate) fn only_json(&self, json: &Value) {
        if self.format == Format::Json {
            self.line(&json.to_string());
        }
    }

    /// A line, or several, that have the format already. Colours are left out unless this is a terminal that shows them.
    pub(crate) fn line(&self, text: &str) {
        // If the reader has closed the pipe, the rest is not needed.
        _ = writeln!(anstream::stdout(), "{text}");
    }

    /// Something to know besides the result.
    pub(crate) fn note(&self, note: &str) {
        _ = writeln!(anstream::stderr(), "note: {note}");
    }

    /// Whether results are for machines.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Why the command failed; for machines also as the last object, `{"error": …}`.
    pub(crate) fn error(&self, error: &str) {
        self.only_json(&json!({ "error": error }));
        _ = writeln!(anstream::stderr(), "error: {error}");
    }
}
