//! Faults inside answers: wrong times, ids, attributes and links.

use cdms_odata::{Attributes, Instant, Value};
use cdms_simulator::{Fault, FaultRule, Operation};
use serde_json::{Value as Json, json};

use crate::scene::{ACCOUNT, Cdms, NOON_MS, account, named};

#[tokio::test]
async fn a_frozen_time_of_change_stays_while_the_write_happens() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.simulator.fault(FaultRule::new(Fault::FreezeModifiedOn).times(1));
    cdms.simulator.clock().advance_ms(5_000);
    let stamp = |ms: i64| Value::Instant(Instant(ms / 1000 * 1000));
    cdms.merge(&account(ACCOUNT), json!({"Name": "Unseen"})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Unseen"));
    assert_eq!(cdms.held("Account", ACCOUNT, "ModifiedOn"), stamp(NOON_MS));
    cdms.merge(&account(ACCOUNT), json!({"Name": "Finding"})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "ModifiedOn"), stamp(NOON_MS + 5_000));
}

#[tokio::test]
async fn another_id_than_the_chosen_one_is_given() {
    let cdms = Cdms::start();
    cdms.simulator.fault(FaultRule::new(Fault::OtherId).times(1));
    let reply = cdms.create("AccountSet", json!({"AccountId": ACCOUNT.to_string(), "Name": "Acme"})).await;
    let id = reply.d(201)["AccountId"].as_str().unwrap().to_owned();
    assert_ne!(id, ACCOUNT.to_string());
    assert!(reply.header("location").unwrap().contains(&id));
    assert_eq!(cdms.simulator.record("Account", ACCOUNT), None);
    assert_eq!(cdms.held("Account", id.parse().unwrap(), "Name"), Value::text("Acme"));
}

#[tokio::test]
async fn a_plug_in_adjusts_what_is_written() {
    let cdms = Cdms::start();
    let adjusted = Attributes::from([("Name", Value::text("ACME")), ("NumberOfEmployees", Value::Integer(1))]);
    cdms.simulator.fault(FaultRule::new(Fault::Adjust(adjusted)).times(2));
    let body = json!({"AccountId": ACCOUNT.to_string(), "Name": "Acme"});
    let made = cdms.create("AccountSet", body).await.d(201);
    assert_eq!((&made["Name"], &made["NumberOfEmployees"]), (&json!("ACME"), &json!(1)));
    cdms.merge(&account(ACCOUNT), json!({"Name": "New", "DoNotPhone": true})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("ACME"));
    assert_eq!(cdms.held("Account", ACCOUNT, "DoNotPhone"), Value::Boolean(true), "the other attributes are as sent");
    assert_eq!(cdms.simulator.log().pop().unwrap().sent, ["DoNotPhone", "Name"]);
}

#[tokio::test]
async fn a_plug_in_that_adjusts_what_is_not_there_is_noticed() {
    let cdms = Cdms::start();
    cdms.simulator.fault(FaultRule::new(Fault::Adjust(Attributes::from([("Nmae", Value::text("x"))]))));
    cdms.create("AccountSet", json!({})).await.refused(400, "", "'Nmae'");
}

#[tokio::test]
async fn an_attribute_is_shown_as_something_else_but_held_as_it_is() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    for (attribute, text, shown) in [
        ("AccountId", "\"no-guid\"", json!("no-guid")),
        ("Name", "{\"a\":[1]}", json!({"a": [1]})),
        ("Name", "no json", json!("no json")),
    ] {
        cdms.simulator.clear_faults();
        let (attribute, json) = (attribute.to_owned(), text.to_owned());
        cdms.simulator.fault(FaultRule::new(Fault::Corrupt { attribute: attribute.clone(), json }));
        assert_eq!(cdms.get(&account(ACCOUNT)).await.d(200)[&attribute], shown, "one record");
        assert_eq!(cdms.get("AccountSet").await.results()[0][&attribute], shown, "a list");
    }
    cdms.simulator.clear_faults();
    assert_eq!(cdms.get(&account(ACCOUNT)).await.d(200)["Name"], "Acme");
}

#[tokio::test]
async fn a_next_link_leads_to_another_host_even_from_the_last_page() {
    let hostile = "https://evil.example/ORG/x.svc/AccountSet?$skiptoken=1";
    for rows in [1, 3] {
        let cdms = Cdms::with(|builder| builder.page_size(2));
        for number in 0..rows {
            cdms.simulator.seed("Account", [("Name", Value::text(number.to_string()))]);
        }
        cdms.simulator.fault(FaultRule::new(Fault::HostileNext(hostile.to_owned())).on(Operation::List).times(1));
        assert_eq!(cdms.get("AccountSet").await.d(200)["__next"], hostile, "{rows} rows");
        let next = cdms.get("AccountSet").await.d(200).get("__next").cloned();
        assert_eq!(next.is_some(), rows == 3, "{rows} rows, without the fault");
        assert!(!next.unwrap_or(Json::Null).to_string().contains("evil"));
    }
}
