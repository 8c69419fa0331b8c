//! CDMS's error answers: the body, and what its codes mean.

use serde::Deserialize;

/// An error that CDMS gave in its own JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The platform's error code; `None` for errors of the protocol, which carry none.
    pub code: Option<i32>,
    /// CDMS's text, in the language of its user.
    pub message: String,
}

impl Refusal {
    /// Reads an error body: `{"error":{"code":"…","message":{"lang":"…","value":"…"}}}` (docs/protocol.md, 5).
    /// `None` when the body is something else, an HTML page for instance.
    pub fn read(status: u16, body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            error: ErrorBody,
        }
        #[derive(Deserialize)]
        struct ErrorBody {
            #[serde(default)]
            code: Code,
            message: Message,
        }
        #[derive(Deserialize, Default)]
        #[serde(untagged)]
        enum Code {
            Number(i64),
            Text(String),
            #[default]
            Missing,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Message {
            Localised { value: String },
            Plain(String),
        }
        let Envelope { error } = serde_json::from_slice(body).ok()?;
        let code = match error.code {
            Code::Number(number) => i32::try_from(number).ok(),
            Code::Text(text) => text.trim().parse().ok(),
            Code::Missing => None,
        };
        let (Message::Localised { value: message } | Message::Plain(message)) = error.message;
        Some(Refusal { status, code, message })
    }

    /// What the code means.
    pub fn meaning(&self) -> Meaning {
        let known = TABLE.iter().find(|row| Some(row.code) == self.code);
        known.map_or(Meaning::Other, |row| row.meaning)
    }
}

/// What an error code of the platform means (docs/protocol.md, 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// `Generic SQL error`: a collision with another request, rolled back; a repetition helps.
    Deadlock,
    /// An SQL statement took too long; whether anything was written is not known.
    SqlTimeout,
    /// A code that is not in the table, or none.
    Other,
}

struct Row {
    code: i32,
    meaning: Meaning,
    refused: bool,
    advice: &'static str,
}

/// The platform codes that are known, whether they prove that a write was refused, and what to do.
const TABLE: [Row; 11] = [
    row(-2_147_220_969, Meaning::RecordMissing, true, "the record is gone; read it again"),
    row(-2_147_220_937, Meaning::DuplicateKey, true, "a record with this id exists; read it, or create under a new id"),
    row(-2_147_220_960, Meaning::NoPrivilege, true, "give the CDMS user the privilege that the text names"),
    row(-2_147_204_303, Meaning::TextTooLong, true, "shorten the text, and state `max-length` in the contract"),
    row(
        -2_147_204_326,
        Meaning::OptionOutOfRange,
        true,
        "use an option that CDMS has, and list `choices` in the contract",
    ),
    row(-2_147_220_989, Meaning::InvalidArgument, true, "check the values that the text names"),
    row(-2_147_187_704, Meaning::StateStatusMismatch, true, "use a status that belongs to the record's state"),
    row(-2_147_220_891, Meaning::PluginRefused, true, "a rule in CDMS refused; its text says which"),
    row(-2_147_220_970, Meaning::Unexpected, false, "look at the CDMS server's trace"),
    row(-2_147_204_784, Meaning::Deadlock, true, "try again"),
    row(-2_147_204_783, Meaning::SqlTimeout, false, "try again when the CDMS server is less busy"),
];

const fn row(code: i32, meaning: Meaning, refused: bool, advice: &'static str) -> Row {
    Row { code, meaning, refused, advice }
}

impl Meaning {
    /// Whether an answer with this meaning proves that nothing was written.
    pub fn write_is_refused(self) -> bool {
        self.row().is_some_and(|row| row.refused)
    }

    /// What a person can do about it.
    pub fn advice(self) -> &'static str {
        self.row().map_or("CDMS's text says more", |row| row.advice)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.meaning == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_body_reads() {
        let body = br#"{"error":{"code":"-2147220969",
          "message":{"lang":"en-US","value":"account With Id = 1 Does Not Exist"},"innererror":{"message":"x"}}}"#;
        let refusal = Refusal::read(404, body).unwrap();
        assert_eq!(refusal.meaning(), Meaning::RecordMissing);
        assert_eq!(refusal.message, "account With Id = 1 Does Not Exist");
    }

    #[test]
    fn code_and_message_may_be_otherwise() {
        for (body, code) in [
            (r#"{"error":{"code":"","message":{"lang":"","value":"m"}}}"#, None),
            (r#"{"error":{"message":"m"}}"#, None),
            (r#"{"error":{"code":-2147220970,"message":"m"}}"#, Some(-2_147_220_970)),
        ] {
            let refusal = Refusal::read(500, body.as_bytes()).unwrap();
            assert_eq!((refusal.code, refusal.message.as_str()), (code, "m"));
        }
    }

    #[test]
    fn what_is_not_cdms_json_is_no_refusal() {
        for body in ["", "<html>", "{}", r#"{"error":{}}"#, r#"{"error":{"code":"1","message":{}}}"#] {
            assert_eq!(Refusal::read(500, body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn every_meaning_says_what_to_do() {
        let told: std::collections::BTreeSet<_> = TABLE.iter().map(|row| row.meaning.advice()).collect();
        assert_eq!(told.len(), TABLE.len());
        assert_eq!(Meaning::Deadlock.advice(), "try again");
        assert_eq!(Meaning::Other.advice(), "CDMS's text says more");
    }

    #[test]
    fn only_codes_that_prove_it_count_as_refused() {
        assert!(Meaning::PluginRefused.write_is_refused());
        for meaning in [Meaning::Unexpected, Meaning::SqlTimeout, Meaning::Other] {
            assert!(!meaning.write_is_refused(), "{meaning:?}");
        }
    }
}
