//! A row that is stored over another one is the row that would be stored if there had been none: no column is forgotten.

use datahub_runtime::prelude::*;
use datahub_runtime::{Attributes, Instant, Kind, Reference, Value};
use example_domain::{Contact, Organisation};
use uuid::Uuid;

use crate::scene::{Scene, failed, now};

/// Another value of an attribute's kind than records of the scene have.
fn another(kind: Kind, targets: &[&'static str]) -> Value {
    match kind {
        Kind::String => Value::text("other"),
        Kind::Boolean => Value::Boolean(true),
        Kind::Money => Value::Money("77.25".parse().unwrap()),
        Kind::Lookup => Value::Lookup(Reference { logical_name: targets[0].into(), id: Uuid::from_u128(7) }),
        Kind::State => Value::Choice(1),
        other => panic!("no model of the scene has a {other}"),
    }
}

/// How a row is stored over another one.
#[derive(Clone, Copy, Debug)]
enum Way {
    Read,
    Pull,
}

/// The rows of a model and what the engine keeps of them, but for what counts the times of storing.
fn kept(scene: &Scene, table: &str) -> Vec<String> {
    let mut rows = scene.dump(table);
    rows.extend(scene.dump("datahub_records"));
    let version = |word: &&str| !word.starts_with("version=") && !word.starts_with("outdated_at=");
    rows.iter().map(|row| row.split(' ').filter(version).collect::<Vec<_>>().join(" ")).collect()
}

async fn take<T: CdmsSynced>(scene: &Scene, way: Way, id: Uuid) {
    match way {
        Way::Read => drop(T::get(&scene.hub, id.into()).await.unwrap()),
        Way::Pull => drop(scene.hub.pull::<T>().await.unwrap()),
    }
}

/// Changes each attribute of a record by itself, and compares the row with one that is stored where there is none.
async fn each_attribute_is_stored<T: CdmsSynced>(scene: &Scene, way: Way, id: Uuid) {
    let (model, entity) = (T::DESCRIPTOR, T::DESCRIPTOR.entity.name);
    take::<T>(scene, way, id).await;
    let mut changes: Vec<Attributes> = Vec::new();
    for attribute in model.attributes {
        changes.push([(attribute.name, another(attribute.kind, attribute.targets))].into());
    }
    let user = Value::Lookup(Reference { logical_name: "systemuser".into(), id: Uuid::from_u128(8) });
    changes.push([("ModifiedBy", user)].into());
    changes.push([("CreatedOn", Value::Instant(Instant(now(scene).0 - 86_400_000)))].into());
    for change in changes {
        scene.minute();
        let name = change.iter().next().map(|(name, _)| name.to_owned()).unwrap();
        let modified = [("ModifiedOn", Value::Instant(now(scene)))].into();
        let mut change = change;
        change.merge(&modified);
        scene.kit.simulator.overwrite(entity, id, change);
        take::<T>(scene, way, id).await;
        let over_another = kept(scene, model.table);
        scene.sql(&format!("DELETE FROM {}", model.table));
        scene.sql("DELETE FROM datahub_records");
        take::<T>(scene, way, id).await;
        assert_eq!(over_another, kept(scene, model.table), "{entity}.{name}, {way:?}");
    }
}

#[tokio::test]
async fn a_row_takes_each_attribute_that_changes_by_itself() {
    for way in [Way::Read, Way::Pull] {
        let scene = Scene::new().await;
        each_attribute_is_stored::<Organisation>(&scene, way, scene.account).await;
        let scene = Scene::new().await;
        let contact = scene.kit.simulator.seed("Contact", [("LastName", Value::text("Lovelace"))]);
        each_attribute_is_stored::<Contact>(&scene, way, contact).await;
    }
}

#[tokio::test]
async fn a_record_that_is_put_into_quarantine_again_is_there_for_its_new_reason() {
    for way in [Way::Read, Way::Pull] {
        let scene = Scene::new().await;
        let id = scene.unfit();
        let put = async || match way {
            Way::Read => drop(failed(Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined)),
            Way::Pull => drop(scene.hub.pull::<Organisation>().await.unwrap()),
        };
        put().await;
        let first = scene.quarantine().await.remove(0);
        assert_eq!(first.at, now(&scene));
        scene.minute();
        let other = [
            ("Name", Value::text("Acme")),
            ("StateCode", Value::Choice(77)),
            ("ModifiedOn", Value::Instant(now(&scene))),
        ];
        scene.kit.simulator.overwrite("Account", id, other);
        put().await;
        let [second] = &scene.quarantine().await[..] else { panic!("one record waits") };
        assert_eq!((second.id, second.at), (id, now(&scene)), "{way:?}");
        assert!(first.reason.contains("Name") && second.reason.contains("StateCode"), "{first:?} {second:?}");
    }
}
