//! What a write sends, what it costs, and how both sides' changes meet.

use std::sync::Arc;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Note, Origin, Reference, Value, VersionToken};
use example_domain::{Contact, Organisation, OrganisationState, Phone};
use uuid::Uuid;

use crate::scene::{OUR_USER, Scene, Write, acme, ada, failed, found, history_of, says};

/// The attributes that the last write to CDMS named.
fn sent(scene: &Scene) -> Vec<String> {
    scene.commits().last().expect("a write").sent.clone()
}

fn cdms(scene: &Scene, attribute: &str) -> Value {
    scene.record().get(attribute).cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_update_in_sync_costs_three_requests_and_two_transactions() {
    let (scene, mut org) = Scene::read().await;
    scene.minute();
    org.website = Some("https://acme.example".into());
    let (saved, cost) = scene.cost_of(org.save(&scene.hub)).await;
    saved.unwrap();
    assert_eq!((cost.requests, cost.transactions), (3, 2), "{cost}");
    // On PostgreSQL each transaction locks the record first, and the version is drawn with the guard.
    assert_eq!(cost.statements, scene.on(10, 11), "{cost}");
    assert!(cost.bytes_received < 2 * 3 * 1024, "{} bytes", cost.bytes_received);
    assert!(cost.bytes_sent < 100, "{} bytes", cost.bytes_sent);
    assert_eq!(sent(&scene), ["WebSiteURL", "optevia_PAFOverride"], "the change and the constant, nothing else");
    assert!(matches!(org.checked(), Checked::Written { .. }));
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn a_create_costs_one_request() {
    let scene = Scene::new().await;
    let (created, cost) = scene.cost_of(Contact::create(&scene.hub, ada(&scene))).await;
    let contact = created.unwrap();
    assert_eq!((cost.requests, cost.transactions), (1, 2), "{cost}");
    let commit = scene.commits().pop().unwrap();
    assert_eq!(commit.id, contact.id().guid(), "the hub chooses the id, so that a retried create cannot duplicate");
    assert_eq!(commit.sent, ["FirstName", "LastName", "MiddleName", "ParentCustomerId"]);
    assert_eq!(commit.after.get("MiddleName"), Some(&Value::text("Grace")), "one field became two attributes");
    assert_eq!(found(&Contact::get(&scene.hub, contact.id()).await.unwrap()), Finding::InSync);
    assert_eq!(history_of(&scene.hub, contact.id()).await, [EntryKind::Created]);
}

#[tokio::test]
async fn a_create_sends_the_constants_and_the_whole_model() {
    let scene = Scene::new().await;
    let food = scene.kit.simulator.seed("optevia_sector", [("optevia_name", Value::text("Food"))]);
    let beta = Organisation {
        sector: Some(food.into()),
        phone: Some(Phone::new("+44 113 4960001")),
        credit_limit: Some("1234.5678".parse().unwrap()),
        archived_reason: Some("never".into()),
        ..Organisation::named("Beta")
    };
    let created = Organisation::create(&scene.hub, beta.clone()).await.unwrap();
    let beta = Organisation { created: created.created, ..beta };
    assert!(beta.created.is_some(), "CDMS has filled it");
    assert_eq!(*created, beta);
    // CDMS makes addresses along with an account.
    let commit = scene.commits().into_iter().find(|commit| commit.entity == "Account").unwrap();
    let expected = [
        "CreditLimit",
        "Name",
        "optevia_AreaCode",
        "optevia_CountryCode",
        "optevia_PAFOverride",
        "optevia_Sector",
        "optevia_TelephoneNumber",
    ];
    assert_eq!(commit.sent, expected, "neither the default for a null, nor what is read only, nor what is local");
    assert_eq!(commit.after.get("CreditLimit"), Some(&Value::Money("1234.5678".parse().unwrap())));
    let read = Organisation::get(&scene.hub, created.id()).await.unwrap();
    assert_eq!((found(&read), &*read), (Finding::InSync, &beta));
}

#[tokio::test]
async fn a_delete_costs_two_requests() {
    let (scene, org) = Scene::read().await;
    let (deleted, cost) = scene.cost_of(org.delete(&scene.hub)).await;
    deleted.unwrap();
    assert_eq!((cost.requests, cost.transactions), (2, 2), "{cost}");
    assert!(scene.kit.simulator.record("Account", scene.account).is_none());
    failed(scene.row().await, ErrorKind::Gone);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Deleted]);
}

#[tokio::test]
async fn no_change_is_no_request() {
    let (scene, mut org) = Scene::read().await;
    let rows = scene.rows();
    let (saved, cost) = scene.cost_of(org.save(&scene.hub)).await;
    saved.unwrap();
    assert_eq!((cost.requests, cost.transactions), (0, 0));
    assert_eq!((scene.rows(), scene.commits()), (rows, vec![]));
}

#[tokio::test]
async fn a_change_of_local_fields_alone_is_one_transaction_and_no_request() {
    let (scene, mut org) = Scene::read().await;
    let token = org.version_token();
    org.archived = true;
    org.archived_reason = Some("merged".into());
    let (saved, cost) = scene.cost_of(org.save(&scene.hub)).await;
    saved.unwrap();
    assert_eq!((cost.requests, cost.transactions), (0, 1));
    assert_ne!(org.version_token(), token);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let [_, local] = &history[..] else { panic!("{history:?}") };
    assert_eq!((local.kind, local.origin), (EntryKind::LocalChanged, Origin::Hub));
    let reason = local.changes.iter().find(|change| change.field == "archived_reason").unwrap();
    assert_eq!((&reason.from, &reason.to), (&Some(Value::Null), &Some(Value::text("merged"))));
    assert!(scene.row().await.unwrap().archived);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn local_and_mapped_changes_are_stored_together_or_not_at_all() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    org.archived = true;
    scene.fault(Operation::Update, Fault::PlugIn("Not today.".into()));
    failed(org.save(&scene.hub).await, ErrorKind::Rejected);
    let row = scene.row().await.unwrap();
    assert_eq!((row.name.as_str(), row.archived), ("Acme", false));
    assert_eq!((org.name.as_str(), org.archived), ("Acme Foods", true), "the value keeps the caller's edits");
    org.save(&scene.hub).await.unwrap();
    let row = scene.row().await.unwrap();
    assert_eq!((row.name.as_str(), row.archived), ("Acme Foods", true));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let fields: Vec<_> = history[1].changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!((history.len(), fields), (2, vec!["name", "optevia_PAFOverride", "archived"]));
}

#[tokio::test]
async fn both_sides_changes_of_different_fields_survive() {
    let (scene, mut org) = Scene::read().await;
    scene.person_edits("optevia_PostCode", Value::text("YO1 7HH"));
    org.registered_address.town = Some("York".into());
    org.save(&scene.hub).await.unwrap();
    assert_eq!(sent(&scene), ["optevia_PAFOverride", "optevia_TownCity"], "each member of a group is a field");
    assert_eq!(org.registered_address.postcode.as_deref(), Some("YO1 7HH"));
    assert_eq!(cdms(&scene, "optevia_PostCode"), Value::text("YO1 7HH"));
    assert_eq!(cdms(&scene, "optevia_TownCity"), Value::text("York"));
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Refreshed, EntryKind::Updated]);
}

#[tokio::test]
async fn the_last_writer_wins_and_the_history_keeps_the_other_value() {
    let (scene, mut org) = Scene::read().await;
    scene.person_edits("Name", Value::text("Acme Bakery"));
    org.name = "Acme Biscuits".into();
    org.save(&scene.hub).await.unwrap();
    assert_eq!((org.name.as_str(), cdms(&scene, "Name")), ("Acme Biscuits", Value::text("Acme Biscuits")));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let [_, theirs, ours] = &history[..] else { panic!("{history:?}") };
    assert_eq!(theirs.changes[0].to, Some(Value::text("Acme Bakery")));
    assert_eq!((&ours.changes[0].from, &ours.changes[0].note), (&Some(Value::text("Acme Bakery")), &Note::Conflict));
}

#[tokio::test]
async fn both_sides_changed_to_the_same_value_is_no_conflict_and_no_write() {
    let (scene, mut org) = Scene::read().await;
    scene.person_edits("Name", Value::text("Acme Foods"));
    let commits = scene.commits().len();
    org.name = "Acme Foods".into();
    org.save(&scene.hub).on_conflict(OnConflict::Reject).await.unwrap();
    assert_eq!(scene.commits().len(), commits);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn the_policy_reject_makes_a_conflict_an_error() {
    let (scene, mut org) = Scene::read().await;
    scene.person_edits("Name", Value::text("Acme Bakery"));
    let commits = scene.commits().len();
    org.name = "Acme Biscuits".into();
    let error = failed(org.save(&scene.hub).on_conflict(OnConflict::Reject).await, ErrorKind::Conflict);
    says(&error, &["Organisation", &scene.account.to_string(), "name", "decide field by field"]);
    assert_eq!((scene.commits().len(), scene.open_intents()), (commits, 0));
    assert_eq!(scene.row().await.unwrap().name, "Acme Bakery", "the refresh that was due is a read");
    let error = failed(org.delete(&scene.hub).on_conflict(OnConflict::Reject).await, ErrorKind::Conflict);
    assert_eq!(error.record_id(), Some(scene.account));
    assert!(scene.kit.simulator.record("Account", scene.account).is_some());
}

#[tokio::test]
async fn the_policy_reject_is_about_the_hubs_own_fields_too() {
    let (scene, mine) = Scene::read().await;
    let mut theirs = mine.clone();
    theirs.archived_reason = Some("merged".into());
    theirs.save(&scene.hub).await.unwrap();
    let edits: [fn(&mut Organisation); 2] = [
        |org| org.archived_reason = Some("moved".into()),
        |org| (org.archived_reason, org.name) = (Some("moved".into()), "Acme Foods".into()),
    ];
    for edit in edits {
        let mut mine = mine.clone();
        edit(&mut mine);
        let error = failed(mine.save(&scene.hub).on_conflict(OnConflict::Reject).await, ErrorKind::Conflict);
        says(&error, &["changed in the meantime: archived_reason", "decide field by field"]);
        assert_eq!((scene.commits().len(), scene.open_intents()), (0, 0));
        assert_eq!(scene.row().await.unwrap().archived_reason.as_deref(), Some("merged"));
    }
    failed(mine.clone().delete(&scene.hub).on_conflict(OnConflict::Reject).await, ErrorKind::Conflict);

    // Who leaves the field alone, or wants what is there, overwrites nothing; and by default the last writer wins.
    let mut elsewhere = mine.clone();
    elsewhere.name = "Acme Foods".into();
    elsewhere.save(&scene.hub).on_conflict(OnConflict::Reject).await.unwrap();
    let mut same = mine.clone();
    same.archived_reason = Some("merged".into());
    same.save(&scene.hub).on_conflict(OnConflict::Reject).await.unwrap();
    let mut last = mine;
    last.archived_reason = Some("moved".into());
    last.save(&scene.hub).await.unwrap();
    assert_eq!(scene.row().await.unwrap().archived_reason.as_deref(), Some("moved"));
}

#[tokio::test]
async fn an_untouched_joined_field_is_not_sent() {
    let scene = Scene::new().await;
    // Parts that this hub would have written otherwise.
    scene.kit.simulator.overwrite("Account", scene.account, [("optevia_AreaCode", Value::text(" 0113 "))]);
    let mut org = scene.get().await.unwrap();
    assert_eq!(org.phone, Some(Phone::new("+44 0113 4960000")));
    org.website = Some("https://acme.example".into());
    org.save(&scene.hub).await.unwrap();
    assert_eq!(cdms(&scene, "optevia_AreaCode"), Value::text(" 0113 "));
}

#[tokio::test]
async fn of_a_joined_field_only_the_parts_that_differ_are_sent() {
    let (scene, mut org) = Scene::read().await;
    org.phone = Some(Phone::new("+44 113 4960001"));
    org.save(&scene.hub).await.unwrap();
    assert_eq!(sent(&scene), ["optevia_PAFOverride", "optevia_TelephoneNumber"]);
    assert_eq!(cdms(&scene, "optevia_AreaCode"), Value::text("113"));
}

#[tokio::test]
async fn in_a_conflict_all_parts_of_a_joined_field_are_sent() {
    let (scene, mut org) = Scene::read().await;
    scene.person_edits("optevia_AreaCode", Value::text("1904"));
    org.phone = Some(Phone::new("+44 113 4960001"));
    org.save(&scene.hub).await.unwrap();
    let parts = ["optevia_AreaCode", "optevia_CountryCode", "optevia_PAFOverride", "optevia_TelephoneNumber"];
    assert_eq!(sent(&scene), parts, "so that no number arises that was never typed");
    assert_eq!(scene.get().await.unwrap().phone, Some(Phone::new("+44 113 4960001")));
}

#[tokio::test]
async fn a_default_that_stands_for_a_null_is_never_written_back() {
    let (scene, mut org) = Scene::read().await;
    assert_eq!((org.alias.as_str(), org.uk_organisation), ("", false));
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    assert_eq!((cdms(&scene, "optevia_Alias"), cdms(&scene, "optevia_ukorganisation")), (Value::Null, Value::Null));
    org.alias = "Crumbs".into();
    org.save(&scene.hub).await.unwrap();
    assert_eq!(sent(&scene), ["optevia_Alias", "optevia_PAFOverride"]);
    // Typed, it is a value like any other; CDMS has no empty text but null.
    org.alias = String::new();
    org.save(&scene.hub).await.unwrap();
    assert_eq!(cdms(&scene, "optevia_Alias"), Value::Null);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn references_can_be_set_and_cleared() {
    let scene = Scene::new().await;
    let sector = scene.kit.simulator.seed("optevia_sector", [("optevia_name", Value::text("Food"))]);
    let mut org = scene.get().await.unwrap();
    org.sector = Some(sector.into());
    org.save(&scene.hub).await.unwrap();
    let reference = Reference { logical_name: "optevia_sector".into(), id: sector };
    assert_eq!(cdms(&scene, "optevia_Sector"), Value::Lookup(reference));
    org.sector = None;
    org.save(&scene.hub).await.unwrap();
    assert_eq!(cdms(&scene, "optevia_Sector"), Value::Null);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn a_reference_to_another_entity_reads_as_none_and_is_not_overwritten() {
    let scene = Scene::new().await;
    let parent = Value::Lookup(Reference { logical_name: "contact".into(), id: Uuid::new_v4() });
    let attributes = [("LastName", Value::text("Lovelace")), ("ParentCustomerId", parent.clone())];
    let contact = scene.kit.simulator.seed("Contact", attributes);
    let mut ada = Contact::get(&scene.hub, contact.into()).await.unwrap();
    assert_eq!(ada.organisation, None);
    ada.job_title = Some("Countess".into());
    ada.save(&scene.hub).await.unwrap();
    assert_eq!(sent(&scene), ["JobTitle"]);
    assert_eq!(scene.kit.simulator.record("Contact", contact).unwrap().get("ParentCustomerId"), Some(&parent));
}

#[tokio::test]
async fn what_is_read_only_is_ignored_on_the_way_out_and_filled_on_the_way_back() {
    let (scene, mut org) = Scene::read().await;
    org.state = OrganisationState::Inactive;
    let (saved, cost) = scene.cost_of(org.save(&scene.hub)).await;
    saved.unwrap();
    assert_eq!((cost.requests, org.state), (0, OrganisationState::Active));
    let beta = Organisation { state: OrganisationState::Inactive, ..Organisation::named("Beta") };
    let beta = Organisation::create(&scene.hub, beta).await.unwrap();
    assert_eq!(beta.state, OrganisationState::Active);
    scene.kit.simulator.edit("Account", scene.account, [("StateCode", Value::Choice(1))]);
    assert_eq!(scene.get().await.unwrap().state, OrganisationState::Inactive);
}

#[tokio::test]
async fn a_save_advances_the_base() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    scene.person_edits("Name", Value::text("Acme Bakery"));
    org.website = Some("https://acme.example".into());
    org.save(&scene.hub).on_conflict(OnConflict::Reject).await.unwrap();
    assert_eq!(sent(&scene), ["WebSiteURL", "optevia_PAFOverride"]);
    assert_eq!(org.name, "Acme Bakery");
}

#[tokio::test]
async fn saving_again_after_an_answer_was_lost_does_no_harm() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.cdms_user(OUR_USER)).await;
    let mut org = scene.get().await.unwrap();
    scene.minute();
    org.name = "Acme Foods".into();
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    assert_eq!(scene.settle().await.settled.len(), 1);
    let commits = scene.commits().len();
    org.save(&scene.hub).on_conflict(OnConflict::Reject).await.unwrap();
    assert_eq!(scene.commits().len(), commits, "equal values are no conflict and an empty patch is no request");
}

#[tokio::test]
async fn a_form_is_saved_in_a_later_request_by_its_token() {
    let (scene, org) = Scene::read().await;
    let shown = org.version_token().to_string();
    drop(org);
    // Meanwhile both sides go on.
    scene.person_edits("optevia_TownCity", Value::text("York"));
    let mut other = scene.get().await.unwrap();
    other.description = "Biscuits".into();
    other.save(&scene.hub).await.unwrap();

    let token: VersionToken = shown.parse().unwrap();
    let (edit, cost) = scene.cost_of(Organisation::edit(&scene.hub, scene.id(), token)).await;
    let mut form = edit.unwrap();
    assert_eq!(cost.requests, 0);
    assert_eq!((form.registered_address.town.as_deref(), form.description.as_str()), (Some("Leeds"), ""), "as shown");
    form.registered_address.town = Some("Bradford".into());
    form.save(&scene.hub).await.unwrap();
    assert_eq!(sent(&scene), ["optevia_PAFOverride", "optevia_TownCity"]);
    let row = scene.row().await.unwrap();
    assert_eq!((row.registered_address.town.as_deref(), row.description.as_str()), (Some("Bradford"), "Biscuits"));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    assert_eq!(history.last().unwrap().changes[0].note, Note::Conflict, "the person's town is kept as overwritten");
}

#[tokio::test]
async fn a_form_overwrites_what_was_changed_after_it_was_shown_knowingly_alone() {
    let (scene, org) = Scene::read().await;
    let token = org.version_token();
    let mut other = org.clone();
    (other.name, other.archived_reason) = ("Their Acme".into(), Some("theirs".into()));
    other.save(&scene.hub).await.unwrap();
    let changes: [fn(&mut Organisation); 2] =
        [|form| form.name = "My Acme".into(), |form| form.archived_reason = Some("mine".into())];
    for change in changes {
        let mut form = Organisation::edit(&scene.hub, scene.id(), token).await.unwrap();
        assert_eq!((form.name.as_str(), form.archived_reason.as_deref()), ("Acme", None), "as shown");
        assert_eq!(form.version_token(), token, "it is the version that was shown");
        change(&mut form);
        failed(form.save(&scene.hub).on_conflict(OnConflict::Reject).await, ErrorKind::Conflict);
    }
    let row = scene.row().await.unwrap();
    assert_eq!((row.name.as_str(), row.archived_reason.as_deref()), ("Their Acme", Some("theirs")));
}

#[tokio::test]
async fn a_token_of_something_else_is_refused() {
    let (scene, org) = Scene::read().await;
    let other = Organisation::create(&scene.hub, Organisation::named("Beta")).await.unwrap();
    let error = failed(Organisation::edit(&scene.hub, scene.id(), other.version_token()).await, ErrorKind::Invalid);
    says(&error, &["Organisation", &scene.account.to_string(), "another record"]);
    let text = org.version_token().to_string();
    assert_eq!(text.parse::<VersionToken>().unwrap(), org.version_token());
    for wrong in ["", "1", "1.", "x.00000000-0000-0000-0000-000000000000", &format!("{text}0")] {
        wrong.parse::<VersionToken>().expect_err(wrong);
    }
    org.delete(&scene.hub).await.unwrap();
    let token = text.parse().unwrap();
    failed(Organisation::edit(&scene.hub, scene.id(), token).await, ErrorKind::Gone);
}

#[tokio::test]
async fn the_history_names_who_acted() {
    let (scene, _) = Scene::read().await;
    let ada = scene.hub.acting_as("ada@example.gov.uk");
    let mut org = Organisation::get(&ada, scene.id()).await.unwrap();
    org.name = "Acme Foods".into();
    org.save(&ada).await.unwrap();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let update = history.last().unwrap();
    assert_eq!((update.actor.as_str(), update.origin), ("ada@example.gov.uk", Origin::Hub));
    let operation = scene.hub.operation(update.operation.unwrap()).await.unwrap();
    assert_eq!((operation.actor.as_str(), operation.record), ("ada@example.gov.uk", scene.account));
    assert_eq!(scene.commits()[0].operation.as_deref(), Some(operation.id.to_string().as_str()));
}

#[tokio::test]
async fn a_failed_delete_hands_the_value_back() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    scene.fault(Operation::Delete, Fault::NoPrivilege);
    let refused = org.delete(&scene.hub).await.unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::Rejected);
    assert!(format!("{refused:?}").contains("Rejected"), "{refused:?}");
    let mut org = refused.into_value();
    assert_eq!(org.name, "Acme Foods");
    org.save(&scene.hub).await.unwrap();
}

#[tokio::test]
async fn a_deleted_record_can_be_created_again_under_its_id() {
    let (scene, org) = Scene::read().await;
    let model = org.clone().into_inner();
    org.delete(&scene.hub).await.unwrap();
    let again = Organisation::create(&scene.hub, model.clone()).await.unwrap();
    assert_eq!(*again, model);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Deleted, EntryKind::Created]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn writes_of_one_program_wait_for_each_other() {
    let (scene, org) = Scene::read().await;
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let (mut first, mut second) = (org.clone(), org);
    first.name = "Acme Foods".into();
    second.description = "Biscuits".into();
    let (first, second, ()) = tokio::join!(first.save(&scene.hub), second.save(&scene.hub), async {
        gate.arrived(1).await;
        gate.open();
    });
    first.unwrap();
    second.unwrap();
    let row = scene.row().await.unwrap();
    assert_eq!((row.name.as_str(), row.description.as_str()), ("Acme Foods", "Biscuits"));
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn writes_of_another_program_are_busy_meanwhile() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = Arc::new(write.prepare(&scene).await);
        let another = scene.another_program().await;
        let gate = scene.hold(write, Stage::BeforeCommit);
        let (done, ()) = tokio::join!(attempt.run(&scene), async {
            gate.arrived(1).await;
            let busy = failed(attempt.run_on(&another).await, ErrorKind::Busy);
            says(&busy, &[attempt.model(), &attempt.id().to_string(), "try again in"]);
            assert!(busy.operation_id().is_some());
            gate.open();
        });
        done.unwrap();
        assert_eq!(scene.requests(write.method()).len(), 1, "{write:?}: at most one write in flight per record");
    }
}

#[tokio::test]
async fn a_slow_answer_never_puts_the_row_back() {
    let (scene, _) = Scene::read().await;
    let another = scene.another_program().await;
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| {
        datahub_runtime::testing::simulator::FaultRule::new(hold).on(Operation::Read).times(1)
    });
    scene.person_edits("Name", Value::text("Acme Foods"));
    let (slow, ()) = tokio::join!(scene.get(), async {
        gate.arrived(1).await;
        // What the held answer says is already old when it arrives.
        scene.person_edits("Name", Value::text("Acme Bakery"));
        let org = Organisation::get(&another, scene.id()).await.unwrap();
        assert_eq!(org.name, "Acme Bakery");
        gate.open();
    });
    assert_eq!(slow.unwrap().name, "Acme Bakery", "the check was made again");
    assert_eq!(scene.row().await.unwrap().name, "Acme Bakery");
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Refreshed]);
}

#[tokio::test]
async fn a_constant_that_changed_something_is_told_with_the_old_value() {
    let scene = Scene::new().await;
    scene.kit.simulator.overwrite("Account", scene.account, [("optevia_PAFOverride", Value::Boolean(false))]);
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let change = history[1].changes.iter().find(|change| change.field == "optevia_PAFOverride").unwrap();
    assert_eq!((&change.from, &change.to), (&Some(Value::Boolean(false)), &Some(Value::Boolean(true))));
    org.name = "Acme Bakery".into();
    org.save(&scene.hub).await.unwrap();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    assert!(!history[2].changes.iter().any(|change| change.field == "optevia_PAFOverride"), "it changed nothing more");
}

#[tokio::test]
async fn an_id_is_not_changed_by_a_save_or_a_delete() {
    let (scene, mut org) = Scene::read().await;
    let other = scene.kit.simulator.seed("Account", acme());
    let before = scene.kit.simulator.record("Account", other);
    org.id = other.into();
    org.name = "Acme Foods".into();
    let (saved, cost) = scene.cost_of(org.save(&scene.hub)).await;
    let error = failed(saved, ErrorKind::Invalid);
    says(&error, &["Organisation", &scene.account.to_string(), &other.to_string(), "an id cannot be changed"]);
    failed(org.delete(&scene.hub).await, ErrorKind::Invalid);
    assert_eq!((cost.requests, scene.commits()), (0, vec![]));
    assert_eq!(scene.kit.simulator.record("Account", other), before);
}

#[tokio::test]
async fn a_save_that_asks_nothing_claims_nothing() {
    let (scene, _) = Scene::read().await;
    scene.kit.simulator.go_away();
    let mut org = Organisation::get(&scene.hub, scene.id()).or_local().await.unwrap();
    org.save(&scene.hub).await.unwrap();
    assert!(matches!(org.checked(), Checked::NotChecked { since: Some(_) }), "{:?}", org.checked());
    org.archived = true;
    org.save(&scene.hub).await.unwrap();
    assert!(!org.checked().is_fresh(), "{:?}", org.checked());
    scene.kit.simulator.come_back();
    // Compared with CDMS and found equal already, it is checked.
    scene.person_edits("Name", Value::text("Acme Foods"));
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    assert_eq!(found(&org), Finding::Refreshed);
}

#[tokio::test]
async fn a_form_shows_the_local_fields_as_they_were_too() {
    let (scene, mut org) = Scene::read().await;
    org.archived_reason = Some("a".into());
    org.save(&scene.hub).await.unwrap();
    let token = org.version_token();
    org.archived_reason = Some("b".into());
    org.save(&scene.hub).await.unwrap();
    let mut form = Organisation::edit(&scene.hub, scene.id(), token).await.unwrap();
    assert_eq!(form.archived_reason.as_deref(), Some("a"));
    form.archived = true;
    form.save(&scene.hub).await.unwrap();
    assert_eq!(scene.row().await.unwrap().archived_reason.as_deref(), Some("b"), "what the form did not change stays");
}

#[tokio::test]
async fn a_check_of_local_and_synced_columns_together_sees_the_row_as_it_will_be() {
    let (scene, mut org) = Scene::read().await;
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    let check = "CHECK (name <> 'Acme Foods' OR archived_reason IS NOT NULL)";
    if scene.kit.is_on_postgres() {
        scene.sql(&format!("ALTER TABLE organisations ADD CONSTRAINT reasoned {check}"));
    } else {
        // SQLite takes checks only with the table itself.
        let made = scene
            .dump("sqlite_master")
            .into_iter()
            .find(|line| line.starts_with("type='table' name='organisations'"))
            .unwrap();
        let made = made.split("sql='").nth(1).unwrap().trim_end_matches("'").trim_end_matches(')').to_owned();
        scene.sql(&format!(
            "CREATE TABLE kept AS SELECT * FROM organisations; DROP TABLE organisations; {made}, {check});
             INSERT INTO organisations SELECT * FROM kept; DROP TABLE kept;"
        ));
    }
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    scene.person_edits("Description", Value::text("Biscuits"));
    assert_eq!(scene.get().await.unwrap().description, "Biscuits");
    org.archived_reason = None;
    let error = failed(org.save(&scene.hub).await, ErrorKind::Invalid);
    says(&error, &["organisations", "check constraint"]);
}
