//! What each operation says that it cost is what the hub and CDMS counted.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{Cost, Resolution, Value};
use example_domain::{Contact, Organisation};

use crate::scene::{PAST_QUIET, Scene, ada, failed};

/// The counts of a cost that can be compared.
fn counts(cost: Cost) -> [u64; 6] {
    [cost.requests, cost.bytes_sent, cost.bytes_received, cost.statements, cost.transactions, cost.round_trips]
}

#[tokio::test]
async fn each_result_says_what_its_operation_cost() {
    let scene = Scene::new().await;
    let mut begun = scene.hub.cost();
    // What the hub counted since the last time.
    let mut counted = || {
        let (then, now) = (begun, scene.hub.cost());
        begun = now;
        now - then
    };
    let mut org = scene.get().await.unwrap();
    let [requests, _, received, ..] = counts(org.cost());
    assert_eq!((requests, counts(org.cost())), (1, counts(counted())));
    assert!(received > 0 && org.cost().time > Duration::ZERO, "{:?}", org.cost());

    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    let [requests, sent, ..] = counts(org.cost());
    assert_eq!((requests, counts(org.cost())), (3, counts(counted())));
    assert!(sent > 0);

    let contact = Contact::create(&scene.hub, ada(&scene)).await.unwrap();
    assert_eq!((contact.cost().requests, counts(contact.cost())), (1, counts(counted())));
    let edit = Contact::edit(&scene.hub, contact.id(), contact.version_token()).await.unwrap();
    assert_eq!(counts(edit.cost()), counts(counted()));
    let deleted = contact.delete(&scene.hub).await.unwrap();
    assert_eq!(counts(deleted.cost), counts(counted()));

    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    counted();
    let reverted = Organisation::revert(&scene.hub, scene.id(), first).await.unwrap();
    assert_eq!(counts(reverted.cost()), counts(counted()));
    let resolved = Organisation::resolve(&scene.hub, scene.id(), Resolution::TakeCdms).await.unwrap();
    assert_eq!(counts(resolved.cost()), counts(counted()));
    let resolved = Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!((resolved.checked, counts(resolved.cost)), (1, counts(counted())));

    let pulled = scene.hub.pull::<Organisation>().await.unwrap();
    assert_eq!((pulled.cost.requests, counts(pulled.cost)), (2, counts(counted())));
    let swept = scene.hub.sweep::<Organisation>().await.unwrap();
    assert_eq!((swept.cost.requests, counts(swept.cost)), (1, counts(counted())));
    let fresh = scene.hub.ensure_fresh(models![Organisation], Freshness::Always).await.unwrap();
    assert_eq!((fresh.cost.requests, counts(fresh.cost)), (1, counts(counted())));
    let backfilled = scene.hub.backfill::<Organisation>().await.unwrap();
    assert_eq!(counts(backfilled.cost), counts(counted()));
    failed(Organisation::get(&scene.hub, scene.unfit().into()).await, ErrorKind::Quarantined);
    counted();
    let retried = scene.hub.retry_quarantined(10).await.unwrap();
    assert_eq!((retried.cost.requests, counts(retried.cost)), (1, counts(counted())));
}

#[tokio::test]
async fn settling_says_what_it_cost() {
    let (scene, mut org) = {
        let scene = Scene::with(|cdms| cdms, |hub| hub.settling(datahub_runtime::Settling::OnRequest)).await;
        let org = scene.get().await.unwrap();
        (scene, org)
    };
    scene.minute();
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    org.name = "Acme Foods".into();
    failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    scene.kit.advance(PAST_QUIET);
    let (report, cost) = scene.cost_of(scene.hub.settle()).await;
    let report = report.unwrap();
    assert_eq!((report.settled.len(), counts(report.cost)), (1, counts(cost)));
}

#[tokio::test]
async fn a_block_of_operations_is_counted_as_a_whole_with_those_that_fail() {
    let (scene, mut org) = Scene::read().await;
    let before = scene.hub.cost();
    let (outcome, cost) = Cost::of(async {
        Organisation::history(&scene.hub, scene.id()).await?;
        scene.fault(Operation::Update, Fault::PlugIn("Not today.".into()));
        org.name = "Acme Foods".into();
        org.save(&scene.hub).await
    })
    .await;
    failed(outcome, ErrorKind::Rejected);
    let hub = scene.hub.cost() - before;
    assert_eq!((cost.requests, counts(cost)), (2, counts(hub)));
    assert!(hub.time > Duration::ZERO && hub.time <= cost.time, "{hub:?} {cost:?}");
    // A read that is not part of it.
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Acme Group"))]);
    scene.get().await.unwrap();
    assert_eq!(Cost::of(async {}).await.1.requests, 0);
}
