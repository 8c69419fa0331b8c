//! A new record begins with a draft, in which only what the caller knows has to be filled in.

use chrono::{DateTime, Utc};
use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use example_domain::{Contact, Organisation};
use uuid::Uuid;

use crate::scene::{Scene, failed, says};

/// A firm with all that CDMS keeps of it.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "kept_firms", diesel(table = false))]
struct KeptFirm {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(modified)]
    modified: DateTime<Utc>,
    #[cdms(created)]
    created: Option<DateTime<Utc>>,
    #[cdms(modified_by)]
    modified_by: Uuid,
    #[cdms("StateCode", read_only)]
    state: i32,
    #[cdms(local, sql_type = "integer")]
    visits: i32,
    #[cdms(local, sql_type = "string", default = "unknown")]
    origin: String,
}

/// A contact of one organisation, always.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(table = "employees", mode = "detached", diesel(table = false))]
struct Employee {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms(local, sql_type = "string")]
    name: String,
    #[cdms(local, sql_type = "date")]
    since: chrono::NaiveDate,
}

#[tokio::test]
async fn a_draft_is_created_with_what_was_given_and_cdms_fills_the_rest() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![KeptFirm]).program("tests").connect().await.unwrap();
    let draft = KeptFirm::draft().unwrap();
    assert_eq!((draft.name.as_str(), draft.visits, draft.origin.as_str(), draft.created), ("", 0, "unknown", None));
    let new = KeptFirm { name: "Beta".into(), ..draft };
    let made = KeptFirm::create(&hub, new.clone()).await.unwrap();
    assert_eq!((made.id, made.name.as_str()), (new.id, "Beta"));
    assert!(made.modified > new.modified && !made.modified_by.is_nil(), "CDMS has filled them: {made:?}");
    let record = scene.kit.simulator.record("Account", new.id.guid()).unwrap();
    assert_eq!(record.get("CreatedOn"), record.get("ModifiedOn"), "nothing of the draft's times was sent");
    assert_eq!(record.get("StateCode"), Some(&Value::Choice(0)));

    let other = KeptFirm::draft().unwrap();
    assert_ne!(other.id, new.id, "each draft is of a record of its own");
}

#[tokio::test]
async fn models_of_every_sort_of_field_have_a_draft() {
    let org = Organisation::draft().unwrap();
    assert_eq!(org, Organisation { id: org.id, ..Organisation::named("") });
    let contact = Contact::draft().unwrap();
    assert_eq!(contact, Contact { id: contact.id, ..Contact::named("") });
}

#[tokio::test]
async fn a_field_of_which_no_value_is_nothing_is_named() {
    // Of a day there is none, so the row of a record that CDMS has nothing of is made with all of its values.
    let error = failed(Employee::draft(), ErrorKind::Invalid);
    says(&error, &["Employee has no draft", "`since`", "no initial value"]);
}
