//! A value that is not for everybody is in no export, no log and no message, whichever part of an answer carries it.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{EntryKind, HistoryEntry, Note, Value};
use example_domain::{Contact, Organisation};

use crate::scene::{PAST_QUIET, Scene, acme, ada, failed};

/// What was sent, and what CDMS has in its place: both are personal.
const SENT: &str = "ada@sent.example";
const KEPT: &str = "ada@kept.example";

/// Asserts that an entry shows neither value to anybody, and both to whom all values are for.
fn hides_both(entry: &HistoryEntry) {
    let exported = serde_json::to_string(entry).unwrap();
    for told in [exported.as_str(), &format!("{entry:?}"), &format!("{entry:#?}"), &entry.to_string()] {
        assert!(!told.contains(SENT) && !told.contains(KEPT), "{told}");
        assert!(told.contains("email"), "that it changed is no secret: {told}");
    }
    assert!(exported.contains(r#""hidden":"personal""#), "{exported}");
    let whole = serde_json::to_string(&entry.with_all_values()).unwrap();
    assert!(whole.contains(SENT) && whole.contains(KEPT), "{whole}");
}

fn note_of_email(entry: &HistoryEntry) -> &Note {
    &entry.changes.iter().find(|change| change.field == "email").expect("it changed").note
}

#[tokio::test]
async fn what_was_sent_of_a_personal_field_is_not_shown_where_cdms_made_something_else_of_it() {
    let scene = Scene::new().await;
    scene.fault(Operation::Create, Fault::Adjust([("EMailAddress1", Value::text(KEPT))].into()));
    let contact = Contact { email: Some(SENT.into()), ..ada(&scene) };
    let mut created = Contact::create(&scene.hub, contact).await.unwrap();
    let entry = Contact::history(&scene.hub, created.id()).await.unwrap().pop().unwrap();
    assert_eq!(*note_of_email(&entry), Note::Adjusted { sent: Value::text(SENT) });
    hides_both(&entry);
    let saved = format!("{:?}", created.saved());
    assert!(saved.contains("email") && !saved.contains(SENT) && !saved.contains(KEPT), "{saved}");

    created.email = None;
    created.save(&scene.hub).await.unwrap();
    scene.fault(Operation::Update, Fault::Adjust([("EMailAddress1", Value::text(KEPT))].into()));
    created.email = Some(SENT.into());
    let saved = format!("{:?}", created.save(&scene.hub).await.unwrap());
    assert!(saved.contains("email") && !saved.contains(SENT) && !saved.contains(KEPT), "{saved}");
    hides_both(&Contact::history(&scene.hub, created.id()).await.unwrap().pop().unwrap());
}

/// A contact whose e-mail was sent, and replaced by a person before it was known to be in CDMS.
async fn superseded(scene: &Scene) -> Synced<Contact> {
    let mut contact = Contact::create(&scene.hub, ada(scene)).await.unwrap();
    contact.email = Some(SENT.into());
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(contact.save(&scene.hub).await, ErrorKind::Unsettled);
    scene.minute();
    scene.kit.simulator.edit("Contact", contact.id().guid(), [("EMailAddress1", Value::text(KEPT))]);
    scene.kit.advance(PAST_QUIET);
    assert_eq!(scene.settle().await.settled.len(), 1);
    contact
}

#[tokio::test]
async fn what_was_sent_of_a_personal_field_is_not_shown_where_it_is_not_there() {
    let scene = Scene::new().await;
    let contact = superseded(&scene).await;
    let entry = Contact::history(&scene.hub, contact.id()).await.unwrap().pop().unwrap();
    assert_eq!(entry.kind, EntryKind::Superseded);
    assert_eq!(*note_of_email(&entry), Note::NotKept { sent: Value::text(SENT) });
    hides_both(&entry);
}

/// Rows of all tables of the hub that say this.
fn rows_with(scene: &Scene, text: &str) -> Vec<String> {
    let tables = ["datahub_history", "datahub_intents", "datahub_records", "datahub_quarantine"];
    let rows = tables.into_iter().flat_map(|table| scene.dump(table));
    rows.filter(|row| row.contains(text)).collect()
}

#[tokio::test]
async fn an_erasure_takes_what_was_sent_too() {
    let scene = Scene::new().await;
    scene.fault(Operation::Create, Fault::Adjust([("EMailAddress1", Value::text(KEPT))].into()));
    let contact = Contact { email: Some(SENT.into()), ..ada(&scene) };
    let adjusted = Contact::create(&scene.hub, contact).await.unwrap().id();
    let replaced = superseded(&scene).await.id();
    assert!(!rows_with(&scene, SENT).is_empty());
    for id in [adjusted, replaced] {
        Contact::erase(&scene.hub, id, "asked for").await.unwrap();
        let history = Contact::history(&scene.hub, id).await.unwrap();
        assert!(
            history.iter().flat_map(|entry| &entry.changes).all(|change| change.note == Note::Plain),
            "{history:?}"
        );
    }
    assert_eq!(rows_with(&scene, SENT), [""; 0]);
}

#[tokio::test]
async fn an_erasure_takes_the_constants_that_were_sent_along() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    let sent = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap();
    assert!(!sent.constants.is_empty());
    Organisation::erase(&scene.hub, scene.id(), "asked for").await.unwrap();
    let erased = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap();
    assert!(erased.constants.is_empty(), "{erased:?}");
}

#[tokio::test]
async fn an_erasure_takes_the_reason_of_the_quarantine() {
    let (scene, _) = Scene::read().await;
    let other = scene.unfit();
    scene.person_edits("Name", Value::Null);
    for id in [scene.account, other] {
        failed(Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined);
    }
    // What a reason repeats depends on what is wrong; this one repeats a value.
    scene.sql("UPDATE datahub_quarantine SET reason = 'a Bakery does not fit'");
    Organisation::erase(&scene.hub, scene.id(), "asked for").await.unwrap();
    let told: Vec<_> = scene.quarantine().await.into_iter().map(|entry| (entry.id, entry.reason)).collect();
    assert_eq!(told.len(), 2);
    for (id, reason) in told {
        assert_eq!(reason.contains("Bakery"), id == other, "{id}: {reason}");
    }
}

/// The organisation as a wider program knows it.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "shown_firms", mode = "mirror", diesel(table = false))]
struct Wide {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL")]
    website: Option<String>,
}

/// The same table, of which less is mapped now.
mod narrow {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "shown_firms", mode = "mirror", diesel(table = false))]
    pub(super) struct Narrow {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
    }
}

#[tokio::test]
async fn an_erasure_takes_what_no_mapping_reads_any_more_and_leaves_the_row() {
    let scene = Scene::new().await;
    scene.person_edits("WebSiteURL", Value::text("https://bakery.example"));
    let wide = scene.kit.hub(models![Wide]).connect().await.unwrap();
    Wide::get(&wide, scene.account.into()).await.unwrap();
    // While the wider program still runs, it must notice that its row is not complete any more.
    let beside = scene.kit.hub(models![narrow::Narrow]).connect().await.unwrap();
    assert!(wide.completeness::<Wide>().await.unwrap().is_complete());
    narrow::Narrow::erase(&beside, scene.account.into(), "asked for").await.unwrap();
    assert!(!wide.completeness::<Wide>().await.unwrap().is_complete());
    let read = Wide::get(&wide, scene.account.into()).await.unwrap();
    assert_eq!(read.website.as_deref(), Some("https://bakery.example"));
    assert!(wide.completeness::<Wide>().await.unwrap().is_complete());
    wide.shutdown(std::time::Duration::from_secs(5)).await;
    scene.sql("ALTER TABLE shown_firms DROP COLUMN website");

    let hub = scene.kit.hub(models![narrow::Narrow]).connect().await.unwrap();
    assert_eq!(rows_with(&scene, "bakery.example").len(), 1, "what was seen is kept with the row");
    narrow::Narrow::erase(&hub, scene.account.into(), "asked for").await.unwrap();
    assert_eq!(rows_with(&scene, "bakery.example"), [""; 0]);
    let row = narrow::Narrow::get(&hub, scene.account.into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(row.name, acme()[0].1.to_string().trim_matches('"'), "what is read of it now stays");
}
