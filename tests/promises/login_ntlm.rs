//! NTLM: connections are logged in before anything is written over them, and a password is tried once.

use std::future::IntoFuture as _;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cdms_simulator::{NtlmCounts, NtlmServer};
use datahub_runtime::login::secrecy::SecretString;
use datahub_runtime::login::{Ntlm, Secret};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use example_domain::Organisation;
use futures_util::future::join_all;

use crate::front::Front;
use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{Scene, Write, acme, failed, says};

pub(crate) fn server() -> NtlmServer {
    NtlmServer::new("CDMS", "datahub", "pass & wörd")
}

pub(crate) fn login() -> Ntlm {
    Ntlm::new(r"CDMS\datahub", "pass & wörd")
}

pub(crate) fn kit(server: NtlmServer) -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.ntlm(server))
}

pub(crate) async fn scene(server: NtlmServer, login: Ntlm) -> Scene {
    let kit = kit(server);
    let hub = kit.hub_with(example_domain::models(), login);
    Scene::with_kit(kit, hub).await
}

pub(crate) fn counts(scene: &Scene) -> NtlmCounts {
    scene.kit.simulator.ntlm_counts()
}

/// The statuses of the requests that were no GET.
fn writes(scene: &Scene) -> Vec<Option<u16>> {
    let requests = scene.kit.simulator.requests();
    requests.iter().filter(|request| request.method != "GET").map(|request| request.status).collect()
}

/// How many writes of organisations CDMS has carried out.
fn carried_out(scene: &Scene) -> usize {
    scene.commits().iter().filter(|commit| commit.entity == "Account").count()
}

/// Reads so many organisations at once, each by a request of its own.
pub(crate) async fn read_all(scene: &Scene, times: usize) -> Vec<Result<Synced<Organisation>, Error>> {
    let accounts: Vec<_> = (0..times).map(|_| scene.kit.simulator.seed("Account", acme())).collect();
    join_all(accounts.into_iter().map(|account| Organisation::get(&scene.hub, account.into()).into_future())).await
}

/// CDMS closes all connections without a word, long enough ago to be noticed.
pub(crate) async fn close_connections(scene: &Scene) {
    scene.kit.simulator.go_away();
    scene.kit.simulator.come_back();
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn a_connection_is_logged_in_before_anything_is_written_over_it() {
    for server in
        [server(), server().offering(&["Negotiate"]), server().offering(&["Basic realm=\"a, NTLM\"", "negotiate"])]
    {
        let scene = scene(server, login().connections(1)).await;
        let mut org = scene.get().await.unwrap();
        org.name = "Acme Foods".into();
        org.save(&scene.hub).await.unwrap();
        let new = Organisation { id: Id::new(), ..Organisation::named("Ada's") };
        Organisation::create(&scene.hub, new).await.unwrap().delete(&scene.hub).await.unwrap();
        let one = NtlmCounts { begun: 1, accepted: 1, ..NtlmCounts::default() };
        assert_eq!(counts(&scene), one, "one connection, one handshake");
        assert_eq!(writes(&scene), [Some(204), Some(201), Some(204)], "none met a server that did not know it");
        assert_eq!(carried_out(&scene), 3);
    }
}

#[tokio::test]
async fn the_user_is_named_in_the_forms_that_windows_knows() {
    let named = |login: Ntlm| async {
        scene(server(), login).await.get().await.unwrap();
    };
    named(Ntlm::new("datahub", "pass & wörd").domain("CDMS").workstation("HUB01")).await;
    named(Ntlm::new(r"cdms\DataHub", "pass & wörd")).await;
    let whole = NtlmServer::new("CDMS", "datahub@cdms.example.gov.uk", "secret");
    scene(whole, Ntlm::new("datahub@cdms.example.gov.uk", "secret")).await.get().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_not_again_after_a_restart() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.ntlm(server()).lock_after(3));
    let wrong = Ntlm::new(r"CDMS\datahub", "not-the-password");
    assert!(!format!("{wrong:?}").contains("not-the-password"));
    let hub = kit.hub_with(example_domain::models(), wrong.clone()).connect().await.unwrap();
    for read in join_all((0..20).map(|_| Organisation::get(&hub, Id::new()).into_future())).await {
        let error = failed(read, ErrorKind::LoginRefused);
        says(&error, &["`CDMS\\datahub`", "the account is locked", "Extended Protection", "`hub.retry_login()`"]);
        assert!(!format!("{error} {error:?} {hub:?}").contains("not-the-password"));
    }
    assert_eq!(kit.simulator.failed_logins(), 1);
    let again = kit.hub_with(example_domain::models(), wrong).connect().await.unwrap();
    failed(Organisation::get(&again, Id::new()).await, ErrorKind::LoginRefused);
    assert_eq!(kit.simulator.failed_logins(), 1, "nor does a program that is started again try it");
    again.retry_login().await.unwrap();
    failed(Organisation::get(&again, Id::new()).await, ErrorKind::LoginRefused);
    assert_eq!((kit.simulator.failed_logins(), kit.simulator.is_locked()), (2, false));
    let right = kit.hub_with(example_domain::models(), login()).connect().await.unwrap();
    failed(Organisation::get(&right, Id::new()).await, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_locked_account_is_a_refusal_too() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.ntlm(server()).lock_after(1));
    let wrong = kit.hub_with(example_domain::models(), Ntlm::new(r"CDMS\datahub", "wrong")).connect().await.unwrap();
    failed(Organisation::get(&wrong, Id::new()).await, ErrorKind::LoginRefused);
    assert!(kit.simulator.is_locked());
    let right = kit.hub_with(example_domain::models(), login()).connect().await.unwrap();
    says(&failed(Organisation::get(&right, Id::new()).await, ErrorKind::LoginRefused), &["the account is locked"]);
    kit.simulator.unlock();
    right.retry_login().await.unwrap();
    failed(Organisation::get(&right, Id::new()).await, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_read_whose_connection_is_not_logged_in_any_more_is_sent_again() {
    let scene = scene(server(), login()).await;
    scene.kit.simulator.expire_sessions();
    assert_eq!(scene.get().await.unwrap().name, "Acme");
    assert_eq!(counts(&scene), NtlmCounts { begun: 2, accepted: 2, ..NtlmCounts::default() });
}

#[tokio::test]
async fn a_write_whose_connection_is_not_logged_in_any_more_is_carried_out_once() {
    let scene = scene(server(), login()).await;
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let hub = scene.hub.clone();
    let save = tokio::spawn(async move { org.save(&hub).await });
    gate.arrived(1).await;
    scene.kit.simulator.expire_sessions();
    gate.open();
    save.await.unwrap().unwrap();
    assert_eq!(writes(&scene), [Some(401), Some(204)], "the 401 proves that the first was not carried out");
    assert_eq!((carried_out(&scene), scene.open_intents()), (1, 0));
    assert_eq!(counts(&scene).bodies_wasted, 0);
}

#[tokio::test]
async fn a_connection_that_was_closed_is_logged_in_again_before_a_write() {
    let scene = scene(server(), login()).await;
    scene.get().await.unwrap();
    for name in ["First", "Second", "Third"] {
        close_connections(&scene).await;
        Organisation::create(&scene.hub, Organisation { id: Id::new(), ..Organisation::named(name) }).await.unwrap();
    }
    let created = writes(&scene).iter().filter(|status| **status == Some(201)).count();
    assert_eq!((created, carried_out(&scene), scene.open_intents()), (3, 3, 0));
    assert!(writes(&scene).iter().all(|status| [Some(201), Some(401)].contains(status)), "{:?}", writes(&scene));
    assert_eq!((counts(&scene).refused, counts(&scene).astray, counts(&scene).bodies_wasted), (0, 0, 0));
}

#[tokio::test]
async fn a_connection_that_closes_in_the_middle_of_a_handshake_is_no_refusal() {
    let kit = kit(server());
    let is_first = AtomicBool::new(true);
    let front = Front::cutting(&kit.simulator.root(), move |head| {
        head.contains("www-authenticate: ntlm tlrm") && is_first.swap(false, Ordering::Relaxed)
    });
    let hub = kit.hub_with(example_domain::models(), login()).cdms(front.root(), login());
    let hub = hub.connect().await.unwrap();
    let mut error = Organisation::get(&hub, Id::new()).await.unwrap_err();
    if error.kind() == ErrorKind::Unavailable {
        // The last message was under way when the connection ended, so the login begins anew after a pause.
        says(&error, &["NTLM's last message got no answer"]);
        kit.advance(Duration::from_secs(10));
        error = Organisation::get(&hub, Id::new()).await.unwrap_err();
    }
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!((kit.simulator.failed_logins(), kit.simulator.ntlm_counts().accepted), (0, 1));
    assert!(front.connections() >= 2);
}

#[tokio::test]
async fn a_connection_that_closes_right_after_its_login_is_opened_again_in_the_same_session() {
    let kit = kit(server());
    let is_first = AtomicBool::new(true);
    let front = Front::cutting(&kit.simulator.root(), move |head| {
        head.contains("persistent-auth: true") && is_first.swap(false, Ordering::Relaxed)
    });
    let hub = kit.hub_with(example_domain::models(), login()).cdms(front.root(), login().connections(1));
    let hub = hub.connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    let two = NtlmCounts { begun: 2, accepted: 2, ..NtlmCounts::default() };
    assert_eq!((kit.simulator.ntlm_counts(), kit.simulator.failed_logins()), (two, 0));
    let unasked = kit.simulator.requests().iter().filter(|request| request.status == Some(401)).count();
    assert!(
        unasked <= 4,
        "{unasked} answers of 401: two challenges, what the server offers, and the read on another connection"
    );
}

#[tokio::test]
async fn a_server_that_closes_after_each_challenge_is_told_from_one_that_refuses() {
    let kit = kit(server().closing_after_challenge());
    let hub = kit.hub_with(example_domain::models(), login()).connect().await.unwrap();
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["did not stay on one connection", "a load balancer", "not tried again for 10 s"]);
    assert_eq!(kit.simulator.ntlm_counts(), NtlmCounts { begun: 2, ..NtlmCounts::default() });
}

#[tokio::test]
async fn a_server_that_closes_without_a_word_is_told_from_one_that_refuses() {
    let kit = kit(server());
    let front = Front::cutting(&kit.simulator.root(), |head| head.contains("www-authenticate: ntlm tlrm"));
    let hub = kit.hub_with(example_domain::models(), login()).cdms(front.root(), login()).connect().await.unwrap();
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable).to_string();
    let told = ["did not stay on one connection", "NTLM's last message got no answer"];
    assert!(told.iter().any(|told| error.contains(told)), "{error}");
    let counts = kit.simulator.ntlm_counts();
    assert_eq!((counts.refused, counts.accepted), (0, 0), "the password was not checked");
    assert!(counts.begun <= 2, "{counts:?}");
}

#[tokio::test]
async fn a_server_that_logs_each_request_in_gets_a_handshake_for_each() {
    let scene = scene(server().per_request(), login()).await;
    for read in read_all(&scene, 5).await {
        assert_eq!(read.unwrap().name, "Acme");
    }
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    assert_eq!(writes(&scene), [Some(204)], "the write had the last message, and no first message had a body");
    let counts = counts(&scene);
    assert_eq!((counts.refused, counts.astray, counts.bodies_wasted), (0, 0, 0), "{counts:?}");
    assert!(counts.accepted > 7, "{counts:?}");
}

#[tokio::test]
async fn a_password_that_is_changed_under_a_session_is_tried_once() {
    for per_request in [false, true] {
        let server = if per_request { server().per_request() } else { server() };
        let scene = scene(server, login()).await;
        scene.get().await.unwrap();
        scene.kit.simulator.set_password("another");
        scene.kit.simulator.expire_sessions();
        for read in read_all(&scene, 10).await {
            failed(read, ErrorKind::LoginRefused);
        }
        assert_eq!(scene.kit.simulator.failed_logins(), 1, "per request: {per_request}");
    }
}

#[tokio::test]
async fn a_password_that_is_rotated_on_both_sides_goes_on_without_a_refusal() {
    let kit = kit(server());
    let vault = Arc::new(Mutex::new("pass & wörd"));
    let kept = Arc::clone(&vault);
    let secret = Secret::from_fn(move || {
        let password = SecretString::from(*kept.lock().unwrap());
        async move { Ok::<_, io::Error>(password) }
    });
    let hub = kit.hub_with(example_domain::models(), Ntlm::new(r"CDMS\datahub", secret));
    let scene = Scene::with_kit(kit, hub).await;
    scene.get().await.unwrap();
    *vault.lock().unwrap() = "another";
    scene.kit.simulator.set_password("another");
    // Whether the server forgets the connections, or closes them.
    scene.kit.simulator.expire_sessions();
    scene.get().await.unwrap();
    *vault.lock().unwrap() = "a third";
    scene.kit.simulator.set_password("a third");
    close_connections(&scene).await;
    // The vault is not asked twice within a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.get().await.unwrap();
    assert_eq!(scene.kit.simulator.failed_logins(), 0);
}

#[tokio::test]
async fn a_user_who_carries_another_domain_is_not_logged_in() {
    for user in [r"OTHER\datahub", "datahub@other.example.gov.uk"] {
        let kit = kit(server());
        let login = Ntlm::new(user, "pass & wörd").domain("CDMS");
        let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["carries the domain", "the domain \"CDMS\"", "nothing was sent"]);
        assert_eq!(kit.simulator.requests_met(), 0, "nobody's account is tried");
    }
    scene(server(), Ntlm::new(r"cdms\datahub", "pass & wörd").domain("CDMS")).await.get().await.unwrap();
}

#[tokio::test]
async fn challenges_that_are_none_are_told_in_words() {
    let kit = kit(server());
    for (challenge, told) in [
        ("NTLM", "NTLM's first message without a challenge"),
        ("NTLM not base64!", "what is no challenge"),
        ("NTLM TlRMTVNTUAA=", "challenge cannot be read"),
        ("NTLM TlRMTVNTUAACAAAA", "challenge cannot be read"),
        ("NTLM TlRMTVNTUAADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "challenge cannot be read"),
        ("Bearer authorization_uri=https://login.example.gov.uk/, resource_id=1", "CDMS offers Bearer and no NTLM"),
        ("", "CDMS offers no way to log in and no NTLM"),
    ] {
        let asked = AtomicUsize::new(0);
        let meddler = Meddler::before(&kit.simulator.root(), move |_| {
            // The first answer must offer NTLM for there to be a second.
            let is_first = asked.fetch_add(1, Ordering::Relaxed) == 0 && challenge.starts_with("NTLM");
            let offer = if is_first { "NTLM" } else { challenge };
            Deed::Keep(answer("401 Unauthorized", &format!("WWW-Authenticate: {offer}\r\n"), b"Access is denied."))
        });
        let hub = kit.hub_with(example_domain::models(), login()).cdms(meddler.root(), login());
        let hub = hub.connect().await.unwrap();
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &[told]);
    }
    assert_eq!(kit.simulator.failed_logins(), 0);
}

#[tokio::test]
async fn a_server_that_logs_in_elsewhere_is_told_from_one_that_refuses() {
    let kit = kit(server());
    kit.simulator.fault(FaultRule::new(Fault::RedirectToLogin).on(Operation::List));
    let hub = kit.hub_with(example_domain::models(), login()).connect().await.unwrap();
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["`login.example.gov.uk`", "does not take NTLM"]);
}

#[tokio::test]
async fn a_login_that_is_broken_off_leaves_nothing_behind() {
    let scene = scene(server(), login()).await;
    scene.kit.simulator.expire_sessions();
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let hub = scene.hub.clone();
    let id = scene.id();
    let read = tokio::spawn(async move { Organisation::get(&hub, id).await });
    gate.arrived(1).await;
    read.abort();
    assert!(read.await.unwrap_err().is_cancelled());
    gate.open();
    assert_eq!(scene.get().await.unwrap().name, "Acme");
    assert_eq!((counts(&scene).astray, counts(&scene).refused), (0, 0));
}
