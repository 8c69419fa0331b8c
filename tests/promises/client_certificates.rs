//! Certificates of the hub's own: shown to the servers that ask for one, over every connection.

use std::fs;
use std::path::Path;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Anonymous, CdmsConfig, HubBuilder};
use example_domain::Organisation;
use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};

use crate::certificates::{Authority, OpenSsl};
use crate::front::Front;
use crate::login_ntlm;
use crate::scene::{failed, says};

/// Servers that ask for a certificate, with TLS 1.2 and with 1.3.
fn servers(authority: &Authority) -> [ServerConfig; 2] {
    let issued = authority.issue("localhost");
    [authority.asking(&issued, &[&TLS12]), authority.asking(&issued, &[&TLS13])]
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks_for_one() {
    let (ours, other) = (Authority::new(), Authority::new());
    let file = ours.identity_file("hub.pem", &ours.issue("hub"));
    let foreign = other.identity_file("hub.pem", &other.issue("hub"));
    for server in servers(&ours) {
        let kit = Kit::new(example_domain::METADATA);
        let front = Front::tls(&kit.simulator.root(), server);
        let hub = || kit.hub(example_domain::models()).cdms(front.root(), Anonymous).ca_file(ours.file());
        let tried = async |hub: HubBuilder| Organisation::get(&hub.connect().await.unwrap(), Id::new()).await;
        says(
            &failed(tried(hub()).await, ErrorKind::Unavailable),
            &["the server asks for a client certificate", "`client_certificate(…)`"],
        );
        let error = failed(tried(hub().client_certificate(&foreign)).await, ErrorKind::Unavailable);
        says(&error, &["does not take the client certificate"]);
        assert_eq!(kit.simulator.requests_met(), 0);
        failed(tried(hub().client_certificate(&file)).await, ErrorKind::NotFound);
        // As a file of a configuration says, in its folder.
        let toml = ours.folder().join("datahub.toml");
        let text = "login = 'none'\nca-file = 'authority.pem'\nclient-certificate = 'hub.pem'\n";
        fs::write(&toml, format!("[cdms]\nurl = '{}'\n{text}", front.root())).unwrap();
        let config = CdmsConfig::read(&toml).unwrap();
        assert!(!config.documents().unwrap().metadata().await.unwrap().is_empty());
        failed(tried(kit.hub(example_domain::models()).cdms_from(config)).await, ErrorKind::NotFound);
    }
}

/// A server that says no more than that the handshake failed.
#[tokio::test]
async fn a_server_that_asks_for_a_certificate_may_not_say_so() {
    let ours = Authority::new();
    let openssl = OpenSsl::serve(
        &ours.identity_file("server.pem", &ours.issue("localhost")),
        &["-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", ours.file().to_str().unwrap()],
    );
    let kit = Kit::new(example_domain::METADATA);
    let hub = kit.hub(example_domain::models()).cdms(openssl.root(), Anonymous).ca_file(ours.file());
    let error = failed(Organisation::get(&hub.connect().await.unwrap(), Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["or it asks for a client certificate", "`client_certificate(…)`"]);
}

#[tokio::test]
async fn the_connections_of_a_session_show_it_too() {
    let ours = Authority::new();
    let file = ours.identity_file("hub.pem", &ours.issue("hub"));
    for server in servers(&ours) {
        let kit = login_ntlm::kit(login_ntlm::server());
        let front = Front::tls(&kit.simulator.root(), server);
        let hub = kit.hub_with(example_domain::models(), login_ntlm::login()).cdms(front.root(), login_ntlm::login());
        let hub = hub.ca_file(ours.file()).client_certificate(&file).connect().await.unwrap();
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_file_that_is_no_certificate_with_its_key_is_told() {
    let ours = Authority::new();
    let (one, two) = (ours.issue("one"), ours.issue("two"));
    let kit = Kit::new(example_domain::METADATA);
    let file = ours.folder().join("hub.pem");
    let fault = async |text: &str| {
        fs::write(&file, text).unwrap();
        refused(&kit, &file).await
    };
    let (certificate, key) = (one.certificate.pem(), one.key.serialize_pem());
    says(&refused(&kit, &ours.folder().join("none.pem")).await, &["client certificate in", "none.pem"]);
    says(&fault(&key).await, &["contains no certificate", "openssl pkcs12"]);
    says(&fault(&certificate).await, &["contains no key", "openssl pkcs12"]);
    let sealed = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    says(&fault(&format!("{certificate}{sealed}")).await, &["its key has a passphrase", "openssl pkey"]);
    let other = two.key.serialize_pem();
    says(&fault(&format!("{certificate}{other}")).await, &["the key does not belong to the first certificate"]);
    let cut = &key[..key.len() / 2];
    let error = fault(&format!("{certificate}{cut}-----END PRIVATE KEY-----\n")).await;
    says(&error, &["client certificate in"]);
    let body = key.lines().nth(1).unwrap();
    assert!(!format!("{error} {error:?}").contains(body), "the key is not shown");
}

/// The error of a hub with this file.
async fn refused(kit: &Kit, file: &Path) -> Error {
    let hub = kit.hub(example_domain::models()).client_certificate(file).connect().await;
    failed(hub, ErrorKind::Misconfigured)
}
