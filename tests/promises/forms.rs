//! What a form of a web service needs to know: what is wrong with each field, which fields someone else changed too, which
//! side a list comes from, and what became of a write.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{Side, Value};
use example_domain::Organisation;

use crate::scene::{Scene, failed};

#[tokio::test]
async fn every_field_that_cdms_would_refuse_is_named_at_once_and_nobody_is_asked() {
    let (scene, mut org) = Scene::read().await;
    org.name = String::new();
    org.registered_address.postcode = Some("1".repeat(21));
    org.alias = "Fits".into();
    let before = scene.kit.simulator.requests_met();
    let faults = org.faults();
    assert_eq!(scene.kit.simulator.requests_met(), before);
    assert_eq!(faults.iter().map(|fault| fault.field).collect::<Vec<_>>(), ["name", "registered_address.postcode"]);
    assert!(faults[0].to_string().contains("required"), "{faults:?}");
    assert!(faults[1].to_string().contains("20") && !faults[1].to_string().contains("111"), "{faults:?}");
    // A save refuses them too, and a new record has the same faults.
    failed(org.save(&scene.hub).await, ErrorKind::Invalid);
    assert_eq!(org.clone().into_inner().faults(), faults);

    org.name = "Acme".into();
    org.registered_address.postcode = None;
    assert_eq!(org.faults(), []);
    org.save(&scene.hub).await.unwrap();
}

#[tokio::test]
async fn a_value_that_was_not_changed_has_no_fault() {
    // CDMS has a longer value than the contract admits; nobody sends it back.
    let scene = Scene::new().await;
    scene.kit.simulator.edit("Account", scene.account, [("optevia_PostCode", Value::text("1".repeat(21)))]);
    let mut org = scene.get().await.unwrap();
    org.alias = "New".into();
    assert_eq!(org.faults(), []);
    org.save(&scene.hub).await.unwrap();
    assert_eq!(org.clone().into_inner().faults().len(), 1, "a new record would send it");
}

#[tokio::test]
async fn a_conflict_names_the_fields_that_both_changed() {
    let (scene, mut org) = Scene::read().await;
    scene.minute();
    let theirs =
        [("Name", Value::text("Theirs")), ("optevia_TownCity", Value::text("Hull")), ("Description", Value::text("a"))];
    scene.kit.simulator.edit("Account", scene.account, theirs);
    org.name = "Mine".into();
    org.registered_address.town = Some("York".into());
    org.alias = "Mine alone".into();
    let error = failed(org.save(&scene.hub).on_conflict(OnConflict::Reject).await, ErrorKind::Conflict);
    assert_eq!(error.fields(), ["name", "registered_address.town"]);

    let none = failed(Organisation::get(&scene.hub, Id::new()).await, ErrorKind::NotFound);
    assert!(none.fields().is_empty());
}

#[tokio::test]
async fn a_list_says_which_side_it_comes_from_also_if_it_is_empty() {
    let (scene, _) = Scene::read().await;
    let none = Organisation::find(&scene.hub).filter(Organisation::FIELDS.name.eq("Nobody"));
    let side = async |find: datahub_runtime::Find<Organisation>| {
        let found = find.load().await.unwrap();
        assert!(found.is_empty());
        found.side
    };
    assert_eq!(side(none.clone().or_local()).await, Side::Cdms);
    assert_eq!(side(none.clone().freshness(Freshness::LocalOnly)).await, Side::Hub);
    scene.kit.simulator.go_away();
    assert_eq!(side(none.or_local()).await, Side::Hub);
}

#[tokio::test]
async fn open_writes_are_listed_with_who_began_them_and_when() {
    let (scene, mut org) = Scene::read().await;
    assert_eq!(scene.hub.open_writes(10).await.unwrap(), []);
    scene.kit.simulator.fault(FaultRule::new(Fault::DropAfterCommit).on(Operation::Update).times(1));
    org.name = "Unknown".into();
    let ada = scene.hub.acting_as("ada");
    let error = failed(org.save(&ada).await, ErrorKind::Unsettled);
    let open = scene.hub.open_writes(10).await.unwrap();
    let [write] = &open[..] else { panic!("{open:?}") };
    assert_eq!((Some(write.id), write.record), (error.operation_id(), scene.account));
    assert_eq!((write.actor.as_str(), write.verdict.is_none()), ("ada", true));
    assert_eq!(scene.hub.operation(write.id).await.unwrap(), *write);
    assert_eq!(scene.hub.open_writes(0).await.unwrap(), []);

    scene.kit.advance(std::time::Duration::from_secs(600));
    scene.hub.settle().await.unwrap();
    assert_eq!(scene.hub.open_writes(10).await.unwrap(), []);
}
