//! A server's address, in the form that PostgreSQL's client programs accept, and which certificates its connections
//! trust.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::{ConfigVerifierExt as _, Verifier};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use url::form_urlencoded;

use super::failure::causes;

/// Where a server is, and how to connect to it.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The configurations to try, in order: one for each host, so that a host that does not answer leaves time for the
    /// next.
    pub(super) configs: Vec<Config>,
    /// Hosts and database, as messages show them.
    pub(crate) shown: String,
    /// Whether the address configures keepalives itself.
    pub(super) has_keepalives: bool,
    trust: Trust,
}

/// How a server's certificate is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trust {
    /// A file with the trusted authorities; `None`: those that the machine trusts.
    roots: Option<PathBuf>,
    /// Whether the certificate must name the host.
    names_host: bool,
}

impl Address {
    /// # Errors
    ///
    /// What is wrong with the address, without the password.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        const FORM: &str = "not a valid URL; write postgres://user:password@host:5432/database";
        let (before, parameters) = url.split_once('?').unwrap_or((url, ""));
        let host = before.split_once("://").map(|(_, rest)| rest.split_once('@').map_or(rest, |(_, host)| host));
        if before.chars().any(char::is_whitespace) || host.is_none_or(|host| host.contains('@')) {
            return Err(FORM.to_owned());
        }
        let mut trust = Trust { roots: None, names_host: true };
        let mut passed_on = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                // The hub is stricter than the driver: it verifies every server that it talks to over TLS.
                Some(("sslmode", "verify-full")) => passed_on.push("sslmode=require"),
                Some(("sslmode", "verify-ca")) => {
                    trust.names_host = false;
                    passed_on.push("sslmode=require");
                }
                Some(("sslmode", "allow")) => passed_on.push("sslmode=prefer"),
                Some(("sslrootcert", "system")) => {}
                Some(("sslrootcert", file)) => trust.roots = Some(PathBuf::from(decoded(file))),
                _ => passed_on.push(parameter),
            }
        }
        let passed_on = passed_on.join("&");
        let parsed = |url: &str| -> Result<Config, String> {
            format!("{url}?{passed_on}").parse().map_err(|error| format!("cannot be parsed: {}", causes(&error)))
        };
        let mut config = parsed(before)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        let shown = shown(&config);
        let (hosts, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
        let mut configs = vec![config];
        // If a host is to be chosen at random, the driver does it.
        if hosts > 1 && addresses == 0 && !parameters.contains("load_balance_hosts") {
            configs = one_by_one(before).iter().map(|url| parsed(url)).collect::<Result<_, _>>()?;
        }
        for config in &mut configs {
            // Of several servers, the one that accepts writes is meant.
            if hosts.max(addresses) > 1 && !parameters.contains("target_session_attrs") {
                config.target_session_attrs(TargetSessionAttrs::ReadWrite);
            }
            require_tls_elsewhere(config);
        }
        Ok(Address { configs, shown, has_keepalives: parameters.contains("keepalives"), trust })
    }

    /// The TLS configuration, with the verification of the server's certificate.
    ///
    /// # Errors
    ///
    /// The file of authorities cannot be read or has none, or the machine's authorities are not available.
    pub(super) fn tls(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let Trust { roots, names_host } = &self.trust;
        let machine = || Verifier::new(Arc::clone(&provider)).map_err(|error| error.to_string());
        let verifier: Arc<dyn ServerCertVerifier> = match (roots, names_host) {
            (None, true) => return ClientConfig::with_platform_verifier().map_err(|error| error.to_string()),
            (None, false) => Arc::new(AnyName(Arc::new(machine()?))),
            (Some(file), names_host) => {
                let verifier: Arc<WebPkiServerVerifier> =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(authorities(file)?), Arc::clone(&provider))
                        .build()
                        .map_err(|error| error.to_string())?;
                if *names_host { verifier } else { Arc::new(AnyName(verifier)) }
            }
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?;
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }
}

/// The authorities in a file.
fn authorities(file: &std::path::Path) -> Result<RootCertStore, String> {
    let in_file = |reason: String| format!("the `sslrootcert` file {}: {reason}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| in_file(error.to_string()))? {
        let certificate = certificate.map_err(|error| in_file(error.to_string()))?;
        roots.add(certificate).map_err(|error| in_file(error.to_string()))?;
    }
    if roots.is_empty() { Err(in_file("it contains no certificate".to_owned())) } else { Ok(roots) }
}

/// Decodes a parameter's value, in which a plus is a plus.
fn decoded(value: &str) -> String {
    let pair = format!("value={}", value.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Splits an address with several hosts before its path into addresses with one host each.
fn one_by_one(url: &str) -> Vec<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (login, rest) = rest.rsplit_once('@').map_or(("", rest), |(login, rest)| (login, rest));
    let (hosts, path) = rest.split_once('/').map_or((rest, ""), |(hosts, path)| (hosts, path));
    let sign = if login.is_empty() { "" } else { "@" };
    hosts.split(',').map(|host| format!("{scheme}://{login}{sign}{host}/{path}")).collect()
}

/// Connections to another machine use TLS, unless the address says `sslmode=disable`.
fn require_tls_elsewhere(config: &mut Config) {
    let is_elsewhere = config.get_hosts().iter().any(is_elsewhere)
        || config.get_hostaddrs().iter().any(|address| !address.is_loopback());
    if config.get_ssl_mode() == SslMode::Prefer && is_elsewhere {
        config.ssl_mode(SslMode::Require);
    }
}

fn shown(config: &Config) -> String {
    let named = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let mut hosts: Vec<_> = named.collect();
    if hosts.is_empty() {
        hosts.extend(config.get_hostaddrs().iter().map(ToString::to_string));
    }
    let hosts = hosts.join(",");
    config.get_dbname().map_or_else(|| hosts.clone(), |name| format!("{hosts}/{name}"))
}

fn is_elsewhere(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => !(name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())),
        #[cfg(unix)]
        Host::Unix(_) => false,
    }
}

/// Verifies that a trusted authority has signed a certificate, for any name.
#[derive(Debug)]
struct AnyName<V: ?Sized>(Arc<V>);

impl<V: ServerCertVerifier + ?Sized> ServerCertVerifier for AnyName<V> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // The name is checked last, after everything else was found valid.
        verified.or_else(|error| match error {
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => Ok(ServerCertVerified::assertion()),
            error => Err(error),
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connections_to_this_machine_are_unencrypted() {
        for (host, elsewhere) in [
            ("localhost", false),
            ("127.0.0.1", false),
            ("::1", false),
            ("10.0.0.7", true),
            ("db.example.gov.uk", true),
            ("localhost.example.com", true),
        ] {
            assert_eq!(is_elsewhere(&Host::Tcp(host.to_owned())), elsewhere, "{host}");
        }
        let by_number = Address::parse("postgres://hub@localhost/hub?hostaddr=10.0.0.7").unwrap();
        assert_eq!(by_number.configs[0].get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn addresses_are_those_of_the_client_programs() {
        let of = |url: &str| Address::parse(url).unwrap();
        let two = of("postgres://hub:secret@db1.example:5432,db2.example:5433/hub?sslmode=verify-full");
        assert_eq!(two.shown, "db1.example,db2.example/hub");
        let hosts: Vec<_> = two.configs.iter().map(|one| (one.get_hosts(), one.get_ports())).collect();
        let tcp = |name: &str| [Host::Tcp(name.to_owned())];
        assert_eq!(hosts, [(&tcp("db1.example")[..], &[5432][..]), (&tcp("db2.example"), &[5433])]);
        for one in &two.configs {
            assert_eq!((one.get_user(), one.get_dbname()), (Some("hub"), Some("hub")));
            assert_eq!(one.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
            assert_eq!((one.get_ssl_mode(), two.trust.names_host), (SslMode::Require, true));
        }
        let any = of("postgres://a,b/hub?target_session_attrs=any");
        assert_eq!(any.configs[1].get_target_session_attrs(), TargetSessionAttrs::Any);
        assert_eq!(of("postgres://a,b/hub?load_balance_hosts=random").configs.len(), 1);
        let file =
            of("postgresql://db.example/hub?sslmode=verify-ca&sslrootcert=%2Fetc%2Fa%20+b.pem&application_name=x");
        assert_eq!(file.trust, Trust { roots: Some(PathBuf::from("/etc/a +b.pem")), names_host: false });
        assert_eq!(file.configs[0].get_application_name(), Some("x"));
        let system = of("postgres://db.example/hub?sslrootcert=system&sslmode=verify-full");
        assert_eq!(system.trust, Trust { roots: None, names_host: true });
        assert_eq!(of("postgres:///hub?host=/run/postgresql").configs[0].get_hosts().len(), 1);
        assert_eq!(of("postgres:///hub").shown, "localhost/hub");
        assert_eq!(of("postgres://hub@[::1]:5433/hub").shown, "::1/hub");
    }

    #[test]
    fn no_part_of_a_password_is_repeated() {
        for url in ["postgres://ada:sec@ret@host/hub", "postgres://ada:secret@no host/hub"] {
            let error = Address::parse(url).unwrap_err();
            assert!(error.contains("not a valid URL") && !error.contains("ret"), "{error}");
        }
        assert!(!format!("{:?}", Address::parse("postgres://ada:secret@host/hub").unwrap()).contains("secret"));
    }

    #[test]
    fn a_file_without_authorities_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        let address = Address::parse(&format!("postgres://db.example/hub?sslrootcert={}", file.display())).unwrap();
        assert!(address.tls().unwrap_err().contains("roots.pem"));
        std::fs::write(&file, "nothing").unwrap();
        assert!(address.tls().unwrap_err().contains("contains no certificate"));
    }
}
