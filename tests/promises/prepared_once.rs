//! SQLite prepares each statement once: no value that is bound later makes it prepare one again, which would cost the
//! connection as much as a statement that is not kept.

use std::time::Duration;

use datahub_runtime::counted::{accounts, keep_all_prepared};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Resolution, Settling, Value, VersionToken};
use example_domain::{Contact, Organisation};

use crate::scene::{Scene, ada, failed, now};

/// A scene on a SQLite file whose hub has one connection that reads and one that writes, and keeps every statement.
async fn scene() -> Scene {
    let kit = Kit::on_sqlite(example_domain::METADATA);
    // The tables exist before the hub prepares its first statement: each change of a table ends all that are prepared.
    kit.hub(example_domain::models()).connect().await.unwrap().shutdown(Duration::from_secs(10)).await;
    let builder = kit.hub(example_domain::models()).connections(1).settling(Settling::OnRequest);
    let scene = Scene::with_kit(kit, builder).await;
    for number in 0..119 {
        let name = Value::text(format!("Firm {number:03}"));
        scene.kit.simulator.seed("Account", [("Name", name)]);
    }
    keep_all_prepared(&scene.hub).await.unwrap();
    scene
}

/// Every kind of read: of a record that is new, in sync, changed, and gone; of the hub's row; and of what it was.
async fn reads(scene: &Scene, round: usize) {
    let mut org = scene.get().await.unwrap();
    scene.person_edits("Name", Value::text(format!("Acme {round}")));
    scene.get().await.unwrap();
    let then = now(scene).to_utc().unwrap();
    scene.person_edits("Description", Value::text("Makes rockets"));
    org = Organisation::get(&scene.hub, org.id()).await.unwrap();
    scene.row().await.unwrap();
    Organisation::as_of(&scene.hub, org.id(), then).await.unwrap().unwrap();
    Organisation::history(&scene.hub, org.id()).await.unwrap();
    let other = scene.kit.simulator.seed("Account", [("Name", Value::text("Brief Ltd"))]);
    Organisation::get(&scene.hub, other.into()).await.unwrap();
    scene.kit.simulator.remove("Account", other);
    failed(Organisation::get(&scene.hub, other.into()).await, ErrorKind::Gone);
    failed(Organisation::get(&scene.hub, scene.unfit().into()).await, ErrorKind::Quarantined);
    scene.hub.quarantine(10).await.unwrap();
    scene.hub.retry_quarantined(10).await.unwrap();
}

/// Updates of mapped and of local fields, with a conflict and by a form; creates and deletes.
async fn writes(scene: &Scene, round: usize) {
    let mut org = scene.get().await.unwrap();
    let token: VersionToken = org.version_token();
    org.name = format!("Acme Foods {round}");
    org.archived = round == 1;
    scene.person_edits("Name", Value::text(format!("Acme Group {round}")));
    org.save(&scene.hub).await.unwrap();
    org.archived = round != 1;
    org.save(&scene.hub).await.unwrap();
    drop(Organisation::edit(&scene.hub, org.id(), token).await.unwrap());
    let first = Organisation::history(&scene.hub, org.id()).await.unwrap().last().unwrap().version;
    Organisation::resolve(&scene.hub, org.id(), Resolution::TakeCdms).await.unwrap();
    scene.minute();
    Organisation::revert(&scene.hub, org.id(), first).await.unwrap();
    scene.minute();
    let contact = Contact::create(&scene.hub, ada(scene)).await.unwrap();
    let id = contact.id();
    scene.minute();
    contact.delete(&scene.hub).await.unwrap();
    Contact::erase(&scene.hub, id, "asked for").await.unwrap();
    scene.hub.open_writes(10).await.unwrap();
    scene.hub.settle().await.unwrap();
}

/// Pages of lists, of CDMS's records and of the hub's rows; whole models; and what keeps them fresh.
async fn lists(scene: &Scene, round: usize) {
    let f = Organisation::FIELDS;
    let page = || Organisation::find(&scene.hub).order_by(f.name.asc()).limit(50);
    let first = page().load().await.unwrap();
    page().after(first.next.unwrap()).load().await.unwrap();
    scene.minute();
    let changed: Vec<_> = first.records.iter().skip(1).take(20 + round).map(Synced::id).collect();
    for id in &changed {
        let description = Value::text(format!("Changed {round}"));
        scene.kit.simulator.edit("Account", id.guid(), [("Description", description)]);
    }
    page().load().await.unwrap();
    Organisation::get_many(&scene.hub, changed).await.unwrap();
    let rows = || Organisation::find(&scene.hub).freshness(Freshness::LocalOnly);
    let firm = format!("firm 0{round}");
    let first = rows().filter(f.name.starts_with(&firm)).order_by(f.name.desc()).limit(5).load().await.unwrap();
    rows()
        .filter(f.name.starts_with(&firm))
        .order_by(f.name.desc())
        .limit(5)
        .after(first.next.unwrap())
        .load()
        .await
        .unwrap();
    let known = f.name.contains("oo").or(f.name.is_in(["Firm 001", "Firm 002"])).and(f.archived.eq(round == 0));
    rows().filter(known).count().await.unwrap();
    rows().filter(f.credit_limit.ge(rust_decimal::Decimal::from(round))).exists().await.unwrap();
    scene.hub.pull::<Organisation>().await.unwrap();
    scene.hub.sweep::<Organisation>().await.unwrap();
    scene.hub.backfill::<Organisation>().await.unwrap();
    scene.hub.completeness::<Organisation>().await.unwrap();
    scene.hub.ensure_fresh(models![Organisation, Contact], Freshness::Always).or_load().await.unwrap();
    Organisation::resolve_all(&scene.hub, Resolution::TakeCdms).await.unwrap();
    scene.hub.health().await;
}

#[tokio::test]
async fn no_value_makes_sqlite_prepare_a_statement_again() {
    let scene = scene().await;
    for round in 0..2 {
        reads(&scene, round).await;
        writes(&scene, round).await;
        lists(&scene, round).await;
    }
    let [reading, writing] = accounts(&scene.hub).await.unwrap();
    assert!(reading.prepared > 15 && writing.prepared > 40, "{reading:?} {writing:?}");
    assert!(reading.runs > 50 && writing.runs > 200, "{reading:?} {writing:?}");
    // Pragmas bind no value, and SQLite may prepare them again all the same.
    let again = reading.prepared_again.into_iter().chain(writing.prepared_again);
    assert_eq!(again.filter(|statement| statement.contains('?')).collect::<Vec<_>>(), [""; 0]);
}
