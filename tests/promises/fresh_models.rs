//! Models are brought up to date before a program asks its own tables: at a cost that is known, once for all who ask.

use std::future::IntoFuture;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{FreshReport, Models, Value};
use example_domain::{Adviser, Contact, Organisation, Sector, Team};

use crate::freshness::until;
use crate::pull::crowd;
use crate::scene::{Scene, failed, now, says};

const LATER: Duration = Duration::from_secs(331);

const MINUTE: Freshness = Freshness::MaxAge(Duration::from_secs(60));

fn five() -> Models {
    models![Contact, Organisation, Adviser, Team, Sector]
}

async fn fresh(scene: &Scene, models: Models, freshness: Freshness) -> FreshReport {
    scene.hub.ensure_fresh(models, freshness).await.unwrap()
}

/// A scene whose hub has loaded five models, long ago.
async fn loaded() -> Scene {
    let (scene, _) = crowd(3).await;
    scene.kit.simulator.seed("Contact", [("LastName", Value::text("Lovelace"))]);
    scene.hub.ensure_fresh(five(), Freshness::Always).or_load().await.unwrap();
    scene.kit.advance(LATER);
    fresh(&scene, five(), Freshness::Always).await;
    scene.kit.advance(LATER);
    scene
}

/// The sets whose lists were asked for since, in order.
fn lists(scene: &Scene) -> Vec<String> {
    let requests = scene.kit.simulator.take_requests();
    let set = |target: &str| Some(target.split_once(".svc/")?.1.split_once("?$")?.0.to_owned());
    requests.iter().filter_map(|request| set(&request.target)).filter(|set| !set.contains('(')).collect()
}

#[tokio::test]
async fn models_in_which_nothing_has_changed_cost_a_request_each() {
    let scene = loaded().await;
    let before = scene.rows();
    let (report, cost) = scene.cost_of(scene.hub.ensure_fresh(five(), Freshness::Always)).await;
    let report = report.unwrap();
    assert_eq!(cost.requests, 5);
    assert!(cost.statements <= 10, "{cost}");
    assert_eq!((report.cost.requests, report.cost.statements), (cost.requests, cost.statements));
    let names: Vec<_> = report.models.iter().map(|model| model.model).collect();
    assert_eq!(names, ["Contact", "Organisation", "Adviser", "Team", "Sector"]);
    for model in &report.models {
        assert_eq!((model.requests, model.incomplete, model.deletions_as_of), (1, 0, None));
        assert_eq!(model.checked_at, now(&scene).to_utc());
        assert!(model.pull.is_some_and(|pull| pull.changes_only && pull.complete && pull.records == 0));
    }
    assert_eq!(scene.rows(), before);

    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Acme Foods"))]);
    let report = fresh(&scene, five(), Freshness::Always).await;
    let refreshed: Vec<_> = report.models.iter().map(|model| model.pull.unwrap().refreshed).collect();
    assert_eq!(refreshed, [0, 1, 0, 0, 0]);
    assert_eq!(scene.row().await.unwrap().name, "Acme Foods");
}

#[tokio::test]
async fn rows_that_are_young_enough_cost_no_request_in_any_program() {
    let scene = loaded().await;
    fresh(&scene, five(), MINUTE).await;
    scene.kit.advance(Duration::from_secs(60));
    for hub in [scene.hub.clone(), scene.another_program().await] {
        let before = hub.cost();
        let report = hub.ensure_fresh(five(), MINUTE).await.unwrap();
        let cost = hub.cost() - before;
        assert_eq!((cost.requests, cost.transactions), (0, 0));
        assert!(cost.statements <= 5, "{cost}");
        let then = now(&scene).plus_ms(-60_000).to_utc();
        assert!(report.models.iter().all(|model| model.pull.is_none() && model.checked_at == then));
    }
    scene.kit.advance(Duration::from_secs(1));
    assert_eq!(fresh(&scene, five(), MINUTE).await.cost.requests, 5);
    let local = fresh(&scene, five(), Freshness::LocalOnly).await;
    assert_eq!(local.cost.requests, 0);
}

#[tokio::test]
async fn a_model_that_was_never_loaded_is_not_fresh() {
    let (scene, _) = crowd(59).await;
    let never = scene.hub.ensure_fresh(models![Organisation], MINUTE).await;
    says(&failed(never, ErrorKind::NotFound), &["Organisation", "no complete first load", "or_load()"]);
    scene.hub.pull::<Organisation>().max_pages(1).await.unwrap();
    let partly = scene.hub.ensure_fresh(models![Organisation], MINUTE).await;
    failed(partly, ErrorKind::NotFound);
    let local = fresh(&scene, models![Organisation], Freshness::LocalOnly).await;
    assert_eq!(local.models[0].checked_at, None);
    // The rest of the first load is enough, for it began just now.
    let report = scene.hub.ensure_fresh(models![Organisation], MINUTE).or_load().await.unwrap();
    let pull = report.models[0].pull;
    assert_eq!(scene.dump("organisations").len(), 60, "{pull:?}");
    assert_eq!(fresh(&scene, models![Organisation], MINUTE).await.cost.requests, 0);
}

#[tokio::test]
async fn the_targets_of_lookups_are_loaded_first() {
    let (scene, _) = crowd(3).await;
    scene.kit.simulator.take_requests();
    scene.hub.ensure_fresh(models![Contact, Organisation, Sector], Freshness::Always).or_load().await.unwrap();
    let asked = lists(&scene);
    let first = |set: &str| asked.iter().position(|asked| asked == set).unwrap_or_else(|| panic!("{set}: {asked:?}"));
    let last = |set: &str| asked.iter().rposition(|asked| asked == set).unwrap();
    assert!(last("optevia_sectorSet") < first("AccountSet") && last("AccountSet") < first("ContactSet"), "{asked:?}");
}

#[tokio::test]
async fn callers_at_the_same_time_share_a_pull_that_begins_after_they_came() {
    let scene = loaded().await;
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let ask = || tokio::spawn(scene.hub.ensure_fresh(models![Organisation], Freshness::Always).into_future());
    scene.kit.simulator.take_requests();
    let first = ask();
    gate.arrived(1).await;
    // What the first one asked for does not show it.
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Acme Foods"))]);
    let others: Vec<_> = (0..20).map(|_| ask()).collect();
    // The test has one thread, and each of them runs until it waits for the first one.
    tokio::task::yield_now().await;
    gate.open();
    assert_eq!(first.await.unwrap().unwrap().models[0].pull.unwrap().records, 0);
    let mut requests = 0;
    for other in others {
        let report = other.await.unwrap().unwrap();
        assert_eq!(report.models[0].pull.unwrap().refreshed, 1);
        requests += report.models[0].requests;
    }
    assert_eq!((requests, lists(&scene).len()), (1, 2));
    assert_eq!(scene.row().await.unwrap().name, "Acme Foods");
}

#[tokio::test]
async fn who_shares_a_long_first_load_is_given_what_has_changed_meanwhile() {
    let (scene, _) = crowd(3).await;
    let hold = |stage| scene.kit.simulator.hold(stage, |hold| FaultRule::new(hold).on(Operation::List).times(1));
    let ask =
        |freshness| tokio::spawn(scene.hub.ensure_fresh(models![Organisation], freshness).or_load().into_future());
    // The first one fails. The others came too late to share that, and in time to share the load of the next one.
    let failing = hold(Stage::BeforeCommit);
    scene.kit.simulator.fault(FaultRule::new(Fault::Html(500)).on(Operation::List).times(1));
    let first = ask(Freshness::Always);
    failing.arrived(1).await;
    let [loads, shares] = [Freshness::Always, MINUTE].map(ask);
    tokio::task::yield_now().await;
    let loading = hold(Stage::AfterCommit);
    failing.open();
    failed(first.await.unwrap(), ErrorKind::Unavailable);
    loading.arrived(1).await;
    scene.kit.advance(10 * LATER);
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Acme Foods"))]);
    loading.open();
    assert!(!loads.await.unwrap().unwrap().models[0].pull.as_ref().unwrap().changes_only);
    let shared = shares.await.unwrap().unwrap();
    assert!(shared.models[0].pull.as_ref().is_some_and(|pull| pull.changes_only), "{shared:?}");
    assert_eq!(scene.row().await.unwrap().name, "Acme Foods");
}

#[tokio::test]
async fn programs_that_pull_at_the_same_time_wait_for_each_other() {
    let (scene, ids) = crowd(599).await;
    let hubs = [scene.hub.clone(), scene.another_program().await, scene.another_program().await];
    for round in 0..2 {
        // First a load of twelve pages, and then as many changes.
        let fresh = hubs
            .iter()
            .map(|hub| tokio::spawn(hub.ensure_fresh(models![Organisation], MINUTE).or_load().into_future()));
        let fresh: Vec<_> = fresh.collect();
        for fresh in fresh {
            fresh.await.unwrap().unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        assert_eq!(scene.dump("organisations").len(), ids.len());
        scene.kit.advance(LATER);
        ids.iter().for_each(|id| scene.kit.simulator.edit("Account", id.guid(), [("Name", Value::text("Changed"))]));
    }
}

#[tokio::test]
async fn rows_may_be_used_while_they_are_brought_up_to_date() {
    let scene = loaded().await;
    let swr = Freshness::StaleWhileRevalidate { fresh_for: Duration::from_secs(60), at_most: Duration::from_secs(600) };
    let organisations = || scene.hub.ensure_fresh(models![Organisation], swr);
    fresh(&scene, models![Organisation], Freshness::Always).await;
    assert!(!organisations().await.unwrap().models[0].revalidating);
    scene.kit.advance(Duration::from_secs(300));
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Acme Foods"))]);
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::List));
    scene.kit.simulator.take_requests();
    for _ in 0..10 {
        let report = organisations().await.unwrap();
        assert!(report.models[0].revalidating);
        assert_eq!((report.cost.requests, scene.row().await.unwrap().name.as_str()), (0, "Acme"));
    }
    gate.arrived(1).await;
    gate.open();
    until("the row has the new name", async || scene.row().await.unwrap().name == "Acme Foods").await;
    scene.kit.simulator.clear_faults();
    assert_eq!(lists(&scene).len(), 1, "once for all");
    scene.kit.advance(Duration::from_secs(601));
    let report = organisations().await.unwrap();
    assert_eq!((report.cost.requests, report.models[0].revalidating), (1, false), "too old to be used");
}

#[tokio::test]
async fn people_do_not_wait_behind_pulls() {
    let (scene, _) = crowd(3).await;
    let hub = scene.program(|hub| hub.concurrent_requests(2)).await;
    Organisation::get(&hub, scene.id()).await.unwrap();
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::List));
    let pulls: Vec<_> =
        (0..4).map(|_| tokio::spawn(hub.ensure_fresh(five(), Freshness::Always).or_load().into_future())).collect();
    gate.arrived(1).await;
    let read = tokio::time::timeout(Duration::from_secs(20), Organisation::get(&hub, scene.id()).into_future());
    assert_eq!(read.await.expect("half of the requests are left to it").unwrap().name, "Acme");
    gate.open();
    for pull in pulls {
        pull.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn pulls_are_as_slow_as_they_are_told_to_be() {
    let (scene, _) = crowd(249).await;
    let hub = scene.program(|hub| hub.background_requests_per_second(20.0)).await;
    let begun = std::time::Instant::now();
    assert_eq!(hub.pull::<Organisation>().await.unwrap().pages, 5);
    assert!(begun.elapsed() >= Duration::from_millis(250), "six requests, 50 ms apart");
}

#[tokio::test]
async fn one_cdms_that_is_away_is_told_to_all_at_once() {
    let scene = loaded().await;
    scene.kit.simulator.fault(FaultRule::new(Fault::DropBeforeCommit).on(Operation::List));
    failed(scene.hub.ensure_fresh(five(), Freshness::Always).await, ErrorKind::Unavailable);
    assert_eq!(fresh(&scene, five(), Freshness::LocalOnly).await.cost.requests, 0);
    scene.kit.simulator.clear_faults();
    assert_eq!(fresh(&scene, five(), Freshness::Always).await.cost.requests, 5);
}

#[tokio::test]
async fn rows_of_another_version_are_completed_or_counted() {
    let scene = loaded().await;
    scene.sql("UPDATE datahub_records SET mapping_id = 1 WHERE model = 'organisations'");
    let report = fresh(&scene, models![Organisation], Freshness::LocalOnly).await;
    assert_eq!(report.models[0].incomplete, 4);
    let report = fresh(&scene, models![Organisation], Freshness::Always).await;
    assert_eq!((report.models[0].incomplete, report.cost.requests), (0, 1), "the hub keeps all that they lack");
    scene.sql(
        "UPDATE datahub_records SET mapping_id = 1, outdated = '[\"Name\"]', outdated_at = version \
         WHERE model = 'organisations'",
    );
    let report = fresh(&scene, models![Organisation], Freshness::Always).await;
    assert_eq!(report.models[0].incomplete, 4, "a backfill has to read what they lack");
}

#[tokio::test]
async fn a_detached_model_is_always_fresh() {
    /// A firm that only the hub has.
    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", mode = "detached")]
    struct Firm {
        #[cdms(key)]
        id: Id<Firm>,
        #[cdms("Name")]
        name: String,
    }
    let kit = Kit::new(example_domain::METADATA);
    let hub = kit.hub(models![Firm]).connect().await.unwrap();
    let report = hub.ensure_fresh(models![Firm], Freshness::Always).await.unwrap();
    assert_eq!((report.cost.requests, report.models[0].checked_at), (0, None));
}
