//! `$orderby`: the order of a list, and pages that begin behind the last record of the page before.

use std::collections::BTreeSet;

use cdms_odata::{Instant, Value};
use uuid::Uuid;

use crate::scene::{Cdms, query, reply};

fn seed(cdms: &Cdms, id: u128, values: impl IntoIterator<Item = (&'static str, Value)>) {
    let key = ("AccountId", Value::Guid(Uuid::from_u128(id)));
    cdms.simulator.seed("Account", values.into_iter().chain([key]).collect::<cdms_odata::Attributes>());
}

fn modified(second: i64) -> (&'static str, Value) {
    ("ModifiedOn", Value::Instant(Instant(second * 1000)))
}

/// A page's numbers of accounts, and the address of the next one.
async fn page(cdms: &Cdms, address: &str) -> (Vec<u128>, Option<String>) {
    let page = reply(cdms.plain("GET", address).header("accept", "application/json")).await.d(200);
    let ids = page["results"].as_array().unwrap().iter();
    let ids = ids.map(|row| row["AccountId"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128());
    (ids.collect(), page.get("__next").map(|next| next.as_str().unwrap().to_owned()))
}

async fn pages_from(cdms: &Cdms, address: String) -> Vec<Vec<u128>> {
    let (mut pages, mut next) = (Vec::new(), Some(address));
    while let Some(address) = next {
        let (ids, further) = page(cdms, &address).await;
        pages.push(ids);
        next = further;
    }
    pages
}

async fn pages(cdms: &Cdms, options: &[(&str, &str)]) -> Vec<Vec<u128>> {
    pages_from(cdms, cdms.at(&format!("AccountSet?{}", query(options)))).await
}

#[tokio::test]
async fn a_list_is_ordered_by_several_values_null_first_and_then_by_key() {
    let cdms = Cdms::with(|builder| builder.page_size(2));
    for (id, name, employees) in
        [(1, "b", Some(1)), (2, "É", None), (3, "a", Some(2)), (4, "B ", Some(2)), (5, "", Some(1)), (6, "e", None)]
    {
        let employees = employees.map_or(Value::Null, Value::Integer);
        seed(&cdms, id, [("Name", Value::text(name)), ("NumberOfEmployees", employees), modified(7 - id as i64)]);
    }
    for (order, ids) in [
        ("Name", [5, 3, 1, 4, 2, 6]),
        ("Name desc", [2, 6, 1, 4, 3, 5]),
        ("NumberOfEmployees,Name desc", [2, 6, 1, 5, 4, 3]),
        ("NumberOfEmployees desc , Name asc", [3, 4, 5, 1, 2, 6]),
        ("ModifiedOn,AccountId", [6, 5, 4, 3, 2, 1]),
        ("ModifiedOn desc", [1, 2, 3, 4, 5, 6]),
        ("AccountId desc", [6, 5, 4, 3, 2, 1]),
        ("AccountId,Name", [1, 2, 3, 4, 5, 6]),
    ] {
        let pages = pages(&cdms, &[("$orderby", order)]).await;
        assert_eq!(pages.concat(), ids, "{order}");
        assert_eq!(pages.len(), 3, "{order}");
    }
}

#[tokio::test]
async fn a_poll_reads_what_changed_since_a_time() {
    let cdms = Cdms::with(|builder| builder.page_size(3));
    for id in 1..=9_u128 {
        seed(&cdms, id, [modified(100 - 10 * (id as i64 / 3))]);
    }
    let since = |second: i64| format!("ModifiedOn ge datetime'1970-01-01T00:01:{second:02}Z'");
    let poll =
        async |second: i64| pages(&cdms, &[("$filter", &since(second)), ("$orderby", "ModifiedOn,AccountId")]).await;
    assert_eq!(poll(20).await, [vec![6, 7, 8], vec![3, 4, 5], vec![1, 2]]);
    assert_eq!(poll(30).await, [vec![3, 4, 5], vec![1, 2]]);
    assert_eq!(poll(41).await, [Vec::<u128>::new()]);
    assert_eq!(pages(&cdms, &[("$orderby", "ModifiedOn desc"), ("$top", "1")]).await, [[1]], "the newest change");
}

#[tokio::test]
async fn the_next_link_keeps_every_option_and_carries_the_values_of_the_last_record() {
    let cdms = Cdms::with(|builder| builder.page_size(1));
    for id in 1..=3 {
        seed(&cdms, id, [("Name", Value::text("O'Neil, & Sons")), ("NumberOfEmployees", Value::Null), modified(1)]);
    }
    let options = [
        ("$select", "AccountId"),
        ("$filter", "Name eq 'o''neil, & sons'"),
        ("$orderby", "Name,ModifiedOn desc,NumberOfEmployees"),
        ("$expand", "account_primary_contact"),
        ("$top", "2"),
    ];
    let (ids, next) = page(&cdms, &cdms.at(&format!("AccountSet?{}", query(&options)))).await;
    assert_eq!(ids, [1]);
    let id = "%7B00000000-0000-0000-0000-000000000001%7D";
    let expected = format!(
        "{}/xrmservices/2011/OrganizationData.svc/AccountSet?$select=AccountId&$filter=Name%20eq%20'o''neil,%20%26%20sons'\
         &$orderby=Name,ModifiedOn%20desc,NumberOfEmployees&$expand=account_primary_contact&$top=1\
         &$skiptoken=1,'name','O''Neil,%20%26%20Sons','modifiedon','1970-01-01T00:00:01Z','numberofemployees',null,\
         'accountid','{id}','{id}'",
        cdms.simulator.root()
    );
    assert_eq!(next.as_deref(), Some(expected.as_str()));
    assert_eq!(page(&cdms, &expected).await, (vec![2], None));
}

#[tokio::test]
async fn records_that_do_not_move_are_shown_once_whatever_others_do_between_the_pages() {
    for (order, change) in [
        ("Name", "Name"),
        ("Name desc", "Name"),
        ("ModifiedOn", "ModifiedOn"),
        ("ModifiedOn desc", "ModifiedOn"),
        ("NumberOfEmployees,Name", "NumberOfEmployees"),
    ] {
        let cdms = Cdms::with(|builder| builder.page_size(2));
        for id in 1..=12_i32 {
            let (name, employees) = (format!("n{}", id % 4), Value::Integer(id % 3));
            let values = [("Name", Value::text(name)), ("NumberOfEmployees", employees), modified(i64::from(id % 5))];
            seed(&cdms, u128::from(id.unsigned_abs()), values);
        }
        let (first, next) = page(&cdms, &cdms.at(&format!("AccountSet?{}", query(&[("$orderby", order)])))).await;
        // One of the first page goes to the end, one of the rest to the beginning, one is removed, one is added.
        let rest: Vec<u128> = (1..=12).filter(|id| !first.contains(id)).collect();
        let value = |last: bool| match change {
            "Name" => Value::text(if last { "z" } else { "a" }),
            "NumberOfEmployees" => Value::Integer(if last { 99 } else { -1 }),
            _ => Value::Instant(Instant(if last { 99_000 } else { -1000 })),
        };
        let descending = order.ends_with("desc");
        let [to_end, to_beginning, removed] = [first[0], rest[3], rest[5]].map(Uuid::from_u128);
        cdms.simulator.overwrite("Account", to_end, [(change, value(!descending))]);
        cdms.simulator.overwrite("Account", to_beginning, [(change, value(descending))]);
        cdms.simulator.remove("Account", removed);
        seed(&cdms, 13, [("Name", Value::text("n2")), ("NumberOfEmployees", Value::Integer(1)), modified(2)]);
        let further = pages_from(&cdms, next.unwrap()).await.concat();
        let moved = [to_end, to_beginning, removed].map(|id| id.as_u128());
        let shown: BTreeSet<u128> = further.iter().copied().collect();
        assert_eq!(shown.len(), further.len(), "{order}: each once");
        for id in rest.iter().filter(|id| !moved.contains(id)) {
            assert!(shown.contains(id), "{order}: {id} was left out");
        }
        assert!(first[1..].iter().all(|id| !shown.contains(id)), "{order}: one was shown again");
        assert!(shown.contains(&moved[0]), "{order}: one that went to the end is shown again");
        assert!(!shown.contains(&moved[1]), "{order}: one that went to the beginning is not shown");
    }
}

#[tokio::test]
async fn an_order_that_is_not_known_is_refused() {
    let cdms = Cdms::start();
    for (order, text) in [
        ("NoSuch", "No property 'NoSuch' exists in type"),
        ("Name,name", "No property 'name' exists in type 'Microsoft.Crm.Sdk.Data.Services.Account' at position 5."),
        ("Name DESC", "Syntax error at position 0."),
        ("Name,", "Syntax error at position 5."),
        ("Name asc desc", "Syntax error"),
        ("", "Syntax error at position 0."),
        ("account_primary_contact/LastName", "Only properties of the root entity can be ordered by"),
        ("IndustryCode/Value", "It is not known that CRM 2011 supports an order by 'IndustryCode/Value'"),
        ("PrimaryContactId/Id", "It is not known"),
        ("IndustryCode", "It is not known"),
        ("length(Name)", "No property 'length(Name)'"),
    ] {
        cdms.get(&format!("AccountSet?{}", query(&[("$orderby", order)]))).await.refused(400, "", text);
    }
    let id = "'%7B00000000-0000-0000-0000-000000000001%7D'";
    for token in
        ["1,'accountid'", "1,'name',x,'accountid'", "1,'modifiedon','a','accountid'", "x,'name','a','accountid'"]
    {
        let path = format!("AccountSet?$orderby=Name&$skiptoken={token},{id},{id}");
        cdms.get(&path).await.refused(400, "", "syntax");
    }
    assert_eq!(
        cdms.get(&format!("AccountSet?$orderby=Name&$skiptoken=1,'name','a','accountid',{id},{id}")).await.status,
        200
    );
}

#[tokio::test]
async fn skip_beyond_the_end_is_an_empty_list_or_by_the_switch_an_error() {
    let cdms = Cdms::with(|builder| builder.refuse_skip_beyond_end(true));
    seed(&cdms, 1, []);
    assert_eq!(cdms.get("AccountSet?$skip=0").await.results().len(), 1);
    cdms.get("AccountSet?$skip=1").await.refused(500, "-2147220970", "paging");
    let cdms = Cdms::start();
    seed(&cdms, 1, []);
    assert_eq!(cdms.get("AccountSet?$skip=1").await.results().len(), 0);
}
