//! What goes wrong on the caller's side: futures that are dropped, a hub that is shut down, bad input, a wrong set-up.
//! Every error names what it is about and the way out, and nothing is lost.

use std::future::IntoFuture as _;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, Gate, Operation, Stage};
use datahub_runtime::{
    Clock, EntryKind, Finding, Instant, ManualClock, OperationId, Saved, Value, Verdict, VersionToken,
};
use example_domain::{Contact, Organisation, Sector};
use tokio::sync::watch;

use crate::scene::{PAST_QUIET, Scene, Write, ada, failed, found, says};
use crate::spans;

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_write_half_done() {
    for write in Write::ALL {
        for stage in [Stage::BeforeCommit, Stage::AfterCommit] {
            let scene = Scene::new().await;
            let attempt = write.prepare(&scene).await;
            let gate = scene.hold(write, stage);
            {
                let mut run = Box::pin(attempt.run(&scene));
                tokio::select! {
                    biased;
                    done = &mut run => panic!("it was to be held: {done:?}"),
                    () = gate.arrived(1) => {}
                }
            }
            // While CDMS is at it, as at any time.
            scene.nobody_holds_a_transaction();
            gate.open();
            // Dropped in mid-write, it still runs to its end, which a shutdown waits for.
            scene.hub.shutdown(Duration::from_secs(60)).await;
            assert!(attempt.is_in_cdms(&scene), "{write:?} {stage:?}");
            assert_eq!(scene.open_intents(), 0, "{write:?} {stage:?}");
            let scene = Scene { hub: scene.another_program().await, ..scene };
            attempt.agrees(&scene).await;
        }
    }
}

#[tokio::test]
async fn a_reader_who_goes_away_leaves_the_check_to_the_others() {
    let scene = Scene::new().await;
    let gate = scene
        .kit
        .simulator
        .hold(Stage::AfterCommit, |hold| datahub_runtime::testing::simulator::FaultRule::new(hold).on(Operation::Read));
    let mut gone = Organisation::get(&scene.hub, scene.id()).into_future();
    let stays = Organisation::get(&scene.hub, scene.id()).into_future();
    tokio::select! {
        biased;
        done = &mut gone => panic!("it was to be held: {done:?}"),
        () = gate.arrived(1) => {}
    }
    drop(gone);
    gate.open();
    assert_eq!(stays.await.unwrap().name, "Acme");
    assert_eq!(scene.history().await, [EntryKind::FirstSeen]);
}

#[tokio::test]
async fn a_future_that_was_never_polled_does_nothing() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    drop(org.save(&scene.hub).into_future());
    drop(org.clone().delete(&scene.hub).into_future());
    drop(Contact::create(&scene.hub, ada(&scene)).into_future());
    scene.hub.shutdown(Duration::from_secs(60)).await;
    assert_eq!((scene.commits(), scene.open_intents()), (vec![], 0));
}

#[tokio::test]
async fn a_shutdown_waits_for_writes_and_then_the_hub_says_so() {
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let (written, (), ()) = tokio::join!(attempt.run(&scene), scene.hub.shutdown(Duration::from_secs(60)), async {
        gate.arrived(1).await;
        gate.open();
    });
    written.unwrap();
    for error in [
        failed(scene.get().await, ErrorKind::Unavailable),
        failed(attempt.run(&scene).await, ErrorKind::Unavailable),
        failed(Contact::create(&scene.hub, ada(&scene)).await, ErrorKind::Unavailable),
    ] {
        says(&error, &["shut down"]);
    }
}

#[tokio::test]
async fn what_a_shutdown_could_not_wait_for_is_settled_by_the_next_program() {
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    let gate = scene.hold(Write::Update, Stage::AfterCommit);
    let (written, ()) = tokio::join!(attempt.run(&scene), async {
        gate.arrived(1).await;
        scene.hub.shutdown(Duration::ZERO).await;
        gate.open();
    });
    let error = failed(written, ErrorKind::Unsettled);
    assert!(error.is_in_cdms());
    says(&error, &["CDMS applied the write", "shut down"]);
    assert_eq!(scene.open_intents(), 1);
    let next = scene.another_program().await;
    scene.kit.advance(PAST_QUIET);
    let report = next.settle().await.unwrap();
    assert!(matches!(report.settled[..], [(_, Verdict::Applied)]), "{report:?}");
    let scene = Scene { hub: next, ..scene };
    attempt.agrees(&scene).await;
}

#[test]
fn text_that_is_no_id_is_told_so() {
    let error = "b1b5ec9d-0ef1".parse::<Id<Organisation>>().unwrap_err();
    assert!(error.to_string().contains("b1b5ec9d-0ef1"), "{error}");
    "nonsense".parse::<OperationId>().unwrap_err();
    let from_json = serde_json::from_str::<Id<Organisation>>("\"17\"").unwrap_err();
    assert!(from_json.to_string().contains("invalid id \"17\""), "{from_json}");
    let error = "nonsense".parse::<VersionToken>().unwrap_err();
    assert!(error.to_string().contains("nonsense"), "{error}");
}

#[tokio::test]
async fn a_value_that_cdms_would_not_take_is_refused_before_anything_is_asked() {
    let (scene, org) = Scene::read().await;
    let name = "x".repeat(161);
    let cases = [
        (Organisation { name: name.clone(), ..(*org).clone() }, ["name", "Name", "161", "160"]),
        (Organisation { name: String::new(), ..(*org).clone() }, ["name", "Name", "required", "cleared"]),
    ];
    for (value, parts) in cases {
        let mut org = org.clone();
        *org = value;
        let (saved, cost) = scene.cost_of(org.save(&scene.hub)).await;
        let error = failed(saved, ErrorKind::Invalid);
        says(&error, &["Organisation", &scene.account.to_string(), parts[1], parts[2], parts[3]]);
        assert_eq!((cost.requests, cost.transactions), (0, 0));
    }
    let long = Organisation { website: Some("y".repeat(201)), ..Organisation::named("Beta") };
    let (created, cost) = scene.cost_of(Organisation::create(&scene.hub, long.clone())).await;
    let error = failed(created, ErrorKind::Invalid);
    says(&error, &["Organisation", &long.id.to_string(), "WebSiteURL", "201", "200"]);
    assert_eq!((cost.requests, cost.transactions), (0, 0));
    let nameless = Contact { last_name: String::new(), ..ada(&scene) };
    let error = failed(Contact::create(&scene.hub, nameless).await, ErrorKind::Invalid);
    says(&error, &["Contact", "LastName", "required"]);
    let secret = Contact { email: Some("z".repeat(101)), ..ada(&scene) };
    let error = failed(Contact::create(&scene.hub, secret).await, ErrorKind::Invalid);
    says(&error, &["Contact", "EMailAddress1", "100"]);
    assert!(!error.to_string().contains("zzz"), "a personal value is not shown: {error}");
    assert_eq!((scene.commits(), scene.open_intents()), (vec![], 0));
}

#[tokio::test]
async fn an_option_that_cdms_does_not_have_is_refused_and_nothing_changes() {
    // The contract may list options that this CDMS does not have any more; then CDMS itself refuses.
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    let rows = scene.rows();
    let text = "The value of 'IndustryCode' on record of type 'account' is outside the valid range.";
    let refusal = Fault::Refuse { status: 500, code: -2_147_204_326, message: text.into() };
    scene.fault(Operation::Update, refusal);
    let error = failed(attempt.run(&scene).await, ErrorKind::Rejected);
    says(&error, &["IndustryCode", "outside the valid range", "list `choices` in the contract"]);
    assert_eq!(scene.rows(), rows);
}

#[tokio::test]
async fn a_model_that_the_hub_was_not_built_with_is_refused_by_name() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![Sector]).connect().await.unwrap();
    let error = failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Misconfigured);
    says(&error, &["Organisation", ".models(models![…])"]);
    let error = failed(Organisation::create(&hub, Organisation::named("Beta")).await, ErrorKind::Misconfigured);
    says(&error, &["Organisation"]);
}

#[tokio::test]
async fn a_hub_without_what_it_needs_says_which_call_is_missing() {
    let kit = Kit::new(example_domain::METADATA);
    let error = failed(Hub::builder().connect().await, ErrorKind::Misconfigured);
    says(&error, &[".database("]);
    let without_cdms = Hub::builder().database(kit.database()).models(example_domain::models());
    says(&failed(without_cdms.connect().await, ErrorKind::Misconfigured), &[".cdms("]);
    let builder = || Hub::builder().database(kit.database()).cdms(kit.simulator.root(), Anonymous);
    says(&failed(builder().connect().await, ErrorKind::Misconfigured), &[".models("]);
    let error = failed(builder().models(example_domain::models()).connect().await, ErrorKind::Store);
    says(&error, &["datahub_", "create_tables()"]);
    let error =
        failed(builder().models(example_domain::models()).database("mysql://x").connect().await, ErrorKind::Store);
    says(&error, &["mysql", "sqlite://"]);
    for root in ["crm.example.gov.uk/ORG", "http://crm.example.gov.uk/ORG", "ftp://crm.example.gov.uk/ORG", ""] {
        let hub = builder().models(example_domain::models()).cdms(root, Anonymous).connect().await;
        says(&failed(hub, ErrorKind::Misconfigured), &["the address of CDMS", "https://"]);
    }
}

#[tokio::test]
async fn a_table_that_does_not_fit_the_model_is_told_when_connecting() {
    let scene = Scene::new().await;
    scene.sql("ALTER TABLE organisations DROP COLUMN website");
    let hub = scene.kit.hub(example_domain::models()).connect().await;
    says(&failed(hub, ErrorKind::Store), &["organisations", "website"]);
}

#[tokio::test]
async fn cdms_being_away_does_not_keep_a_program_from_starting() {
    let (scene, _) = Scene::read().await;
    scene.kit.simulator.go_away();
    let hub = scene.another_program().await;
    let row = Organisation::get(&hub, scene.id()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(row.checked(), Checked::NotChecked { since: None });
    let error = failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Unavailable);
    says(&error, &["or_local()"]);
    assert_eq!(error.to_string().matches("try again later").count(), 1, "advice is given once: {error}");
    let row = Organisation::get(&hub, scene.id()).or_local().await.unwrap();
    assert_eq!((row.name.as_str(), row.checked().is_fresh()), ("Acme", false));
    let error = failed(Organisation::get(&hub, Id::new()).or_local().await, ErrorKind::Unavailable);
    says(&error, &["Organisation"]);
    // A change of local fields needs no CDMS.
    let mut org = row;
    org.archived = true;
    org.save(&hub).await.unwrap();
    scene.kit.simulator.come_back();
    let org = Organisation::get(&hub, scene.id()).await.unwrap();
    assert_eq!((found(&org), org.archived), (Finding::InSync, true), "first contact is made up for");
}

#[tokio::test]
async fn a_row_that_was_removed_behind_the_hubs_back_is_put_again() {
    let (scene, _) = Scene::read().await;
    scene.sql("DELETE FROM organisations");
    let org = scene.get().await.unwrap();
    assert_eq!(org.name, "Acme");
    assert_eq!(scene.dump("organisations").len(), 1);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn the_history_is_append_only_for_everybody() {
    let (scene, _) = Scene::read().await;
    let of_database: &[&str] = match scene.kit.is_on_postgres() {
        true => &["TRUNCATE datahub_history", "TRUNCATE datahub_erasures"],
        false => &[
            "INSERT OR REPLACE INTO datahub_history SELECT * FROM datahub_history",
            "REPLACE INTO datahub_history SELECT * FROM datahub_history",
            "UPDATE OR REPLACE datahub_history SET actor = 'nobody'",
        ],
    };
    let statements = [
        "DELETE FROM datahub_history",
        "DELETE FROM datahub_history WHERE sequence = 1",
        "UPDATE datahub_history SET actor = 'nobody'",
        "UPDATE datahub_history SET changes = '[]'",
        "UPDATE datahub_history SET at = modified",
        "UPDATE datahub_history SET erased = 1",
    ];
    for statement in statements.iter().chain(of_database) {
        let refused = scene.kit.run_sql(statement).unwrap_err();
        assert!(refused.contains("append-only"), "{refused}");
    }
    assert_eq!(scene.history().await, [EntryKind::FirstSeen]);
}

#[tokio::test]
async fn a_cdms_user_that_does_not_exist_is_told() {
    let scene = Scene::new().await;
    let hub = scene.program(|hub| hub.cdms_user("CDMS\\nobody")).await;
    let error = failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Misconfigured);
    says(&error, &["CDMS\\\\nobody", "DomainName"]);
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme")));
}

/// A clock that hangs, and with it whatever asks for the database's time, once it is told to.
#[derive(Clone)]
struct Hanging {
    clock: ManualClock,
    hangs: watch::Sender<bool>,
    asked: watch::Sender<bool>,
}

impl Clock for Hanging {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn of_database(&self, stated: Instant) -> Instant {
        let mut hangs = self.hangs.subscribe();
        if *hangs.borrow() {
            self.asked.send_replace(true);
            while *hangs.borrow_and_update() {
                std::thread::yield_now();
            }
        }
        self.clock.of_database(stated)
    }
}

#[tokio::test]
async fn a_database_with_too_much_to_do_says_so_whatever_is_asked_of_it() {
    let scene = Scene::new().await;
    let clock =
        Hanging { clock: scene.kit.clock.clone(), hangs: watch::Sender::new(false), asked: watch::Sender::new(false) };
    let hub = scene.program(|hub| hub.clock(clock.clone()).connections(1).max_operations(5_000)).await;
    Organisation::get(&hub, scene.id()).await.unwrap();
    clock.hangs.send_replace(true);
    // One hangs, and 1,024 wait; the test ends when the first of the others is refused.
    let mut reads = tokio::task::JoinSet::new();
    for number in 0..1_100 {
        let hub = hub.clone();
        reads.spawn(async move { Organisation::get(&hub, Id::from(uuid::Uuid::from_u128(number))).await });
    }
    let refused = failed(reads.join_next().await.unwrap().unwrap(), ErrorKind::Overloaded);
    says(&refused, &["is overloaded", "1024 jobs", "connections"]);
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));
    failed(Organisation::create(&hub, Organisation::named("Beta")).await, ErrorKind::Overloaded);
    reads.abort_all();
    hub.shutdown(Duration::ZERO).await;
    clock.hangs.send_replace(false);
}

/// Those who wait for a database that hangs, until this is dropped.
struct Crowd {
    erasures: tokio::task::JoinSet<Result<(), Error>>,
    hangs: watch::Sender<bool>,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.erasures.abort_all();
        self.hangs.send_replace(false);
    }
}

/// Has one erasure hang in the lane of those that write, and as many wait there as may.
async fn crowd(hub: &Hub, clock: &Hanging) -> Crowd {
    clock.hangs.send_replace(true);
    let mut crowd = Crowd { erasures: tokio::task::JoinSet::new(), hangs: clock.hangs.clone() };
    for number in 0..1_100 {
        let hub = hub.clone();
        let id = Id::<Organisation>::from(uuid::Uuid::from_u128(number));
        crowd.erasures.spawn(async move { Organisation::erase(&hub, id, "a request of the person").await.map(drop) });
    }
    let refused = failed(crowd.erasures.join_next().await.unwrap().unwrap(), ErrorKind::Overloaded);
    says(&refused, &["is overloaded"]);
    crowd
}

/// A save that CDMS has carried out and not answered yet.
struct Held {
    hub: Hub,
    clock: Hanging,
    answer: Gate,
    saving: tokio::task::JoinHandle<Result<Saved, Error>>,
}

async fn held_save(scene: &Scene) -> Held {
    let clock =
        Hanging { clock: scene.kit.clock.clone(), hangs: watch::Sender::new(false), asked: watch::Sender::new(false) };
    let hub = scene.program(|hub| hub.clock(clock.clone()).connections(1).max_operations(5_000)).await;
    let mut org = Organisation::get(&hub, scene.id()).await.unwrap();
    org.name = "Beta".into();
    let answer = scene.hold(Write::Update, Stage::AfterCommit);
    let saving = tokio::spawn({
        let hub = hub.clone();
        async move { org.save(&hub).await }
    });
    answer.arrived(1).await;
    Held { hub, clock, answer, saving }
}

#[tokio::test]
async fn a_write_without_an_answer_does_not_wait_for_a_database_that_is_away() {
    let scene = Scene::new().await;
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let Held { hub, clock, answer, saving } = held_save(&scene).await;
    let crowd = crowd(&hub, &clock).await;
    answer.open();
    // Nothing can be noted yet; settling waits for the end of the lease instead.
    let saved = tokio::time::timeout(Duration::from_secs(60), saving).await.expect("it waits for the database");
    failed(saved.unwrap(), ErrorKind::Unsettled);
    drop(crowd);
    scene.kit.advance(PAST_QUIET);
    assert_eq!(scene.settle().await.settled.len(), 1);
}

#[tokio::test]
async fn what_is_in_cdms_is_stored_however_much_waits_for_the_database() {
    spans::trace();
    let scene = Scene::new().await;
    let Held { hub, clock, answer, saving } = held_save(&scene).await;
    let crowd = crowd(&hub, &clock).await;
    answer.open();
    // It is refused meanwhile; a caller who was told "nothing was begun" would write once more.
    let is_refused = || spans::lines_about(scene.account).iter().any(|line| line.contains("trying again"));
    while !is_refused() {
        assert!(!saving.is_finished(), "a write that CDMS has was given up");
        tokio::task::yield_now().await;
    }
    drop(crowd);
    saving.await.unwrap().unwrap();
    let stored = Organisation::get(&hub, scene.id()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(stored.name, "Beta");
}

#[tokio::test]
async fn health_is_told_within_seconds_though_the_database_hangs() {
    let scene = Scene::new().await;
    let clock =
        Hanging { clock: scene.kit.clock.clone(), hangs: watch::Sender::new(false), asked: watch::Sender::new(false) };
    let hub = scene.program(|hub| hub.clock(clock.clone())).await;
    clock.hangs.send_replace(true);
    // Without its limit the test would hang here.
    let health = hub.health().await;
    let error = health.database.error().expect("the database does not answer");
    assert!(error.kind() == ErrorKind::Store && !health.is_ready(), "{error}");
    says(error, &["did not report the hub's state within 5 s", "check whether it hangs"]);
    clock.hangs.send_replace(false);
    hub.shutdown(Duration::from_secs(60)).await;
}

#[test]
fn a_shutdown_takes_no_longer_than_its_patience_though_the_database_hangs() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (clock, saving) = runtime.block_on(async {
        let scene = Scene::new().await;
        let clock = Hanging {
            clock: scene.kit.clock.clone(),
            hangs: watch::Sender::new(false),
            asked: watch::Sender::new(false),
        };
        let hub = scene.program(|hub| hub.clock(clock.clone())).await;
        let mut org = Organisation::get(&hub, scene.id()).await.unwrap();
        org.archived_reason = Some("moved".into());
        clock.hangs.send_replace(true);
        let saving = tokio::spawn({
            let hub = hub.clone();
            async move { org.save(&hub).await }
        });
        clock.asked.subscribe().wait_for(|asked| *asked).await.unwrap();
        // With a shutdown that waited for its threads the test would hang here.
        hub.shutdown(Duration::from_millis(1)).await;
        failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Unavailable);
        (clock, saving)
    });
    // And here with one whose waiting the runtime waits for, so that the program could not end.
    drop(runtime);
    clock.hangs.send_replace(false);
    drop(saving);
}
