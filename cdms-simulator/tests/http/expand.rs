//! `$expand`: related records in the answer, and conditions on them.

use cdms_odata::{Reference, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{Cdms, NOON, query};

/// Accounts 1 to 3, of which the first two have a primary contact; contacts 11 to 13, which belong to accounts 1, 1 and 2.
fn scene(cdms: &Cdms) {
    let lookup =
        |entity: &'static str, id| Value::Lookup(Reference { logical_name: entity.into(), id: Uuid::from_u128(id) });
    for (id, contact) in [(1, Some(11)), (2, Some(13)), (3, None)] {
        let contact = contact.map_or(Value::Null, |id| lookup("contact", id));
        let values = [("AccountId", Value::Guid(Uuid::from_u128(id))), ("PrimaryContactId", contact)];
        cdms.simulator.seed("Account", values);
    }
    for (id, name, account) in [(11, "Ada", 1), (12, "Bob", 1), (13, "Cid", 2)] {
        let values = [
            ("ContactId", Value::Guid(Uuid::from_u128(id))),
            ("FirstName", Value::text(name)),
            ("ParentCustomerId", lookup("account", account)),
        ];
        cdms.simulator.seed("Contact", values);
    }
}

async fn rows(cdms: &Cdms, options: &[(&str, &str)]) -> Vec<Json> {
    cdms.get(&format!("AccountSet?{}", query(options))).await.results()
}

async fn found(cdms: &Cdms, navigation: &str, condition: &str) -> Vec<u128> {
    let options = [("$select", "AccountId"), ("$expand", navigation), ("$filter", condition)];
    let rows = rows(cdms, &options).await;
    rows.iter().map(|row| row["AccountId"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128()).collect()
}

#[tokio::test]
async fn a_related_record_is_shown_in_the_place_of_its_link() {
    let cdms = Cdms::start();
    scene(&cdms);
    let all = rows(&cdms, &[("$expand", "account_primary_contact")]).await;
    assert_eq!(all[0]["account_primary_contact"]["FirstName"], "Ada");
    assert_eq!(all[0]["account_primary_contact"]["ModifiedOn"], NOON);
    assert_eq!(all[2]["account_primary_contact"], Json::Null, "there is none");
    assert!(all[0]["contact_customer_accounts"]["__deferred"].is_object(), "the other one stays a link");
    let options = [("$select", "AccountId,account_primary_contact/FirstName"), ("$expand", "account_primary_contact")];
    let selected = rows(&cdms, &options).await;
    let uri = format!(
        "{}/xrmservices/2011/OrganizationData.svc/ContactSet(guid'{}')",
        cdms.simulator.root(),
        Uuid::from_u128(11)
    );
    let metadata = json!({"uri": uri, "type": "Microsoft.Crm.Sdk.Data.Services.Contact"});
    assert_eq!(selected[0]["account_primary_contact"], json!({"__metadata": metadata, "FirstName": "Ada"}));
    let hidden = rows(&cdms, &[("$select", "AccountId"), ("$expand", "account_primary_contact")]).await;
    assert_eq!(hidden[0].as_object().unwrap().len(), 2, "what is not selected is not shown");
    let one = cdms.get(&format!("AccountSet(guid'{}')?$expand=account_primary_contact", Uuid::from_u128(2))).await;
    assert_eq!(one.d(200)["account_primary_contact"]["FirstName"], "Cid");
}

#[tokio::test]
async fn related_lists_are_cut_at_a_page_and_have_no_link() {
    let cdms = Cdms::with(|builder| builder.page_size(1));
    scene(&cdms);
    let row = &rows(&cdms, &[("$expand", "contact_customer_accounts")]).await[0];
    let related = row["contact_customer_accounts"].as_object().unwrap();
    assert_eq!(related.keys().collect::<Vec<_>>(), ["results"]);
    assert_eq!(related["results"].as_array().unwrap().len(), 1);
    assert_eq!(related["results"][0]["FirstName"], "Ada");
}

#[tokio::test]
async fn a_condition_is_about_the_expanded_record() {
    let cdms = Cdms::start();
    scene(&cdms);
    for (condition, one, many) in [
        ("FirstName eq 'ada'", &[1][..], &[1][..]),
        ("FirstName ne 'ada'", &[2], &[1, 2]),
        ("FirstName eq 'Bob'", &[], &[1]),
        ("LastName eq null", &[1, 2], &[1, 2]),
        ("ContactId eq guid'00000000-0000-0000-0000-00000000000d'", &[2], &[2]),
        ("ParentCustomerId/Id eq guid'00000000-0000-0000-0000-000000000002'", &[2], &[2]),
    ] {
        for (navigation, ids) in [("account_primary_contact", one), ("contact_customer_accounts", many)] {
            let (first, rest) = condition.split_once(' ').unwrap();
            let condition = format!("{navigation}/{first} {rest}");
            assert_eq!(found(&cdms, navigation, &condition).await, ids, "{condition}");
        }
    }
    let both = "contact_customer_accounts/FirstName eq 'Ada' and contact_customer_accounts/FirstName eq 'Bob'";
    assert_eq!(found(&cdms, "contact_customer_accounts", both).await, [] as [u128; 0], "it is one record");
}

#[tokio::test]
async fn a_record_without_a_related_one_is_not_found_or_by_the_switch_counts_as_null() {
    let cdms = Cdms::with(|builder| builder.unrelated_is_null(true));
    scene(&cdms);
    for navigation in ["account_primary_contact", "contact_customer_accounts"] {
        let null = format!("{navigation}/FirstName eq null");
        assert_eq!(found(&cdms, navigation, &null).await, [3], "{null}");
        let text = format!("{navigation}/FirstName eq 'Ada'");
        assert_eq!(found(&cdms, navigation, &text).await, [1], "{text}");
    }
    let cdms = Cdms::start();
    scene(&cdms);
    let null = "account_primary_contact/FirstName eq null";
    assert_eq!(found(&cdms, "account_primary_contact", null).await, [] as [u128; 0]);
}

#[tokio::test]
async fn what_cannot_be_expanded_is_refused() {
    let cdms = Cdms::start();
    let contact = "account_primary_contact";
    let mixed = "must all be about the root entity, or all about one expanded entity";
    for (options, text) in [
        (&[("$expand", "NoSuch")][..], "No property 'NoSuch' exists in type"),
        (&[("$expand", "Name")], "No property 'Name' exists in type"),
        (&[("$expand", "account_primary_contact/contact_customer_accounts")], "Only one level of navigation"),
        (&[("$select", "account_primary_contact/FirstName")], "must be expanded"),
        (&[("$expand", contact), ("$select", "account_primary_contact/NoSuch")], "Services.Contact' at position 0."),
        (&[("$filter", "account_primary_contact/FirstName eq 'x'")], "must be expanded"),
        (
            &[("$expand", contact), ("$filter", "account_primary_contact/NoSuch eq 1")],
            "Services.Contact' at position 0.",
        ),
        (&[("$expand", contact), ("$filter", "account_primary_contact eq null")], "It is not known"),
        (&[("$expand", contact), ("$filter", "account_primary_contact/FirstName eq 'x' and Name eq 'y'")], mixed),
        (&[("$expand", contact), ("$filter", "Name eq 'y' or account_primary_contact/FirstName eq 'x'")], mixed),
        (
            &[
                ("$expand", "account_primary_contact,contact_customer_accounts"),
                ("$filter", "account_primary_contact/FirstName eq 'x' and contact_customer_accounts/FirstName eq 'x'"),
            ],
            mixed,
        ),
    ] {
        cdms.get(&format!("AccountSet?{}", query(options))).await.refused(400, "", text);
    }
}

#[tokio::test]
async fn six_relations_can_be_expanded_and_no_more() {
    let lookups =
        ["CreatedBy", "ModifiedBy", "OwnerId", "OwningUser", "TransactionCurrencyId", "PrimaryContactId", "CreatedBy"];
    let cdms = Cdms::with(|mut builder| {
        for (number, lookup) in lookups.iter().enumerate() {
            builder = builder.relation(format!("relation{number}"), "Account", *lookup, "Contact");
        }
        builder
    });
    scene(&cdms);
    let names = |count| (0..count).map(|number| format!("relation{number}")).collect::<Vec<_>>().join(",");
    let row = &rows(&cdms, &[("$expand", &names(6))]).await[0];
    assert_eq!(row["relation5"]["FirstName"], "Ada");
    cdms.get(&format!("AccountSet?$expand={}", names(7))).await.refused(400, "", "More than 6 relations");
}

#[tokio::test]
async fn a_relation_that_the_schema_lacks_is_declared_with_both_its_ends() {
    let cdms = Cdms::with(|builder| {
        let builder = builder.relation("parents", "Contact", "ParentCustomerId", "Account");
        builder.relation("bosses", "Contact", "ParentCustomerId", "Contact")
    });
    scene(&cdms);
    let boss = Value::Lookup(Reference { logical_name: "contact".into(), id: Uuid::from_u128(12) });
    cdms.simulator.overwrite("Contact", Uuid::from_u128(11), [("ParentCustomerId", boss)]);
    let rows = cdms.get("ContactSet?$expand=parents,Referencingbosses,Referencedbosses").await.results();
    assert_eq!(rows[0]["parents"], Json::Null, "the lookup refers to a contact");
    assert_eq!(rows[0]["Referencingbosses"]["FirstName"], "Bob");
    assert_eq!(rows[1]["Referencedbosses"]["results"][0]["FirstName"], "Ada");
    assert_eq!(rows[2]["parents"]["AccountId"], Uuid::from_u128(2).to_string());
    let row = &cdms.get("AccountSet?$expand=parents").await.results()[0];
    assert_eq!(row["parents"]["results"][0]["FirstName"], "Bob");
    assert!(cdms.get("$metadata").await.body.contains("Referencingbosses"));
}

#[tokio::test]
async fn deep_pages_of_a_condition_on_related_lists_are_refused() {
    let cdms = Cdms::start();
    scene(&cdms);
    let path = |navigation: &str, skip| {
        let condition = format!("{navigation}/FirstName ne null");
        let options = [("$expand", navigation), ("$filter", &condition), ("$skip", skip), ("$top", "50")];
        format!("AccountSet?{}", query(&options))
    };
    assert_eq!(cdms.get(&path("contact_customer_accounts", "4950")).await.status, 200);
    cdms.get(&path("contact_customer_accounts", "4951")).await.refused(500, "-2147220970", "distinct");
    assert_eq!(cdms.get(&path("account_primary_contact", "4951")).await.status, 200);
}
