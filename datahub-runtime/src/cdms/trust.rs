//! Which certificate authorities are trusted in addition to the machine's own.

use std::fmt;
use std::path::Path;

use reqwest::{Certificate, ClientBuilder};

use crate::{Error, ErrorKind};

/// The largest file of certificates, in bytes.
const LARGEST: u64 = 4 << 20;

/// Certificate authorities that are trusted in addition to the machine's own.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    authorities: Vec<Certificate>,
}

impl Trust {
    /// The authorities whose certificates are in a file, as PEM.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or contains no certificate.
    pub(crate) fn in_file(path: &Path) -> Result<Self, Error> {
        let fault = |reason: String| {
            let message = format!("cannot use the certificate authorities in {}: {reason}", path.display());
            Error::new(ErrorKind::Misconfigured, message).advise(
                "name a file with the certificate of the private authority in PEM, `-----BEGIN CERTIFICATE-----`",
            )
        };
        let size = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
        if size > LARGEST {
            return Err(fault(format!("the file is larger than {} MiB", LARGEST >> 20)));
        }
        let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        let authorities = Certificate::from_pem_bundle(&bytes).map_err(|_| fault("it is not valid PEM".to_owned()))?;
        if authorities.is_empty() {
            return Err(fault("it contains no certificate".to_owned()));
        }
        Ok(Trust { authorities })
    }

    /// Has a client trust them, too.
    pub(super) fn given_to(&self, client: ClientBuilder) -> ClientBuilder {
        if self.authorities.is_empty() { client } else { client.tls_certs_merge(self.authorities.iter().cloned()) }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust(the machine's authorities and {})", self.authorities.len())
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::cdms::{CdmsDocuments, ClientOptions};

    /// A server that sends `<edmx/>` whatever it is asked, with a certificate of an authority for this name.
    async fn server(authority: &CertifiedIssuer<'_, KeyPair>, name: &str) -> SocketAddr {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(mut client) = acceptor.accept(client).await else { continue };
                _ = client.read(&mut [0; 4096]).await;
                _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n<edmx/>").await;
                _ = client.shutdown().await;
            }
        });
        address
    }

    async fn read(address: SocketAddr, trust: Trust) -> Result<Vec<u8>, Error> {
        let url = format!("https://localhost:{}/ORG", address.port());
        let options = ClientOptions { trust, ..ClientOptions::default() };
        CdmsDocuments::new(&url, None, options).unwrap().metadata().await
    }

    #[tokio::test]
    async fn a_private_authority_is_trusted_by_its_file_and_only_for_the_right_name() {
        let authority = || {
            let mut authority = CertificateParams::new(Vec::new()).unwrap();
            authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap()
        };
        let (ours, other) = (authority(), authority());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("authorities.pem");
        std::fs::write(&file, ours.pem()).unwrap();
        let trust = Trust::in_file(&file).unwrap();
        let right = server(&ours, "localhost").await;
        assert_eq!(read(right, trust.clone()).await.unwrap(), b"<edmx/>");
        for (address, trust) in [
            (right, Trust::default()),
            (server(&ours, "crm.example.gov.uk").await, trust.clone()),
            (server(&other, "localhost").await, trust),
        ] {
            let error = read(address, trust).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("authorities.pem");
        let fault = || {
            let error = Trust::in_file(&file).unwrap_err().to_string();
            assert!(error.contains("authorities.pem") && error.contains("BEGIN CERTIFICATE"), "{error}");
            error
        };
        fault();
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(fault().contains("contains no certificate"));
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
        fault();
    }
}
