//! Output: text for people, JSON for machines. The rest of this crate does not print.

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
        // If the reader has closed the pipe, the rest is not needed.
        _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Why the command failed.
    pub(crate) fn error(&self, error: &str) {
        _ = writeln!(std::io::stderr(), "error: {error}");
    }
}
