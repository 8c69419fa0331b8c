//! Errors that CDMS answers a write with and that do not say whether it was carried out: one look at the record decides.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{Value, Verdict};

use crate::scene::{Scene, Write, failed, says};

/// Errors in CDMS's JSON whose codes prove nothing, with what each is about; 0: none.
const ENDED: [(i32, &str); 6] = [
    (-2_147_220_970, "An unexpected error occurred."),
    (-2_147_220_935, "The date-time format is invalid, or value is outside the supported range."),
    (-2_147_204_304, "A validation error occurred: the decimal is out of range."),
    (-2_147_220_946, "The record is read-only."),
    (-2_147_220_943, "The user lacks a privilege."),
    (0, "An error occurred."),
];

#[tokio::test]
async fn an_error_of_cdms_that_proves_nothing_is_decided_by_one_look() {
    for write in Write::ALL {
        for (code, message) in ENDED {
            let what = format!("{write:?} {code}");
            let scene = Scene::new().await;
            let attempt = write.prepare(&scene).await;
            let rows = scene.rows();
            let sent = scene.requests(write.method()).len();
            scene.fault(write.operation(), Fault::Refuse { status: 500, code, message: message.into() });
            let error = failed(attempt.run(&scene).await, ErrorKind::Rejected);
            says(&error, &[message, "nothing changed on either side"]);
            assert_eq!((scene.rows(), scene.open_intents()), (rows, 0), "{what}");
            assert_eq!(scene.commits(), [], "{what}");

            // The same answer after CDMS has carried the write out.
            let (_, cost) = {
                scene.fault(write.operation(), Fault::FailAfterCommit { code, message: message.into() });
                let (written, cost) = scene.cost_of(attempt.run(&scene)).await;
                (written.unwrap_or_else(|error| panic!("{what}: {error}")), cost)
            };
            let requests = if write == Write::Create { 2 } else { 3 };
            assert_eq!(cost.requests, requests, "{what}: a look in place of the read-back");
            assert_eq!(scene.requests(write.method()).len(), sent + 2, "{what}: nothing is sent again");
            assert!(attempt.is_in_cdms(&scene), "{what}");
            assert_eq!((scene.commits().len(), scene.open_intents()), (1, 0), "{what}");
            attempt.agrees(&scene).await;
        }
    }
}

#[tokio::test]
async fn what_a_look_cannot_decide_is_settled_without_a_quiet_period() {
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::FailAfterCommit { code: 0, message: "An error occurred.".into() });
    // The look fails: the first GET is the approach's.
    scene.kit.simulator.fault(FaultRule::new(Fault::Html(502)).on(Operation::Read).after(1).times(1));
    let error = failed(attempt.run(&scene).await, ErrorKind::Unsettled);
    says(&error, &["An error occurred.", "502"]);
    let report = scene.settle().await;
    assert_eq!(report.settled, [(error.operation_id().unwrap(), Verdict::Applied)], "no time has passed");
    attempt.agrees(&scene).await;

    // A person changes the same attribute before the look: what came of the write cannot be told.
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::FailAfterCommit { code: 0, message: "An error occurred.".into() });
    let gate = scene.hold(Write::Update, Stage::AfterCommit);
    let (updated, ()) = tokio::join!(attempt.run(&scene), async {
        gate.arrived(1).await;
        scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Third"))]);
        gate.open();
    });
    let error = failed(updated, ErrorKind::Unsettled);
    let report = scene.settle().await;
    let names = vec!["Name".to_owned()];
    assert_eq!(report.settled, [(error.operation_id().unwrap(), Verdict::Superseded { attributes: names })]);
    assert_eq!(scene.get().await.unwrap().name, "Third");
}

#[tokio::test]
async fn an_sql_error_after_the_write_is_not_sent_again() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        let failure = Fault::FailAfterCommit { code: -2_147_204_784, message: "Generic SQL error.".into() };
        scene.fault(write.operation(), failure);
        attempt.run(&scene).await.unwrap();
        assert_eq!(scene.requests(write.method()).len(), 1, "{write:?}");
        assert_eq!((scene.commits().len(), scene.open_intents()), (1, 0), "{write:?}");
        attempt.agrees(&scene).await;
    }
    // An edit of the same attribute after an SQL error is not overwritten by sending again.
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::Deadlock);
    let gate = scene.hold(Write::Update, Stage::AfterCommit);
    let (updated, ()) = tokio::join!(attempt.run(&scene), async {
        gate.arrived(1).await;
        scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Third"))]);
        gate.open();
    });
    failed(updated, ErrorKind::Unsettled);
    assert_eq!(scene.requests("MERGE").len(), 1);
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Third")));
}

#[tokio::test]
async fn a_duplicate_key_after_an_sql_error_is_settled_by_reading() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    scene.fault(Operation::Create, Fault::Deadlock);
    // The second try meets the record that the first one has made after all.
    let duplicate = Fault::FailAfterCommit { code: -2_147_220_937, message: "Cannot insert duplicate key.".into() };
    scene.kit.simulator.fault(FaultRule::new(duplicate).on(Operation::Create).after(1).times(1));
    attempt.run(&scene).await.unwrap();
    assert_eq!(scene.requests("POST").len(), 2);
    assert_eq!((scene.commits().len(), scene.open_intents()), (1, 0));
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn what_stands_in_front_of_cdms_refuses() {
    for write in Write::ALL {
        for (status, advice) in [
            (407, "the proxy's user and password"),
            (411, "check the log of the proxy"),
            (413, "send less at once"),
            (414, "limits on the length of addresses"),
            (415, "check the log of the proxy"),
            (429, "try again later"),
            (431, "limits on the length of addresses"),
        ] {
            let what = format!("{write:?} {status}");
            let scene = Scene::new().await;
            let attempt = write.prepare(&scene).await;
            let rows = scene.rows();
            scene.fault(write.operation(), Fault::Html(status));
            let error = failed(attempt.run(&scene).await, ErrorKind::Rejected);
            says(&error, &["in front of CDMS", &status.to_string(), "nothing changed on either side", advice]);
            assert_eq!((scene.rows(), scene.open_intents()), (rows, 0), "{what}");
            attempt.run(&scene).await.unwrap();
        }
    }
}

/// A limit (docs/promises.md, 4): nothing shows a create that was made under another id and answered with an error.
#[tokio::test]
async fn a_create_under_another_id_that_is_answered_with_an_sql_error_is_sent_again() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    scene.fault(Operation::Create, Fault::OtherId);
    let (code, message) = (-2_147_204_784, "Generic SQL error.".into());
    scene.fault(Operation::Create, Fault::FailAfterCommit { code, message });
    attempt.run(&scene).await.unwrap();
    attempt.agrees(&scene).await;
    let made = scene.commits();
    assert_eq!(made.len(), 2, "one under another id, and one under the chosen one");
    assert_ne!(made[0].id, made[1].id);
    assert_eq!(made[0].operation, made[1].operation);
    assert_eq!(scene.open_intents(), 0);
}
