//! Why a login failed: refused for good, or to be tried again.

use std::fmt;
use std::time::Duration;

use datahub_protocol::Reason;

use super::transport::NoResponse;

/// Why a login failed, in words without secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginError {
    reason: Reason,
    is_refused: bool,
    retry_after: Option<Duration>,
}

/// `main` prints an error that it returns in this form, so it is in words.
impl fmt::Debug for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl LoginError {
    /// A login that came to nothing, for this reason; it may succeed another time.
    pub fn new(reason: impl Into<String>) -> Self {
        LoginError::because(Reason::from(reason.into()))
    }

    /// A login whose user or password was refused. It is not tried again until they change, because every try brings the
    /// user nearer to being locked out.
    pub fn refused(reason: impl Into<String>) -> Self {
        LoginError { is_refused: true, ..LoginError::new(reason) }
    }

    /// Has the next try wait at least this long, an hour at most, because the server asks for it. A refused login is not
    /// tried again anyway.
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Whether the user or the password was refused.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// As [`LoginError::new`], with the error that caused it.
    pub(crate) fn because(reason: Reason) -> Self {
        LoginError { reason, is_refused: false, retry_after: None }
    }

    pub(crate) fn of_no_response(no_response: NoResponse) -> Self {
        LoginError::because(Reason::of(no_response))
    }

    /// The same error in other words.
    #[cfg(any(feature = "ntlm", feature = "oauth"))]
    pub(crate) fn in_words(self, words: impl FnOnce(&Reason) -> String) -> Self {
        let words = words(&self.reason);
        LoginError { reason: self.reason.in_words(words), ..self }
    }

    /// How long the server asks to wait.
    pub(crate) fn pause(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn reason(&self) -> &Reason {
        &self.reason
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for LoginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.reason.source()
    }
}
