//! The configuration of the connection to CDMS: a program and the command line read the same file, and never a secret in it.

use std::fs;
use std::path::PathBuf;

use datahub_runtime::CdmsConfig;
use datahub_runtime::login::Secret;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{AdFsServer, OAuthServer};
use example_domain::Organisation;
use tempfile::TempDir;

use crate::scene::{failed, says};

/// A `datahub.toml` with this text.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("datahub.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

async fn reads(kit: &Kit, config: CdmsConfig) {
    let documents = config.documents().unwrap();
    assert!(String::from_utf8(documents.metadata().await.unwrap()).unwrap().contains("<EntityType Name=\"Account\""));
    let hub = kit.hub(example_domain::models()).cdms_from(config).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_program_logs_in_as_its_file_says() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.oauth(OAuthServer::new("hub", "canary")));
    let (root, token_url) = (kit.simulator.root(), kit.simulator.token_url());
    let text = format!(
        "contracts = 'm'\n[cdms]\nurl = '{root}'\nlogin = 'oauth'\ntoken-url = '{token_url}'\nclient-id = 'hub'\n"
    );
    let (_folder, path) = file(&text);
    let config = CdmsConfig::read(&path).unwrap().secret(Secret::new("canary"));
    assert!(!format!("{config:?}").contains("canary"));
    reads(&kit, config).await;

    let kit = Kit::with(example_domain::METADATA, |cdms| {
        cdms.adfs(AdFsServer::new("EXAMPLE\\hub", "canary").token_services(2))
    });
    let (root, services) = (kit.simulator.root(), kit.simulator.token_services());
    let text = format!(
        "[cdms]\nurl = '{root}'\nlogin = 'adfs'\nuser = 'somebody'\nsign-in = '{}'\ntoken-services = ['{}']\n",
        services[0], services[1]
    );
    let (_folder, path) = file(&text);
    let config = CdmsConfig::read(&path).unwrap().secret(Secret::new("canary"));
    reads(&kit, config.user("EXAMPLE\\hub")).await;
    assert_eq!(kit.simulator.failed_logins(), 0, "the program's user replaces the file's");

    let kit = Kit::new(example_domain::METADATA);
    let (_folder, path) = file("[cdms]\nurl = 'https://crm.example.gov.uk/ORG'\nlogin = 'none'\n");
    reads(&kit, CdmsConfig::read(&path).unwrap().at(kit.simulator.root())).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_configuration_is_said_before_anything_is_sent() {
    let (folder, path) = file("");
    let fault = || CdmsConfig::read(&path).unwrap_err();
    says(&fault(), &["datahub.toml does not say where CDMS is", "add `[cdms]`"]);
    fs::write(&path, "[cdms]\nurl = 'https://crm.example.gov.uk/ORG'\nlogin = 'adsf'\n").unwrap();
    says(&fault(), &["unknown login \"adsf\"", "datahub.toml:3:9", "did you mean `adfs`?"]);
    fs::write(&path, "[cdms]\nurl = 'https://crm.example.gov.uk/ORG'\npassword = 'canary'\n").unwrap();
    let error = fault();
    says(&error, &["`password` must not be in datahub.toml", "DATAHUB_PASSWORD", "change the secret"]);
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    says(&CdmsConfig::read(folder.path().join("other.toml")).unwrap_err(), &["cannot read", "other.toml"]);

    let kit = Kit::new(example_domain::METADATA);
    let connect = async |lines: &str| {
        fs::write(&path, format!("[cdms]\nurl = '{}'\n{lines}", kit.simulator.root())).unwrap();
        let config = CdmsConfig::read(&path).unwrap().secret(Secret::new("canary"));
        let hub = kit.hub(example_domain::models()).cdms_from(config).connect().await;
        let error = hub.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
        error
    };
    says(&connect("login = 'none'\nca-file = 'none.pem'\n").await, &["none.pem", "BEGIN CERTIFICATE"]);
    says(&connect("login = 'adfs'\nsign-in = 'sts.example.gov.uk'\n").await, &["has no user", "DATAHUB_USER"]);
    let http = "login = 'oauth'\ntoken-url = 'http://login.example.gov.uk/token'\nclient-id = 'x'\n";
    says(&connect(http).await, &["plain http is for this machine only"]);
    // The user of the environment or of the program comes after the file was read.
    fs::write(&path, format!("[cdms]\nurl = '{}'\nlogin = 'ntlm'\ndomain = 'EXAMPLE'\n", kit.simulator.root()))
        .unwrap();
    for user in ["OTHER\\hub", "hub@other.example.gov.uk"] {
        let config = CdmsConfig::read(&path).unwrap().secret(Secret::new("canary")).user(user);
        let error = kit.hub(example_domain::models()).cdms_from(config).connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
        says(&error, &[&format!("{user:?} carries its domain"), "datahub.toml is \"EXAMPLE\"", "DATAHUB_USER"]);
    }
    assert_eq!(kit.simulator.requests_met(), 0);
}
