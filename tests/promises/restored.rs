//! After a restore of CDMS's backup: which side is right is decided, record by record or for all, and nothing is lost.

use std::future::IntoFuture as _;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Instant, Resolution, Value};
use example_domain::Organisation;

use crate::dropped::polled;
use crate::scene::{Scene, Write, acme, failed, found, now, says};

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
    assert_eq!((found(&org), org.name.as_str()), (Finding::Refreshed, "Old Acme"));
    assert_eq!(cost.requests, 1);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
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
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
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
        assert_eq!(found(&resolved.unwrap()), Finding::InSync);
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
    let stopped = Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!((stopped.checked, stopped.stopped.unwrap().kind()), (1, ErrorKind::Unavailable));
}

#[tokio::test]
async fn one_record_that_cdms_cannot_give_is_in_the_report_and_stops_no_other() {
    let scene = restored().await;
    let others: Vec<_> = (0..3).map(|_| scene.kit.simulator.seed("Account", acme())).collect();
    for id in &others {
        Organisation::get(&scene.hub, (*id).into()).await.unwrap();
    }
    // The first one that is read; which that is depends on the ids.
    let failing = Fault::Refuse { status: 500, code: -2_147_220_970, message: "An unexpected error occurred.".into() };
    scene.fault(Operation::Read, failing);
    let report = Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!((report.checked, report.failed.len()), (4, 1), "{report:?}");
    assert!(report.stopped.is_none(), "{report:?}");
    says(&report.failed[0].1, &["An unexpected error occurred."]);
    let again = Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!(report.resolved.len() + again.resolved.len(), 1);
}

#[tokio::test]
async fn an_older_record_that_fails_the_condition_does_not_end_the_newer_row() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    let id: Id<UkOrganisation> = scene.account.into();
    scene.person_edits("optevia_ukorganisation", Value::Boolean(true));
    UkOrganisation::get(&hub, id).await.unwrap();
    let old = [
        ("ModifiedOn", Value::Instant(Instant(now(&scene).0 - HOUR_MS))),
        ("optevia_ukorganisation", Value::Boolean(false)),
    ];
    scene.kit.simulator.overwrite("Account", scene.account, old);
    failed(UkOrganisation::get(&hub, id).await, ErrorKind::LocalNewer);
    let report = hub.pull::<UkOrganisation>().await.unwrap();
    assert_eq!((report.records, report.not_of_model), (0, 0), "CDMS does not list it: {report:?}");
    let report = hub.sweep::<UkOrganisation>().await.unwrap();
    assert_eq!((report.missing, report.there, report.ended), (1, 1, 0), "{report:?}");
    assert_eq!(scene.dump("uk_organisations").len(), 1);
    // Whoever decides for CDMS decides for that too.
    failed(UkOrganisation::resolve(&hub, id, Resolution::TakeCdms).await, ErrorKind::Gone);
    assert_eq!(scene.dump("uk_organisations").len(), 0);
}

/// Organisations of the United Kingdom.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "uk_organisations", only = "optevia_ukorganisation eq true")]
struct UkOrganisation {
    #[cdms(key)]
    id: Id<UkOrganisation>,
    #[cdms("Name")]
    name: String,
}

#[tokio::test]
async fn a_push_does_not_overwrite_what_others_have_saved_meanwhile() {
    // Another program saves between the resolution's look at the row and its read of CDMS.
    let scene = restored().await;
    let other = scene.another_program().await;
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(1));
    let push = tokio::spawn(Organisation::resolve(&scene.hub, scene.id(), Resolution::PushHub).into_future());
    gate.arrived(1).await;
    let mut org = Organisation::resolve(&other, scene.id(), Resolution::PushHub).await.unwrap();
    org.name = "Acme of the other".into();
    org.save(&other).await.unwrap();
    gate.open();
    push.await.unwrap().unwrap();
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme of the other")));

    // A person changes the same field between the resolution's read and its push.
    let scene = restored().await;
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let push = tokio::spawn(Organisation::resolve(&scene.hub, scene.id(), Resolution::PushHub).into_future());
    gate.arrived(1).await;
    gate.open();
    push.await.unwrap().unwrap();
    let scene = restored().await;
    let looks = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| {
        // The read of the push, after the one that takes CDMS's record.
        FaultRule::new(hold).on(Operation::Read).after(1).times(1)
    });
    let push = tokio::spawn(Organisation::resolve(&scene.hub, scene.id(), Resolution::PushHub).into_future());
    looks.arrived(1).await;
    scene.person_edits("Name", Value::text("Acme by hand"));
    looks.open();
    let error = failed(push.await.unwrap(), ErrorKind::Conflict);
    says(&error, &["name", "`revert` to version"]);
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme by hand")));
}

/// A mirror of organisations.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "mirrored", mode = "mirror")]
struct Mirrored {
    #[cdms(key)]
    id: Id<Mirrored>,
    #[cdms("Name")]
    name: String,
}

#[tokio::test]
async fn a_mirror_takes_cdms_and_pushes_nothing() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![Mirrored]).connect().await.unwrap();
    let id: Id<Mirrored> = scene.account.into();
    Mirrored::get(&hub, id).await.unwrap();
    let old = [("ModifiedOn", Value::Instant(Instant(now(&scene).0 - HOUR_MS))), ("Name", Value::text("Old Acme"))];
    scene.kit.simulator.overwrite("Account", scene.account, old);
    failed(Mirrored::get(&hub, id).await, ErrorKind::LocalNewer);
    let pushed = failed(Mirrored::resolve(&hub, id, Resolution::PushHub).await, ErrorKind::Invalid);
    says(&pushed, &["Mirrored", "is never written", "Resolution::TakeCdms"]);
    failed(Mirrored::resolve_all(&hub, Resolution::PushHub).await, ErrorKind::Invalid);
    let report = Mirrored::resolve_all(&hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!(report.resolved, [id]);
    assert_eq!(Mirrored::get(&hub, id).await.unwrap().name, "Old Acme");
}

#[tokio::test]
async fn a_row_that_is_newer_by_seconds_is_told_with_the_setting_for_clocks() {
    let (scene, _) = Scene::read().await;
    let modified = now(&scene).0;
    let older = |ms: i64| [("ModifiedOn", Value::Instant(Instant(modified - ms))), ("Name", Value::text("Old Acme"))];
    scene.kit.simulator.overwrite("Account", scene.account, older(3_000));
    says(&failed(scene.get().await, ErrorKind::LocalNewer), &["by 3 s", "`clock_skew`", "`resolve`"]);
    scene.kit.simulator.overwrite("Account", scene.account, older(HOUR_MS));
    let error = failed(scene.get().await, ErrorKind::LocalNewer);
    assert!(!error.to_string().contains("clock_skew"), "{error}");
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
