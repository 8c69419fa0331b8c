//! Refusals: that a request was not carried out, what that means, and what can be done about it.

use std::fmt;

/// CDMS's own word that it did not do what it was asked, or that it failed at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it means: all that is decided by it.
    pub meaning: Meaning,
    /// How the answer was marked on the wire.
    pub mark: Mark,
    /// CDMS's text, in the language of its user.
    pub message: String,
}

impl Refusal {
    /// What CDMS answered, in words.
    pub fn in_words(&self) -> String {
        format!("CDMS answered {} with: {}", self.mark.status, self.message)
    }
}

/// The status and the code of an answer, to be shown to people. Nothing can be decided by it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    status: u16,
    code: Option<String>,
}

impl Mark {
    /// The mark of an answer with this status, and with this code in the form that its dialect has.
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
    /// The request names what CDMS does not have, or says it in another way than CDMS understands.
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
            Meaning::NoPrivilege => "give the CDMS user the privilege that the text names",
            Meaning::TextTooLong => "shorten the text, and state `max-length` in the contract",
            Meaning::OptionOutOfRange => "use an option that CDMS has, and list `choices` in the contract",
            Meaning::InvalidArgument => "check the values that the text names",
            Meaning::StateStatusMismatch => "use a status that belongs to the record's state",
            Meaning::PluginRefused => "a rule in CDMS refused; its text says which",
            Meaning::Unexpected => "look at the CDMS server's trace",
            Meaning::Deadlock => "try again",
            Meaning::SqlTimeout => "try again when the CDMS server is less busy",
            Meaning::NotUnderstood => "the contract may be out of date; compare it with $metadata",
            Meaning::Other => "CDMS's text says more",
        }
    }
}

/// That what stands in front of CDMS, a proxy or its web server, refused a request before CDMS has begun with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFront {
    /// Why.
    pub cause: InFrontCause,
    /// How the answer was marked on the wire.
    pub mark: Mark,
    /// What the answer carried, in words.
    pub said: String,
}

/// Why a request was refused in front of CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InFrontCause {
    /// A proxy wants a login of its own.
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
            InFrontCause::BodyTooLarge => "send less at once, or raise the largest request that the web server takes",
            InFrontCause::HeadTooLong => "raise the longest address and headers that the web server takes",
            InFrontCause::TooMany => "try again later",
            InFrontCause::Other => "look into the log of the proxy or web server that answers at CDMS's address",
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
