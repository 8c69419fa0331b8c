//! The server's work for a request does not depend on how many records there are, counted in records that it looks at.

use cdms_odata::{Attributes, Instant, Value};
use uuid::Uuid;

use crate::scene::{Cdms, account, lookup, query, reply};

const PAGE: usize = 20;

/// A server with this number of accounts, each with two contacts and an address.
fn crowded(accounts: u128) -> Cdms {
    let cdms = Cdms::with(|builder| builder.page_size(PAGE).parental("Contact", "ParentCustomerId"));
    for id in 1..=accounts {
        let key = Uuid::from_u128(id);
        let number = i32::try_from(id).unwrap();
        let values = [
            ("AccountId", Value::Guid(key)),
            ("Name", Value::text(format!("Name {}", id % 7))),
            ("NumberOfEmployees", Value::Integer(number % 11)),
            ("ModifiedOn", Value::Instant(Instant(i64::from(number % 13) * 1000))),
        ];
        cdms.simulator.seed("Account", values);
        let parent = |name| [(name, lookup("account", key))].into_iter().collect::<Attributes>();
        cdms.simulator.seed("Contact", parent("ParentCustomerId"));
        cdms.simulator.seed("Contact", parent("ParentCustomerId"));
        cdms.simulator.seed("CustomerAddress", parent("ParentId"));
    }
    cdms
}

/// How many records the server looked at while this was done.
async fn work<T>(cdms: &Cdms, done: impl Future<Output = T>) -> (T, u64) {
    let before = cdms.simulator.records_looked_at();
    let done = done.await;
    (done, cdms.simulator.records_looked_at() - before)
}

/// The work for each page of a list, and how many records it had.
async fn pages(cdms: &Cdms, options: &[(&str, &str)]) -> (Vec<u64>, usize) {
    let (mut each, mut found) = (Vec::new(), 0);
    let mut next = Some(cdms.at(&format!("AccountSet?{}", query(options))));
    while let Some(address) = next {
        let asked = reply(cdms.plain("GET", &address).header("accept", "application/json"));
        let (page, looked_at) = work(cdms, asked).await;
        let page = page.d(200);
        found += page["results"].as_array().unwrap().len();
        each.push(looked_at);
        next = page.get("__next").map(|next| next.as_str().unwrap().to_owned());
    }
    (each, found)
}

#[tokio::test]
async fn each_page_of_a_list_costs_the_page_and_not_all_records() {
    const ACCOUNTS: u64 = 500;
    let cdms = crowded(ACCOUNTS.into());
    // A page looks at one more record, which tells whether there is another page.
    let of_a_page = PAGE as u64 + 1;
    for (order, first) in [
        ("AccountId", of_a_page),
        ("ModifiedOn,AccountId", of_a_page),
        ("ModifiedOn desc", of_a_page),
        // The first list in any other order sorts all records.
        ("Name", ACCOUNTS + of_a_page),
        ("Name", of_a_page),
        ("Name desc,NumberOfEmployees", ACCOUNTS + of_a_page),
        ("AccountId desc", ACCOUNTS + of_a_page),
    ] {
        let (each, found) = pages(&cdms, &[("$select", "AccountId"), ("$orderby", order)]).await;
        assert_eq!((each.len(), found), (25, 500), "{order}");
        assert_eq!(each[0], first, "{order}");
        assert!(each[1..].iter().all(|looked_at| *looked_at <= of_a_page), "{order}: {each:?}");
    }
    // A condition adds the records that it leaves out.
    let options = [("$select", "AccountId"), ("$orderby", "Name"), ("$filter", "NumberOfEmployees ne 3")];
    let (each, found) = pages(&cdms, &options).await;
    let sum = each.iter().sum::<u64>();
    assert_eq!((each.len(), found), (23, 454));
    assert!((500..500 + 2 * 23).contains(&sum), "{sum}");
}

#[tokio::test]
async fn related_records_cost_what_is_shown() {
    let cdms = crowded(300);
    let expanded = [("$select", "AccountId,contact_customer_accounts"), ("$expand", "contact_customer_accounts")];
    let (each, found) = pages(&cdms, &expanded).await;
    assert_eq!(found, 300);
    let of_a_page = PAGE as u64 + 1 + 2 * PAGE as u64;
    assert_eq!(each[0], 600 + of_a_page, "the first one finds out which lookup leads where");
    assert!(each[1..].iter().all(|looked_at| *looked_at <= of_a_page), "{each:?}");
    let condition = ("$filter", "contact_customer_accounts/FirstName eq null");
    let (each, found) = pages(&cdms, &[expanded[0], expanded[1], condition]).await;
    assert_eq!(found, 300);
    assert!(each.iter().all(|looked_at| *looked_at <= of_a_page + 2 * (PAGE as u64 + 1)), "{each:?}");
}

#[tokio::test]
async fn a_delete_costs_the_record_and_its_children_however_many_others_there_are() {
    let mut costs = Vec::new();
    for accounts in [20, 400] {
        let cdms = crowded(accounts);
        let delete = async |id| cdms.delete(&account(Uuid::from_u128(id))).await.done();
        let ((), first) = work(&cdms, delete(1)).await;
        assert!(u128::from(first) >= 3 * accounts, "the first one finds out what refers to what: {first}");
        let ((), second) = work(&cdms, delete(2)).await;
        let ((), third) = work(&cdms, delete(3)).await;
        costs.push([second, third]);
        let left = |entity: &'static str| pages_of(&cdms, entity);
        assert_eq!(left("ContactSet").await, 2 * (accounts - 3));
        assert_eq!(left("CustomerAddressSet").await, accounts - 3);
    }
    assert_eq!(costs, [[3, 3], [3, 3]], "two contacts and an address");
}

/// How many records a set has.
async fn pages_of(cdms: &Cdms, set: &str) -> u128 {
    let (mut count, mut next) = (0, Some(cdms.at(set)));
    while let Some(address) = next {
        let page = reply(cdms.plain("GET", &address).header("accept", "application/json")).await.d(200);
        count += page["results"].as_array().unwrap().len() as u128;
        next = page.get("__next").map(|next| next.as_str().unwrap().to_owned());
    }
    count
}

#[tokio::test]
async fn lists_and_relations_follow_every_change_of_what_they_were_sorted_by() {
    let cdms = crowded(60);
    let listed = async |options: &[(&str, &str)]| -> Vec<u128> {
        let rows = cdms.get(&format!("AccountSet?{}", query(options))).await.results();
        let ids = rows.iter().map(|row| row["AccountId"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128());
        ids.collect()
    };
    let by_name = [("$orderby", "Name desc"), ("$top", "3"), ("$select", "AccountId")];
    assert_eq!(listed(&by_name).await, [6, 13, 20]);
    cdms.merge(&account(Uuid::from_u128(40)), serde_json::json!({"Name": "Z"})).await.done();
    cdms.merge(&account(Uuid::from_u128(13)), serde_json::json!({"Name": null})).await.done();
    cdms.simulator.remove("Account", Uuid::from_u128(6));
    assert_eq!(listed(&by_name).await, [40, 20, 27]);
    // More orders than are kept.
    for column in ["CreatedOn", "Address1_City", "ModifiedOn", "ExchangeRate", "NumberOfEmployees", "Name"] {
        for direction in ["asc", "desc"] {
            let order = format!("{column} {direction},Name desc");
            assert_eq!(listed(&[("$orderby", &order), ("$top", "1")]).await.len(), 1, "{order}");
        }
    }
    assert_eq!(listed(&by_name).await, [40, 20, 27]);

    let contacts = async |id: u128| {
        let path = format!("{}?$expand=contact_customer_accounts", account(Uuid::from_u128(id)));
        cdms.get(&path).await.d(200)["contact_customer_accounts"]["results"].as_array().unwrap().len()
    };
    assert_eq!((contacts(1).await, contacts(2).await), (2, 2));
    let moved = cdms.get("ContactSet?$select=ContactId,ParentCustomerId").await.results();
    let of_first = Uuid::from_u128(1).to_string();
    let moved = moved.iter().find(|row| row["ParentCustomerId"]["Id"] == of_first.as_str());
    let moved = match moved {
        Some(row) => row["ContactId"].as_str().unwrap().parse().unwrap(),
        None => cdms.simulator.seed("Contact", [("ParentCustomerId", lookup("account", Uuid::from_u128(1)))]),
    };
    let before = contacts(1).await;
    cdms.simulator.edit("Contact", moved, [("ParentCustomerId", lookup("account", Uuid::from_u128(2)))]);
    assert_eq!((contacts(1).await, contacts(2).await), (before - 1, 3));
    cdms.simulator.remove("Contact", moved);
    assert_eq!(contacts(2).await, 2);
}
