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

/// The right that a user lacks, in CDMS's code for it; its user is known then, and so is the token.
const PRIVILEGE_DENIED: [&str; 3] = ["80040220", "-2147220960", "80048306"];

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
        let is_of_the_user = || {
            let body = String::from_utf8_lossy(response.body());
            PRIVILEGE_DENIED.iter().any(|code| body.contains(code))
        };
        let standing = match status {
            StatusCode::UNAUTHORIZED if !was_accepted => Standing::Lost(self.unknown_user(status)),
            StatusCode::FORBIDDEN if !was_accepted && !is_of_the_user() => Standing::Lost(self.unknown_user(status)),
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
