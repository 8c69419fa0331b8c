//! Asking CDMS for records: which and in what order is CDMS's to say, and each is compared and stored as by a read, at a
//! fixed cost.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Found, Instant, Origin, Value};
use example_domain::{Contact, Organisation};

use crate::pull::crowd;
use crate::scene::{NEW_NAME, Scene, failed, found, history_of, now, says};

pub(crate) fn names(found: &Found<Organisation>) -> Vec<&str> {
    found.into_iter().map(|organisation| organisation.name.as_str()).collect()
}

/// The findings of a list, each once.
fn findings(found: &Found<Organisation>) -> Vec<Finding> {
    let mut all: Vec<_> = found.into_iter().map(crate::scene::found).collect();
    all.dedup();
    all
}

#[tokio::test]
async fn the_answer_is_cdmss_in_its_order_and_every_record_is_stored_as_by_a_read() {
    let (scene, _) = crowd(11).await;
    let f = Organisation::FIELDS;
    let page = Organisation::find(&scene.hub)
        .filter(f.name.starts_with("firm 1").or(f.name.eq("ACME")))
        .order_by(f.name.desc())
        .load()
        .await
        .unwrap();
    assert_eq!(names(&page), ["Firm 10", "Firm 1", "Acme"]);
    assert_eq!((findings(&page), page.next, page.left_out.len()), (vec![Finding::First], None, 0));
    assert_eq!(scene.dump("organisations").len(), 3, "what was not asked for is not stored");
    let acme = page.records[2].id();
    let history = Organisation::history(&scene.hub, acme).await.unwrap();
    assert_eq!((history[0].kind, history[0].origin), (EntryKind::FirstSeen, Origin::Pull));

    // A found record can be changed and saved like one that was read.
    let mut acme = page.records.into_iter().next_back().unwrap();
    acme.name = NEW_NAME.into();
    acme.save(&scene.hub).await.unwrap();
    assert_eq!(scene.record().get("Name"), Some(&Value::text(NEW_NAME)));
    let again = Organisation::find(&scene.hub).filter(f.name.eq(NEW_NAME)).one().await.unwrap();
    assert_eq!((again.id(), found(&again)), (acme.id(), Finding::InSync));
    let stale = Organisation::find(&scene.hub).filter(f.name.eq("Acme")).load().await.unwrap();
    assert!(stale.is_empty(), "{stale:?}");
}

#[tokio::test]
async fn a_list_costs_a_fixed_number_of_statements() {
    let (scene, ids) = crowd(49).await;
    let list = || Organisation::find(&scene.hub).limit(50).load();
    let first = list().await.unwrap();
    assert_eq!((first.records.len(), first.cost.requests, findings(&first)), (50, 1, vec![Finding::First]));
    assert!(first.cost.statements <= 5 + 1, "the newest version was not known yet: {:?}", first.cost);

    let before = scene.rows();
    let (in_sync, counted) = scene.cost_of(list()).await;
    let in_sync = in_sync.unwrap();
    assert_eq!((in_sync.cost.requests, findings(&in_sync)), (1, vec![Finding::InSync]));
    assert!(in_sync.cost.statements <= 2, "{:?}", in_sync.cost);
    assert_eq!((in_sync.cost.transactions, scene.rows()), (0, before), "nothing is written");
    assert_eq!((counted.requests, counted.statements), (in_sync.cost.requests, in_sync.cost.statements));

    scene.minute();
    for id in &ids {
        scene.kit.simulator.edit("Account", id.guid(), [("Description", Value::text("changed"))]);
    }
    let changed = list().await.unwrap();
    assert_eq!((changed.cost.requests, findings(&changed)), (1, vec![Finding::Refreshed]));
    assert!(changed.cost.statements <= 5, "{:?}", changed.cost);
    assert_eq!(changed.cost.transactions, 1);
    assert!(changed.into_iter().all(|organisation| organisation.description == "changed"));
    let local = Organisation::get(&scene.hub, ids[7]).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(local.description, "changed");
}

#[tokio::test]
async fn what_is_found_counts_as_checked() {
    let (scene, ids) = crowd(2).await;
    Organisation::find(&scene.hub).load().await.unwrap();
    let minute = Freshness::MaxAge(std::time::Duration::from_secs(60));
    let (read, cost) = scene.cost_of(Organisation::get(&scene.hub, ids[1]).freshness(minute)).await;
    assert!(matches!(read.unwrap().checked(), Checked::Within { .. }));
    assert_eq!(cost.requests, 0);
}

#[tokio::test]
async fn several_pages_are_read_until_the_limit_or_the_end() {
    let (scene, _) = crowd(129).await;
    for (limit, expected, requests, more) in
        [(Some(1), 1, 1, true), (Some(49), 49, 1, true), (Some(50), 50, 1, true), (Some(51), 51, 2, true)]
            .into_iter()
            .chain([
                (Some(130), 130, 3, false),
                (Some(131), 130, 3, false),
                (None, 130, 3, false),
                (Some(0), 0, 0, false),
            ])
    {
        let query = Organisation::find(&scene.hub);
        let query = if let Some(limit) = limit { query.limit(limit) } else { query };
        let page = query.load().await.unwrap();
        let told = (page.records.len(), page.cost.requests, page.next.is_some());
        assert_eq!(told, (expected, requests, more), "{limit:?}");
    }
}

#[tokio::test]
async fn what_is_too_expensive_says_so_with_the_other_way() {
    let (scene, _) = crowd(129).await;
    let query = || Organisation::find(&scene.hub).filter(Organisation::FIELDS.name.ne("x")).max_requests(2);
    for error in
        [failed(query().load().await, ErrorKind::TooExpensive), failed(query().count().await, ErrorKind::TooExpensive)]
    {
        says(&error, &["more than 2 requests", "100 records", "ensure_fresh", "organisations::table.filter("]);
    }
    assert_eq!(query().limit(100).load().await.unwrap().records.len(), 100, "a limit makes it cheap enough");
    assert_eq!(query().max_requests(3).count().await.unwrap(), 130);
}

#[tokio::test]
async fn first_one_exists_and_count() {
    let (scene, _) = crowd(59).await;
    let (hub, f) = (&scene.hub, Organisation::FIELDS);
    let find = || Organisation::find(hub);
    let first = find().order_by(f.name.asc()).first().await.unwrap().unwrap();
    assert_eq!(first.name, "Acme");
    assert!(find().filter(f.name.eq("Nothing")).first().await.unwrap().is_none());
    assert_eq!(find().filter(f.name.eq("firm 7")).one().await.unwrap().name, "Firm 7");
    says(
        &failed(find().filter(f.name.eq("Nothing")).one().await, ErrorKind::NotFound),
        &["expected one Organisation, found none"],
    );
    says(&failed(find().one().await, ErrorKind::Invalid), &["at least two"]);

    let rows = scene.rows();
    let (exists, cost) = scene.cost_of(find().filter(f.name.eq("firm 8")).exists()).await;
    assert_eq!((exists.unwrap(), cost.requests, cost.statements), (true, 1, 0));
    assert!(!find().filter(f.name.eq("Nothing")).exists().await.unwrap());
    let (count, cost) = scene.cost_of(find().filter(f.name.ne("Acme")).count()).await;
    assert_eq!((count.unwrap(), cost.requests, cost.statements), (59, 2, 0));
    assert_eq!(find().limit(7).count().await.unwrap(), 7);
    assert_eq!(scene.rows(), rows, "counting stores nothing");
    let asked = scene.requests("GET").pop().unwrap().target;
    assert!(asked.contains("$select=AccountId,ModifiedOn&"), "{asked}");
}

#[tokio::test]
async fn what_no_record_can_satisfy_costs_nothing() {
    let scene = Scene::new().await;
    let f = Organisation::FIELDS;
    let never = || Organisation::find(&scene.hub).filter(f.name.is_in(Vec::<String>::new()));
    let ((), cost) = scene
        .cost_of(async {
            assert!(never().load().await.unwrap().is_empty());
            assert_eq!((never().count().await.unwrap(), never().exists().await.unwrap()), (0, false));
            assert_eq!(never().explain().await.unwrap().request, None);
        })
        .await;
    assert_eq!((cost.requests, cost.statements), (0, 0));
}

#[tokio::test]
async fn what_cdms_cannot_evaluate_is_refused_before_any_request() {
    let scene = Scene::new().await;
    let (hub, f) = (&scene.hub, Organisation::FIELDS);
    let queries = [
        (
            Organisation::find(hub).filter(f.archived.eq(true)),
            "organisations::table.filter(organisations::archived.eq(",
        ),
        (Organisation::find(hub).filter(f.phone.is_null()), "organisations::phone.is_null()"),
        (Organisation::find(hub).order_by(f.credit_limit.asc()), "organisations::table.order("),
    ];
    for (query, way) in queries {
        let (outcome, cost) = scene.cost_of(query.load()).await;
        let error = failed(outcome, ErrorKind::Invalid);
        says(&error, &["CDMS cannot answer this query", "ensure_fresh(models![Organisation]", way]);
        assert_eq!((cost.requests, cost.statements), (0, 0));
    }
    let ids = (0..60).map(|_| Id::<Organisation>::new());
    let (outcome, cost) = scene.cost_of(Organisation::find(hub).filter(f.parent.is_in(ids)).load()).await;
    says(&failed(outcome, ErrorKind::Invalid), &["address of", "fewer or shorter conditions", "ensure_fresh"]);
    assert_eq!(cost.requests, 0);
}

#[tokio::test]
async fn explain_shows_the_request_and_sends_none() {
    let (scene, _) = crowd(119).await;
    let (hub, f) = (&scene.hub, Contact::FIELDS);
    scene.hub.pull::<Organisation>().await.unwrap();
    let query = || Contact::find(hub).filter(f.last_name.contains("O'Neil & Co").and(f.primary.eq(false)));
    let ((), cost) = scene
        .cost_of(async {
            let shown = query().order_by(f.last_name.asc()).limit(20).explain().await.unwrap();
            let request = shown.request.clone().unwrap();
            let address = request.split("/ContactSet").nth(1).unwrap();
            let options = address.split_once("&$filter=").unwrap().1;
            assert_eq!(
                options,
                "substringof(%27O%27%27Neil%20%26%20Co%27,LastName)%20and%20(optevia_PrimaryContact%20eq%20false%20or%20\
                 optevia_PrimaryContact%20eq%20null)&$orderby=LastName,ContactId&$top=21"
            );
            assert_eq!(
                shown.to_string(),
                format!(
                    "GET {request}\nfilter: substringof('O''Neil & Co',LastName) and (optevia_PrimaryContact eq false or \
                     optevia_PrimaryContact eq null)\nabout 1 request, judged by the hub's rows"
                )
            );
            assert_eq!(Organisation::find(hub).explain().await.unwrap().requests, 3);
            let refused = Contact::find(hub).filter(f.address_same_as_organisation.eq(true)).explain().await.unwrap();
            let shown = refused.to_string();
            assert!(shown.starts_with("CDMS cannot be asked for these records of Contact:"), "{shown}");
            assert!(shown.contains("ensure_fresh(models![Contact]"), "{shown}");
        })
        .await;
    assert_eq!(cost.requests, 0);
    // What was shown is what is sent.
    let request = query().explain().await.unwrap().request.unwrap();
    query().load().await.unwrap();
    assert!(request.ends_with(&scene.requests("GET").pop().unwrap().target), "{request}");
}

#[tokio::test]
async fn records_that_cannot_be_returned_are_named() {
    let (scene, mut org) = Scene::read().await;
    let unfit = scene.unfit();
    let older = scene.kit.simulator.seed("Account", [("Name", Value::text("Older"))]);
    let hub = &scene.hub;
    Organisation::get(hub, older.into()).await.unwrap();
    let past = Value::Instant(Instant(now(&scene).0 - 3_600_000));
    scene.kit.simulator.overwrite("Account", older, [("ModifiedOn", past), ("Name", Value::text("Restored"))]);
    // A write whose outcome is unknown.
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    org.name = NEW_NAME.into();
    failed(org.save(hub).await, ErrorKind::Unsettled);

    let page = Organisation::find(hub).load().await.unwrap();
    assert_eq!((page.records.len(), page.cost.requests), (1, 1));
    assert!(matches!(page.records[0].checked(), Checked::Pending { .. }));
    assert_eq!(page.records[0].name, "Acme", "only the write may store");
    let reason = |id: uuid::Uuid| page.left_out.iter().find(|left_out| left_out.id.guid() == id).unwrap().error.clone();
    assert_eq!((page.left_out.len(), reason(unfit).kind()), (2, ErrorKind::Quarantined));
    assert_eq!(reason(older).kind(), ErrorKind::LocalNewer);
    assert_eq!(reason(older).record_id(), Some(older));
    assert_eq!(scene.quarantine().await.len(), 1);
    assert!(matches!(page.complete(), Err(error) if error.record_id().is_some()));
    let f = Organisation::FIELDS;
    failed(Organisation::find(hub).filter(f.name.eq("Restored")).first().await, ErrorKind::LocalNewer);
}

#[tokio::test]
async fn a_page_never_replaces_what_was_stored_after_it_was_requested() {
    for others in [0, 3] {
        let (scene, mut org) = Scene::read().await;
        let mut more = Vec::new();
        for number in 0..others {
            let id = scene.kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]);
            more.push(Organisation::get(&scene.hub, id.into()).await.unwrap());
        }
        let page =
            scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
        let finding = tokio::spawn(Organisation::find(&scene.hub).load());
        page.arrived(1).await;
        scene.minute();
        org.name = NEW_NAME.into();
        org.save(&scene.hub).await.unwrap();
        for firm in &mut more {
            firm.name = format!("{} and Sons", firm.name.as_str());
            firm.save(&scene.hub).await.unwrap();
        }
        page.open();
        let found = finding.await.unwrap().unwrap();
        let mut names = names(&found);
        names.sort_unstable();
        let mut expected = vec![NEW_NAME.to_owned()];
        expected.extend((0..others).map(|number| format!("Firm {number} and Sons")));
        assert_eq!(names, expected);
        assert_eq!(found.cost.requests, 2, "one more for the one record, or for the page of several");
        assert_eq!(scene.row().await.unwrap().name, NEW_NAME);
    }
}

#[tokio::test]
async fn another_programs_rows_are_not_overwritten_either() {
    let (scene, ids) = crowd(9).await;
    let other = scene.another_program().await;
    Organisation::find(&scene.hub).load().await.unwrap();
    scene.minute();
    for id in &ids {
        scene.kit.simulator.edit("Account", id.guid(), [("Description", Value::text("one"))]);
    }
    // The other program stores versions that this one has not met.
    other.pull::<Organisation>().await.unwrap();
    let unchanged = Organisation::find(&scene.hub).load().await.unwrap();
    assert_eq!((unchanged.cost.requests, findings(&unchanged)), (1, vec![Finding::InSync]));
    scene.minute();
    for id in &ids {
        scene.kit.simulator.edit("Account", id.guid(), [("Description", Value::text("two"))]);
    }
    let third = scene.another_program().await;
    third.pull::<Organisation>().await.unwrap();
    scene.minute();
    for id in &ids {
        scene.kit.simulator.edit("Account", id.guid(), [("Description", Value::text("three"))]);
    }
    let changed = Organisation::find(&scene.hub).load().await.unwrap();
    assert_eq!(
        (changed.cost.requests, findings(&changed)),
        (2, vec![Finding::Refreshed]),
        "the page again, with the newest version"
    );
    assert_eq!(history_of(&scene.hub, ids[3]).await.len(), 4);
}

#[tokio::test]
async fn the_hubs_own_fields_stay() {
    let (scene, mut org) = Scene::read().await;
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    scene.person_edits("Name", Value::text(NEW_NAME));
    let refreshed = Organisation::find(&scene.hub).first().await.unwrap().unwrap();
    let local = (refreshed.name.as_str(), refreshed.archived_reason.as_deref());
    assert_eq!(local, (NEW_NAME, Some("moved")));
}

#[tokio::test]
async fn cdms_away_is_an_error_and_changes_nothing() {
    let (scene, _) = crowd(3).await;
    Organisation::find(&scene.hub).load().await.unwrap();
    let before = scene.rows();
    scene.fault(Operation::List, Fault::DropBeforeCommit);
    let error = failed(Organisation::find(&scene.hub).load().await, ErrorKind::Unavailable);
    says(&error, &["try again later"]);
    assert_eq!(scene.rows(), before);
}

#[tokio::test]
async fn a_budget_refuses_a_list_before_its_first_request() {
    let (scene, _) = crowd(59).await;
    let hub = scene.hub.with_budget(1);
    assert_eq!(Organisation::find(&hub).load().await.unwrap().cost.requests, 2, "what has begun is not stopped");
    let error = failed(Organisation::find(&hub).exists().await, ErrorKind::BudgetExceeded);
    says(&error, &["tests/promises/find.rs"]);
}
