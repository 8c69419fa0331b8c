//! Errors: their status, code and text; and that nothing is written.

use cdms_odata::Value;
use serde_json::{Value as Json, json};

use crate::scene::{ACCOUNT, Cdms, OTHER, account, named, reply};

const BODY_MAX: usize = 8 * 1024 * 1024;

#[tokio::test]
async fn an_unknown_property_is_refused_wherever_it_stands() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let in_body = "Error processing request stream. The property name 'name' specified for type \
                   'Microsoft.Crm.Sdk.Data.Services.Account' is not valid.";
    cdms.create("AccountSet", json!({"Name": "x", "name": "y"})).await.refused(400, "", in_body);
    cdms.merge(&account(ACCOUNT), json!({"Name": "x", "name": "y"})).await.refused(400, "", in_body);
    let in_query = "No property 'name' exists in type 'Microsoft.Crm.Sdk.Data.Services.Account' at position 0.";
    for path in ["AccountSet?$select=name", "AccountSet?$filter=name%20eq%20'x'"] {
        cdms.get(path).await.refused(400, "", in_query);
    }
    cdms.get(&format!("{}?$select=name", account(ACCOUNT))).await.refused(400, "", in_query);
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn an_unknown_set_is_404_without_the_code_of_a_missing_record() {
    let cdms = Cdms::start();
    for (path, segment) in
        [("FooSet", "FooSet"), ("accountSet", "accountSet"), ("Account", "Account"), ("FooSet(guid'x')", "FooSet")]
    {
        let text = format!("Resource not found for the segment '{segment}'.");
        cdms.get(path).await.refused(404, "", &text);
    }
    cdms.create("FooSet", json!({})).await.refused(404, "", "Resource not found");
}

#[tokio::test]
async fn a_malformed_key_is_a_syntax_error() {
    let cdms = Cdms::start();
    for key in ["guid'not-a-guid'", "guid'{7a4814f9-b0b8-ea11-a812-000d3a122b89}'", "'x'", "", "guid''", "1"] {
        let path = format!("AccountSet({key})");
        cdms.get(&path).await.refused(400, "", "Bad Request - Error in query syntax.");
    }
    cdms.get("AccountSet(guid'7a4814f9-b0b8-ea11-a812-000d3a122b89'").await.refused(400, "", "syntax");
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_and_names_what_failed() {
    let cdms = Cdms::start();
    for (body, place) in [
        (json!({"Name": 1}), "'Name' to type 'Edm.String'"),
        (json!({"NumberOfEmployees": "5"}), "'NumberOfEmployees' to type 'Edm.Int32'"),
        (json!({"NumberOfEmployees": 1.5}), "'NumberOfEmployees' to type 'Edm.Int32'"),
        (json!({"DoNotPhone": "true"}), "'DoNotPhone' to type 'Edm.Boolean'"),
        (json!({"ExchangeRate": 1.5}), "'ExchangeRate' to type 'Edm.Decimal'"),
        (json!({"optevia_LastVerified": "yesterday"}), "'optevia_LastVerified' to type 'Edm.DateTime'"),
        (json!({"IndustryCode": {"Value": "seven"}}), "'Value' to type 'Edm.Int32'"),
        (json!({"IndustryCode": 7}), "'Value' to type 'Edm.Int32'"),
        (json!({"Revenue": {"Value": 1.5}}), "'Value' to type 'Edm.Decimal'"),
        (json!({"PrimaryContactId": {"Id": "x", "LogicalName": "contact"}}), "'Id' to type 'Edm.Guid'"),
        (json!({"AccountId": "x"}), "'AccountId' to type 'Edm.Guid'"),
    ] {
        let text = format!("Error encountered in converting the value from request payload for property {place}");
        cdms.create("AccountSet", body).await.refused(400, "", &text);
    }
    for body in ["", "{", "[]", "7", "{\"Name\":\"x\"} x"] {
        let refused = reply(cdms.ask("POST", "AccountSet").body(body)).await;
        refused.refused(400, "", "Error processing request stream.");
    }
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_not_cut() {
    let cdms = Cdms::with(|builder| builder.max_length("Account", "Name", 160));
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let name = "ü".repeat(160);
    cdms.merge(&account(ACCOUNT), json!({ "Name": name })).await.done();
    let text =
        "The length of the 'name' attribute of the 'account' entity exceeded the maximum allowed length of '160'.";
    let long = json!({ "Name": "ü".repeat(161) });
    cdms.merge(&account(ACCOUNT), long.clone()).await.refused(500, "-2147204303", text);
    cdms.create("AccountSet", long).await.refused(500, "-2147204303", text);
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text(name));
    assert_eq!(cdms.simulator.log().len(), 1);
}

#[tokio::test]
async fn an_option_that_the_set_does_not_have_is_refused() {
    let cdms = Cdms::with(|builder| builder.options("Account", "IndustryCode", &[1, 2]));
    cdms.create("AccountSet", json!({"IndustryCode": {"Value": 2}})).await.d(201);
    cdms.create("AccountSet", json!({"IndustryCode": {"Value": null}})).await.d(201);
    let refused = cdms.create("AccountSet", json!({"IndustryCode": {"Value": 3}})).await;
    refused.refused(500, "-2147204326", "is outside the valid range.");
}

#[tokio::test]
async fn a_lookup_that_leads_nowhere_is_taken_or_by_the_switch_refused() {
    let body = json!({"PrimaryContactId": {"Id": OTHER.to_string(), "LogicalName": "contact"}});
    let easy = Cdms::start();
    assert_eq!(easy.create("AccountSet", body.clone()).await.d(201)["PrimaryContactId"]["Id"], OTHER.to_string());
    let strict = Cdms::with(|builder| builder.refuse_dangling_lookups(true));
    let text = format!("contact With Id = {OTHER} Does Not Exist");
    strict.create("AccountSet", body.clone()).await.refused(404, "-2147220969", &text);
    strict.simulator.seed("Contact", [("ContactId", Value::Guid(OTHER))]);
    strict.create("AccountSet", body).await.d(201);
}

#[tokio::test]
async fn a_lookup_without_a_logical_name_is_taken_where_the_record_is_known() {
    let cdms = Cdms::start();
    let body = json!({"PrimaryContactId": {"Id": OTHER.to_string()}});
    cdms.create("AccountSet", body.clone()).await.refused(404, "-2147220969", &OTHER.to_string());
    cdms.simulator.seed("Contact", [("ContactId", Value::Guid(OTHER))]);
    assert_eq!(cdms.create("AccountSet", body).await.d(201)["PrimaryContactId"]["LogicalName"], "contact");
}

#[tokio::test]
async fn lookups_of_missing_records_and_of_other_entities_are_refused_alike() {
    let cdms = Cdms::with(|builder| builder.refuse_dangling_lookups(true));
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    for logical_name in [json!("contact"), json!("account"), json!("systemuser"), json!("lead"), Json::Null] {
        let lookup = json!({"Id": OTHER.to_string(), "LogicalName": logical_name});
        let missing = cdms.merge(&account(ACCOUNT), json!({ "PrimaryContactId": lookup })).await;
        missing.refused(404, "-2147220969", &format!("With Id = {OTHER} Does Not Exist"));
    }
    let of_another = json!({"PrimaryContactId": {"Id": ACCOUNT.to_string(), "LogicalName": "contact"}});
    let text = format!("contact With Id = {ACCOUNT} Does Not Exist");
    cdms.merge(&account(ACCOUNT), of_another).await.refused(404, "-2147220969", &text);
    let unnamed = json!({"PrimaryContactId": {"Id": OTHER.to_string(), "LogicalName": 7}});
    cdms.merge(&account(ACCOUNT), unnamed).await.refused(400, "", "'LogicalName' to type 'Edm.String'");
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn a_write_without_an_answer_is_done_whatever_is_accepted() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    for accept in [None, Some("*/*"), Some("application/atom+xml")] {
        for (method, body) in [("MERGE", r#"{"Name":"New"}"#), ("PUT", "{}"), ("DELETE", "")] {
            cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
            let mut request = cdms.plain("POST", &cdms.at(&account(ACCOUNT))).header("x-http-method", method);
            if let Some(accept) = accept {
                request = request.header("accept", accept);
            }
            reply(request.body(body)).await.done();
        }
        assert_eq!(cdms.simulator.record("Account", ACCOUNT), None, "{accept:?}");
    }
}

#[tokio::test]
async fn a_body_of_another_content_type_is_415() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let writes = || [cdms.ask("POST", "AccountSet"), cdms.merging(&account(ACCOUNT), json!({"Name": "New"}))];
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/atom+xml", ""] {
        for write in writes() {
            let refused = reply(write.header("content-type", content_type).body(r#"{"Name":"New"}"#)).await;
            refused.refused(415, "", "Content-Type: application/json");
        }
    }
    assert_eq!(cdms.simulator.log(), []);
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/json;odata=verbose"] {
        for write in writes() {
            let taken = reply(write.header("content-type", content_type).body(r#"{"Name":"New"}"#)).await;
            assert!(matches!(taken.status, 201 | 204), "{content_type}: {taken:?}");
        }
    }
}

#[tokio::test]
async fn an_address_of_more_than_2048_characters_is_refused() {
    let cdms = Cdms::start();
    let start = cdms.at("AccountSet?$select=Name");
    let longest = format!("{start}{}", ",Name".repeat((2048 - start.len()) / 5));
    let blanks = "+".repeat(2048 - longest.len());
    let longest = format!("{longest}{blanks}");
    assert_eq!(longest.len(), 2048);
    let get = |address: &str| reply(cdms.plain("GET", address).header("accept", "application/json"));
    assert_eq!(get(&longest).await.results().len(), 0);
    get(&format!("{longest}+")).await.refused(404, "", "2048 at most");
}

#[tokio::test]
async fn only_json_is_supported() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    for accept in [None, Some("application/atom+xml"), Some("*/*"), Some("text/html")] {
        let mut request = cdms.plain("GET", &cdms.at(&account(ACCOUNT)));
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        reply(request).await.refused(406, "", "Accept: application/json");
    }
    let create = cdms.plain("POST", &cdms.at("AccountSet")).body("{}");
    reply(create).await.refused(406, "", "Accept: application/json");
    assert_eq!(cdms.simulator.log(), []);
    let among_others =
        cdms.plain("GET", &cdms.at(&account(ACCOUNT))).header("accept", "text/html, application/json;q=1");
    assert_eq!(reply(among_others).await.status, 200);
}

#[tokio::test]
async fn a_method_that_the_resource_does_not_have_is_405() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let record = account(ACCOUNT);
    for (method, path) in
        [("PATCH", record.as_str()), ("POST", &record), ("DELETE", "AccountSet"), ("POST", ""), ("POST", "$metadata")]
    {
        let refused = reply(cdms.ask(method, path).body("{}")).await;
        assert_eq!(refused.status, 405, "{method} {path}: {refused:?}");
        assert!(refused.json()["error"]["message"]["value"].is_string());
    }
}

#[tokio::test]
async fn a_body_of_more_than_8_mb_is_refused_and_remembered() {
    let cdms = Cdms::start();
    let body = |bytes: usize| {
        let frame = json!({"Name": ""}).to_string();
        json!({ "Name": "x".repeat(bytes - frame.len()) }).to_string()
    };
    let fitting = reply(cdms.ask("POST", "AccountSet").body(body(BODY_MAX))).await;
    assert_eq!(fitting.status, 201);
    let refused = reply(cdms.ask("POST", "AccountSet").body(body(BODY_MAX + 1))).await;
    assert_eq!(refused.status, 413);
    let statuses: Vec<_> = cdms.simulator.requests().into_iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(201), Some(413)]);
    assert_eq!(cdms.get("AccountSet?$select=AccountId").await.results().len(), 1);
}

#[tokio::test]
async fn an_error_has_the_form_of_the_service() {
    let cdms = Cdms::start();
    let refused = cdms.get(&account(ACCOUNT)).await;
    assert_eq!(refused.header("content-type"), Some("application/json;charset=utf-8"));
    let value = format!("account With Id = {ACCOUNT} Does Not Exist");
    let expected: Json = json!({"error": {"code": "-2147220969", "message": {"lang": "en-US", "value": value}}});
    assert_eq!(refused.json(), expected);
}
