//! Pulls are stopped at points from a seed, while records are made and changed, and lose nothing.

use std::future::IntoFuture;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{Instant, Value};
use example_domain::Organisation;

use crate::changes::{LATER, is_exact, pull, rename, rename_late};
use crate::pull::crowd;
use crate::scene::{Scene, now};

/// When a record was last changed.
fn modified(scene: &Scene, id: Id<Organisation>) -> Instant {
    match scene.kit.simulator.record("Account", id.guid()).unwrap().get("ModifiedOn") {
        Some(Value::Instant(modified)) => *modified,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pulls_that_are_stopped_anywhere_are_exact_at_the_end() {
    let seed =
        std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    eprintln!("DATAHUB_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (scene, mut ids) = crowd(219).await;
    for round in 0..60 {
        for _ in 0..random.usize(0..12) {
            let id = ids[random.usize(0..ids.len())];
            match random.u8(0..8) {
                0 => ids
                    .push(scene.kit.simulator.seed("Account", [("Name", Value::text(format!("New {round}")))]).into()),
                1 => {
                    let ago = Duration::from_secs(random.u64(0..299));
                    // A record's own changes are committed one after the other.
                    if modified(&scene, id) < now(&scene).plus_ms(-300_000) {
                        rename_late(&scene, id, &format!("Late {round}"), ago);
                    }
                }
                _ => rename(&scene, id, &format!("Round {round}")),
            }
        }
        scene.kit.advance(Duration::from_millis(random.u64(0..90_000)));
        if random.u8(0..10) == 0 {
            let hub = scene.another_program().await;
            let report = hub.pull::<Organisation>().max_pages(random.u64(1..4)).await;
            assert!(report.is_ok(), "seed {seed}: {report:?}");
            continue;
        }
        let stage = if random.bool() { Stage::BeforeCommit } else { Stage::AfterCommit };
        let skipped = random.u32(0..4);
        let rule = |fault| FaultRule::new(fault).on(Operation::List).after(skipped).times(1);
        match random.u8(0..3) {
            0 => {
                let gate = scene.kit.simulator.hold(stage, rule);
                let pulling = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
                tokio::select! {
                    () = gate.arrived(1) => pulling.abort(),
                    () = async { while !pulling.is_finished() { tokio::task::yield_now().await } } => {}
                }
                gate.open();
                _ = pulling.await;
            }
            1 => {
                scene.kit.simulator.fault(rule(Fault::DropBeforeCommit));
                _ = scene.hub.pull::<Organisation>().await;
            }
            _ => {
                let pulling = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
                tokio::time::sleep(Duration::from_millis(random.u64(0..40))).await;
                pulling.abort();
                _ = pulling.await;
            }
        }
        scene.kit.simulator.clear_faults();
    }
    scene.kit.advance(LATER);
    for _ in 0..2 {
        assert!(pull(&scene).await.complete, "seed {seed}");
    }
    assert!(pull(&scene).await.changes_only, "seed {seed}");
    is_exact(&scene, &ids, &format!("seed {seed}")).await;
    assert_eq!(scene.dump("organisations").len(), ids.len(), "seed {seed}");
}
