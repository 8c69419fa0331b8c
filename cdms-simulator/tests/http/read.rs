//! Reading one record: the form of every kind of value, and the selection.

use cdms_odata::{Instant, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, OTHER, account, lookup, named, reply};

#[tokio::test]
async fn every_kind_of_value_has_its_form() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Contact", [("ContactId", Value::Guid(OTHER)), ("FullName", Value::text("Ada Smith"))]);
    let mut values = vec![
        ("AccountId", Value::Guid(ACCOUNT)),
        ("Name", Value::text("£ \"Ünïon\" 钢")),
        ("NumberOfEmployees", Value::Integer(-3)),
        ("DoNotPhone", Value::Boolean(false)),
        ("ExchangeRate", Value::Decimal("1.50".parse().unwrap())),
        ("Address1_Latitude", Value::Double(51.5)),
        ("optevia_LastVerified", Value::Instant(Instant(-1))),
        ("IndustryCode", Value::Choice(7)),
        ("PrimaryContactId", lookup("contact", OTHER)),
    ];
    values.push(("Revenue", Value::Money("5000000".parse().unwrap())));
    values.push(("VersionNumber", Value::BigInt(12)));
    cdms.simulator.seed("Account", values.into_iter().collect::<cdms_odata::Attributes>());
    let answer = cdms.get(&account(ACCOUNT)).await;
    let record = answer.d(200);
    let with = |member: &str, value: Json, name: &str| json!({"__metadata": {"type": format!("Microsoft.Crm.Sdk.Data.Services.{name}")}, member: value});
    assert_eq!(record["Name"], "£ \"Ünïon\" 钢");
    assert_eq!(record["NumberOfEmployees"], -3);
    assert_eq!(record["DoNotPhone"], false);
    assert_eq!(record["ExchangeRate"], "1.50");
    assert_eq!(record["Address1_Latitude"], 51.5);
    assert_eq!(record["optevia_LastVerified"], "/Date(-1000)/");
    assert!(answer.body.contains(r#""\/Date(-1000)\/""#), "the slashes are escaped: {}", answer.body);
    assert_eq!(record["IndustryCode"], with("Value", json!(7), "OptionSetValue"));
    assert_eq!(record["Revenue"], with("Value", json!("5000000.0000"), "Money"));
    let mut contact = with("Id", json!(OTHER.to_string()), "EntityReference");
    contact["LogicalName"] = json!("contact");
    contact["Name"] = json!("Ada Smith");
    assert_eq!(record["PrimaryContactId"], contact);
    assert_eq!(record["VersionNumber"], Json::Null);
}

#[tokio::test]
async fn an_empty_value_is_null_or_an_object_of_nulls() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", [("AccountId", Value::Guid(ACCOUNT))]);
    let record = cdms.get(&account(ACCOUNT)).await.d(200);
    for name in ["Name", "NumberOfEmployees", "DoNotPhone", "Address1_Latitude", "optevia_LastVerified"] {
        assert_eq!(record.get(name), Some(&Json::Null), "{name}");
    }
    for (name, members) in [
        ("IndustryCode", json!({"Value": null})),
        ("Revenue", json!({"Value": null})),
        ("PrimaryContactId", json!({"Id": null, "LogicalName": null, "Name": null})),
    ] {
        let mut shown = record[name].clone();
        assert!(shown.as_object_mut().unwrap().remove("__metadata").is_some(), "{name}");
        assert_eq!(shown, members, "{name}");
    }
}

#[tokio::test]
async fn a_lookup_shows_the_current_name_of_its_target() {
    let cdms = Cdms::start();
    let sector = cdms.simulator.seed("optevia_sector", [("optevia_name", Value::text("Steel"))]);
    let gone = Uuid::from_u128(5);
    cdms.simulator
        .seed("Contact", [("ContactId", Value::Guid(OTHER)), ("ParentCustomerId", lookup("account", ACCOUNT))]);
    cdms.simulator.seed("Account", named(ACCOUNT, "Old"));
    let path = format!("ContactSet(guid'{OTHER}')?$select=ParentCustomerId");
    assert_eq!(cdms.get(&path).await.d(200)["ParentCustomerId"]["Name"], "Old");
    cdms.simulator.edit("Account", ACCOUNT, [("Name", Value::text("New"))]);
    assert_eq!(cdms.get(&path).await.d(200)["ParentCustomerId"]["Name"], "New");
    for (target, id, name) in [("optevia_sector", sector, json!("Steel")), ("account", gone, Json::Null)] {
        cdms.simulator.edit("Contact", OTHER, [("ParentCustomerId", lookup(target, id))]);
        assert_eq!(cdms.get(&path).await.d(200)["ParentCustomerId"]["Name"], name, "{target}");
    }
}

#[tokio::test]
async fn a_selection_shows_what_it_names_and_nothing_else() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let path = format!("{}?$select=Name,%20AccountId,account_primary_contact", account(ACCOUNT));
    let record = cdms.get(&path).await.d(200);
    let names: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = ["__metadata", "AccountId", "Name", "account_primary_contact"];
    expected.sort_unstable();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
}

#[tokio::test]
async fn related_records_are_deferred() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.simulator.seed("Contact", [("ContactId", Value::Guid(OTHER))]);
    let record = cdms.get(&account(ACCOUNT)).await.d(200);
    let uri = format!("{}/contact_customer_accounts", record["__metadata"]["uri"].as_str().unwrap());
    assert_eq!(record["contact_customer_accounts"], json!({"__deferred": {"uri": uri}}));
    let contact = cdms.get(&format!("ContactSet(guid'{OTHER}')")).await;
    assert!(!contact.body.contains("__deferred"), "the entity has no navigation properties");
}

#[tokio::test]
async fn the_path_of_the_service_has_no_case_and_keys_have_none_either() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let key = format!("AccountSet(guid'{}')", ACCOUNT.to_string().to_uppercase());
    for service in ["xrmservices/2011/organizationdata.svc", "XRMSERVICES/2011/ORGANIZATIONDATA.SVC"] {
        let address = format!("{}/{service}/{key}?$select=AccountId", cdms.simulator.root());
        let record = reply(cdms.plain("GET", &address).header("accept", "application/json")).await.d(200);
        let shown = format!("{}/xrmservices/2011/OrganizationData.svc/{}", cdms.simulator.root(), account(ACCOUNT));
        assert_eq!(record["__metadata"]["uri"], shown, "the server's own addresses have one form");
        assert_eq!(record["AccountId"], ACCOUNT.to_string());
    }
}

#[tokio::test]
async fn a_record_that_is_not_there_is_missing() {
    let cdms = Cdms::start();
    let text = format!("account With Id = {ACCOUNT} Does Not Exist");
    cdms.get(&account(ACCOUNT)).await.refused(404, "-2147220969", &text);
}

#[tokio::test]
async fn metadata_comes_first_in_records_and_values() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let one = cdms.get(&account(ACCOUNT)).await.body;
    assert!(one.starts_with(r#"{"d":{"__metadata":{"uri":""#), "{one}");
    for (name, first) in [("IndustryCode", "Value"), ("Revenue", "Value"), ("PrimaryContactId", "Id")] {
        let value = one.split_once(&format!(r#""{name}":{{"__metadata":{{"type":"#)).unwrap_or_else(|| panic!("{one}"));
        assert!(value.1.split_once("},").unwrap().1.starts_with(&format!("\"{first}\":")), "{one}");
    }
    let list = cdms.get("AccountSet?$select=Name").await.body;
    assert!(list.starts_with(r#"{"d":{"results":[{"__metadata":{"uri":""#), "{list}");
}

#[tokio::test]
async fn a_star_selects_all_that_is_not_related() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let whole = cdms.get(&account(ACCOUNT)).await.d(200);
    for path in [account(ACCOUNT), "AccountSet".to_owned()] {
        let starred = cdms.get(&format!("{path}?$select=*")).await.d(200);
        let starred = if starred["results"].is_array() { &starred["results"][0] } else { &starred };
        for (name, value) in whole.as_object().unwrap() {
            let expected = value.get("__deferred").is_none().then_some(value);
            assert_eq!(starred.get(name), expected, "{name}");
        }
    }
    let with = cdms.get(&format!("{}?$select=*,account_primary_contact", account(ACCOUNT))).await.d(200);
    assert_eq!(with["account_primary_contact"], whole["account_primary_contact"]);
    assert_eq!(with["Name"], "Acme");
}

#[tokio::test]
async fn a_key_may_be_named() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let record = cdms.get(&format!("AccountSet(AccountId=guid'{ACCOUNT}')")).await.d(200);
    assert_eq!(record, cdms.get(&account(ACCOUNT)).await.d(200));
    cdms.merge(&format!("AccountSet(AccountId=guid'{ACCOUNT}')"), json!({"Name": "New"})).await.done();
    for key in ["accountid=", "ContactId=", "=", "AccountId=guid'x',AccountId="] {
        cdms.get(&format!("AccountSet({key}guid'{ACCOUNT}')")).await.refused(400, "", "syntax");
    }
}

#[tokio::test]
async fn a_plus_in_a_query_is_a_space() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme + Co"));
    for query in
        ["$filter=Name+eq+'Acme+%2B+Co'", "%24filter=Name%20eq%20%27Acme%20%2B%20Co%27&%24select=Name,+AccountId"]
    {
        assert_eq!(cdms.get(&format!("AccountSet?{query}")).await.results().len(), 1, "{query}");
    }
    assert_eq!(cdms.get("AccountSet?$filter=Name%20eq%20'Acme%20+%20Co'").await.results().len(), 0);
}
