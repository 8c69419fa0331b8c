//! A record's past: rebuilt for any time, also of a record that is gone.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::{EntryKind, Origin, Seen, Value, Version};
use example_domain::Organisation;

use crate::scene::{Scene, failed, found, now, says};

/// The scene's time; the next thing happens a minute later.
fn mark(scene: &Scene) -> DateTime<Utc> {
    let time = now(scene).to_utc().expect("a time of our days");
    scene.minute();
    time
}

#[tokio::test]
async fn a_record_can_be_had_as_it_was_at_any_time() {
    let scene = Scene::new().await;
    let before = mark(&scene);
    let mut org = scene.get().await.unwrap();
    let mut then = vec![(mark(&scene), org.clone().into_inner())];
    scene.person_edits("Name", Value::text("Acme Foods"));
    org = scene.get().await.unwrap();
    then.push((mark(&scene), org.clone().into_inner()));
    org.website = Some("https://acme.example".into());
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    then.push((mark(&scene), org.clone().into_inner()));
    org.archived_reason = None;
    org.save(&scene.hub).await.unwrap();
    then.push((mark(&scene), org.clone().into_inner()));
    org.delete(&scene.hub).await.unwrap();
    let gone = mark(&scene);
    Organisation::create(&scene.hub, then[0].1.clone()).await.unwrap();
    then.push((mark(&scene), then[0].1.clone()));

    let as_of = async |time| Organisation::as_of(&scene.hub, scene.id(), time).await.unwrap();
    for (time, expected) in then {
        assert_eq!(as_of(time).await.as_ref(), Some(&expected), "{time}");
    }
    assert_eq!(as_of(before).await, None, "the hub had not seen it yet");
    assert_eq!(as_of(gone).await, None, "it was deleted");
}

#[tokio::test]
async fn a_past_of_many_entries_is_read_in_pages() {
    let (scene, mut org) = Scene::read().await;
    let begin = mark(&scene);
    for round in 0..250 {
        org.archived_reason = Some(format!("round {round}"));
        org.save(&scene.hub).await.unwrap();
    }
    let (past, cost) = scene.cost_of(Organisation::as_of(&scene.hub, scene.id(), begin)).await;
    assert_eq!(past.unwrap().unwrap().archived_reason, None);
    assert_eq!((cost.requests, cost.transactions), (0, 0));
}

#[tokio::test]
async fn a_record_is_put_back_by_a_normal_write_with_nulls_where_they_were() {
    let (scene, mut org) = Scene::read().await;
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    // In CDMS these are null; in the model a default stands for them.
    (org.alias, org.uk_organisation) = ("Crumbs".into(), true);
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    scene.person_edits("Name", Value::text("Acme Foods"));

    let org = Organisation::revert(&scene.hub, scene.id(), first).await.unwrap();
    assert_eq!((org.name.as_str(), org.alias.as_str(), org.uk_organisation), ("Acme", "", false));
    assert_eq!(org.archived_reason, None);
    let record = scene.record();
    let raw = ["Name", "optevia_Alias", "optevia_ukorganisation"].map(|name| record.get(name).cloned().unwrap());
    assert_eq!(raw, [Value::text("Acme"), Value::Null, Value::Null]);
    assert_eq!(found(&scene.get().await.unwrap()), Seen::InSync);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let revert = history.last().unwrap();
    assert_eq!((revert.kind, revert.origin), (EntryKind::Updated, Origin::Revert));
    let name = revert.changes.iter().find(|change| change.field == "name").unwrap();
    assert_eq!(name.from, Some(Value::text("Acme Foods")), "what a person had typed is kept");

    let (again, cost) = scene.cost_of(Organisation::revert(&scene.hub, scene.id(), revert.version)).await;
    again.unwrap();
    assert_eq!((cost.requests, cost.transactions), (1, 0), "it is as it was then already");
}

#[tokio::test]
async fn a_deleted_record_is_put_back_by_creating_it_again() {
    let (scene, mut org) = Scene::read().await;
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    let then = org.clone().into_inner();
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    org.delete(&scene.hub).await.unwrap();
    let org = Organisation::revert(&scene.hub, scene.id(), first).await.unwrap();
    assert_eq!(*org, then);
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme")));
    assert_eq!(scene.record().get("optevia_Alias"), Some(&Value::Null));
}

#[tokio::test]
async fn a_version_that_the_record_does_not_have_is_refused() {
    let (scene, _) = Scene::read().await;
    for version in [Version(0), Version(-1), Version(99)] {
        let error = failed(Organisation::revert(&scene.hub, scene.id(), version).await, ErrorKind::Invalid);
        says(&error, &["Organisation", &scene.account.to_string(), &version.0.to_string()]);
    }
    failed(Organisation::revert(&scene.hub, Id::new(), Version(1)).await, ErrorKind::NotFound);
    assert_eq!(scene.commits(), []);
}

#[tokio::test]
async fn a_history_exports_as_json_lines() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    org.save(&scene.hub.acting_as("ada")).await.unwrap();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let lines: Vec<_> = history.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    assert!(lines.iter().all(|line| !line.contains('\n')));
    let update: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(
        (&update["kind"], &update["origin"], &update["actor"]),
        (&"updated".into(), &"hub".into(), &"ada".into())
    );
    assert_eq!(update["at"], "2016-12-05T12:00:00Z");
    assert_eq!((&update["changes"][0]["from"], &update["changes"][0]["to"]), (&"Acme".into(), &"Acme Foods".into()));
}
