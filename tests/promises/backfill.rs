//! New fields have values: from what the hub keeps, and for the rest from CDMS, whatever else happens meanwhile.

use std::future::IntoFuture;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{BackfillReport, EntryKind, Value};
use uuid::Uuid;

use crate::scene::{NEW_NAME, Scene, failed, found, history_of};

/// Firms as an older program has them, and two newer ones: one with a field more, and one with the same attributes in other
/// fields.
pub(crate) mod firms {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(crate) struct Old {
        #[cdms(key)]
        pub(crate) id: Id<Self>,
        #[cdms("Name")]
        pub(crate) name: String,
        #[cdms("IndustryCode")]
        pub(crate) industry: Option<i32>,
        #[cdms(local, sql_type = "string")]
        pub(crate) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(crate) struct Wider {
        #[cdms(key)]
        pub(crate) id: Id<Self>,
        #[cdms("Name")]
        pub(crate) name: String,
        #[cdms("IndustryCode")]
        pub(crate) industry: Option<i32>,
        #[cdms("WebSiteURL")]
        pub(crate) website: Option<String>,
        #[cdms("optevia_ukorganisation", default = false)]
        pub(crate) uk: bool,
        #[cdms(local, sql_type = "string")]
        pub(crate) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(crate) struct Retyped {
        #[cdms(key)]
        pub(crate) id: Id<Self>,
        #[cdms("Name")]
        pub(crate) name: String,
        #[cdms("IndustryCode")]
        pub(crate) industry: Option<Industry>,
        #[cdms("Name", read_only, column = "label")]
        pub(crate) label: String,
        #[cdms(local, sql_type = "string")]
        pub(crate) notes: Option<String>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
    #[cdms(mapping = "account.toml", attribute = "IndustryCode")]
    pub(crate) enum Industry {
        Accounting,
        Agriculture,
        Broadcasting,
        Brokers,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", only = "IndustryCode/Value eq 2", diesel(table = false))]
    pub(crate) struct Farm {
        #[cdms(key)]
        pub(crate) id: Id<Self>,
        #[cdms("Name")]
        pub(crate) name: String,
        #[cdms(local, sql_type = "string")]
        pub(crate) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", mode = "detached", diesel(table = false))]
    pub(crate) struct Detached {
        #[cdms(key)]
        pub(crate) id: Id<Self>,
        #[cdms("Name")]
        pub(crate) name: String,
        #[cdms("WebSiteURL")]
        pub(crate) website: Option<String>,
        #[cdms(local, sql_type = "string")]
        pub(crate) notes: Option<String>,
    }
}

pub(crate) use firms::{Farm, Industry, Old, Retyped, Wider};

const WIDENED: [&str; 2] =
    ["ALTER TABLE firms ADD COLUMN website TEXT", "ALTER TABLE firms ADD COLUMN uk BOOLEAN NOT NULL DEFAULT FALSE"];

/// A scene in which the older program has pulled this number of firms besides Acme, all of industry 2 with a website.
pub(crate) async fn old_firms(more: usize) -> (Scene, Hub, Vec<Uuid>) {
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
pub(crate) async fn widened(scene: &Scene) -> Hub {
    WIDENED.iter().for_each(|statement| scene.sql(statement));
    wider(scene, "wider").await
}

pub(crate) async fn wider(scene: &Scene, program: &str) -> Hub {
    let hub = scene.kit.hub(models![Wider]).program(program).connect().await.unwrap();
    // First contact is not part of what operations cost.
    failed(Wider::get(&hub, Id::new()).await, ErrorKind::NotFound);
    hub
}

pub(crate) async fn retyped(scene: &Scene) -> Hub {
    scene.sql("ALTER TABLE firms ADD COLUMN label TEXT NOT NULL DEFAULT ''");
    let hub = scene.kit.hub(models![Retyped]).program("retyped").connect().await.unwrap();
    failed(Retyped::get(&hub, Id::new()).await, ErrorKind::NotFound);
    hub
}

pub(crate) async fn local<T: CdmsSynced>(hub: &Hub, id: Uuid) -> Synced<T> {
    T::get(hub, id.into()).freshness(Freshness::LocalOnly).await.unwrap()
}

/// The rows of the firms' table that have this.
pub(crate) fn rows_with(scene: &Scene, part: &str) -> usize {
    scene.dump("firms").iter().filter(|row| row.contains(part)).count()
}

pub(crate) fn websites(scene: &Scene) -> usize {
    rows_with(scene, "website='https://")
}

fn lists(scene: &Scene) -> Vec<String> {
    let requests = scene.requests("GET").into_iter().map(|request| request.target);
    requests.filter(|target| target.contains("AccountSet?")).collect()
}

pub(crate) async fn left(hub: &Hub) -> u64 {
    hub.completeness::<Wider>().await.unwrap().incomplete
}

pub(crate) async fn backfill(hub: &Hub) -> BackfillReport {
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
pub(crate) async fn scene_cost<F: IntoFuture>(hub: &Hub, operation: F) -> (F::Output, u64) {
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
