//! Copies of databases: one that was restored elsewhere never writes to the CDMS of the original.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{Resolution, Value, environment};
use example_domain::{Contact, Organisation};

use crate::scene::{Scene, Write, ada, failed, says};

/// A hub of `production` that has read the organisation.
async fn production() -> Scene {
    let scene = Scene::with(|cdms| cdms, |hub| hub.environment("production")).await;
    scene.get().await.unwrap();
    scene
}

async fn connected(scene: &Scene, environment: Option<&str>) -> Result<Hub, Error> {
    let builder = scene.kit.hub(example_domain::models());
    match environment {
        Some(name) => builder.environment(name).connect().await,
        None => builder.connect().await,
    }
}

#[tokio::test]
async fn a_database_belongs_to_the_environment_that_first_stated_its_name() {
    let scene = production().await;
    let sent = scene.kit.simulator.requests_met();
    let other = failed(connected(&scene, Some("staging")).await.map(drop), ErrorKind::Misconfigured);
    says(
        &other,
        &["belongs to the environment `production`", "is of `staging`", "datahub adopt NAME --from production"],
    );
    let none = failed(connected(&scene, None).await.map(drop), ErrorKind::Misconfigured);
    says(&none, &["this hub states none", ".environment(\"production\")"]);
    let empty = failed(connected(&scene, Some(" ")).await.map(drop), ErrorKind::Misconfigured);
    says(&empty, &["is not a name for an environment"]);
    assert_eq!(scene.kit.simulator.requests_met(), sent);
    connected(&scene, Some("production")).await.unwrap();
}

#[tokio::test]
async fn a_database_without_an_environment_takes_the_first_name() {
    let scene = Scene::new().await;
    connected(&scene, None).await.unwrap();
    connected(&scene, Some("test")).await.unwrap();
    failed(connected(&scene, None).await.map(drop), ErrorKind::Misconfigured);
}

#[tokio::test]
async fn an_adopted_copy_reads_and_never_writes() {
    let scene = production().await;
    let adopted = environment::adopt(scene.kit.database(), "staging").from("production").await.unwrap();
    assert_eq!((adopted.from.as_deref(), adopted.closed), (Some("production"), 0));
    failed(connected(&scene, Some("production")).await.map(drop), ErrorKind::Misconfigured);
    let copy = connected(&scene, Some("staging")).await.unwrap();
    scene.person_edits("Name", Value::text("Acme Foods"));
    let mut org = Organisation::get(&copy, scene.id()).await.unwrap();
    assert_eq!(org.name, "Acme Foods", "it is read as before");
    let (sent, rows) = (scene.kit.simulator.requests_met(), scene.rows());
    let words = ["is a copy of that of `production`", "CDMS is only read", "nothing was changed"];
    org.name = "Copy Ltd".into();
    says(&failed(org.save(&copy).await, ErrorKind::Misconfigured), &words);
    says(&failed(org.clone().delete(&copy).await, ErrorKind::Misconfigured), &words);
    let history = Organisation::history(&copy, scene.id()).await.unwrap();
    let reverted = Organisation::revert(&copy, scene.id(), history[0].version).await;
    says(&failed(reverted, ErrorKind::Misconfigured), &words);
    let pushed = Organisation::resolve(&copy, scene.id(), Resolution::PushHub).await;
    says(&failed(pushed, ErrorKind::Misconfigured), &words);
    let many = Organisation::save_many(&copy, vec![org.clone()]).await;
    says(many.outcomes[0].as_ref().unwrap_err().error(), &words);
    assert_eq!(scene.kit.simulator.requests_met(), sent, "nothing was sent");
    assert_eq!(scene.rows(), rows, "and nothing was stored");
    says(&failed(Contact::create(&copy, ada(&scene)).await, ErrorKind::Misconfigured), &words);
    let commits = scene.commits();
    assert_eq!((commits.len(), commits[0].sent.as_slice()), (1, &["Name".to_owned()][..]), "only the person wrote");
}

#[tokio::test]
async fn what_only_the_hub_has_can_still_be_written() {
    let scene = production().await;
    environment::adopt(scene.kit.database(), "staging").from("production").await.unwrap();
    let copy = connected(&scene, Some("staging")).await.unwrap();
    let mut org = Organisation::get(&copy, scene.id()).await.unwrap();
    org.archived = true;
    org.save(&copy).await.unwrap();
    assert!(Organisation::get(&copy, scene.id()).await.unwrap().archived);
    assert_eq!(scene.commits(), []);
}

#[tokio::test]
async fn open_writes_of_the_original_are_closed_and_not_sent() {
    let scene = production().await;
    scene.fault(Operation::Update, Fault::DropBeforeCommit);
    let attempt = Write::Update.prepare(&scene).await;
    let open = failed(attempt.run(&scene).await, ErrorKind::Unsettled).operation_id().unwrap();
    assert_eq!(scene.open_intents(), 1);
    let adopted = environment::adopt(scene.kit.database(), "staging").from("production").await.unwrap();
    assert_eq!((adopted.closed, scene.open_intents()), (1, 0));
    let copy = connected(&scene, Some("staging")).await.unwrap();
    let outcome = copy.operation(open).await.unwrap();
    assert!(format!("{outcome:?}").contains("the copy has not sent it"), "{outcome:?}");
    assert_eq!(copy.settle().await.unwrap().settled, []);
    Organisation::get(&copy, scene.id()).await.unwrap();
    assert_eq!(scene.commits(), []);
}

#[tokio::test]
async fn only_the_copy_that_was_named_is_adopted() {
    let scene = production().await;
    let adopt = |name| environment::adopt(scene.kit.database(), name);
    let unnamed = failed(adopt("staging").await, ErrorKind::Misconfigured);
    says(&unnamed, &["belongs to the environment `production`", "add `--from production`", "nothing was changed"]);
    let wrong = failed(adopt("staging").from("demo").await, ErrorKind::Misconfigured);
    says(&wrong, &["expected a copy of the database of `demo`, found one of `production`"]);
    let same = failed(adopt("production").from("production").await, ErrorKind::Misconfigured);
    says(&same, &["belongs to the environment `production` already"]);
    let hub = connected(&scene, Some("production")).await.unwrap();
    let mut org = Organisation::get(&hub, scene.id()).await.unwrap();
    org.name = "Acme Foods".into();
    org.save(&hub).await.unwrap();
    // Two people adopt the copy.
    adopt("staging").from("production").await.unwrap();
    let again = failed(adopt("staging").from("production").await, ErrorKind::Misconfigured);
    says(&again, &["belongs to the environment `staging` already"]);
}

#[tokio::test]
async fn a_misspelt_environment_is_renamed_and_the_original_goes_on() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.environment("prodction")).await;
    scene.get().await.unwrap();
    scene.fault(Operation::Update, Fault::DropBeforeCommit);
    let attempt = Write::Update.prepare(&scene).await;
    failed(attempt.run(&scene).await, ErrorKind::Unsettled);
    let other = failed(connected(&scene, Some("production")).await.map(drop), ErrorKind::Misconfigured);
    says(&other, &["`datahub environment rename prodction NAME`", "never on an original", "only read from then on"]);
    let rename = |old, new| environment::rename(scene.kit.database(), old, new);
    let wrong = failed(rename("demo", "production").await, ErrorKind::Misconfigured);
    says(&wrong, &["belongs to the environment `prodction`, not to `demo`", "nothing was changed"]);
    says(&failed(rename("prodction", "prodction").await, ErrorKind::Misconfigured), &["`prodction` already"]);
    says(&failed(rename("prodction", " ").await, ErrorKind::Misconfigured), &["is not a name for an environment"]);
    rename("prodction", "production").await.unwrap();
    failed(connected(&scene, Some("prodction")).await.map(drop), ErrorKind::Misconfigured);
    let hub = connected(&scene, Some("production")).await.unwrap();
    assert_eq!(scene.open_intents(), 1, "what was open is open still");
    Organisation::create(&hub, Organisation { id: Id::new(), ..Organisation::named("Beta") }).await.unwrap();
    assert!(scene.commits().iter().any(|commit| commit.entity == "Account"), "it writes to CDMS as before");

    let unnamed = Scene::new().await;
    let none = environment::rename(unnamed.kit.database(), "prodction", "production").await;
    says(&failed(none, ErrorKind::Misconfigured), &["belongs to no environment"]);
}
