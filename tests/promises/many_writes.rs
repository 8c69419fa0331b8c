//! Many writes: an outcome for each in order, failures that stop no other write, and nothing half done when a caller goes away.

use std::future::IntoFuture as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Value, WriteProgress};
use example_domain::{Contact, Organisation};

use crate::dropped::polled;
use crate::freshness::until;
use crate::scene::{PAST_QUIET, Scene, failed, history_of, says};

fn contacts(scene: &Scene, count: usize) -> Vec<Contact> {
    let named = |number| Contact { organisation: Some(scene.id()), ..Contact::named(format!("Lovelace {number}")) };
    (0..count).map(named).collect()
}

/// So many contacts that both sides have.
async fn created(scene: &Scene, count: usize) -> Vec<Synced<Contact>> {
    let written = Contact::create_many(&scene.hub, contacts(scene, count)).await;
    written.outcomes.into_iter().map(Result::unwrap).collect()
}

/// The last names of contacts that CDMS has.
fn in_cdms(scene: &Scene, ids: impl IntoIterator<Item = Id<Contact>>) -> Vec<Option<String>> {
    let name = |id: Id<Contact>| {
        let record = scene.kit.simulator.record("Contact", id.guid())?;
        match record.get("LastName") {
            Some(Value::Text(name)) => Some(name.to_string()),
            other => panic!("{other:?}"),
        }
    };
    ids.into_iter().map(name).collect()
}

/// Refuses a write after so many.
fn refuse(scene: &Scene, operation: Operation, after: u32) {
    let refusal = Fault::PlugIn("Not this one.".into());
    scene.kit.simulator.fault(FaultRule::new(refusal).on(operation).after(after).times(1));
}

#[tokio::test]
async fn all_are_created_saved_and_deleted_in_order_at_the_cost_of_each() {
    let scene = Scene::new().await;
    let new = contacts(&scene, 20);
    let ids: Vec<_> = new.iter().map(|contact| contact.id).collect();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&seen);
    let (written, cost) = scene
        .cost_of(Contact::create_many(&scene.hub, new).at_once(5).on_record(move |progress: WriteProgress| {
            telling.lock().unwrap().push((progress.done, progress.failed));
        }))
        .await;
    assert!(written.is_complete() && written.failed().next().is_none());
    assert_eq!((written.cost.requests, cost.requests), (20, 20));
    assert_eq!((written.cost.statements, written.cost.transactions), (cost.statements, cost.transactions));
    assert_eq!(*seen.lock().unwrap(), (1..=20).map(|done| (done, 0)).collect::<Vec<_>>());
    let mut created: Vec<_> = written.outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(created.iter().map(Synced::id).collect::<Vec<_>>(), ids);
    assert!(created.iter().all(|contact| contact.cost().requests == 1), "each says what it cost itself");

    // Half of them change.
    for contact in created.iter_mut().step_by(2) {
        contact.job_title = Some("Countess".into());
    }
    scene.minute();
    let written = Contact::save_many(&scene.hub, created).await;
    assert_eq!((written.is_complete(), written.cost.requests), (true, 30));
    let saved: Vec<_> = written.outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(saved.iter().map(Synced::id).collect::<Vec<_>>(), ids);
    for (position, contact) in saved.iter().enumerate() {
        let title = scene.kit.simulator.record("Contact", contact.id().guid()).unwrap().get("JobTitle").cloned();
        let expected = if position % 2 == 0 { Value::text("Countess") } else { Value::Null };
        assert_eq!(title.unwrap_or(Value::Null), expected);
    }

    let deleted = Contact::delete_many(&scene.hub, saved).await;
    assert!(deleted.is_complete());
    assert_eq!(in_cdms(&scene, ids.clone()), vec![None; 20]);
    assert_eq!(scene.open_intents(), 0);
    assert_eq!(history_of(&scene.hub, ids[7]).await, [EntryKind::Created, EntryKind::Deleted]);
    assert!(Contact::create_many(&scene.hub, Vec::new()).await.is_complete());
}

#[tokio::test]
async fn a_failure_in_the_middle_stops_nobody_and_returns_the_value() {
    let scene = Scene::new().await;
    let new = contacts(&scene, 5);
    let ids: Vec<_> = new.iter().map(|contact| contact.id).collect();
    refuse(&scene, Operation::Create, 2);
    let written = Contact::create_many(&scene.hub, new).at_once(1).await;
    let [(2, refused)] = written.failed().collect::<Vec<_>>()[..] else { panic!("{:?}", written.outcomes) };
    assert_eq!(refused.error().kind(), ErrorKind::Rejected);
    says(refused.error(), &["Not this one.", &ids[2].to_string()]);
    assert_eq!(refused.clone().into_value().id, ids[2]);
    let names = in_cdms(&scene, ids.clone());
    assert_eq!(names.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, true, true]);
    let mut contacts: Vec<_> = written.outcomes.into_iter().filter_map(Result::ok).collect();

    // A save whose answer is lost, and one whose record is gone.
    for contact in &mut contacts {
        contact.last_name = "King".into();
    }
    scene.minute();
    scene.kit.simulator.remove("Contact", contacts[3].id().guid());
    scene.kit.simulator.fault(FaultRule::new(Fault::DropAfterCommit).on(Operation::Update).after(1).times(1));
    let written = Contact::save_many(&scene.hub, contacts).at_once(1).await;
    let kinds: Vec<_> = written.failed().map(|(position, failed)| (position, failed.error().kind())).collect();
    assert_eq!(kinds, [(1, ErrorKind::Unsettled), (3, ErrorKind::Gone)]);
    let unsettled = written.outcomes[1].clone().unwrap_err();
    assert!(unsettled.error().operation_id().is_some());
    assert_eq!(unsettled.clone().into_value().last_name, "King", "the edits are still there");
    scene.kit.advance(PAST_QUIET);
    assert_eq!(scene.settle().await.settled.len(), 1);
    let written = written.outcomes.into_iter().filter_map(Result::ok).chain([unsettled.into_value()]).collect();
    let again = Contact::save_many(&scene.hub, written).await;
    assert!(again.is_complete(), "{:?}", again.outcomes);

    // A delete of a record that changed, where that is refused.
    let mut contacts: Vec<_> = again.outcomes.into_iter().map(Result::unwrap).collect();
    contacts.sort_by_key(|contact| ids.iter().position(|id| *id == contact.id()));
    scene.minute();
    scene.kit.simulator.edit("Contact", contacts[1].id().guid(), [("JobTitle", Value::text("Countess"))]);
    let deleted = Contact::delete_many(&scene.hub, contacts).on_conflict(OnConflict::Reject).await;
    let [(1, kept)] = deleted.failed().collect::<Vec<_>>()[..] else { panic!("{:?}", deleted.outcomes) };
    assert_eq!((kept.error().kind(), kept.clone().into_value().id()), (ErrorKind::Conflict, ids[1]));
    assert_eq!(in_cdms(&scene, ids), [None, Some("King".to_owned()), None, None, None]);
}

#[tokio::test]
async fn when_cdms_goes_away_no_more_are_begun_and_each_says_so() {
    let scene = Arc::new(Scene::new().await);
    let new = contacts(&scene, 50);
    let ids: Vec<_> = new.iter().map(|contact| contact.id).collect();
    let going = Arc::clone(&scene);
    let written = Contact::create_many(&scene.hub, new)
        .at_once(1)
        .on_record(move |progress| {
            if progress.done == 10 {
                going.kit.simulator.go_away();
            }
        })
        .await;
    assert_eq!(written.failed().map(|(position, _)| position).collect::<Vec<_>>(), (10..50).collect::<Vec<_>>());
    for (position, failed) in written.failed() {
        assert_eq!(failed.error().kind(), ErrorKind::Unavailable);
        if position > 10 {
            says(failed.error(), &["not begun, because an earlier write failed", "neither side has changed"]);
        }
    }
    scene.kit.simulator.come_back();
    assert_eq!(in_cdms(&scene, ids).into_iter().flatten().count(), 10);
    assert_eq!(scene.open_intents(), 0);
    let left = written.outcomes.into_iter().filter_map(Result::err).map(|failed| failed.into_value()).collect();
    assert!(Contact::create_many(&scene.hub, left).await.is_complete(), "they are all there to be tried again");
}

#[tokio::test]
async fn so_many_are_under_way_at_once_and_no_more() {
    let scene = Scene::new().await;
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Create));
    let before = scene.hub.cost();
    let writing = tokio::spawn(Contact::create_many(&scene.hub, contacts(&scene, 10)).at_once(3).into_future());
    gate.arrived(3).await;
    // Whoever reads has room beside them.
    scene.get().await.unwrap();
    assert_eq!(((scene.hub.cost() - before).requests, scene.open_intents()), (4, 3));
    gate.open();
    assert!(writing.await.unwrap().is_complete());
}

#[tokio::test]
async fn whoever_drops_them_leaves_those_that_began_to_the_hub_and_begins_no_more() {
    let scene = Scene::new().await;
    let new = contacts(&scene, 10);
    let ids: Vec<_> = new.iter().map(|contact| contact.id).collect();
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Create));
    let writing = tokio::spawn(Contact::create_many(&scene.hub, new).at_once(3).into_future());
    gate.arrived(3).await;
    writing.abort();
    assert!(writing.await.unwrap_err().is_cancelled());
    gate.open();
    let hub = scene.another_program().await;
    scene.hub.shutdown(Duration::from_secs(60)).await;
    let are_in_cdms: Vec<_> = in_cdms(&scene, ids.clone()).iter().map(Option::is_some).collect();
    assert_eq!(are_in_cdms, [[true; 3].as_slice(), &[false; 7]].concat());
    assert_eq!(scene.open_intents(), 0);
    for (id, is_in_cdms) in ids.into_iter().zip(are_in_cdms) {
        match Contact::get(&hub, id).freshness(Freshness::LocalOnly).await {
            Ok(_) => assert!(is_in_cdms),
            Err(error) => assert_eq!((error.kind(), is_in_cdms), (ErrorKind::NotFound, false)),
        }
    }
}

#[tokio::test]
async fn dropped_at_any_await_every_record_is_on_both_sides_or_as_it_was() {
    let scene = Scene::new().await;
    let mut contacts = created(&scene, 4).await;
    for times in 1.. {
        let name = format!("King {times}");
        for contact in &mut contacts {
            contact.last_name.clone_from(&name);
        }
        scene.minute();
        let is_over = polled(times, Contact::save_many(&scene.hub, contacts.clone()).at_once(2)).await;
        // What has begun ends by itself: each record has the old name or the new one, and both sides agree.
        until("both sides agree", async || {
            let names = in_cdms(&scene, contacts.iter().map(Synced::id));
            let mut rows = Vec::new();
            for contact in &mut contacts {
                *contact = Contact::get(&scene.hub, contact.id()).freshness(Freshness::LocalOnly).await.unwrap();
                rows.push(Some(contact.last_name.clone()));
            }
            names == rows && scene.open_intents() == 0
        })
        .await;
        if is_over {
            assert!(contacts.iter().all(|contact| contact.last_name == name));
            break;
        }
        assert!(times < 500, "it never ends");
    }
    scene.hub.shutdown(Duration::from_secs(60)).await;
    assert_eq!(
        (in_cdms(&scene, contacts.iter().map(Synced::id)), scene.open_intents()),
        (vec![Some(contacts[0].last_name.clone()); 4], 0)
    );
}

#[tokio::test]
async fn a_budget_that_is_used_up_refuses_all_of_them_and_never_a_part() {
    let scene = Scene::new().await;
    let hub = scene.hub.with_budget(1);
    assert!(Contact::create_many(&hub, contacts(&scene, 5)).await.is_complete(), "it had begun");
    let refused = Contact::create_many(&hub, contacts(&scene, 5)).await;
    assert_eq!(refused.failed().count(), 5);
    for outcome in refused.outcomes {
        let error = failed(outcome.map(drop), ErrorKind::BudgetExceeded);
        says(&error, &["5 of 1 requests", "the create_many at tests/promises/many_writes.rs:"]);
    }
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    let failed: Vec<_> = Organisation::save_many(&hub, vec![org]).await.outcomes;
    assert_eq!(failed[0].as_ref().unwrap_err().error().kind(), ErrorKind::BudgetExceeded);
}
