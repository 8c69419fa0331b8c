//! Updates and deletions: tunnelled or not, partial, without the attributes that clients cannot set.

use cdms_odata::{Attributes, Instant, Value};
use serde_json::json;
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, NOON_MS, OTHER, account, lookup, named, reply};

fn full() -> Attributes {
    Attributes::from([
        ("AccountId", Value::Guid(ACCOUNT)),
        ("Name", Value::text("Acme")),
        ("NumberOfEmployees", Value::Integer(5)),
        ("IndustryCode", Value::Choice(7)),
        ("Revenue", Value::Money(10.into())),
        ("PrimaryContactId", lookup("contact", OTHER)),
        ("StatusCode", Value::Choice(3)),
    ])
}

#[tokio::test]
async fn a_merge_changes_what_it_names_and_nothing_else() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", full());
    let before = cdms.simulator.record("Account", ACCOUNT).unwrap();
    cdms.simulator.clock().advance_ms(5_000);
    cdms.merge(&account(ACCOUNT), json!({"Name": "Acme & Co"})).await.done();
    let mut expected = before;
    expected.insert("Name", Value::text("Acme & Co"));
    expected.insert("ModifiedOn", Value::Instant(Instant((NOON_MS + 5_000) / 1000 * 1000)));
    expected.insert("ModifiedBy", lookup("systemuser", cdms.simulator.service_user()));
    assert_eq!(cdms.simulator.record("Account", ACCOUNT).unwrap(), expected);
}

#[tokio::test]
async fn every_kind_of_value_can_be_written() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", [("AccountId", Value::Guid(ACCOUNT))]);
    let body = json!({
        "Name": " £ 钢 ", "NumberOfEmployees": -3, "DoNotPhone": true, "ExchangeRate": "1.50", "Address1_Latitude": 51.5,
        "optevia_LastVerified": "/Date(-1)/", "IndustryCode": {"Value": 7}, "Revenue": {"Value": "2.5"},
        "PrimaryContactId": {"Id": OTHER.to_string(), "LogicalName": "Contact", "Name": "ignored"},
    });
    cdms.merge(&account(ACCOUNT), body).await.done();
    for (name, value) in [
        ("Name", Value::text(" £ 钢 ")),
        ("NumberOfEmployees", Value::Integer(-3)),
        ("DoNotPhone", Value::Boolean(true)),
        ("ExchangeRate", Value::Decimal("1.50".parse().unwrap())),
        ("Address1_Latitude", Value::Double(51.5)),
        // Before 1970, too, times are truncated towards the past.
        ("optevia_LastVerified", Value::Instant(Instant(-1000))),
        ("IndustryCode", Value::Choice(7)),
        ("Revenue", Value::Money("2.5".parse().unwrap())),
        ("PrimaryContactId", lookup("contact", OTHER)),
    ] {
        assert_eq!(cdms.held("Account", ACCOUNT, name), value, "{name}");
    }
    cdms.merge(&account(ACCOUNT), json!({"optevia_LastVerified": "2016-06-15T01:00:00+01:00"})).await.done();
    let midnight = Value::Instant(Instant(1_465_948_800_000));
    assert_eq!(cdms.held("Account", ACCOUNT, "optevia_LastVerified"), midnight, "ISO form");
}

#[tokio::test]
async fn times_are_kept_in_whole_seconds() {
    let cdms = Cdms::start();
    let id = OTHER.to_string();
    let body = json!({"AccountId": id, "Name": "Acme", "optevia_LastVerified": "/Date(1475671950999)/"});
    cdms.create("AccountSet", body).await.d(201);
    assert_eq!(cdms.get(&account(OTHER)).await.d(200)["optevia_LastVerified"], "/Date(1475671950000)/");
    for (sent, kept) in
        [("/Date(1999)/", "/Date(1000)/"), ("/Date(-1)/", "/Date(-1000)/"), ("/Date(-1000)/", "/Date(-1000)/")]
    {
        cdms.merge(&account(OTHER), json!({"optevia_LastVerified": sent})).await.done();
        assert_eq!(cdms.get(&account(OTHER)).await.d(200)["optevia_LastVerified"], kept, "{sent}");
    }
}

#[tokio::test]
async fn empty_text_and_members_that_are_all_null_clear() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", full());
    let body = json!({
        "Name": "", "NumberOfEmployees": null, "IndustryCode": {"Value": null}, "Revenue": {"Value": null},
        "PrimaryContactId": {"Id": null, "LogicalName": null, "Name": null},
    });
    cdms.merge(&account(ACCOUNT), body).await.done();
    for name in ["Name", "NumberOfEmployees", "IndustryCode", "Revenue", "PrimaryContactId"] {
        assert_eq!(cdms.held("Account", ACCOUNT, name), Value::Null, "{name}");
    }
}

#[tokio::test]
async fn a_bare_null_for_a_complex_property_clears_it_or_by_the_switch_does_nothing() {
    for clears in [true, false] {
        let cdms = Cdms::with(|builder| builder.bare_null_clears(clears));
        cdms.simulator.seed("Account", full());
        cdms.merge(&account(ACCOUNT), json!({"PrimaryContactId": null, "Name": null})).await.done();
        assert_eq!(cdms.held("Account", ACCOUNT, "PrimaryContactId").is_null(), clears);
        assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::Null, "a primitive property is always cleared");
    }
}

#[tokio::test]
async fn what_clients_cannot_change_is_ignored_and_a_record_can_be_posted_back_as_it_was_read() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", full());
    let mut record = cdms.get(&account(ACCOUNT)).await.d(200);
    record["Name"] = json!("New");
    record["StateCode"]["Value"] = json!(1);
    record["OwnerId"]["Id"] = json!(OTHER.to_string());
    record["CreatedOn"] = json!("/Date(0)/");
    let before = cdms.simulator.record("Account", ACCOUNT).unwrap();
    cdms.merge(&account(ACCOUNT), record).await.done();
    let after = cdms.simulator.record("Account", ACCOUNT).unwrap();
    assert_eq!(after.get("Name"), Some(&Value::text("New")));
    for name in ["StateCode", "OwnerId", "CreatedOn", "CreatedBy", "PrimaryContactId", "Revenue"] {
        assert_eq!(after.get(name), before.get(name), "{name}");
    }
}

#[tokio::test]
async fn what_the_server_keeps_about_a_record_is_kept() {
    let cdms = Cdms::start();
    let user = json!({"Id": OTHER.to_string(), "LogicalName": "systemuser"});
    let kept = json!({"Name": "New", "Merged": true, "OwningUser": user});
    let made = cdms.create("AccountSet", kept.clone()).await.d(201);
    cdms.simulator.seed("Account", full());
    cdms.merge(&account(ACCOUNT), kept).await.done();
    let made = made["AccountId"].as_str().unwrap().parse().unwrap();
    for id in [made, ACCOUNT] {
        assert_eq!(cdms.held("Account", id, "Name"), Value::text("New"));
        for name in ["Merged", "OwningUser"] {
            assert_eq!(cdms.held("Account", id, name), Value::Null, "{name}");
        }
    }
    // Merging two records in the server's own pages sets it.
    cdms.simulator.edit("Account", ACCOUNT, [("Merged", Value::Boolean(true))]);
    assert_eq!(cdms.held("Account", ACCOUNT, "Merged"), Value::Boolean(true));
}

#[tokio::test]
async fn the_switch_refuses_a_change_of_state_or_owner() {
    let cdms = Cdms::with(|builder| builder.refuse_read_only(true));
    cdms.simulator.seed("Account", full());
    for body in
        [json!({"StateCode": {"Value": 1}}), json!({"OwnerId": {"Id": OTHER.to_string(), "LogicalName": "systemuser"}})]
    {
        cdms.merge(&account(ACCOUNT), body).await.refused(400, "", "cannot be set");
    }
}

#[tokio::test]
async fn a_replacement_resets_what_it_leaves_out() {
    let cdms = Cdms::start();
    let id: Uuid = cdms.create("AccountSet", json!({"Name": "Acme", "NumberOfEmployees": 5})).await.d(201)["AccountId"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    cdms.merge(&account(id), json!({"StatusCode": {"Value": 3}})).await.done();
    let before = cdms.simulator.record("Account", id).unwrap();
    for request in [cdms.ask("PUT", &account(id)), cdms.ask("POST", &account(id)).header("x-http-method", "PUT")] {
        reply(request.body(r#"{"DoNotPhone":true}"#)).await.done();
        let after = cdms.simulator.record("Account", id).unwrap();
        assert_eq!(after.get("DoNotPhone"), Some(&Value::Boolean(true)));
        for name in ["Name", "NumberOfEmployees"] {
            assert_eq!(after.get(name), Some(&Value::Null), "{name}");
        }
        assert_eq!(after.get("StatusCode"), Some(&Value::Choice(1)), "the default");
        for name in ["AccountId", "CreatedOn", "OwnerId", "StateCode", "Address1_AddressId"] {
            assert_eq!(after.get(name), before.get(name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_merge_must_be_tunnelled() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", full());
    let refused = reply(cdms.ask("MERGE", &account(ACCOUNT)).body(r#"{"Name":"New"}"#)).await;
    refused.refused(405, "", "tunnelled");
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Acme"));
}

#[tokio::test]
async fn a_deletion_by_verb_or_tunnelled_is_for_good() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "A"));
    cdms.simulator.seed("Account", named(OTHER, "B"));
    cdms.delete(&account(ACCOUNT)).await.done();
    reply(cdms.ask("POST", &account(OTHER)).header("x-http-method", "DELETE")).await.done();
    for id in [ACCOUNT, OTHER] {
        assert_eq!(cdms.simulator.record("Account", id), None);
        cdms.get(&account(id)).await.refused(404, "-2147220969", "Does Not Exist");
        cdms.delete(&account(id)).await.refused(404, "-2147220969", "Does Not Exist");
        cdms.merge(&account(id), json!({"Name": "No upsert"})).await.refused(404, "-2147220969", "Does Not Exist");
    }
    assert_eq!(cdms.get("AccountSet").await.results().len(), 0);
}

#[tokio::test]
async fn times_are_taken_in_every_form_that_clients_send() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", full());
    for sent in [
        "/Date(1472338800000)/",
        "/Date(1472338800000+0000)/",
        "/Date(1472338800000+0100)/",
        "/Date(1472338800000-60)/",
        "2016-08-27T23:00:00Z",
        "2016-08-28T00:00:00+01:00",
        "2016-08-27T23:00:00",
        "2016-08-27T23:00:00.000",
        "2016-08-27T23:00",
    ] {
        cdms.merge(&account(ACCOUNT), json!({"optevia_LastVerified": null})).await.done();
        cdms.merge(&account(ACCOUNT), json!({ "optevia_LastVerified": sent })).await.done();
        let held = cdms.held("Account", ACCOUNT, "optevia_LastVerified");
        assert_eq!(held, Value::Instant(Instant(1_472_338_800_000)), "{sent}");
    }
    cdms.merge(&account(ACCOUNT), json!({"optevia_LastVerified": "2016-08-27"})).await.done();
    let held = cdms.held("Account", ACCOUNT, "optevia_LastVerified");
    assert_eq!(held, Value::Instant(Instant(1_472_256_000_000)), "without a zone, in UTC");
    for sent in
        ["/Date()/", "/Date(+)/", "/Date(1+)/", "/Date(1+00000)/", "/Date(1+x)/", "/Date(1", "2016-08-27T", "noon"]
    {
        let refused = cdms.merge(&account(ACCOUNT), json!({ "optevia_LastVerified": sent })).await;
        refused.refused(400, "", "to type 'Edm.DateTime'");
    }
}
