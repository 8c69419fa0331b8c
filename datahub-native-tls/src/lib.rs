//! The operating system's TLS for Data Hub Sync, in place of rustls: OpenSSL on Linux, Schannel on Windows, Secure Transport
//! on macOS.
//!
//! Windows Server 2008 R2 and 2012 with an RSA certificate may offer only cipher suites with CBC, which rustls does not speak.
//! A hub reaches them with this:
//!
//! ```no_run
//! use datahub_runtime::prelude::*;
//!
//! # fn builder(models: datahub_runtime::Models) -> datahub_runtime::HubBuilder {
//! Hub::builder().tls(datahub_native_tls::TLS)
//! # }
//! ```
//!
//! Certificates are verified as with rustls, and there is no switch for that. Which suites are accepted is the system's choice,
//! from TLS 1.2 on. On Linux, a build needs OpenSSL's headers (on Debian: `apt-get install libssl-dev pkg-config`).

use datahub_runtime::TlsStack;

/// The TLS of the operating system, for `Hub::builder().tls(…)` and `CdmsConfig::tls`.
pub const TLS: TlsStack = TlsStack::of_system(reqwest::Identity::from_pkcs8_pem);
