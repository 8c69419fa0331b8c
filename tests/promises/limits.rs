//! Limits: an overloaded hub refuses at once and clearly, and a connection that the database cuts is replaced.

use std::future::IntoFuture as _;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Value};
use example_domain::{Contact, Organisation};
use futures_util::future::join_all;

use crate::scene::{NEW_NAME, Scene, ada, failed, found, says};

#[tokio::test]
async fn one_operation_too_many_is_refused_at_once_and_nothing_of_it_begins() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.max_operations(2)).await;
    let mut org = scene.get().await.unwrap();
    let contacts = [ada(&scene), ada(&scene)];
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Create));
    let held = contacts.map(|contact| tokio::spawn(Contact::create(&scene.hub, contact).into_future()));
    gate.arrived(2).await;

    org.name = NEW_NAME.into();
    let begun = scene.kit.simulator.requests().len();
    for error in [
        failed(scene.get().await, ErrorKind::Overloaded),
        // The row would hide that the hub has too much to do, and the caller would not wait.
        failed(Organisation::get(&scene.hub, scene.id()).or_local().await, ErrorKind::Overloaded),
        failed(org.save(&scene.hub).await, ErrorKind::Overloaded),
        failed(Contact::create(&scene.hub, ada(&scene)).await, ErrorKind::Overloaded),
        failed(org.clone().delete(&scene.hub).await, ErrorKind::Overloaded),
    ] {
        says(&error, &["2 operations", "max_operations"]);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    }
    assert_eq!((scene.kit.simulator.requests().len(), scene.open_intents()), (begun, 2));
    assert_eq!(scene.row().await.unwrap().name, "Acme", "what asks the database alone is not refused");

    gate.open();
    for create in held {
        create.await.unwrap().unwrap();
    }
    org.save(&scene.hub).await.unwrap();
    assert_eq!(scene.record().get("Name"), Some(&datahub_runtime::Value::text(NEW_NAME)));
}

/// So many other organisations in CDMS.
fn others(scene: &Scene, count: usize) -> Vec<Id<Organisation>> {
    (0..count)
        .map(|number| scene.kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]).into())
        .collect()
}

#[tokio::test]
async fn sixteen_requests_are_under_way_at_once_and_no_more() {
    let scene = Scene::new().await;
    let begun = scene.kit.simulator.requests().len();
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(16));
    let reads = others(&scene, 40).into_iter().map(|id| {
        let hub = scene.hub.clone();
        tokio::spawn(Organisation::get(&hub, id).into_future())
    });
    let reads: Vec<_> = reads.collect();
    gate.arrived(16).await;
    gate.open();
    for read in reads {
        read.await.unwrap().unwrap();
    }
    let requests = scene.kit.simulator.requests().split_off(begun);
    assert_eq!(requests.len(), 40);
    let most = requests.iter().map(|one| {
        let at = one.arrived_us;
        requests.iter().filter(|other| (other.arrived_us..other.ended_us).contains(&at)).count()
    });
    assert_eq!(most.max(), Some(16));
}

#[tokio::test]
async fn a_request_that_gets_no_turn_is_given_up_in_time_and_says_so() {
    let limit = Duration::from_secs(2);
    let scene = Scene::with(|cdms| cdms, |hub| hub.time_limit(limit)).await;
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read));
    let reads = others(&scene, 33).into_iter().map(|id| Organisation::get(&scene.hub, id).into_future());
    // Sixteen are sent and not answered, and sixteen after them; for the last one there is no room by then.
    let told = futures_util::future::join_all(reads).await;
    gate.open();
    let told: Vec<_> = told.into_iter().map(|told| failed(told, ErrorKind::Unavailable)).collect();
    let without_turn = told.iter().filter(|error| error.to_string().contains("16 other requests are under way"));
    assert_eq!(without_turn.count(), 1);
    Organisation::get(&scene.hub, scene.id()).await.unwrap();
}

/// Cuts all connections of the scene's database but the one that cuts.
fn cut(scene: &Scene, application: &str) {
    let theirs = format!("FROM pg_stat_activity WHERE application_name = '{application}'");
    scene.sql(&format!("DO $$ BEGIN PERFORM pg_terminate_backend(pid) {theirs}; END $$"));
    while scene.kit.run_sql(&format!("DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 {theirs}); END $$")).is_err() {
        std::thread::yield_now();
    }
}

/// A scene whose hub's connections are known by this name on the server. Only PostgreSQL has connections to cut.
async fn named(application: &str) -> Option<Scene> {
    let scene = Scene::new().await;
    if !scene.kit.is_on_postgres() {
        return None;
    }
    let database = format!("{}&application_name={application}", scene.kit.database());
    let hub = scene.program(|hub| hub.database(database)).await;
    Some(Scene { hub, ..scene })
}

#[tokio::test]
async fn a_hub_has_as_many_connections_as_it_was_told() {
    let name = "counted_connections";
    let Some(scene) = named(name).await else { return };
    let database = format!("{}&application_name={name}_3", scene.kit.database());
    let hub = scene.program(|hub| hub.database(database).connections(3)).await;
    let reads = (0..50).map(|_| Organisation::get(&hub, scene.id()).freshness(Freshness::LocalOnly).into_future());
    join_all(reads).await;
    let theirs = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}_3'");
    scene.kit.run_sql(&format!("DO $$ BEGIN ASSERT ({theirs}) = 3; END $$")).unwrap();
}

#[tokio::test]
async fn a_connection_that_the_server_cut_is_replaced() {
    let Some(scene) = named("cut_while_idle").await else { return };
    scene.get().await.unwrap();
    cut(&scene, "cut_while_idle");
    // A cut that the program has not heard of yet costs one operation, each connection at most one.
    let mut cost = 0;
    let org = loop {
        match scene.get().await {
            Ok(org) => break org,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Store, "{error}"),
        }
        cost += 1;
        assert!(cost <= 2, "there are two connections");
    };
    assert_eq!(found(&org), Finding::InSync);
    assert!(scene.hub.health().await.is_ready());
}

#[tokio::test]
async fn a_write_whose_connections_are_cut_before_it_is_stored_is_stored() {
    let Some(scene) = named("cut_in_mid_write").await else { return };
    let mut org = scene.get().await.unwrap();
    org.name = NEW_NAME.into();
    let read_back = |hold| FaultRule::new(hold).on(Operation::Read).after(1);
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, read_back);
    let hub = scene.hub.clone();
    let saving = tokio::spawn(async move { org.save(&hub).await.map(|_| org) });
    gate.arrived(1).await;
    cut(&scene, "cut_in_mid_write");
    gate.open();
    assert_eq!(saving.await.unwrap().unwrap().name, NEW_NAME);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Updated]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
    assert_eq!(scene.open_intents(), 0);
}
