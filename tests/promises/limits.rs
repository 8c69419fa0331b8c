//! Limits: an overloaded hub refuses at once and clearly, and a connection that the database cuts is replaced.

use std::future::IntoFuture as _;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Value};
use example_domain::{Contact, Organisation};
use futures_util::future::join_all;
use tokio::task::JoinHandle;

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

/// How many of the simulator's requests after the first `skip` were under way at once.
fn most_at_once(scene: &Scene, skip: usize) -> usize {
    let requests = scene.kit.simulator.requests().split_off(skip);
    let at_once = requests.iter().map(|one| {
        let at = one.arrived_us;
        requests.iter().filter(|other| (other.arrived_us..other.ended_us).contains(&at)).count()
    });
    at_once.max().unwrap_or(0)
}

/// Reads all of them at once.
fn read_all(scene: &Scene, ids: Vec<Id<Organisation>>) -> Vec<JoinHandle<Result<Synced<Organisation>, Error>>> {
    let read = |id| tokio::spawn(Organisation::get(&scene.hub, id).into_future());
    ids.into_iter().map(read).collect()
}

#[tokio::test]
async fn no_more_requests_are_under_way_at_once_than_the_hub_may_send() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.concurrent_requests(16)).await;
    let begun = scene.kit.simulator.requests().len();
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(16));
    let reads = read_all(&scene, others(&scene, 40));
    gate.arrived(16).await;
    gate.open();
    for read in reads {
        read.await.unwrap().unwrap();
    }
    assert_eq!(scene.kit.simulator.requests().len(), begun + 40);
    assert_eq!((most_at_once(&scene, begun), scene.hub.health().await.requests_at_once), (16, 16));
}

#[tokio::test]
async fn more_requests_are_under_way_at_once_while_cdms_answers_well() {
    let scene = Scene::new().await;
    assert_eq!(scene.hub.health().await.requests_at_once, 16);
    // Much longer than a busy machine delays an answer.
    scene.kit.simulator.fault(FaultRule::new(Fault::Latency(1_000)).on(Operation::Read));
    let begun = scene.kit.simulator.requests().len();
    for read in read_all(&scene, others(&scene, 80)) {
        read.await.unwrap().unwrap();
    }
    let (most, at_once) = (most_at_once(&scene, begun), scene.hub.health().await.requests_at_once);
    assert!(most > 16 && most <= 64 && at_once > 16, "{most} of {at_once}");
}

#[tokio::test]
async fn a_cdms_that_has_too_much_to_do_gets_fewer_requests_at_once() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.time_limit(Duration::from_secs(2))).await;
    let simulator = &scene.kit.simulator;
    let json = Fault::Refuse { status: 503, code: 0, message: "Server is busy".to_owned() };
    for (fault, at_once) in [
        (Fault::Html(500), 16),
        (Fault::Truncate, 16),
        (Fault::Html(503), 8),
        (Fault::NoPrivilege, 8),
        (Fault::Html(429), 4),
        // Not fewer, so that a few slow requests do not hold up all others.
        (json, 4),
    ] {
        let name = fault.name();
        simulator.fault(FaultRule::new(fault).on(Operation::Read).times(1));
        scene.get().await.unwrap_err();
        assert_eq!(scene.hub.health().await.requests_at_once, at_once, "{name}");
    }
    // Those who wait are served all the same.
    let begun = simulator.requests().len();
    let gate = simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(4));
    let reads = read_all(&scene, others(&scene, 20));
    gate.arrived(4).await;
    gate.open();
    for read in reads {
        read.await.unwrap().unwrap();
    }
    let most = most_at_once(&scene, begun);
    assert!((4..=8).contains(&most), "it grows by one for a round of answers: {most}");
}

#[tokio::test]
async fn a_cdms_that_gives_no_answer_and_no_connection_gets_fewer_requests_at_once() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.time_limit(Duration::from_secs(2))).await;
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(3));
    let reads = read_all(&scene, others(&scene, 3));
    gate.arrived(3).await;
    for read in reads {
        failed(read.await.unwrap(), ErrorKind::Unavailable);
    }
    gate.open();
    assert_eq!(scene.hub.health().await.requests_at_once, 8, "all three were sent before it was known");
    scene.kit.simulator.go_away();
    failed(scene.get().await, ErrorKind::Unavailable);
    assert_eq!(scene.hub.health().await.requests_at_once, 4);
    scene.kit.simulator.come_back();
    scene.get().await.unwrap();
}

#[tokio::test]
async fn a_request_that_gets_no_turn_is_given_up_in_time_and_says_so() {
    let limit = Duration::from_secs(2);
    let scene = Scene::with(|cdms| cdms, |hub| hub.time_limit(limit).concurrent_requests(4)).await;
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read));
    let reads = others(&scene, 9).into_iter().map(|id| Organisation::get(&scene.hub, id).into_future());
    // Four are sent and not answered, and four after them; for the last one there is no room by then.
    let told = futures_util::future::join_all(reads).await;
    gate.open();
    let told: Vec<_> = told.into_iter().map(|told| failed(told, ErrorKind::Unavailable)).collect();
    let without_turn = told.iter().filter(|error| error.to_string().contains("4 other requests are under way"));
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
