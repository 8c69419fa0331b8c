//! What is wrong with migrations: where, what, and what to do.

use serde_json::json;

use crate::output::Output;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The file or folder, from the project's root; empty if it is about none.
    pub(super) place: String,
    /// What is wrong there.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Fault { place: place.into(), message: message.into(), help: help.into() }
    }

    /// The fault as a part of a sentence.
    pub(super) fn in_one_line(&self) -> String {
        let Fault { place, message, help } = self;
        let at = if place.is_empty() { String::new() } else { format!("{place}: ") };
        format!("{at}{message}; {help}")
    }

    /// Prints faults.
    pub(super) fn print(faults: &[Fault], output: &Output) {
        for Fault { place, message, help } in faults {
            let at = if place.is_empty() { String::new() } else { format!("{place}: ") };
            let json = json!({ "place": place, "message": message, "help": help });
            output.result(&format!("error: {at}{message}\nhelp: {help}\n"), &json);
        }
    }
}
