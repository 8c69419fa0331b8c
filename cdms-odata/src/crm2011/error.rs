//! CRM 2011's errors: the body, and what its codes mean.

use serde::Deserialize;

use crate::dialect::{Mark, Meaning, Refusal};

/// Reads an error body: `{"error":{"code":"…","message":{"lang":"…","value":"…"}}}` (docs/protocol.md, 5).
/// `None` if the body is anything else, such as an HTML page.
pub fn read_refusal(status: u16, body: &[u8]) -> Option<Refusal> {
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
    Some(refusal(status, code, message))
}

/// The refusal with this status and platform code. Errors of the OData protocol have no code.
pub fn refusal(status: u16, code: Option<i32>, message: impl Into<String>) -> Refusal {
    let known = TABLE.iter().find(|row| Some(row.code) == code);
    let meaning = match known {
        Some(row) => row.meaning,
        None if status == 400 => Meaning::NotUnderstood,
        None => Meaning::Other,
    };
    Refusal { meaning, mark: Mark::new(status, code.map(|code| code.to_string())), message: message.into() }
}

struct Row {
    code: i32,
    meaning: Meaning,
    /// Whether the code proves that the write was not carried out.
    refused: bool,
}

/// The known platform codes (docs/protocol.md, 5).
const TABLE: [Row; 11] = [
    row(-2_147_220_969, Meaning::RecordMissing, true),
    row(-2_147_220_937, Meaning::DuplicateKey, true),
    row(-2_147_220_960, Meaning::NoPrivilege, true),
    row(-2_147_204_303, Meaning::TextTooLong, true),
    row(-2_147_204_326, Meaning::OptionOutOfRange, true),
    row(-2_147_220_989, Meaning::InvalidArgument, true),
    row(-2_147_187_704, Meaning::StateStatusMismatch, true),
    row(-2_147_220_891, Meaning::PluginRefused, true),
    row(-2_147_220_970, Meaning::Unexpected, false),
    // `Generic SQL error`
    row(-2_147_204_784, Meaning::Deadlock, true),
    row(-2_147_204_783, Meaning::SqlTimeout, false),
];

const fn row(code: i32, meaning: Meaning, refused: bool) -> Row {
    Row { code, meaning, refused }
}

/// Whether a refusal with this meaning proves that the write was not carried out.
pub fn write_is_refused(meaning: Meaning) -> bool {
    TABLE.iter().any(|row| row.meaning == meaning && row.refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_body_reads() {
        let body = br#"{"error":{"code":"-2147220969",
          "message":{"lang":"en-US","value":"account With Id = 1 Does Not Exist"},"innererror":{"message":"x"}}}"#;
        let refusal = read_refusal(404, body).unwrap();
        assert_eq!(refusal.meaning, Meaning::RecordMissing);
        assert_eq!(refusal.message, "account With Id = 1 Does Not Exist");
        assert_eq!(refusal.mark.to_string(), "status 404, code -2147220969");
    }

    #[test]
    fn code_and_message_may_be_otherwise() {
        for (body, code) in [
            (r#"{"error":{"code":"","message":{"lang":"","value":"m"}}}"#, None),
            (r#"{"error":{"message":"m"}}"#, None),
            (r#"{"error":{"code":-2147220970,"message":"m"}}"#, Some(-2_147_220_970)),
        ] {
            assert_eq!(read_refusal(500, body.as_bytes()), Some(refusal(500, code, "m")), "{body}");
        }
    }

    #[test]
    fn what_is_not_cdms_json_is_no_refusal() {
        for body in ["", "<html>", "{}", r#"{"error":{}}"#, r#"{"error":{"code":"1","message":{}}}"#] {
            assert_eq!(read_refusal(500, body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn every_meaning_says_what_to_do() {
        let advice: std::collections::BTreeSet<_> = TABLE.iter().map(|row| row.meaning.advice()).collect();
        assert_eq!(advice.len(), TABLE.len());
        assert_eq!(Meaning::Deadlock.advice(), "try again");
        assert_eq!(refusal(500, Some(1), "m").meaning.advice(), "see CDMS's text");
        let advice = "the contract may be out of date; compare it with $metadata";
        for code in [None, Some(1)] {
            assert_eq!(refusal(400, code, "m").meaning.advice(), advice);
        }
        assert_eq!(refusal(400, Some(-2_147_220_989), "m").meaning, Meaning::InvalidArgument);
    }

    #[test]
    fn only_codes_that_prove_it_count_as_refused() {
        assert!(write_is_refused(Meaning::PluginRefused));
        for meaning in [Meaning::Unexpected, Meaning::SqlTimeout, Meaning::Other] {
            assert!(!write_is_refused(meaning), "{meaning:?}");
        }
    }
}
