//! To which TLS connection a login is bound: `tls-server-end-point` (RFC 5929, section 4), which IIS asks for where Extended
//! Protection is on.

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use spki::AlgorithmIdentifierRef;
use spki::der::asn1::{AnyRef, BitStringRef, ContextSpecific};
use spki::der::{Reader as _, SliceReader};

/// What a binding begins with.
const PREFIX: &[u8] = b"tls-server-end-point:";

/// The binding to the server with this certificate (DER): a hash of it, by the hash function of its own signature. `None` if the
/// signature has none, which leaves the binding undefined.
pub fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let hash = match signature_hash(certificate)? {
        Hash::Sha224 => Sha224::digest(certificate).to_vec(),
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    };
    Some([PREFIX, &hash].concat())
}

/// A hash function of the binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The hash function of a certificate's signature. SHA-256 takes the place of MD5 and SHA-1.
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let mut reader = SliceReader::new(certificate).ok()?;
    let algorithm = reader.sequence(|certificate| {
        let _contents: AnyRef<'_> = certificate.decode()?;
        let algorithm: AlgorithmIdentifierRef<'_> = certificate.decode()?;
        let _signature: BitStringRef<'_> = certificate.decode()?;
        Ok(algorithm)
    });
    let algorithm = algorithm.ok()?;
    match algorithm.oid.to_string().as_str() {
        // RSASSA-PSS names its hash function among its parameters; SHA-1 is its default.
        "1.2.840.113549.1.1.10" => match algorithm.parameters {
            None => Some(Hash::Sha256),
            Some(parameters) => pss_hash(parameters),
        },
        signature => of_signature(signature),
    }
}

/// The hash function of a signature that has one of its own.
fn of_signature(oid: &str) -> Option<Hash> {
    Some(match oid {
        // RSA, ECDSA and DSA with MD5 or SHA-1.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.3.14.3.2.29"
        | "1.2.840.10045.4.1"
        | "1.2.840.10040.4.3" => Hash::Sha256,
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" | "2.16.840.1.101.3.4.3.1" => Hash::Sha224,
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" | "2.16.840.1.101.3.4.3.2" => Hash::Sha256,
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Hash::Sha384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Hash::Sha512,
        _ => return None,
    })
}

/// The hash function in the parameters of RSASSA-PSS (RFC 4055, section 3.1).
fn pss_hash(parameters: AnyRef<'_>) -> Option<Hash> {
    let hash = parameters.sequence(|parameters| {
        let hash =
            ContextSpecific::<AlgorithmIdentifierRef<'_>>::decode_explicit(parameters, spki::der::TagNumber::N0)?;
        while !parameters.is_finished() {
            let _other: AnyRef<'_> = parameters.decode()?;
        }
        Ok(hash)
    });
    match hash.ok()? {
        None => Some(Hash::Sha256),
        Some(hash) => match hash.value.oid.to_string().as_str() {
            "1.2.840.113549.2.5" | "1.3.14.3.2.26" | "2.16.840.1.101.3.4.2.1" => Some(Hash::Sha256),
            "2.16.840.1.101.3.4.2.4" => Some(Hash::Sha224),
            "2.16.840.1.101.3.4.2.2" => Some(Hash::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Hash::Sha512),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
    use spki::ObjectIdentifier;

    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        CertificateParams::new(["crm.example.gov.uk".to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec()
    }

    /// What has the shape of a certificate with this algorithm.
    fn shaped(algorithm: &[u8]) -> Vec<u8> {
        let contents = [&[0x30, 0x00][..], algorithm, &[0x03, 0x02, 0x00, 0x55]].concat();
        [&[0x30, u8::try_from(contents.len()).unwrap()][..], &contents].concat()
    }

    /// An algorithm without parameters.
    fn algorithm(oid: &str) -> Vec<u8> {
        let oid = ObjectIdentifier::new(oid).unwrap();
        let oid = oid.as_bytes();
        let length = u8::try_from(oid.len()).unwrap();
        [&[0x30, length + 2, 0x06, length][..], oid].concat()
    }

    #[test]
    fn the_hash_is_that_of_the_certificates_own_signature() {
        let sha256 = certificate(&PKCS_ECDSA_P256_SHA256);
        assert_eq!(end_point(&sha256), Some([PREFIX, &Sha256::digest(&sha256)].concat()));
        let sha384 = certificate(&PKCS_ECDSA_P384_SHA384);
        assert_eq!(end_point(&sha384), Some([PREFIX, &Sha384::digest(&sha384)].concat()));
        assert_eq!(end_point(&certificate(&PKCS_ED25519)), None, "it hashes in a way of its own");
    }

    #[test]
    fn old_hash_functions_are_replaced() {
        for old in ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"] {
            assert_eq!(signature_hash(&shaped(&algorithm(old))), Some(Hash::Sha256), "{old}");
        }
        assert_eq!(signature_hash(&shaped(&algorithm("1.2.840.113549.1.1.13"))), Some(Hash::Sha512));
        assert_eq!(signature_hash(&shaped(&algorithm("1.2.840.113549.1.1.2"))), None);
    }

    #[test]
    fn rsassa_pss_names_its_hash_function() {
        let pss = |parameters: &[u8]| {
            let oid = algorithm("1.2.840.113549.1.1.10");
            let parameters = [&[0x30, u8::try_from(parameters.len()).unwrap()][..], parameters].concat();
            let contents = [&oid[2..], &parameters].concat();
            shaped(&[&[0x30, u8::try_from(contents.len()).unwrap()][..], &contents].concat())
        };
        let named = |oid: &str| {
            let hash = algorithm(oid);
            // A hash function, and the length of the salt.
            [&[0xa0, u8::try_from(hash.len()).unwrap()][..], &hash, &[0xa2, 0x03, 0x02, 0x01, 0x20]].concat()
        };
        assert_eq!(signature_hash(&pss(&named("2.16.840.1.101.3.4.2.2"))), Some(Hash::Sha384));
        assert_eq!(signature_hash(&pss(&named("2.16.840.1.101.3.4.2.1"))), Some(Hash::Sha256));
        assert_eq!(signature_hash(&pss(&[])), Some(Hash::Sha256), "SHA-1 is the default");
        assert_eq!(signature_hash(&pss(&named("1.2.3"))), None);
    }

    #[test]
    fn what_is_no_certificate_has_no_binding() {
        let whole = certificate(&PKCS_ECDSA_P256_SHA256);
        for end in 0..whole.len() {
            assert_eq!(end_point(&whole[..end]), None, "{end} bytes");
        }
        assert_eq!(end_point(b"-----BEGIN CERTIFICATE-----"), None);
    }
}
