//! What a refusal of the token endpoint means, and how it is shown: by its codes, not by its words.

use secrecy::SecretString;

use super::endpoint::Refusal;
use crate::login::LoginError;
use crate::login::said::repeated;

/// The longest description that is shown, in characters.
const LONGEST: usize = 300;

/// What a refusal means for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The secret is refused: it is not tried again.
    Refused,
    /// Something else that a person must correct.
    Misconfigured,
    /// It may pass.
    Trouble,
}

use Meaning::{Misconfigured, Refused, Trouble};

/// The codes of Entra ID, with their meaning and what to do.
const CODES: [(u64, Meaning, &str); 16] = [
    (7_000_215, Refused, "the client secret is wrong; set its value, not its id"),
    (7_000_222, Refused, "the client secret has expired; create a new one for the application"),
    (7_000_218, Refused, "the application needs a client secret"),
    (700_016, Refused, "the tenant has no application with this client id; check the client id and the tenant"),
    (7_000_112, Refused, "the application is disabled in the tenant"),
    (700_082, Refused, "the refresh token has expired; someone must log in again"),
    (70_043, Refused, "the refresh token has expired; someone must log in again"),
    (50_173, Refused, "the refresh token was revoked; someone must log in again"),
    (70_008, Refused, "the refresh token has expired or was revoked; someone must log in again"),
    (50_057, Refused, "the user's account is disabled"),
    (50_076, Refused, "the user needs a second factor; someone must log in again"),
    (65_001, Refused, "the application lacks the consent to use CDMS; ask the tenant's administrator"),
    (90_002, Misconfigured, "the tenant does not exist; check it"),
    (500_011, Misconfigured, "the tenant knows no resource of this name; check the scope and CDMS's address"),
    (70_011, Misconfigured, "the scope is invalid"),
    (90_033, Trouble, "the token service is in trouble"),
];

/// The errors of OAuth 2 (RFC 6749, 5.2, and RFC 8707).
const ERRORS: [(&str, Meaning, &str); 11] = [
    ("invalid_client", Refused, "check the client id and its secret"),
    ("unauthorized_client", Refused, "the application may not use this grant; check its registration"),
    ("invalid_grant", Refused, "the refresh token, or the secret, is not accepted; someone may have to log in again"),
    ("access_denied", Refused, "the application may not have a token; check its registration"),
    ("interaction_required", Refused, "someone must log in again"),
    ("invalid_scope", Misconfigured, "check the scope"),
    ("invalid_target", Misconfigured, "check the resource"),
    ("invalid_resource", Misconfigured, "check the resource"),
    (
        "unsupported_grant_type",
        Misconfigured,
        "this token service does not have the grant; AD FS has client credentials from 2016 on",
    ),
    (
        "invalid_request",
        Misconfigured,
        "check the address of the token endpoint, and whether it wants a scope or a resource",
    ),
    ("temporarily_unavailable", Trouble, "the token service is in trouble"),
];

/// What a refusal means, and what to do.
fn meaning(refusal: &Refusal) -> (Meaning, &'static str) {
    let of_code = codes(refusal).find_map(|code| CODES.iter().find(|(known, ..)| *known == code));
    let of_error =
        || ERRORS.iter().find(|(known, ..)| *known == refusal.error).map(|(_, meaning, advice)| (*meaning, *advice));
    let unknown = (Trouble, "see the token service's logs");
    of_code.map(|(_, meaning, advice)| (*meaning, *advice)).or_else(of_error).unwrap_or(unknown)
}

/// The codes of a refusal: those that it lists, and the one that its description begins with.
fn codes(refusal: &Refusal) -> impl Iterator<Item = u64> {
    let description = refusal.error_description.as_deref().unwrap_or_default();
    let digits = description.split_once("AADSTS").map(|(_, rest)| rest.split(|letter: char| !letter.is_ascii_digit()));
    let in_words = digits.and_then(|mut parts| parts.next()?.parse().ok());
    refusal.error_codes.iter().copied().chain(in_words)
}

/// The error of a refusal by the token endpoint at a host.
pub(super) fn judged(refusal: &Refusal, host: &str, secrets: &[&SecretString]) -> LoginError {
    let (meaning, advice) = meaning(refusal);
    let error = shown(&refusal.error, secrets);
    // Entra ID adds ids and times after the first line.
    let description = refusal.error_description.as_deref().unwrap_or_default();
    let first = description.split(['\r', '\n']).next().unwrap_or_default();
    let first = first.split(" Trace ID:").next().unwrap_or_default().trim();
    let said = if first.is_empty() { String::new() } else { format!(": {}", shown(first, secrets)) };
    let what = format!("the token endpoint at {host} refused a token ({error}{said}); {advice}");
    match meaning {
        Refused => LoginError::refused(what),
        Misconfigured | Trouble => LoginError::new(what),
    }
}

/// Foreign text for a message: on one line, not too long, and without the secrets.
pub(super) fn shown(text: &str, secrets: &[&SecretString]) -> String {
    repeated(text, LONGEST, secrets.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(error: &str, description: &str, codes: &[u64]) -> Refusal {
        Refusal {
            error: error.to_owned(),
            error_description: Some(description.to_owned()),
            error_codes: codes.to_vec(),
        }
    }

    #[test]
    fn a_refusal_is_judged_by_its_codes() {
        for (error, description, codes, expected) in [
            ("invalid_client", "AADSTS7000215: Invalid client secret provided.", &[7_000_215][..], Refused),
            ("invalid_client", "AADSTS7000222: The provided client secret keys are expired.", &[], Refused),
            ("unauthorized_client", "AADSTS700016: Application not found", &[700_016], Refused),
            ("invalid_request", "AADSTS90002: Tenant 'x' not found.", &[90_002], Misconfigured),
            ("invalid_client", "MSIS9622: Client authentication failed.", &[], Refused),
            ("invalid_grant", "", &[], Refused),
            ("invalid_scope", "", &[], Misconfigured),
            ("temporarily_unavailable", "AADSTS90033: A transient error has occurred.", &[90_033], Trouble),
            ("something_new", "", &[], Trouble),
        ] {
            assert_eq!(meaning(&refusal(error, description, codes)).0, expected, "{error} {description}");
        }
    }

    #[test]
    fn what_is_shown_is_one_line_without_secrets() {
        let secret = SecretString::from("canary");
        let said = "AADSTS7000215: canary is no secret.\r\nTrace ID: 1";
        let error = judged(&refusal("invalid_client\u{7}", said, &[]), "login.example.gov.uk", &[&secret]).to_string();
        assert_eq!(
            error,
            "the token endpoint at login.example.gov.uk refused a token (invalid_client : AADSTS7000215: … is no secret.); \
             the client secret is wrong; set its value, not its id"
        );
        assert_eq!(shown(&"x".repeat(400), &[]).chars().count(), LONGEST + 1);
    }
}
