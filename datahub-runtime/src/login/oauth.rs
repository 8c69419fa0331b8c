//! OAuth 2: tokens of Entra ID, and of AD FS 2016 and later, by client credentials or by a refresh token.

mod bearer;
mod endpoint;
mod rotation;
mod words;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use cdms_odata::dialect::checked_address;
use futures_util::future::BoxFuture;
use secrecy::SecretString;

use super::{Authenticator, Credentials, LoginError, LoginRequests, Secret, Session};
use crate::{Error, ErrorKind};
use bearer::Bearer;
use endpoint::{Asked, Endpoint};
use rotation::Rotation;

/// Logs in with a token of OAuth 2, for servers that accept one: Dynamics CRM 2013 and later behind AD FS 2016 or later, and
/// Dataverse. CRM 2011 itself does not, unless something in front of it does.
///
/// With client credentials, the hub is an application of its own, and CDMS has an *application user* for it:
///
/// ```
/// use datahub_runtime::login::{OAuth, Secret};
///
/// # fn main() -> Result<(), datahub_runtime::Error> {
/// // Entra ID.
/// let login = OAuth::entra("example.onmicrosoft.com", "7b1e1c6a-…", Secret::env("DATAHUB_PASSWORD"))?;
/// // AD FS 2016 and later.
/// let token_url = "https://login.example.gov.uk/adfs/oauth2/token";
/// let login = OAuth::client_credentials(token_url, "7b1e1c6a-…", Secret::env("DATAHUB_PASSWORD"))?;
/// # Ok(()) }
/// ```
///
/// A new token is asked for ahead of the old one's end, once for all requests that wait for it. The secret is sent to the host
/// of the token endpoint only, and the token to CDMS only.
#[derive(Clone)]
pub struct OAuth {
    endpoint: Endpoint,
    client_id: String,
    audience: Option<Audience>,
    grant: Grant,
}

/// What a token is for.
#[derive(Clone)]
enum Audience {
    Scope(String),
    Resource(String),
}

/// By what a token is asked for.
#[derive(Clone)]
enum Grant {
    /// The application's own secret.
    ClientCredentials(Secret),
    /// A refresh token, from a login of a person, and the application's secret if it has one.
    RefreshToken { client_secret: Option<Secret>, rotation: Arc<Rotation> },
}

impl OAuth {
    /// Client credentials at Entra ID: a tenant, by its id or a domain of it, the id of the application that is registered
    /// there, and its client secret.
    ///
    /// The token is for the origin of CDMS's address, `https://org.crm4.dynamics.com/.default`, unless
    /// [`scope`](OAuth::scope) says otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if the tenant cannot be part of an address.
    pub fn entra(tenant: &str, client_id: impl Into<String>, secret: impl Into<Secret>) -> Result<Self, Error> {
        let is_of_a_tenant = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
        if tenant.is_empty() || !tenant.chars().all(is_of_a_tenant) {
            return Err(Error::new(ErrorKind::Misconfigured, format!("{tenant:?} is not a tenant of Entra ID"))
                .advise("write its id, or a domain of it such as example.onmicrosoft.com"));
        }
        let token_url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        OAuth::client_credentials(&token_url, client_id, secret)
    }

    /// Client credentials at this token endpoint.
    ///
    /// The token is for the origin of CDMS's address: as a scope at an endpoint of Entra ID (`…/v2.0/token`), and as a
    /// resource at any other, unless [`scope`](OAuth::scope) or [`resource`](OAuth::resource) says otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if the address cannot be used. Plain http is accepted for this machine only.
    pub fn client_credentials(
        token_url: &str,
        client_id: impl Into<String>,
        secret: impl Into<Secret>,
    ) -> Result<Self, Error> {
        OAuth::new(token_url, client_id, Grant::ClientCredentials(secret.into()))
    }

    /// A refresh token at this token endpoint, which someone has got by logging in once: for AD FS 2012 R2, which has no
    /// client credentials, and for a hub that acts as a person.
    ///
    /// A token service may replace the refresh token whenever it is used. The new one goes to `store` before anything else
    /// is done with the reply, and `token` must return it from then on, also in a program that is started later. If `store`
    /// fails, the login fails; the next one stores it first. A program that is killed between the reply and the end of
    /// `store` loses the new token; then the old one works if the token service still accepts it, as Entra ID and AD FS do.
    ///
    /// ```
    /// use datahub_runtime::login::{OAuth, Secret, secrecy::{ExposeSecret, SecretString}};
    ///
    /// # fn main() -> Result<(), datahub_runtime::Error> {
    /// # let token_url = "https://login.example.gov.uk/adfs/oauth2/token";
    /// let token = Secret::file("/var/lib/hub/token");
    /// let login = OAuth::refresh_token(token_url, "7b1e1c6a-…", token, |new: SecretString| async move {
    ///     tokio::fs::write("/var/lib/hub/token.new", new.expose_secret()).await?;
    ///     tokio::fs::rename("/var/lib/hub/token.new", "/var/lib/hub/token").await
    /// })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`client_credentials`](OAuth::client_credentials).
    pub fn refresh_token<F, T, E>(
        token_url: &str,
        client_id: impl Into<String>,
        token: impl Into<Secret>,
        store: F,
    ) -> Result<Self, Error>
    where
        F: Fn(SecretString) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let rotation = Arc::new(Rotation::new(token.into(), store));
        OAuth::new(token_url, client_id, Grant::RefreshToken { client_secret: None, rotation })
    }

    fn new(token_url: &str, client_id: impl Into<String>, grant: Grant) -> Result<Self, Error> {
        let url = checked_address(token_url).map_err(|error| {
            Error::new(ErrorKind::Misconfigured, format!("the address of the token endpoint: {error}"))
        })?;
        Ok(OAuth { endpoint: Endpoint::at(url), client_id: client_id.into(), audience: None, grant })
    }

    /// The secret of an application that also has a refresh token. It replaces the one of client credentials.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        let secret = secret.into();
        match &mut self.grant {
            Grant::ClientCredentials(known) => *known = secret,
            Grant::RefreshToken { client_secret, .. } => *client_secret = Some(secret),
        }
        self
    }

    /// What the token is for, as `scope` says it: Entra ID, and AD FS from 2019 on. Replaces a resource.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.audience = Some(Audience::Scope(scope.into()));
        self
    }

    /// What the token is for, as `resource` says it: AD FS before 2019. Replaces a scope.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.audience = Some(Audience::Resource(resource.into()));
        self
    }

    /// The secret by which a token is asked for.
    fn secret(&self) -> &Secret {
        match &self.grant {
            Grant::ClientCredentials(secret) => secret,
            Grant::RefreshToken { rotation, .. } => rotation.token(),
        }
    }

    /// What the token is for at the CDMS with this address.
    fn audience(&self, organisation: &str) -> Audience {
        match &self.audience {
            Some(Audience::Scope(scope)) => Audience::Scope(scope.clone()),
            Some(Audience::Resource(resource)) => Audience::Resource(resource.clone()),
            None => {
                let origin = url::Url::parse(organisation)
                    .map_or_else(|_| organisation.to_owned(), |url| url.origin().ascii_serialization());
                if self.endpoint.is_of_entra() {
                    Audience::Scope(format!("{origin}/.default"))
                } else {
                    Audience::Resource(format!("{origin}/"))
                }
            }
        }
    }

    async fn token(&self, requests: LoginRequests<'_>) -> Result<Bearer, LoginError> {
        let audience = self.audience(&requests.organisation());
        let (client_id, audience) = (self.client_id.as_str(), &audience);
        let reply = match &self.grant {
            Grant::ClientCredentials(secret) => {
                let client_secret = Some(requests.secret(secret).await?);
                let asked = Asked { client_id, audience, client_secret, refresh_token: None };
                self.endpoint.ask(requests, asked).await?
            }
            Grant::RefreshToken { client_secret, rotation } => {
                let given = requests.secret(rotation.token()).await?;
                let client_secret = match client_secret {
                    Some(secret) => Some(requests.secret(secret).await?),
                    None => None,
                };
                let turn = rotation.begin(given).await?;
                let asked = Asked { client_id, audience, client_secret, refresh_token: Some(turn.token().clone()) };
                let reply = self.endpoint.ask(requests, asked).await?;
                turn.end(&reply).await?;
                reply
            }
        };
        Bearer::of(&reply, client_id, self.endpoint.host())
    }
}

impl Authenticator for OAuth {
    fn credentials(&self) -> Option<Credentials> {
        // What makes a token request another one than the refused one.
        let audience = match &self.audience {
            Some(Audience::Scope(words) | Audience::Resource(words)) => format!(" for {words}"),
            None => String::new(),
        };
        let who = format!("{} at {}{audience}", self.client_id, self.endpoint.url());
        let credentials = Credentials::new(who, self.secret());
        Some(match &self.grant {
            Grant::RefreshToken { client_secret: Some(secret), .. } => credentials.and(secret),
            _ => credentials,
        })
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move { Ok(self.token(requests).await?.boxed()) })
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("token_url", &self.endpoint.url().as_str())
            .field("client_id", &self.client_id)
            .field("secret", self.secret())
            .finish_non_exhaustive()
    }
}
