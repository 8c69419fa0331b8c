//! What a write tells its caller: what CDMS did not keep, what was overwritten, and why it was refused before CDMS was asked.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use example_domain::Contact;

use crate::scene::{Scene, ada, failed, says};

#[tokio::test]
async fn a_save_says_what_cdms_did_not_keep_and_what_it_overwrote() {
    let (scene, mut org) = Scene::read().await;
    scene.fault(Operation::Update, Fault::Adjust([("Name", Value::text("ACME FOODS"))].into()));
    scene.person_edits("WebSiteURL", Value::text("https://theirs.example"));
    (org.name, org.website) = ("Acme Foods".into(), Some("https://ours.example".into()));
    let saved = org.save(&scene.hub).await.unwrap();
    let adjusted: Vec<_> = saved.adjusted.iter().map(|one| (one.field, one.sent.clone(), one.now.clone())).collect();
    assert_eq!(adjusted, [("name", Value::text("Acme Foods"), Value::text("ACME FOODS"))]);
    assert_eq!(saved.overwritten, ["website"]);
    assert_eq!((org.saved(), org.name.as_str()), (&saved, "ACME FOODS"));
    let nothing = org.save(&scene.hub).await.unwrap();
    assert_eq!((nothing.adjusted.len(), nothing.overwritten.len()), (0, 0));
    // A read has nothing to say of it.
    assert!(scene.get().await.unwrap().saved().adjusted.is_empty());

    scene.fault(Operation::Create, Fault::Adjust([("JobTitle", Value::text("Countess"))].into()));
    let contact = Contact { job_title: Some("Analyst".into()), ..ada(&scene) };
    let created = Contact::create(&scene.hub, contact).await.unwrap();
    let adjusted: Vec<_> = created.saved().adjusted.iter().map(|one| (one.field, one.now.clone())).collect();
    assert_eq!(adjusted, [("job_title", Value::text("Countess"))]);
}

#[tokio::test]
async fn a_save_of_several_fields_tells_of_each_and_stores_each() {
    let (scene, mut org) = Scene::read().await;
    let adjusted = [("Name", Value::text("ACME FOODS")), ("Description", Value::text("BISCUITS"))];
    scene.fault(Operation::Update, Fault::Adjust(adjusted.into()));
    scene.person_edits("WebSiteURL", Value::text("https://theirs.example"));
    scene.person_edits("optevia_Alias", Value::text("theirs"));
    (org.name, org.description) = ("Acme Foods".into(), "Biscuits".into());
    (org.website, org.alias) = (Some("https://ours.example".into()), "ours".into());
    (org.archived, org.archived_reason) = (true, Some("moved".into()));
    let saved = org.save(&scene.hub).await.unwrap();
    assert_eq!(saved.adjusted.iter().map(|one| one.field).collect::<Vec<_>>(), ["name", "description"]);
    assert_eq!(saved.overwritten, ["alias", "website"]);
    let row = scene.row().await.unwrap();
    assert_eq!((row.archived, row.archived_reason.as_deref()), (true, Some("moved")));
    (org.archived, org.archived_reason) = (false, None);
    org.save(&scene.hub).await.unwrap();
    let row = scene.row().await.unwrap();
    assert_eq!((row.archived, row.archived_reason.as_deref()), (false, None), "nothing else was changed");
}

#[tokio::test]
async fn a_failed_create_hands_the_value_back() {
    let scene = Scene::new().await;
    scene.fault(Operation::Create, Fault::PlugIn("Not today.".into()));
    let new = ada(&scene);
    let refused = Contact::create(&scene.hub, new.clone()).await.unwrap_err();
    says(refused.error(), &["Not today."]);
    assert_eq!(refused.error().kind(), ErrorKind::Rejected);
    let same = refused.into_value();
    assert_eq!(same, new);
    Contact::create(&scene.hub, same).await.unwrap();
}

/// Organisations of the United Kingdom with a site.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(
    mapping = "account.toml",
    table = "uk_firms",
    only = "optevia_ukorganisation eq true and (WebSiteURL ne null or StateCode/Value eq 0)"
)]
struct UkFirm {
    #[cdms(key)]
    id: Id<UkFirm>,
    #[cdms("Name")]
    name: String,
    #[cdms("optevia_ukorganisation")]
    uk: Option<bool>,
}

#[tokio::test]
async fn a_create_that_contradicts_the_condition_is_invalid_before_anything_is_sent() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![UkFirm]).connect().await.unwrap();
    let firm = |uk| UkFirm { id: Id::new(), name: "Acme".into(), uk };
    let refused = UkFirm::create(&hub, firm(Some(false))).await;
    says(&failed(refused, ErrorKind::Invalid), &["UkFirm", "`only`", "optevia_ukorganisation eq true"]);
    assert_eq!(scene.commits(), []);
    // What is not sent may come out as anything: CDMS's answer says.
    UkFirm::create(&hub, firm(Some(true))).await.unwrap();
    UkFirm::create(&hub, firm(None)).await.unwrap();
    assert_eq!(scene.requests("POST").len(), 2);
    assert_eq!(scene.dump("uk_firms").len(), 1, "the one that CDMS made no firm of the United Kingdom is none");
}

#[tokio::test]
async fn a_missing_target_is_named_and_not_the_record() {
    let (scene, mut org) = Scene::read().await;
    let gone = "optevia_sector With Id = 7a4814f9-b0b8-ea11-a812-000d3a122b89 Does Not Exist";
    scene.fault(Operation::Update, Fault::Refuse { status: 404, code: -2_147_220_969, message: gone.into() });
    org.name = "Acme Foods".into();
    let error = failed(org.save(&scene.hub).await, ErrorKind::Rejected);
    says(&error, &[gone, "a record that the write refers to does not exist in CDMS"]);
    assert!(!error.to_string().contains("the record is gone"), "{error}");
}

#[tokio::test]
async fn a_rule_that_only_the_commit_checks_is_told_before_cdms_is_asked() {
    let (scene, org) = Scene::read().await;
    let id = scene.on("BLOB", "UUID");
    scene.sql(&format!(
        "CREATE TABLE invoices (organisation {id} REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED)"
    ));
    scene.sql("INSERT INTO invoices SELECT id FROM organisations");
    let refused = failed(org.delete(&scene.hub).await, ErrorKind::Invalid);
    says(&refused, &["CDMS was not asked to write"]);
    assert_eq!((scene.requests("DELETE").len(), scene.open_intents()), (0, 0));
    assert_eq!(scene.row().await.unwrap().name, "Acme");
}
