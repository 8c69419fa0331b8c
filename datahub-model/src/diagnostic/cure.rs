//! The cure of a diagnostic: what to do, and the correction that a tool may make without asking.

use std::fmt;

/// What to do about a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// What to do, for a person.
    pub text: String,
    /// The correction that is safe to make without asking, if there is one. It is rare, and so kept apart.
    pub correction: Option<Box<Correction>>,
}

/// Another word in place of the one at fault. It cannot change what the source means: the word at fault means nothing.
///
/// A diagnostic's place may be another word than the one that is wrong, such as the name of an attribute one of whose keys is
/// wrong. Then there is nothing to correct there, so a tool compares the word with [`found`](Correction::found) first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The word at fault, without quotes.
    pub found: String,
    /// The right word, without quotes.
    pub right: String,
}

impl Cure {
    /// A cure that a tool may carry out.
    pub fn correcting(text: impl Into<String>, found: impl Into<String>, right: impl Into<String>) -> Self {
        let correction = Correction { found: found.into(), right: right.into() };
        Cure { text: text.into(), correction: Some(Box::new(correction)) }
    }
}

impl From<String> for Cure {
    fn from(text: String) -> Self {
        Cure { text, correction: None }
    }
}

impl From<&str> for Cure {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for Cure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
