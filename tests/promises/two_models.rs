//! Two models of which one record satisfies both: each has its own row, past and quarantine, and they write one record.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::Stage;
use datahub_runtime::{Value, VersionToken};

use crate::history::mark;
use crate::scene::{Scene, Write, failed, says};

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "first_firms", only = "StateCode/Value eq 0", diesel(table = false))]
struct First {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL")]
    website: Option<String>,
    #[cdms(local, sql_type = "string")]
    notes: Option<String>,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "second_firms", only = "StateCode/Value ne 1", diesel(table = false))]
struct Second {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("IndustryCode")]
    industry: Option<Industry>,
    #[cdms("Description")]
    description: Option<String>,
    #[cdms(local, sql_type = "string")]
    notes: Option<String>,
}

/// No option of another number is one.
#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
enum Industry {
    Accounting,
    Agriculture,
    Broadcasting,
    Brokers,
}

/// A hub of both models, on the scene's CDMS and database.
async fn both() -> (Scene, Hub) {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![First, Second]).program("both").connect().await.unwrap();
    (scene, hub)
}

#[tokio::test]
async fn each_reads_its_own_attributes_also_at_the_same_time() {
    let (scene, hub) = both().await;
    let known = [("WebSiteURL", Value::text("https://acme.example")), ("IndustryCode", Value::Choice(2))];
    scene.kit.simulator.edit("Account", scene.account, known);
    let (first, second) = tokio::join!(First::get(&hub, scene.account.into()), Second::get(&hub, scene.account.into()));
    assert_eq!(first.unwrap().website.as_deref(), Some("https://acme.example"));
    assert_eq!(second.unwrap().industry, Some(Industry::Agriculture));
    hub.pull::<Second>().await.unwrap();
    hub.pull::<First>().await.unwrap();
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn each_has_a_past_of_its_own() {
    let (scene, hub) = both().await;
    let mut second = Second::get(&hub, scene.account.into()).await.unwrap();
    let before = mark(&scene);
    let earlier = second.version_token();
    let mut first = First::get(&hub, scene.account.into()).await.unwrap();
    first.notes = Some("first".into());
    first.save(&hub).await.unwrap();
    let (then, token) = (mark(&scene), first.version_token());
    for notes in ["second", "third"] {
        second.notes = Some(notes.into());
        second.save(&hub).await.unwrap();
    }
    let of_second = second.version_token();
    let as_of = async |time| First::as_of(&hub, scene.account.into(), time).await.unwrap();
    assert_eq!(as_of(before).await, None, "the first model did not know it yet");
    assert_eq!(as_of(then).await.unwrap().notes.as_deref(), Some("first"));
    first.notes = Some("last".into());
    first.save(&hub).await.unwrap();
    let form = First::edit(&hub, scene.account.into(), token).await.unwrap();
    assert_eq!(form.notes.as_deref(), Some("first"));

    // A version of the other model's row is none of this one's.
    let foreign: VersionToken = earlier.to_string().parse().unwrap();
    let error = failed(First::edit(&hub, scene.account.into(), foreign).await, ErrorKind::Invalid);
    says(&error, &["older than the record"]);
    let versions: Vec<_> = Second::history(&hub, scene.account.into()).await.unwrap();
    let version = versions.iter().rfind(|entry| entry.model == "second_firms").unwrap().version;
    assert!(of_second.to_string().starts_with(&version.0.to_string()));
    failed(First::revert(&hub, scene.account.into(), version).await, ErrorKind::Invalid);
    let reverted = Second::revert(&hub, scene.account.into(), version).await.unwrap();
    assert_eq!(reverted.notes.as_deref(), Some("third"));
}

#[tokio::test]
async fn each_has_a_place_of_its_own_in_quarantine() {
    let (scene, hub) = both().await;
    scene.kit.simulator.overwrite(
        "Account",
        scene.account,
        [("Name", Value::Null), ("IndustryCode", Value::Choice(77))],
    );
    failed(First::get(&hub, scene.account.into()).await, ErrorKind::Quarantined);
    failed(Second::get(&hub, scene.account.into()).await, ErrorKind::Quarantined);
    let mut tried = Vec::new();
    for _ in 0..2 {
        scene.minute();
        let report = hub.retry_quarantined(1).await;
        tried.extend(match report {
            Ok(report) => report.stayed.into_iter().map(|(entry, _)| entry.model).collect::<Vec<_>>(),
            Err(error) => panic!("{error}"),
        });
    }
    tried.sort();
    assert_eq!(tried, ["first_firms", "second_firms"], "each has its turn");
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text("Acme"))]);
    First::get(&hub, scene.account.into()).await.unwrap();
    let waiting: Vec<_> = scene.quarantine().await.into_iter().map(|entry| entry.model).collect();
    assert_eq!(waiting, ["second_firms"]);
}

#[tokio::test]
async fn their_writes_of_one_record_wait_for_each_other() {
    let (scene, hub) = both().await;
    let mut first = First::get(&hub, scene.account.into()).await.unwrap();
    let mut second = Second::get(&hub, scene.account.into()).await.unwrap();
    first.website = Some("https://acme.example".into());
    second.description = Some("Biscuits".into());
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let (saved, also_saved) = tokio::join!(first.save(&hub), async {
        gate.arrived(1).await;
        let (saved, ()) = tokio::join!(second.save(&hub), async {
            // It would be told that the record is busy while others read, if it did not wait.
            for _ in 0..20 {
                assert_eq!(First::get(&hub, Id::new()).await.unwrap_err().kind(), ErrorKind::NotFound);
            }
            gate.open();
        });
        saved
    });
    saved.unwrap();
    also_saved.unwrap();
    let sent: Vec<_> = scene.commits().into_iter().map(|commit| commit.sent.len()).collect();
    assert_eq!(sent, [2, 2], "each its own attribute and the constant");
}
