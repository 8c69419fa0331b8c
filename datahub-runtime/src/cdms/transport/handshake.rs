//! What went wrong in a TLS handshake, in words: what the server did, and what to do about it.

use std::error::Error;
use std::io;

use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription as Alert, CertificateError, PeerIncompatible, PeerMisbehaved};

use super::error::causes;

/// Servers of CRM 2011's age, and what speaks their suites.
const CBC: &str = "servers of CRM 2011's age (Windows Server 2008 R2 and 2012) may offer only suites with CBC, which the crate \
                   `datahub-native-tls` speaks (docs/logins.md)";

/// The way to trust a private authority.
const PRIVATE: &str = "if its authority is your organisation's own, name the file with that authority's certificate (PEM): \
                       `ca_file(…)` on the hub's builder, or `ca-file` in [cdms] of datahub.toml";

/// What to do about a server that is too old.
const OLD: &str = "the server offers only TLS 1.0 or 1.1, which are not safe; have TLS 1.2 switched on there, which Windows \
                   Server 2008 R2 and later have";

/// The words for an error of the HTTP client while it connects over TLS, if the handshake is its cause.
pub(super) fn in_words(error: &(dyn Error + 'static)) -> Option<String> {
    fault_in_words(error).or_else(|| {
        is_broken_off(error)
            .then(|| format!("the server ended the connection in the middle of the TLS handshake; {CBC}"))
    })
}

/// The words for an error of TLS itself, which may also come after the handshake.
pub(super) fn fault_in_words(error: &(dyn Error + 'static)) -> Option<String> {
    let causes = causes(error);
    if let Some(error) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return Some(of_rustls(error));
    }
    // An error of the operating system's TLS has no type that is known here, and words of its own.
    causes.iter().find_map(|cause| of_system(&cause.to_string()))
}

/// Whether the connection ended, once it was made, before it was secured.
fn is_broken_off(error: &(dyn Error + 'static)) -> bool {
    let causes = causes(error);
    let of_tcp = causes.iter().any(|cause| cause.to_string().starts_with("tcp "));
    let is_end = |cause: &io::Error| match cause.kind() {
        io::ErrorKind::UnexpectedEof => cause.to_string().contains("handshake"),
        kind => kind == io::ErrorKind::ConnectionReset,
    };
    !of_tcp && causes.iter().filter_map(|cause| cause.downcast_ref()).any(is_end)
}

fn of_rustls(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage, PeerIncompatible as Incompatible};
    match error {
        InvalidCertificate(fault) => of_certificate(fault),
        AlertReceived(Alert::ProtocolVersion)
        | Incompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => OLD.to_owned(),
        AlertReceived(Alert::HandshakeFailure | Alert::InsufficientSecurity)
        | rustls::Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite) => {
            format!(
                "the server and this program have no cipher suite in common, or it asks for a client certificate: {CBC}; a \
                 client certificate is named by `client_certificate(…)`, or `client-certificate` in [cdms]"
            )
        }
        AlertReceived(Alert::CertificateRequired) => {
            "the server asks for a client certificate; name the file with it and \
                                                      its key (PEM): `client_certificate(…)` on the hub's builder, or \
                                                      `client-certificate` in [cdms] of datahub.toml"
                .to_owned()
        }
        AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied),
        ) => {
            format!(
                "the server does not take the client certificate ({alert:?}); ask its administrator for another one"
            )
        }
        InvalidMessage(_) => {
            "what answers at this port does not speak TLS; check the port, and whether the address begins \
                              with https:// rightly"
                .to_owned()
        }
        other => format!("the TLS handshake failed: {other}"),
    }
}

fn of_certificate(fault: &CertificateError) -> String {
    match fault {
        CertificateError::Expired => expired(""),
        CertificateError::ExpiredContext { not_after, .. } => expired(&format!(" on {}", day(*not_after))),
        CertificateError::NotValidYet => not_yet(""),
        CertificateError::NotValidYetContext { not_before, .. } => not_yet(&format!(" before {}", day(*not_before))),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => unknown_issuer(),
        CertificateError::NotValidForName => wrong_name(""),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| plain(name)).take(5).collect();
            let names = if names.is_empty() { "no host".to_owned() } else { names.join(", ") };
            wrong_name(&format!("; it is for {names} and not for {}", expected.to_str()))
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate cannot be trusted: it is the certificate of an authority, which is not accepted for a \
             server, also as `ca-file`; have one issued for the server (with openssl: `-addext \
             basicConstraints=critical,CA:FALSE`)"
                .to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => {
            "the server's certificate is signed in a way that is not safe any more, such as with SHA-1; have it reissued"
                .to_owned()
        }
        other => format!("the server's certificate cannot be trusted: {other}"),
    }
}

/// What OpenSSL, the TLS of most systems but Windows and macOS, says of the faults that have a cure.
fn of_system(said: &str) -> Option<String> {
    let said = said.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
    if has(&["certificate has expired"]) {
        Some(expired(""))
    } else if has(&["certificate is not yet valid"]) {
        Some(not_yet(""))
    } else if has(&["hostname mismatch", "ip address mismatch"]) {
        Some(wrong_name(""))
    } else if has(&["self-signed certificate", "self signed certificate", "unable to get local issuer"]) {
        Some(unknown_issuer())
    } else if has(&["unsupported protocol", "alert protocol version", "wrong ssl version"]) {
        Some(OLD.to_owned())
    } else if has(&["legacy sigalg disallowed"]) {
        Some("the server speaks TLS 1.0 or 1.1, or signs with SHA-1, which this machine does not permit".to_owned())
    } else {
        None
    }
}

fn expired(when: &str) -> String {
    format!("the server's certificate has expired{when}; have it renewed, and check this machine's clock")
}

fn not_yet(when: &str) -> String {
    format!("the server's certificate is not valid yet{when}; check this machine's clock")
}

fn unknown_issuer() -> String {
    format!(
        "the server's certificate cannot be trusted: it is self-signed, or comes from an authority that this machine does not \
         know; {PRIVATE}"
    )
}

fn wrong_name(names: &str) -> String {
    format!(
        "the server's certificate is for another host{names}; write the address with the name that the certificate has, or \
         have it issued for this one too"
    )
}

/// A name in a certificate, without what it could do to a line of a log.
fn plain(name: &str) -> String {
    let inner = name.split('"').nth(1).unwrap_or(name);
    inner.chars().filter(|letter| letter.is_ascii_graphic()).take(100).collect()
}

fn day(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| "an unknown day".to_owned(), |time| time.format("%Y-%m-%d").to_string())
}
