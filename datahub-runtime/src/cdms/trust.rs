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
    use super::*;

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
