//! What is done for one is done for many: work that goes by pages of two hundred comes to its end.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{EntryKind, HistoryEntry, Instant, OperationId, Resolution, Value, Verdict};
use example_domain::{Contact, Organisation};
use uuid::Uuid;

use crate::scene::{PAST_QUIET, Scene, acme, ada, failed, now};

/// More than go on one page.
const MANY: usize = 205;

/// A GUID as the scene's database writes it.
fn literal(scene: &Scene, id: Uuid) -> String {
    scene.on(format!("x'{}'", id.simple()), format!("'{id}'::uuid"))
}

/// Many open creates of contacts that CDMS never got, all opened at the same time.
async fn open_creates(scene: &Scene) -> Vec<OperationId> {
    scene.fault(Operation::Create, Fault::DropBeforeCommit);
    let lost = failed(Contact::create(&scene.hub, ada(scene)).await, ErrorKind::Unsettled).operation_id().unwrap();
    let mut operations = vec![lost];
    for _ in 1..MANY {
        let (id, operation) = (Uuid::new_v4(), Uuid::now_v7());
        scene.sql(&format!(
            "INSERT INTO datahub_intents (operation, entity, id, model, write, body, local, actor, program, \
             lease_holder, lease_until, quiet_until, opened_at, mapping_id) \
             SELECT {}, entity, {}, model, write, replace(body, '{lost}', '{operation}'), local, actor, program, \
             lease_holder, lease_until, quiet_until, opened_at, mapping_id FROM datahub_intents WHERE operation = {}",
            literal(scene, operation),
            literal(scene, id),
            literal(scene, lost.0),
        ));
        operations.push(OperationId(operation));
    }
    operations.sort();
    operations
}

#[tokio::test]
async fn settling_goes_on_after_the_first_page_of_open_writes() {
    let scene = Scene::new().await;
    let operations = open_creates(&scene).await;
    assert_eq!(scene.settle().await.waiting.len(), MANY, "each is told while it has to wait");
    scene.kit.advance(PAST_QUIET);
    let mut settled = scene.settle().await.settled;
    settled.sort_by_key(|(operation, _)| *operation);
    assert!(settled.iter().all(|(_, verdict)| *verdict == Verdict::NotApplied), "{settled:?}");
    assert_eq!(settled.into_iter().map(|(operation, _)| operation).collect::<Vec<_>>(), operations);
    assert_eq!((scene.open_intents(), scene.hub.health().await.open_writes), (0, 0));
}

/// Many other organisations in CDMS, each with this name; their ids in order.
fn others(scene: &Scene, name: Value) -> Vec<Uuid> {
    let seed = |_| scene.kit.simulator.seed("Account", [("Name", name.clone())]);
    let mut ids: Vec<_> = (0..MANY).map(seed).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn all_rows_are_resolved_and_not_those_of_the_first_page_alone() {
    let scene = Scene::new().await;
    let ids = others(&scene, Value::text("Firm"));
    scene.hub.pull::<Organisation>().await.unwrap();
    let restored = [ids[0], ids[MANY - 1]];
    for id in restored {
        let hour_ago = Value::Instant(Instant(now(&scene).0 - 3_600_000));
        let old = [("ModifiedOn", hour_ago), ("Name", Value::text("Old Firm"))];
        scene.kit.simulator.overwrite("Account", id, old);
    }
    let report = Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    assert_eq!((report.checked, report.failed.len()), (MANY as u64 + 1, 0), "{:?}", report.stopped);
    assert_eq!(report.resolved.iter().map(|id| id.guid()).collect::<Vec<_>>(), restored);
}

#[tokio::test]
async fn quarantine_is_listed_and_tried_again_to_the_number_that_is_asked_for() {
    let scene = Scene::new().await;
    let ids = others(&scene, Value::Null);
    scene.hub.pull::<Organisation>().await.unwrap();
    assert_eq!(scene.hub.health().await.quarantined, MANY as u64);
    assert_eq!(scene.hub.quarantine(1_000).await.unwrap().len(), MANY);
    assert_eq!(scene.hub.quarantine(3).await.unwrap().len(), 3);
    let report = scene.hub.retry_quarantined(1_000).await.unwrap();
    assert_eq!((report.left.len(), report.stayed.len()), (0, MANY));
    for id in ids {
        scene.kit.simulator.edit("Account", id, [("Name", Value::text("Firm"))]);
    }
    let report = scene.hub.retry_quarantined(1_000).await.unwrap();
    assert_eq!((report.left.len(), report.stayed.len()), (MANY, 0));
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn an_erasure_takes_the_values_of_a_long_past() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Ada's Bakery".into();
    org.save(&scene.hub).await.unwrap();
    let last = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap();
    let copied = "entity, id, model, version, at, actor, program, origin, kind, changes, constants, local, mapping_id";
    scene.sql(&format!(
        "INSERT INTO datahub_history ({copied}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < {MANY}) SELECT {copied} FROM datahub_history, n WHERE sequence = {}",
        last.number
    ));
    org.name = "Acme".into();
    org.save(&scene.hub).await.unwrap();
    let count = Organisation::erase(&scene.hub, scene.id(), "asked for").await.unwrap();
    assert_eq!(count, MANY as u64 + 3, "the first sight, both saves, and the copies");
    let kept = scene.dump("datahub_history").into_iter().filter(|row| row.contains("Bakery"));
    assert_eq!(kept.count(), 0);
}

#[tokio::test]
async fn a_form_is_taken_up_over_many_later_changes() {
    let (scene, mut org) = Scene::read().await;
    let token = org.version_token();
    for round in 0..MANY {
        org.archived_reason = Some(format!("round {round}"));
        org.save(&scene.hub).await.unwrap();
    }
    let form = Organisation::edit(&scene.hub, scene.id(), token).await.unwrap();
    assert_eq!(form.archived_reason, None, "as it was shown");
}

#[tokio::test]
async fn a_pull_stores_more_records_of_a_page_than_one_statement_takes() {
    let scene = Scene::new().await;
    let ids = others(&scene, Value::text("Firm"));
    let first = scene.hub.pull::<Organisation>().await.unwrap();
    assert_eq!((first.records, first.first_seen), (MANY as u64 + 1, MANY as u64 + 1));
    scene.minute();
    for id in &ids {
        scene.kit.simulator.edit("Account", *id, [("Name", Value::text("Grown Firm"))]);
    }
    let second = scene.hub.pull::<Organisation>().await.unwrap();
    assert_eq!((second.refreshed, second.in_sync), (MANY as u64, 1));
    let grown = scene.dump("organisations").iter().filter(|row| row.contains("'Grown Firm'")).count();
    assert_eq!(grown, MANY);
}

#[tokio::test]
async fn health_tells_of_the_oldest_of_several_open_writes() {
    let scene = Scene::new().await;
    let mut opened = Vec::new();
    for _ in 0..3 {
        scene.fault(Operation::Create, Fault::DropAfterCommit);
        failed(Contact::create(&scene.hub, ada(&scene)).await, ErrorKind::Unsettled);
        opened.push(now(&scene));
        scene.minute();
    }
    let health = scene.hub.health().await;
    let since_first = u64::try_from(now(&scene).0 - opened[0].0).unwrap();
    assert_eq!((health.open_writes, health.oldest_open_write), (3, Some(Duration::from_millis(since_first))));
}

#[tokio::test]
async fn several_records_have_a_past_of_their_own() {
    let scene = Scene::new().await;
    let ids = [(); 3].map(|()| Id::<Organisation>::from(scene.kit.simulator.seed("Account", acme())));
    for (number, id) in ids.into_iter().enumerate() {
        let mut org = Organisation::get(&scene.hub, id).await.unwrap();
        org.name = format!("Firm {number}");
        org.save(&scene.hub).await.unwrap();
    }
    for (number, id) in ids.into_iter().enumerate() {
        let history = Organisation::history(&scene.hub, id).await.unwrap();
        assert_eq!(
            history.iter().map(|entry| entry.kind).collect::<Vec<_>>(),
            [EntryKind::FirstSeen, EntryKind::Updated]
        );
        assert_eq!(history[1].changes[0].to, Some(Value::text(format!("Firm {number}"))));
    }
    assert_eq!(Organisation::erase(&scene.hub, ids[1], "asked for").await.unwrap(), 2);
    let erased = |entries: Vec<HistoryEntry>| entries.iter().filter(|entry| entry.erasure.is_some()).count();
    let mut counts = Vec::new();
    for id in ids {
        counts.push(erased(Organisation::history(&scene.hub, id).await.unwrap()));
    }
    assert_eq!(counts, [0, 2, 0], "an erasure is of its record alone");
}
