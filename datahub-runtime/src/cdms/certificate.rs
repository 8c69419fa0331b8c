//! The certificate by which the hub shows servers who it is, with its key.

use std::fmt;
use std::path::{Path, PathBuf};

use reqwest::Identity;
use zeroize::Zeroizing;

use crate::tls::TlsStack;
use crate::{Error, ErrorKind};

/// The largest file of a certificate and its key, in bytes.
const LARGEST: u64 = 1 << 20;

/// Where the key begins that every TLS stack reads, and where it ends.
const KEY: (&str, &str) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");

/// How a file in another form becomes one that can be read.
const FROM_PFX: &str = "write certificate and key as PEM into one file; from a file of Windows: `openssl pkcs12 -in hub.pfx \
                        -out hub.pem -nodes`";

/// A certificate with its key, for a stack of TLS.
#[derive(Clone)]
pub(crate) struct ClientCertificate {
    file: PathBuf,
    identity: Identity,
}

impl ClientCertificate {
    /// The certificate and the key in a file, as PEM, with the certificates of its issuers if there are any.
    ///
    /// # Errors
    ///
    /// The file cannot be read, lacks one of the two, or the key does not belong to the certificate.
    pub(crate) fn in_file(path: &Path, tls: TlsStack) -> Result<Self, Error> {
        let fault = |reason: String, help: &str| {
            let message = format!("cannot use the client certificate in {}: {reason}", path.display());
            Error::new(ErrorKind::Misconfigured, message).advise(help)
        };
        let size = std::fs::metadata(path).map_err(|error| fault(error.to_string(), FROM_PFX))?.len();
        if size > LARGEST {
            return Err(fault(format!("the file is larger than {} MiB", LARGEST >> 20), FROM_PFX));
        }
        let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| fault(error.to_string(), FROM_PFX))?);
        let pem = std::str::from_utf8(&bytes).map_err(|_| fault("it is not PEM".to_owned(), FROM_PFX))?;
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(fault("it contains no certificate".to_owned(), FROM_PFX));
        }
        if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || pem.contains("Proc-Type: 4,ENCRYPTED") {
            let help = "write the key without one, `openssl pkey -in hub.key -out plain.key`, and let only the hub's user \
                        read the file";
            return Err(fault("its key has a passphrase".to_owned(), help));
        }
        if !pem.contains("PRIVATE KEY-----") {
            return Err(fault("it contains no key".to_owned(), FROM_PFX));
        }
        let identity = match tls.reads_identity() {
            None => Identity::from_pem(&bytes),
            Some(read) => {
                let key = between(pem, KEY).ok_or_else(|| {
                    let help = "convert it: `openssl pkcs8 -topk8 -nodes -in hub.key -out pkcs8.key`";
                    fault("its key is not in the form PKCS #8 (`BEGIN PRIVATE KEY`)".to_owned(), help)
                })?;
                read(&bytes, key.as_bytes())
            }
        };
        let unusable = |_| fault("certificate and key cannot be read".to_owned(), FROM_PFX);
        let identity = identity.map_err(unusable)?;
        // Whether they belong together shows when they are used; without roots, nothing else is looked at.
        let client = tls.given_to(reqwest::Client::builder()).tls_certs_only([]).identity(identity.clone());
        client.build().map_err(|_| fault("the key does not belong to the first certificate".to_owned(), FROM_PFX))?;
        Ok(ClientCertificate { file: path.to_owned(), identity })
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity.clone()
    }
}

/// The part of a text from a mark to another one.
fn between<'t>(text: &'t str, (begin, end): (&str, &str)) -> Option<&'t str> {
    let begun = &text[text.find(begin)?..];
    Some(&begun[..begun.find(end)? + end.len()])
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({})", self.file.display())
    }
}
