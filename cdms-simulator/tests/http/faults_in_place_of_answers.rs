//! Faults that answer instead of CDMS: nothing is carried out, and the answer is the ordered one.

use std::collections::BTreeMap;

use cdms_odata::Value;
use cdms_simulator::{Fault, FaultRule, Operation};
use serde_json::json;

use crate::scene::{ACCOUNT, Cdms, OTHER, Reply, account, key, named};

/// The answer to a rename that a fault affects; the next rename works.
async fn met(fault: Fault) -> Reply {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let name = fault.name();
    cdms.simulator.fault(FaultRule::new(fault).times(1));
    let reply = cdms.merge(&account(ACCOUNT), json!({"Name": "New"})).await;
    assert_eq!(cdms.simulator.log(), [], "{name}: nothing is written");
    assert_eq!(cdms.simulator.faults_hit(), BTreeMap::from([(name.to_owned(), 1)]));
    let request = cdms.simulator.requests().pop().unwrap();
    assert_eq!((request.faults, request.status), (vec![name.to_owned()], Some(reply.status)), "{name}");
    cdms.merge(&account(ACCOUNT), json!({"Name": "New"})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("New"), "{name}: the next rename works");
    reply
}

#[tokio::test]
async fn a_lost_login_shows_as_401_redirect_or_form() {
    let unauthorized = met(Fault::Unauthorized).await;
    assert_eq!((unauthorized.status, unauthorized.body.as_str()), (401, ""));
    let redirect = met(Fault::RedirectToLogin).await;
    assert_eq!(redirect.status, 302);
    assert!(redirect.header("location").unwrap().contains("wa=wsignin1.0"));
    let form = met(Fault::LoginForm).await;
    assert_eq!((form.status, form.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(form.body.contains("<form") && form.body.contains("name=\"password\""), "{form:?}");
}

#[tokio::test]
async fn a_redirect_leads_to_the_given_address() {
    let redirect = met(Fault::RedirectTo("https://evil.example/x".to_owned())).await;
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("https://evil.example/x")));
}

#[tokio::test]
async fn pages_of_html_come_with_any_status() {
    for status in [500, 503, 200] {
        let page = met(Fault::Html(status)).await;
        assert_eq!((page.status, page.header("content-type")), (status, Some("text/html; charset=utf-8")));
        assert!(page.body.starts_with("<html>"), "{page:?}");
    }
}

#[tokio::test]
async fn refusals_have_the_given_code_and_text() {
    let refused =
        met(Fault::Refuse { status: 500, code: -2_147_220_970, message: "An unexpected error.".to_owned() }).await;
    refused.refused(500, "-2147220970", "An unexpected error.");
    let without = met(Fault::Refuse { status: 503, code: 0, message: "Busy".to_owned() }).await;
    without.refused(503, "", "Busy");
}

#[tokio::test]
async fn a_deadlock_is_a_generic_sql_error() {
    met(Fault::Deadlock).await.refused(500, "-2147204784", "Generic SQL error");
}

#[tokio::test]
async fn a_plug_in_refuses_in_its_own_words() {
    met(Fault::PlugIn("Closed on Sundays".to_owned())).await.refused(500, "-2147220891", "Closed on Sundays");
}

#[tokio::test]
async fn an_answer_that_is_not_json_has_status_200() {
    let reply = met(Fault::NotJson).await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&reply.body).is_err(), "{reply:?}");
}

#[tokio::test]
async fn a_missing_privilege_names_itself_by_what_was_tried() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.simulator.fault(FaultRule::new(Fault::NoPrivilege));
    let contact = key("ContactSet", OTHER);
    for (reply, right) in [
        (cdms.get(&account(ACCOUNT)).await, "prvReadAccount"),
        (cdms.get("ContactSet").await, "prvReadContact"),
        (cdms.create("ContactSet", json!({})).await, "prvCreateContact"),
        (cdms.merge(&account(ACCOUNT), json!({})).await, "prvWriteAccount"),
        (cdms.delete(&contact).await, "prvDeleteContact"),
    ] {
        let text = format!("is missing {right} privilege");
        reply.refused(403, "-2147220960", &text);
    }
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn a_rule_affects_only_its_operation_and_entity_and_obeys_skip_and_times() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let rule = FaultRule::new(Fault::Deadlock).on(Operation::Update).entity("Account").after(1).times(2);
    cdms.simulator.fault(rule);
    let mut statuses = Vec::new();
    for number in 0..5 {
        assert_eq!(cdms.get(&account(ACCOUNT)).await.status, 200, "another operation");
        assert_eq!(cdms.create("ContactSet", json!({})).await.status, 201, "another entity");
        statuses.push(cdms.merge(&account(ACCOUNT), json!({"Name": number.to_string()})).await.status);
    }
    assert_eq!(statuses, [204, 500, 500, 204, 204]);
    assert_eq!(cdms.simulator.faults_hit()["deadlock"], 2);
}

#[tokio::test]
async fn operations_are_distinguished() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    for (operation, expected) in [
        (Operation::Read, [503, 200, 201, 204, 200]),
        (Operation::List, [200, 503, 201, 204, 200]),
        (Operation::Create, [200, 200, 503, 204, 200]),
        (Operation::Update, [200, 200, 201, 503, 200]),
        (Operation::Other, [200, 200, 201, 204, 503]),
    ] {
        cdms.simulator.clear_faults();
        cdms.simulator.fault(FaultRule::new(Fault::Html(503)).on(operation));
        let statuses = [
            cdms.get(&account(ACCOUNT)).await.status,
            cdms.get("AccountSet").await.status,
            cdms.create("AccountSet", json!({})).await.status,
            cdms.merge(&account(ACCOUNT), json!({})).await.status,
            cdms.get("$metadata").await.status,
        ];
        assert_eq!(statuses, expected, "{operation:?}");
    }
    cdms.simulator.clear_faults();
    cdms.simulator.fault(FaultRule::new(Fault::Html(503)).on(Operation::Delete));
    assert_eq!(cdms.delete(&account(ACCOUNT)).await.status, 503);
    cdms.simulator.clear_faults();
    cdms.delete(&account(ACCOUNT)).await.done();
}
