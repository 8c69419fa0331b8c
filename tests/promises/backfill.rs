//! New fields have values: from what the hub keeps, and for the rest from CDMS, whatever else happens meanwhile.

use std::future::IntoFuture;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{BackfillReport, EntryKind, PullReport, Value};
use uuid::Uuid;

use crate::scene::{NEW_NAME, Scene, failed, found, history_of, says};

/// Firms as an older program has them, and two newer ones: one with a field more, and one with the same attributes in other
/// fields.
mod firms {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Old {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("IndustryCode")]
        pub(super) industry: Option<i32>,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Wider {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("IndustryCode")]
        pub(super) industry: Option<i32>,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
        #[cdms("optevia_ukorganisation", default = false)]
        pub(super) uk: bool,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Retyped {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("IndustryCode")]
        pub(super) industry: Option<Industry>,
        #[cdms("Name", read_only, column = "label")]
        pub(super) label: String,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
    #[cdms(mapping = "account.toml", attribute = "IndustryCode")]
    pub(super) enum Industry {
        Accounting,
        Agriculture,
        Broadcasting,
        Brokers,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", only = "IndustryCode/Value eq 2", diesel(table = false))]
    pub(super) struct Farm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", mode = "detached", diesel(table = false))]
    pub(super) struct Detached {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }
}

use firms::{Farm, Industry, Old, Retyped, Wider};

const WIDENED: [&str; 2] =
    ["ALTER TABLE firms ADD COLUMN website TEXT", "ALTER TABLE firms ADD COLUMN uk BOOLEAN NOT NULL DEFAULT FALSE"];

/// A scene in which the older program has pulled this number of firms besides Acme, all of industry 2 with a website.
async fn old_firms(more: usize) -> (Scene, Hub, Vec<Uuid>) {
    let scene = Scene::new().await;
    let known = |name: &str| {
        [
            ("Name", Value::text(name)),
            ("IndustryCode", Value::Choice(2)),
            ("WebSiteURL", Value::text(format!("https://{name}.example"))),
            ("optevia_ukorganisation", Value::Boolean(true)),
        ]
    };
    scene.kit.simulator.edit("Account", scene.account, known("acme"));
    let mut ids = vec![scene.account];
    ids.extend((0..more).map(|number| scene.kit.simulator.seed("Account", known(&format!("firm-{number}")))));
    ids.sort_unstable();
    let hub = scene.kit.hub(models![Old]).program("old").connect().await.unwrap();
    assert!(hub.pull::<Old>().await.unwrap().complete);
    scene.minute();
    (scene, hub, ids)
}

/// The newer program with more attributes, on a table that has the columns.
async fn widened(scene: &Scene) -> Hub {
    WIDENED.iter().for_each(|statement| scene.sql(statement));
    wider(scene, "wider").await
}

async fn wider(scene: &Scene, program: &str) -> Hub {
    let hub = scene.kit.hub(models![Wider]).program(program).connect().await.unwrap();
    // First contact is not part of what operations cost.
    failed(Wider::get(&hub, Id::new()).await, ErrorKind::NotFound);
    hub
}

async fn retyped(scene: &Scene) -> Hub {
    scene.sql("ALTER TABLE firms ADD COLUMN label TEXT NOT NULL DEFAULT ''");
    let hub = scene.kit.hub(models![Retyped]).program("retyped").connect().await.unwrap();
    failed(Retyped::get(&hub, Id::new()).await, ErrorKind::NotFound);
    hub
}

async fn local<T: CdmsSynced>(hub: &Hub, id: Uuid) -> Synced<T> {
    T::get(hub, id.into()).freshness(Freshness::LocalOnly).await.unwrap()
}

/// The rows of the firms' table that have this.
fn rows_with(scene: &Scene, part: &str) -> usize {
    scene.dump("firms").iter().filter(|row| row.contains(part)).count()
}

fn websites(scene: &Scene) -> usize {
    rows_with(scene, "website='https://")
}

fn lists(scene: &Scene) -> Vec<String> {
    let requests = scene.requests("GET").into_iter().map(|request| request.target);
    requests.filter(|target| target.contains("AccountSet?")).collect()
}

async fn left(hub: &Hub) -> u64 {
    hub.completeness::<Wider>().await.unwrap().incomplete
}

async fn backfill(hub: &Hub) -> BackfillReport {
    hub.backfill::<Wider>().await.unwrap()
}

#[tokio::test]
async fn rows_of_which_everything_is_known_are_completed_in_batches_without_a_request() {
    let mut costs = Vec::new();
    for more in [29, 149, 299] {
        let (scene, old, ids) = old_firms(more).await;
        let mut firm = local::<Old>(&old, ids[1]).await;
        firm.notes = Some("call them".into());
        firm.save(&old).await.unwrap();
        let hub = retyped(&scene).await;
        let all = u64::try_from(ids.len()).unwrap();
        let before = hub.completeness::<Retyped>().await.unwrap();
        assert_eq!((before.rows, before.incomplete, before.is_complete()), (all, all, false));
        let before = hub.cost();
        let report = hub.backfill::<Retyped>().await.unwrap();
        let cost = hub.cost() - before;
        assert!(report.complete && !report.resumed, "{report:?}");
        assert_eq!((report.from_seen, report.read, report.left, report.pages, cost.requests), (all, 0, 0, 0, 0));
        costs.push((cost.transactions, cost.statements));
        assert_eq!(rows_with(&scene, "label='firm-"), more);
        for id in [ids[0], ids[more]] {
            let firm = local::<Retyped>(&hub, id).await;
            assert_eq!((&firm.label, firm.industry), (&firm.name, Some(Industry::Agriculture)));
            assert_eq!(firm.incomplete().count(), 0);
        }
        // Nothing else changed: not the hub's own fields, not the history, and CDMS has nothing new.
        assert_eq!(local::<Retyped>(&hub, ids[1]).await.notes.as_deref(), Some("call them"));
        assert_eq!(history_of::<Retyped>(&hub, ids[0].into()).await, [EntryKind::FirstSeen]);
        assert_eq!(found(&Retyped::get(&hub, ids[0].into()).await.unwrap()), datahub_runtime::Finding::InSync);
        let again = hub.backfill::<Retyped>().await.unwrap();
        assert_eq!((again.complete, again.from_seen), (true, 0));
    }
    // A batch is 200 rows: one of 30 rows, one of 150, and one of 200 with one of 100. The last look and the count are
    // each one statement.
    let (one, three, both) = (costs[0], costs[1], costs[2]);
    assert_eq!((one.0, three.0, both.0), (1, 1, 2), "one transaction for each batch");
    let by_fifty = (three.1 - one.1) / 2;
    assert_eq!(three.1, one.1 + 2 * by_fifty, "the same number of statements for every fifty rows");
    assert_eq!(both.1 - three.1, one.1 - 2 + 2 * by_fifty, "{costs:?}");
}

#[tokio::test]
async fn attributes_that_were_never_read_are_read_alone_page_by_page() {
    let (scene, _, ids) = old_firms(119).await;
    let hub = widened(&scene).await;
    assert_eq!(local::<Wider>(&hub, ids[0]).await.incomplete().collect::<Vec<_>>(), ["website", "uk"]);
    assert_eq!(left(&hub).await, 120);
    let listed = lists(&scene).len();
    let (report, cost) = scene_cost(&hub, hub.backfill::<Wider>()).await;
    let report = report.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!((report.from_seen, report.read, report.pages, report.singly, cost), (0, 120, 3, 0, 3));
    let asked = lists(&scene).split_off(listed);
    assert_eq!(asked.len(), 3);
    let select = "$select=AccountId,ModifiedOn,WebSiteURL,optevia_ukorganisation";
    assert!(asked.iter().all(|target| target.replace("%2C", ",").contains(select)), "{asked:?}");
    assert_eq!(websites(&scene), 120);
    let firm = local::<Wider>(&hub, ids[0]).await;
    assert_eq!((firm.uk, firm.incomplete().count()), (true, 0));
    assert_eq!(history_of::<Wider>(&hub, ids[0].into()).await, [EntryKind::FirstSeen], "nothing changed in CDMS");
    let (again, cost) = scene_cost(&hub, hub.backfill::<Wider>()).await;
    assert_eq!((again.unwrap().complete, cost), (true, 0));
}

/// The result of an operation, and its requests.
async fn scene_cost<F: IntoFuture>(hub: &Hub, operation: F) -> (F::Output, u64) {
    let before = hub.cost();
    let output = operation.await;
    (output, (hub.cost() - before).requests)
}

#[tokio::test]
async fn few_rows_among_many_are_read_on_their_own() {
    let (scene, old, ids) = old_firms(119).await;
    let hub = widened(&scene).await;
    backfill(&hub).await;
    scene.minute();
    scene.kit.simulator.edit("Account", ids[3], [("WebSiteURL", Value::text("https://new.example"))]);
    Old::get(&old, ids[3].into()).await.unwrap();
    assert_eq!(left(&hub).await, 1, "the older program has not read the website of the newer record");
    let (report, cost) = scene_cost(&hub, hub.backfill::<Wider>()).await;
    let report = report.unwrap();
    assert_eq!((report.complete, report.read, report.singly, report.pages, cost), (true, 1, 1, 0, 1), "{report:?}");
    assert_eq!(local::<Wider>(&hub, ids[3]).await.website.as_deref(), Some("https://new.example"));
}

#[tokio::test]
async fn what_is_older_than_the_row_completes_nothing() {
    let (scene, old, ids) = old_firms(1).await;
    let hub = widened(&scene).await;
    assert_eq!(backfill(&hub).await.read, 2);
    scene.minute();
    let changes = [("Name", Value::text(NEW_NAME)), ("WebSiteURL", Value::text("https://new.example"))];
    scene.kit.simulator.edit("Account", ids[0], changes);
    // The older program refreshes the name. The website that is kept with the row is of the time before.
    Old::get(&old, ids[0].into()).await.unwrap();
    let (report, cost) = scene_cost(&hub, hub.backfill::<Wider>().from_seen_only()).await;
    let report = report.unwrap();
    assert_eq!((report.complete, report.from_seen, report.left, cost), (false, 0, 1, 0), "{report:?}");
    let report = backfill(&hub).await;
    assert_eq!((report.complete, report.read), (true, 1), "{report:?}");
    let firm = local::<Wider>(&hub, ids[0]).await;
    assert_eq!((firm.name.as_str(), firm.website.as_deref()), (NEW_NAME, Some("https://new.example")));
    assert_eq!(rows_with(&scene, "website='https://new.example'"), 1);
    // The history tells of the website as well.
    let history = Wider::history(&hub, ids[0].into()).await.unwrap();
    let told = |entry: &datahub_runtime::HistoryEntry| entry.changes.iter().any(|change| change.field == "website");
    assert!(history.iter().any(told), "{history:?}");
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
    assert_eq!(found(&Old::get(&old, ids[0].into()).await.unwrap()), datahub_runtime::Finding::InSync);
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
        assert_eq!(found(&Wider::get(&hub, ids[id].into()).await.unwrap()), datahub_runtime::Finding::InSync, "{id}");
    }
}

#[tokio::test]
async fn what_does_not_fit_waits_in_quarantine_and_what_is_under_way_is_left_to_its_write() {
    let (scene, old, ids) = old_firms(3).await;
    scene.sql("CREATE TABLE taken (website TEXT PRIMARY KEY)");
    let hub = widened(&scene).await;
    scene.sql("CREATE UNIQUE INDEX one_website ON firms (website)");
    let twin = scene.kit.simulator.record("Account", ids[0]).unwrap().get("WebSiteURL").cloned().unwrap();
    let modified = scene.kit.simulator.record("Account", ids[1]).unwrap().get("ModifiedOn").cloned().unwrap();
    scene.kit.simulator.overwrite("Account", ids[1], [("WebSiteURL", twin), ("ModifiedOn", modified)]);
    let mut firm = Old::get(&old, ids[2].into()).await.unwrap();
    firm.name = NEW_NAME.into();
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(firm.save(&old).await, ErrorKind::Unsettled);
    let report = backfill(&hub).await;
    assert_eq!((report.read, report.quarantined, report.pending, report.left), (2, 1, 1, 2), "{report:?}");
    assert!(!report.complete);
    let waiting = scene.quarantine().await;
    assert_eq!((waiting.len(), waiting[0].id), (1, ids[1]));
    assert!(waiting[0].reason.contains("unique"), "{}", waiting[0].reason);
    assert_eq!(local::<Wider>(&hub, ids[1]).await.incomplete().count(), 2, "its row stays as it was");
    // It is not tried over and over: the next one leaves it to the retry of the quarantine.
    let again = backfill(&hub).await;
    assert_eq!((again.quarantined, again.pending, again.read), (1, 1, 0), "{again:?}");
    scene.kit.simulator.edit("Account", ids[1], [("WebSiteURL", Value::text("https://own.example"))]);
    assert_eq!(hub.retry_quarantined(10).await.unwrap().left.len(), 1);
    scene.kit.advance(crate::scene::PAST_QUIET);
    assert_eq!(hub.settle().await.unwrap().settled.len(), 1);
    assert!(backfill(&hub).await.complete);
}

#[tokio::test]
async fn a_value_that_does_not_fit_the_new_field_is_found_without_a_request() {
    let (scene, _, ids) = old_firms(3).await;
    let modified = scene.kit.simulator.record("Account", ids[1]).unwrap().get("ModifiedOn").cloned().unwrap();
    scene.kit.simulator.overwrite("Account", ids[1], [("IndustryCode", Value::Choice(77)), ("ModifiedOn", modified)]);
    let old = scene.kit.hub(models![Old]).connect().await.unwrap();
    Old::get(&old, ids[1].into()).await.unwrap();
    let hub = retyped(&scene).await;
    let (report, cost) = scene_cost(&hub, hub.backfill::<Retyped>()).await;
    let report = report.unwrap();
    assert_eq!((report.from_seen, report.quarantined, report.left, cost), (3, 1, 1, 0), "{report:?}");
    assert!(scene.quarantine().await[0].reason.contains("IndustryCode"));
    let again = hub.backfill::<Retyped>().await.unwrap();
    assert_eq!((again.quarantined, again.left), (1, 1));
}

#[tokio::test]
async fn a_record_that_waits_in_quarantine_stays_there_when_its_row_is_completed() {
    let (scene, old, ids) = old_firms(1).await;
    scene.kit.simulator.edit("Account", ids[0], [("Name", Value::Null)]);
    failed(Old::get(&old, ids[0].into()).await, ErrorKind::Quarantined);
    let hub = retyped(&scene).await;
    let report = hub.backfill::<Retyped>().await.unwrap();
    assert_eq!((report.complete, report.from_seen), (true, 2), "{report:?}");
    assert_eq!(scene.quarantine().await.len(), 1, "CDMS's record does not fit any more than before");
}

#[tokio::test]
async fn rows_that_do_not_satisfy_a_new_condition_leave_the_table_and_are_kept() {
    let (scene, old, ids) = old_firms(3).await;
    scene.kit.simulator.edit("Account", ids[0], [("IndustryCode", Value::Choice(1))]);
    Old::get(&old, ids[0].into()).await.unwrap();
    let hub = scene.kit.hub(models![Farm]).program("farms").connect().await.unwrap();
    let (report, cost) = scene_cost(&hub, hub.backfill::<Farm>()).await;
    let report = report.unwrap();
    assert_eq!((report.complete, report.from_seen, report.not_of_model, cost), (true, 3, 1, 0), "{report:?}");
    assert_eq!(scene.dump("firms").len(), 3);
    failed(Farm::get(&hub, ids[0].into()).freshness(Freshness::LocalOnly).await, ErrorKind::Gone);
    let kinds = history_of::<Farm>(&hub, ids[0].into()).await;
    assert_eq!(kinds.last(), Some(&EntryKind::LeftModel));
}

#[tokio::test]
async fn what_the_list_does_not_show_is_read_on_its_own() {
    let (scene, _, ids) = old_firms(3).await;
    let hub = widened(&scene).await;
    scene.kit.simulator.remove("Account", ids[2]);
    let report = backfill(&hub).await;
    assert_eq!((report.complete, report.read, report.singly, report.not_of_model), (true, 3, 1, 1), "{report:?}");
    failed(Wider::get(&hub, ids[2].into()).freshness(Freshness::LocalOnly).await, ErrorKind::Gone);
}

#[tokio::test]
async fn a_detached_model_completes_itself_without_cdms() {
    let (scene, _, ids) = old_firms(3).await;
    scene.sql(WIDENED[0]);
    scene.kit.simulator.go_away();
    let hub = scene.kit.hub(models![firms::Detached]).program("detached").connect().await.unwrap();
    let report = hub.backfill::<firms::Detached>().await.unwrap();
    assert_eq!((report.complete, report.from_seen), (true, 4), "{report:?}");
    let firm = local::<firms::Detached>(&hub, ids[0]).await;
    assert_eq!((firm.website.as_deref(), firm.incomplete().count()), (None, 0), "what was never read has no value");
}

async fn pulled<T: CdmsSynced>(hub: &Hub, pages: u64) -> PullReport {
    hub.pull::<T>().max_pages(pages).await.unwrap()
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
