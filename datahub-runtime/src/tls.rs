//! Which code speaks TLS with CDMS.

use std::fmt;

use reqwest::tls::Version;
use reqwest::{ClientBuilder, Identity};

/// Which code speaks TLS with CDMS and its token services: by default rustls, which needs no system library. Servers of CRM
/// 2011's age may offer only what rustls does not speak; for them the crate `datahub-native-tls` has the TLS of the operating
/// system (docs/logins.md). Whichever it is, certificates are always verified.
#[derive(Clone, Copy, Default)]
pub struct TlsStack {
    of_system: Option<ReadIdentity>,
    speaks_tls_1_0: bool,
}

/// Reads the certificates of a client and its key, both as PEM.
type ReadIdentity = fn(&[u8], &[u8]) -> reqwest::Result<Identity>;

impl TlsStack {
    /// The TLS of the operating system, for the crate `datahub-native-tls` of the same version alone. It hands over
    /// `reqwest::Identity::from_pkcs8_pem`, which exists only if `reqwest`'s feature `native-tls` is on, and by which client
    /// certificates are read.
    #[doc(hidden)]
    pub const fn of_system(from_pkcs8_pem: ReadIdentity) -> Self {
        TlsStack { of_system: Some(from_pkcs8_pem), speaks_tls_1_0: false }
    }

    /// Speaks also TLS 1.0 and 1.1, which are not safe, if the operating system permits it; rustls never does. Default: TLS
    /// 1.2 and later.
    #[must_use]
    pub const fn down_to_tls_1_0(self) -> Self {
        TlsStack { speaks_tls_1_0: true, ..self }
    }

    /// How client certificates are read, if this is the TLS of the system.
    pub(crate) fn reads_identity(self) -> Option<ReadIdentity> {
        self.of_system
    }

    /// Has a client use it.
    pub(crate) fn given_to(self, client: ClientBuilder) -> ClientBuilder {
        if self.of_system.is_some() {
            // It is the client's own choice where the client was built with it.
            let oldest = if self.speaks_tls_1_0 { Version::TLS_1_0 } else { Version::TLS_1_2 };
            return client.tls_version_min(oldest);
        }
        // The process may already have a provider; either will do.
        _ = rustls::crypto::ring::default_provider().install_default();
        // Said, because another crate of the program may have switched another one on.
        client.tls_backend_rustls()
    }
}

impl fmt::Debug for TlsStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.of_system.is_some() { "TlsStack(of the system)" } else { "TlsStack(rustls)" })
    }
}
