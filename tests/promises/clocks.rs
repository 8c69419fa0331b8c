//! Programs whose machines tell different times agree on what has ended, because they go by the database's clock.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{Clock, Instant, Verdict};
use example_domain::Organisation;

use crate::scene::{PAST_QUIET, Scene, Write, failed};

/// Further ahead than a lease and a quiet period are long.
const AHEAD_MS: i64 = 3_600_000;

#[tokio::test]
async fn a_program_whose_clock_is_ahead_does_not_settle_early() {
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::DropBeforeCommit);
    let operation = failed(attempt.run(&scene).await, ErrorKind::Unsettled).operation_id().unwrap();
    let ahead = scene.program(|hub| hub.clock(scene.kit.clock.ahead_by(AHEAD_MS))).await;

    let report = ahead.settle().await.unwrap();
    assert!(report.settled.is_empty() && report.waiting.len() == 1, "{report:?}");
    scene.kit.advance(PAST_QUIET);
    assert_eq!(ahead.settle().await.unwrap().settled, [(operation, Verdict::NotApplied)]);
}

#[tokio::test]
async fn a_write_under_way_is_left_alone_by_a_program_whose_clock_is_ahead() {
    let scene = Scene::new().await;
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    let ahead = scene.program(|hub| hub.clock(scene.kit.clock.ahead_by(AHEAD_MS))).await;
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let (saved, ()) = tokio::join!(org.save(&scene.hub), async {
        gate.arrived(1).await;
        let report = ahead.settle().await.unwrap();
        assert!(report.settled.is_empty() && report.waiting.len() == 1, "{report:?}");
        gate.open();
    });
    saved.unwrap();
    assert_eq!(scene.open_intents(), 0);
}

#[tokio::test]
async fn a_program_whose_clock_is_behind_keeps_its_lease_and_no_longer() {
    let scene = Scene::new().await;
    let behind = scene.program(|hub| hub.clock(scene.kit.clock.ahead_by(-AHEAD_MS))).await;
    let mut org = Organisation::get(&behind, scene.id()).await.unwrap();
    org.name = "Acme Foods".into();
    scene.fault(Operation::Update, Fault::DropBeforeCommit);
    failed(org.save(&behind).await, ErrorKind::Unsettled);
    scene.kit.advance(PAST_QUIET);
    assert_eq!(scene.settle().await.settled.len(), 1, "the other program's clock does not prolong the lease");
}

#[tokio::test]
async fn a_lease_is_over_by_the_clock_that_says_less_is_left() {
    // A person sets the time of day back while the lease runs out, or forward while nothing of it is used.
    for (passed, set_by_ms) in [(Duration::from_secs(200), -200_000), (Duration::ZERO, 200_000)] {
        let scene = Scene::new().await;
        let attempt = Write::Update.prepare(&scene).await;
        scene.kit.simulator.fault(FaultRule::new(Fault::Deadlock).on(Operation::Update));
        let gate = scene.hold(Write::Update, Stage::BeforeCommit);
        let (result, ()) = tokio::join!(attempt.run(&scene), async {
            gate.arrived(1).await;
            scene.kit.clock.advance(passed);
            scene.kit.clock.shift(set_by_ms);
            gate.open();
        });
        failed(result, ErrorKind::Rejected);
        assert_eq!(scene.requests("MERGE").len(), 1, "after {passed:?}, set by {set_by_ms} ms");
        assert_eq!(scene.open_intents(), 0);
    }
}

/// A clock that was never set.
struct NeverSet;

const NEVER_SET: Instant = Instant(946_684_800_000);

impl Clock for NeverSet {
    fn now(&self) -> Instant {
        NEVER_SET
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn the_history_is_dated_by_the_server_where_there_is_one() {
    let scene = Scene::new().await;
    let hub = scene.program(|hub| hub.clock(NeverSet)).await;
    Organisation::get(&hub, scene.id()).await.unwrap();
    let history = Organisation::history(&hub, scene.id()).await.unwrap();
    let told = history[0].at;
    if scene.kit.is_on_postgres() {
        assert!(told.0 > NEVER_SET.0 + 20 * 365 * 86_400_000, "{told}");
    } else {
        assert_eq!(told, NEVER_SET, "SQLite has no clock but the machine's");
    }
}
