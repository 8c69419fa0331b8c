//! Behaviour that servers may or may not have, which is off by default.

use cdms_odata::Value;
use cdms_simulator::CommitKind;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, OTHER, account, key, lookup, named};

fn currency() -> Json {
    json!({"Id": OTHER.to_string(), "LogicalName": "transactioncurrency"})
}

#[tokio::test]
async fn money_needs_a_currency_if_switched_on() {
    let body = || json!({"Revenue": {"Value": "5"}});
    Cdms::start().create("AccountSet", body()).await.d(201);
    let cdms = Cdms::with(|builder| builder.money_needs_currency(true));
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let text = "the currency cannot be null";
    cdms.create("AccountSet", body()).await.refused(500, "-2147220989", text);
    cdms.merge(&account(ACCOUNT), body()).await.refused(500, "-2147220989", text);
    cdms.merge(&account(ACCOUNT), json!({"Name": "New", "Revenue": {"Value": null}})).await.done();
    let mut with = body();
    with["TransactionCurrencyId"] = currency();
    cdms.create("AccountSet", with.clone()).await.d(201);
    cdms.merge(&account(ACCOUNT), with).await.done();
    cdms.merge(&account(ACCOUNT), body()).await.done();
}

#[tokio::test]
async fn amounts_in_the_organisations_currency_are_computed_if_switched_on() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.merge(&account(ACCOUNT), json!({"Revenue": {"Value": "5"}, "Revenue_Base": {"Value": "7"}})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Revenue_Base"), Value::Money(7.into()));

    let cdms = Cdms::with(|builder| builder.base_amounts(true));
    let body = json!({"AccountId": ACCOUNT.to_string(), "Revenue": {"Value": "5"}, "Revenue_Base": {"Value": "7"}});
    assert_eq!(cdms.create("AccountSet", body).await.d(201)["Revenue_Base"]["Value"], "5.0000");
    cdms.merge(&account(ACCOUNT), json!({"Revenue": {"Value": "10"}, "ExchangeRate": "3"})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Revenue_Base"), Value::Money("3.3333".parse().unwrap()));
    cdms.merge(&account(ACCOUNT), json!({"Revenue": {"Value": null}})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "Revenue_Base"), Value::Null);
}

#[tokio::test]
async fn numbers_are_rounded_to_a_precision_if_switched_on() {
    let body = json!({"Revenue": {"Value": "-1.005"}, "ExchangeRate": "1.25", "Address1_Latitude": 51.4499});
    let as_sent = Cdms::start().create("AccountSet", body.clone()).await.d(201);
    assert_eq!(as_sent["Revenue"]["Value"], "-1.0050");
    assert_eq!((&as_sent["ExchangeRate"], &as_sent["Address1_Latitude"]), (&json!("1.25"), &json!(51.4499)));
    let cdms = Cdms::with(|builder| {
        let builder = builder.precision("Account", "Revenue", 2).precision("Account", "ExchangeRate", 1);
        builder.precision("Account", "Address1_Latitude", 1)
    });
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.merge(&account(ACCOUNT), body.clone()).await.done();
    for record in [cdms.get(&account(ACCOUNT)).await.d(200), cdms.create("AccountSet", body).await.d(201)] {
        assert_eq!(record["Revenue"]["Value"], "-1.0100", "half away from zero");
        assert_eq!((&record["ExchangeRate"], &record["Address1_Latitude"]), (&json!("1.3"), &json!(51.4)));
    }
}

#[tokio::test]
async fn records_are_deleted_with_their_parent_if_switched_on() {
    let scene = |cdms: &Cdms| {
        cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
        let [ada, bob, eve] = ["account", "account", "contact"].map(|parent| {
            let id = Uuid::new_v4();
            let parent = lookup(parent, ACCOUNT);
            cdms.simulator.seed("Contact", [("ContactId", Value::Guid(id)), ("ParentCustomerId", parent)]);
            id
        });
        cdms.simulator.edit("Contact", bob, [("ParentCustomerId", lookup("contact", ada))]);
        [ada, bob, eve]
    };
    let cdms = Cdms::start();
    let [ada, ..] = scene(&cdms);
    cdms.delete(&account(ACCOUNT)).await.done();
    assert_eq!(cdms.get(&key("ContactSet", ada)).await.status, 200, "an ordinary lookup does not delete records");

    let cdms = Cdms::with(|builder| builder.parental("Contact", "ParentCustomerId"));
    let [ada, bob, eve] = scene(&cdms);
    cdms.delete(&account(ACCOUNT)).await.done();
    let gone = |id| cdms.simulator.record("Contact", id).is_none();
    assert_eq!(
        [ada, bob, eve].map(gone),
        [true, true, false],
        "children and grandchildren, and no records of another parent"
    );
    let log = cdms.simulator.log().into_iter().filter(|commit| commit.kind == CommitKind::Delete);
    assert_eq!(log.map(|commit| commit.id).collect::<Vec<_>>(), [ACCOUNT, ada, bob]);

    // All children are deleted, however many there are.
    let cdms = Cdms::with(|builder| builder.parental("Contact", "ParentCustomerId"));
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let children = [(); 3].map(|()| {
        let id = Uuid::new_v4();
        let under = [("ContactId", Value::Guid(id)), ("ParentCustomerId", lookup("account", ACCOUNT))];
        cdms.simulator.seed("Contact", under);
        id
    });
    cdms.delete(&account(ACCOUNT)).await.done();
    assert!(children.into_iter().all(|id| cdms.simulator.record("Contact", id).is_none()));
}
