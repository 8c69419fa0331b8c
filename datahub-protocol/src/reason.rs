//! Reasons: why something failed, in words, together with the error that caused it, if any.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why something failed. Two reasons with the same words are equal, whatever their causes.
#[derive(Clone)]
pub struct Reason {
    words: String,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Reason {
    /// Makes a reason from an error, in the error's words.
    pub fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Reason { words: error.to_string(), cause: Some(Arc::new(error)) }
    }

    /// The same reason in other words; the cause is kept.
    pub fn in_words(self, words: impl Into<String>) -> Self {
        Reason { words: words.into(), ..self }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.words
    }

    /// The error that caused it, if any.
    pub fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl From<String> for Reason {
    fn from(words: String) -> Self {
        Reason { words, cause: None }
    }
}

impl From<&str> for Reason {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Reason {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.words, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_cause_when_its_words_change() {
        let reason = Reason::of("x".parse::<i32>().expect_err("not a number"));
        assert_eq!(reason.as_str(), "invalid digit found in string");
        let other = reason.in_words("not taken");
        assert_eq!(other, Reason::from("not taken"));
        assert_eq!(format!("{other} {other:?}"), "not taken \"not taken\"");
        assert!(other.source().is_some_and(|cause| cause.is::<std::num::ParseIntError>()));
    }
}
