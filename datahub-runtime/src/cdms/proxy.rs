//! The outgoing proxy that the configuration names, in place of the environment's.

use std::fmt;

use reqwest::{NoProxy, Proxy};
use url::Url;

use crate::{Error, ErrorKind};

/// An outgoing proxy.
#[derive(Clone)]
pub(crate) struct OutgoingProxy {
    url: Url,
    proxy: Proxy,
}

impl OutgoingProxy {
    /// The proxy at an address, for all hosts that `NO_PROXY` does not name.
    ///
    /// # Errors
    ///
    /// It is not the address of a proxy. The message shows nothing that stands before an `@`.
    pub(crate) fn at(address: &str) -> Result<Self, Error> {
        let shown = address.rsplit_once('@').map_or_else(|| address.to_owned(), |(_, host)| format!("…@{host}"));
        let fault = |reason: &str| {
            Error::new(ErrorKind::Misconfigured, format!("cannot use the proxy {shown}: {reason}"))
                .advise("write it like `http://proxy.example.gov.uk:8080`")
        };
        let url = Url::parse(address).map_err(|error| fault(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(fault("it must begin with http:// or https://"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(fault("it must have no path"));
        }
        let proxy = Proxy::all(url.clone()).map_err(|_| fault("the HTTP client does not take it"))?;
        Ok(OutgoingProxy { url, proxy })
    }

    /// Its address, without user and password.
    pub(super) fn shown(&self) -> String {
        without_login(self.url.as_str().trim_end_matches('/'))
    }

    /// The proxy, with the exceptions of the environment.
    pub(super) fn proxy(&self) -> Proxy {
        self.proxy.clone().no_proxy(NoProxy::from_env())
    }
}

/// The address of a proxy without what stands before an `@`.
pub(super) fn without_login(address: &str) -> String {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    match (scheme, address.rsplit_once('@')) {
        (Some(scheme), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => address.to_owned(),
    }
}

impl fmt::Debug for OutgoingProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutgoingProxy({})", self.url.host_str().unwrap_or_default())
    }
}
