//! How a hub is doing, told without asking CDMS; and what waits in quarantine, tried again.

use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};

use crate::scene::{Scene, Write, failed};

#[tokio::test]
async fn a_healthy_hub_is_ready_at_the_cost_of_one_statement() {
    let (scene, _) = Scene::read().await;
    let (health, cost) = scene.cost_of(scene.hub.health()).await;
    assert!(health.is_ready() && health.cdms_met, "{health:?}");
    assert_eq!((health.open_writes, health.oldest_open_write, health.quarantined), (0, None, 0));
    assert_eq!((cost.requests, cost.statements, cost.transactions), (0, 1, 0));
}

#[tokio::test]
async fn what_waits_is_counted() {
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(attempt.run(&scene).await, ErrorKind::Unsettled);
    scene.kit.advance(Duration::from_secs(90));
    let health = scene.hub.health().await;
    assert_eq!((health.open_writes, health.oldest_open_write), (1, Some(Duration::from_secs(90))));
    let other = scene.kit.simulator.seed("Account", [("Name", Value::Null)]);
    failed(example_domain::Organisation::get(&scene.hub, other.into()).await, ErrorKind::Quarantined);
    assert_eq!(scene.hub.health().await.quarantined, 1);
    assert!(scene.hub.health().await.is_ready(), "none of it keeps the hub from serving");
}

#[tokio::test]
async fn a_hub_that_was_shut_down_is_not_ready() {
    let scene = Scene::new().await;
    scene.hub.shutdown(Duration::from_secs(10)).await;
    let health = scene.hub.health().await;
    assert!(!health.is_ready() && health.shut_down && health.database.is_some(), "{health:?}");
}

#[tokio::test]
async fn cdms_being_away_is_no_reason_to_take_a_program_out_of_service() {
    let scene = Scene::new().await;
    scene.kit.simulator.go_away();
    let health = scene.another_program().await.health().await;
    assert!(health.is_ready() && !health.cdms_met, "{health:?}");
}

#[tokio::test]
async fn what_was_mended_leaves_quarantine_when_tried_again() {
    let scene = Scene::new().await;
    let [mended, removed, unfit] = [(); 3].map(|()| scene.kit.simulator.seed("Account", [("Name", Value::Null)]));
    for id in [mended, removed, unfit] {
        failed(example_domain::Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined);
    }
    scene.kit.simulator.edit("Account", mended, [("Name", Value::text("Acme"))]);
    scene.kit.simulator.remove("Account", removed);
    let report = scene.hub.retry_quarantined(100).await.unwrap();
    let mut left: Vec<_> = report.left.iter().map(|entry| entry.id).collect();
    left.sort();
    let mut expected = vec![mended, removed];
    expected.sort();
    assert_eq!(left, expected);
    let [(entry, error)] = &report.stayed[..] else { panic!("{report:?}") };
    assert_eq!((entry.id, error.kind()), (unfit, ErrorKind::Quarantined));
    assert_eq!(scene.quarantine().await.len(), 1);
}
