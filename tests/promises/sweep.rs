//! Deletions in CDMS are found by a sweep: what its list does not show is read, and only what is gone becomes a tombstone.

use std::future::IntoFuture;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, SweepReport, Value};
use example_domain::Organisation;

use crate::meddler::{Deed, Meddler};
use crate::pull::crowd;
use crate::scene::{Scene, Write, failed, history_of, now, says};

/// A scene whose hub has loaded so many organisations and one more.
async fn loaded(more: usize) -> (Scene, Vec<Id<Organisation>>) {
    let (scene, ids) = crowd(more).await;
    assert!(scene.hub.pull::<Organisation>().await.unwrap().complete);
    scene.minute();
    (scene, ids)
}

async fn sweep(scene: &Scene) -> SweepReport {
    scene.hub.sweep::<Organisation>().await.unwrap()
}

fn remove(scene: &Scene, ids: &[Id<Organisation>]) {
    ids.iter().for_each(|id| scene.kit.simulator.remove("Account", id.guid()));
}

fn rows(scene: &Scene) -> usize {
    scene.dump("organisations").len()
}

async fn deletions_as_of(scene: &Scene) -> Option<chrono::DateTime<chrono::Utc>> {
    let report = scene.hub.ensure_fresh(models![Organisation], Freshness::LocalOnly).await.unwrap();
    report.models[0].deletions_as_of
}

#[tokio::test]
async fn what_is_gone_becomes_a_tombstone_with_its_last_values() {
    let (scene, ids) = loaded(119).await;
    let (report, cost) = scene.cost_of(scene.hub.sweep::<Organisation>()).await;
    let report = report.unwrap();
    assert_eq!((report.complete, report.pages, report.listed, report.missing), (true, 3, 120, 0));
    assert_eq!(cost.requests, 3);
    assert_eq!(deletions_as_of(&scene).await, now(&scene).to_utc());

    scene.minute();
    remove(&scene, &ids[10..15]);
    assert!(scene.hub.pull::<Organisation>().await.unwrap().complete);
    assert_eq!(rows(&scene), 120, "a pull does not show it");
    let (report, cost) = scene.cost_of(scene.hub.sweep::<Organisation>()).await;
    let report = report.unwrap();
    assert_eq!((report.missing, report.ended, report.there, rows(&scene)), (5, 5, 0, 115));
    assert_eq!(cost.requests, 3 + 5);
    let history = Organisation::history(&scene.hub, ids[12]).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!(last.kind, EntryKind::Gone);
    assert!(last.changes.iter().any(|change| change.field == "name" && change.from.is_some()), "{last:?}");
    assert_eq!(deletions_as_of(&scene).await, now(&scene).to_utc());
    assert!(scene.dump("datahub_swept").is_empty());
    assert_eq!(sweep(&scene).await.missing, 0);
}

#[tokio::test]
async fn what_a_list_leaves_out_is_not_gone() {
    let (scene, ids) = loaded(9).await;
    // The list shows nothing, as if the user might read nothing; each record is still there.
    let silent = Meddler::before(&scene.kit.simulator.root(), |request| match request.contains("AccountSet?") {
        true => Deed::Body(|_| br#"{"d":{"results":[]}}"#.to_vec()),
        false => Deed::Pass,
    });
    let hub = scene.program(|hub| hub.cdms(silent.root(), Anonymous)).await;
    let report = hub.sweep::<Organisation>().await.unwrap();
    assert_eq!((report.complete, report.listed, report.missing, report.there, report.ended), (true, 0, 10, 10, 0));
    assert_eq!(rows(&scene), ids.len());
}

#[tokio::test]
async fn a_sweep_stops_by_itself_if_too_much_is_missing() {
    let (scene, ids) = loaded(99).await;
    remove(&scene, &ids[..21]);
    let (error, cost) = scene.cost_of(scene.hub.sweep::<Organisation>()).await;
    let error = failed(error, ErrorKind::Misconfigured);
    says(&error, &["21 of 100 rows", "Organisation", "any_number()"]);
    assert_eq!((cost.requests, rows(&scene)), (2, 100), "none of them was read");
    assert_eq!(deletions_as_of(&scene).await, None);
    failed(scene.hub.sweep::<Organisation>().await, ErrorKind::Misconfigured);
    let (report, cost) = scene.cost_of(scene.hub.sweep::<Organisation>().any_number()).await;
    let report = report.unwrap();
    assert_eq!(
        (report.resumed, report.pages, report.ended, cost.requests),
        (true, 0, 21, 21),
        "the list is not read again"
    );
    assert_eq!(rows(&scene), 79);

    remove(&scene, &ids[30..50]);
    assert_eq!(sweep(&scene).await.ended, 20, "so many are always allowed");
}

#[tokio::test]
async fn rows_that_are_stored_meanwhile_and_open_writes_are_left_alone() {
    let (scene, ids) = loaded(59).await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(attempt.run(&scene).await, ErrorKind::Unsettled);
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let sweeping = tokio::spawn(scene.hub.sweep::<Organisation>().into_future());
    gate.arrived(1).await;
    let new = Organisation::create(&scene.hub, Organisation::named("Beta")).await.unwrap();
    let others: Vec<_> = ids.iter().copied().filter(|id| *id != scene.id()).collect();
    remove(&scene, &others[..1]);
    remove(&scene, &[scene.id()]);
    gate.open();
    let report = sweeping.await.unwrap().unwrap();
    assert!(report.complete);
    assert!(Organisation::get(&scene.hub, new.id).freshness(Freshness::LocalOnly).await.is_ok());
    assert_eq!(scene.open_intents(), 1, "its own settling finds out");
    let seen = report.missing;
    assert!(seen <= 1, "{report:?}");
}

#[tokio::test]
async fn a_sweep_that_stopped_is_gone_on_with_by_any_program() {
    let (scene, ids) = loaded(159).await;
    remove(&scene, &ids[..6]);
    let list = |fault| scene.kit.simulator.fault(FaultRule::new(fault).on(Operation::List).after(2).times(1));
    list(Fault::DropBeforeCommit);
    failed(scene.hub.sweep::<Organisation>().await, ErrorKind::Unavailable);
    let read = FaultRule::new(Fault::DropBeforeCommit).on(Operation::Read).after(3);
    scene.kit.simulator.fault(read);
    let other = scene.another_program().await;
    // The organisation itself cannot be asked for either, so CDMS is away.
    scene.kit.simulator.fault(FaultRule::new(Fault::DropBeforeCommit).on(Operation::Other));
    _ = other.sweep::<Organisation>().await;
    scene.kit.simulator.clear_faults();
    let last = scene.another_program().await;
    let report = last.sweep::<Organisation>().await.unwrap();
    assert!(report.complete);
    assert_eq!(rows(&scene), 154);
    assert!(history_of(&scene.hub, ids[0]).await.ends_with(&[EntryKind::Gone]));
    assert!(deletions_as_of(&scene).await.is_some());
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
async fn what_has_left_the_model_is_found_too() {
    let (scene, ids) = crowd(9).await;
    let set_uk = |id: Id<Organisation>, is| {
        let value = [("optevia_ukorganisation", Value::Boolean(is))];
        scene.kit.simulator.overwrite("Account", id.guid(), value);
    };
    ids.iter().for_each(|id| set_uk(*id, true));
    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    assert_eq!(hub.pull::<UkOrganisation>().await.unwrap().first_seen, 10);
    for _ in 0..2 {
        scene.kit.advance(Duration::from_secs(700));
        hub.pull::<UkOrganisation>().await.unwrap();
    }
    // A mass update by SQL, which moves no time of change.
    set_uk(ids[4], false);
    assert_eq!(hub.pull::<UkOrganisation>().await.unwrap().not_of_model, 0);
    remove(&scene, &ids[7..8]);
    let report = hub.sweep::<UkOrganisation>().await.unwrap();
    assert_eq!((report.listed, report.missing, report.ended), (8, 2, 2));
    assert_eq!(scene.dump("uk_organisations").len(), 8);
    let left = history_of::<UkOrganisation>(&hub, ids[4].guid().into()).await;
    assert_eq!(left.last(), Some(&EntryKind::LeftModel));
}
