//! NTLM over TLS: a login is bound to the certificate of the server, as IIS demands it where Extended Protection is on.

use std::path::Path;
use std::process::Command;

use cdms_simulator::ChannelBinding;
use datahub_runtime::prelude::*;
use example_domain::Organisation;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, SignatureAlgorithm,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest as _, Sha256, Sha384};

use crate::front::Front;
use crate::login_ntlm::{kit, login, server};
use crate::scene::{failed, says};

/// A server's certificate of this kind for `localhost`, of an authority of its own, whose certificate is written to a file.
pub(crate) fn certified(algorithm: &'static SignatureAlgorithm, authority: &Path) -> (ServerConfig, Vec<u8>) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate_for(algorithm).unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(authority, issuer.pem()).unwrap();
    let leaf = certificate.der().to_vec();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    _ = rustls::crypto::ring::default_provider().install_default();
    let config = ServerConfig::builder().with_no_client_auth();
    (config.with_single_cert(vec![certificate.der().clone()], key).unwrap(), leaf)
}

/// The machine's trust store is a file here, named before the process begins; so this test runs itself once more.
#[test]
fn a_login_over_tls_is_bound_to_the_servers_certificate() {
    const INSIDE: &str = "DATAHUB_TESTS_TRUST_STORE";
    if let Some(authority) = std::env::var_os(INSIDE) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(bound_to_the_certificate(Path::new(&authority)));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "login_ntlm_over_tls::a_login_over_tls_is_bound_to_the_servers_certificate"])
        .env("SSL_CERT_FILE", &authority)
        .env(INSIDE, &authority)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

async fn bound_to_the_certificate(authority: &Path) {
    for (algorithm, hash) in [
        (&PKCS_ECDSA_P256_SHA256, (|leaf| Sha256::digest(leaf).to_vec()) as fn(&[u8]) -> Vec<u8>),
        (&PKCS_ECDSA_P384_SHA384, |leaf| Sha384::digest(leaf).to_vec()),
    ] {
        let (config, leaf) = certified(algorithm, authority);
        for binding in
            [ChannelBinding::Required(hash(&leaf)), ChannelBinding::Allowed(hash(&leaf)), ChannelBinding::Ignored]
        {
            let kit = kit(server().channel_binding(binding));
            let front = Front::tls(&kit.simulator.root(), config.clone());
            let hub = kit.hub_with(example_domain::models(), login()).cdms(front.root(), login());
            let hub = hub.connect().await.unwrap();
            failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
            assert_eq!(kit.simulator.failed_logins(), 0);
        }
        // Something between ends TLS with a certificate of its own.
        for binding in [ChannelBinding::Required(vec![7; 32]), ChannelBinding::Allowed(vec![7; 32])] {
            let kit = kit(server().channel_binding(binding));
            let front = Front::tls(&kit.simulator.root(), config.clone());
            let hub = kit.hub_with(example_domain::models(), login()).cdms(front.root(), login());
            let hub = hub.connect().await.unwrap();
            let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
            says(&error, &["channel binding", "Extended Protection"]);
            assert_eq!(kit.simulator.failed_logins(), 1);
        }
    }
    // Without TLS there is nothing to bind to.
    let kit = kit(server().channel_binding(ChannelBinding::Required(vec![7; 32])));
    let hub = kit.hub_with(example_domain::models(), login()).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
}
