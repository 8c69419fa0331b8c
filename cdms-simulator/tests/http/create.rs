//! Creating: the client chooses the id, and the answer is the whole record.

use cdms_odata::Value;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, NOON, account, named};

#[tokio::test]
async fn the_answer_is_201_with_the_address_and_the_whole_record() {
    let cdms = Cdms::start();
    let reply = cdms.create("AccountSet", json!({"AccountId": ACCOUNT.to_string(), "Name": "Acme"})).await;
    let record = reply.d(201);
    let address = format!("{}/ORG/xrmservices/2011/OrganizationData.svc/{}", origin(&cdms), account(ACCOUNT));
    assert_eq!(reply.header("location"), Some(address.as_str()));
    assert_eq!(reply.header("content-type"), Some("application/json;charset=utf-8"));
    assert_eq!(
        record["__metadata"],
        json!({"uri": address, "type": "Microsoft.Crm.Sdk.Data.Services.Account"}),
        "there is no etag"
    );
    assert_eq!(record["AccountId"], ACCOUNT.to_string());
    assert_eq!(record["Name"], "Acme");
    assert_eq!(record["NumberOfEmployees"], Json::Null, "attributes without a value are shown");
    let shown = record.as_object().unwrap().len();
    assert_eq!(shown, 1 + 26 + 2, "all 26 properties and both navigation properties");
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Acme"));
}

#[tokio::test]
async fn the_server_fills_in_what_is_its_own() {
    let cdms = Cdms::start();
    let record = cdms.create("AccountSet", json!({})).await.d(201);
    let user = cdms.simulator.service_user().to_string();
    for name in ["CreatedOn", "ModifiedOn"] {
        assert_eq!(record[name], NOON, "{name} in whole seconds");
    }
    for name in ["CreatedBy", "ModifiedBy", "OwnerId"] {
        assert_eq!(record[name]["Id"], user, "{name}");
        assert_eq!(record[name]["LogicalName"], "systemuser", "{name}");
        assert_eq!(record[name]["Name"], "Data Hub", "{name}");
    }
    assert_eq!(record["StateCode"]["Value"], 0);
    assert_eq!(record["StatusCode"]["Value"], 1);
    assert_eq!(record["ExchangeRate"], "1.0000000000");
    assert_eq!(record["VersionNumber"], Json::Null, "the version is never shown");
    let id: Uuid = record["AccountId"].as_str().unwrap().parse().unwrap();
    assert!(cdms.simulator.record("Account", id).is_some(), "the server chooses an id if the client does not");
}

#[tokio::test]
async fn custom_entities_have_their_state_in_lower_case_and_activities_their_own_key() {
    let cdms = Cdms::start();
    let sector = cdms.create("optevia_sectorSet", json!({"optevia_name": "Aerospace"})).await.d(201);
    assert_eq!((&sector["statecode"]["Value"], &sector["statuscode"]["Value"]), (&json!(0), &json!(1)));
    let body = json!({"ActivityId": ACCOUNT.to_string(), "Subject": "Visit"});
    let interaction = cdms.create("detica_interactionSet", body).await.d(201);
    assert_eq!(interaction["ActivityId"], ACCOUNT.to_string());
    assert_eq!(interaction["StateCode"]["Value"], 0);
}

#[tokio::test]
async fn an_id_that_exists_is_refused_and_nothing_changes() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "First"));
    let reply = cdms.create("AccountSet", json!({"AccountId": ACCOUNT.to_string(), "Name": "Second"})).await;
    reply.refused(500, "-2147220937", "Cannot insert duplicate key.");
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("First"));
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn what_only_the_server_sets_is_ignored_when_a_client_sends_it() {
    let cdms = Cdms::start();
    let record = cdms.create("AccountSet", servers_own()).await.d(201);
    assert_eq!((&record["CreatedOn"], &record["ModifiedOn"]), (&json!(NOON), &json!(NOON)));
    assert_eq!(record["CreatedBy"]["Id"], cdms.simulator.service_user().to_string());
    assert_eq!(record["StateCode"]["Value"], 0);
}

#[tokio::test]
async fn the_switch_refuses_what_only_the_server_sets() {
    let cdms = Cdms::with(|builder| builder.refuse_read_only(true));
    cdms.create("AccountSet", servers_own()).await.refused(400, "", "cannot be set");
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn an_owner_can_be_chosen_at_creation() {
    let cdms = Cdms::start();
    let owner = json!({"Id": ACCOUNT.to_string(), "LogicalName": "systemuser"});
    let record = cdms.create("AccountSet", json!({ "OwnerId": owner })).await.d(201);
    assert_eq!(record["OwnerId"]["Id"], ACCOUNT.to_string());
}

fn servers_own() -> Json {
    let user = json!({"Id": ACCOUNT.to_string(), "LogicalName": "systemuser"});
    json!({
        "CreatedOn": "/Date(0)/", "ModifiedOn": "/Date(0)/", "CreatedBy": user, "ModifiedBy": user,
        "StateCode": {"Value": 1}, "VersionNumber": "7",
    })
}

fn origin(cdms: &Cdms) -> String {
    format!("http://{}", cdms.host())
}
