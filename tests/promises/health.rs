//! How a hub is doing, told without asking CDMS; and what waits in quarantine, tried again.

use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation, Stage};
use example_domain::Organisation;

use crate::scene::{NEW_NAME, Scene, Write, failed, says};

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
    failed(Organisation::get(&scene.hub, scene.unfit().into()).await, ErrorKind::Quarantined);
    assert_eq!(scene.hub.health().await.quarantined, 1);
    assert!(scene.hub.health().await.is_ready(), "none of it keeps the hub from serving");
}

#[tokio::test]
async fn a_program_that_is_too_old_for_a_table_is_not_ready_and_says_for_which() {
    let (scene, organisation) = Scene::read().await;
    scene.sql("INSERT INTO datahub_settings (name, value) VALUES ('epoch:organisations', '1'), ('epoch:others', '7')");
    let (health, cost) = scene.cost_of(scene.hub.health()).await;
    let outdated: Vec<_> =
        health.outdated.iter().map(|found| (found.model, found.table, found.epoch, found.oldest)).collect();
    assert_eq!(outdated, [("Organisation", "organisations", 0, 1)], "what it does not use does not matter");
    assert!(!health.is_ready() && health.database.error().is_none(), "{health:?}");
    assert_eq!((cost.requests, cost.statements, cost.transactions), (0, 1, 0));
    failed(Organisation::get(&scene.hub, organisation.id()).await, ErrorKind::Outdated);
    // A migration that changed nothing lowers it again.
    scene.sql("UPDATE datahub_settings SET value = '0' WHERE name = 'epoch:organisations'");
    let health = scene.hub.health().await;
    assert!(health.is_ready() && health.outdated.is_empty(), "{health:?}");
}

#[tokio::test]
async fn a_hub_that_was_shut_down_is_not_ready() {
    let scene = Scene::new().await;
    scene.hub.shutdown(Duration::from_secs(10)).await;
    let health = scene.hub.health().await;
    assert!(!health.is_ready() && health.shut_down && health.database.error().is_some(), "{health:?}");
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
    let [mended, removed, unfit] = [(); 3].map(|()| scene.unfit());
    for id in [mended, removed, unfit] {
        failed(Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined);
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

#[tokio::test]
async fn records_that_never_fit_do_not_keep_others_from_their_turn() {
    let scene = Scene::new().await;
    let (unfit, mended) = (scene.unfit(), scene.unfit());
    for id in [unfit, mended] {
        failed(Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined);
        scene.minute();
    }
    // A model of another program, which waits longest and is not this program's to try.
    scene.sql(
        "INSERT INTO datahub_quarantine (entity, id, model, reason, at) \
         SELECT entity, id, 'others', reason, (SELECT min(at) FROM datahub_quarantine) FROM datahub_quarantine",
    );
    scene.kit.simulator.edit("Account", mended, [("Name", Value::text("Acme"))]);
    // The one that never fits is looked at first, and then waits behind the other.
    let first = scene.hub.retry_quarantined(1).await.unwrap();
    assert_eq!((first.left.len(), first.stayed[0].0.id), (0, unfit));
    let second = scene.hub.retry_quarantined(1).await.unwrap();
    assert_eq!((second.left[0].id, second.stayed.len()), (mended, 0));
}

#[tokio::test]
async fn a_record_that_cdms_cannot_give_does_not_keep_others_from_their_turn() {
    let scene = Scene::new().await;
    let (broken, mended) = (scene.unfit(), scene.unfit());
    for id in [broken, mended] {
        failed(Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined);
        scene.minute();
    }
    scene.kit.simulator.edit("Account", mended, [("Name", Value::text("Acme"))]);
    // A plug-in of CDMS fails whenever this record is read.
    let failing = || scene.fault(Operation::Read, Fault::PlugIn("Not this one.".into()));
    failing();
    let report = scene.hub.retry_quarantined(10).await.unwrap();
    assert_eq!((report.left[0].id, report.stayed[0].0.id), (mended, broken));
    assert_eq!(report.stayed[0].1.kind(), ErrorKind::Unavailable);
    failing();
    let report = scene.hub.retry_quarantined(10).await.unwrap();
    assert_eq!((report.left.len(), report.stayed[0].0.id), (0, broken), "CDMS answers, so it is this record's trouble");
    for _ in 0..3 {
        let id = scene.unfit();
        failed(Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined);
    }
    scene.kit.simulator.go_away();
    failed(scene.hub.retry_quarantined(10).await, ErrorKind::Unavailable);
    assert_eq!(scene.quarantine().await.len(), 4);
}

#[tokio::test]
async fn a_record_under_a_write_stays_and_is_not_called_mended() {
    let scene = Scene::new().await;
    let mut org = scene.get().await.unwrap();
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    org.name = NEW_NAME.into();
    let saving = tokio::spawn({
        let hub = scene.hub.clone();
        async move { org.save(&hub).await.map(drop) }
    });
    gate.arrived(1).await;
    scene.sql(
        "INSERT INTO datahub_quarantine (entity, id, model, reason, at) \
         SELECT 'Account', id, model, 'it did not fit', modified FROM datahub_records WHERE model = 'organisations'",
    );
    // Another program: this one's own write would be waited for.
    let report = scene.another_program().await.retry_quarantined(10).await.unwrap();
    let [(entry, error)] = &report.stayed[..] else { panic!("{report:?}") };
    assert_eq!((entry.id, error.kind()), (scene.account, ErrorKind::Busy));
    assert!(error.operation_id().is_some() && error.retry_after().is_some(), "{error}");
    gate.open();
    saving.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_orphan_leaves_quarantine_once_it_is_removed() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    scene.fault(Write::Create.operation(), Fault::OtherId);
    failed(attempt.run(&scene).await, ErrorKind::Misconfigured);
    let orphan = scene.commits()[0].id;
    scene.minute();
    let mended = scene.unfit();
    failed(Organisation::get(&scene.hub, mended.into()).await, ErrorKind::Quarantined);
    scene.kit.simulator.edit("Account", mended, [("Name", Value::text("Acme"))]);
    scene.minute();
    let report = scene.hub.retry_quarantined(1).await.unwrap();
    let [(entry, error)] = &report.stayed[..] else { panic!("{report:?}") };
    assert_eq!(entry.id, orphan);
    let report = scene.hub.retry_quarantined(1).await.unwrap();
    assert_eq!(report.left[0].id, mended, "the orphan waits behind it now");
    says(error, &["CDMS still has it", &attempt.id().to_string(), "remove it in CDMS"]);
    scene.kit.simulator.remove("Contact", orphan);
    let report = scene.hub.retry_quarantined(10).await.unwrap();
    assert_eq!((report.left[0].id, report.stayed.len()), (orphan, 0));
    assert_eq!(scene.quarantine().await, []);
    assert_eq!(scene.dump("contacts"), [""; 0], "no program reads it");
}
