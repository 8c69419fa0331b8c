//! The login by AD FS: every page that its servers show, each failure with its own words, and a password that goes to one host
//! once.

use std::future::IntoFuture as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::login::{AdFs, Secret, secrecy::SecretString};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{AdFsServer, AdFsTrouble, AdFsVersion, Expiry, Operation};
use example_domain::Organisation;
use futures_util::future::join_all;

use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{Scene, acme, failed, says};

pub(crate) const USER: &str = "EXAMPLE\\datahub";
pub(crate) const PASSWORD: &str = "pass & word=ä";

/// A CDMS behind AD FS.
pub(crate) fn kit(adfs: impl FnOnce(AdFsServer) -> AdFsServer) -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.adfs(adfs(AdFsServer::new(USER, PASSWORD))).lock_after(3))
}

pub(crate) fn login(kit: &Kit, password: impl Into<Secret>) -> AdFs {
    login_of(kit, password, None).unwrap()
}

pub(crate) fn login_of(kit: &Kit, password: impl Into<Secret>, home_realm: Option<&str>) -> Result<AdFs, Error> {
    let services = kit.simulator.token_services();
    let mut builder = AdFs::builder(&services[0]).user(USER).password(password);
    for service in &services[1..] {
        builder = builder.token_service(service);
    }
    if let Some(identifier) = home_realm {
        builder = builder.home_realm(identifier);
    }
    builder.build()
}

pub(crate) async fn hub(kit: &Kit, password: impl Into<Secret>) -> Hub {
    kit.hub_with(example_domain::models(), login(kit, password)).connect().await.unwrap()
}

async fn scene(adfs: impl FnOnce(AdFsServer) -> AdFsServer) -> Scene {
    let kit = kit(adfs);
    let hub = kit.hub_with(example_domain::models(), login(&kit, PASSWORD));
    Scene::with_kit(kit, hub).await
}

/// Asks for a record that does not exist, and returns the error.
pub(crate) async fn asked(hub: &Hub, expected: ErrorKind) -> Error {
    failed(Organisation::get(hub, Id::new()).await, expected)
}

/// The targets of all requests that contained this text.
fn sent_to(kit: &Kit, text: &str) -> Vec<String> {
    let requests = kit.simulator.requests().into_iter();
    requests.filter(|request| request.body.contains(text) || request.target.contains(text)).map(|r| r.target).collect()
}

#[tokio::test]
async fn both_versions_log_in_over_one_to_four_token_services() {
    for version in [AdFsVersion::Two, AdFsVersion::Three] {
        for count in 1..=4 {
            let scene = scene(|adfs| adfs.version(version).token_services(count)).await;
            assert_eq!(scene.get().await.unwrap().name, "Acme", "{version:?}, {count}");
            let simulator = &scene.kit.simulator;
            assert_eq!((simulator.passwords_tried(), simulator.failed_logins()), (1, 0), "{version:?}, {count}");
            let sent = sent_to(&scene.kit, "pass+%26+word%3D%C3%A4");
            let [to] = &sent[..] else { panic!("{version:?}, {count}: {sent:?}") };
            assert!(to.starts_with(&simulator.token_services()[0]), "only the sign-in service gets the password: {to}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_whatever_the_language_and_however_often_the_program_starts() {
    for version in [AdFsVersion::Two, AdFsVersion::Three] {
        let kit = kit(|adfs| adfs.version(version));
        let first = hub(&kit, "not-the-password").await;
        for read in join_all((0..20).map(|_| Organisation::get(&first, Id::new()).into_future())).await {
            let error = failed(read, ErrorKind::LoginRefused);
            says(&error, &["refuses the user `EXAMPLE\\datahub` or its password", "Kennwort ist falsch", "locked"]);
            assert!(!format!("{error} {error:?} {first:?}").contains("not-the-password"), "{error:?}");
        }
        kit.advance(Duration::from_secs(86_400));
        asked(&first, ErrorKind::LoginRefused).await;
        asked(&hub(&kit, "not-the-password").await, ErrorKind::LoginRefused).await;
        assert_eq!((kit.simulator.failed_logins(), kit.simulator.is_locked()), (1, false), "{version:?}");
        asked(&hub(&kit, PASSWORD).await, ErrorKind::NotFound).await;
    }
}

#[tokio::test]
async fn a_password_that_is_rotated_in_a_file_is_noticed() {
    let kit = kit(|adfs| adfs);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\r\n")).unwrap();
    let hub = hub(&kit, Secret::file(&file)).await;
    asked(&hub, ErrorKind::NotFound).await;
    kit.simulator.set_password("new");
    kit.simulator.expire_sessions();
    asked(&hub, ErrorKind::LoginRefused).await;
    std::fs::write(&file, "new\n").unwrap();
    kit.advance(Duration::from_secs(1));
    asked(&hub, ErrorKind::NotFound).await;
    assert_eq!(kit.simulator.failed_logins(), 1);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_costs_no_login() {
    let kit = kit(|adfs| adfs);
    let file = tempfile::tempdir().unwrap().path().join("gone");
    let hub = hub(&kit, Secret::file(&file)).await;
    let error = asked(&hub, ErrorKind::Unavailable).await;
    says(&error, &["the login's secret cannot be read from the file", "gone", "not read again for 10 s"]);
    let vault = Secret::from_fn(|| async { Err::<SecretString, _>("the vault is sealed") });
    let hub = kit.hub_with(example_domain::models(), login(&kit, vault)).connect().await.unwrap();
    says(&asked(&hub, ErrorKind::Unavailable).await, &["the program's callback", "the vault is sealed"]);
    assert_eq!(kit.simulator.requests_met(), 0);
}

#[tokio::test]
async fn a_session_that_is_over_is_replaced_in_the_middle_of_a_read_whatever_its_sign() {
    for expiry in [Expiry::Unauthorized, Expiry::Redirect, Expiry::RedirectHere, Expiry::LoginForm] {
        let scene = scene(|adfs| adfs.expiry(expiry).token_services(2)).await;
        scene.get().await.unwrap();
        scene.kit.simulator.expire_sessions();
        assert_eq!(scene.get().await.unwrap().name, "Acme", "{expiry:?}");
        assert_eq!(scene.kit.simulator.passwords_tried(), 2, "{expiry:?}");
    }
}

#[tokio::test]
async fn a_write_that_meets_the_end_of_a_session_is_carried_out_once() {
    for expiry in [Expiry::Unauthorized, Expiry::Redirect, Expiry::RedirectHere, Expiry::LoginForm] {
        let scene = scene(|adfs| adfs.expiry(expiry)).await;
        let mut org = scene.get().await.unwrap();
        org.name = "Acme Foods".into();
        // The session ends between the read of the save and its write.
        let gate = scene.hold(crate::scene::Write::Update, datahub_runtime::testing::simulator::Stage::BeforeCommit);
        let hub = scene.hub.clone();
        let save = tokio::spawn(async move { org.save(&hub).await.map(drop) });
        gate.arrived(1).await;
        scene.kit.simulator.expire_sessions();
        gate.open();
        save.await.unwrap().unwrap();
        assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme Foods")), "{expiry:?}");
        assert_eq!(scene.commits().len(), 1, "{expiry:?}");
        assert_eq!((scene.open_intents(), scene.kit.simulator.passwords_tried()), (0, 2), "{expiry:?}");
    }
}

#[tokio::test]
async fn a_session_is_replaced_ahead_of_its_end() {
    let scene = scene(|adfs| adfs.lifetime(Duration::from_secs(3_600))).await;
    scene.get().await.unwrap();
    scene.kit.advance(Duration::from_secs(54 * 60));
    scene.get().await.unwrap();
    assert_eq!(scene.kit.simulator.passwords_tried(), 1);
    scene.kit.advance(Duration::from_secs(60));
    scene.get().await.unwrap();
    assert_eq!(scene.kit.simulator.passwords_tried(), 2);
    let answers = scene.kit.simulator.requests();
    let refused =
        answers.iter().filter(|entry| entry.target.contains("OrganizationData.svc") && entry.status == Some(302));
    assert_eq!(refused.count(), 0, "no request met the end of the session");
}

#[tokio::test]
async fn a_thousand_callers_share_one_login() {
    let kit = kit(|adfs| adfs.token_services(2));
    let account = kit.simulator.seed("Account", acme());
    let hub = hub(&kit, PASSWORD).await;
    let reads = (0..1_000).map(|_| Organisation::get(&hub, account.into()).into_future());
    for read in join_all(reads).await {
        read.unwrap();
    }
    assert_eq!(kit.simulator.passwords_tried(), 1);
}

#[tokio::test]
async fn half_a_login_and_a_crash_leave_nothing_to_stumble_over() {
    let kit = kit(|adfs| adfs);
    // The program ends after the password was sent and before CDMS has the token.
    let meddler =
        Meddler::before(
            &kit.simulator.root(),
            |line| {
                if line.starts_with("POST /ORG/ ") { Deed::Hang } else { Deed::Pass }
            },
        );
    let cut = kit.hub(example_domain::models()).cdms(meddler.root(), login(&kit, PASSWORD)).connect().await.unwrap();
    let pull = tokio::spawn(cut.pull::<Organisation>().into_future());
    while !meddler.requests().iter().any(|line| line.starts_with("POST /ORG/ ")) {
        tokio::task::yield_now().await;
    }
    pull.abort();
    assert!(pull.await.unwrap_err().is_cancelled());
    drop(cut);
    asked(&hub(&kit, PASSWORD).await, ErrorKind::NotFound).await;
    assert_eq!((kit.simulator.passwords_tried(), kit.simulator.failed_logins()), (2, 0));
}

#[tokio::test]
async fn nothing_goes_to_a_host_that_was_not_named() {
    let elsewhere = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = format!("http://{}/adfs/ls/", elsewhere.local_addr().unwrap());
    let secure = address.replace("http:", "https:");
    for (trouble, leads) in [
        (AdFsTrouble::RedirectTo(address.clone()), "redirects to"),
        (AdFsTrouble::RedirectTo(secure.clone()), "redirects to"),
        (AdFsTrouble::RedirectTo("file:///etc/passwd".to_owned()), "redirects to"),
        (AdFsTrouble::ActionAt(address), "is sent to"),
        (AdFsTrouble::ActionAt(secure), "is sent to"),
        (AdFsTrouble::ActionAt("javascript:alert(1)".to_owned()), "is sent to"),
    ] {
        let kit = kit(|adfs| adfs);
        kit.simulator.adfs_trouble(trouble.clone());
        let error = asked(&hub(&kit, PASSWORD).await, ErrorKind::Unavailable).await;
        says(&error, &[leads, "not among the hosts of the login", "nothing was sent there"]);
        assert_eq!(kit.simulator.passwords_tried(), 0, "{trouble:?}");
    }
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "no connection was made");
}

#[tokio::test]
async fn the_password_goes_to_no_other_host_of_the_login() {
    // CDMS and a second token service are hosts of the login, and ask for the password.
    let kit = kit(|adfs| adfs.token_services(2));
    for target in [kit.simulator.root(), kit.simulator.token_services()[1].clone()] {
        kit.simulator.adfs_trouble(AdFsTrouble::ActionAt(target.clone()));
        let error = asked(&hub(&kit, PASSWORD).await, ErrorKind::Unavailable).await;
        says(&error, &["the password is for", "it was not sent"]);
    }
    kit.simulator.adfs_trouble(None);
    let services = kit.simulator.token_services();
    let swapped =
        AdFs::builder(&services[1]).token_service(&services[0]).user(USER).password(PASSWORD).build().unwrap();
    let hub = kit.hub_with(example_domain::models(), swapped).connect().await.unwrap();
    says(&asked(&hub, ErrorKind::Unavailable).await, &["asks for it; it was not sent"]);
    assert_eq!((kit.simulator.passwords_tried(), sent_to(&kit, "pass+%26+word")), (0, Vec::new()));
}

/// Collects everything that is logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn passwords_tokens_and_cookies_are_in_no_log_error_or_database() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    // With one subscriber alone, whether an event is of interest is asked of the thread that meets it first, which may be
    // that of another test.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let kit = kit(|adfs| adfs.token_services(2));
    let mut told = String::new();
    for trouble in [None, Some(AdFsTrouble::EchoedPassword), Some(AdFsTrouble::HalfSession)] {
        let password = if trouble == Some(AdFsTrouble::EchoedPassword) { "canary-5e1f" } else { PASSWORD };
        kit.simulator.adfs_trouble(trouble);
        let hub = hub(&kit, password).await;
        let error = Organisation::get(&hub, Id::new()).await.unwrap_err();
        told.push_str(&format!("{error} {error:?} {hub:?}"));
        kit.simulator.expire_sessions();
    }
    told.push_str(&String::from_utf8_lossy(&logged.0.lock().unwrap()));
    told.push_str(&kit.rows_of("datahub_settings").join("\n"));
    assert!(told.contains("logged in to CDMS") && told.contains("refuses the login"), "something was logged");
    for secret in [PASSWORD, "pass+%26+word", "canary-5e1f", "MSISAuth=", "AssertionID"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    let tokens = kit.simulator.requests().into_iter().filter(|request| request.body.contains("wresult"));
    let ids: Vec<_> =
        tokens.filter_map(|token| Some(token.body.split("AssertionID%3D%22_").nth(1)?[..32].to_owned())).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| !told.contains(id)), "a token is told");
}

#[tokio::test]
async fn a_password_is_not_sent_again_for_each_operation() {
    let scene = scene(|adfs| adfs).await;
    for _ in 0..5 {
        scene.get().await.unwrap();
    }
    scene.hub.pull::<Organisation>().await.unwrap();
    scene.fault(Operation::Read, datahub_runtime::testing::simulator::Fault::Html(503));
    failed(scene.get().await, ErrorKind::Unavailable);
    scene.get().await.unwrap();
    assert_eq!(scene.kit.simulator.passwords_tried(), 1);
}

/// A scene whose CDMS answers the second read with this cookie, and not with the record.
async fn answered_with(cookie: &'static str) -> (Scene, Meddler) {
    let kit = kit(|adfs| adfs);
    let reads = AtomicUsize::new(0);
    let meddler = Meddler::before(&kit.simulator.root(), move |line| {
        if line.contains("AccountSet(guid'") && reads.fetch_add(1, Ordering::Relaxed) == 1 {
            let headers = format!("Set-Cookie: {cookie}\r\nContent-Type: text/plain\r\nConnection: close\r\n");
            return Deed::Answer(answer("400 Bad Request", &headers, b"no"));
        }
        Deed::Pass
    });
    let hub = kit.hub(example_domain::models()).cdms(meddler.root(), login(&kit, PASSWORD));
    let scene = Scene::with_kit(kit, hub).await;
    scene.get().await.unwrap_err();
    (scene, meddler)
}

#[tokio::test]
async fn a_session_of_which_a_part_is_taken_back_is_replaced_before_it_is_used_again() {
    let (scene, _meddler) = answered_with("MSISAuth1=; path=/").await;
    assert_eq!(scene.kit.simulator.passwords_tried(), 1);
    scene.get().await.unwrap();
    assert_eq!(scene.kit.simulator.passwords_tried(), 2);
    let answers = scene.kit.simulator.requests();
    let refused =
        answers.iter().filter(|entry| entry.target.contains("OrganizationData.svc") && entry.status == Some(302));
    assert_eq!(refused.count(), 0, "half a session was not sent");
}

#[tokio::test]
async fn a_part_of_a_session_that_is_set_again_is_sent_from_then_on() {
    let (scene, meddler) = answered_with("MSISAuth1=another; path=/").await;
    scene.get().await.unwrap();
    let sent = meddler.headers("cookie").into_iter().filter_map(|(_, cookie)| cookie);
    assert!(sent.into_iter().any(|cookie| cookie.contains("MSISAuth1=another") && cookie.contains("MSISAuth2=")));
    assert_eq!(scene.kit.simulator.passwords_tried(), 2, "the simulator knows no such session");
}

#[tokio::test]
async fn other_cookies_of_cdms_leave_the_session_as_it_is() {
    let (scene, meddler) = answered_with("ReqClientId=x; path=/").await;
    scene.get().await.unwrap();
    assert_eq!(scene.kit.simulator.passwords_tried(), 1);
    let sent = meddler.headers("cookie").into_iter().filter_map(|(_, cookie)| cookie);
    assert!(!sent.into_iter().any(|cookie| cookie.contains("ReqClientId")));
}
