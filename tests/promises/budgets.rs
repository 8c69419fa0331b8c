//! A handle with a budget refuses the operation after the last request, says where the requests came from, and stops
//! nothing that has begun.

use std::future::IntoFuture as _;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{FaultRule, Operation, Stage};
use datahub_runtime::{Resolution, Value};
use example_domain::{Contact, Organisation};
use futures_util::future::join_all;

use crate::freshness::until;
use crate::scene::{Scene, ada, failed, says};

/// So many organisations in CDMS.
fn organisations(scene: &Scene, count: usize) -> Vec<Id<Organisation>> {
    let seed = |number| scene.kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]);
    (0..count).map(|number| seed(number).into()).collect()
}

/// What a page of a web service does that was written without a thought for its requests.
async fn names(hub: &Hub, ids: &[Id<Organisation>]) -> Result<(Vec<String>, u32), (Error, u32)> {
    let mut names = Vec::new();
    for id in ids {
        let (line, read) = (line!(), Organisation::get(hub, *id).await);
        names.push(read.map_err(|error| (error, line))?.name.clone());
    }
    Ok((names, 0))
}

#[tokio::test]
async fn a_loop_that_reads_one_by_one_is_named_with_its_line() {
    let scene = Scene::new().await;
    let ids = organisations(&scene, 50);
    let hub = scene.hub.with_budget(10);
    let begun = scene.kit.simulator.requests().len();
    let (error, line) = names(&hub, &ids).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExceeded);
    let place = format!("{}:{line}", file!());
    let (used_by, refused) = (format!("({place} × 10)"), format!("the get at {place}:"));
    says(&error, &["10 of 10 requests are used up", &used_by, &refused, "before its first request"]);
    assert_eq!(error.record_id(), Some(ids[10].guid()));
    assert_eq!(scene.kit.simulator.requests().len() - begun, 10);

    let so_far = hub.budget().unwrap();
    assert_eq!((so_far.allowed, so_far.used), (10, 10));
    let [(site, 10)] = so_far.call_sites[..] else { panic!("{so_far:?}") };
    assert_eq!((site.file(), site.line()), (file!(), line));

    // With all it needs, the same is well; and a handle without a budget never hears of one.
    assert_eq!(names(&scene.hub.with_budget(50), &ids).await.unwrap().0.len(), 50);
    assert_eq!((names(&scene.hub, &ids).await.unwrap().0.len(), scene.hub.budget()), (50, None));
}

#[tokio::test]
async fn reading_them_all_at_once_is_caught_as_well() {
    let scene = Scene::new().await;
    let ids = organisations(&scene, 50);
    let hub = scene.hub.with_budget(10);
    let reads = join_all(ids.iter().map(|id| Organisation::get(&hub, *id).into_future())).await;
    let (read, refused): (Vec<_>, Vec<_>) = reads.into_iter().partition(Result::is_ok);
    assert_eq!((read.len(), refused.len(), hub.budget().unwrap().used), (10, 40, 10));
}

#[tokio::test]
async fn every_operation_that_would_ask_cdms_is_refused_and_nothing_of_it_begins() {
    let (scene, org) = Scene::read().await;
    let contact = Contact::create(&scene.hub, ada(&scene)).await.unwrap();
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    let (rows, requests) = (scene.rows(), scene.kit.simulator.requests().len());
    let hub = &scene.hub.with_budget(0);
    let mut changed = org.clone();
    changed.name = "Acme Foods".into();
    for error in [
        failed(Organisation::get(hub, scene.id()).await, ErrorKind::BudgetExceeded),
        failed(Organisation::get(hub, scene.id()).or_local().await, ErrorKind::BudgetExceeded),
        failed(changed.save(hub).await, ErrorKind::BudgetExceeded),
        failed(Contact::create(hub, ada(&scene)).await, ErrorKind::BudgetExceeded),
        failed(contact.delete(hub).await, ErrorKind::BudgetExceeded),
        failed(Organisation::revert(hub, scene.id(), first).await, ErrorKind::BudgetExceeded),
        failed(Organisation::resolve(hub, scene.id(), Resolution::TakeCdms).await, ErrorKind::BudgetExceeded),
        failed(Organisation::resolve_all(hub, Resolution::TakeCdms).await, ErrorKind::BudgetExceeded),
        failed(hub.pull::<Organisation>().await, ErrorKind::BudgetExceeded),
        failed(hub.settle().await, ErrorKind::BudgetExceeded),
        failed(hub.retry_quarantined(10).await, ErrorKind::BudgetExceeded),
    ] {
        says(&error, &["0 of 0 requests", "at tests/promises/budgets.rs:", "raise the budget"]);
    }
    assert_eq!((scene.rows(), scene.kit.simulator.requests().len(), scene.open_intents()), (rows, requests, 0));
}

#[tokio::test]
async fn what_needs_no_request_passes() {
    let (scene, org) = Scene::read().await;
    let hub = &scene.hub.with_budget(0).acting_as("ada@example.gov.uk");
    let age = Duration::from_secs(30);
    Organisation::get(hub, scene.id()).freshness(Freshness::LocalOnly).await.unwrap();
    Organisation::get(hub, scene.id()).freshness(Freshness::MaxAge(age)).await.unwrap();
    Organisation::history(hub, scene.id()).await.unwrap();
    let mut org = Organisation::edit(hub, scene.id(), org.version_token()).await.unwrap();
    org.save(hub).await.unwrap();
    org.archived_reason = Some("moved".into());
    org.save(hub).await.unwrap();
    // The row is stale: it comes at once, and the hub checks it on no caller's budget.
    scene.minute();
    let stale = Freshness::StaleWhileRevalidate { fresh_for: age, at_most: Duration::from_secs(600) };
    let before = scene.hub.cost();
    assert!(matches!(
        Organisation::get(hub, scene.id()).freshness(stale).await.unwrap().checked(),
        Checked::Stale { .. }
    ));
    scene.hub.shutdown(Duration::from_secs(60)).await;
    assert_eq!(((scene.hub.cost() - before).requests, hub.budget().unwrap().used), (1, 0));
}

#[tokio::test]
async fn models_are_brought_up_to_date_on_the_budget_of_whoever_waits_for_it() {
    let scene = Scene::new().await;
    let listed = || models![Organisation];
    scene.hub.ensure_fresh(listed(), Freshness::Always).or_load().await.unwrap();
    let hub = scene.hub.with_budget(1);
    hub.ensure_fresh(listed(), Freshness::MaxAge(Duration::from_secs(30))).await.unwrap();
    assert_eq!(hub.budget().unwrap().used, 0, "they are young enough");
    scene.kit.advance(Duration::from_secs(331));
    hub.ensure_fresh(listed(), Freshness::Always).await.unwrap();
    let error = failed(hub.ensure_fresh(listed(), Freshness::Always).await, ErrorKind::BudgetExceeded);
    says(&error, &["1 of 1 requests", "the ensure_fresh at tests/promises/budgets.rs:"]);
    // In the background it is the hub's.
    scene.kit.advance(Duration::from_secs(331));
    let at_once =
        Freshness::StaleWhileRevalidate { fresh_for: Duration::from_secs(30), at_most: Duration::from_secs(600) };
    let before = scene.hub.cost();
    assert!(hub.ensure_fresh(listed(), at_once).await.unwrap().models[0].revalidating);
    until("the model is up to date", async || {
        !hub.ensure_fresh(listed(), at_once).await.unwrap().models[0].revalidating
    })
    .await;
    assert_eq!(((scene.hub.cost() - before).requests, hub.budget().unwrap().used), (1, 1));
}

#[tokio::test]
async fn the_way_out_of_a_loop_fits_into_the_budget() {
    let scene = Scene::new().await;
    let ids = organisations(&scene, 50);
    let hub = scene.hub.with_budget(10);
    let many = Organisation::get_many(&hub, ids.clone()).await.unwrap();
    assert_eq!((many.records.len(), many.missing.len()), (50, 0));
    assert_eq!(many.cost.requests, hub.budget().unwrap().used);
    let found = Organisation::find(&hub).limit(20).load().await.unwrap();
    assert_eq!(found.cost.requests, 1);

    let none = scene.hub.with_budget(0);
    for error in [
        failed(Organisation::get_many(&none, ids).await, ErrorKind::BudgetExceeded),
        failed(Organisation::find(&none).load().await, ErrorKind::BudgetExceeded),
        failed(Organisation::find(&none).count().await, ErrorKind::BudgetExceeded),
        failed(Organisation::find(&none).stream().next().await, ErrorKind::BudgetExceeded),
    ] {
        says(&error, &["0 of 0 requests", "at tests/promises/budgets.rs:", "`get_many`"]);
    }
}

#[tokio::test]
async fn what_has_begun_is_never_stopped() {
    let (scene, mut org) = Scene::read().await;
    let hub = scene.hub.with_budget(1);
    org.name = "Acme Foods".into();
    org.save(&hub).await.unwrap();
    assert_eq!(hub.budget().unwrap().used, 3, "a look, the write, and a look at what came of it");
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme Foods")));
    failed(Organisation::get(&hub, scene.id()).await, ErrorKind::BudgetExceeded);

    let hub = scene.hub.with_budget(1);
    organisations(&scene, 120);
    let report = hub.pull::<Organisation>().await.unwrap();
    assert_eq!(
        (report.records, report.cost.requests, hub.budget().unwrap().used),
        (121, 4, 4),
        "the newest change, and three pages"
    );
}

#[tokio::test]
async fn a_shared_request_is_paid_by_whoever_began_it() {
    let (scene, _) = Scene::read().await;
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read));
    let first = tokio::spawn(Organisation::get(&scene.hub, scene.id()).into_future());
    gate.arrived(1).await;
    let hub = scene.hub.with_budget(1);
    let later = tokio::spawn(join_all((0..50).map(|_| Organisation::get(&hub, scene.id()).into_future())));
    gate.open();
    assert_eq!(first.await.unwrap().unwrap().cost().requests, 1);
    let paid: u64 = later.await.unwrap().into_iter().map(|org| org.unwrap().cost().requests).sum();
    assert_eq!((paid, hub.budget().unwrap().used), (1, 1));
}

#[tokio::test]
async fn a_handle_is_bound_by_the_budget_of_the_one_it_came_from() {
    let scene = Scene::new().await;
    let request = scene.hub.with_budget(2);
    let part = request.with_budget(10);
    Organisation::get(&part, scene.id()).await.unwrap();
    Organisation::get(&request, scene.id()).await.unwrap();
    says(&failed(Organisation::get(&part, scene.id()).await, ErrorKind::BudgetExceeded), &["2 of 2 requests"]);
    assert_eq!((part.budget().unwrap().used, request.budget().unwrap().used), (1, 2));
}

#[tokio::test]
async fn a_read_that_is_dropped_gives_back_what_it_did_not_send() {
    let scene = Scene::new().await;
    let hub = scene.hub.with_budget(1);
    drop(Organisation::get(&hub, scene.id()).into_future());
    // One that fails before it sends anything.
    scene.kit.simulator.go_away();
    failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Unavailable);
    scene.kit.simulator.come_back();
    failed(Organisation::get(&hub, scene.id()).await, ErrorKind::BudgetExceeded);
    assert_eq!(hub.budget().unwrap().used, 1, "a request that CDMS did not answer counts");
}
