//! Refusals: what the error in a response means, and what can be done about it.

use std::fmt;

/// An error in CDMS's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it means. Decisions rest on this alone.
    pub meaning: Meaning,
    /// Its status and code, for messages.
    pub mark: Mark,
    /// CDMS's text, in the language of its user.
    pub message: String,
}

impl Refusal {
    /// The response, in words for a message.
    pub fn in_words(&self) -> String {
        format!("CDMS answered {}: {}", self.mark.status, self.message)
    }
}

/// The status and code of a response. They can be shown to people, but no decision can be made by them.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    status: u16,
    code: Option<String>,
}

impl Mark {
    /// The mark of a status, and of a code in the dialect's own form.
    pub fn new(status: u16, code: Option<String>) -> Self {
        Mark { status, code }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        match &self.code {
            Some(code) => write!(f, ", code {code}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({self})")
    }
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Meaning {
    /// There is no such record.
    RecordMissing,
    /// A record with this id exists.
    DuplicateKey,
    /// The CDMS user may not do this.
    NoPrivilege,
    /// A text is longer than its attribute.
    TextTooLong,
    /// An option does not exist.
    OptionOutOfRange,
    /// An argument is invalid.
    InvalidArgument,
    /// The status reason does not belong to the state.
    StateStatusMismatch,
    /// A plug-in of the organisation refused.
    PluginRefused,
    /// An unexpected error; whether anything was written is not known.
    Unexpected,
    /// A collision with another request, rolled back; a repetition helps.
    Deadlock,
    /// An SQL statement took too long; whether anything was written is not known.
    SqlTimeout,
    /// CDMS does not understand the request; it names an unknown property, for instance.
    NotUnderstood,
    /// Something else, which CDMS's text says.
    Other,
}

impl Meaning {
    /// What a person can do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Meaning::RecordMissing => "the record is gone; read it again",
            Meaning::DuplicateKey => "a record with this id exists; read it, or create under a new id",
            Meaning::NoPrivilege => "give the CDMS user the privilege named in CDMS's text",
            Meaning::TextTooLong => "shorten the text, and state `max-length` in the contract",
            Meaning::OptionOutOfRange => "use an option that CDMS has, and list `choices` in the contract",
            Meaning::InvalidArgument => "check the values named in CDMS's text",
            Meaning::StateStatusMismatch => "use a status that belongs to the record's state",
            Meaning::PluginRefused => "a rule in CDMS refused the request; see CDMS's text",
            Meaning::Unexpected => "check the CDMS server's trace",
            Meaning::Deadlock => "try again",
            Meaning::SqlTimeout => "try again when the CDMS server is less busy",
            Meaning::NotUnderstood => "the contract may be out of date; compare it with $metadata",
            Meaning::Other => "see CDMS's text",
        }
    }
}

/// A refusal by what stands in front of CDMS, a proxy or the web server. CDMS did not see the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFront {
    /// Why.
    pub cause: InFrontCause,
    /// Its status, for messages.
    pub mark: Mark,
    /// What the response carried, in words.
    pub said: String,
}

/// Why a request was refused before it reached CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InFrontCause {
    /// A proxy requires a login of its own.
    ProxyLogin,
    /// The body is too large.
    BodyTooLarge,
    /// The address or the headers are too long.
    HeadTooLong,
    /// There are too many requests.
    TooMany,
    /// Something else.
    Other,
}

impl InFrontCause {
    /// What a person can do about it.
    pub fn advice(self) -> &'static str {
        match self {
            InFrontCause::ProxyLogin => "set the proxy's user and password",
            InFrontCause::BodyTooLarge => "send less at once, or raise the web server's limit on request size",
            InFrontCause::HeadTooLong => "raise the web server's limits on the length of addresses and headers",
            InFrontCause::TooMany => "try again later",
            InFrontCause::Other => "check the log of the proxy or web server in front of CDMS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_shown_with_its_code_where_it_has_one() {
        assert_eq!(Mark::new(413, None).to_string(), "status 413");
        assert_eq!(Mark::new(500, Some("-1".to_owned())).to_string(), "status 500, code -1");
    }
}
