//! The first contact, tried step by step: what fails is named with what to do, what rests on it is not tried, nothing is
//! written, and the number of requests is known beforehand.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use datahub_runtime::connection::{ConnectionReport, State, Topic};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, Fault, FaultRule, Operation, Stage};
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{CdmsConfig, CdmsDocuments, HubBuilder, Models};
use example_domain::{Contact, Organisation, Sector};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::front::Front;
use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{OUR_USER, acme, failed, says};

/// Two models that are written, and one that is only read.
fn three() -> Models {
    models![Organisation, Contact, Sector]
}

/// A request without a session, one for the organisation, three sets, and `$metadata`.
const ALL: u64 = 6;

fn kit() -> Kit {
    let kit = Kit::new(example_domain::METADATA);
    kit.simulator.seed("Account", acme());
    kit
}

async fn checked(hub: HubBuilder) -> ConnectionReport {
    hub.connect().await.unwrap().check_connection().await.unwrap()
}

/// The steps of a report, each as its topic, its model and a letter for its state.
fn states(report: &ConnectionReport) -> Vec<String> {
    let shown = |step: &datahub_runtime::connection::Step| {
        let state = match step.state {
            State::Works { .. } => "works",
            State::Fails { .. } => "fails",
            State::Unknown { .. } => "unknown",
            _ => "not tried",
        };
        let model = step.model.as_ref().map(|model| format!(" {model}")).unwrap_or_default();
        format!("{}{model}: {state}", step.topic.name())
    };
    report.steps.iter().map(shown).collect()
}

/// Asserts that a step fails, in words with these parts, and that all steps after it are not tried, which say why.
fn fails_at(report: &ConnectionReport, topic: Topic, parts: &[&str], because: &str) {
    let place = report.steps.iter().position(|step| step.topic == topic).unwrap();
    let (before, rest) = report.steps.split_at(place);
    assert!(before.iter().all(|step| matches!(step.state, State::Works { .. } | State::NotTried { .. })), "{report}");
    assert!(matches!(rest[0].state, State::Fails { .. }), "{report}");
    for part in parts {
        assert!(rest[0].to_string().contains(part), "{part:?} is not in {report}");
    }
    for step in &rest[1..] {
        let State::NotTried { because: told } = &step.state else { panic!("{step}: {report}") };
        assert_eq!(told, because, "{report}");
    }
    assert!(!report.is_fine() && !report.is_reached(), "{report}");
}

#[tokio::test]
async fn all_of_it_works_and_nothing_is_written() {
    let kit = kit();
    let hub = kit.hub(three()).cdms_user(OUR_USER).connect().await.unwrap();
    let before = kit.rows_of("datahub_settings");
    let (report, cost) = datahub_runtime::Cost::of(hub.check_connection()).await;
    let report = report.unwrap();
    assert!(report.is_fine() && report.is_reached(), "{report}");
    let expected = [
        "address: works",
        "TLS: not tried",
        "login: works",
        "organisation: works",
        "user: works",
        "read Organisation: works",
        "read Contact: works",
        "read Sector: works",
        "write Organisation: not tried",
        "write Contact: not tried",
        "schema Organisation: works",
        "schema Contact: works",
        "schema Sector: works",
    ];
    assert_eq!(states(&report), expected);
    assert_eq!((report.requests, cost.requests, cost.transactions), (ALL + 1, ALL + 1, 0));
    let text = report.to_string();
    let organisation = format!("✓ organisation  CDMS is organisation {}", kit.simulator.organisation());
    for line in [
        &*organisation,
        "– TLS           not tried, because the address begins with http://, so nothing is encrypted",
        "✓ read          Organisation: CDMS shows a record of AccountSet",
        "✓ read          Contact: CDMS answers, and shows no record of ContactSet: there is none, or none for this user",
        "– write         Organisation, Contact: not tried, because a try would change data",
        "✓ schema        Sector: $metadata has all that is used of optevia_sector",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
    assert!(kit.simulator.requests().iter().all(|request| request.method == "GET"));
    assert!(kit.simulator.log().is_empty());
    assert_eq!(kit.rows_of("datahub_settings"), before, "the database is as it was");
    assert!(!hub.health().await.cdms_met, "it is no first contact");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["steps"][5]["step"], &json["steps"][5]["model"]), (&"read".into(), &"Organisation".into()));
}

#[tokio::test]
async fn models_of_one_entity_share_a_request_and_a_user_that_was_not_named_is_not_asked_for() {
    let kit = kit();
    let report = checked(kit.hub(example_domain::models())).await;
    assert!(report.is_fine(), "{report}");
    let reads = report.steps.iter().filter(|step| step.topic == Topic::Read);
    let sets: std::collections::BTreeSet<_> =
        kit.simulator.requests().into_iter().map(|request| request.target).filter(|to| to.contains("$top=1")).collect();
    assert_eq!((reads.count(), report.requests), (18, 3 + sets.len() as u64), "{report}");
    assert!(report.steps[4].to_string().contains("`.cdms_user(…)`"), "{}", report.steps[4]);
}

#[tokio::test]
async fn a_right_that_is_missing_for_one_entity_does_not_hide_the_others() {
    let kit = kit();
    kit.simulator.fault(FaultRule::new(Fault::NoPrivilege).on(Operation::List).entity("Contact"));
    let report = checked(kit.hub(three())).await;
    let faults: Vec<_> = report.faults().map(ToString::to_string).collect();
    let [fault] = &faults[..] else { panic!("{report}") };
    assert!(fault.starts_with("read of Contact: the CDMS user may not read ContactSet: ") && fault.contains("403"));
    assert!(fault.ends_with("give the CDMS user a role with the privilege that CDMS's text names"), "{fault}");
    assert!(!report.is_fine() && report.is_reached(), "{report}");
    assert_eq!(report.requests, ALL);
}

#[tokio::test]
async fn a_prohibition_of_the_web_server_is_told_from_a_missing_privilege() {
    let kit = kit();
    kit.simulator.fault(FaultRule::new(Fault::Html(403)).on(Operation::List).entity("Contact"));
    let report = checked(kit.hub(three())).await;
    let fault = report.faults().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for part in ["read of Contact", "the web server", "status 403", "no matter of CDMS's roles"] {
        assert!(fault.contains(part), "{fault}");
    }
}

#[tokio::test]
async fn the_schema_tells_what_has_drifted_from_the_contract() {
    let vanished = example_domain::METADATA
        .replacen(r#"<Property Name="WebSiteURL" Type="Edm.String" Nullable="true"/>"#, "", 1)
        .replacen(
            r#"<Property Name="CreditLimit" Type="Microsoft.Crm.Sdk.Data.Services.Money" Nullable="true"/>"#,
            r#"<Property Name="CreditLimit" Type="Edm.String" Nullable="true"/>"#,
            1,
        )
        .replace("optevia_sectorSet", "SectorSet");
    let kit = Kit::new(&vanished);
    let report = checked(kit.hub(three())).await;
    let expected = [
        "read Sector: fails",
        "write Organisation: not tried",
        "write Contact: not tried",
        "schema Organisation: fails",
        "schema Contact: works",
        "schema Sector: fails",
    ];
    assert_eq!(states(&report)[7..], expected, "{report}");
    let text = report.to_string();
    for part in [
        "Organisation: the type of `CreditLimit` of `Account` is `Edm.String`, which cannot be read as the kind money; \
         `Account` has no attribute `WebSiteURL`\n",
        "Sector: the set of `optevia_sector` is `SectorSet`, not `optevia_sectorSet`\n",
        "help: save CDMS's present $metadata as the snapshot",
        "Sector: CDMS has no set optevia_sectorSet",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(report.requests, ALL);
}

#[tokio::test]
async fn an_entity_that_is_missing_is_named_in_rights_and_schema() {
    let (before, rest) = example_domain::METADATA.split_once(r#"<EntityType Name="optevia_sector">"#).unwrap();
    let (_, after) = rest.split_once("</EntityType>").unwrap();
    let without = format!("{before}{after}");
    let set = without.lines().find(|line| line.contains("EntitySet Name=\"optevia_sectorSet\"")).unwrap().to_owned();
    let kit = Kit::new(&without.replace(&set, ""));
    let report = checked(kit.hub(three())).await;
    let faults: Vec<_> = report.faults().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{report}");
    assert!(faults[0].starts_with("read of Sector: CDMS has no set optevia_sectorSet: "), "{report}");
    assert!(faults[1].starts_with("schema of Sector: CDMS has no entity `optevia_sector`; "), "{report}");
}

#[tokio::test]
async fn an_address_where_nothing_listens_or_whose_name_is_unknown_stops_it_after_one_try() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/ORG", listener.local_addr().unwrap())
    };
    let kit = kit();
    let silent = "the address does not answer";
    let report = checked(kit.hub(three()).cdms(closed, Anonymous)).await;
    fails_at(&report, Topic::Address, &["cannot be reached", "refused", "check host and port"], silent);
    assert_eq!(report.requests, 1);
    let report = checked(kit.hub(three()).cdms("https://crm.datahub.invalid/ORG", Anonymous)).await;
    fails_at(&report, Topic::Address, &["the name crm.datahub.invalid cannot be resolved", "DNS"], silent);
    assert_eq!(report.requests, 1);
}

#[tokio::test]
async fn a_server_that_is_no_cdms_or_has_no_such_organisation_is_told_in_words() {
    let kit = kit();
    let html = "Content-Type: text/html\r\n";
    let unknown = "the organisation is not known";
    for (status, parts) in [
        ("200 OK", ["no data service of CRM 2011", "an HTML page"]),
        ("404 Not Found", ["no data service of CRM 2011", "status 404"]),
        ("405 Method Not Allowed", ["no data service of CRM 2011", "status 405"]),
    ] {
        let server = Meddler::before(&kit.simulator.root(), move |_| {
            Deed::Keep(answer(status, html, b"<html><h1>It works!</h1></html>"))
        });
        let report = checked(kit.hub(three()).cdms(server.root(), Anonymous)).await;
        fails_at(&report, Topic::Organisation, &parts, unknown);
        fails_at(&report, Topic::Organisation, &["check the address", "https://crm.example.gov.uk/ORG"], unknown);
        let told = format!(
            "login: not tried, because the server answered without asking for a login (status {})",
            &status[..3]
        );
        assert_eq!(report.steps[2].to_string(), told);
        assert_eq!(report.requests, 2, "{report}");
    }
    // What answers is not HTTP at all.
    let server = Meddler::before(&kit.simulator.root(), |_| Deed::Answer(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()));
    let report = checked(kit.hub(three()).cdms(server.root(), Anonymous)).await;
    let silent = "the address does not answer";
    fails_at(&report, Topic::Address, &["gives no whole answer", "check whether a web server answers"], silent);
    assert_eq!(report.requests, 1);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_however_often_it_is_checked() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let hub = kit.hub_with(three(), FormLogin::new("hub", "not-the-password")).connect().await.unwrap();
    for _ in 0..3 {
        let report = hub.check_connection().await.unwrap();
        let parts = ["CDMS refuses the login", "`hub.retry_login()`", "it may be locked, disabled or expired"];
        fails_at(&report, Topic::Login, &parts, "there is no login");
        let told = format!("{report} {report:?} {}", serde_json::to_string(&report).unwrap());
        assert!(!told.contains("not-the-password"), "{told}");
    }
    assert_eq!(kit.simulator.failed_logins(), 1);
    // The database remembers it for a program that is started again.
    let again = kit.hub_with(three(), FormLogin::new("hub", "not-the-password"));
    fails_at(&checked(again).await, Topic::Login, &["CDMS refuses the login"], "there is no login");
    assert_eq!(kit.simulator.failed_logins(), 1);
}

#[tokio::test]
async fn a_login_is_shared_with_everyone_and_its_end_is_cured_once() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::LoginForm));
    let hub = kit.hub_with(three(), FormLogin::new("hub", "secret")).connect().await.unwrap();
    let (first, second, read) =
        tokio::join!(hub.check_connection(), hub.check_connection(), Organisation::get(&hub, Id::new()).into_future());
    failed(read, ErrorKind::NotFound);
    for report in [first.unwrap(), second.unwrap()] {
        assert!(report.is_fine() && report.to_string().contains("CDMS takes the login of hub"), "{report}");
    }
    let logins = || kit.simulator.requests().iter().filter(|request| request.target.ends_with("/login")).count();
    assert_eq!(logins(), 1);
    kit.simulator.expire_sessions();
    assert!(hub.check_connection().await.unwrap().is_fine());
    assert_eq!(logins(), 2);
}

#[tokio::test]
async fn a_cdms_that_asks_for_a_login_that_is_not_stated_is_told() {
    for expiry in [Expiry::Unauthorized, Expiry::Redirect, Expiry::LoginForm] {
        let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", expiry));
        let report = checked(kit.hub(three())).await;
        fails_at(&report, Topic::Login, &["datahub.toml, or"], "there is no login");
        let documents = CdmsDocuments::without_login(&kit.simulator.root()).unwrap();
        let (report, metadata) = documents.check_connection(&[]).await;
        fails_at(&report, Topic::Login, &["CDMS asks for a login", "datahub.toml, or"], "there is no login");
        assert!(metadata.is_none() && report.requests == 2, "{report}");
    }
}

#[tokio::test]
async fn the_login_to_state_is_the_one_that_cdms_asks_for() {
    let kit = kit();
    for (status, header, help) in [
        ("401 Unauthorized", "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n", "write `login = \"ntlm\"`"),
        (
            "302 Found",
            "Location: https://sts.example.gov.uk/adfs/ls/?wa=wsignin1.0&wtrealm=x\r\n",
            "CDMS sends logins to sts.example.gov.uk: write `login = \"adfs\"` and `sign-in = \"sts.example.gov.uk\"`",
        ),
    ] {
        let server = Meddler::before(&kit.simulator.root(), move |_| Deed::Keep(answer(status, header, b"")));
        let report = checked(kit.hub(three()).cdms(server.root(), Anonymous)).await;
        fails_at(&report, Topic::Login, &[help], "there is no login");
        let (report, _) = CdmsDocuments::without_login(&server.root()).unwrap().check_connection(&[]).await;
        fails_at(&report, Topic::Login, &["CDMS asks for a login", help], "there is no login");
    }
}

#[tokio::test]
async fn a_cdms_that_stops_answering_in_the_middle_is_not_asked_again() {
    let kit = kit();
    let cdms =
        Meddler::before(
            &kit.simulator.root(),
            |request| {
                if request.contains("ContactSet") { Deed::Hang } else { Deed::Pass }
            },
        );
    let hub = kit.hub(three()).cdms(cdms.root(), Anonymous).time_limit(Duration::from_secs(3));
    let report = checked(hub).await;
    assert_eq!(states(&report)[5..8], ["read Organisation: works", "read Contact: unknown", "read Sector: not tried"]);
    let rest = &report.steps[7..];
    assert!(
        rest.iter().all(|step| step.to_string().ends_with("not tried, because CDMS no longer answers")),
        "{report}"
    );
    assert!(report.requests == 4 && !report.is_reached(), "{report}");
}

#[tokio::test]
async fn another_organisation_than_the_databases_and_an_unknown_user_are_told() {
    let kit = kit();
    let hub = kit.hub(three()).cdms_user(r"CDMS\typo").connect().await.unwrap();
    let report = hub.check_connection().await.unwrap();
    assert_eq!(report.faults().count(), 1, "{report}");
    assert!(report.to_string().contains(r#"CDMS has 0 users called "CDMS\\typo""#), "{report}");
    let hub = kit.hub(three()).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    let before = kit.simulator.organisation().to_string();
    let now = kit.simulator.become_another_organisation().to_string();
    let report = hub.check_connection().await.unwrap();
    let parts = [&*before, &*now, "use a new database"];
    fails_at(&report, Topic::Organisation, &parts, "the organisation is not known");
}

/// A server's configuration with a certificate for a name, of an authority whose certificate is written to a file.
fn certified(name: &str, authority: &Path) -> ServerConfig {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(authority, issuer.pem()).unwrap();
    _ = rustls::crypto::ring::default_provider().install_default();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap()
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_a_step_of_its_own() {
    let kit = kit();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let right = Front::tls(&kit.simulator.root(), certified("localhost", &authority));
    let insecure = "there is no secure connection";
    let report = checked(kit.hub(three()).cdms(right.root(), Anonymous)).await;
    fails_at(&report, Topic::Tls, &["certificate", "`ca-file`", "cannot be switched off"], insecure);
    assert_eq!(report.requests, 1);
    let report = checked(kit.hub(three()).cdms(right.root(), Anonymous).ca_file(&authority)).await;
    assert!(report.is_fine() && matches!(report.steps[1].state, State::Works { .. }), "{report}");
    let other = folder.path().join("other.pem");
    let wrong = Front::tls(&kit.simulator.root(), certified("crm.example.gov.uk", &other));
    let report = checked(kit.hub(three()).cdms(wrong.root(), Anonymous).ca_file(&other)).await;
    fails_at(&report, Topic::Tls, &["certificate"], insecure);
}

#[tokio::test]
async fn dropping_it_leaves_nothing_behind() {
    let kit = kit();
    let hub = kit.hub(three()).connect().await.unwrap();
    let gate = kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let checking = tokio::spawn({
        let hub = hub.clone();
        async move { hub.check_connection().await }
    });
    gate.arrived(1).await;
    checking.abort();
    assert!(checking.await.unwrap_err().is_cancelled());
    gate.open();
    assert!(hub.check_connection().await.unwrap().is_fine());
}

#[tokio::test]
async fn a_hub_without_cdms_without_budget_or_after_its_end_refuses_it() {
    let kit = kit();
    let hub = kit.hub(three()).connect().await.unwrap();
    says(&failed(hub.with_budget(0).check_connection().await, ErrorKind::BudgetExceeded), &["check_connection"]);
    hub.shutdown(Duration::from_secs(10)).await;
    failed(hub.check_connection().await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn the_configuration_of_the_command_tells_the_same_without_a_database() {
    let kit = kit();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("datahub.toml");
    std::fs::write(&file, format!("[cdms]\nurl = \"{}\"\nlogin = \"none\"\n", kit.simulator.root())).unwrap();
    let documents = CdmsConfig::read(&file).unwrap().documents().unwrap();
    let (report, metadata) = documents.check_connection(&[]).await;
    assert!(report.is_fine() && metadata.is_some_and(|metadata| metadata.entity("Account").is_some()), "{report}");
    assert!(
        report.to_string().ends_with("✓ schema        $metadata can be read, and no model uses it yet"),
        "{report}"
    );
    assert_eq!(report.requests, 3);
}
