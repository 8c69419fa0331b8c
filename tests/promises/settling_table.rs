//! The settling table: what becomes of a write whose answer was lost, found out by reading only.

use std::time::Duration;

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{Attributes, EntryKind, Finding, Instant, Note, OperationId, Origin, Settling, Value, Verdict};
use example_domain::{Contact, Organisation, Sector};

use crate::scene::{Attempt, OUR_USER, PAST_QUIET, Scene, Write, ada, failed, found, history_of, now};

/// A scene whose hub knows which CDMS user it is.
pub(crate) async fn known_user() -> Scene {
    Scene::with(|cdms| cdms, |hub| hub.cdms_user(OUR_USER)).await
}

/// The scene's time, a minute later.
fn later(scene: &Scene) -> DateTime<Utc> {
    scene.minute();
    now(scene).to_utc().expect("a time of our days")
}

/// Makes a write whose answer is lost in this way.
pub(crate) async fn lose(scene: &Scene, write: Write, fault: Fault) -> (Attempt, OperationId) {
    let attempt = write.prepare(scene).await;
    scene.fault(write.operation(), fault);
    let error = failed(attempt.run(scene).await, ErrorKind::Unsettled);
    (attempt, error.operation_id().expect("an operation"))
}

/// Makes an update of name and web site whose answer is lost in this way.
pub(crate) async fn lose_two(scene: &Scene, fault: Fault) -> OperationId {
    let mut org = scene.get().await.unwrap();
    scene.minute();
    org.name = "Acme Foods".into();
    org.website = Some("https://acme.example".into());
    scene.fault(Operation::Update, fault);
    failed(org.save(&scene.hub).await, ErrorKind::Unsettled).operation_id().expect("an operation")
}

/// Asserts that a round of settling writes nothing to CDMS and comes to this.
pub(crate) async fn settles(scene: &Scene, operation: OperationId, verdict: Verdict) {
    let commits = scene.commits().len();
    let report = scene.settle().await;
    assert_eq!(report.settled, [(operation, verdict.clone())], "{report:?}");
    assert_eq!(scene.commits().len(), commits, "settling only reads");
    assert_eq!(scene.open_intents(), 0);
    assert_eq!(scene.hub.operation(operation).await.unwrap().verdict, Some(verdict));
    let again = scene.settle().await;
    assert!(again.settled.is_empty() && again.waiting.is_empty() && again.failed.is_empty(), "{again:?}");
}

/// Asserts that nothing can be told yet.
async fn waits(scene: &Scene, operation: OperationId) {
    let rows = scene.rows();
    let report = scene.settle().await;
    assert!(report.settled.is_empty() && report.failed.is_empty(), "{report:?}");
    let [(waiting, after)] = report.waiting[..] else { panic!("{report:?}") };
    assert_eq!(waiting, operation);
    assert!(after > Duration::ZERO && after <= Duration::from_secs(330), "{after:?}");
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.open_intents(), 1);
}

#[tokio::test]
async fn an_update_that_shows_all_of_itself_by_our_user_is_applied_at_once() {
    let scene = known_user().await;
    let (attempt, operation) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    settles(&scene, operation, Verdict::Applied).await;
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let [_, update] = &history[..] else { panic!("{history:?}") };
    assert_eq!((update.kind, update.origin, update.operation), (EntryKind::Updated, Origin::Settle, Some(operation)));
    assert_eq!(update.actor, "tests");
    assert_eq!(update.constants.get("optevia_PAFOverride"), Some(&Value::Boolean(true)));
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn an_update_by_an_unknown_user_waits_for_the_quiet_period() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::Applied).await;
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn an_update_after_which_a_person_edited_waits_for_the_quiet_period() {
    let scene = known_user().await;
    let (_, operation) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    scene.person_edits("optevia_TownCity", Value::text("York"));
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::Applied).await;
    // The person's change is told apart from ours.
    let kinds = [EntryKind::FirstSeen, EntryKind::Updated, EntryKind::Refreshed];
    assert_eq!(scene.history().await, kinds);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn an_update_that_did_not_move_modified_waits_for_the_quiet_period() {
    let scene = known_user().await;
    scene.kit.simulator.fault(FaultRule::new(Fault::FreezeModifiedOn).on(Operation::Update));
    let (attempt, operation) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::Applied).await;
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn an_update_of_which_nothing_is_as_before_is_applied_and_the_rest_adjusted() {
    let scene = known_user().await;
    let operation = lose_two(&scene, Fault::DropAfterCommit).await;
    scene.person_edits("WebSiteURL", Value::text("https://else.example"));
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::Applied).await;
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let website = history[1].changes.iter().find(|change| change.field == "website").unwrap();
    assert_eq!(website.note, Note::Adjusted { sent: Value::text("https://acme.example") });
    assert_eq!(website.to, Some(Value::text("https://else.example")));
    assert_eq!(scene.row().await.unwrap().website.as_deref(), Some("https://else.example"));
}

#[tokio::test]
async fn an_update_of_which_all_is_as_before_is_not_applied() {
    let scene = known_user().await;
    let (attempt, operation) = lose(&scene, Write::Update, Fault::DropBeforeCommit).await;
    let rows = scene.rows();
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::NotApplied]);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let told = history.last().unwrap();
    assert_eq!((told.origin, told.operation), (Origin::Settle, Some(operation)));
    let name = told.changes.iter().find(|change| change.field == "name").unwrap();
    assert_eq!((&name.from, &name.to), (&Some(Value::text("Acme")), &Some(Value::text("Acme"))), "it stays");
    assert_eq!(name.note, Note::NotKept { sent: Value::text("Acme Foods") });
    assert!(told.to_string().contains(r#""Acme"  ("Acme Foods" was sent and not kept)"#), "{told}");
    let reverted = Organisation::revert(&scene.hub, scene.id(), told.version).await.unwrap();
    assert_eq!(reverted.name, "Acme", "the version of that entry is the row's");
    // The way is free again.
    attempt.run(&scene).await.unwrap();
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn an_update_that_was_overtaken_is_superseded_and_names_the_attributes() {
    let scene = known_user().await;
    let begin = scene.get().await.unwrap().version_token();
    let operation = lose_two(&scene, Fault::DropBeforeCommit).await;
    scene.person_edits("Name", Value::text("Acme Bakery"));
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    let attributes = vec!["Name".to_owned(), "WebSiteURL".to_owned()];
    settles(&scene, operation, Verdict::Superseded { attributes }).await;
    let row = scene.row().await.unwrap();
    assert_eq!((row.name.as_str(), row.website.as_deref()), ("Acme Bakery", None), "the row is as CDMS shows");
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Refreshed, EntryKind::Superseded]);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let sent = |field| history[2].changes.iter().find(|change| change.field == field).unwrap();
    assert_eq!(sent("name").to, Some(Value::text("Acme Bakery")));
    assert_eq!(sent("name").note, Note::NotKept { sent: Value::text("Acme Foods") });
    assert_eq!(sent("website").note, Note::NotKept { sent: Value::text("https://acme.example") });
    // Going back over it changes nothing.
    let begin = Organisation::edit(&scene.hub, scene.id(), begin).await.unwrap();
    assert_eq!((begin.name.as_str(), begin.website.as_deref()), ("Acme", None));
    let back = Organisation::revert(&scene.hub, scene.id(), history[0].version).await.unwrap();
    assert_eq!((back.name.as_str(), back.website.as_deref()), ("Acme", None));
}

#[tokio::test]
async fn an_update_of_which_half_is_there_is_superseded() {
    let scene = known_user().await;
    let operation = lose_two(&scene, Fault::DropAfterCommit).await;
    scene.person_edits("WebSiteURL", Value::Null);
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::Superseded { attributes: vec!["WebSiteURL".to_owned()] }).await;
    let row = scene.row().await.unwrap();
    assert_eq!((row.name.as_str(), row.website.as_deref()), ("Acme Foods", None));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let notes = history.last().unwrap().changes.iter().map(|change| (change.field.as_str(), change.note.clone()));
    let not_kept = Note::NotKept { sent: Value::text("https://acme.example") };
    assert_eq!(notes.collect::<Vec<_>>(), [("name", Note::Plain), ("website", not_kept)]);
}

#[tokio::test]
async fn an_update_of_a_record_that_is_gone_is_superseded() {
    let scene = known_user().await;
    let (_, operation) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    scene.kit.simulator.remove("Account", scene.account);
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::Superseded { attributes: Vec::new() }).await;
    failed(scene.row().await, ErrorKind::Gone);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Superseded, EntryKind::Gone]);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let name = history[1].changes.iter().find(|change| change.field == "name").unwrap();
    assert_eq!(name.to, Some(Value::text("Acme")), "the last known value");
    assert_eq!(name.note, Note::NotKept { sent: Value::text("Acme Foods") });
    assert_eq!(Organisation::as_of(&scene.hub, scene.id(), later(&scene)).await.unwrap(), None);
    let back = Organisation::revert(&scene.hub, scene.id(), history[0].version).await.unwrap();
    assert_eq!(back.name, "Acme", "made again from what the history kept");
}

#[tokio::test]
async fn constants_are_no_evidence() {
    let scene = known_user().await;
    let (_, operation) = lose(&scene, Write::Update, Fault::DropBeforeCommit).await;
    scene.person_edits("optevia_PAFOverride", Value::Boolean(true));
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
}

#[tokio::test]
async fn a_create_whose_record_exists_is_applied_at_once() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Create, Fault::DropAfterCommit).await;
    settles(&scene, operation, Verdict::Applied).await;
    assert_eq!(history_of::<Contact>(&scene.hub, attempt.id().into()).await, [EntryKind::Created]);
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn a_create_that_a_plug_in_adjusted_is_applied_and_says_so() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    scene.fault(Operation::Create, Fault::Adjust(Attributes::from([("FirstName", Value::text("ADA"))])));
    scene.fault(Operation::Create, Fault::DropAfterCommit);
    let operation = failed(attempt.run(&scene).await, ErrorKind::Unsettled).operation_id().unwrap();
    settles(&scene, operation, Verdict::Applied).await;
    let history = Contact::history(&scene.hub, attempt.id().into()).await.unwrap();
    let name = history[0].changes.iter().find(|change| change.attribute.as_deref() == Some("FirstName")).unwrap();
    assert_eq!(name.note, Note::Adjusted { sent: Value::text("Ada") });
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn a_create_whose_record_is_not_there_is_not_applied() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Create, Fault::DropBeforeCommit).await;
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    attempt.agrees(&scene).await;
    let history = Contact::history(&scene.hub, attempt.id().into()).await.unwrap();
    let [told] = &history[..] else { panic!("{history:?}") };
    assert_eq!((told.kind, told.operation), (EntryKind::NotApplied, Some(operation)));
    let name = told.changes.iter().find(|change| change.attribute.as_deref() == Some("FirstName")).unwrap();
    assert_eq!((&name.from, &name.to), (&None, &None), "there is no record");
    assert_eq!(name.note, Note::NotKept { sent: Value::text("Ada") });
    let then = later(&scene);
    assert_eq!(Contact::as_of(&scene.hub, attempt.id().into(), then).await.unwrap(), None);
    scene.minute();
    attempt.run(&scene).await.unwrap();
    attempt.agrees(&scene).await;
    // Going back over both leads to nothing before the record was made, and to the record after it.
    assert_eq!(Contact::as_of(&scene.hub, attempt.id().into(), then).await.unwrap(), None);
    assert!(Contact::as_of(&scene.hub, attempt.id().into(), later(&scene)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_create_over_a_deleted_record_that_is_not_applied_leaves_it_deleted() {
    let (scene, org) = Scene::read().await;
    let mut again = org.clone().into_inner();
    org.delete(&scene.hub).await.unwrap();
    scene.minute();
    again.name = "Acme again".into();
    scene.fault(Operation::Create, Fault::DropBeforeCommit);
    let operation = failed(Organisation::create(&scene.hub, again).await, ErrorKind::Unsettled).operation_id().unwrap();
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Deleted, EntryKind::NotApplied]);
    let deleted = Organisation::as_of(&scene.hub, scene.id(), later(&scene)).await.unwrap();
    assert_eq!(deleted, None, "it is deleted still");
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    let back = Organisation::revert(&scene.hub, scene.id(), first).await.unwrap();
    assert_eq!(back.name, "Acme");
}

#[tokio::test]
async fn a_delete_whose_record_is_gone_is_applied_at_once() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Delete, Fault::DropAfterCommit).await;
    settles(&scene, operation, Verdict::Applied).await;
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let end = history.last().unwrap();
    assert_eq!((end.kind, end.origin), (EntryKind::Deleted, Origin::Settle));
    assert!(end.changes.iter().any(|change| change.from == Some(Value::text("Acme"))), "the last values are kept");
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn a_delete_whose_record_is_there_is_not_applied() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Delete, Fault::DropBeforeCommit).await;
    waits(&scene, operation).await;
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    attempt.agrees(&scene).await;
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let told = history.last().unwrap();
    assert_eq!((told.kind, told.operation, told.changes.len()), (EntryKind::NotApplied, Some(operation), 0));
    attempt.run(&scene).await.unwrap();
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn the_quiet_period_follows_the_execution_limit() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.execution_limit(Duration::from_secs(100))).await;
    let (_, operation) = lose(&scene, Write::Update, Fault::DropBeforeCommit).await;
    scene.kit.advance(Duration::from_secs(109));
    waits(&scene, operation).await;
    scene.kit.advance(Duration::from_secs(2));
    settles(&scene, operation, Verdict::NotApplied).await;
}

#[tokio::test]
async fn settling_does_not_put_a_row_back_when_cdms_was_restored() {
    let scene = known_user().await;
    let (_, operation) = lose(&scene, Write::Update, Fault::DropBeforeCommit).await;
    let rows = scene.rows();
    let restored = Value::Instant(Instant(now(&scene).0 - 86_400_000));
    scene.kit.simulator.overwrite("Account", scene.account, [("ModifiedOn", restored), ("Fax", Value::text("1"))]);
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::NotApplied).await;
    assert_eq!(scene.rows(), rows);
    failed(scene.get().await, ErrorKind::LocalNewer);
}

mod older {
    use super::*;

    /// The organisation as an older program knows it.
    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms")]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Firm>,
        #[cdms("Name")]
        pub(super) name: String,
    }
}

mod newer {
    use super::*;

    /// The same, as a newer program knows it.
    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms")]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Firm>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
    }
}

#[tokio::test]
async fn a_program_that_does_not_read_what_was_written_leaves_it_to_others() {
    let scene = Scene::new().await;
    let new = scene.kit.hub(models![newer::Firm]).connect().await.unwrap();
    let mut firm = newer::Firm::get(&new, scene.account.into()).await.unwrap();
    firm.website = Some("https://acme.example".into());
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let operation = failed(firm.save(&new).await, ErrorKind::Unsettled).operation_id().unwrap();
    scene.kit.advance(PAST_QUIET);
    let old = scene.kit.hub(models![older::Firm]).connect().await.unwrap();
    let report = old.settle().await.unwrap();
    assert_eq!((&report.settled[..], &report.left_to_others[..]), (&[][..], &[operation][..]), "{report:?}");
    assert_eq!(scene.open_intents(), 1);
    assert_eq!(new.settle().await.unwrap().settled, [(operation, Verdict::Applied)]);
}

#[tokio::test]
async fn a_create_whose_record_cannot_be_read_is_settled_by_being_there() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Create, Fault::DropAfterCommit).await;
    let corrupt = Fault::Corrupt { attribute: "JobTitle".into(), json: "17".into() };
    scene.kit.simulator.fault(FaultRule::new(corrupt).on(Operation::Read));
    settles(&scene, operation, Verdict::Applied).await;
    assert_eq!(history_of::<Contact>(&scene.hub, attempt.id().into()).await, [EntryKind::Created]);
    assert!(scene.quarantine().await[0].reason.contains("JobTitle"));
    scene.kit.simulator.clear_faults();
    assert_eq!(Contact::get(&scene.hub, attempt.id().into()).await.unwrap().last_name, "Lovelace");
}

#[tokio::test]
async fn a_living_writer_is_left_alone() {
    let scene = known_user().await;
    let attempt = Write::Update.prepare(&scene).await;
    let another = scene.program(|hub| hub.cdms_user(OUR_USER)).await;
    let gate = scene.hold(Write::Update, Stage::AfterCommit);
    let (saved, ()) = tokio::join!(attempt.run(&scene), async {
        gate.arrived(1).await;
        let report = another.settle().await.unwrap();
        let [(_, after)] = report.waiting[..] else { panic!("{report:?}") };
        assert!(report.settled.is_empty());
        assert_eq!(after, Duration::from_secs(240), "its lease");
        let mut org = scene.row().await.unwrap();
        org.alias = "Crumbs".into();
        let busy = failed(org.save(&another).await, ErrorKind::Busy);
        assert_eq!(busy.retry_after(), Some(Duration::from_secs(240)));
        gate.open();
    });
    saved.unwrap();
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn any_program_that_lists_the_model_may_settle() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Create, Fault::DropAfterCommit).await;
    let stranger = scene.kit.hub(models![Sector]).connect().await.unwrap();
    let report = stranger.settle().await.unwrap();
    assert!(report.settled.is_empty() && report.waiting.is_empty() && report.failed.is_empty(), "{report:?}");
    assert_eq!((report.left_to_others, scene.open_intents()), (vec![operation], 1));
    let another = scene.another_program().await;
    assert_eq!(another.settle().await.unwrap().settled, [(operation, Verdict::Applied)]);
    assert_eq!(scene.hub.operation(operation).await.unwrap().verdict, Some(Verdict::Applied), "and the caller can ask");
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn without_cdms_nothing_is_settled() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Delete, Fault::DropAfterCommit).await;
    scene.kit.simulator.go_away();
    let report = scene.settle().await;
    let [(failed_operation, error)] = &report.failed[..] else { panic!("{report:?}") };
    assert_eq!((*failed_operation, error.kind()), (operation, ErrorKind::Unavailable));
    assert_eq!(scene.open_intents(), 1);
    scene.kit.simulator.come_back();
    settles(&scene, operation, Verdict::Applied).await;
    attempt.agrees(&scene).await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_the_write_open() {
    let scene = Scene::new().await;
    let (attempt, operation) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    scene.kit.advance(PAST_QUIET);
    let corrupt = Fault::Corrupt { attribute: "CreditLimit".into(), json: "\"much\"".into() };
    scene.kit.simulator.fault(FaultRule::new(corrupt).on(Operation::Read));
    let report = scene.settle().await;
    assert_eq!(report.waiting.len(), 1, "{report:?}");
    assert!(scene.quarantine().await[0].reason.contains("CreditLimit"));
    scene.kit.simulator.clear_faults();
    settles(&scene, operation, Verdict::Applied).await;
    attempt.agrees(&scene).await;
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn a_settled_write_whose_record_cannot_be_stored_is_told_and_waits_in_quarantine() {
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::Adjust(Attributes::from([("StateCode", Value::Choice(7))])));
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let operation = failed(attempt.run(&scene).await, ErrorKind::Unsettled).operation_id().unwrap();
    let rows = scene.rows_but_for_versions();
    scene.kit.advance(PAST_QUIET);
    settles(&scene, operation, Verdict::Applied).await;
    assert_eq!(scene.rows_but_for_versions(), rows);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Updated]);
    assert!(scene.quarantine().await[0].reason.contains("StateCode"));
    scene.kit.simulator.overwrite("Account", scene.account, [("StateCode", Value::Choice(0))]);
    assert_eq!(scene.get().await.unwrap().name, "Acme Foods");
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn what_ended_is_forgotten_after_a_day() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    scene.kit.advance(Duration::from_secs(23 * 3_600));
    org.name = "Acme Bakery".into();
    org.save(&scene.hub).await.unwrap();
    scene.settle().await;
    assert_eq!(scene.dump("datahub_intents").len(), 2);
    scene.kit.advance(Duration::from_secs(2 * 3_600));
    scene.settle().await;
    let kept = scene.dump("datahub_intents");
    assert!(kept.len() == 1 && kept[0].contains("Acme Bakery"), "{kept:?}");
    assert_eq!(scene.history().await.len(), 3, "the history keeps what they did");
}

#[tokio::test]
async fn local_values_of_a_write_are_stored_when_it_is_found_applied() {
    let scene = Scene::new().await;
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    org.archived_reason = Some("merged".into());
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    let contact = Contact { address_same_as_organisation: true, ..ada(&scene) };
    scene.fault(Operation::Create, Fault::DropAfterCommit);
    failed(Contact::create(&scene.hub, contact.clone()).await, ErrorKind::Unsettled);
    assert_eq!(scene.row().await.unwrap().archived_reason, None, "not before");
    scene.kit.advance(PAST_QUIET);
    assert_eq!(scene.settle().await.settled.len(), 2);
    assert_eq!(scene.row().await.unwrap().archived_reason.as_deref(), Some("merged"));
    let contact = Contact::get(&scene.hub, contact.id).freshness(Freshness::LocalOnly).await.unwrap();
    assert!(contact.address_same_as_organisation);
}

#[tokio::test]
async fn a_hub_settles_in_the_background_what_it_finds_and_what_it_leaves() {
    let scene = known_user().await;
    let (attempt, found_at_start) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    let hub = scene.program(|hub| hub.cdms_user(OUR_USER).settling(Settling::InBackground)).await;
    settled_in_background(&hub, found_at_start).await;
    attempt.agrees(&scene).await;

    scene.fault(Operation::Create, Fault::DropAfterCommit);
    let contact = ada(&scene);
    let error = failed(Contact::create(&hub, contact).await, ErrorKind::Unsettled);
    settled_in_background(&hub, error.operation_id().unwrap()).await;
    hub.shutdown(Duration::from_secs(10)).await;
}

/// Waits until the background has found the write applied.
async fn settled_in_background(hub: &Hub, operation: OperationId) {
    let settled = async {
        loop {
            match hub.operation(operation).await.unwrap().verdict {
                None => tokio::task::yield_now().await,
                verdict => return verdict,
            }
        }
    };
    let verdict = tokio::time::timeout(Duration::from_secs(60), settled).await;
    assert_eq!(verdict.expect("the background settles it within a minute"), Some(Verdict::Applied));
}
