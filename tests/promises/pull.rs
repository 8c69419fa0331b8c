//! The first load of a whole model: every record, each page whole, gone on with where it stopped.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Origin, PullReport, Value};
use example_domain::Organisation;

use crate::meddler::{Deed, Meddler};
use crate::scene::{NEW_NAME, Scene, Write, failed, found, history_of, now, says};

/// The scene with its organisation and so many more.
pub(crate) async fn crowd(more: usize) -> (Scene, Vec<Id<Organisation>>) {
    let scene = Scene::new().await;
    let mut ids = vec![scene.id()];
    for number in 0..more {
        let name = Value::text(format!("Firm {number}"));
        ids.push(scene.kit.simulator.seed("Account", [("Name", name)]).into());
    }
    ids.sort_unstable_by_key(|id| id.guid());
    (scene, ids)
}

async fn pull(scene: &Scene) -> PullReport {
    scene.hub.pull::<Organisation>().await.unwrap()
}

async fn local(scene: &Scene, id: Id<Organisation>) -> Result<Synced<Organisation>, Error> {
    Organisation::get(&scene.hub, id).freshness(Freshness::LocalOnly).await
}

/// How many rows the hub has.
fn rows(scene: &Scene) -> usize {
    scene.dump("organisations").len()
}

#[tokio::test]
async fn a_whole_model_is_loaded_page_by_page_at_a_fixed_cost() {
    let (scene, ids) = crowd(129).await;
    let (report, cost) = scene.cost_of(scene.hub.pull::<Organisation>()).await;
    let report = report.unwrap();
    assert!(report.complete && !report.resumed);
    assert_eq!((report.pages, report.records, report.first_seen), (3, 130, 130));
    // A page of 50 costs a request, and as many statements as a page of 30. The newest change of all is asked for first.
    let statements = 5 + 3 * 7;
    assert_eq!((cost.requests, cost.transactions, cost.statements), (1 + 3, 1 + 3, statements));
    for id in &ids {
        let org = local(&scene, *id).await.unwrap();
        let record = scene.kit.simulator.record("Account", id.guid()).unwrap();
        assert_eq!(record.get("Name"), Some(&Value::text(org.name.as_str())));
    }
    let history = Organisation::history(&scene.hub, ids[7]).await.unwrap();
    assert_eq!(
        history.iter().map(|entry| (entry.kind, entry.origin)).collect::<Vec<_>>(),
        [(EntryKind::FirstSeen, Origin::Pull)]
    );
    assert_eq!(found(&Organisation::get(&scene.hub, ids[50]).await.unwrap()), Finding::InSync);

    let before = scene.rows();
    let again = pull(&scene).await;
    assert_eq!((again.complete, again.resumed, again.in_sync, again.records), (true, false, 130, 130));
    assert_eq!(scene.rows(), before, "nothing had changed");
}

#[tokio::test]
async fn a_pull_refreshes_what_is_older_and_takes_nothing_missing_for_gone() {
    let (scene, ids) = crowd(3).await;
    pull(&scene).await;
    scene.person_edits("Name", Value::text(NEW_NAME));
    let missing = *ids.iter().find(|id| **id != scene.id()).unwrap();
    scene.kit.simulator.remove("Account", missing.guid());
    let report = pull(&scene).await;
    assert_eq!((report.records, report.refreshed, report.in_sync), (3, 1, 2));
    assert_eq!(scene.row().await.unwrap().name, NEW_NAME);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Refreshed]);
    assert!(local(&scene, missing).await.is_ok(), "a list proves nothing of what is not on it");
}

#[tokio::test]
async fn a_refresh_by_a_pull_leaves_the_hubs_own_fields() {
    let (scene, mut org) = Scene::read().await;
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    scene.person_edits("Name", Value::text(NEW_NAME));
    assert_eq!(pull(&scene).await.refreshed, 1);
    let org = scene.row().await.unwrap();
    assert_eq!((org.name.as_str(), org.archived_reason.as_deref()), (NEW_NAME, Some("moved")));
}

#[tokio::test]
async fn a_pull_that_stopped_is_gone_on_with_by_any_program() {
    let (scene, _) = crowd(119).await;
    let part = scene.hub.pull::<Organisation>().max_pages(1).await.unwrap();
    assert_eq!((part.complete, part.pages, rows(&scene)), (false, 1, 50));
    let list = |fault| scene.kit.simulator.fault(FaultRule::new(fault).on(Operation::List).after(1).times(1));
    list(Fault::DropBeforeCommit);
    let error = failed(scene.hub.pull::<Organisation>().await, ErrorKind::Unavailable);
    says(&error, &["resumes where it stopped"]);
    assert_eq!(rows(&scene), 100);
    let other = scene.another_program().await;
    let rest = other.pull::<Organisation>().await.unwrap();
    assert_eq!((rest.complete, rest.resumed, rest.pages, rest.records), (true, true, 1, 20));
    assert_eq!(rows(&scene), 120);
    let kept = scene.dump("datahub_pulls");
    assert!(kept.iter().any(|row| row.replace('\'', "").contains("pages=3 records=120")), "{kept:?}");
    let again = scene.hub.pull::<Organisation>().max_pages(1).await.unwrap();
    assert_eq!((again.resumed, again.complete, again.in_sync), (false, false, 50));
    let anew = scene.hub.pull::<Organisation>().restart().await.unwrap();
    assert_eq!((anew.resumed, anew.complete, anew.records), (false, true, 120));
}

#[tokio::test]
async fn a_pull_tells_how_far_it_is_after_each_page() {
    let (scene, _) = crowd(119).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let report =
        scene.hub.pull::<Organisation>().on_page(move |so_far| heard.lock().unwrap().push(so_far.records)).await;
    assert_eq!((report.unwrap().records, &*told.lock().unwrap()), (120, &vec![50, 100, 120]));
}

#[tokio::test]
async fn a_page_that_cdms_no_longer_takes_begins_the_pull_anew() {
    let (scene, _) = crowd(59).await;
    for stale in ["{root}/AccountSet?$skiptoken=nonsense", "https://elsewhere.example/AccountSet", "{root}/ContactSet"]
    {
        scene.hub.pull::<Organisation>().restart().max_pages(1).await.unwrap();
        let stale = stale.replace("{root}", &scene.kit.simulator.service_root());
        scene.sql(&format!("UPDATE datahub_pulls SET next = '{stale}'"));
        let report = pull(&scene).await;
        assert_eq!((report.complete, report.resumed, report.records), (true, false, 60), "{stale}");
    }
}

#[tokio::test]
async fn one_bad_record_goes_to_quarantine_and_does_not_stop_the_rest() {
    let (scene, ids) = crowd(59).await;
    let fault = Fault::Corrupt { attribute: "CreditLimit".into(), json: "\"much\"".into() };
    scene.kit.simulator.fault(FaultRule::new(fault).on(Operation::List).after(1).times(1));
    // The fault meets the first page, all of whose records it spoils.
    let report = pull(&scene).await;
    assert_eq!((report.quarantined, report.first_seen, report.complete), (50, 10, true));
    let waiting = scene.quarantine().await;
    assert_eq!(waiting.len(), 50);
    assert!(waiting[0].reason.contains("CreditLimit"), "{}", waiting[0].reason);
    assert_eq!(scene.hub.retry_quarantined(100).await.unwrap().left.len(), 50);
    assert_eq!(rows(&scene), ids.len());
}

#[tokio::test]
async fn a_record_that_breaks_a_rule_of_the_database_waits_alone() {
    let (scene, ids) = crowd(9).await;
    scene.sql("CREATE UNIQUE INDEX one_name ON organisations (name)");
    let [first, second] = [ids[3], ids[6]];
    scene.kit.simulator.edit("Account", first.guid(), [("Name", Value::text("Twin"))]);
    scene.kit.simulator.edit("Account", second.guid(), [("Name", Value::text("Twin"))]);
    let report = pull(&scene).await;
    assert_eq!((report.first_seen, report.quarantined, report.complete), (9, 1, true));
    let [waiting] = &scene.quarantine().await[..] else { panic!("one waits") };
    assert_eq!(waiting.id, second.guid());
    assert!(waiting.reason.contains("unique"), "{}", waiting.reason);
    scene.kit.simulator.edit("Account", second.guid(), [("Name", Value::text("Other"))]);
    let report = pull(&scene).await;
    assert_eq!((report.first_seen, report.quarantined, scene.quarantine().await.len()), (1, 0, 0));
}

#[tokio::test]
async fn what_is_stored_while_a_page_is_on_its_way_is_not_overwritten() {
    let (scene, mut org) = Scene::read().await;
    let page = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).after(1));
    let pulling = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
    page.arrived(1).await;
    // Within the second, so that the times are the same.
    org.name = NEW_NAME.into();
    org.save(&scene.hub).await.unwrap();
    page.open();
    let report = pulling.await.unwrap().unwrap();
    assert_eq!((report.read_again, report.in_sync, report.refreshed), (1, 1, 0));
    assert_eq!(scene.row().await.unwrap().name, NEW_NAME);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Updated]);
}

#[tokio::test]
async fn a_record_under_an_open_write_is_left_to_it() {
    let (scene, _) = Scene::read().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(attempt.run(&scene).await, ErrorKind::Unsettled);
    let before = scene.rows();
    let report = pull(&scene).await;
    assert_eq!((report.pending, report.refreshed), (1, 0));
    assert_eq!(scene.rows(), before);
}

#[tokio::test]
async fn a_row_that_is_newer_than_cdms_is_not_overwritten() {
    let (scene, _) = Scene::read().await;
    let then = Value::Instant(now(&scene).plus_ms(-86_400_000));
    scene.kit.simulator.overwrite("Account", scene.account, [("ModifiedOn", then), ("Name", Value::text("Old"))]);
    let report = pull(&scene).await;
    assert_eq!((report.local_newer, report.refreshed), (1, 0));
    assert_eq!(scene.row().await.unwrap().name, "Acme");
}

#[tokio::test]
async fn the_newest_pull_takes_over_and_the_other_learns_it() {
    let (scene, _) = crowd(59).await;
    let page = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let first = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
    page.arrived(1).await;
    let report = pull(&scene).await;
    assert_eq!((report.complete, report.records), (true, 60));
    page.open();
    let error = failed(first.await.unwrap(), ErrorKind::Busy);
    says(&error, &["Organisation", "taken over"]);
    assert!(pull(&scene).await.complete);
}

#[tokio::test]
async fn a_list_that_leads_elsewhere_or_in_a_circle_is_not_followed() {
    let (scene, _) = crowd(9).await;
    let list = |address: &str| {
        let fault = Fault::HostileNext(address.to_owned());
        scene.kit.simulator.fault(FaultRule::new(fault).on(Operation::List));
    };
    for elsewhere in ["https://elsewhere.example/ORG/XRMServices/2011/OrganizationData.svc/AccountSet", "{root}/../x"] {
        list(&elsewhere.replace("{root}", &scene.kit.simulator.service_root()));
        let error = failed(scene.hub.pull::<Organisation>().await, ErrorKind::Misconfigured);
        says(&error, &["AccountSet", "unusable link"]);
        scene.kit.simulator.clear_faults();
        assert_eq!(scene.dump("organisations").len(), 10, "the page that carried the link is kept");
    }
    // The first page again, with the options that were sent.
    let sent = scene.kit.simulator.requests().into_iter().rev().find(|request| request.target.contains("AccountSet?"));
    let (_, query) = sent.as_ref().and_then(|sent| sent.target.split_once('?')).unwrap();
    list(&format!("{}/AccountSet?{query}", scene.kit.simulator.service_root()));
    let error = failed(scene.hub.pull::<Organisation>().await, ErrorKind::Misconfigured);
    says(&error, &["leads back"]);
}

#[tokio::test]
async fn links_to_another_origin_are_sent_to_the_configured_one() {
    // As behind a proxy that ends TLS, or with a server that knows itself by an inner name only.
    let (scene, _) = crowd(119).await;
    let meddler = Meddler::before(&scene.kit.simulator.root(), |request| match request.contains("AccountSet?") {
        true => Deed::Body(|body| {
            let text = String::from_utf8(body).unwrap();
            let (before, link) = text.split_once("\"__next\":\"").unwrap_or((&text, ""));
            let link = link.split_once("/OrganizationData.svc/").map_or("", |(_, path)| path);
            let inner = "https://crm-inner:5555/Inner/XRMServices/2011/OrganizationData.svc/";
            if link.is_empty() { text } else { format!("{before}\"__next\":\"{inner}{link}") }.into_bytes()
        }),
        false => Deed::Pass,
    });
    let hub = scene.program(|hub| hub.cdms(meddler.root(), Anonymous)).await;
    let report = hub.pull::<Organisation>().await.unwrap();
    assert_eq!((report.complete, report.records, report.pages), (true, 120, 3), "{report:?}");
    let asked = meddler.requests().into_iter().filter(|request| request.contains("$skiptoken")).count();
    assert_eq!(asked, 2, "both further pages were asked for here");
}

#[tokio::test]
async fn another_organisation_is_not_pulled() {
    let (scene, _) = crowd(1).await;
    pull(&scene).await;
    scene.kit.simulator.become_another_organisation();
    let other = scene.another_program().await;
    failed(other.pull::<Organisation>().await, ErrorKind::Misconfigured);
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
async fn only_records_of_the_model_get_rows() {
    let (scene, ids) = crowd(4).await;
    let uk = |id: Id<Organisation>, is: bool| {
        scene.minute();
        scene.kit.simulator.edit("Account", id.guid(), [("optevia_ukorganisation", Value::Boolean(is))]);
    };
    uk(ids[1], true);
    uk(ids[2], true);
    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    let report = hub.pull::<UkOrganisation>().await.unwrap();
    assert_eq!((report.records, report.first_seen, report.not_of_model), (2, 2, 0), "the others are not listed");
    uk(ids[1], false);
    let report = hub.pull::<UkOrganisation>().await.unwrap();
    assert_eq!((report.in_sync, report.not_of_model, scene.dump("uk_organisations").len()), (1, 4, 1));
    let left = history_of::<UkOrganisation>(&hub, ids[1].guid().into()).await;
    assert_eq!(left.last(), Some(&EntryKind::LeftModel));
}

#[tokio::test]
async fn a_pull_that_nobody_waits_for_any_more_leaves_whole_pages() {
    let (scene, _) = crowd(119).await;
    let hold = |hold| FaultRule::new(hold).on(Operation::List).after(2);
    let page = scene.kit.simulator.hold(Stage::AfterCommit, hold);
    let pulling = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
    page.arrived(1).await;
    pulling.abort();
    assert!(pulling.await.unwrap_err().is_cancelled());
    page.open();
    assert_eq!(rows(&scene), 50);
    let report = pull(&scene).await;
    assert_eq!((report.complete, report.resumed, report.records), (true, true, 70));
}

#[tokio::test]
async fn a_create_that_shows_up_in_a_pull_brings_the_hubs_own_fields_along() {
    let (scene, org) = Scene::read().await;
    let mut new = org.into_inner();
    (new.id, new.name, new.archived_reason) = (Id::new(), "Beta".into(), Some("moved".into()));
    scene.fault(Operation::Create, Fault::CommitLate);
    failed(Organisation::create(&scene.hub, new.clone()).await, ErrorKind::Unsettled);
    scene.kit.advance(crate::scene::PAST_QUIET);
    assert_eq!(scene.settle().await.settled.len(), 1);
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    pull(&scene).await;
    let late = local(&scene, new.id).await.unwrap();
    assert_eq!((late.name.as_str(), late.archived_reason.as_deref()), ("Beta", Some("moved")));
    let history = Organisation::history(&scene.hub, new.id).await.unwrap();
    let told = history.last().unwrap();
    assert_eq!(told.kind, EntryKind::AppliedLate);
    let own = told.changes.iter().find(|change| change.field == "archived_reason").expect("the hub's own field");
    assert_eq!(own.to, Some(Value::text("moved")));
}

#[tokio::test]
async fn a_create_whose_record_had_to_wait_keeps_the_hubs_own_fields() {
    for by_pull in [false, true] {
        let (scene, org) = Scene::read().await;
        let mut new = org.into_inner();
        (new.id, new.name, new.archived_reason) = (Id::new(), "Beta".into(), Some("moved".into()));
        // A plug-in takes away what the contract says is required.
        let spoil = Fault::Adjust([("Name".to_owned(), Value::Null)].into_iter().collect());
        scene.fault(Operation::Create, spoil);
        failed(Organisation::create(&scene.hub, new.clone()).await, ErrorKind::Quarantined);
        scene.minute();
        scene.kit.simulator.edit("Account", new.id.guid(), [("Name", Value::text("Beta again"))]);
        if by_pull {
            pull(&scene).await;
        } else {
            Organisation::get(&scene.hub, new.id).await.unwrap();
        }
        let stored = local(&scene, new.id).await.unwrap();
        assert_eq!(
            (stored.name.as_str(), stored.archived_reason.as_deref()),
            ("Beta again", Some("moved")),
            "{by_pull}"
        );
        assert!(scene.hub.quarantine(10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_column_that_is_renamed_under_a_running_program_puts_nothing_into_quarantine() {
    let (scene, _) = crowd(3).await;
    scene.sql("ALTER TABLE organisations RENAME COLUMN alias TO nickname");
    let error = failed(scene.hub.pull::<Organisation>().await, ErrorKind::Store);
    says(&error, &["alias", "changed while the program was running"]);
    let error = failed(scene.get().await, ErrorKind::Store);
    says(&error, &["alias"]);
    assert!(scene.quarantine().await.is_empty() && scene.dump("organisations").is_empty());
    scene.sql("ALTER TABLE organisations RENAME COLUMN nickname TO alias");
    assert_eq!(pull(&scene).await.first_seen, 4);
}
