//! What a hub tells of CDMS without asking it: network, login, rights and drift apart, each since when, and what to do.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, Fault, FaultRule, Operation};
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{Clock as _, Health, Instant, ModelTrouble, SideState, TroubleWith};
use example_domain::{Contact, Organisation};

use crate::meddler::{Deed, Meddler};
use crate::scene::{NEW_NAME, Scene, failed, says};

/// When a side began to fail, and its error.
fn fails(side: &SideState) -> (Instant, &Error) {
    match side {
        SideState::Fails { since, error } => (*since, error),
        other => panic!("{other}"),
    }
}

fn works(side: &SideState) {
    assert!(matches!(side, SideState::Works), "{side}");
}

/// The one trouble of a list.
fn one(troubles: &[ModelTrouble]) -> (&str, TroubleWith, Instant, &Error) {
    match troubles {
        [ModelTrouble { model, with, since, error, .. }] => (model, *with, *since, error),
        others => panic!("{others:?}"),
    }
}

fn is_sound(health: &Health) {
    works(&health.database);
    works(&health.network);
    works(&health.login);
    assert!(health.rights.is_empty() && health.drift.is_empty(), "{health:?}");
}

#[tokio::test]
async fn a_program_that_has_asked_cdms_nothing_knows_nothing_of_it() {
    let scene = Scene::new().await;
    let health = scene.another_program().await.health().await;
    works(&health.database);
    for side in [&health.network, &health.login] {
        assert!(matches!(side, SideState::Untried), "{side}");
        assert_eq!(side.to_string(), "not needed yet");
    }
    is_sound(&scene.hub.health().await);
}

#[tokio::test]
async fn an_outage_of_the_network_lasts_from_its_first_sign_to_the_next_answer() {
    let (scene, _) = Scene::read().await;
    scene.kit.simulator.go_away();
    let began = scene.kit.clock.now();
    // The first may only find that its connection has broken, which is no outage yet.
    failed(scene.get().await, ErrorKind::Unavailable);
    failed(scene.get().await, ErrorKind::Unavailable);
    scene.minute();
    failed(scene.get().await, ErrorKind::Unavailable);
    let (health, cost) = scene.cost_of(scene.hub.health()).await;
    let (since, error) = fails(&health.network);
    assert_eq!((since, error.kind()), (began, ErrorKind::Unavailable));
    says(error, &["cannot be reached", "refused", "`hub.check_connection()`"]);
    works(&health.login);
    assert!(health.is_ready() && health.rights.is_empty(), "{health:?}");
    assert_eq!((cost.requests, cost.statements), (0, 1));
    scene.kit.simulator.come_back();
    scene.get().await.unwrap();
    is_sound(&scene.hub.health().await);
}

#[tokio::test]
async fn a_cdms_that_cannot_be_reached_is_no_trouble_of_the_login() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let hub = kit.hub_with(example_domain::models(), FormLogin::new("hub", "secret")).connect().await.unwrap();
    kit.simulator.go_away();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    let health = hub.health().await;
    assert_eq!(fails(&health.network).1.kind(), ErrorKind::Unavailable);
    assert!(matches!(health.login, SideState::Untried), "{}", health.login);
    kit.simulator.come_back();
    kit.advance(Duration::from_secs(60));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    works(&hub.health().await.network);
    works(&hub.health().await.login);
}

#[tokio::test]
async fn a_refused_login_is_no_trouble_of_the_network() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let hub = kit.hub_with(example_domain::models(), FormLogin::new("hub", "wrong")).connect().await.unwrap();
    let began = kit.clock.now();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    kit.advance(Duration::from_secs(3_600));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    let health = hub.health().await;
    works(&health.network);
    let (since, error) = fails(&health.login);
    assert_eq!((since, error.kind()), (began, ErrorKind::LoginRefused));
    says(error, &["CDMS refuses the login", "check the user of the login, or its client id, and the secret"]);
    assert!(health.login.to_string().starts_with(&format!("fails since {began}: ")), "{}", health.login);
    hub.retry_login().await.unwrap();
    assert!(matches!(hub.health().await.login, SideState::Untried));
    // A program that is started again knows it from the database.
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    let again = kit.hub_with(example_domain::models(), FormLogin::new("hub", "wrong")).connect().await.unwrap();
    failed(Organisation::get(&again, Id::new()).await, ErrorKind::LoginRefused);
    assert_eq!(fails(&again.health().await.login).1.kind(), ErrorKind::LoginRefused);
    assert_eq!(kit.simulator.failed_logins(), 2);
}

#[tokio::test]
async fn a_login_that_fails_for_another_reason_works_again_with_its_next_success() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let hub = kit.hub_with(example_domain::models(), FormLogin::new("hub", "secret")).connect().await.unwrap();
    kit.simulator.fault(FaultRule::new(Fault::Html(503)).times(1));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    let health = hub.health().await;
    assert_eq!(fails(&health.login).1.kind(), ErrorKind::Unavailable);
    says(fails(&health.login).1, &["503", "docs/logins.md"]);
    works(&health.network);
    kit.advance(Duration::from_secs(60));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    works(&hub.health().await.login);
    kit.simulator.expire_sessions();
    works(&hub.health().await.login);
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    works(&hub.health().await.login);
}

#[tokio::test]
async fn missing_rights_are_told_by_model_until_a_request_works() {
    let (scene, mut org) = Scene::read().await;
    let began = scene.kit.clock.now();
    scene.kit.simulator.fault(FaultRule::new(Fault::NoPrivilege).on(Operation::Read).entity("Account"));
    failed(scene.get().await, ErrorKind::Rejected);
    let health = scene.hub.health().await;
    let (model, with, since, error) = one(&health.rights);
    assert_eq!((model, with, since), ("Organisation", TroubleWith::Read, began));
    says(error, &["refuses to show", "403", "give the CDMS user a role"]);
    works(&health.login);
    assert!(health.drift.is_empty() && health.is_ready(), "{health:?}");
    scene.kit.simulator.clear_faults();
    scene.get().await.unwrap();
    is_sound(&scene.hub.health().await);

    scene.fault(Operation::Update, Fault::NoPrivilege);
    org.name = NEW_NAME.into();
    failed(org.save(&scene.hub).await, ErrorKind::Rejected);
    let health = scene.hub.health().await;
    let (model, with, _, error) = one(&health.rights);
    assert_eq!((model, with), ("Organisation", TroubleWith::Write));
    says(error, &["refuses a", "status 403", "give the CDMS user a role"]);
    org.save(&scene.hub).await.unwrap();
    is_sound(&scene.hub.health().await);

    scene.kit.simulator.fault(FaultRule::new(Fault::NoPrivilege).on(Operation::List).entity("Contact").times(1));
    failed(scene.hub.pull::<Contact>().await, ErrorKind::Misconfigured);
    assert_eq!(one(&scene.hub.health().await.rights).0, "Contact");
    scene.hub.pull::<Contact>().await.unwrap();
    is_sound(&scene.hub.health().await);
}

#[tokio::test]
async fn drift_is_seen_in_answers_and_in_the_first_contact() {
    let drifted =
        example_domain::METADATA.replacen(r#"<Property Name="WebSiteURL" Type="Edm.String" Nullable="true"/>"#, "", 1);
    let kit = Kit::new(&drifted);
    let account = kit.simulator.seed("Account", [("Name", datahub_runtime::Value::text("Acme"))]);
    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    failed(Organisation::get(&hub, account.into()).await, ErrorKind::Misconfigured);
    let health = hub.health().await;
    let (model, with, _, error) = one(&health.drift);
    assert_eq!((model, with), ("Organisation", TroubleWith::Schema));
    says(error, &["WebSiteURL", "`datahub check --live`"]);
    works(&health.network);
    assert!(health.rights.is_empty(), "{health:?}");

    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    failed(hub.pull::<Organisation>().await, ErrorKind::Misconfigured);
    assert_eq!(one(&hub.health().await.drift).0, "Organisation");

    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    assert!(hub.health().await.drift.is_empty());
    hub.check_connection().await.unwrap();
    let (health, cost) = datahub_runtime::Cost::of(hub.health()).await;
    says(one(&health.drift).3, &["`Account` has no attribute `WebSiteURL`"]);
    assert_eq!((cost.requests, cost.statements), (0, 1));
}

#[tokio::test]
async fn a_value_of_another_type_is_drift_and_the_next_record_that_fits_ends_it() {
    let scene = Scene::new().await;
    let as_number = |body: Vec<u8>| {
        let text = String::from_utf8(body).unwrap();
        text.replace("\"Name\":\"Acme\"", "\"Name\":5").into_bytes()
    };
    let once = std::sync::atomic::AtomicBool::new(true);
    let cdms = Meddler::before(&scene.kit.simulator.root(), move |request| {
        let is_read = request.contains("(guid'");
        if is_read && once.swap(false, std::sync::atomic::Ordering::Relaxed) {
            Deed::Body(as_number)
        } else {
            Deed::Pass
        }
    });
    let hub = scene.program(|hub| hub.cdms(cdms.root(), Anonymous)).await;
    failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Quarantined);
    let health = hub.health().await;
    says(one(&health.drift).3, &["`Name` must be of kind string"]);
    assert!(!format!("{health:?}").contains("Acme"), "{health:?}");
    Organisation::get(&hub, scene.id()).await.unwrap();
    is_sound(&hub.health().await);
}

#[tokio::test]
async fn a_record_that_does_not_fit_a_model_is_no_drift() {
    let scene = Scene::new().await;
    failed(Organisation::get(&scene.hub, scene.unfit().into()).await, ErrorKind::Quarantined);
    is_sound(&scene.hub.health().await);
}
