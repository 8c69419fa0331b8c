//! How CDMS and its token services are reached: what is trusted, which certificate is shown, through which proxy, and how long
//! connecting may take.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use datahub_protocol::planted::{Planted, planted};
use reqwest::redirect::Policy;
use url::Url;

use super::certificate::ClientCertificate;
use super::proxy::{self, OutgoingProxy};
use super::transport::HEADERS_MAX;
use super::trust::Trust;
use crate::Error;
use crate::tls::TlsStack;

/// How long connecting may take by default.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// How connections are made.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    trust: Trust,
    certificate: Option<ClientCertificate>,
    proxy: Option<OutgoingProxy>,
    plain_http: Vec<String>,
    connect_limit: Duration,
    tls: TlsStack,
}

/// What was said about how connections are made, before any file is read.
#[derive(Clone, Default)]
pub(crate) struct NetworkOptions {
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) client_certificate: Option<PathBuf>,
    /// The address of the proxy, which may contain a password.
    pub(crate) proxy: Option<String>,
    pub(crate) plain_http: Vec<String>,
    pub(crate) connect_limit: Option<Duration>,
    pub(crate) tls: Option<TlsStack>,
}

impl NetworkOptions {
    /// These, and the others where these say nothing.
    pub(crate) fn or(self, others: NetworkOptions) -> Self {
        NetworkOptions {
            ca_file: self.ca_file.or(others.ca_file),
            client_certificate: self.client_certificate.or(others.client_certificate),
            proxy: self.proxy.or(others.proxy),
            plain_http: if self.plain_http.is_empty() { others.plain_http } else { self.plain_http },
            connect_limit: self.connect_limit.or(others.connect_limit),
            tls: self.tls.or(others.tls),
        }
    }

    /// The network that they describe.
    ///
    /// # Errors
    ///
    /// A file cannot be used, or the proxy's address.
    pub(crate) fn network(&self) -> Result<Network, Error> {
        let tls = self.tls.unwrap_or_default();
        let certificate = self.client_certificate.as_deref().map(|file| ClientCertificate::in_file(file, tls));
        Ok(Network {
            trust: self.ca_file.as_deref().map(Trust::in_file).transpose()?.unwrap_or_default(),
            certificate: certificate.transpose()?,
            proxy: self.proxy.as_deref().map(OutgoingProxy::at).transpose()?,
            plain_http: self.plain_http.clone(),
            connect_limit: self.connect_limit.unwrap_or(CONNECT_LIMIT),
            tls,
        })
    }
}

impl fmt::Debug for NetworkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkOptions")
            .field("ca_file", &self.ca_file)
            .field("client_certificate", &self.client_certificate)
            .field("has_proxy", &self.proxy.is_some())
            .field("plain_http", &self.plain_http)
            .finish_non_exhaustive()
    }
}

impl Default for Network {
    fn default() -> Self {
        Network {
            trust: Trust::default(),
            certificate: None,
            proxy: None,
            plain_http: Vec::new(),
            connect_limit: CONNECT_LIMIT,
            tls: TlsStack::default(),
        }
    }
}

impl Network {
    /// The beginning of an HTTP client for the data service at this address and the servers of its logins, which follows no
    /// redirects and repeats nothing.
    pub(super) fn client(&self, service: &Url, time_limit: Duration) -> reqwest::ClientBuilder {
        let builder = self.tls.given_to(reqwest::Client::builder());
        let builder = builder
            .redirect(if planted(Planted::RedirectsFollowed) { Policy::limited(5) } else { Policy::none() })
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_max_headers(HEADERS_MAX)
            .timeout(time_limit)
            .connect_timeout(time_limit.min(self.connect_limit))
            .user_agent(concat!("datahub-sync/", env!("CARGO_PKG_VERSION")));
        let builder = self.trust.given_to(builder);
        let builder = match &self.certificate {
            Some(certificate) => builder.identity(certificate.identity()),
            None => builder,
        };
        match &self.proxy {
            // What stays on this machine goes through no proxy.
            _ if service.scheme() == "http" && !self.allows_plain_http(service) => builder.no_proxy(),
            Some(proxy) => builder.proxy(proxy.proxy()),
            None => builder,
        }
    }

    /// The proxy on the way to a server, and where it is stated.
    pub(super) fn proxy_in_words(&self) -> String {
        if let Some(proxy) = &self.proxy {
            return format!("the proxy {} (`proxy` in [cdms], or `.proxy(…)`)", proxy.shown());
        }
        let stated = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(|name| {
            let address = std::env::var(name).ok().filter(|address| !address.is_empty())?;
            Some(format!("the proxy {} ({name})", proxy::without_login(&address)))
        });
        stated.unwrap_or_else(|| "the proxy of this machine".to_owned())
    }

    /// Whether the host of an address may be reached by plain http, because it was named.
    pub(super) fn allows_plain_http(&self, url: &Url) -> bool {
        url.host_str().is_some_and(|host| self.plain_http.iter().any(|named| named.eq_ignore_ascii_case(host)))
    }
}
