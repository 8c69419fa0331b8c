//! `/_control/…`: programs in any language control the simulator over HTTP.

use cdms_odata::Value;
use cdms_simulator::{Expiry, Operation};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, NOON_MS, OTHER, Reply, account, named, reply, tried};

fn scene() -> Cdms {
    let cdms = Cdms::with(|builder| builder.control(true));
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms
}

async fn order(cdms: &Cdms, method: &str, resource: &str, body: Json) -> Reply {
    let address = format!("http://{}/_control/{resource}", cdms.host());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    reply(cdms.plain(method, &address).body(body)).await
}

#[tokio::test]
async fn the_clock_is_read_set_and_moved() {
    let cdms = scene();
    assert_eq!(order(&cdms, "GET", "clock", Json::Null).await.json(), json!({"now_ms": NOON_MS}));
    assert_eq!(order(&cdms, "POST", "clock", json!({"advance_ms": 5})).await.json(), json!({"now_ms": NOON_MS + 5}));
    let set = order(&cdms, "POST", "clock", json!({"set_ms": 100, "advance_ms": -1})).await;
    assert_eq!(set.json(), json!({"now_ms": 99}));
    assert_eq!(cdms.simulator.clock().now_ms(), 99);
    let end = order(&cdms, "POST", "clock", json!({"set_ms": i64::MIN, "advance_ms": i64::MIN})).await;
    assert_eq!(end.json(), json!({"now_ms": i64::MIN}), "the clock saturates");
}

#[tokio::test]
async fn faults_are_ordered_counted_and_taken_back() {
    let cdms = scene();
    let rule = json!({"operation": "update", "entity": "Account", "skip": 1, "times": 1, "fault": "deadlock"});
    assert_eq!(order(&cdms, "POST", "faults", rule).await.status, 200);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(cdms.merge(&account(ACCOUNT), json!({})).await.status);
    }
    assert_eq!(statuses, [204, 500, 204]);
    assert_eq!(order(&cdms, "GET", "faults", Json::Null).await.json(), json!({"hit": {"deadlock": 1}}));
    order(&cdms, "POST", "faults", json!({"fault": {"refuse": {"status": 503, "code": -1, "message": "Busy"}}})).await;
    cdms.get("AccountSet").await.refused(503, "-1", "Busy");
    assert_eq!(order(&cdms, "DELETE", "faults", Json::Null).await.status, 200);
    assert_eq!(cdms.get("AccountSet").await.status, 200);
}

#[tokio::test]
async fn every_fault_has_its_form_in_json() {
    let cdms = scene();
    for fault in [
        json!({"latency": 1}),
        json!("drop_before_commit"),
        json!("drop_after_commit"),
        json!("commit_late"),
        json!("truncate"),
        json!("unauthorized"),
        json!("redirect_to_login"),
        json!({"redirect_to": "http://x/"}),
        json!("login_form"),
        json!({"html": 503}),
        json!({"refuse": {"status": 500, "code": -1, "message": "x"}}),
        json!("deadlock"),
        json!({"plug_in": "x"}),
        json!("no_privilege"),
        json!("not_json"),
        json!("freeze_modified_on"),
        json!("other_id"),
        json!({"adjust": {"Name": "x", "IndustryCode": {"choice": 1}}}),
        json!({"corrupt": {"attribute": "Name", "json": "1"}}),
        json!({"hostile_next": "http://x/"}),
        json!("panic"),
    ] {
        order(&cdms, "DELETE", "faults", Json::Null).await;
        let answer = order(&cdms, "POST", "faults", json!({"operation": "delete", "fault": fault})).await;
        assert_eq!(answer.status, 200, "{fault}: {answer:?}");
    }
    let ordered =
        serde_json::to_value(cdms_simulator::FaultRule::new(cdms_simulator::Fault::Deadlock).on(Operation::List));
    assert_eq!(order(&cdms, "POST", "faults", ordered.unwrap()).await.status, 200, "as the library serializes it");
    cdms.simulator.clear_faults();
}

#[tokio::test]
async fn a_late_commit_happens_on_request() {
    let cdms = scene();
    order(&cdms, "POST", "faults", json!({"fault": "commit_late", "times": 1})).await;
    tried(cdms.merging(&account(ACCOUNT), json!({"Name": "Late"}))).await.unwrap_err();
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Acme"));
    assert_eq!(order(&cdms, "POST", "late", Json::Null).await.json(), json!({"committed": 1}));
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Late"));
}

#[tokio::test]
async fn log_and_requests_are_returned_as_json() {
    let cdms = scene();
    let merge = cdms.merging(&account(ACCOUNT), json!({"Name": "New"})).header("x-datahub-operation", "op-1");
    reply(merge).await.done();
    let log = order(&cdms, "GET", "log", Json::Null).await.json();
    let commit = &log.as_array().unwrap()[0];
    assert_eq!(
        (&commit["sequence"], &commit["at_ms"], &commit["kind"]),
        (&json!(1), &json!(NOON_MS), &json!("update"))
    );
    assert_eq!((&commit["entity"], &commit["id"]), (&json!("Account"), &json!(ACCOUNT.to_string())));
    assert_eq!((&commit["operation"], &commit["sent"]), (&json!("op-1"), &json!(["Name"])));
    assert_eq!((&commit["before"]["Name"], &commit["after"]["Name"]), (&json!("Acme"), &json!("New")));
    let requests = order(&cdms, "GET", "requests", Json::Null).await.json();
    assert_eq!(requests.as_array().unwrap().len(), 1, "control requests are not logged");
    assert_eq!((&requests[0]["method"], &requests[0]["status"]), (&json!("MERGE"), &json!(204)));
}

#[tokio::test]
async fn records_are_seeded_with_values_of_every_kind() {
    let cdms = scene();
    let attributes = json!({
        "AccountId": {"guid": OTHER.to_string()}, "Name": "Seeded", "NumberOfEmployees": 5, "DoNotPhone": true,
        "Revenue": {"money": "2.5"}, "IndustryCode": {"choice": 7}, "StateCode": {"choice": 1},
        "PrimaryContactId": {"lookup": ["contact", ACCOUNT.to_string()]}, "ModifiedOn": {"instant": 5000},
    });
    let answer = order(&cdms, "POST", "seed", json!([{"entity": "Account", "attributes": attributes}])).await;
    assert_eq!(answer.json(), json!({"ids": [OTHER.to_string()]}));
    let record = cdms.get(&account(OTHER)).await.d(200);
    assert_eq!((&record["Name"], &record["Revenue"]["Value"]), (&json!("Seeded"), &json!("2.5000")));
    assert_eq!((&record["StateCode"]["Value"], &record["ModifiedOn"]), (&json!(1), &json!("/Date(5000)/")));
    let made = order(&cdms, "POST", "seed", json!([{"entity": "Contact", "attributes": {}}])).await.json();
    let id: Uuid = made["ids"][0].as_str().unwrap().parse().unwrap();
    assert!(cdms.simulator.record("Contact", id).is_some());
}

#[tokio::test]
async fn invalid_orders_are_refused_with_the_reason() {
    let cdms = scene();
    for (method, resource, body, reason) in [
        ("POST", "faults", json!({"fault": "no_such"}), "no_such"),
        ("POST", "faults", json!({"fault": "deadlock", "entitiy": "Account"}), "entitiy"),
        ("POST", "faults", json!({"fault": "hold"}), "hold"),
        ("POST", "faults", Json::Null, "EOF"),
        ("POST", "clock", json!({"advance": 1}), "advance"),
        ("POST", "seed", json!([{"entity": "Acount", "attributes": {}}]), "AcountSet"),
        ("POST", "seed", json!([{"entity": "Account", "attributes": {"Nmae": "x"}}]), "Nmae"),
        ("POST", "seed", json!([{"entity": "Account", "attributes": {"Name": {"text": "x"}}}]), "text"),
    ] {
        let answer = order(&cdms, method, resource, body).await;
        assert_eq!(answer.status, 400, "{resource}: {answer:?}");
        let text = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(text.contains(reason), "{text} does not say: {reason}");
    }
    for (method, resource) in [("GET", "nothing"), ("PUT", "clock"), ("GET", "seed"), ("GET", "sessions"), ("GET", "")]
    {
        assert_eq!(order(&cdms, method, resource, Json::Null).await.status, 404, "{method} {resource}");
    }
    assert_eq!(cdms.get("AccountSet").await.status, 200, "no fault was ordered by mistake");
}

#[tokio::test]
async fn sessions_end_on_request() {
    let cdms = Cdms::with(|builder| builder.control(true).login("hub", "secret", Expiry::Unauthorized));
    let login = format!("{}/login", cdms.simulator.root());
    let entered = reply(cdms.plain("POST", &login).body("user=hub&password=secret")).await;
    let session = entered.header("set-cookie").unwrap().split(';').next().unwrap();
    let status = async || reply(cdms.ask("GET", "AccountSet").header("cookie", session)).await.status;
    assert_eq!(status().await, 200);
    assert_eq!(order(&cdms, "DELETE", "sessions", Json::Null).await.json(), json!({"ended": true}));
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn control_needs_no_login_and_meets_no_faults_but_must_be_switched_on() {
    let cdms = Cdms::with(|builder| builder.control(true).login("hub", "secret", Expiry::Unauthorized));
    order(&cdms, "POST", "faults", json!({"fault": {"html": 503}})).await;
    assert_eq!(order(&cdms, "GET", "log", Json::Null).await.json(), json!([]));
    assert_eq!(order(&Cdms::start(), "GET", "log", Json::Null).await.status, 404);
}

#[tokio::test]
async fn a_value_of_another_form_than_its_attribute_is_refused_with_the_right_one() {
    let cdms = scene();
    let id = OTHER.to_string();
    for (name, wrong, form) in [
        ("Name", json!(5), "text, as in \"Acme\""),
        ("NumberOfEmployees", json!("5"), "an integer"),
        ("VersionNumber", json!(5), "{\"bigint\": \"5\"}"),
        ("ExchangeRate", json!({"double": 1.5}), "{\"decimal\": \"1.5\"}"),
        ("Address1_Latitude", json!(51), "{\"double\": 51.5}"),
        ("DoNotPhone", json!("true"), "true or false"),
        ("optevia_LastVerified", json!("2016-08-27"), "{\"instant\": 1472338800000}"),
        ("optevia_LastVerified", json!({"date": "2016-08-27"}), "{\"instant\": 1472338800000}"),
        ("AccountId", json!(id), "{\"guid\": "),
        ("PrimaryContactId", json!({"guid": id}), "{\"lookup\": ["),
        ("PrimaryContactId", json!({"lookup": ["Contact", id]}), "in lower case"),
        ("StatusCode", json!(1), "{\"choice\": 1}"),
        ("Revenue", json!({"decimal": "5"}), "{\"money\": \"5.00\"}"),
    ] {
        let scene = json!([{"entity": "Account", "attributes": {name: wrong}}]);
        let refused = order(&cdms, "POST", "seed", scene).await;
        assert_eq!(refused.status, 400, "{name}: {refused:?}");
        let text = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(text.starts_with(&format!("record 1 (Account): Account.{name} has the type ")), "{text}");
        assert!(text.contains(form), "{text} does not say: {form}");
    }
    assert_eq!(cdms.get("AccountSet").await.results().len(), 1, "only the scene's own record exists");
}
