//! The session of a token: its header, its end, and what a refusal of a good token means.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use oauth2::TokenResponse as _;
use zeroize::Zeroizing;

use super::endpoint::Tokens;
use crate::login::{LoginError, Session, SessionResponse, Standing};

/// How long before its end a token is replaced, at most; a short-lived one when nine tenths of its time are over.
const AHEAD: Duration = Duration::from_secs(300);

/// CDMS's codes for a user whom it does not let in: not a member of the organization, disabled or without a business unit,
/// without a role.
const UNKNOWN_USER: [u32; 3] = [0x8007_2560, 0x8004_0225, 0x8004_2f09];

/// CDMS's codes for a right that a user lacks; its user is known then, and so is the token.
const PRIVILEGE_DENIED: [u32; 2] = [0x8004_0220, 0x8004_8306];

/// A token that every request to CDMS carries.
pub(super) struct Bearer {
    header: HeaderValue,
    lasts: Option<Duration>,
    /// Whether CDMS has ever answered a request with this token.
    was_accepted: AtomicBool,
    client_id: String,
    host: String,
}

impl Bearer {
    /// The session of a reply of the token endpoint at a host.
    ///
    /// # Errors
    ///
    /// The token cannot be sent in a header.
    pub(super) fn of(reply: &Tokens, client_id: &str, host: &str) -> Result<Self, LoginError> {
        let value = Zeroizing::new(format!("Bearer {}", reply.access_token().secret()));
        let mut header = HeaderValue::try_from(value.as_str()).map_err(|_| {
            LoginError::new(format!("the token of {host} has characters that cannot be sent in a header"))
        })?;
        header.set_sensitive(true);
        let lasts = reply.expires_in().map(|all| all - AHEAD.min(all / 10));
        let (client_id, host) = (client_id.to_owned(), host.to_owned());
        Ok(Bearer { header, lasts, was_accepted: AtomicBool::new(false), client_id, host })
    }

    /// The sign that CDMS does not know whom the token is for.
    fn unknown_user(&self, status: StatusCode) -> String {
        format!(
            "CDMS answered {} to a token that {} has just issued; most likely CDMS has no application user with the client id {}, \
             or that user is disabled or without a role: ask the CDMS administrator to create it; or the token is for something \
             else than this CDMS, see `scope` and `resource`",
            status.as_u16(),
            self.host,
            self.client_id
        )
    }
}

impl Session for Bearer {
    fn prepare(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.header.clone());
    }

    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        let was_accepted = self.was_accepted.load(Ordering::Acquire);
        let status = response.status();
        let standing = match status {
            StatusCode::UNAUTHORIZED if !was_accepted => Standing::Lost(self.unknown_user(status)),
            // What stands in front of CDMS answers 403 as well.
            StatusCode::FORBIDDEN if !was_accepted => match code(response.body()) {
                Some(code) if UNKNOWN_USER.contains(&code) => Standing::Lost(self.unknown_user(status)),
                Some(code) if PRIVILEGE_DENIED.contains(&code) => Standing::Valid,
                _ => Standing::Unknown,
            },
            _ => response.standing(),
        };
        if standing == Standing::Valid {
            self.was_accepted.store(true, Ordering::Release);
        }
        standing
    }

    fn lasts(&self) -> Option<Duration> {
        self.lasts
    }
}

/// The code of an error of CDMS: `{"error": {"code": "0x80072560", …}}`, or the same as a decimal number.
fn code(body: &[u8]) -> Option<u32> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = body.get("error")?.get("code")?.as_str()?.trim().to_ascii_lowercase();
    match code.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => code.parse::<i32>().ok().map(i32::cast_unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_cdms_is_known_in_each_of_its_forms() {
        for (body, expected) in [
            (r#"{"error":{"code":"0x80072560","message":"x"}}"#, Some(0x8007_2560)),
            (r#"{"error":{"code":"-2147015328","message":{"lang":"en-US","value":"x"}}}"#, Some(0x8007_2560)),
            (r#"{"error":{"code":"-2147209463"}}"#, Some(0x8004_2f09)),
            (r#"{"error":{"code":"-2147220955"}}"#, Some(0x8004_0225)),
            (r#"{"error":{"code":"-2147220960"}}"#, Some(0x8004_0220)),
            (r#"{"error":{"code":""}}"#, None),
            (r#"{"error":"access_denied"}"#, None),
            ("<p>0x80072560</p>", None),
            ("", None),
        ] {
            assert_eq!(code(body.as_bytes()), expected, "{body}");
        }
    }
}
