//! Backfills and pulls of two versions of a program, stopped and disturbed: they resume, and reset nothing of each other.

use std::future::IntoFuture;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, PullReport, Value};

use crate::backfill::{
    Farm, Old, Retyped, Wider, backfill, left, local, old_firms, retyped, rows_with, scene_cost, websites, widened,
    wider,
};
use crate::scene::{NEW_NAME, failed, found, history_of, says};

async fn pulled<T: CdmsSynced>(hub: &Hub, pages: u64) -> PullReport {
    hub.pull::<T>().max_pages(pages).await.unwrap()
}

#[tokio::test]
async fn a_backfill_that_stopped_is_resumed_by_any_program_of_the_same_mapping() {
    let (scene, old, ids) = old_firms(119).await;
    let hub = widened(&scene).await;
    let part = hub.backfill::<Wider>().max_pages(1).await.unwrap();
    assert_eq!((part.complete, part.read, part.left, websites(&scene)), (false, 50, 70, 50));
    // Both versions pull in between; neither touches the backfill's progress, nor it theirs.
    assert!(!old.pull::<Old>().max_pages(1).await.unwrap().complete);
    let list = |fault| scene.kit.simulator.fault(FaultRule::new(fault).on(Operation::List).after(1).times(1));
    list(Fault::DropBeforeCommit);
    let error = failed(hub.backfill::<Wider>().await, ErrorKind::Unavailable);
    says(&error, &["resumes where it stopped"]);
    assert_eq!(websites(&scene), 100);
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    let hub = wider(&scene, "later").await;
    let rest = backfill(&hub).await;
    assert_eq!((rest.complete, rest.resumed, rest.read, rest.pages, rest.left), (true, true, 20, 1, 0), "{rest:?}");
    assert_eq!(websites(&scene), ids.len());
    assert!(old.pull::<Old>().max_pages(1).await.unwrap().resumed);
}

#[tokio::test]
async fn a_backfill_that_nobody_waits_for_leaves_whole_pages() {
    let (scene, _, _) = old_firms(119).await;
    let hub = widened(&scene).await;
    let page = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).after(1));
    let running = tokio::spawn(hub.backfill::<Wider>().into_future());
    page.arrived(1).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    page.open();
    assert_eq!((websites(&scene), left(&hub).await), (50, 70));
    let report = backfill(&hub).await;
    assert_eq!((report.complete, report.resumed, report.read), (true, true, 70), "{report:?}");
}

#[tokio::test]
async fn the_newest_backfill_takes_over() {
    let (scene, _, _) = old_firms(59).await;
    let hub = widened(&scene).await;
    let page = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let first = tokio::spawn(hub.backfill::<Wider>().into_future());
    page.arrived(1).await;
    assert!(backfill(&hub).await.complete);
    page.open();
    let error = failed(first.await.unwrap(), ErrorKind::Busy);
    says(&error, &["another backfill of Wider has taken over"]);
}

#[tokio::test]
async fn writes_and_other_programs_go_on_beside_it() {
    let (scene, old, ids) = old_firms(3).await;
    let hub = widened(&scene).await;
    let page = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let running = tokio::spawn(hub.backfill::<Wider>().into_future());
    page.arrived(1).await;
    // While the page is on its way: one firm is written, one by the older program, and one is gone.
    let mut firm = Wider::get(&hub, ids[0].into()).await.unwrap();
    firm.website = Some("https://saved.example".into());
    firm.save(&hub).await.unwrap();
    let mut firm = Old::get(&old, ids[1].into()).await.unwrap();
    firm.name = NEW_NAME.into();
    firm.save(&old).await.unwrap();
    scene.kit.simulator.remove("Account", ids[2]);
    failed(Old::get(&old, ids[2].into()).await, ErrorKind::Gone);
    page.open();
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.complete, report.read, report.singly, report.left), (true, 2, 1, 0), "{report:?}");
    assert_eq!(local::<Wider>(&hub, ids[0]).await.website.as_deref(), Some("https://saved.example"));
    let firm = local::<Wider>(&hub, ids[1]).await;
    assert_eq!((firm.name.as_str(), firm.website.is_some(), firm.incomplete().count()), (NEW_NAME, true, 0));
    assert_eq!(scene.dump("firms").len(), 3);
    for id in [0, 1, 3] {
        assert_eq!(found(&Wider::get(&hub, ids[id].into()).await.unwrap()), Finding::InSync, "{id}");
    }
}

#[tokio::test]
async fn the_pulls_of_two_versions_do_not_reset_each_other() {
    let (scene, old, _) = old_firms(119).await;
    let new = widened(&scene).await;
    assert_eq!(pulled::<Old>(&old, 1).await.records, 50);
    assert_eq!(pulled::<Wider>(&new, 2).await.records, 100);
    let rest = pulled::<Old>(&old, 9).await;
    assert_eq!((rest.resumed, rest.complete, rest.records), (true, true, 70), "{rest:?}");
    let rest = pulled::<Wider>(&new, 9).await;
    assert_eq!((rest.resumed, rest.complete, rest.records), (true, true, 20), "{rest:?}");
    assert_eq!((websites(&scene), left(&new).await), (120, 0));
}

#[tokio::test]
async fn a_changed_mapping_of_the_same_attributes_continues_a_pull_and_completes_what_it_had_read() {
    let (scene, old, ids) = old_firms(119).await;
    scene.sql("DELETE FROM firms");
    scene.sql("DELETE FROM datahub_records");
    assert_eq!(pulled::<Old>(&old, 1).await.first_seen, 50);
    let hub = retyped(&scene).await;
    let report = pulled::<Retyped>(&hub, 9).await;
    assert_eq!((report.resumed, report.complete, report.completed_from_seen), (true, true, 50), "{report:?}");
    assert_eq!((report.records, report.first_seen), (70, 70), "{report:?}");
    assert!(hub.completeness::<Retyped>().await.unwrap().is_complete());
    assert_eq!(rows_with(&scene, "label=''"), 0);
    assert_eq!(scene.dump("firms").len(), ids.len());
}

#[tokio::test]
async fn another_condition_begins_a_pull_of_its_own() {
    let (scene, old, _) = old_firms(119).await;
    assert!(!pulled::<Old>(&old, 1).await.complete);
    let hub = scene.kit.hub(models![Farm]).program("farms").connect().await.unwrap();
    let report = pulled::<Farm>(&hub, 9).await;
    assert_eq!((report.resumed, report.records), (false, 120), "earlier pages were judged by another condition");
}

#[tokio::test]
async fn what_both_programs_know_stays_known_while_the_record_stays_as_it_is() {
    let (scene, old, ids) = old_firms(1).await;
    let hub = widened(&scene).await;
    backfill(&hub).await;
    // The older program makes the row its own again without a change in CDMS: it lost the row, for example.
    scene.sql("DELETE FROM firms");
    for id in &ids {
        Old::get(&old, (*id).into()).await.unwrap();
    }
    assert_eq!(left(&hub).await, 2);
    let (report, cost) = scene_cost(&hub, hub.backfill::<Wider>()).await;
    let report = report.unwrap();
    assert_eq!((report.complete, report.from_seen, cost), (true, 2, 0), "{report:?}");
    assert_eq!(websites(&scene), 2);
}

#[tokio::test]
async fn a_row_that_two_mappings_complete_is_complete_for_both() {
    let (scene, old, ids) = old_firms(1).await;
    let hub = widened(&scene).await;
    backfill(&hub).await;
    assert_eq!(old.completeness::<Old>().await.unwrap().incomplete, 0, "its values did not change");
    assert_eq!(left(&hub).await, 0);
    assert_eq!(found(&Old::get(&old, ids[0].into()).await.unwrap()), Finding::InSync);
    assert_eq!(left(&hub).await, 0);
    let mut firm = local::<Old>(&old, ids[0]).await;
    firm.notes = Some("call them".into());
    firm.save(&old).await.unwrap();
    assert_eq!(left(&hub).await, 0, "a change of the hub's own fields changes nothing of CDMS's");
}

#[tokio::test]
async fn a_record_that_has_changed_since_is_read_whole() {
    let (scene, _, ids) = old_firms(1).await;
    let hub = widened(&scene).await;
    scene.kit.simulator.edit("Account", ids[1], [("Name", Value::text(NEW_NAME))]);
    let report = backfill(&hub).await;
    assert_eq!((report.complete, report.read, report.singly), (true, 2, 1), "{report:?}");
    let firm = local::<Wider>(&hub, ids[1]).await;
    assert_eq!((firm.name.as_str(), firm.website.is_some()), (NEW_NAME, true));
    assert_eq!(rows_with(&scene, &format!("name='{NEW_NAME}'")), 1);
    let kinds = history_of::<Wider>(&hub, ids[1].into()).await;
    assert_eq!(kinds, [EntryKind::FirstSeen, EntryKind::Refreshed]);
}
