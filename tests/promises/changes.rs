//! Incremental pulls: after its first load a model costs what has changed, and no change is lost, whenever it is made and
//! wherever a pull stops.

use std::future::IntoFuture;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, PullReport, Value};
use example_domain::Organisation;
use uuid::Uuid;

use crate::meddler::{Deed, Meddler};
use crate::pull::crowd;
use crate::scene::{NEW_NAME, Scene, failed, history_of, now, says};

/// Longer than any write of CDMS can take to show up.
pub(crate) const LATER: Duration = Duration::from_secs(331);

pub(crate) async fn pull(scene: &Scene) -> PullReport {
    scene.hub.pull::<Organisation>().await.unwrap()
}

pub(crate) fn rename(scene: &Scene, id: impl Into<Uuid>, name: &str) {
    scene.kit.simulator.edit("Account", id.into(), [("Name", Value::text(name))]);
}

/// A change that CDMS commits now and has dated this long ago.
pub(crate) fn rename_late(scene: &Scene, id: impl Into<Uuid>, name: &str, ago: Duration) {
    let then = now(scene).plus_ms(-i64::try_from(ago.as_millis()).unwrap());
    let values = [("Name", Value::text(name)), ("ModifiedOn", Value::Instant(then))];
    scene.kit.simulator.overwrite("Account", id.into(), values);
}

/// Asserts that the hub has every record as CDMS has it, by its own rows alone.
pub(crate) async fn is_exact(scene: &Scene, ids: &[Id<Organisation>], what: &str) {
    for id in ids {
        let org = Organisation::get(&scene.hub, *id).freshness(Freshness::LocalOnly).await;
        let org = org.unwrap_or_else(|error| panic!("{what}: {error}"));
        let record = scene.kit.simulator.record("Account", id.guid()).unwrap();
        assert_eq!(Some(&Value::text(org.name.as_str())), record.get("Name"), "{what}: {id}");
    }
}

#[tokio::test]
async fn after_a_first_load_a_pull_costs_what_has_changed() {
    let (scene, ids) = crowd(129).await;
    let (report, cost) = scene.cost_of(scene.hub.pull::<Organisation>()).await;
    let report = report.unwrap();
    assert_eq!((report.complete, report.changes_only, report.records), (true, false, 130));
    assert_eq!(cost.requests, 1 + 3, "the newest change of all, and three pages");

    scene.kit.advance(LATER);
    rename(&scene, ids[3], "Fourth");
    rename(&scene, ids[90], "Ninety-first");
    scene.kit.advance(LATER);
    let (report, cost) = scene.cost_of(scene.hub.pull::<Organisation>()).await;
    let report = report.unwrap();
    // All 130 were made when the first load began: it vouches for what was before that.
    assert_eq!((report.complete, report.changes_only, report.resumed), (true, true, false));
    assert_eq!((report.refreshed, report.in_sync, report.records, cost.requests), (2, 128, 130, 3));
    is_exact(&scene, &ids, "after changes").await;

    let before = scene.rows();
    for _ in 0..2 {
        scene.kit.advance(LATER);
        let (report, cost) = scene.cost_of(scene.hub.pull::<Organisation>()).await;
        let report = report.unwrap();
        assert_eq!((report.complete, report.changes_only, report.pages, report.records), (true, true, 1, 0));
        assert_eq!((cost.requests, cost.transactions), (1, 1));
    }
    assert_eq!(scene.rows(), before);

    scene.kit.advance(LATER);
    rename(&scene, ids[5], "Sixth");
    let (report, cost) = scene.cost_of(scene.hub.pull::<Organisation>()).await;
    assert_eq!((report.unwrap().refreshed, cost.requests), (1, 1));
    assert_eq!(history_of(&scene.hub, ids[5]).await, [EntryKind::FirstSeen, EntryKind::Refreshed]);
}

#[tokio::test]
async fn a_change_that_is_committed_later_than_it_is_dated_is_found() {
    let (scene, ids) = crowd(3).await;
    scene.kit.advance(LATER);
    pull(&scene).await;
    pull(&scene).await;
    // As long as CDMS executes a request.
    scene.kit.advance(Duration::from_secs(299));
    rename_late(&scene, ids[1], "Late", Duration::from_secs(299));
    let report = pull(&scene).await;
    assert_eq!((report.changes_only, report.refreshed), (true, 1));
    rename_late(&scene, ids[2], "Later", Duration::from_secs(298));
    assert_eq!(pull(&scene).await.refreshed, 1, "the watermark has moved on in the meantime");
    is_exact(&scene, &ids, "late").await;
}

#[tokio::test]
async fn clocks_that_differ_widen_what_is_read_again() {
    let kit = datahub_runtime::testing::Kit::new(example_domain::METADATA);
    let hub = kit.hub(example_domain::models()).clock_skew(Duration::from_secs(60));
    let scene = Scene::with_kit(kit, hub).await;
    scene.kit.advance(LATER);
    pull(&scene).await;
    pull(&scene).await;
    rename_late(&scene, scene.account, "Late", Duration::from_secs(385));
    assert_eq!(pull(&scene).await.refreshed, 1);
}

#[tokio::test]
async fn records_of_one_second_on_both_sides_of_a_boundary_are_all_read() {
    let (scene, ids) = crowd(189).await;
    pull(&scene).await;
    scene.kit.advance(LATER);
    pull(&scene).await;
    scene.kit.advance(LATER);
    // More than a page in one second, then fewer, then more than two pages.
    for (range, name) in [(0..80, "First"), (80..90, "Second"), (90..190, "Third")] {
        ids[range].iter().for_each(|id| rename(&scene, *id, name));
        scene.kit.advance(Duration::from_secs(1));
    }
    let report = pull(&scene).await;
    assert_eq!((report.refreshed, report.in_sync, report.records), (190, 0, 190), "each is counted once");
    is_exact(&scene, &ids, "ties").await;

    // And where each page is a pull of its own, in another program.
    ids.iter().for_each(|id| rename(&scene, *id, "Again"));
    scene.kit.advance(LATER);
    for page in 0.. {
        let hub = scene.another_program().await;
        let report = hub.pull::<Organisation>().max_pages(1).await.unwrap();
        assert_eq!((report.pages, report.changes_only, report.resumed), (1, true, page > 0));
        if report.complete {
            break;
        }
    }
    is_exact(&scene, &ids, "ties of resumed pulls").await;
}

#[tokio::test]
async fn records_that_change_while_pages_are_read_are_not_lost() {
    let (scene, ids) = crowd(199).await;
    pull(&scene).await;
    scene.kit.advance(LATER);
    for (position, id) in ids.iter().enumerate() {
        rename(&scene, *id, "Changed");
        if position % 20 == 0 {
            scene.kit.advance(LATER);
        }
    }
    for round in 0.. {
        let report = scene.hub.pull::<Organisation>().max_pages(1).await.unwrap();
        if report.complete {
            break;
        }
        // They move from the pages that were read to the end of the list, and all others move up.
        for id in ids.iter().skip(round).step_by(17).take(if round < 8 { 12 } else { 0 }) {
            rename(&scene, *id, &format!("Changed in round {round}"));
        }
        scene.kit.advance(LATER);
    }
    is_exact(&scene, &ids, "moved").await;
}

#[tokio::test]
async fn a_first_load_vouches_for_nothing_that_changed_behind_its_back() {
    let (scene, ids) = crowd(119).await;
    scene.kit.advance(LATER);
    assert!(!scene.hub.pull::<Organisation>().max_pages(1).await.unwrap().complete);
    scene.kit.advance(LATER);
    rename(&scene, ids[2], "Behind its back");
    scene.kit.advance(LATER + LATER);
    rename(&scene, ids[117], "Before its eyes");
    let rest = pull(&scene).await;
    assert!(rest.complete && rest.resumed && !rest.changes_only);
    let report = pull(&scene).await;
    assert_eq!((report.changes_only, report.refreshed), (true, 1));
    is_exact(&scene, &ids, "behind its back").await;
}

#[tokio::test]
async fn a_load_can_be_made_again_while_changes_are_still_read() {
    let (scene, ids) = crowd(59).await;
    pull(&scene).await;
    scene.kit.advance(LATER);
    rename(&scene, ids[0], "Changed");
    let part = scene.hub.pull::<Organisation>().restart().max_pages(1).await.unwrap();
    assert_eq!((part.complete, part.changes_only, part.resumed), (false, false, false));
    let rest = pull(&scene).await;
    assert_eq!((rest.complete, rest.changes_only, rest.resumed, rest.records), (true, false, true, 10));
    assert!(pull(&scene).await.changes_only);
    is_exact(&scene, &ids, "restarted").await;
}

#[tokio::test]
async fn pulls_of_changes_at_the_same_time_do_not_fail() {
    let (scene, ids) = crowd(9).await;
    pull(&scene).await;
    scene.kit.advance(LATER);
    rename(&scene, ids[3], "Fourth");
    let page = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let first = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
    page.arrived(1).await;
    let second = scene.another_program().await.pull::<Organisation>().await.unwrap();
    assert_eq!((second.complete, second.refreshed), (true, 1));
    page.open();
    let first = first.await.unwrap().unwrap();
    assert_eq!((first.complete, first.refreshed, first.pages), (true, 0, 1), "it has looked again");
    is_exact(&scene, &ids, "both").await;
}

#[tokio::test]
async fn without_cdms_time_nothing_is_lost_either() {
    let (scene, ids) = crowd(69).await;
    let undated = Meddler::before(&scene.kit.simulator.root(), |_| Deed::Undated);
    let hub = scene.program(|hub| hub.cdms(undated.root(), Anonymous)).await;
    for round in 0..4 {
        let report = hub.pull::<Organisation>().await.unwrap();
        assert_eq!((report.complete, report.changes_only), (true, round > 0));
        is_exact(&scene, &ids, "undated").await;
        scene.kit.advance(LATER);
        rename_late(&scene, ids[round], "Late", Duration::from_secs(299));
    }
}

#[tokio::test]
async fn a_list_in_another_order_is_refused() {
    let (scene, _) = crowd(9).await;
    pull(&scene).await;
    scene.minute();
    rename(&scene, scene.account, NEW_NAME);
    let reversed = Meddler::before(&scene.kit.simulator.root(), |request| {
        if request.contains("orderby") { Deed::Body(reversed) } else { Deed::Pass }
    });
    let hub = scene.program(|hub| hub.cdms(reversed.root(), Anonymous)).await;
    let error = failed(hub.pull::<Organisation>().await, ErrorKind::Misconfigured);
    says(&error, &["AccountSet", "not in the order"]);
    assert_eq!(pull(&scene).await.refreshed, 1, "nothing of it counts as read");
}

/// The records of a list, the last one first.
fn reversed(body: Vec<u8>) -> Vec<u8> {
    let mut list: serde_json::Value = serde_json::from_slice(&body).unwrap();
    if let Some(records) = list["d"]["results"].as_array_mut() {
        records.reverse();
    }
    serde_json::to_vec(&list).unwrap()
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

/// The same, by a newer version of the program.
mod newer {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "uk_organisations", only = "optevia_ukorganisation eq true")]
    pub(super) struct UkOrganisation {
        #[cdms(key)]
        pub(super) id: Id<UkOrganisation>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("optevia_Alias")]
        pub(super) alias: Option<String>,
    }
}

fn set_uk(scene: &Scene, id: Id<Organisation>, is: bool) {
    scene.kit.simulator.edit("Account", id.guid(), [("optevia_ukorganisation", Value::Boolean(is))]);
}

#[tokio::test]
async fn a_record_that_leaves_the_model_is_seen_by_a_pull_of_changes() {
    let (scene, ids) = crowd(9).await;
    ids[..4].iter().for_each(|id| set_uk(&scene, *id, true));
    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    let report = hub.pull::<UkOrganisation>().await.unwrap();
    assert_eq!((report.records, report.first_seen), (4, 4), "the others are not even listed");
    scene.kit.advance(LATER);
    set_uk(&scene, ids[1], false);
    set_uk(&scene, ids[7], true);
    rename(&scene, ids[8], "Still foreign");
    scene.kit.advance(LATER);
    let report = hub.pull::<UkOrganisation>().await.unwrap();
    assert_eq!((report.changes_only, report.first_seen, report.in_sync), (true, 1, 3));
    assert_eq!(scene.dump("uk_organisations").len(), 4);
    let left = history_of::<UkOrganisation>(&hub, ids[1].guid().into()).await;
    assert_eq!(left.last(), Some(&EntryKind::LeftModel));
}

#[tokio::test]
async fn a_load_that_is_restarted_hides_nothing_that_has_left_the_model() {
    let (scene, ids) = crowd(9).await;
    ids[..4].iter().for_each(|id| set_uk(&scene, *id, true));
    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    assert_eq!(hub.pull::<UkOrganisation>().await.unwrap().first_seen, 4);
    scene.kit.advance(LATER);
    set_uk(&scene, ids[1], false);
    scene.kit.advance(LATER * 2);
    rename(&scene, ids[0], "Renamed");
    let loaded = hub.pull::<UkOrganisation>().restart().await.unwrap();
    assert_eq!((loaded.complete, loaded.records), (true, 3), "the load does not list it");
    scene.kit.advance(LATER * 2);
    assert!(hub.pull::<UkOrganisation>().await.unwrap().changes_only);
    assert_eq!(scene.dump("uk_organisations").len(), 3);
    assert_eq!(history_of::<UkOrganisation>(&hub, ids[1].guid().into()).await.last(), Some(&EntryKind::LeftModel));
}

#[tokio::test]
async fn versions_of_a_program_do_not_move_each_others_watermarks() {
    let (scene, ids) = crowd(9).await;
    ids.iter().for_each(|id| set_uk(&scene, *id, true));
    let connect = |models| scene.kit.hub(models).connect();
    let newer = connect(models![newer::UkOrganisation]).await.unwrap();
    let older = connect(models![UkOrganisation]).await.unwrap();
    assert_eq!(older.pull::<UkOrganisation>().await.unwrap().first_seen, 10);
    scene.kit.advance(LATER);
    let alias = [("optevia_Alias", Value::text("Tenth"))];
    scene.kit.simulator.edit("Account", ids[9].guid(), alias);
    assert!(older.pull::<UkOrganisation>().await.unwrap().changes_only);
    scene.kit.advance(LATER);
    assert!(older.pull::<UkOrganisation>().await.unwrap().changes_only);
    let first = newer.pull::<newer::UkOrganisation>().await.unwrap();
    assert_eq!((first.changes_only, first.complete, first.records), (false, true, 10), "it has read no aliases yet");
    let org = newer::UkOrganisation::get(&newer, ids[9].guid().into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!((org.alias.as_deref(), org.incomplete().count()), (Some("Tenth"), 0));
    scene.kit.advance(LATER);
    for _ in 0..2 {
        assert_eq!(older.pull::<UkOrganisation>().await.unwrap().records, 0);
    }
    let second = newer.pull::<newer::UkOrganisation>().await.unwrap();
    assert_eq!((second.changes_only, second.complete), (true, true));
    assert_eq!(newer.pull::<newer::UkOrganisation>().await.unwrap().records, 0);
}

#[tokio::test]
async fn many_changes_in_one_minute_are_read_until_they_cannot_change_behind_us() {
    const MANY: usize = 10_000;
    // Pages of CRM 2011, but for the number of requests that the test can spare.
    let kit = datahub_runtime::testing::Kit::with(example_domain::METADATA, |cdms| cdms.page_size(1_000));
    let hub = kit.hub(models![UkOrganisation]).connect().await.unwrap();
    for number in 0..MANY {
        let name = Value::text(format!("Firm {number}"));
        kit.simulator.seed("Account", [("Name", name), ("optevia_ukorganisation", Value::Boolean(true))]);
        if number % 200 == 0 {
            kit.advance(Duration::from_secs(1));
        }
    }
    let cost_of_pull = async || {
        let before = hub.cost();
        let report = hub.pull::<UkOrganisation>().await.unwrap();
        assert!(report.complete);
        (report.records, (hub.cost() - before).requests)
    };
    // The first contact is one of them.
    assert_eq!(cost_of_pull().await, (10_000, 1 + 1 + 10));
    let (records, requests) = cost_of_pull().await;
    assert_eq!(records, 10_000, "any of them may still be followed by a change of its second");
    assert!((10..=20).contains(&requests), "{requests}");
    kit.advance(LATER);
    assert_eq!(cost_of_pull().await.0, 10_000, "the last pull began before their time was over");
    assert_eq!(cost_of_pull().await, (0, 1));
    kit.advance(LATER);
    assert_eq!(cost_of_pull().await, (0, 1));
}
