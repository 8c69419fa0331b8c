//! What is printed: text for people, JSON for machines. Nothing else in this crate prints.

use std::io::Write as _;

use serde_json::Value;

/// Where and how results are printed.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Output { json }
    }

    /// A result: the text, or with `--json` the value on one line.
    pub(crate) fn result(&self, text: &str, json: &Value) {
        let line = if self.json { json.to_string() } else { text.to_owned() };
        // A reader who has gone away has seen enough.
        _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Why nothing could be done.
    pub(crate) fn error(&self, error: &str) {
        _ = writeln!(std::io::stderr(), "error: {error}");
    }
}
