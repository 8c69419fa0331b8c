//! After a restore of CDMS's backup: which side is right is decided, record by record or for all, and nothing is lost.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{EntryKind, Instant, Resolution, Seen, Value};
use example_domain::Organisation;

use crate::dropped::polled;
use crate::scene::{Scene, acme, failed, found, now, says};

const HOUR_MS: i64 = 3_600_000;

/// CDMS has the organisation as it was an hour before the hub read it, under another name.
async fn restored() -> Scene {
    let (scene, _) = Scene::read().await;
    let old = [("ModifiedOn", Value::Instant(Instant(now(&scene).0 - HOUR_MS))), ("Name", Value::text("Old Acme"))];
    scene.kit.simulator.overwrite("Account", scene.account, old);
    failed(scene.get().await, ErrorKind::LocalNewer);
    scene
}

#[tokio::test]
async fn taking_cdms_puts_the_row_back_and_the_history_keeps_the_rest() {
    let scene = restored().await;
    let (resolved, cost) = scene.cost_of(Organisation::resolve(&scene.hub, scene.id(), Resolution::TakeCdms)).await;
    let org = resolved.unwrap();
    assert_eq!((found(&org), org.name.as_str()), (Seen::Refreshed, "Old Acme"));
    assert_eq!(cost.requests, 1);
    assert_eq!(found(&scene.get().await.unwrap()), Seen::InSync);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let back = history.last().unwrap();
    assert_eq!((back.kind, back.skew_ms), (EntryKind::Refreshed, Some(HOUR_MS)));
    assert_eq!(back.changes[0].from, Some(Value::text("Acme")));
    assert_eq!(scene.commits(), []);
}

#[tokio::test]
async fn pushing_the_hub_writes_what_differs_and_nothing_else() {
    let scene = restored().await;
    let org = Organisation::resolve(&scene.hub, scene.id(), Resolution::PushHub).await.unwrap();
    assert_eq!(org.name, "Acme");
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme")));
    assert_eq!(scene.commits()[0].sent, ["Name", "optevia_PAFOverride"]);
    assert_eq!(found(&scene.get().await.unwrap()), Seen::InSync);
}

#[tokio::test]
async fn a_push_that_cdms_refuses_loses_nothing() {
    let scene = restored().await;
    scene.fault(Operation::Update, Fault::PlugIn("Not today.".into()));
    let pushed = Organisation::resolve(&scene.hub, scene.id(), Resolution::PushHub).await;
    let refused = failed(pushed, ErrorKind::Rejected);
    assert_eq!(scene.row().await.unwrap().name, "Old Acme", "the row is as CDMS has it");
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    assert_eq!(history.last().unwrap().changes[0].from, Some(Value::text("Acme")), "and the hub's value is kept");
    // The error says how to bring it back.
    let newer = history[history.len() - 2].version;
    says(&refused, &["the hub's are in its history", &format!("`revert` to version {}", newer.0)]);
    Organisation::revert(&scene.hub, scene.id(), newer).await.unwrap();
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme")));
}

#[tokio::test]
async fn a_push_that_is_dropped_anywhere_pushes_all_the_same_or_can_be_called_again() {
    for times in 0.. {
        assert!(times < 200, "it does not come to its end");
        let scene = restored().await;
        let push = || Organisation::resolve(&scene.hub, scene.id(), Resolution::PushHub);
        let is_done = polled(times, async { push().await.unwrap() }).await;
        // Meanwhile the dropped one may be under way.
        while let Err(error) = push().await {
            assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme")), "dropped after {times}");
        if is_done {
            break;
        }
    }
}

#[tokio::test]
async fn where_nothing_is_newer_a_resolution_is_a_read() {
    let (scene, _) = Scene::read().await;
    for resolution in [Resolution::TakeCdms, Resolution::PushHub] {
        let (resolved, cost) = scene.cost_of(Organisation::resolve(&scene.hub, scene.id(), resolution)).await;
        assert_eq!(found(&resolved.unwrap()), Seen::InSync);
        assert_eq!((cost.requests, cost.transactions), (1, 0));
    }
}

#[tokio::test]
async fn all_records_are_resolved_at_once_and_the_others_are_as_read() {
    let scene = restored().await;
    let fine = scene.kit.simulator.seed("Account", acme());
    let gone = scene.kit.simulator.seed("Account", acme());
    for id in [fine, gone] {
        Organisation::get(&scene.hub, id.into()).await.unwrap();
    }
    scene.kit.simulator.remove("Account", gone);
    let report = Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!((report.checked, report.resolved), (3, vec![scene.id()]));
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    failed(Organisation::get(&scene.hub, gone.into()).freshness(Freshness::LocalOnly).await, ErrorKind::Gone);
    let again = Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!((again.checked, again.resolved), (2, vec![]));
    scene.kit.simulator.go_away();
    failed(Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_record_under_an_open_write_is_told_as_busy_and_not_as_resolved() {
    let scene = restored().await;
    let fine: Id<Organisation> = scene.kit.simulator.seed("Account", acme()).into();
    let mut org = Organisation::get(&scene.hub, fine).await.unwrap();
    org.name = "Acme Foods".into();
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let unsettled = failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    for resolution in [Resolution::TakeCdms, Resolution::PushHub] {
        let busy = failed(Organisation::resolve(&scene.hub, fine, resolution).await, ErrorKind::Busy);
        assert_eq!(busy.operation_id(), unsettled.operation_id());
    }
    let report = Organisation::resolve_all(&scene.hub, Resolution::PushHub).await.unwrap();
    assert_eq!(report.resolved, [scene.id()]);
    let [(id, error)] = &report.failed[..] else { panic!("{:?}", report.failed) };
    assert_eq!((*id, error.kind()), (fine, ErrorKind::Busy));
}

#[tokio::test]
async fn the_history_tells_who_decided() {
    let scene = restored().await;
    let ada = scene.hub.acting_as("ada");
    Organisation::resolve(&ada, scene.id(), Resolution::TakeCdms).await.unwrap();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    assert_eq!(history.last().unwrap().actor, "ada");
}
