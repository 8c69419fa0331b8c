//! Rounds of settling: what they take for evidence and for the end of a quiet period, and what does not stop them.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{EntryKind, Note, Settling, Value, Verdict};
use example_domain::Organisation;

use crate::scene::{PAST_QUIET, Scene, acme, failed};

#[tokio::test]
async fn a_value_that_cdms_has_normalised_settles_as_applied() {
    let (scene, mut org) = Scene::read().await;
    scene.minute();
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    (org.name, org.description) = ("Acme Foods  ".into(), "one\ntwo".into());
    let unsettled = failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    let stored = [("Name", Value::text("Acme Foods")), ("Description", Value::text("one\r\ntwo"))];
    scene.kit.simulator.overwrite("Account", scene.account, stored);
    scene.kit.advance(PAST_QUIET);
    let report = scene.settle().await;
    assert_eq!(report.settled, [(unsettled.operation_id().unwrap(), Verdict::Applied)]);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Updated], "the change counts as ours");
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let name = history[1].changes.iter().find(|change| change.field == "name").unwrap();
    assert_eq!(name.note, Note::Adjusted { sent: Value::text("Acme Foods  ") });

    // What no such rule explains stays superseded.
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Bakery".into();
    failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    scene.kit.simulator.overwrite("Account", scene.account, [("Name", Value::text("ACME BAKERY"))]);
    scene.kit.advance(PAST_QUIET);
    let [(_, Verdict::Superseded { attributes })] = &scene.settle().await.settled[..] else { panic!("not settled") };
    assert_eq!(attributes, &["Name"]);
}

#[tokio::test]
async fn a_write_is_settled_by_its_writer_s_quiet_period() {
    let (scene, mut org) = Scene::read().await;
    scene.minute();
    scene.fault(Operation::Update, Fault::CommitLate);
    org.name = "Acme Foods".into();
    let unsettled = failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    let hasty = scene.program(|hub| hub.execution_limit(Duration::from_secs(10))).await;
    scene.kit.advance(Duration::from_secs(300));
    assert_eq!(hasty.settle().await.unwrap().waiting.len(), 1, "not before 330 s");
    scene.kit.simulator.commit_late();
    scene.kit.advance(Duration::from_secs(31));
    let report = hasty.settle().await.unwrap();
    assert_eq!(report.settled, [(unsettled.operation_id().unwrap(), Verdict::Applied)]);
}

#[tokio::test]
async fn one_record_that_cdms_cannot_give_does_not_stop_the_settling() {
    let scene = Scene::new().await;
    let mut operations = Vec::new();
    for _ in 0..3 {
        let id = scene.kit.simulator.seed("Account", acme());
        let mut org = Organisation::get(&scene.hub, id.into()).await.unwrap();
        scene.fault(Operation::Update, Fault::DropAfterCommit);
        org.name = "Acme Foods".into();
        let unsettled = failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
        operations.push(unsettled.operation_id().unwrap());
    }
    scene.kit.advance(PAST_QUIET);
    for failing in [
        Fault::Refuse { status: 500, code: -2_147_220_970, message: "An unexpected error occurred.".into() },
        Fault::Html(503),
        Fault::DropBeforeCommit,
    ] {
        // Only the first record's GET, whoever sends it.
        scene.kit.simulator.fault(FaultRule::new(failing).on(Operation::Read).times(1));
        let report = scene.settle().await;
        assert_eq!(report.failed.len(), 1, "{report:?}");
        operations.retain(|operation| !report.settled.iter().any(|(settled, _)| settled == operation));
        if operations.len() == 1 {
            assert_eq!(report.failed[0].0, operations[0]);
        }
    }
    assert_eq!(scene.settle().await.settled.len(), 1, "and it is settled once it can be read");

    // A CDMS that is away is not asked about each of them.
    let (scene, mut org) = Scene::read().await;
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    org.name = "Acme Foods".into();
    failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    scene.kit.simulator.go_away();
    assert_eq!(scene.settle().await.failed.len(), 1);
}

#[tokio::test]
async fn many_who_wait_for_one_write_cause_no_storm_of_reads() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.settling(Settling::InBackground)).await;
    let others: Vec<_> = (0..4).map(|_| scene.kit.simulator.seed("Account", acme())).collect();
    let ids = others.iter().chain([&scene.account]);
    for id in ids {
        let mut org = Organisation::get(&scene.hub, (*id).into()).await.unwrap();
        scene.fault(Operation::Update, Fault::CommitLate);
        org.name = "Acme Foods".into();
        failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    }
    let busy = || async {
        let mut org = scene.row().await.unwrap();
        org.name = "Acme Bakery".into();
        failed(org.save(&scene.hub).await, ErrorKind::Busy);
    };
    let reads = || scene.requests("GET").len();
    let before = reads();
    for _ in 0..50 {
        busy().await;
    }
    scene.hub.shutdown(Duration::from_secs(60)).await;
    // The looks that the writes themselves had asked for may still have been under way, and one that those who wait ask for.
    let looks = reads() - before;
    assert!(looks <= 10, "{looks} reads for 50 who wait");
}
