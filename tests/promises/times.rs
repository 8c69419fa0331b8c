//! A record's time is the one that CDMS gave it, whatever the hub's own clock says.

use std::time::Duration;

use chrono::DateTime;
use datahub_runtime::Value;

use crate::scene::Scene;

#[tokio::test]
async fn what_is_stored_is_the_time_that_cdms_gave() {
    let (scene, mut org) = Scene::read().await;
    scene.kit.clock.advance(Duration::from_millis(12_345));
    org.name = "Beta".into();
    org.save(&scene.hub).await.unwrap();
    is_cdmss_time(&scene);
    scene.person_edits("Name", Value::text("Gamma"));
    scene.get().await.unwrap();
    is_cdmss_time(&scene);
}

/// Compares the time that the hub's table has with CDMS's.
fn is_cdmss_time(scene: &Scene) {
    let shown = scene.modified();
    let shown = shown.trim().trim_matches('\'');
    // Microseconds on SQLite, a text with an offset on PostgreSQL.
    let ms = match shown.parse::<i64>() {
        Ok(us) => us / 1_000,
        Err(_) => DateTime::parse_from_str(shown, "%Y-%m-%d %H:%M:%S%.f%#z").unwrap().timestamp_millis(),
    };
    let record = scene.record();
    let Some(Value::Instant(modified)) = record.get("ModifiedOn") else {
        panic!("every record has a time: {record:?}")
    };
    assert_eq!(ms, modified.0, "{shown}");
}
