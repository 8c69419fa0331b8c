//! A read that allows an age sends no request within it, and never passes off an older row as one of that age.

use std::future::IntoFuture as _;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Gate, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Value};
use example_domain::{Contact, Organisation};
use futures_util::future::join_all;

use crate::scene::{Scene, Write, ada, failed, found};

const HALF_A_MINUTE: Duration = Duration::from_secs(30);
const TEN_MINUTES: Duration = Duration::from_secs(600);
const MAX_AGE: Freshness = Freshness::MaxAge(HALF_A_MINUTE);
const AT_ONCE: Freshness = Freshness::StaleWhileRevalidate { fresh_for: HALF_A_MINUTE, at_most: TEN_MINUTES };

async fn read(hub: &Hub, scene: &Scene, freshness: Freshness) -> Synced<Organisation> {
    Organisation::get(hub, scene.id()).freshness(freshness).await.unwrap()
}

/// The time as of which a value is known to match CDMS.
#[track_caller]
fn time_of(value: &Synced<Organisation>) -> chrono::DateTime<chrono::Utc> {
    match value.checked() {
        Checked::At { time, .. } | Checked::Within { time, .. } | Checked::Stale { time, .. } => time,
        other => panic!("no time: {other:?}"),
    }
}

/// The organisation in CDMS changes, and CDMS's time does not pass for the hub.
fn edit(scene: &Scene, name: &str) {
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text(name))]);
}

/// Waits for what the background does.
pub(crate) async fn until(what: &str, mut is_done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "still not: {what}");
}

/// Holds the answers to reads of records.
fn hold_reads(scene: &Scene, stage: Stage) -> Gate {
    scene.kit.simulator.hold(stage, |hold| FaultRule::new(hold).on(Operation::Read))
}

#[tokio::test]
async fn within_the_age_there_is_no_request_and_afterwards_there_is_one() {
    let (scene, org) = Scene::read().await;
    let asked = time_of(&org);
    edit(&scene, "Acme Foods");
    scene.kit.advance(HALF_A_MINUTE);
    let (org, cost) = scene.cost_of(read(&scene.hub, &scene, MAX_AGE)).await;
    assert_eq!((cost.requests, cost.statements, cost.transactions), (0, 1, 0));
    assert_eq!(org.checked(), Checked::Within { time: asked, max_age: HALF_A_MINUTE });
    assert!(org.checked().is_fresh(), "it is what the caller asked for");
    assert_eq!(org.name, "Acme");

    scene.kit.advance(Duration::from_millis(1));
    let (org, cost) = scene.cost_of(read(&scene.hub, &scene, MAX_AGE)).await;
    assert_eq!((cost.requests, found(&org), org.name.as_str()), (1, Finding::Refreshed, "Acme Foods"));
    let again = read(&scene.hub, &scene, MAX_AGE).await;
    assert_eq!((time_of(&again), again.name.as_str()), (time_of(&org), "Acme Foods"));
}

#[tokio::test]
async fn a_read_that_allows_an_age_waits_for_a_request_of_that_age_instead_of_sending_another() {
    let (scene, _) = Scene::read().await;
    for (waited, requests) in [(Duration::ZERO, 1), (HALF_A_MINUTE, 1), (HALF_A_MINUTE * 2, 2)] {
        scene.kit.advance(TEN_MINUTES * 2);
        edit(&scene, "Acme Foods");
        let gate = hold_reads(&scene, Stage::BeforeCommit);
        let before = scene.hub.cost();
        let (hub, id) = (scene.hub.clone(), scene.id());
        let strict = tokio::spawn(async move { Organisation::get(&hub, id).await });
        gate.arrived(1).await;
        scene.kit.advance(waited);
        let mut later = join_all((0..50).map(|at| read(&scene.hub, &scene, [MAX_AGE, AT_ONCE][at % 2])));
        assert!(futures_util::poll!(&mut later).is_pending(), "the answer is held");
        gate.open();
        scene.kit.simulator.clear_faults();
        let strict = strict.await.unwrap().unwrap();
        for org in later.await {
            assert_eq!(org.name, "Acme Foods");
            match org.checked() {
                Checked::Within { time, max_age } if requests == 1 => {
                    assert_eq!((time, max_age), (time_of(&strict), HALF_A_MINUTE));
                }
                // One that is too old for a caller is followed by another for all of them.
                Checked::At { time, .. } if requests == 2 => assert!(time > time_of(&strict)),
                other => panic!("{waited:?}: {other:?}"),
            }
        }
        assert_eq!((scene.hub.cost() - before).requests, requests, "{waited:?}");
    }
}

#[tokio::test]
async fn a_read_that_waited_in_vain_asks_itself() {
    let (scene, _) = Scene::read().await;
    scene.kit.advance(HALF_A_MINUTE * 2);
    edit(&scene, "");
    let gate = hold_reads(&scene, Stage::AfterCommit);
    let (hub, id) = (scene.hub.clone(), scene.id());
    let first = tokio::spawn(async move { Organisation::get(&hub, id).await });
    gate.arrived(1).await;
    let mut later = Box::pin(read(&scene.hub, &scene, MAX_AGE));
    assert!(futures_util::poll!(&mut later).is_pending(), "the answer is held");
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Acme Foods"))]);
    gate.open();
    scene.kit.simulator.clear_faults();
    failed(first.await.unwrap(), ErrorKind::Quarantined);
    assert_eq!(later.await.name, "Acme Foods");
}

#[tokio::test]
async fn what_another_program_checked_is_not_known_here() {
    let (scene, _) = Scene::read().await;
    let another = scene.another_program().await;
    let org = read(&another, &scene, MAX_AGE).await;
    assert!(matches!(org.checked(), Checked::At { .. }), "{:?}", org.checked());
    // But a row that another program has refreshed since is returned as it is: it is newer than allowed.
    edit(&scene, "Acme Foods");
    Organisation::get(&scene.hub, scene.id()).await.unwrap();
    let (org, requests) = (read(&another, &scene, MAX_AGE).await, another.cost().requests);
    assert_eq!((org.name.as_str(), another.cost().requests), ("Acme Foods", requests));
}

#[tokio::test]
async fn setting_the_clock_back_makes_no_row_younger() {
    let (scene, _) = Scene::read().await;
    scene.kit.clock.advance(HALF_A_MINUTE);
    scene.kit.clock.shift(-30_000);
    scene.kit.clock.advance(Duration::from_millis(1));
    assert_eq!(found(&read(&scene.hub, &scene, MAX_AGE).await), Finding::InSync);
    // Nor does a machine that slept, whose monotonic clock stood still.
    scene.kit.clock.shift(30_001);
    assert_eq!(found(&read(&scene.hub, &scene, MAX_AGE).await), Finding::InSync);
}

#[tokio::test]
async fn a_write_counts_as_a_check_once_it_was_read_back() {
    let scene = Scene::new().await;
    let contact = Contact::create(&scene.hub, ada(&scene)).await.unwrap();
    let read = || Contact::get(&scene.hub, contact.id()).freshness(MAX_AGE);
    let (created, cost) = scene.cost_of(read()).await;
    assert!(matches!(created.unwrap().checked(), Checked::Within { .. }));
    assert_eq!(cost.requests, 0);

    scene.kit.advance(HALF_A_MINUTE);
    let mut changed = contact.clone();
    changed.job_title = Some("Countess".into());
    changed.save(&scene.hub).await.unwrap();
    scene.kit.advance(HALF_A_MINUTE);
    let (saved, cost) = scene.cost_of(read()).await;
    assert_eq!((saved.unwrap().job_title.as_deref(), cost.requests), (Some("Countess"), 0));

    // One that was not read back is completed by the next read, so that read asks.
    scene.kit.simulator.fault(FaultRule::new(Fault::DropBeforeCommit).on(Operation::Read).after(1).times(1));
    changed.job_title = Some("Programmer".into());
    changed.save(&scene.hub).await.unwrap();
    assert!(matches!(changed.checked(), Checked::NotReadBack { .. }), "{:?}", changed.checked());
    assert_eq!(found(&read().await.unwrap()), Finding::Filled);

    changed.delete(&scene.hub).await.unwrap();
    failed(read().await, ErrorKind::Gone);
}

#[tokio::test]
async fn a_row_that_is_known_not_to_match_is_not_passed_off_as_checked() {
    let (scene, _) = Scene::read().await;
    scene.minute();
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::Null)]);
    failed(scene.get().await, ErrorKind::Quarantined);
    failed(
        Organisation::get(&scene.hub, scene.id()).freshness(Freshness::MaxAge(TEN_MINUTES)).await,
        ErrorKind::Quarantined,
    );
    failed(Organisation::get(&scene.hub, scene.id()).freshness(AT_ONCE).await, ErrorKind::Quarantined);
    // An outage says nothing about the row.
    edit(&scene, "Acme");
    scene.get().await.unwrap();
    scene.kit.simulator.go_away();
    failed(scene.get().await, ErrorKind::Unavailable);
    assert!(matches!(read(&scene.hub, &scene, MAX_AGE).await.checked(), Checked::Within { .. }));
}

#[tokio::test]
async fn a_row_under_a_write_says_so_and_costs_no_request() {
    let (scene, _) = Scene::read().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let operation = failed(attempt.run(&scene).await, ErrorKind::Unsettled).operation_id().unwrap();
    // The write has failed, so the row is not known to match; a check that meets the write returns the row.
    let another = scene.another_program().await;
    let read = read(&another, &scene, Freshness::MaxAge(TEN_MINUTES)).await;
    assert_eq!(read.checked(), Checked::Pending { operation });
}

#[tokio::test]
async fn a_stale_row_comes_at_once_and_is_checked_for_the_next_reader() {
    let (scene, org) = Scene::read().await;
    let asked = time_of(&org);
    assert!(matches!(read(&scene.hub, &scene, AT_ONCE).await.checked(), Checked::Within { .. }));
    edit(&scene, "Acme Foods");
    scene.minute();
    let gate = hold_reads(&scene, Stage::BeforeCommit);
    let stale = read(&scene.hub, &scene, AT_ONCE).await;
    assert_eq!(stale.checked(), Checked::Stale { time: asked, at_most: TEN_MINUTES });
    assert!(!stale.checked().is_fresh());
    assert_eq!(stale.name, "Acme");

    // Others are not kept waiting either, and cause no further request.
    gate.arrived(1).await;
    let before = scene.hub.cost();
    for other in join_all((0..50).map(|_| read(&scene.hub, &scene, AT_ONCE))).await {
        assert_eq!(other.checked(), stale.checked());
    }
    assert_eq!((scene.hub.cost() - before).requests, 0);
    gate.open();
    until("the row is checked", async || read(&scene.hub, &scene, AT_ONCE).await.checked().is_fresh()).await;
    assert_eq!((scene.hub.cost() - before).requests, 0, "the one request was sent before");
    assert_eq!(read(&scene.hub, &scene, AT_ONCE).await.name, "Acme Foods");
}

#[tokio::test]
async fn after_at_most_the_reader_waits_or_is_told() {
    let (scene, org) = Scene::read().await;
    edit(&scene, "Acme Foods");
    scene.kit.advance(TEN_MINUTES + Duration::from_millis(1));
    scene.kit.simulator.go_away();
    failed(Organisation::get(&scene.hub, scene.id()).freshness(AT_ONCE).await, ErrorKind::Unavailable);
    let local = Organisation::get(&scene.hub, scene.id()).freshness(AT_ONCE).or_local().await.unwrap();
    assert_eq!(local.checked(), Checked::NotChecked { since: Some(time_of(&org)) });
    scene.kit.simulator.come_back();
    let org = read(&scene.hub, &scene, AT_ONCE).await;
    assert_eq!((found(&org), org.name.as_str()), (Finding::Refreshed, "Acme Foods"));
}

#[tokio::test]
async fn revalidations_do_not_pile_up() {
    let scene = Scene::new().await;
    let seed = |number| scene.kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]);
    let ids: Vec<Id<Organisation>> = (0..40).map(|number| seed(number).into()).collect();
    let read_all = async |freshness| {
        join_all(ids.iter().map(|id| Organisation::get(&scene.hub, *id).freshness(freshness).into_future())).await
    };
    read_all(Freshness::Always).await;
    scene.minute();
    let before = scene.hub.cost();
    let gate = hold_reads(&scene, Stage::BeforeCommit);
    for _ in 0..3 {
        for org in read_all(AT_ONCE).await {
            assert!(matches!(org.unwrap().checked(), Checked::Stale { .. }));
        }
    }
    gate.arrived(8).await;
    // Whoever asks for it still gets an answer of CDMS, besides them.
    let reading = tokio::spawn(Organisation::get(&scene.hub, scene.id()).into_future());
    gate.arrived(9).await;
    assert_eq!((scene.hub.cost() - before).requests, 9);
    gate.open();
    reading.await.unwrap().unwrap();
    until("all are checked", async || read_all(AT_ONCE).await.into_iter().all(|org| org.unwrap().checked().is_fresh()))
        .await;
    assert_eq!((scene.hub.cost() - before).requests, 41, "each once");
}

#[tokio::test]
async fn a_revalidation_never_stores_over_a_newer_row() {
    let (scene, _) = Scene::read().await;
    scene.person_edits("Name", Value::text("Acme Foods"));
    let another = scene.another_program().await;
    // It has read the record, and its answer is on the way.
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(1));
    assert_eq!(read(&scene.hub, &scene, AT_ONCE).await.name, "Acme");
    gate.arrived(1).await;
    scene.person_edits("Name", Value::text("Acme Group"));
    assert_eq!(read(&another, &scene, Freshness::Always).await.name, "Acme Group");
    gate.open();
    until("the revalidation has ended", async || read(&scene.hub, &scene, AT_ONCE).await.checked().is_fresh()).await;
    let org = read(&scene.hub, &scene, AT_ONCE).await;
    assert_eq!(org.name, "Acme Group");
    assert_eq!(scene.row().await.unwrap().name, "Acme Group");
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Refreshed], "the row never went back");
}
