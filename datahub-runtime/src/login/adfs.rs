//! The login by the pages of AD FS: from CDMS to its token services and back, as a browser does it.

mod session;
mod walk;

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Authenticator, Credentials, LoginError, LoginHost, LoginRequests, Secret, Session};
use crate::{Error, ErrorKind};
use session::AdFsSession;

/// Logs in by the pages of AD FS 2.0, 3.0 and later, as the users of a CRM 2011 with claims do in their browsers
/// (docs/logins.md).
///
/// The password is sent to the sign-in service only, and once: a refused one is not tried again until it changes. Tokens
/// are passed on between CDMS and the services that are named here; a page that leads elsewhere ends the login.
///
/// ```
/// use datahub_runtime::login::{AdFs, Secret};
///
/// # fn login() -> Result<AdFs, datahub_runtime::Error> {
/// let login = AdFs::builder("sts.example.gov.uk")
///     .user("EXAMPLE\\datahub")
///     .password(Secret::env("DATAHUB_PASSWORD"))
///     .token_service("resource-sts.example.gov.uk")
///     .home_realm("http://sts.example.gov.uk/adfs/services/trust")
///     .build()?;
/// # Ok(login)
/// # }
/// # assert!(login().is_ok());
/// ```
#[derive(Clone)]
pub struct AdFs {
    sign_in: LoginHost,
    /// Other token services, and other hosts of CDMS.
    others: Vec<LoginHost>,
    user: String,
    password: Secret,
    home_realm: Option<String>,
    lasts: Option<Duration>,
    login_hosts: Vec<String>,
}

/// Builds an [`AdFs`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct AdFsBuilder {
    sign_in: String,
    token_services: Vec<String>,
    cdms_hosts: Vec<String>,
    user: Option<String>,
    password: Option<Secret>,
    home_realm: Option<String>,
    lasts: Option<Duration>,
}

impl AdFs {
    /// Begins with the token service that asks for the password, by its host or address: `sts.example.gov.uk`,
    /// `https://sts.example.gov.uk/adfs/ls/`.
    pub fn builder(sign_in: impl Into<String>) -> AdFsBuilder {
        AdFsBuilder {
            sign_in: sign_in.into(),
            token_services: Vec::new(),
            cdms_hosts: Vec::new(),
            user: None,
            password: None,
            home_realm: None,
            lasts: None,
        }
    }
}

impl AdFsBuilder {
    /// The user, as a person writes it on the page: `DOMAIN\user`, or `user@domain`.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The password.
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Another token service that stands between the sign-in service and CDMS. It gets tokens, and never the password. Can be
    /// repeated; a login takes at most six tokens.
    pub fn token_service(mut self, host: impl Into<String>) -> Self {
        self.token_services.push(host.into());
        self
    }

    /// Another host of CDMS that takes part in its logins, such as `auth.crm.example.gov.uk`. Can be repeated.
    pub fn cdms_host(mut self, host: impl Into<String>) -> Self {
        self.cdms_hosts.push(host.into());
        self
    }

    /// The identifier of the organisation that the user belongs to (`whr`), where there are several: with it no page asks for
    /// that. It is an identifier and often begins with `http://`; nothing is sent there.
    pub fn home_realm(mut self, identifier: impl Into<String>) -> Self {
        self.home_realm = Some(identifier.into());
        self
    }

    /// How long a session lasts. Default: as long as its token says, which is an hour unless AD FS is configured otherwise.
    /// The hub logs in some minutes earlier.
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// The login.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if there is no user or no password, or a host is invalid.
    pub fn build(self) -> Result<AdFs, Error> {
        let fault = |message: String| Error::new(ErrorKind::Misconfigured, message);
        let missing = |what: &str, method: &str| {
            fault(format!("the login by AD FS has no {what}")).advise(format!("call `.{method}(…)` on its builder"))
        };
        let host =
            |host: &String| host.parse::<LoginHost>().map_err(|error| fault(format!("the login by AD FS: {error}")));
        let sign_in = host(&self.sign_in)?;
        let parsed = |hosts: Vec<String>| hosts.iter().map(host).collect::<Result<Vec<_>, _>>();
        let services = parsed(self.token_services)?;
        let login_hosts = services.iter().chain([&sign_in]).map(|host| host.name().to_owned()).collect();
        let others = [services, parsed(self.cdms_hosts)?].concat();
        let user = self.user.filter(|user| !user.is_empty()).ok_or_else(|| missing("user", "user"))?;
        let password = self.password.ok_or_else(|| missing("password", "password"))?;
        let AdFsBuilder { home_realm, lasts, .. } = self;
        Ok(AdFs { sign_in, others, user, password, home_realm, lasts, login_hosts })
    }
}

impl Authenticator for AdFs {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new(&self.user, &self.password))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move { Ok(self.log_in(requests).await?.boxed()) })
    }

    fn login_hosts(&self) -> &[String] {
        &self.login_hosts
    }
}

impl fmt::Debug for AdFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AdFs { sign_in, others, user, password, home_realm, lasts, login_hosts: _ } = self;
        let mut shown = f.debug_struct("AdFs");
        shown.field("sign_in", sign_in).field("others", others).field("user", user).field("password", password);
        shown.field("home_realm", home_realm).field("lasts", lasts).finish()
    }
}
