//! The organisation and its users, as a client finds them.

use serde_json::{Value as Json, json};

use crate::scene::{Cdms, key};

#[tokio::test]
async fn the_user_behind_the_requests_is_found_by_the_domain_name() {
    let cdms = Cdms::start();
    let path = "SystemUserSet?$select=SystemUserId,FullName&$filter=DomainName%20eq%20'CDMS%5Cdatahub'";
    let users = cdms.get(path).await.results();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0]["SystemUserId"], cdms.simulator.service_user().to_string());
    let made = cdms.create("AccountSet", json!({})).await.d(201);
    assert_eq!(made["CreatedBy"]["Id"], users[0]["SystemUserId"]);
    assert_eq!(cdms.get("SystemUserSet").await.results().len(), 2, "and one person");
}

#[tokio::test]
async fn there_is_one_organisation_and_it_can_become_another() {
    let cdms = Cdms::start();
    let ids = async || -> Vec<Json> {
        let rows = cdms.get("OrganizationSet?$select=OrganizationId").await.results();
        rows.iter().map(|row| row["OrganizationId"].clone()).collect()
    };
    let first = cdms.simulator.organisation();
    assert_eq!(ids().await, [json!(first.to_string())]);
    let second = cdms.simulator.become_another_organisation();
    assert_ne!(second, first);
    assert_eq!((ids().await, cdms.simulator.organisation()), (vec![json!(second.to_string())], second));
    cdms.get(&key("OrganizationSet", first)).await.refused(404, "-2147220969", "organization With Id");
}
