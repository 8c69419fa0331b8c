//! Who acted is told, whatever was called and whoever finds out what became of it.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::Fault;
use datahub_runtime::{EntryKind, HistoryEntry, Instant, Origin, Resolution, Value};
use example_domain::{Contact, Organisation};

use crate::scene::{NEW_NAME, PAST_QUIET, Scene, Write, ada, failed, now};

/// The newest entry of what a write is about.
async fn last_of(scene: &Scene, write: Write, id: uuid::Uuid) -> HistoryEntry {
    let history = match write {
        Write::Create => Contact::history(&scene.hub, id.into()).await,
        Write::Update | Write::Delete => Organisation::history(&scene.hub, id.into()).await,
    };
    history.unwrap().pop().unwrap()
}

#[tokio::test]
async fn a_write_that_another_program_settles_is_told_of_the_one_who_made_it() {
    for write in Write::ALL {
        for (fault, is_applied) in [(Fault::DropAfterCommit, true), (Fault::DropBeforeCommit, false)] {
            let scene = Scene::new().await;
            let attempt = write.prepare(&scene).await;
            scene.fault(write.operation(), fault);
            let lost = failed(attempt.run_on(&scene.hub.acting_as("ada")).await, ErrorKind::Unsettled);
            scene.kit.advance(PAST_QUIET);
            let settled = scene.another_program().await.settle().await.unwrap().settled;
            assert_eq!(settled.len(), 1, "{write:?}");
            let told = last_of(&scene, write, attempt.id()).await;
            assert_eq!(told.operation, lost.operation_id(), "{write:?}");
            let who = (told.actor.as_str(), told.program.as_str(), told.origin);
            assert_eq!(who, ("ada", "another", Origin::Settle), "{write:?}, applied: {is_applied}");
            assert!(told.to_string().contains("for ada, settled later"), "{told}");
            let operation = scene.hub.operation(lost.operation_id().unwrap()).await.unwrap();
            assert_eq!(operation.actor, "ada");
        }
    }
}

#[tokio::test]
async fn every_call_tells_for_whom_it_acted() {
    let (scene, mut org) = Scene::read().await;
    let history = async || Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let mut expected = vec![(EntryKind::FirstSeen, "tests".to_owned())];
    let mut tell = |kind, who: &str| expected.push((kind, who.to_owned()));
    let by = |who: &str| scene.hub.acting_as(who);

    org.name = NEW_NAME.into();
    org.save(&by("the saver")).await.unwrap();
    tell(EntryKind::Updated, "the saver");
    let token = org.version_token();
    org.archived_reason = Some("moved".into());
    org.save(&by("the keeper")).await.unwrap();
    tell(EntryKind::LocalChanged, "the keeper");
    let mut form = Organisation::edit(&by("whoever takes the form up"), scene.id(), token).await.unwrap();
    form.description = "Biscuits".into();
    form.save(&by("the editor")).await.unwrap();
    tell(EntryKind::Updated, "the editor");
    let first = history().await[0].version;
    Organisation::revert(&by("the reverter"), scene.id(), first).await.unwrap();
    tell(EntryKind::Updated, "the reverter");
    scene.get().await.unwrap().delete(&by("the deleter")).await.unwrap();
    tell(EntryKind::Deleted, "the deleter");
    Organisation::revert(&by("the reviver"), scene.id(), first).await.unwrap();
    tell(EntryKind::Created, "the reviver");
    scene.person_edits("Name", Value::text("Acme Bakery"));
    Organisation::get(&by("a reader"), scene.id()).await.unwrap();
    tell(EntryKind::Refreshed, "tests");
    scene.person_edits("Name", Value::text("Acme Mills"));
    by("a puller").pull::<Organisation>().await.unwrap();
    tell(EntryKind::Refreshed, "tests");
    let old = [("ModifiedOn", Value::Instant(Instant(now(&scene).0 - 3_600_000))), ("Name", Value::text("Old Acme"))];
    scene.kit.simulator.overwrite("Account", scene.account, old);
    Organisation::resolve_all(&by("the resolver"), Resolution::PushHub).await.unwrap();
    tell(EntryKind::Refreshed, "the resolver");
    tell(EntryKind::Updated, "the resolver");
    let told: Vec<_> = history().await.into_iter().map(|entry| (entry.kind, entry.actor)).collect();
    assert_eq!(told, expected);

    let created = Contact::create(&by("the creator"), ada(&scene)).await.unwrap();
    let entry = last_of(&scene, Write::Create, created.id().guid()).await;
    assert_eq!((entry.kind, entry.actor.as_str()), (EntryKind::Created, "the creator"));
    Organisation::erase(&by("the eraser"), scene.id(), "asked for").await.unwrap();
    let erased = history().await.pop().unwrap();
    assert_eq!(erased.erasure.unwrap().actor, "the eraser");
    assert_eq!(erased.actor, "the resolver", "who acted is no value of the record");
}

#[tokio::test]
async fn a_change_in_cdms_is_told_with_its_user_and_its_time() {
    let (scene, _) = Scene::read().await;
    scene.person_edits("Name", Value::text(NEW_NAME));
    scene.get().await.unwrap();
    let told = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap();
    let record = scene.record();
    let Some(Value::Lookup(person)) = record.get("ModifiedBy") else { panic!("{record:?}") };
    assert_eq!((told.origin, told.modified_by), (Origin::Cdms, Some(person.id)));
    assert_eq!(told.modified.map(Value::Instant).as_ref(), record.get("ModifiedOn"));
    assert!(told.to_string().contains(&format!("by its user {}", person.id)), "{told}");
}
