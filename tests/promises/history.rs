//! A record's past: rebuilt for any time, also of a record that is gone.

use chrono::{DateTime, Utc};
use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use example_domain::Organisation;

use crate::scene::{Scene, now};

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
