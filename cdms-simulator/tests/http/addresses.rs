//! An account and its two addresses: created, mirrored and deleted together.

use cdms_odata::Value;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, OTHER, account, key, lookup};

async fn made(cdms: &Cdms) -> (Json, [Uuid; 2]) {
    let body = json!({
        "AccountId": ACCOUNT.to_string(), "Address1_City": "Leeds", "Address2_City": "York",
        "Address1_AddressId": OTHER.to_string(),
    });
    let record = cdms.create("AccountSet", body).await.d(201);
    let ids = ["Address1_AddressId", "Address2_AddressId"].map(|name| record[name].as_str().unwrap().parse().unwrap());
    (record, ids)
}

#[tokio::test]
async fn an_account_comes_with_two_addresses_whose_ids_it_carries() {
    let cdms = Cdms::start();
    let (_, ids) = made(&cdms).await;
    assert!(!ids.contains(&OTHER), "the server chooses the ids");
    assert_eq!(cdms.get("CustomerAddressSet").await.results().len(), 2);
    for ((id, city), number) in ids.into_iter().zip(["Leeds", "York"]).zip([1, 2]) {
        let address = cdms.get(&key("CustomerAddressSet", id)).await.d(200);
        assert_eq!(address["City"], city);
        assert_eq!(address["AddressNumber"], number);
        assert_eq!(address["ParentId"]["Id"], ACCOUNT.to_string());
        assert_eq!(address["ParentId"]["LogicalName"], "account");
    }
}

#[tokio::test]
async fn account_and_address_mirror_each_other_and_the_ids_stay() {
    let cdms = Cdms::start();
    let (_, [first, second]) = made(&cdms).await;
    cdms.merge(&account(ACCOUNT), json!({"Address1_City": "Hull", "Address1_AddressId": OTHER.to_string()}))
        .await
        .done();
    assert_eq!(cdms.held("CustomerAddress", first, "City"), Value::text("Hull"));
    assert_eq!(cdms.held("CustomerAddress", second, "City"), Value::text("York"), "the other address is unchanged");
    cdms.merge(&key("CustomerAddressSet", second), json!({"City": "Bath", "Latitude": 51.4})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Address2_City"), Value::text("Bath"));
    assert_eq!(cdms.held("Account", ACCOUNT, "Address1_City"), Value::text("Hull"));
    assert_eq!(cdms.held("Account", ACCOUNT, "Address1_AddressId"), Value::Guid(first));
    assert_eq!(cdms.held("Account", ACCOUNT, "Address2_AddressId"), Value::Guid(second));
}

#[tokio::test]
async fn an_edit_of_an_address_is_a_change_of_its_account() {
    let cdms = Cdms::start();
    let (before, [first, _]) = made(&cdms).await;
    cdms.simulator.clock().advance_ms(2_000);
    cdms.merge(&key("CustomerAddressSet", first), json!({"City": "Hull"})).await.done();
    let after = cdms.get(&account(ACCOUNT)).await.d(200);
    assert_ne!(after["ModifiedOn"], before["ModifiedOn"]);
}

#[tokio::test]
async fn a_deleted_account_takes_all_its_addresses_along_and_no_others() {
    let cdms = Cdms::start();
    made(&cdms).await;
    for (parent, number) in [(ACCOUNT, 3), (OTHER, 1)] {
        let parent = lookup("account", parent);
        cdms.simulator.seed("CustomerAddress", [("ParentId", parent), ("AddressNumber", Value::Integer(number))]);
    }
    cdms.delete(&account(ACCOUNT)).await.done();
    let left = cdms.get("CustomerAddressSet").await.results();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["ParentId"]["Id"], OTHER.to_string());
}

#[tokio::test]
async fn a_deleted_address_empties_its_place_on_the_account() {
    let cdms = Cdms::start();
    let (_, [first, second]) = made(&cdms).await;
    cdms.delete(&key("CustomerAddressSet", first)).await.done();
    for name in ["Address1_AddressId", "Address1_City"] {
        assert_eq!(cdms.held("Account", ACCOUNT, name), Value::Null, "{name}");
    }
    assert_eq!(cdms.held("Account", ACCOUNT, "Address2_AddressId"), Value::Guid(second));
    assert_eq!(cdms.held("Account", ACCOUNT, "Address2_City"), Value::text("York"));
}

#[tokio::test]
async fn a_further_address_with_a_number_that_is_taken_leaves_the_account_alone() {
    let cdms = Cdms::start();
    let (_, [first, _]) = made(&cdms).await;
    let parent = json!({"Id": ACCOUNT.to_string(), "LogicalName": "account"});
    let body = json!({"AddressNumber": 1, "City": "Rome", "ParentId": parent});
    let further = cdms.create("CustomerAddressSet", body).await.d(201);
    assert_eq!(cdms.held("Account", ACCOUNT, "Address1_City"), Value::text("Leeds"));
    cdms.delete(&format!("CustomerAddressSet(guid'{}')", further["CustomerAddressId"].as_str().unwrap())).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Address1_AddressId"), Value::Guid(first));
}

#[tokio::test]
async fn an_address_needs_a_parent() {
    let cdms = Cdms::start();
    let orphan = cdms.create("CustomerAddressSet", json!({"City": "Rome"})).await;
    assert_eq!(orphan.status, 500);
    assert!(orphan.body.contains("parented"), "{orphan:?}");
    let by_text = cdms.create("CustomerAddressSet", json!({"ParentId": ACCOUNT.to_string()})).await;
    by_text.refused(400, "", "top-level resource");
    assert_eq!(cdms.simulator.log(), []);
}
