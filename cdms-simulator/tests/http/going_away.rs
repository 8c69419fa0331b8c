//! CDMS goes away and comes back: connections are refused meanwhile, and afterwards its records are unchanged.

use cdms_simulator::{FaultRule, Stage};
use serde_json::json;

use crate::scene::{ACCOUNT, Cdms, account, client, named, reply, tried};

#[tokio::test]
async fn connecting_is_refused_while_it_is_away_and_works_again_at_the_same_address() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let root = cdms.simulator.root();
    for round in 0..3 {
        // A new client each time: an older one would try its old connection first.
        let get = client().get(cdms.at(&account(ACCOUNT))).header("accept", "application/json");
        assert_eq!(reply(get).await.status, 200, "round {round}");
        cdms.simulator.go_away();
        cdms.simulator.go_away();
        let error = tried(client().get(cdms.at("AccountSet"))).await.unwrap_err();
        assert!(error.is_connect(), "round {round}: {error:?}");
        cdms.simulator.come_back();
        cdms.simulator.come_back();
        assert_eq!(cdms.simulator.root(), root);
        let get = client().get(cdms.at(&account(ACCOUNT))).header("accept", "application/json");
        assert_eq!(reply(get).await.d(200)["Name"], "Acme", "round {round}");
    }
}

#[tokio::test]
async fn requests_under_way_are_broken_off() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let gate = cdms.simulator.hold(Stage::BeforeCommit, |fault| FaultRule::new(fault).times(1));
    let merge = tokio::spawn(tried(cdms.merging(&account(ACCOUNT), json!({"Name": "New"}))));
    gate.arrived(1).await;
    cdms.simulator.go_away();
    merge.await.unwrap().unwrap_err();
    gate.open();
    cdms.simulator.come_back();
    let get = client().get(cdms.at(&account(ACCOUNT))).header("accept", "application/json");
    assert_eq!(reply(get).await.d(200)["Name"], "Acme");
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn a_stopped_simulator_is_gone_even_while_requests_wait() {
    let cdms = Cdms::start();
    let gate = cdms.simulator.hold(Stage::BeforeCommit, FaultRule::new);
    let address = cdms.at("AccountSet");
    let waiting = tokio::spawn(tried(cdms.ask("GET", "AccountSet")));
    gate.arrived(1).await;
    cdms.simulator.stop();
    waiting.await.unwrap().unwrap_err();
    assert!(tried(client().get(address)).await.unwrap_err().is_connect());
}
