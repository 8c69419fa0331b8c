//! Following lookups, of one record or of many, and finding the records that refer to others, in few requests.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use example_domain::{Contact, Organisation, Sector};
use uuid::Uuid;

use crate::pull::crowd;
use crate::scene::{Scene, failed, says};

fn lookup(entity: &'static str, id: Uuid) -> Value {
    Value::Lookup(datahub_runtime::Reference { logical_name: entity.into(), id })
}

/// Fifty-one organisations, each in one of so many sectors, but for the first one; and the sectors' ids.
async fn sectors(count: usize) -> (Scene, Vec<Id<Organisation>>, Vec<Uuid>) {
    let (scene, ids) = crowd(50).await;
    let sectors: Vec<_> = (0..count)
        .map(|number| {
            scene.kit.simulator.seed("optevia_sector", [("optevia_name", Value::text(format!("Sector {number}")))])
        })
        .collect();
    for (number, id) in ids.iter().enumerate().skip(1) {
        let sector = lookup("optevia_sector", sectors[number % count]);
        scene.kit.simulator.edit("Account", id.guid(), [("optevia_Sector", sector)]);
    }
    (scene, ids, sectors)
}

#[tokio::test]
async fn a_lookup_is_followed_by_its_handle() {
    let (scene, ids, sectors) = sectors(3).await;
    let f = Organisation::FIELDS;
    let org = Organisation::get(&scene.hub, ids[4]).await.unwrap();
    let (sector, cost) = scene.cost_of(org.follow(f.sector, &scene.hub)).await;
    let sector: Synced<Sector> = sector.unwrap().unwrap();
    assert_eq!((sector.id().guid(), sector.name.as_str(), cost.requests), (sectors[1], "Sector 1", 1));
    let first = Organisation::get(&scene.hub, ids[0]).await.unwrap();
    let (none, cost) = scene.cost_of(first.follow(f.sector, &scene.hub)).await;
    assert!(none.unwrap().is_none());
    assert_eq!(cost.requests, 0);
    scene.kit.simulator.remove("optevia_sector", sectors[1]);
    failed(org.follow(f.sector, &scene.hub).await, ErrorKind::Gone);
}

#[tokio::test]
async fn the_lookups_of_fifty_records_cost_at_most_three_requests() {
    let (scene, _, sectors) = sectors(50).await;
    let f = Organisation::FIELDS;
    let page = Organisation::find(&scene.hub).limit(51).load().await.unwrap();
    let related = Organisation::load_related(&scene.hub, &page, f.sector).await.unwrap();
    assert_eq!((related.iter().count(), related.missing.len(), related.left_out.len()), (50, 0, 0));
    assert!(related.cost.requests <= 3, "{:?}", related.cost);
    for org in &page {
        let sector = related.get(org.sector);
        assert_eq!(sector.map(Synced::id), org.sector);
        assert!(sector.is_none_or(|sector| sector.name.starts_with("Sector ")));
    }
    let again = Organisation::load_related(&scene.hub, &page, f.sector).await.unwrap();
    assert!(
        again.cost.requests <= 3 && again.cost.statements <= 2 * 3 && again.cost.transactions == 0,
        "{:?}",
        again.cost
    );

    // Those that the hub knows cost no request, if the caller allows it.
    let new = scene.kit.simulator.seed("optevia_sector", [("optevia_name", Value::text("New"))]);
    scene.minute();
    scene.kit.simulator.edit(
        "Account",
        page.records[3].id().guid(),
        [("optevia_Sector", lookup("optevia_sector", new))],
    );
    scene.kit.simulator.edit("optevia_sector", sectors[7], [("optevia_name", Value::text("Renamed"))]);
    let page = Organisation::find(&scene.hub).limit(51).load().await.unwrap();
    let known = Organisation::load_related(&scene.hub, &page, f.sector).known_only().await.unwrap();
    assert_eq!((known.cost.requests, known.missing.as_slice()), (0, [Id::from(new)].as_slice()));
    let old = known.get(Id::from(sectors[7])).unwrap();
    assert!(old.name == "Sector 7" && !old.checked().is_fresh());
    let fetched = Organisation::load_related(&scene.hub, &page, f.sector).fetch_unknown().await.unwrap();
    assert_eq!((fetched.cost.requests, fetched.missing.len()), (1, 0));
    assert!(fetched.get(Id::from(new)).unwrap().checked().is_fresh());
}

#[tokio::test]
async fn a_circle_ends_after_one_level() {
    let (scene, ids) = crowd(1).await;
    for (one, other) in [(ids[0], ids[1]), (ids[1], ids[0])] {
        scene.kit.simulator.edit("Account", one.guid(), [("ParentAccountId", lookup("account", other.guid()))]);
    }
    let page = Organisation::find(&scene.hub).load().await.unwrap();
    let parents = Organisation::load_related(&scene.hub, &page, Organisation::FIELDS.parent).await.unwrap();
    assert_eq!((parents.iter().count(), parents.cost.requests), (2, 1));
    assert!(page.records.iter().all(|org| parents.get(org.parent).map(Synced::id) == org.parent));
}

#[tokio::test]
async fn the_contacts_of_organisations_are_read_together() {
    let (scene, ids) = crowd(49).await;
    for (number, id) in ids.iter().enumerate().take(40) {
        let name = Value::text(format!("Person {number}"));
        scene.kit.simulator.seed("Contact", [("LastName", name), ("ParentCustomerId", lookup("account", id.guid()))]);
    }
    for _ in 0..3 {
        let organisation = lookup("account", ids[2].guid());
        scene.kit.simulator.seed("Contact", [("LastName", Value::text("More")), ("ParentCustomerId", organisation)]);
    }
    // A contact of another contact, and one without a name.
    let anyone = scene.kit.simulator.seed("Contact", [("LastName", Value::text("Anyone"))]);
    scene
        .kit
        .simulator
        .seed("Contact", [("LastName", Value::text("Other")), ("ParentCustomerId", lookup("contact", anyone))]);
    let organisation = lookup("account", ids[5].guid());
    let unfit = scene.kit.simulator.seed("Contact", [("LastName", Value::Null), ("ParentCustomerId", organisation)]);

    let page = Organisation::find(&scene.hub).load().await.unwrap();
    let contacts = Organisation::load_referring(&scene.hub, &page, Contact::FIELDS.organisation).await.unwrap();
    assert!(contacts.cost.requests <= 3, "{:?}", contacts.cost);
    let counts: Vec<_> = ids.iter().map(|id| contacts.of(*id).len()).collect();
    assert_eq!((counts[0], counts[2], counts[40], counts.iter().sum::<usize>()), (1, 4, 0, 43));
    assert!(contacts.of(ids[2]).iter().all(|contact| contact.organisation == Some(ids[2])));
    assert_eq!(contacts.left_out.iter().map(|left_out| left_out.id.guid()).collect::<Vec<_>>(), [unfit]);
    let none = Organisation::load_referring(&scene.hub, [], Contact::FIELDS.organisation).await.unwrap();
    assert_eq!(none.cost.requests, 0);
}

#[tokio::test]
async fn too_many_referring_records_are_too_expensive() {
    let scene = Scene::new().await;
    for number in 0..2_501 {
        let name = Value::text(format!("Person {number}"));
        let organisation = lookup("account", scene.account);
        scene.kit.simulator.seed("Contact", [("LastName", name), ("ParentCustomerId", organisation)]);
    }
    let org = scene.get().await.unwrap();
    let outcome = Organisation::load_referring(&scene.hub, [&org], Contact::FIELDS.organisation).await;
    says(&failed(outcome, ErrorKind::TooExpensive), &["more than 50 requests", "ensure_fresh"]);
}
