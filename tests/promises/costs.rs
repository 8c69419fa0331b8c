//! What each operation says that it cost is what the hub and CDMS counted.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{Cost, Resolution, Value};
use example_domain::{Contact, Organisation};

use crate::pull::crowd;
use crate::scene::{PAST_QUIET, Scene, ada, failed};

/// The counts of a cost that can be compared.
fn counts(cost: Cost) -> [u64; 7] {
    let Cost { requests, bytes_sent, bytes_received, statements, transactions, round_trips, jobs, .. } = cost;
    [requests, bytes_sent, bytes_received, statements, transactions, round_trips, jobs]
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

/// What an operation costs: requests, statements, transactions, and jobs for the threads of the database. A job is the hop
/// to such a thread and back.
fn price(cost: Cost) -> [u64; 4] {
    [cost.requests, cost.statements, cost.transactions, cost.jobs]
}

#[tokio::test]
async fn each_operation_has_a_fixed_price() {
    let (scene, _) = crowd(49).await;
    // On PostgreSQL each transaction locks the record, or the page's records, first; and stores what the engine keeps of a
    // page in one statement with its history. A version is drawn with the guard.
    let lock = scene.on(0, 1);
    let drawn = scene.on(1, 0);
    let mut org = scene.get().await.unwrap();
    let mut prices = Vec::new();
    macro_rules! pays {
        ($what:literal, $operation:expr) => {{
            scene.minute();
            let (done, cost) = scene.cost_of($operation).await;
            prices.push(($what, price(cost)));
            done.unwrap()
        }};
    }
    pays!("read in sync", scene.get());
    pays!("read of the row", scene.row());
    scene.person_edits("Description", Value::text("Makes rockets"));
    org = pays!("read of a change", async {
        drop(org);
        scene.get().await
    });
    org.name = "Acme Foods".into();
    pays!("update", org.save(&scene.hub));
    org.archived = true;
    pays!("update of a local field", org.save(&scene.hub));
    let contact = pays!("create", Contact::create(&scene.hub, ada(&scene)));
    pays!("delete", contact.delete(&scene.hub));
    pays!("history", Organisation::history(&scene.hub, scene.id()));
    let page = || Organisation::find(&scene.hub).limit(50).load();
    pays!("page of 50, first seen", page());
    pays!("page of 50 in sync", page());
    let rows = || Organisation::find(&scene.hub).limit(50).freshness(Freshness::LocalOnly).load();
    pays!("page of 50 rows", rows());
    let expected = [
        ("read in sync", [1, 1, 0, 1]),
        ("read of the row", [0, 1, 0, 1]),
        ("read of a change", [1, 5 + drawn + lock, 1, 2]),
        ("update", [3, 9 + drawn + 2 * lock, 2, 3]),
        ("update of a local field", [0, 5 + drawn + lock, 1, 2]),
        ("create", [1, 9 + drawn + 2 * lock, 2, 3]),
        ("delete", [2, 9 + drawn + 2 * lock, 2, 3]),
        ("history", [0, 1, 0, 1]),
        ("page of 50, first seen", [1, 5, 1, 1]),
        ("page of 50 in sync", [1, 1 + lock, 0, 1]),
        ("page of 50 rows", [0, 2, 0, 2]),
    ];
    assert_eq!(prices, expected);
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
