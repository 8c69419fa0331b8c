//! The token endpoint: a request for a token, and what its reply is.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, Client, ClientId, EndpointNotSet, EndpointSet, ErrorResponse, HttpRequest,
    HttpResponse, RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Audience;
use super::words::{judged, shown};
use crate::cdms::encoded;
use crate::login::{LoginError, LoginRequests};

/// A token endpoint.
#[derive(Clone)]
pub(super) struct Endpoint {
    url: Url,
    host: String,
}

/// What a token is asked for with.
pub(super) struct Asked<'a> {
    pub(super) client_id: &'a str,
    pub(super) audience: &'a Audience,
    pub(super) client_secret: Option<SecretString>,
    /// Without one, the client's own credentials count.
    pub(super) refresh_token: Option<SecretString>,
}

/// The reply with tokens.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Tokens {
    access_token: AccessToken,
    #[serde(deserialize_with = "oauth2::helpers::deserialize_untagged_enum_case_insensitive")]
    token_type: BasicTokenType,
    #[serde(default)]
    expires_in: Option<Seconds>,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
}

/// A number of seconds; the older endpoint of Entra ID writes it as a string.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "Numeral")]
struct Seconds(u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Numeral {
    Number(u64),
    Text(String),
}

impl TryFrom<Numeral> for Seconds {
    type Error = &'static str;

    fn try_from(numeral: Numeral) -> Result<Self, Self::Error> {
        match numeral {
            Numeral::Number(seconds) => Ok(Seconds(seconds)),
            Numeral::Text(text) => text.trim().parse().map(Seconds).map_err(|_| "not a number of seconds"),
        }
    }
}

impl TokenResponse for Tokens {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(|seconds| Duration::from_secs(seconds.0))
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// The reply that refuses a token, with the codes that Entra ID adds.
#[derive(Deserialize, Serialize)]
pub(super) struct Refusal {
    pub(super) error: String,
    #[serde(default)]
    pub(super) error_description: Option<String>,
    #[serde(default)]
    pub(super) error_codes: Vec<u64>,
}

impl ErrorResponse for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

/// A description may repeat what was sent.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({}, {:?})", self.error, self.error_codes)
    }
}

type TokenClient<HasTokenUrl> = Client<
    Refusal,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    HasTokenUrl,
>;

impl Endpoint {
    pub(super) fn at(url: Url) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        Endpoint { url, host }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is an endpoint of Entra ID, which is asked by scope.
    pub(super) fn is_of_entra(&self) -> bool {
        self.url.path().ends_with("/v2.0/token")
    }

    /// Asks for a token, once.
    ///
    /// # Errors
    ///
    /// A refused secret, or any other trouble, with the time that the endpoint asks to wait.
    pub(super) async fn ask(&self, requests: LoginRequests<'_>, asked: Asked<'_>) -> Result<Tokens, LoginError> {
        let url = TokenUrl::from_url(self.url.clone());
        let client: TokenClient<EndpointSet> =
            TokenClient::<EndpointNotSet>::new(ClientId::new(asked.client_id.to_owned()))
                .set_auth_type(AuthType::RequestBody)
                .set_token_uri(url);
        let send = Sending { endpoint: self, requests, asked: &asked };
        let reply = if asked.refresh_token.is_some() {
            let token = RefreshToken::new(String::new());
            let request = client.exchange_refresh_token(&token);
            let request = match asked.audience {
                Audience::Scope(scope) => request.add_scope(Scope::new(scope.clone())),
                Audience::Resource(resource) => request.add_extra_param("resource", resource.as_str()),
            };
            request.request_async(&send).await
        } else {
            let request = client.exchange_client_credentials();
            let request = match asked.audience {
                Audience::Scope(scope) => request.add_scope(Scope::new(scope.clone())),
                Audience::Resource(resource) => request.add_extra_param("resource", resource.as_str()),
            };
            request.request_async(&send).await
        };
        let reply = reply.map_err(|error| self.fault(error, &asked))?;
        match reply.token_type() {
            BasicTokenType::Bearer => Ok(reply),
            other => {
                let kind = shown(other.as_ref(), &[]);
                Err(LoginError::new(format!("the token of {} is of the type {kind:?}, expected Bearer", self.host)))
            }
        }
    }

    /// Sends a request; a reply that is not one of OAuth is an error. The secrets join the form only here, because the client
    /// of `oauth2` copies what it sends, and does not wipe its copies.
    async fn send(
        &self,
        requests: LoginRequests<'_>,
        request: HttpRequest,
        asked: &Asked<'_>,
    ) -> Result<HttpResponse, LoginError> {
        let open: Vec<_> =
            url::form_urlencoded::parse(request.body()).filter(|(name, _)| name != "refresh_token").collect();
        let secrets = [("client_secret", &asked.client_secret), ("refresh_token", &asked.refresh_token)];
        let secrets = secrets.iter().filter_map(|(name, secret)| Some((*name, secret.as_ref()?.expose_secret())));
        let fields: Vec<_> = open.iter().map(|(name, value)| (&**name, &**value)).chain(secrets).collect();
        let reply = requests.send(self.url.clone(), Some(encoded(&fields)), None).await;
        let reply = reply.map_err(|error| {
            error.in_words(|reason| format!("the token endpoint at {} gave no answer: {reason}", self.host))
        })?;
        let (host, status) = (&self.host, reply.status());
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let error = LoginError::new(format!("the token endpoint at {host} answered {}", status.as_u16()));
            let pause = reply.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(pause);
            return Err(match pause {
                Some(pause) => error.retry_after(pause),
                None => error,
            });
        }
        let media = reply.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media.to_ascii_lowercase().starts_with("application/json") {
            return Err(LoginError::new(format!(
                "the token endpoint at {host} answered {} without JSON; check its address, {}",
                status.as_u16(),
                self.url
            )));
        }
        let mut response = HttpResponse::new(reply.bytes().to_vec());
        *response.status_mut() = status;
        Ok(response)
    }

    /// What went wrong, in words without secrets.
    fn fault(&self, error: RequestTokenError<LoginError, Refusal>, asked: &Asked<'_>) -> LoginError {
        let secrets: Vec<_> = asked.client_secret.iter().chain(&asked.refresh_token).collect();
        match error {
            RequestTokenError::Request(error) => error,
            RequestTokenError::ServerResponse(refusal) => judged(&refusal, &self.host, &secrets),
            // The causes of these may repeat what was received, a token for instance.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => LoginError::new(format!(
                "the token endpoint at {} answered with JSON that is not a reply of OAuth 2; check its address, {}",
                self.host, self.url
            )),
        }
    }
}

/// The HTTP client of one request for a token.
struct Sending<'s> {
    endpoint: &'s Endpoint,
    requests: LoginRequests<'s>,
    asked: &'s Asked<'s>,
}

impl<'c> AsyncHttpClient<'c> for Sending<'_> {
    type Error = LoginError;
    type Future = BoxFuture<'c, Result<HttpResponse, LoginError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.endpoint.send(self.requests, request, self.asked))
    }
}

/// The pause that `Retry-After` asks for, in seconds or until a date.
fn pause(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    date.signed_duration_since(chrono::Utc::now()).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(json: &str) -> Option<Tokens> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn replies_of_every_endpoint_are_read() {
        let reply =
            tokens(r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"a"}"#).unwrap();
        assert_eq!(reply.expires_in(), Some(Duration::from_secs(3599)));
        let older = r#"{"token_type":"bearer","expires_in":"3599","expires_on":"1","resource":"r","access_token":"a","refresh_token":"b"}"#;
        let reply = tokens(older).unwrap();
        assert_eq!(reply.expires_in(), Some(Duration::from_secs(3599)));
        assert_eq!(reply.refresh_token().unwrap().secret(), "b");
        assert_eq!(tokens(r#"{"token_type":"Bearer","access_token":"a"}"#).unwrap().expires_in(), None);
        for bad in [
            r#"{"token_type":"Bearer"}"#,
            r#"{"token_type":"Bearer","expires_in":"soon","access_token":"a"}"#,
            r#"{"token_type":"Bearer","expires_in":-1,"access_token":"a"}"#,
        ] {
            assert!(tokens(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_pause_is_in_seconds_or_a_date() {
        assert_eq!(pause("17"), Some(Duration::from_secs(17)));
        assert_eq!(pause("soon"), None);
        assert_eq!(pause("Thu, 01 Jan 1970 00:00:00 GMT"), None);
        let later =
            (chrono::Utc::now() + chrono::TimeDelta::seconds(60)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        assert!((50..=60).contains(&pause(&later).unwrap().as_secs()));
    }

    #[test]
    fn what_was_received_is_not_shown() {
        let reply = tokens(r#"{"token_type":"Bearer","access_token":"canary","refresh_token":"canary"}"#).unwrap();
        assert!(!format!("{reply:?}").contains("canary"));
        let refusal = Refusal { error: "e".into(), error_description: Some("canary".into()), error_codes: vec![1] };
        assert!(!format!("{refusal:?} {refusal}").contains("canary"));
    }
}
