//! Certificates of the tests' own: authorities, what they issue, servers that show it, and OpenSSL's server.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tempfile::TempDir;
use uuid::Uuid;

/// An authority, with a folder for the files of what it has issued.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key.
pub(crate) struct Issued {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("authority {}", Uuid::new_v4()));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Authority { issuer, folder: tempfile::tempdir().unwrap() }
    }

    /// The file with its certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.written("authority.pem", &self.issuer.pem())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate for a name, from it.
    pub(crate) fn issue(&self, name: &str) -> Issued {
        self.issue_from(CertificateParams::new([name.to_owned()]).unwrap())
    }

    pub(crate) fn issue_from(&self, params: CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        Issued { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }

    /// A file with a certificate and its key.
    pub(crate) fn identity_file(&self, name: &str, issued: &Issued) -> PathBuf {
        self.written(name, &format!("{}{}", issued.certificate.pem(), issued.key.serialize_pem()))
    }

    fn written(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A server of these versions with this certificate, which asks every client for a certificate of this authority.
    pub(crate) fn asking(&self, issued: &Issued, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        _ = rustls::crypto::ring::default_provider().install_default();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        with(ServerConfig::builder_with_protocol_versions(versions).with_client_cert_verifier(verifier), issued)
    }
}

/// A certificate that is signed by itself.
pub(crate) fn self_signed(params: CertificateParams) -> Issued {
    let key = KeyPair::generate().unwrap();
    Issued { certificate: params.self_signed(&key).unwrap(), key }
}

/// A server with this certificate.
pub(crate) fn server(issued: &Issued) -> ServerConfig {
    _ = rustls::crypto::ring::default_provider().install_default();
    with(ServerConfig::builder().with_no_client_auth(), issued)
}

fn with(
    builder: rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>,
    issued: &Issued,
) -> ServerConfig {
    let key = PrivateKeyDer::try_from(issued.key.serialize_der()).unwrap();
    builder.with_single_cert(vec![issued.certificate.der().clone()], key).unwrap()
}

/// OpenSSL's server, which ends when this is dropped.
pub(crate) struct OpenSsl {
    process: Child,
    port: u16,
}

impl OpenSsl {
    /// A server with the certificate in this file, and these options.
    pub(crate) fn serve(identity: &Path, options: &[&str]) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"]).arg(identity).arg("-key").arg(identity);
        let command = command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("OpenSSL is installed (on Debian: apt-get install openssl)");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
        let port = port.expect("it says where it listens");
        // It must not wait for a reader of what it prints.
        std::thread::spawn(move || lines.for_each(drop));
        OpenSsl { process, port }
    }

    /// An organisation's address there.
    pub(crate) fn root(&self) -> String {
        format!("https://localhost:{}/ORG", self.port)
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
