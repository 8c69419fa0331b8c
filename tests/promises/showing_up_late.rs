//! Writes that show up in CDMS after they were found not applied: each is told once, as what it is.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Gate, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, HistoryEntry, OperationId, Value, Verdict};
use example_domain::{Contact, Organisation};

use crate::scene::{Attempt, PAST_QUIET, Scene, Write, failed, found};
use crate::settling_table::{known_user, lose, lose_two, settles};

/// What the organisation's history tells, and of which write.
async fn entries(scene: &Scene) -> Vec<(EntryKind, Option<OperationId>)> {
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    history.iter().map(|entry| (entry.kind, entry.operation)).collect()
}

/// Lets CDMS carry out the one late write once a request waits at the gate, and then that request.
async fn show_up(scene: &Scene, gate: Gate) {
    gate.arrived(1).await;
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    gate.open();
}

#[tokio::test]
async fn a_write_that_shows_up_after_all_is_told_as_applied_late() {
    let scene = Scene::new().await;
    let (_, operation) = lose(&scene, Write::Update, Fault::CommitLate).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    let org = scene.get().await.unwrap();
    assert_eq!((found(&org), org.name.as_str()), (Finding::Refreshed, "Acme Foods"));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let late = history.last().unwrap();
    assert_eq!((late.kind, late.operation), (EntryKind::AppliedLate, Some(operation)));
    assert_eq!(late.changes[0].field, "name");
}

#[tokio::test]
async fn what_shows_up_more_than_a_day_later_is_cdms_own_change() {
    let scene = Scene::new().await;
    let (_, operation) = lose(&scene, Write::Update, Fault::CommitLate).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    scene.kit.advance(Duration::from_secs(25 * 3600));
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    scene.get().await.unwrap();
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::NotApplied, EntryKind::Refreshed]);
}

#[tokio::test]
async fn a_superseded_write_that_shows_up_after_all_is_told_as_applied_late() {
    let scene = known_user().await;
    let operation = lose_two(&scene, Fault::CommitLate).await;
    scene.person_edits("Name", Value::text("Acme Bakery"));
    scene.kit.advance(PAST_QUIET);
    let attributes = vec!["Name".to_owned(), "WebSiteURL".to_owned()];
    settles(&scene, operation, Verdict::Superseded { attributes }).await;
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    scene.get().await.unwrap();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let late = history.last().unwrap();
    assert_eq!((late.kind, late.operation), (EntryKind::AppliedLate, Some(operation)));
}

#[tokio::test]
async fn a_create_that_shows_up_after_all_is_told_as_applied_late() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Create, Fault::CommitLate).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    Contact::get(&scene.hub, attempt.id().into()).await.unwrap();
    let history = Contact::history(&scene.hub, attempt.id().into()).await.unwrap();
    let told: Vec<_> = history.iter().map(|entry| (entry.kind, entry.operation)).collect();
    assert_eq!(told, [(EntryKind::NotApplied, Some(operation)), (EntryKind::AppliedLate, Some(operation))]);
}

#[tokio::test]
async fn a_create_that_shows_up_after_all_brings_the_hubs_own_fields_along() {
    let (scene, org) = Scene::read().await;
    let mut new = org.into_inner();
    (new.id, new.name, new.archived_reason) = (Id::new(), "Beta".into(), Some("moved".into()));
    scene.fault(Operation::Create, Fault::CommitLate);
    let operation = failed(Organisation::create(&scene.hub, new.clone()).await, ErrorKind::Unsettled).operation_id();
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation.unwrap(), Verdict::NotApplied).await;
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    let late = Organisation::get(&scene.hub, new.id).await.unwrap();
    assert_eq!(late.archived_reason.as_deref(), Some("moved"));
    let history = Organisation::history(&scene.hub, new.id).await.unwrap();
    assert_eq!(history.last().unwrap().kind, EntryKind::AppliedLate);
    let row = Organisation::get(&scene.hub, new.id).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(row.archived_reason.as_deref(), Some("moved"));
}

#[tokio::test]
async fn a_create_over_a_deleted_record_that_shows_up_late_is_told_and_brings_the_hubs_own_fields_along() {
    let (scene, org) = Scene::read().await;
    let mut again = org.clone().into_inner();
    org.delete(&scene.hub).await.unwrap();
    scene.minute();
    (again.name, again.archived_reason) = ("Acme again".into(), Some("moved".into()));
    scene.fault(Operation::Create, Fault::CommitLate);
    let operation = failed(Organisation::create(&scene.hub, again).await, ErrorKind::Unsettled).operation_id().unwrap();
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    assert_eq!(scene.kit.simulator.commit_late(), 1);
    let late = scene.get().await.unwrap();
    assert_eq!((found(&late), late.name.as_str()), (Finding::Revived, "Acme again"));
    assert_eq!(late.archived_reason.as_deref(), Some("moved"));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let told = history.last().unwrap();
    assert_eq!((told.kind, told.operation), (EntryKind::AppliedLate, Some(operation)));
}

#[tokio::test]
async fn a_delete_that_seems_to_show_up_late_is_told_once() {
    let (scene, org) = Scene::read().await;
    scene.fault(Operation::Delete, Fault::DropBeforeCommit);
    let operation = failed(org.delete(&scene.hub).await, ErrorKind::Unsettled).operation_id().unwrap();
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;

    // CDMS does not say who removed it, so that the first time it is taken for the delete.
    let record = scene.record();
    scene.kit.simulator.remove("Account", scene.account);
    failed(scene.get().await, ErrorKind::Gone);
    scene.minute();
    scene.kit.simulator.add("Account", record);
    scene.get().await.unwrap();
    scene.kit.simulator.remove("Account", scene.account);
    failed(scene.get().await, ErrorKind::Gone);

    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let gone: Vec<_> =
        history.iter().filter(|entry| entry.kind == EntryKind::Gone).map(|entry| entry.operation).collect();
    assert_eq!(gone, [Some(operation), None]);
}

#[tokio::test]
async fn an_update_that_shows_up_while_another_is_sent_is_told_as_applied_late() {
    let scene = Scene::new().await;
    let (_, late) = lose(&scene, Write::Update, Fault::CommitLate).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, late, Verdict::NotApplied).await;
    let mut org = scene.get().await.unwrap();
    org.website = Some("https://acme.example".into());
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let save = org.save(&scene.hub).into_future();
    let (written, ()) = tokio::join!(save, show_up(&scene, gate));
    written.unwrap();
    assert_eq!(org.name, "Acme Foods", "the caller has what CDMS has");
    assert_eq!(scene.history().await[2..], [EntryKind::Updated, EntryKind::AppliedLate]);
    assert_eq!(entries(&scene).await.last(), Some(&(EntryKind::AppliedLate, Some(late))));
}

#[tokio::test]
async fn an_update_that_shows_up_over_another_ones_value_is_told_as_applied_late() {
    let scene = Scene::new().await;
    let (_, late) = lose(&scene, Write::Update, Fault::CommitLate).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, late, Verdict::NotApplied).await;
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Biscuits".into();
    let gate = scene.hold(Write::Update, Stage::AfterCommit);
    let (written, ()) = tokio::join!(org.save(&scene.hub).into_future(), show_up(&scene, gate));
    written.unwrap();
    assert_eq!(org.name, "Acme Foods", "the caller has what CDMS has");
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let [.., ours, shown] = &history[..] else { panic!("{history:?}") };
    let change = |entry: &HistoryEntry| (entry.kind, entry.changes[0].from.clone(), entry.changes[0].to.clone());
    let [before, sent, now] = ["Acme", "Acme Biscuits", "Acme Foods"].map(|name| Some(Value::text(name)));
    assert_eq!(change(ours), (EntryKind::Updated, before, sent.clone()));
    assert_eq!((change(shown), shown.operation), ((EntryKind::AppliedLate, sent, now), Some(late)));
}

#[tokio::test]
async fn an_update_that_shows_up_with_another_that_is_settled_is_told_as_applied_late() {
    let scene = known_user().await;
    let (_, late) = lose(&scene, Write::Update, Fault::CommitLate).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, late, Verdict::NotApplied).await;
    let mut org = scene.get().await.unwrap();
    org.website = Some("https://acme.example".into());
    scene.fault(Operation::Update, Fault::CommitLate);
    let other = failed(org.save(&scene.hub).await, ErrorKind::Unsettled).operation_id().unwrap();
    assert_eq!(scene.kit.simulator.commit_late(), 2);
    settles(&scene, other, Verdict::Applied).await;
    let told = entries(&scene).await;
    assert_eq!(told[2..], [(EntryKind::Updated, Some(other)), (EntryKind::AppliedLate, Some(late))]);
}

#[tokio::test]
async fn a_delete_that_shows_up_before_another_is_carried_out_is_the_one_that_is_told() {
    let (scene, mut org) = Scene::read().await;
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    scene.fault(Operation::Delete, Fault::CommitLate);
    let late = failed(org.clone().delete(&scene.hub).await, ErrorKind::Unsettled).operation_id();
    scene.kit.advance(PAST_QUIET);
    settles(&scene, late.unwrap(), Verdict::NotApplied).await;
    let gate = scene.hold(Write::Delete, Stage::BeforeCommit);
    let (deleted, ()) = tokio::join!(org.delete(&scene.hub).into_future(), show_up(&scene, gate));
    deleted.unwrap();
    let told = entries(&scene).await;
    let kinds: Vec<_> = told.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds[2..], [EntryKind::NotApplied, EntryKind::Gone, EntryKind::Gone]);
    assert_eq!(told[4].1, late, "the delete that removed it");
    assert!(told[3].1.is_some_and(|found| Some(found) != late), "the delete that found it gone");
    let end = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap().version;
    let back = Organisation::revert(&scene.hub, scene.id(), end).await.unwrap();
    assert_eq!((back.name.as_str(), back.archived_reason.as_deref()), ("Acme", Some("moved")), "its end is taken back");
}

#[tokio::test]
async fn a_delete_that_shows_up_before_an_update_is_the_one_that_is_told() {
    let (scene, mut org) = Scene::read().await;
    scene.fault(Operation::Delete, Fault::CommitLate);
    let late = failed(org.clone().delete(&scene.hub).await, ErrorKind::Unsettled).operation_id();
    scene.kit.advance(PAST_QUIET);
    settles(&scene, late.unwrap(), Verdict::NotApplied).await;
    org.name = "Acme Foods".into();
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let (written, ()) = tokio::join!(org.save(&scene.hub).into_future(), show_up(&scene, gate));
    failed(written, ErrorKind::Gone);
    assert_eq!(entries(&scene).await.last(), Some(&(EntryKind::Gone, late)));
}

#[tokio::test]
async fn a_reader_who_began_before_the_write_tells_it_as_applied_late_too() {
    for write in [Write::Create, Write::Update, Write::Delete] {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        let reader = scene.another_program().await;
        // Held when it has loaded the record, before CDMS looks at it.
        let gate =
            scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(1));
        let read = async {
            match &attempt {
                Attempt::Create(contact) => Contact::get(&reader, contact.id).await.map(drop),
                Attempt::Update(org) | Attempt::Delete(org) => Organisation::get(&reader, org.id()).await.map(drop),
            }
        };
        let lost = async {
            gate.arrived(1).await;
            scene.fault(write.operation(), Fault::CommitLate);
            let late = failed(attempt.run(&scene).await, ErrorKind::Unsettled).operation_id();
            scene.kit.advance(PAST_QUIET);
            settles(&scene, late.unwrap(), Verdict::NotApplied).await;
            assert_eq!(scene.kit.simulator.commit_late(), 1);
            gate.open();
            late
        };
        let (read, late) = tokio::join!(read, lost);
        assert_eq!(read.is_err_and(|error| error.kind() == ErrorKind::Gone), write == Write::Delete);
        let told = match write {
            Write::Create => Contact::history(&scene.hub, attempt.id().into()).await.unwrap(),
            Write::Update | Write::Delete => Organisation::history(&scene.hub, scene.id()).await.unwrap(),
        };
        let told: Vec<_> = told.iter().filter(|entry| entry.operation == late).map(|entry| entry.kind).collect();
        let kind = if write == Write::Delete { EntryKind::Gone } else { EntryKind::AppliedLate };
        assert_eq!(told, [EntryKind::NotApplied, kind], "{write:?}");
    }
}
