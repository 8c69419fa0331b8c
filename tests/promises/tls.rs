//! TLS with CDMS: certificates are always verified, and what is wrong with a handshake is said in words, with what to do.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Anonymous, HubBuilder};
use example_domain::Organisation;
use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};
use rustls::ServerConnection;

use crate::certificates::{Authority, Issued, OpenSsl, self_signed, server};
use crate::front::Front;
use crate::scene::{failed, says};

/// What names the way to trust a private authority.
const PRIVATE: &str = "`ca_file(…)` on the hub's builder, or `ca-file` in [cdms] of datahub.toml";

fn kit() -> Kit {
    Kit::new(example_domain::METADATA)
}

/// A hub that reaches CDMS at another address.
fn hub(kit: &Kit, root: &str) -> HubBuilder {
    kit.hub(example_domain::models()).cdms(root, Anonymous)
}

/// Reads through a hub: CDMS answers that it has no such record.
async fn reads(hub: HubBuilder) {
    let hub = hub.connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
}

/// The error of a hub that does not get through.
async fn refused(hub: HubBuilder) -> Error {
    let hub = hub.connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable)
}

/// The error of a hub that trusts this authority, with a server that shows this certificate. CDMS meets no request.
async fn refused_with(issued: &Issued, trusted: &Authority) -> Error {
    let kit = kit();
    let front = Front::tls(&kit.simulator.root(), server(issued));
    let error = refused(hub(&kit, &front.root()).ca_file(trusted.file())).await;
    assert_eq!(kit.simulator.requests_met(), 0, "{error}");
    says(&error, &["no secure connection to localhost: the server's certificate"]);
    error
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_its_file_and_by_no_other_way() {
    let (ours, other) = (Authority::new(), Authority::new());
    let kit = kit();
    let front = Front::tls(&kit.simulator.root(), server(&ours.issue("localhost")));
    reads(hub(&kit, &front.root()).ca_file(ours.file())).await;
    let met = kit.simulator.requests_met();
    for hub in [hub(&kit, &front.root()), hub(&kit, &front.root()).ca_file(other.file())] {
        says(&refused(hub).await, &["an authority that this machine does not know", PRIVATE]);
    }
    assert_eq!(kit.simulator.requests_met(), met);
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_unless_it_is_named() {
    let names = || CertificateParams::new(["localhost".to_owned()]).unwrap();
    let ours = Authority::new();
    let plain = self_signed(names());
    says(&refused_with(&plain, &ours).await, &["cannot be trusted: it is self-signed", PRIVATE]);
    let mut params = names();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = self_signed(params);
    let error = refused_with(&authority, &ours).await;
    says(&error, &["it is the certificate of an authority, which is not accepted for a server", "CA:FALSE"]);
    assert!(!error.to_string().contains(PRIVATE), "to name it does not help: {error}");
    let kit = kit();
    let front = Front::tls(&kit.simulator.root(), server(&plain));
    reads(hub(&kit, &front.root()).ca_file(ours.identity_file("named.pem", &plain))).await;
}

#[tokio::test]
async fn a_certificate_is_refused_before_and_after_its_time() {
    let ours = Authority::new();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2020, 2, 29);
    says(&refused_with(&ours.issue_from(params), &ours).await, &["has expired on 2020-02-29", "have it renewed"]);
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(4000, 1, 1);
    params.not_after = date_time_ymd(4001, 1, 1);
    says(&refused_with(&ours.issue_from(params), &ours).await, &["is not valid yet before 4000-01-01", "clock"]);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let ours = Authority::new();
    let names = ["crm.example.gov.uk".to_owned(), "*.localhost".to_owned()];
    let other = ours.issue_from(CertificateParams::new(names).unwrap());
    says(
        &refused_with(&other, &ours).await,
        &["is for another host; it is for crm.example.gov.uk, *.localhost and not for localhost"],
    );
    says(&refused_with(&ours.issue_from(CertificateParams::new([]).unwrap()), &ours).await, &["it is for no host"]);
}

/// The error of a hub that trusts OpenSSL's server with these options.
async fn refused_by_openssl(options: &[&str]) -> Error {
    let ours = Authority::new();
    let identity = ours.identity_file("server.pem", &ours.issue("localhost"));
    let openssl = OpenSsl::serve(&identity, options);
    refused(hub(&kit(), &openssl.root()).ca_file(ours.file())).await
}

#[tokio::test]
async fn protocols_that_are_not_safe_any_more_are_refused() {
    for old in ["-tls1", "-tls1_1"] {
        let error = refused_by_openssl(&[old, "-cipher", "ALL@SECLEVEL=0"]).await;
        says(&error, &["offers only TLS 1.0 or 1.1", "have TLS 1.2 switched on"]);
    }
    // A server that goes on in TLS 1.0, as Windows does.
    let mut hello = vec![22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x14, 0]);
    says(&refused(hub(&kit(), &answering(hello))).await, &["offers only TLS 1.0 or 1.1"]);
}

#[tokio::test]
async fn a_server_with_cbc_alone_is_told_with_the_way_out() {
    let cbc = "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA";
    let error = refused_by_openssl(&["-tls1_2", "-cipher", cbc]).await;
    says(&error, &["no cipher suite in common", "CBC", "`datahub-native-tls`", "or it asks for a client certificate"]);
    // A server that ends the connection without a word.
    says(&refused(hub(&kit(), &answering(Vec::new()))).await, &["in the middle of the TLS handshake", "CBC"]);
}

#[tokio::test]
async fn a_connection_that_is_reset_after_the_handshake_is_no_fault_of_tls() {
    let ours = Authority::new();
    let config = Arc::new(server(&ours.issue("localhost")));
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let root = format!("https://localhost:{}/ORG", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            while tls.is_handshaking() {
                tls.complete_io(&mut stream).unwrap();
            }
            // The request that is left unread here makes the end a reset.
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let error = refused(hub(&kit(), &root).ca_file(ours.file())).await;
    assert!(!error.to_string().contains("handshake") && !error.to_string().contains("CBC"), "{error}");
    says(&error, &["connection"]);
}

#[tokio::test]
async fn what_is_no_tls_is_told() {
    let error = refused(hub(&kit(), &answering(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()))).await;
    says(&error, &["does not speak TLS", "check the port"]);
}

/// The address of a server that answers whatever comes with these bytes, and goes away.
fn answering(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            _ = stream.read(&mut [0; 4096]);
            // The client may be gone.
            _ = stream.write_all(&bytes);
        }
    });
    format!("https://localhost:{port}/ORG")
}

#[tokio::test]
async fn connecting_has_a_limit_of_its_own() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let root = format!("https://localhost:{}/ORG", listener.local_addr().unwrap().port());
    let begun = Instant::now();
    let kit = kit();
    let error = refused(hub(&kit, &root).connect_limit(Duration::from_millis(300))).await;
    says(&error, &["no answer in time"]);
    assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
}
