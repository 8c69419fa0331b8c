//! OAuth 2: a token endpoint like those of Entra ID and AD FS, and the check of its tokens.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::http::request::Parts;
use serde_json::json;
use uuid::Uuid;

use super::{Account, Incoming};
use crate::http::Answer;

/// How a token endpoint is set up. Its path is any that ends with `/oauth2/token` or `/oauth2/v2.0/token`.
#[derive(Clone, Debug)]
pub struct OAuthServer {
    client_id: String,
    client_secret: String,
    lifetime: Duration,
    refresh_token: Option<String>,
    rotates: bool,
}

impl OAuthServer {
    /// An endpoint with one application, which may use client credentials. Its tokens last an hour.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        OAuthServer {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            lifetime: Duration::from_secs(3_600),
            refresh_token: None,
            rotates: false,
        }
    }

    /// How long tokens last, by the simulator's clock, in whole seconds.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Accepts this refresh token, too.
    pub fn refresh_token(mut self, token: impl Into<String>) -> Self {
        self.refresh_token = Some(token.into());
        self
    }

    /// Replaces the refresh token whenever it is used; the old one is refused from then on.
    pub fn rotating(mut self) -> Self {
        self.rotates = true;
        self
    }
}

/// What a token endpoint answers once, in place of carrying a request out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenAnswer {
    /// This status, without a token, and with `Retry-After` in these words.
    Busy {
        /// The status: 429 or 503.
        status: u16,
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
    /// A refusal in the form of Entra ID.
    Refused {
        /// The error of OAuth 2, such as `invalid_client`.
        error: String,
        /// What Entra ID calls it, such as 7000222.
        code: u64,
        /// The description, after the code.
        description: String,
    },
    /// This body as JSON, with this status.
    Json {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// A web page, with this status.
    Page(u16),
    /// A redirect to this address.
    Redirect(String),
}

/// The token endpoint, with the tokens that it has issued.
#[derive(Debug)]
pub(crate) struct TokenServer {
    pub(crate) account: Account,
    /// The lifetime of a token, in seconds.
    lifetime: u64,
    refresh_token: Option<String>,
    rotates: bool,
    /// Tokens, and when each ends, in milliseconds since 1970 UTC.
    issued: Vec<(String, i64)>,
    answers: VecDeque<TokenAnswer>,
    /// The status with which CDMS answers a good token while it has no application user.
    userless: Option<u16>,
}

impl TokenServer {
    pub(crate) fn new(server: OAuthServer) -> Self {
        let OAuthServer { client_id, client_secret, lifetime, refresh_token, rotates } = server;
        TokenServer {
            account: Account::new(client_id, client_secret),
            lifetime: lifetime.as_secs(),
            refresh_token,
            rotates,
            issued: Vec::new(),
            answers: VecDeque::new(),
            userless: None,
        }
    }

    pub(crate) fn answer_with(&mut self, answer: TokenAnswer) {
        self.answers.push_back(answer);
    }

    pub(crate) fn refresh_token(&self) -> Option<String> {
        self.refresh_token.clone()
    }

    pub(crate) fn set_userless(&mut self, status: Option<u16>) {
        self.userless = status;
    }

    pub(super) fn expire(&mut self) {
        self.issued.clear();
    }

    /// The answer to a request for a token, or to a request without a good one.
    pub(super) fn answer(&mut self, incoming: &Incoming<'_>) -> Option<Answer> {
        if !incoming.outside.is_some_and(is_endpoint) {
            return self.refused(incoming);
        }
        Some(match self.answers.pop_front() {
            Some(ordered) => of_order(&ordered),
            None => self.token(incoming),
        })
    }

    fn token(&mut self, incoming: &Incoming<'_>) -> Answer {
        let media = header(incoming.parts, "content-type").unwrap_or_default();
        if incoming.parts.method != "POST" || !media.starts_with("application/x-www-form-urlencoded") {
            return refusal(400, "invalid_request", 900_144, "The request must be a POST of a form.");
        }
        let field = |name: &str| {
            let mut fields = form_urlencoded::parse(incoming.body);
            fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        let text = |name: &str| field(name).unwrap_or_default();
        if field("scope").is_none() && field("resource").is_none() {
            return refusal(400, "invalid_request", 900_144, "The request body must contain the parameter 'scope'.");
        }
        if text("client_id") != self.account.user {
            let words = format!("Application with identifier '{}' was not found in the directory.", text("client_id"));
            return refusal(400, "unauthorized_client", 700_016, &words);
        }
        let (client_id, secret) = (text("client_id"), text("client_secret"));
        let is_refresh = match text("grant_type").as_str() {
            "client_credentials" => false,
            "refresh_token" => true,
            other => {
                let words = format!("The provided value '{other}' for the input parameter 'grant_type' is not valid.");
                return refusal(400, "unsupported_grant_type", 70_003, &words);
            }
        };
        // Public clients have no secret.
        if (!is_refresh || !secret.is_empty()) && !self.account.admits(&client_id, &secret) {
            return refusal(401, "invalid_client", 7_000_215, "Invalid client secret provided.");
        }
        if is_refresh && (self.refresh_token.is_none() || field("refresh_token") != self.refresh_token) {
            self.account.judge(false);
            return refusal(400, "invalid_grant", 700_082, "The refresh token has expired due to inactivity.");
        }
        let token = self.issue(incoming.now_ms);
        let mut reply = json!({"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token});
        if is_refresh {
            if self.rotates {
                self.refresh_token = Some(format!("refresh-{}", Uuid::new_v4().simple()));
            }
            reply["refresh_token"] = json!(self.refresh_token);
        }
        Answer::json(200, reply.to_string()).with_header("cache-control", "no-store".to_owned())
    }

    /// A new token.
    fn issue(&mut self, now_ms: i64) -> String {
        let token = format!("token-{}", Uuid::new_v4().simple());
        let lifetime_ms = i64::try_from(self.lifetime.saturating_mul(1_000)).unwrap_or(i64::MAX);
        self.issued.push((token.clone(), now_ms.saturating_add(lifetime_ms)));
        token
    }

    /// The answer to a request without a good token, or of an application that has no user here.
    fn refused(&self, incoming: &Incoming<'_>) -> Option<Answer> {
        let token = header(incoming.parts, "authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = token else {
            let challenge = "Bearer authorization_uri=https://login.example.gov.uk/adfs/oauth2/authorize, resource_id=https://crm.example.gov.uk/";
            return Some(Answer::empty(401).with_header("www-authenticate", challenge.to_owned()));
        };
        if !self.issued.iter().any(|(issued, ends)| issued == token && incoming.now_ms < *ends) {
            let challenge = "Bearer error=\"invalid_token\", error_description=\"The token is expired.\"";
            return Some(Answer::empty(401).with_header("www-authenticate", challenge.to_owned()));
        }
        self.userless.map(|status| {
            let message = json!({"lang": "en-US", "value": "The user is not a member of the organization."});
            Answer::json(status, json!({"error": {"code": "0x80072560", "message": message}}).to_string())
        })
    }
}

/// Whether this is the path of the endpoint.
fn is_endpoint(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with("/oauth2/token") || path.ends_with("/oauth2/v2.0/token")
}

fn of_order(ordered: &TokenAnswer) -> Answer {
    match ordered {
        TokenAnswer::Busy { status, retry_after } => {
            let answer = Answer::json(*status, json!({"error": "temporarily_unavailable"}).to_string());
            match retry_after {
                Some(words) => answer.with_header("retry-after", words.clone()),
                None => answer,
            }
        }
        TokenAnswer::Refused { error, code, description } => refusal(400, error, *code, description),
        TokenAnswer::Json { status, body } => Answer::json(*status, body.clone()),
        TokenAnswer::Page(status) => Answer::html(*status, "<html><body>Sign in</body></html>"),
        TokenAnswer::Redirect(address) => Answer::empty(302).with_header("location", address.clone()),
    }
}

/// A refusal in the form of Entra ID.
fn refusal(status: u16, error: &str, code: u64, description: &str) -> Answer {
    let trace = Uuid::new_v4();
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: {description}\r\nTrace ID: {trace}\r\nCorrelation ID: {trace}"),
        "error_codes": [code],
        "trace_id": trace,
    });
    Answer::json(status, body.to_string())
}

fn header<'p>(parts: &'p Parts, name: &str) -> Option<&'p str> {
    parts.headers.get(name)?.to_str().ok()
}
