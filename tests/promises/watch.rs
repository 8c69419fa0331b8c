//! A watch keeps models up to date in the background: one program at a time for each, through outages, and past a model
//! that fails.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{Models, Value, Watch, WatchBuilder, WatchEvent, WatchState};
use example_domain::{Contact, Organisation, Sector};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::pull::crowd;
use crate::scene::{Scene, failed, says};

const MINUTE: Duration = Duration::from_secs(60);

/// An interval and the tenth by which it may be longer.
const INTERVAL: Duration = Duration::from_secs(67);

/// What watches tell, each with the name that the test has for it.
struct Told {
    to: UnboundedSender<(&'static str, WatchEvent)>,
    events: UnboundedReceiver<(&'static str, WatchEvent)>,
}

impl Told {
    fn new() -> Self {
        let (to, events) = unbounded_channel();
        Told { to, events }
    }

    /// Starts a watch that tells.
    async fn by(&self, name: &'static str, watch: WatchBuilder) -> Watch {
        let to = self.to.clone();
        // Once the test has seen enough, it no longer listens.
        watch.seed(7).on_event(move |event| _ = to.send((name, event.clone()))).await.unwrap()
    }

    async fn next(&mut self) -> (&'static str, WatchEvent) {
        let next = tokio::time::timeout(Duration::from_secs(60), self.events.recv()).await;
        next.expect("the watch tells something").expect("the test can tell, too")
    }

    /// The next event of a watch, which must have pulled a model; its name.
    async fn pulled(&mut self) -> &'static str {
        match self.next().await.1 {
            WatchEvent::Pulled(fresh) => fresh.model,
            other => panic!("{other:?}"),
        }
    }

    /// What is told until this is, with it.
    async fn until(&mut self, wanted: impl Fn(&WatchEvent) -> bool) -> Vec<WatchEvent> {
        let mut told = Vec::new();
        loop {
            told.push(self.next().await.1);
            if told.last().is_some_and(&wanted) {
                return told;
            }
        }
    }

    /// What was told that the test has not asked for.
    fn rest(&mut self) -> Vec<WatchEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).map(|(_, event)| event).collect()
    }
}

fn watch(hub: &Hub, models: Models) -> WatchBuilder {
    hub.watch(models, MINUTE)
}

/// How many lists of this set CDMS was asked for since.
fn lists(scene: &Scene, set: &str) -> usize {
    let requests = scene.kit.simulator.take_requests();
    requests.iter().filter(|request| request.target.contains(&format!(".svc/{set}?"))).count()
}

fn rename(scene: &Scene, name: &str) {
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text(name))]);
}

/// The leases of watches in the database.
fn leases(scene: &Scene) -> usize {
    scene.dump("datahub_settings").iter().filter(|setting| setting.contains("name='watch:")).count()
}

#[tokio::test]
async fn models_are_loaded_in_the_order_of_their_lookups_and_then_pulled_once_an_interval() {
    let (scene, _) = crowd(3).await;
    scene.kit.simulator.seed("Contact", [("LastName", Value::text("Lovelace"))]);
    let (mut told, before) = (Told::new(), scene.hub.cost());
    // A budget binds those who wait for something, and not the background.
    let hub = scene.hub.with_budget(0);
    let watch = told.by("one", watch(&hub, models![Contact, Organisation, Sector])).await;
    assert_eq!([told.pulled().await, told.pulled().await, told.pulled().await], ["Sector", "Organisation", "Contact"]);
    assert_eq!((scene.dump("organisations").len(), scene.dump("contacts").len()), (4, 1));

    for round in 0..4 {
        let name = format!("Acme {round}");
        rename(&scene, &name);
        lists(&scene, "AccountSet");
        scene.kit.advance(INTERVAL);
        for _ in 0..3 {
            told.pulled().await;
        }
        assert_eq!(lists(&scene, "AccountSet"), 1);
        assert_eq!(scene.row().await.unwrap().name, name);
    }
    assert!(told.rest().is_empty());
    let report = watch.report();
    for model in &report.models {
        assert_eq!((&model.state, model.pulls, model.failures), (&WatchState::Waiting, 5, 0));
        assert_eq!(model.checked_at, crate::scene::now(&scene).to_utc());
    }
    // The four reads of the test itself did not ask CDMS.
    assert_eq!(report.cost.requests, (scene.hub.cost() - before).requests);
    assert_eq!(leases(&scene), 3);
    watch.stop().await;
    assert_eq!(leases(&scene), 0);
    let too_often = scene.hub.watch(models![Organisation], Duration::from_millis(999)).await;
    says(&failed(too_often, ErrorKind::Misconfigured), &["999ms", "too short"]);
}

#[tokio::test]
async fn two_programs_pull_once_an_interval_between_them() {
    let (scene, _) = crowd(3).await;
    let mut told = Told::new();
    let first = told.by("first", watch(&scene.hub, models![Organisation])).await;
    told.pulled().await;
    let other = scene.another_program().await;
    let second = told.by("second", watch(&other, models![Organisation])).await;
    let (_, event) = told.next().await;
    assert!(matches!(&event, WatchEvent::LeftToOthers { who, .. } if who.starts_with("tests (process")), "{event:?}");
    for _ in 0..5 {
        lists(&scene, "AccountSet");
        scene.kit.advance(INTERVAL);
        let mut events = [told.next().await, told.next().await];
        events.sort_by_key(|(name, _)| *name);
        assert!(
            matches!(&events, [("first", WatchEvent::Pulled(_)), ("second", WatchEvent::LeftToOthers { .. })]),
            "{events:?}"
        );
        assert_eq!(lists(&scene, "AccountSet"), 1);
    }
    assert!(matches!(&second.report().models[0].state, WatchState::LeftToOthers(who) if who.starts_with("tests")));

    // One that stops gives its lease back, so the other one goes on at its next look.
    assert_eq!(first.stop().await.models[0].pulls, 6);
    rename(&scene, "Acme Foods");
    scene.kit.advance(INTERVAL);
    assert!(matches!(told.next().await, ("second", WatchEvent::Pulled(_))));
    assert_eq!(scene.row().await.unwrap().name, "Acme Foods");
    assert_eq!(second.stop().await.models[0].pulls, 1);
}

#[tokio::test]
async fn another_program_takes_over_from_one_that_is_gone() {
    let (scene, _) = crowd(3).await;
    let mut told = Told::new();
    // Its tasks end in the middle of whatever they do, as if the program had been killed.
    let gone = std::thread::scope(|scope| {
        let program = scope.spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let (watch, hub) = runtime.block_on(async {
                let hub = scene.program(|hub| hub.program("gone")).await;
                let watch = told.by("gone", watch(&hub, models![Organisation])).await;
                assert_eq!(told.pulled().await, "Organisation");
                (watch, hub)
            });
            runtime.shutdown_background();
            (watch, hub)
        });
        program.join().unwrap()
    });
    assert_eq!(leases(&scene), 1);
    rename(&scene, "Acme Foods");
    let watch = told.by("here", watch(&scene.hub, models![Organisation])).await;
    let left_to = |event: WatchEvent| match event {
        WatchEvent::LeftToOthers { who, lease, .. } => {
            assert!(who.starts_with("gone") && lease <= MINUTE * 2 + MINUTE / 10, "{who}, {lease:?}");
        }
        other => panic!("{other:?}"),
    };
    left_to(told.next().await.1);
    scene.kit.advance(INTERVAL);
    left_to(told.next().await.1);
    scene.kit.advance(MINUTE);
    let (_, event) = told.next().await;
    assert!(matches!(&event, WatchEvent::TakenOver { from, .. } if from.starts_with("gone")), "{event:?}");
    told.pulled().await;
    assert_eq!(scene.row().await.unwrap().name, "Acme Foods");
    watch.stop().await;
    drop(gone);
}

#[tokio::test]
async fn an_outage_is_told_once_and_its_end_too() {
    let (scene, _) = crowd(3).await;
    let mut told = Told::new();
    let watch = told.by("one", watch(&scene.hub, models![Organisation, Sector])).await;
    told.pulled().await;
    told.pulled().await;
    scene.kit.simulator.go_away();
    scene.kit.advance(INTERVAL);
    let (_, event) = told.next().await;
    assert!(matches!(&event, WatchEvent::CdmsAway { error } if error.kind() == ErrorKind::Unavailable), "{event:?}");
    assert!(watch.report().is_cdms_away);
    // It is asked again, and again in vain.
    for _ in 0..5 {
        let asked = watch.report().cost.requests;
        scene.kit.advance(Duration::from_secs(700));
        while watch.report().cost.requests == asked {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(told.rest().is_empty());
    scene.kit.simulator.come_back();
    rename(&scene, "Acme Foods");
    scene.kit.advance(Duration::from_secs(700));
    let (_, event) = told.next().await;
    assert!(matches!(event, WatchEvent::CdmsBack), "{event:?}");
    let mut both = [told.pulled().await, told.pulled().await];
    both.sort_unstable();
    assert_eq!(both, ["Organisation", "Sector"]);
    assert_eq!(scene.row().await.unwrap().name, "Acme Foods");
    let report = watch.stop().await;
    assert!(!report.is_cdms_away && report.models.iter().all(|model| model.failures == 0 && model.pulls == 2));
}

#[tokio::test]
async fn a_model_that_fails_is_paused_while_the_others_go_on() {
    let (scene, _) = crowd(3).await;
    let mut told = Told::new();
    let watch = told.by("one", watch(&scene.hub, models![Organisation, Sector])).await;
    told.pulled().await;
    told.pulled().await;
    // CDMS answers, but for this one list.
    scene.kit.simulator.fault(FaultRule::new(Fault::Html(500)).on(Operation::List).entity("Account"));
    let mut events = Vec::new();
    for _ in 0..3 {
        scene.kit.advance(INTERVAL);
        for _ in 0..2 {
            events.push(told.next().await.1);
        }
    }
    events.push(told.next().await.1);
    let failures = |event: &WatchEvent| match event {
        WatchEvent::PullFailed { model: "Organisation", failures, .. } => Some(*failures),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(failures).collect::<Vec<_>>(), [1, 2, 3], "{events:?}");
    let pulled = events.iter().filter(|event| matches!(event, WatchEvent::Pulled(fresh) if fresh.model == "Sector"));
    assert_eq!(pulled.count(), 3, "{events:?}");
    assert!(events.iter().any(|event| matches!(event, WatchEvent::Paused { model: "Organisation", .. })), "{events:?}");
    let paused = &watch.report().models[0];
    assert_eq!((&paused.state, paused.failures), (&WatchState::Paused, 3));
    assert_eq!(paused.pull_error.as_ref().map(Error::kind), Some(ErrorKind::Unavailable));

    lists(&scene, "AccountSet");
    scene.kit.advance(INTERVAL);
    assert_eq!(told.pulled().await, "Sector");
    assert_eq!(lists(&scene, "AccountSet"), 0, "it is left alone");
    scene.kit.simulator.clear_faults();
    scene.kit.advance(Duration::from_secs(700));
    let events = told.until(|event| matches!(event, WatchEvent::Pulled(fresh) if fresh.model == "Organisation")).await;
    assert!(events.iter().any(|event| matches!(event, WatchEvent::Recovered { model: "Organisation" })), "{events:?}");
    let report = watch.stop().await;
    assert_eq!((&report.models[0].state, report.models[0].failures), (&WatchState::Waiting, 0));
    assert!(report.models[0].pull_error.is_none());
}

#[tokio::test]
async fn a_model_whose_records_do_not_fit_does_not_fill_the_quarantine() {
    let (scene, _) = crowd(3).await;
    for _ in 0..200 {
        scene.unfit();
    }
    let mut told = Told::new();
    let watch = told.by("one", watch(&scene.hub, models![Organisation, Sector])).await;
    let events = told.until(|event| matches!(event, WatchEvent::Paused { model: "Organisation", .. })).await;
    let error = events.iter().find_map(|event| match event {
        WatchEvent::PullFailed { model: "Organisation", error, .. } => Some(error),
        _ => None,
    });
    says(error.unwrap(), &["records of Organisation", "hub.quarantine(100)"]);
    assert!(scene.quarantine().await.len() <= 50, "one page of them");
    assert_eq!(watch.report().models[0].state, WatchState::Paused);
    // A few that do not fit are no reason.
    let tolerant = scene.another_program().await;
    watch.stop().await;
    let watch = told.by("two", tolerant.watch(models![Organisation], MINUTE).pause_above(1.0)).await;
    let events = told.until(|event| matches!(event, WatchEvent::Pulled(fresh) if fresh.model == "Organisation")).await;
    assert!(!events.iter().any(|event| matches!(event, WatchEvent::PullFailed { model: "Organisation", .. })));
    assert_eq!(scene.dump("organisations").len(), 4);
    watch.stop().await;
}

/// A scene with a watch whose first load has a page in flight, which waits at the gate.
async fn reading() -> (Scene, Watch, datahub_runtime::testing::simulator::Gate) {
    let (scene, _) = crowd(149).await;
    // The first list asks for the newest change, the others are pages.
    let hold = |hold| FaultRule::new(hold).on(Operation::List).entity("Account").after(1);
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, hold);
    let watch = watch(&scene.hub, models![Organisation]).await.unwrap();
    gate.arrived(1).await;
    (scene, watch, gate)
}

#[tokio::test]
async fn a_watch_that_is_dropped_ends_with_its_page() {
    let (scene, watch, gate) = reading().await;
    // However long it takes, nothing piles up.
    for _ in 0..5 {
        scene.kit.advance(INTERVAL);
    }
    drop(watch);
    gate.open();
    while leases(&scene) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((scene.dump("organisations").len(), lists(&scene, "AccountSet")), (50, 2), "the page is stored");
    let report = scene.hub.pull::<Organisation>().await.unwrap();
    assert!(report.resumed);
    assert_eq!(scene.dump("organisations").len(), 150);
}

#[tokio::test]
async fn a_shutdown_waits_for_the_page_and_ends_the_watch() {
    let (scene, watch, gate) = reading().await;
    let hub = scene.hub.clone();
    let shutdown = tokio::spawn(async move { hub.shutdown(Duration::from_secs(30)).await });
    while scene.hub.watch(models![Organisation], MINUTE).await.is_ok() {
        tokio::task::yield_now().await;
    }
    gate.open();
    shutdown.await.unwrap();
    assert_eq!((scene.dump("organisations").len(), leases(&scene)), (50, 0));
    let report = watch.stop().await;
    assert_eq!((report.models[0].pulls, report.models[0].failures), (0, 0));
}

#[tokio::test]
async fn deletions_are_found_and_the_brake_of_a_sweep_does_not_stop_the_pulls() {
    let (scene, ids) = crowd(99).await;
    let hour = Duration::from_secs(3_600);
    let mut told = Told::new();
    let one = told.by("one", watch(&scene.hub, models![Organisation]).sweep_every(hour)).await;
    told.pulled().await;
    let swept = |event: WatchEvent| match event {
        WatchEvent::Swept { model: "Organisation", report } => report,
        other => panic!("{other:?}"),
    };
    assert_eq!(swept(told.next().await.1).listed, 100);
    let first = crate::scene::now(&scene).to_utc();
    scene.kit.simulator.remove("Account", ids[0].guid());
    for _ in 0..3 {
        scene.kit.advance(INTERVAL);
        told.pulled().await;
    }
    assert_eq!(one.report().models[0].deletions_as_of, first);
    // Another program knows when the last sweep was.
    one.stop().await;
    let two = scene.another_program().await;
    let two = told.by("two", watch(&two, models![Organisation]).sweep_every(hour)).await;
    told.pulled().await;
    scene.kit.advance(INTERVAL);
    told.pulled().await;
    assert!(told.rest().is_empty());

    scene.kit.advance(hour);
    let events = told.until(|event| matches!(event, WatchEvent::Swept { .. })).await;
    assert_eq!(swept(events.last().unwrap().clone()).ended, 1);
    told.rest();

    for id in &ids[1..40] {
        scene.kit.simulator.remove("Account", id.guid());
    }
    scene.kit.advance(hour + hour / 9);
    let events = told.until(|event| matches!(event, WatchEvent::SweepFailed { .. })).await;
    let Some(WatchEvent::SweepFailed { error, .. }) = events.last() else { unreachable!("it was waited for") };
    says(error, &["39 of 99 rows"]);
    told.rest();
    scene.kit.advance(INTERVAL);
    told.pulled().await;
    assert_eq!(scene.dump("organisations").len(), 99);
    assert_eq!(two.report().models[0].sweep_error.as_ref().map(Error::kind), Some(ErrorKind::Misconfigured));
    // The list is read again, because the cause may be gone.
    lists(&scene, "AccountSet");
    scene.kit.advance(hour + hour / 9);
    let events = told.until(|event| matches!(event, WatchEvent::SweepFailed { .. })).await;
    assert!(lists(&scene, "AccountSet") >= 2, "{events:?}");
    two.stop().await;
}
