//! Building a hub: where CDMS is, and how it is reached.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::HubBuilder;
use crate::cdms::Authenticator;
use crate::hub::remote::Remote;
use crate::{CdmsConfig, TlsStack};

impl HubBuilder {
    /// The organisation's address in CDMS, and how to log in there. Plain http is accepted for this machine, and for
    /// [named hosts](HubBuilder::plain_http_to). A hub whose models are all detached needs no CDMS.
    ///
    /// Trusted certificates come from the machine's certificate store; on Linux, `SSL_CERT_FILE` or `SSL_CERT_DIR`
    /// names another one. The proxy comes from the environment, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, unless
    /// [`proxy`](HubBuilder::proxy) names one.
    pub fn cdms(mut self, root: impl Into<String>, authenticator: impl Authenticator) -> Self {
        self.cdms = Some(Remote::Stated(root.into(), Arc::new(authenticator)));
        self
    }

    /// CDMS's address, how to log in there, and which certificates are trusted, as the table `[cdms]` of a `datahub.toml`
    /// says, and the secret from the environment. Replaces [`cdms`](HubBuilder::cdms).
    ///
    /// ```no_run
    /// # use datahub_runtime::{CdmsConfig, prelude::*};
    /// # fn example() -> Result<(), Error> {
    /// let builder = Hub::builder().cdms_from(CdmsConfig::read("datahub.toml")?);
    /// # Ok(()) }
    /// ```
    pub fn cdms_from(mut self, config: CdmsConfig) -> Self {
        self.cdms = Some(Remote::Configured(Box::new(config)));
        self
    }

    /// A file with the certificates of private authorities, as PEM, which are trusted for CDMS and its token services in
    /// addition to the machine's own. It is read by [`connect`](HubBuilder::connect). Replaces the one of a configuration.
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.network.ca_file = Some(file.into());
        self
    }

    /// A file with the certificate that is shown to servers that ask for one, and its key, both as PEM, with the certificates
    /// of its issuers if the server needs them. The key must have no passphrase. The file is read by
    /// [`connect`](HubBuilder::connect). Replaces the one of a configuration. Default: none.
    pub fn client_certificate(mut self, file: impl Into<PathBuf>) -> Self {
        self.network.client_certificate = Some(file.into());
        self
    }

    /// The outgoing proxy for CDMS and its token services, `http://proxy.example.gov.uk:8080`, also with the user and the
    /// password that it asks for (`http://user:password@…`). It replaces the one of a configuration and that of the
    /// environment; hosts that `NO_PROXY` names are still reached without it. An organisation on this machine whose address
    /// begins with `http://` needs none.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.network.proxy = Some(address.into());
        self
    }

    /// A host to which plain http is accepted, for a CDMS that has no https. Everything between can then read and change what
    /// is sent, passwords included. Each call adds a host; they replace those of a configuration. Default: none.
    pub fn plain_http_to(mut self, host: impl Into<String>) -> Self {
        self.network.plain_http.push(host.into());
        self
    }

    /// How long connecting to a server may take, TLS included. Default: 15 s, and never longer than
    /// [`time_limit`](HubBuilder::time_limit).
    pub fn connect_limit(mut self, limit: Duration) -> Self {
        self.network.connect_limit = Some(limit);
        self
    }

    /// Another TLS than rustls: that of the operating system, `datahub_native_tls::TLS`, for servers of CRM 2011's age
    /// (docs/logins.md).
    pub fn tls(mut self, stack: TlsStack) -> Self {
        self.network.tls = Some(stack);
        self
    }
}
