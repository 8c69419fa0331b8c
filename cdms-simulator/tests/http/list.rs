//! Lists: pages of 50 in key order, next links, selection, top and skip, and the supported filter.

use std::collections::BTreeSet;

use cdms_odata::Value;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, OTHER, named, reply};

fn crowd(cdms: &Cdms, count: u128) -> Vec<String> {
    for number in (1..=count).rev() {
        cdms.simulator.seed("Account", named(Uuid::from_u128(number), &format!("Account {number}")));
    }
    (1..=count).map(|number| Uuid::from_u128(number).to_string()).collect()
}

/// Follows the next links from a path; returns the ids page by page.
async fn pages(cdms: &Cdms, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(cdms.at(path));
    while let Some(address) = next {
        let page = reply(cdms.plain("GET", &address).header("accept", "application/json")).await.d(200);
        let ids = page["results"].as_array().unwrap().iter().map(|row| row["AccountId"].as_str().unwrap().to_owned());
        pages.push(ids.collect());
        next = page.get("__next").map(|next| next.as_str().unwrap().to_owned());
    }
    pages
}

#[tokio::test]
async fn a_list_comes_in_pages_of_fifty_in_key_order_and_each_row_once() {
    let cdms = Cdms::start();
    let ids = crowd(&cdms, 120);
    let pages = pages(&cdms, "AccountSet?$select=AccountId").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    assert_eq!(pages.concat(), ids);
    let (mut numbers, mut next) = (Vec::new(), Some(cdms.at("AccountSet?$select=AccountId")));
    while let Some(address) = next {
        let page = reply(cdms.plain("GET", &address).header("accept", "application/json")).await.d(200);
        next = page.get("__next").map(|next| next.as_str().unwrap().to_owned());
        let token = next.as_deref().and_then(|next| next.split_once("$skiptoken="));
        numbers.extend(token.map(|(_, token)| token.split(',').next().unwrap().to_owned()));
    }
    assert_eq!(numbers, ["1", "2"], "each link counts the pages before it");
}

#[tokio::test]
async fn the_next_link_carries_page_key_last_and_first_id() {
    let cdms = Cdms::start();
    crowd(&cdms, 51);
    let page = cdms.get("AccountSet?$select=AccountId,Name").await.d(200);
    let braced = |number| format!("%7B{}%7D", Uuid::from_u128(number).to_string().to_uppercase());
    let expected = format!(
        "{}/xrmservices/2011/OrganizationData.svc/AccountSet?$select=AccountId,Name&$skiptoken=1,'accountid','{}','{}'",
        cdms.simulator.root(),
        braced(50),
        braced(1),
    );
    assert_eq!(page["__next"], expected);
    let last = reply(cdms.plain("GET", &expected).header("accept", "application/json")).await;
    assert_eq!(last.results().len(), 1);
    assert_eq!(last.d(200).get("__next"), None);
    assert_eq!(last.results()[0].as_object().unwrap().len(), 3, "the selection is kept");
}

#[tokio::test]
async fn exactly_a_page_has_no_next_one() {
    let cdms = Cdms::start();
    crowd(&cdms, 50);
    assert_eq!(pages(&cdms, "AccountSet").await.len(), 1);
    let empty = cdms.get("ContactSet").await;
    assert_eq!(empty.d(200), serde_json::json!({"results": []}));
}

#[tokio::test]
async fn top_caps_the_total_over_all_pages() {
    let cdms = Cdms::start();
    let ids = crowd(&cdms, 130);
    for (top, sizes) in [(120, vec![50, 50, 20]), (50, vec![50]), (1, vec![1]), (0, vec![0]), (999, vec![50, 50, 30])] {
        let pages = pages(&cdms, &format!("AccountSet?$top={top}")).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "top {top}");
        assert_eq!(pages.concat(), ids[..ids.len().min(top)], "top {top}");
    }
}

#[tokio::test]
async fn skip_leaves_rows_out_once() {
    let cdms = Cdms::start();
    let ids = crowd(&cdms, 120);
    let pages_found = pages(&cdms, "AccountSet?$skip=10&$top=60").await;
    assert_eq!(pages_found.iter().map(Vec::len).collect::<Vec<_>>(), [50, 10]);
    assert_eq!(pages_found.concat(), ids[10..70]);
    assert_eq!(pages(&cdms, "AccountSet?$skip=500").await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn an_organisation_may_have_another_page_size() {
    let cdms = Cdms::with(|builder| builder.page_size(3));
    crowd(&cdms, 7);
    assert_eq!(pages(&cdms, "AccountSet").await.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
}

#[tokio::test]
async fn rows_made_and_removed_while_paging_disturb_no_others() {
    let cdms = Cdms::with(|builder| builder.page_size(2));
    let ids = crowd(&cdms, 6);
    let first = cdms.get("AccountSet").await.d(200);
    cdms.simulator.remove("Account", Uuid::from_u128(2));
    cdms.simulator.remove("Account", Uuid::from_u128(5));
    let mut seen: BTreeSet<String> = ids[..2].iter().cloned().collect();
    let mut next = first["__next"].as_str().map(str::to_owned);
    while let Some(address) = next {
        let page = reply(cdms.plain("GET", &address).header("accept", "application/json")).await.d(200);
        seen.extend(
            page["results"].as_array().unwrap().iter().map(|row| row["AccountId"].as_str().unwrap().to_owned()),
        );
        next = page["__next"].as_str().map(str::to_owned);
    }
    let expected: BTreeSet<String> = ids.iter().filter(|id| **id != ids[4]).cloned().collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_filter_finds_by_text_as_sql_compares_it_and_by_guid() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "O'Neil & Sons"));
    cdms.simulator.seed("Account", named(OTHER, "Union"));
    let found = async |filter: &str| -> Vec<Json> {
        cdms.get(&format!("AccountSet?$select=AccountId&$filter={filter}")).await.results()
    };
    for filter in ["Name%20eq%20'O''Neil%20%26%20Sons'", "Name%20eq%20'o''NEIL%20%26%20sons%20%20'"] {
        let rows = found(filter).await;
        assert_eq!(rows.len(), 1, "{filter}");
        assert_eq!(rows[0]["AccountId"], ACCOUNT.to_string(), "{filter}");
    }
    let rows = found(&format!("AccountId%20eq%20guid'{OTHER}'")).await;
    assert_eq!((rows.len(), &rows[0]["AccountId"]), (1, &Json::from(OTHER.to_string())));
    assert_eq!(found("Name%20eq%20'Nobody'").await, Vec::<Json>::new());
}

#[tokio::test]
async fn a_filter_holds_on_every_page() {
    let cdms = Cdms::with(|builder| builder.page_size(2));
    for number in 1..=10_u128 {
        let name = if number % 2 == 0 { "Even & more" } else { "Odd" };
        cdms.simulator
            .seed("Account", [("AccountId", Value::Guid(Uuid::from_u128(number))), ("Name", Value::text(name))]);
    }
    let pages = pages(&cdms, "AccountSet?$filter=Name%20eq%20'Even%20%26%20more'").await;
    let expected: Vec<_> = (1..=5).map(|half| Uuid::from_u128(half * 2).to_string()).collect();
    assert_eq!(pages.concat(), expected);
    assert_eq!(pages.len(), 3);
}
