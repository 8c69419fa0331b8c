//! Servers of CRM 2011's age, which offer only suites with CBC, are reached by the system's TLS, which verifies them.
#![allow(missing_docs, unreachable_pub, reason = "these are tests")]

#[cfg(feature = "command")]
mod command;
mod front;

use std::path::Path;
use std::process::Command;

use datahub_runtime::login::Ntlm;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{ChannelBinding, NtlmServer};
use datahub_runtime::{Anonymous, HubBuilder, Value};
use example_domain::Organisation;
use sha2::{Digest as _, Sha256};

use front::{CBC, Certificates, Front};

/// A server of Windows Server 2008 R2 and 2012, with TLS 1.2.
pub const OLD: [&str; 3] = ["-tls1_2", "-cipher", CBC];

fn hub(kit: &Kit, front: &Front, authority: &Path) -> HubBuilder {
    kit.hub(example_domain::models()).cdms(front.root(), Anonymous).tls(datahub_native_tls::TLS).ca_file(authority)
}

/// The error of a read that gets no answer.
async fn refused(hub: HubBuilder) -> String {
    let error = Organisation::get(&hub.connect().await.unwrap(), Id::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    error.to_string()
}

#[tokio::test]
async fn records_are_read_and_written_over_suites_with_cbc() {
    let certificates = Certificates::new();
    let kit = Kit::new(example_domain::METADATA);
    let front = Front::before(&kit.simulator.root(), &certificates.issue("localhost"), &OLD);
    let hub = hub(&kit, &front, &certificates.authority()).connect().await.unwrap();
    let id = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
    let mut organisation = Organisation::get(&hub, id.into()).await.unwrap();
    assert_eq!(organisation.name, "Acme");
    organisation.name = "Acme Ltd".to_owned();
    organisation.save(&hub).await.unwrap();
    assert_eq!(Organisation::get(&hub, id.into()).await.unwrap().name, "Acme Ltd");
}

#[tokio::test]
async fn without_it_the_error_names_it() {
    let certificates = Certificates::new();
    let kit = Kit::new(example_domain::METADATA);
    let front = Front::before(&kit.simulator.root(), &certificates.issue("localhost"), &OLD);
    let hub = kit.hub(example_domain::models()).cdms(front.root(), Anonymous).ca_file(certificates.authority());
    let error = refused(hub).await;
    assert!(error.contains("no cipher suite in common") && error.contains("`datahub-native-tls`"), "{error}");
    assert_eq!(kit.simulator.requests_met(), 0);
}

/// NTLM has connections of its own, and is bound to the certificate that the server has shown.
#[tokio::test]
async fn a_login_by_ntlm_is_bound_to_the_certificate() {
    let certificates = Certificates::new();
    let identity = certificates.issue("localhost");
    let binding = ChannelBinding::Required(Sha256::digest(der(&identity)).to_vec());
    let kit = Kit::with(example_domain::METADATA, |cdms| {
        cdms.ntlm(NtlmServer::new("CDMS", "datahub", "secret").channel_binding(binding))
    });
    let front = Front::before(&kit.simulator.root(), &identity, &OLD);
    let hub = hub(&kit, &front, &certificates.authority());
    let hub = hub.cdms(front.root(), Ntlm::new(r"CDMS\datahub", "secret")).connect().await.unwrap();
    let error = Organisation::get(&hub, Id::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(kit.simulator.failed_logins(), 0);
}

/// The certificate in a file, as the server sends it.
fn der(identity: &Path) -> Vec<u8> {
    let output = Command::new("openssl").args(["x509", "-outform", "DER", "-in"]).arg(identity).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[tokio::test]
async fn certificates_are_verified() {
    let (certificates, other) = (Certificates::new(), Certificates::new());
    let kit = Kit::new(example_domain::METADATA);
    let front = |identity: &Path| Front::before(&kit.simulator.root(), identity, &OLD);
    let right = front(&certificates.issue("localhost"));
    let private = "`ca_file(…)` on the hub's builder";
    for (hub, words) in [
        (hub(&kit, &right, &other.authority()), private),
        (kit.hub(example_domain::models()).cdms(right.root(), Anonymous).tls(datahub_native_tls::TLS), private),
        (
            hub(&kit, &front(&certificates.issue("crm.example.gov.uk")), &certificates.authority()),
            "the server's certificate is for another host",
        ),
        (
            hub(&kit, &front(&certificates.issue_expired("localhost")), &certificates.authority()),
            "the server's certificate has expired",
        ),
    ] {
        let error = refused(hub).await;
        assert!(error.contains("no secure connection to localhost") && error.contains(words), "{error}");
    }
    assert_eq!(kit.simulator.requests_met(), 0);
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let certificates = Certificates::new();
    let authority = certificates.authority();
    let kit = Kit::new(example_domain::METADATA);
    let asks = ["-Verify", "1", "-verify_return_error", "-CAfile", authority.to_str().unwrap()];
    let front = Front::before(&kit.simulator.root(), &certificates.issue("localhost"), &[&OLD[..], &asks[..]].concat());
    refused(hub(&kit, &front, &authority)).await;
    assert_eq!(kit.simulator.requests_met(), 0);
    let hub = hub(&kit, &front, &authority).client_certificate(certificates.issue("hub")).connect().await.unwrap();
    let error = Organisation::get(&hub, Id::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

/// Whether a system permits TLS 1.0 is in a configuration that is read once; so this test runs itself again, with each.
#[test]
fn tls_1_0_is_spoken_if_the_program_and_the_system_permit_it() {
    const INSIDE: &str = "DATAHUB_TESTS_OF_TLS_1_0";
    if let Ok(level) = std::env::var(INSIDE) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(tls_1_0(&level));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for level in ["0", "2"] {
        let configuration = folder.path().join("openssl.cnf");
        let begin = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n";
        std::fs::write(&configuration, format!("{begin}CipherString = DEFAULT@SECLEVEL={level}\n")).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls_1_0_is_spoken_if_the_program_and_the_system_permit_it"])
            .env(INSIDE, level)
            .env("OPENSSL_CONF", configuration)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("1 passed"), "{told}{failed}");
    }
}

/// Within a process whose OpenSSL has this level of security.
async fn tls_1_0(level: &str) {
    let certificates = Certificates::new();
    let kit = Kit::new(example_domain::METADATA);
    let options = ["-tls1", "-cipher", "AES128-SHA:AES256-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0"];
    let front = Front::before(&kit.simulator.root(), &certificates.issue("localhost"), &options);
    let hub = || hub(&kit, &front, &certificates.authority());
    let error = refused(hub()).await;
    assert!(error.contains("the server offers only TLS 1.0 or 1.1"), "{error}");
    let down = hub().tls(datahub_native_tls::TLS.down_to_tls_1_0());
    if level == "0" {
        let error = Organisation::get(&down.connect().await.unwrap(), Id::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    } else {
        let error = refused(down).await;
        assert!(error.contains("which this machine does not permit"), "{error}");
    }
}
