//! The configuration of the connection to CDMS: the table `[cdms]` of a `datahub.toml`, and the secret from elsewhere.

mod logins;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datahub_model::settings::{CdmsSettings, LoginSettings};

use crate::cdms::{ClientOptions, NetworkOptions, cdms_at};
use crate::login::{Authenticator, Secret};
use crate::{CdmsDocuments, Error, ErrorKind, TlsStack};

/// How to reach CDMS and log in there, as `datahub.toml` says; programs and the command line read the same.
///
/// ```toml
/// [cdms]
/// url = "https://crm.example.gov.uk/ORG"
/// login = "adfs"                              # or "ntlm", "oauth", "none"
/// user = 'EXAMPLE\hub'
/// sign-in = "sts.example.gov.uk"
/// ca-file = "certificates/our-authority.pem"  # only for a private authority
/// ```
///
/// The secret is never in the file: it is the value of `DATAHUB_PASSWORD`, or the text of the file that
/// `DATAHUB_PASSWORD_FILE` names, read before each login, so that it can be rotated; [`secret`](CdmsConfig::secret) names
/// another source. `DATAHUB_USER` replaces the user. docs/logins.md has every key.
#[derive(Clone, Debug)]
pub struct CdmsConfig {
    file: PathBuf,
    settings: CdmsSettings,
    user: Option<String>,
    secret: Option<Secret>,
    tls: Option<TlsStack>,
}

impl CdmsConfig {
    /// Reads a `datahub.toml`, or another file in its form. Only its table `[cdms]` counts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if the file cannot be read, has no `[cdms]`, or has a fault in it, which is shown with its
    /// line. A line with a secret is not repeated.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, Error> {
        let file = file.as_ref();
        let shown = file.display().to_string();
        let fault = |message: String| Error::new(ErrorKind::Misconfigured, message);
        let text = fs::read_to_string(file).map_err(|error| fault(format!("cannot read {shown}: {error}")))?;
        let settings = CdmsSettings::parse(&text).map_err(|diagnostic| fault(diagnostic.render(&shown)))?;
        let settings = settings.ok_or_else(|| {
            fault(format!("{shown} does not say where CDMS is")).advise(
                "add `[cdms]` on a line of its own, and below it `url = \"https://crm.example.gov.uk/ORG\"` and `login = …`",
            )
        })?;
        Ok(CdmsConfig { file: file.to_owned(), settings, user: None, secret: None, tls: None })
    }

    /// The address of CDMS.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// Another organisation's address than the file's: for several that are reached in the same way.
    pub fn at(mut self, url: impl Into<String>) -> Self {
        self.settings.url = url.into();
        self
    }

    /// Another user than the file and `DATAHUB_USER` say. A login without a user ignores it.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// Another source of the secret than the environment, such as a vault.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Another TLS than rustls: that of the operating system, `datahub_native_tls::TLS`, for servers of CRM 2011's age.
    pub fn tls(mut self, stack: TlsStack) -> Self {
        self.tls = Some(stack);
        self
    }

    /// The documents of this CDMS.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if the address, the proxy or a file of certificates cannot be used, a user or a secret is missing,
    /// or the program was built without the login's feature.
    pub fn documents(&self) -> Result<CdmsDocuments, Error> {
        let network = self.network();
        let dialect = cdms_at(self.url(), &network.plain_http)?;
        let options = ClientOptions { network: network.network()?, ..ClientOptions::default() };
        let login = match self.settings.login {
            LoginSettings::None => None,
            _ => Some(self.authenticator()?),
        };
        CdmsDocuments::new(dialect, login, options)
    }

    /// How it is reached.
    pub(crate) fn network(&self) -> NetworkOptions {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let said = &self.settings.network;
        NetworkOptions {
            ca_file: said.ca_file.as_ref().map(|file| folder.join(file)),
            client_certificate: said.client_certificate.as_ref().map(|file| folder.join(file)),
            proxy: said.proxy.clone(),
            plain_http: said.plain_http.clone(),
            connect_limit: None,
            tls: self.tls,
        }
    }

    /// Who logs in.
    pub(crate) fn authenticator(&self) -> Result<Arc<dyn Authenticator>, Error> {
        logins::authenticator(self)
    }
}
