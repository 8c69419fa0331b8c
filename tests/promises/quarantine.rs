//! Records that do not fit their model or the database: they wait in quarantine, the rows stay as they are.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{Finding, Value};
use example_domain::{Contact, Organisation};

use crate::read_table::UkOrganisation;
use crate::scene::{Scene, acme, failed, found, says};

#[tokio::test]
async fn a_record_without_a_required_value_waits_in_quarantine() {
    let (scene, _) = Scene::read().await;
    let rows = scene.rows();
    scene.person_edits("Name", Value::Null);
    let (read, cost) = scene.cost_of(scene.get()).await;
    let error = failed(read, ErrorKind::Quarantined);
    says(&error, &["Organisation", &scene.account.to_string(), "Name", "null", "the row stays as it was"]);
    assert_eq!((cost.requests, cost.transactions), (1, 1));
    assert_eq!(scene.rows(), rows);
    let waiting = scene.quarantine().await;
    let [entry] = &waiting[..] else { panic!("{waiting:?}") };
    assert_eq!((entry.entity.as_str(), entry.id, entry.model.as_str()), ("Account", scene.account, "organisations"));
    assert!(entry.reason.contains("Name"), "{}", entry.reason);

    scene.person_edits("Name", Value::text("Acme Foods"));
    assert_eq!(scene.get().await.unwrap().name, "Acme Foods");
    assert_eq!(scene.quarantine().await, [], "the first read that succeeds takes it out");
}

#[tokio::test]
async fn a_record_that_is_as_before_again_leaves_quarantine() {
    let (scene, _) = Scene::read().await;
    scene.kit.simulator.overwrite("Account", scene.account, [("Name", Value::Null)]);
    failed(scene.get().await, ErrorKind::Quarantined);
    scene.kit.simulator.overwrite("Account", scene.account, [("Name", Value::text("Acme"))]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn a_record_that_is_gone_or_none_of_the_model_leaves_quarantine() {
    let scene = Scene::new().await;
    scene.kit.simulator.overwrite("Account", scene.account, [("Name", Value::Null)]);
    failed(scene.get().await, ErrorKind::Quarantined);
    scene.kit.simulator.remove("Account", scene.account);
    failed(scene.get().await, ErrorKind::NotFound);
    assert_eq!(scene.quarantine().await, [], "it was never stored");

    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    let uk = |known: bool| ("optevia_ukorganisation", Value::Boolean(known));
    let account = scene.kit.simulator.seed("Account", [("Name", Value::text("Beta")), uk(true)]);
    let id: Id<UkOrganisation> = account.into();
    UkOrganisation::get(&hub, id).await.unwrap();
    scene.kit.simulator.overwrite("Account", account, [("Name", Value::Null)]);
    failed(UkOrganisation::get(&hub, id).await, ErrorKind::Quarantined);
    scene.kit.simulator.overwrite("Account", account, [uk(false)]);
    failed(UkOrganisation::get(&hub, id).await, ErrorKind::Gone);
    assert_eq!(hub.quarantine(100).await.unwrap(), []);
}

#[tokio::test]
async fn an_unknown_choice_waits_in_quarantine() {
    let (scene, _) = Scene::read().await;
    let rows = scene.rows();
    scene.kit.simulator.overwrite("Account", scene.account, [("StateCode", Value::Choice(7))]);
    let error = failed(scene.get().await, ErrorKind::Quarantined);
    says(&error, &["Organisation", &scene.account.to_string(), "StateCode", "7"]);
    assert_eq!(scene.rows(), rows);
}

#[tokio::test]
async fn a_personal_value_is_not_in_the_error_of_its_record() {
    let scene = Scene::new().await;
    let contact = scene.kit.simulator.seed("Contact", [("LastName", Value::text("Lovelace"))]);
    let corrupt = Fault::Corrupt { attribute: "EMailAddress1".into(), json: r#"{"who":"ada@example.com"}"#.into() };
    scene.kit.simulator.fault(FaultRule::new(corrupt).on(Operation::Read).entity("Contact"));
    let id: Id<Contact> = contact.into();
    let error = failed(Contact::get(&scene.hub, id).await, ErrorKind::Quarantined);
    says(&error, &["Contact", &contact.to_string(), "EMailAddress1"]);
    assert!(!error.to_string().contains("ada@example.com"), "{error}");
    assert!(!scene.quarantine().await[0].reason.contains("ada@example.com"));
}

#[tokio::test]
async fn a_record_that_the_database_forbids_waits_in_quarantine() {
    let (scene, _) = Scene::read().await;
    scene.sql("CREATE UNIQUE INDEX one_name ON organisations (name)");
    let rows = scene.rows();
    let twin = scene.kit.simulator.seed("Account", acme());
    let error = failed(Organisation::get(&scene.hub, twin.into()).await, ErrorKind::Quarantined);
    says(&error, &["Organisation", &twin.to_string(), scene.on("organisations.name", "one_name")]);
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.quarantine().await[0].id, twin);
    scene.sql("DROP INDEX one_name");
    assert_eq!(found(&Organisation::get(&scene.hub, twin.into()).await.unwrap()), Finding::First);
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn a_row_that_the_database_does_not_let_go_stays_and_waits_in_quarantine() {
    let (scene, _) = Scene::read().await;
    let guid = scene.on("BLOB", "UUID");
    scene.sql(&format!(
        "CREATE TABLE notes (about {guid} NOT NULL REFERENCES organisations (id));
         INSERT INTO notes SELECT id FROM organisations;"
    ));
    let rows = scene.rows();
    scene.kit.simulator.remove("Account", scene.account);
    let error = failed(scene.get().await, ErrorKind::Quarantined);
    says(&error, &["Organisation", &scene.account.to_string(), "foreign key"]);
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.quarantine().await[0].id, scene.account);
    scene.sql("DELETE FROM notes");
    failed(scene.get().await, ErrorKind::Gone);
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn a_database_that_cannot_note_a_try_is_told_as_that() {
    let scene = Scene::new().await;
    let unfit = scene.unfit();
    failed(Organisation::get(&scene.hub, unfit.into()).await, ErrorKind::Quarantined);
    scene.sql(scene.on(
        "CREATE TRIGGER closed BEFORE UPDATE ON datahub_quarantine BEGIN SELECT RAISE(ABORT, 'it is closed'); END",
        "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'it is closed'; END $$;
         CREATE TRIGGER closed BEFORE UPDATE ON datahub_quarantine FOR EACH ROW EXECUTE FUNCTION closed()",
    ));
    let error = scene.hub.retry_quarantined(10).await.unwrap_err();
    says(&error, &["it is closed"]);
    assert!(!error.to_string().contains(&unfit.to_string()), "it is no trouble of the record's: {error}");
    scene.sql(scene.on("DROP TRIGGER closed", "DROP TRIGGER closed ON datahub_quarantine"));
    let report = scene.hub.retry_quarantined(10).await.unwrap();
    assert_eq!((report.left.len(), report.stayed.len()), (0, 1));
}
