//! The domain of each kind, and the states of records: values that CDMS cannot store are refused.

use cdms_odata::Value;
use serde_json::{Value as Json, json};

use crate::scene::{ACCOUNT, Cdms, OTHER, account, key, named, reply};

const OUT_OF_RANGE: (&str, &str) = ("-2147204326", "is outside the valid range");
const INVALID: (&str, &str) = ("-2147220989", "Invalid Argument");
const MISMATCH: (&str, &str) = ("-2147187704", "is not a valid status code for state code");

#[tokio::test]
async fn a_value_outside_its_kinds_domain_is_refused_and_the_last_one_inside_is_kept() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let money = |amount: &str| json!({ "Value": amount });
    let cases: [(&str, Json, Json, (&str, &str)); 12] = [
        ("optevia_LastVerified", json!("1753-01-01T00:00:00Z"), json!("1752-12-31T23:59:59Z"), INVALID),
        ("optevia_LastVerified", json!("/Date(-6847804800000)/"), json!("/Date(-6847804800001)/"), INVALID),
        ("optevia_LastVerified", json!("9999-12-31T23:59:59Z"), json!("/Date(253402300800000)/"), INVALID),
        ("Name", json!("tab\t, line\n, return\r, \u{FFFD} and \u{1F600}"), json!("bell \u{7}"), INVALID),
        ("Name", json!("\u{E000}"), json!("\u{FFFE}"), INVALID),
        ("ExchangeRate", json!("100000000000"), json!("100000000000.1"), OUT_OF_RANGE),
        ("ExchangeRate", json!("-100000000000"), json!("-100000000001"), OUT_OF_RANGE),
        ("Address1_Latitude", json!(100_000_000_000.0), json!(100_000_000_001.0), OUT_OF_RANGE),
        ("Address1_Latitude", json!(-100_000_000_000.0), json!(-1e300), OUT_OF_RANGE),
        ("Revenue", money("922337203685477"), money("922337203685477.5"), OUT_OF_RANGE),
        ("Revenue", money("-922337203685477"), money("-922337203685478"), OUT_OF_RANGE),
        ("NumberOfEmployees", json!(i32::MAX), json!(i64::from(i32::MAX) + 1), ("", "'Edm.Int32'")),
    ];
    for (name, last, outside, (code, text)) in cases {
        cdms.merge(&account(ACCOUNT), json!({ name: last })).await.done();
        let held = cdms.held("Account", ACCOUNT, name);
        assert_ne!(held, Value::Null, "{name}");
        let status = if code.is_empty() { 400 } else { 500 };
        cdms.merge(&account(ACCOUNT), json!({ name: outside })).await.refused(status, code, text);
        cdms.create("AccountSet", json!({ name: outside })).await.refused(status, code, text);
        assert_eq!(cdms.held("Account", ACCOUNT, name), held, "{name}");
    }
}

#[tokio::test]
async fn a_value_that_is_not_a_number_is_an_error_and_not_a_null() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.merge(&account(ACCOUNT), json!({"Address1_Latitude": 51.5})).await.done();
    for sent in ["INF", "-INF", "NaN", "1e999"] {
        let body = json!({ "Address1_Latitude": sent });
        cdms.merge(&account(ACCOUNT), body.clone()).await.refused(500, OUT_OF_RANGE.0, OUT_OF_RANGE.1);
        cdms.create("AccountSet", body).await.refused(500, OUT_OF_RANGE.0, OUT_OF_RANGE.1);
    }
    let too_large = cdms.ask("POST", "AccountSet").body(r#"{"Address1_Latitude":1e999}"#);
    reply(too_large).await.refused(400, "", "Error processing request stream.");
    assert_eq!(cdms.held("Account", ACCOUNT, "Address1_Latitude"), Value::Double(51.5));
}

#[tokio::test]
async fn a_status_of_another_state_is_refused() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let status = |status: i32| json!({"StatusCode": {"Value": status}});
    cdms.merge(&account(ACCOUNT), status(2)).await.refused(500, MISMATCH.0, MISMATCH.1);
    cdms.create("AccountSet", status(2)).await.refused(500, MISMATCH.0, MISMATCH.1);
    cdms.merge(&account(ACCOUNT), status(100_000_001)).await.done();
    cdms.merge(&account(ACCOUNT), status(1)).await.done();
    cdms.simulator.edit("Account", ACCOUNT, [("StateCode", Value::Choice(1))]);
    assert_eq!(cdms.held("Account", ACCOUNT, "StatusCode"), Value::Choice(2), "the status follows the state");
    cdms.merge(&account(ACCOUNT), status(1)).await.refused(500, MISMATCH.0, MISMATCH.1);
    cdms.merge(&account(ACCOUNT), status(2)).await.done();
    reply(cdms.ask("PUT", &account(ACCOUNT)).body("{}")).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "StatusCode"), Value::Choice(2), "the default of an inactive record");
    let sector = cdms.simulator.seed("optevia_sector", [("optevia_sectorId", Value::Guid(OTHER))]);
    let lower = json!({"statuscode": {"Value": 2}});
    cdms.merge(&key("optevia_sectorSet", sector), lower).await.refused(500, MISMATCH.0, MISMATCH.1);
}

#[tokio::test]
async fn an_organisation_may_have_statuses_of_its_own() {
    let cdms = Cdms::with(|builder| builder.statuses("Account", 0, &[1, 7]).statuses("Account", 1, &[8]));
    let status = |status: i32| json!({"StatusCode": {"Value": status}});
    cdms.create("AccountSet", status(7)).await.d(201);
    for other in [2, 8, 9] {
        cdms.create("AccountSet", status(other)).await.refused(500, MISMATCH.0, MISMATCH.1);
    }
}

#[tokio::test]
async fn a_closed_activity_is_not_changed() {
    let cdms = Cdms::start();
    let body = json!({"ActivityId": OTHER.to_string(), "Subject": "Visit"});
    cdms.create("detica_interactionSet", body).await.d(201);
    let path = key("detica_interactionSet", OTHER);
    cdms.merge(&path, json!({"Subject": "A visit"})).await.done();
    for closed in [1, 2] {
        cdms.simulator.edit("detica_interaction", OTHER, [("StateCode", Value::Choice(closed))]);
        assert_eq!(cdms.held("detica_interaction", OTHER, "StatusCode"), Value::Choice(closed + 1));
        for body in [json!({"Subject": "Late"}), json!({}), json!({"StateCode": {"Value": 0}})] {
            cdms.merge(&path, body).await.refused(500, INVALID.0, "is completed or canceled and cannot be changed");
        }
        assert_eq!(cdms.held("detica_interaction", OTHER, "Subject"), Value::text("A visit"));
    }
    cdms.simulator.edit("detica_interaction", OTHER, [("StateCode", Value::Choice(3))]);
    cdms.merge(&path, json!({"Subject": "A visit, scheduled"})).await.done();
    cdms.simulator.edit("detica_interaction", OTHER, [("StateCode", Value::Choice(1))]);
    cdms.delete(&path).await.done();
}
