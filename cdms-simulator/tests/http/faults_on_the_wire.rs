//! Faults of the connection: late answers, connections dropped before or after the commit, truncated answers, late
//! commits.

use cdms_odata::Value;
use cdms_simulator::{Fault, FaultRule, Operation, Stage};
use serde_json::json;

use crate::scene::{ACCOUNT, Cdms, OTHER, account, named, reply, tried};

/// A rename as text, so that every byte of the answer can be checked.
fn rename(cdms: &Cdms, name: &str) -> String {
    let path = cdms.at(&account(ACCOUNT)).replace(&format!("http://{}", cdms.host()), "");
    let body = json!({ "Name": name }).to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nX-HTTP-Method: MERGE\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn scene() -> Cdms {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms
}

#[test]
fn a_connection_dropped_before_the_commit_ends_without_a_byte_and_nothing_is_written() {
    let cdms = scene();
    cdms.simulator.fault(FaultRule::new(Fault::DropBeforeCommit).times(1));
    assert_eq!(cdms.raw(&rename(&cdms, "New")), "");
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Acme"));
    assert_eq!(cdms.simulator.log(), []);
    let request = cdms.simulator.requests().pop().unwrap();
    assert_eq!((request.status, request.faults), (None, vec!["drop_before_commit".to_owned()]));
}

#[test]
fn a_connection_dropped_after_the_commit_ends_without_a_byte_and_all_is_written() {
    let cdms = scene();
    cdms.simulator.fault(FaultRule::new(Fault::DropAfterCommit).times(1));
    assert_eq!(cdms.raw(&rename(&cdms, "New")), "");
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("New"));
    assert_eq!(cdms.simulator.log().len(), 1);
    assert_eq!(cdms.simulator.requests().pop().unwrap().status, None);
}

#[tokio::test]
async fn a_client_meets_a_dropped_connection_as_an_error_and_can_go_on() {
    let cdms = scene();
    for fault in [Fault::DropBeforeCommit, Fault::DropAfterCommit, Fault::CommitLate] {
        cdms.simulator.fault(FaultRule::new(fault).times(1));
        let error = tried(cdms.merging(&account(ACCOUNT), json!({"Name": "New"}))).await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
        cdms.simulator.clear_faults();
        cdms.get(&account(ACCOUNT)).await.d(200);
    }
}

#[tokio::test]
async fn a_late_commit_happens_on_request_and_once() {
    let cdms = scene();
    cdms.simulator.fault(FaultRule::new(Fault::CommitLate).times(1));
    let merge = cdms.merging(&account(ACCOUNT), json!({"Name": "Late"})).header("x-datahub-operation", "op-3");
    tried(merge).await.unwrap_err();
    assert_eq!(cdms.simulator.log(), []);
    cdms.merge(&account(ACCOUNT), json!({"Name": "Between"})).await.done();
    cdms.simulator.clock().advance_ms(60_000);
    assert_eq!(cdms.simulator.commit_late(), 1);
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Late"));
    let log = cdms.simulator.log();
    let commits: Vec<_> = log.iter().map(|commit| (commit.operation.as_deref(), commit.at_ms - log[0].at_ms)).collect();
    assert_eq!(commits, [(None, 0), (Some("op-3"), 60_000)]);
    assert_eq!(cdms.simulator.commit_late(), 0, "only once");
}

#[tokio::test]
async fn a_late_commit_that_cdms_refuses_by_then_does_not_count() {
    let cdms = scene();
    cdms.simulator.fault(FaultRule::new(Fault::CommitLate).times(1));
    tried(cdms.merging(&account(ACCOUNT), json!({"Name": "Late"}))).await.unwrap_err();
    cdms.simulator.remove("Account", ACCOUNT);
    assert_eq!(cdms.simulator.commit_late(), 0);
}

#[test]
fn a_truncated_answer_states_its_length_and_breaks_off_in_the_middle() {
    let cdms = scene();
    cdms.simulator.fault(FaultRule::new(Fault::Truncate).times(2));
    let path = cdms.at(&account(ACCOUNT)).replace(&format!("http://{}", cdms.host()), "");
    let get = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n");
    let answer = cdms.raw(&get);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {answer:?}"));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2);
    assert!(body.starts_with("{\"d\":{"), "{body}");
    assert_eq!(cdms.raw(&rename(&cdms, "New")), "", "an answer without a body is not sent at all");
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("New"), "but the write happened");
}

#[tokio::test]
async fn a_client_notices_a_truncated_answer() {
    let cdms = scene();
    cdms.simulator.fault(FaultRule::new(Fault::Truncate).times(1));
    tried(cdms.ask("GET", "AccountSet")).await.unwrap_err();
    assert_eq!(cdms.get("AccountSet").await.results().len(), 1);
}

#[tokio::test]
async fn a_late_answer_comes_and_lets_others_pass_meanwhile() {
    let cdms = scene();
    const NEVER_MS: u64 = 3_600_000;
    cdms.simulator.fault(FaultRule::new(Fault::Latency(NEVER_MS)).on(Operation::Update).times(1));
    // The hit is counted when the request arrives, so the list is certainly later.
    let mut slow = std::pin::pin!(reply(cdms.merging(&account(ACCOUNT), json!({"Name": "Slow"}))));
    while cdms.simulator.faults_hit().is_empty() {
        tokio::select! { biased; done = &mut slow => panic!("the request did not wait: {done:?}"), () = tokio::task::yield_now() => {} }
    }
    tokio::select! {
        biased;
        done = &mut slow => panic!("the request did not wait: {done:?}"),
        list = cdms.get("AccountSet") => assert_eq!(list.results().len(), 1),
    }
    assert_eq!(cdms.simulator.log(), [], "not carried out yet");
    cdms.simulator.fault(FaultRule::new(Fault::Latency(1)).times(1));
    cdms.merge(&account(ACCOUNT), json!({"Name": "Soon"})).await.done();
    assert_eq!(cdms.simulator.faults_hit()["latency"], 2);
}

#[tokio::test]
async fn latencies_add_up_without_end() {
    let cdms = scene();
    cdms.simulator.fault(FaultRule::new(Fault::Latency(u64::MAX)));
    cdms.simulator.fault(FaultRule::new(Fault::Latency(u64::MAX)));
    let gate = cdms.simulator.hold(Stage::BeforeCommit, |fault| FaultRule::new(fault).entity("Contact"));
    let waiting = cdms.get("AccountSet");
    tokio::select! {
        biased;
        done = waiting => panic!("the request did not wait: {done:?}"),
        () = async { while cdms.simulator.faults_hit().is_empty() { tokio::task::yield_now().await; } } => {}
    }
    gate.open();
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(OTHER, "B"));
    let path = cdms.at("AccountSet?$select=AccountId").replace(&format!("http://{}", cdms.host()), "");
    let one = |close: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n{close}\r\n");
    let answers = cdms.raw(&format!("{}{}{}", one(""), one(""), one("Connection: close\r\n")));
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
}
