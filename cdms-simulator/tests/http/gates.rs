//! Gates: a request is held before or after its commit until the test releases it.

use cdms_odata::Value;
use cdms_simulator::{FaultRule, Operation, Stage};
use serde_json::json;

use crate::scene::{ACCOUNT, Cdms, account, named, reply};

fn scene() -> Cdms {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms
}

#[tokio::test]
async fn a_request_waits_before_or_after_its_commit_until_the_gate_opens() {
    for (stage, held_name) in [(Stage::BeforeCommit, "Acme"), (Stage::AfterCommit, "New")] {
        let cdms = scene();
        let gate = cdms.simulator.hold(stage, |fault| FaultRule::new(fault).on(Operation::Update));
        let merge = tokio::spawn(reply(cdms.merging(&account(ACCOUNT), json!({"Name": "New"}))));
        gate.arrived(1).await;
        assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text(held_name), "{stage:?}");
        assert_eq!(cdms.get(&account(ACCOUNT)).await.d(200)["Name"], held_name, "other requests pass: {stage:?}");
        assert!(!merge.is_finished(), "{stage:?}");
        gate.open();
        merge.await.unwrap().done();
        assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("New"), "{stage:?}");
        cdms.merge(&account(ACCOUNT), json!({})).await.done();
    }
}

#[tokio::test]
async fn a_gate_counts_who_arrives_and_lets_all_go_at_once() {
    let cdms = scene();
    let gate = cdms.simulator.hold(Stage::BeforeCommit, FaultRule::new);
    let merges: Vec<_> = (0..5)
        .map(|number| tokio::spawn(reply(cdms.merging(&account(ACCOUNT), json!({"NumberOfEmployees": number})))))
        .collect();
    gate.arrived(5).await;
    assert_eq!(cdms.simulator.log(), []);
    assert_eq!(cdms.simulator.faults_hit()["hold"], 5);
    gate.open();
    for merge in merges {
        merge.await.unwrap().done();
    }
    assert_eq!(cdms.simulator.log().len(), 5, "each was carried out once, one after another");
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_its_waiting_request_along() {
    let cdms = scene();
    let gate = cdms.simulator.hold(Stage::BeforeCommit, |fault| FaultRule::new(fault).times(1));
    let merge = tokio::spawn(reply(cdms.merging(&account(ACCOUNT), json!({"Name": "New"}))));
    gate.arrived(1).await;
    merge.abort();
    // The request is logged as soon as the server notices.
    while cdms.simulator.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(cdms.simulator.requests()[0].status, None);
    gate.open();
    cdms.get(&account(ACCOUNT)).await.d(200);
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn cancelled_faults_hold_no_more_requests() {
    let cdms = scene();
    let gate = cdms.simulator.hold(Stage::BeforeCommit, FaultRule::new);
    cdms.simulator.clear_faults();
    cdms.merge(&account(ACCOUNT), json!({"Name": "New"})).await.done();
    assert_eq!(cdms.simulator.faults_hit().get("hold"), None);
    gate.open();
}
