//! The read table: what the hub has against what CDMS has, and what a read makes of it. A test is a row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Finding, Instant, Reference, Value};
use example_domain::{Contact, Organisation};
use futures_util::future::join_all;

use crate::scene::{Scene, acme, ada, failed, found, history_of, now, says};

#[tokio::test]
async fn neither_side_has_it() {
    let scene = Scene::new().await;
    let id = Id::new();
    let (read, cost) = scene.cost_of(Organisation::get(&scene.hub, id)).await;
    let error = failed(read, ErrorKind::NotFound);
    says(&error, &["Organisation", &id.to_string(), "CDMS has no such Account"]);
    assert!(!error.to_string().contains("or_local"), "that would be no help: {error}");
    assert_eq!((cost.requests, cost.statements, cost.transactions), (1, 1, 0));
    assert_eq!(history_of(&scene.hub, id).await, []);
}

#[tokio::test]
async fn the_hub_meets_a_record() {
    let scene = Scene::new().await;
    let (org, cost) = scene.cost_of(scene.get()).await;
    let org = org.unwrap();
    assert_eq!(found(&org), Finding::First);
    assert_eq!((org.name.as_str(), org.registered_address.town.as_deref()), ("Acme", Some("Leeds")));
    assert_eq!(cost.requests, 1);
    assert_eq!(cost.transactions, 1);
    assert_eq!(scene.row().await.unwrap().into_inner(), org.into_inner());
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let [first] = &history[..] else { panic!("{history:?}") };
    assert_eq!(first.kind, EntryKind::FirstSeen);
    assert!(first.changes.is_empty(), "the first sight refers to what is seen instead of copying it");
}

#[tokio::test]
async fn a_row_in_sync_costs_one_request_and_one_statement() {
    let (scene, first) = Scene::read().await;
    let rows = scene.rows();
    let (org, cost) = scene.cost_of(scene.get()).await;
    let org = org.unwrap();
    assert_eq!(found(&org), Finding::InSync);
    assert_eq!(org.into_inner(), first.into_inner());
    assert_eq!((cost.requests, cost.statements, cost.transactions), (1, 1, 0), "{cost}");
    assert!(cost.bytes_received < 3 * 1024, "{} bytes", cost.bytes_received);
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen]);
}

#[tokio::test]
async fn what_is_not_mapped_costs_nothing() {
    let bytes_of_a_read = async |metadata: &str| {
        let kit = Kit::new(metadata);
        let account = kit.simulator.seed("Account", acme());
        let hub = kit.hub(example_domain::models()).connect().await.unwrap();
        let id: Id<Organisation> = account.into();
        Organisation::get(&hub, id).await.unwrap();
        let before = hub.cost();
        assert_eq!(found(&Organisation::get(&hub, id).await.unwrap()), Finding::InSync);
        (hub.cost() - before).bytes_received
    };
    let more: String = (0..250).map(|n| format!(r#"<Property Name="extra_{n}" Type="Edm.String" />"#)).collect();
    let account = r#"<EntityType Name="Account">"#;
    assert!(example_domain::METADATA.contains(account));
    let key_end = "</Key>";
    let (before, after) = example_domain::METADATA.split_once(account).unwrap();
    let (key, properties) = after.split_once(key_end).unwrap();
    let wide = format!("{before}{account}{key}{key_end}{more}{properties}");
    assert_eq!(bytes_of_a_read(&wide).await, bytes_of_a_read(example_domain::METADATA).await);
}

#[tokio::test]
async fn a_row_whose_record_is_gone_becomes_a_tombstone() {
    let (scene, _) = Scene::read().await;
    scene.kit.simulator.remove("Account", scene.account);
    let (read, cost) = scene.cost_of(scene.get()).await;
    let error = failed(read, ErrorKind::Gone);
    says(&error, &["Organisation", &scene.account.to_string(), "gone", "history"]);
    assert_eq!((cost.requests, cost.transactions), (1, 1));
    assert_eq!(scene.dump("organisations"), [""; 0], "the team's own queries see only what is alive");
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let end = history.last().unwrap();
    assert_eq!(end.kind, EntryKind::Gone);
    let name = end.changes.iter().find(|change| change.field == "name").unwrap();
    assert_eq!((&name.from, &name.to), (&Some(Value::text("Acme")), &None), "the last values are kept");
}

#[tokio::test]
async fn a_tombstone_whose_record_is_gone_stays() {
    let (scene, _) = Scene::read().await;
    scene.kit.simulator.remove("Account", scene.account);
    failed(scene.get().await, ErrorKind::Gone);
    let rows = scene.rows();
    let (read, cost) = scene.cost_of(scene.get()).await;
    failed(read, ErrorKind::Gone);
    assert_eq!((cost.requests, cost.statements, cost.transactions), (1, 1, 0));
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Gone], "and nothing new is told");
}

#[tokio::test]
async fn a_tombstone_whose_record_is_there_again_revives() {
    let (scene, _) = Scene::read().await;
    let before = scene.record();
    scene.kit.simulator.remove("Account", scene.account);
    failed(scene.get().await, ErrorKind::Gone);
    // As a restored backup has it: older than the tombstone, which does not matter.
    let old = Value::Instant(Instant(now(&scene).0 - 86_400_000));
    let mut restored = before.clone();
    restored.insert("ModifiedOn", old);
    scene.kit.simulator.seed("Account", restored);
    let org = scene.get().await.unwrap();
    assert_eq!(found(&org), Finding::Revived);
    assert_eq!(org.name, "Acme");
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Gone, EntryKind::Revived]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn cdms_newer_refreshes_and_tells_what_changed() {
    let (scene, _) = Scene::read().await;
    scene.person_edits("Name", Value::text("Acme Foods"));
    let (org, cost) = scene.cost_of(scene.get()).await;
    let org = org.unwrap();
    assert_eq!(found(&org), Finding::Refreshed);
    assert_eq!(org.name, "Acme Foods");
    assert_eq!((cost.requests, cost.transactions), (1, 1));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let [_, refreshed] = &history[..] else { panic!("{history:?}") };
    let [change] = &refreshed.changes[..] else { panic!("{refreshed:?}") };
    assert_eq!(change.field, "name");
    assert_eq!((&change.from, &change.to), (&Some(Value::text("Acme")), &Some(Value::text("Acme Foods"))));
    assert_eq!(refreshed.modified, Some(now(&scene)));
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn cdms_newer_without_a_mapped_change_moves_the_row_and_tells_nothing() {
    let (scene, _) = Scene::read().await;
    scene.person_edits("Fax", Value::text("0113"));
    assert_eq!(found(&scene.get().await.unwrap()), Finding::Filled);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync, "the row has CDMS's time now");
}

#[tokio::test]
async fn a_change_that_did_not_move_modified_is_noticed() {
    let (scene, _) = Scene::read().await;
    // A second edit within the second, or a cascade: the value moves, the time does not.
    scene.kit.simulator.overwrite("Account", scene.account, [("optevia_Alias", Value::text("Crumbs"))]);
    let org = scene.get().await.unwrap();
    assert_eq!(found(&org), Finding::Refreshed);
    assert_eq!(org.alias, "Crumbs");
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Refreshed]);
}

#[tokio::test]
async fn a_lookup_that_was_only_renamed_is_no_change() {
    let scene = Scene::new().await;
    let food = scene.kit.simulator.seed("optevia_sector", [("optevia_name", Value::text("Food"))]);
    let reference = Value::Lookup(Reference { logical_name: "optevia_sector".into(), id: food });
    scene.kit.simulator.edit("Account", scene.account, [("optevia_Sector", reference)]);
    assert_eq!(scene.get().await.unwrap().sector, Some(food.into()));
    scene.kit.simulator.edit("optevia_sector", food, [("optevia_name", Value::text("Food and drink"))]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync, "a display name changes by itself");
}

#[tokio::test]
async fn a_refresh_leaves_local_fields_alone() {
    let (scene, mut org) = Scene::read().await;
    org.archived = true;
    org.archived_reason = Some("merged".into());
    org.save(&scene.hub).await.unwrap();
    scene.person_edits("Name", Value::text("Acme Foods"));
    let org = scene.get().await.unwrap();
    assert_eq!((org.name.as_str(), org.archived, org.archived_reason.as_deref()), ("Acme Foods", true, Some("merged")));
    let row = scene.row().await.unwrap();
    assert_eq!((row.name.as_str(), row.archived, row.archived_reason.as_deref()), ("Acme Foods", true, Some("merged")));
}

#[tokio::test]
async fn a_row_newer_than_cdms_is_never_overwritten() {
    let (scene, _) = Scene::read().await;
    let rows = scene.rows();
    let (hub_time, cdms_time) = (now(&scene), Instant(now(&scene).0 - 3_600_000));
    let restored = [("ModifiedOn", Value::Instant(cdms_time)), ("Name", Value::text("Old Acme"))];
    scene.kit.simulator.overwrite("Account", scene.account, restored);
    let (read, cost) = scene.cost_of(scene.get()).await;
    let error = failed(read, ErrorKind::LocalNewer);
    says(&error, &["Organisation", &hub_time.to_string(), &cdms_time.to_string()]);
    assert_eq!(cost.requests, 2, "CDMS was asked once more under the record's lock");
    assert_eq!(cost.transactions, 0);
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.row().await.unwrap().name, "Acme");
}

/// A model that shows CDMS's time of the last change.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "timed_firms", diesel(table = false))]
struct Timed {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(modified)]
    modified: chrono::DateTime<chrono::Utc>,
}

#[tokio::test]
async fn within_the_clock_skew_an_equal_record_leaves_the_rows_time() {
    let scene = Scene::new().await;
    let skew = Duration::from_secs(5);
    let hub = scene.kit.hub(models![Timed]).clock_skew(skew).connect().await.unwrap();
    let first = Timed::get(&hub, scene.account.into()).await.unwrap();
    let behind = [("ModifiedOn", Value::Instant(Instant(now(&scene).0 - 4000)))];
    scene.kit.simulator.overwrite("Account", scene.account, behind);
    let again = Timed::get(&hub, scene.account.into()).await.unwrap();
    assert_eq!((found(&again), again.modified), (Finding::InSync, first.modified));
    let row = Timed::get(&hub, scene.account.into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(row.modified, first.modified);
}

#[tokio::test]
async fn within_the_clock_skew_a_differing_record_is_refreshed_and_the_history_says_so() {
    let scene = Scene::with(|cdms| cdms, |hub| hub.clock_skew(Duration::from_secs(5))).await;
    scene.get().await.unwrap();
    let begun = now(&scene);
    let behind = |ms: i64| ("ModifiedOn", Value::Instant(Instant(begun.0 - ms)));
    scene.kit.simulator.overwrite("Account", scene.account, [behind(4000)]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync, "older, but equal");
    scene.kit.simulator.overwrite("Account", scene.account, [behind(4000), ("Name", Value::text("Acme Foods"))]);
    let org = scene.get().await.unwrap();
    assert_eq!((found(&org), org.name.as_str()), (Finding::Refreshed, "Acme Foods"));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    assert_eq!(history.last().unwrap().skew_ms, Some(4000));
    scene.kit.simulator.overwrite("Account", scene.account, [behind(60_000), ("Name", Value::text("Old"))]);
    failed(scene.get().await, ErrorKind::LocalNewer);
}

mod narrow {
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

mod wide {
    use super::*;

    /// The same, as a newer program knows it.
    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms")]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Firm>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("optevia_Alias")]
        pub(super) alias: Option<String>,
    }
}

#[tokio::test]
async fn a_row_stands_in_for_an_absent_cdms_and_for_no_other_answer() {
    let or_local = async |scene: &Scene| Organisation::get(&scene.hub, scene.id()).or_local().await;
    let (scene, _) = Scene::read().await;
    scene.fault(Operation::Read, Fault::NoPrivilege);
    failed(or_local(&scene).await, ErrorKind::Rejected);
    let old = Value::Instant(Instant(now(&scene).0 - 3_600_000));
    scene.kit.simulator.overwrite("Account", scene.account, [("ModifiedOn", old), ("Name", Value::text("Old Acme"))]);
    failed(or_local(&scene).await, ErrorKind::LocalNewer);
    scene.person_edits("Name", Value::Null);
    failed(or_local(&scene).await, ErrorKind::Quarantined);
    scene.kit.simulator.remove("Account", scene.account);
    failed(or_local(&scene).await, ErrorKind::Gone);
}

#[tokio::test]
async fn a_new_field_fills_itself_and_an_older_program_drops_nothing() {
    let scene = Scene::new().await;
    scene.kit.simulator.edit("Account", scene.account, [("optevia_Alias", Value::text("Crumbs"))]);
    let old = scene.kit.hub(models![narrow::Firm]).connect().await.unwrap();
    narrow::Firm::get(&old, scene.account.into()).await.unwrap();
    scene.sql("ALTER TABLE firms ADD COLUMN alias TEXT");

    let new = scene.kit.hub(models![wide::Firm]).connect().await.unwrap();
    let firm = wide::Firm::get(&new, scene.account.into()).await.unwrap();
    assert_eq!((found(&firm), firm.alias.as_deref()), (Finding::Filled, Some("Crumbs")));
    let id: Id<wide::Firm> = scene.account.into();
    assert_eq!(history_of(&new, id).await, [EntryKind::FirstSeen], "nothing changed, so nothing is told");
    assert_eq!(found(&wide::Firm::get(&new, id).await.unwrap()), Finding::InSync);

    // The older program still runs beside it: its refresh keeps what it does not know.
    scene.person_edits("Name", Value::text("Acme Foods"));
    let firm = narrow::Firm::get(&old, scene.account.into()).await.unwrap();
    assert_eq!((found(&firm), firm.name.as_str()), (Finding::Refreshed, "Acme Foods"));
    let row = wide::Firm::get(&new, id).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!((row.name.as_str(), row.alias.as_deref()), ("Acme Foods", Some("Crumbs")));
    wide::Firm::get(&new, id).await.unwrap();
    assert_eq!(history_of(&new, id).await, [EntryKind::FirstSeen, EntryKind::Refreshed]);

    // Once the row is complete for both of them, neither writes on reading.
    let before = (old.cost().transactions, new.cost().transactions);
    for _ in 0..3 {
        assert_eq!(found(&narrow::Firm::get(&old, scene.account.into()).await.unwrap()), Finding::InSync);
        assert_eq!(found(&wide::Firm::get(&new, id).await.unwrap()), Finding::InSync);
    }
    assert_eq!((old.cost().transactions, new.cost().transactions), before);
}

/// Organisations of the United Kingdom: a part of the entity's records.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "uk_organisations", only = "optevia_ukorganisation eq true")]
pub(crate) struct UkOrganisation {
    #[cdms(key)]
    id: Id<UkOrganisation>,
    #[cdms("Name")]
    name: String,
}

#[tokio::test]
async fn a_record_that_left_the_model_becomes_a_tombstone() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    let id: Id<UkOrganisation> = scene.account.into();
    failed(UkOrganisation::get(&hub, id).await, ErrorKind::NotFound);
    scene.person_edits("optevia_ukorganisation", Value::Boolean(true));
    assert_eq!(found(&UkOrganisation::get(&hub, id).await.unwrap()), Finding::First);
    scene.person_edits("optevia_ukorganisation", Value::Boolean(false));
    failed(UkOrganisation::get(&hub, id).await, ErrorKind::Gone);
    failed(UkOrganisation::get(&hub, id).await, ErrorKind::Gone);
    let error = failed(UkOrganisation::get(&hub, id).freshness(Freshness::LocalOnly).await, ErrorKind::Gone);
    says(&error, &["no longer a UkOrganisation", "`only`"]);
    assert_eq!(history_of(&hub, id).await, [EntryKind::FirstSeen, EntryKind::Refreshed, EntryKind::LeftModel]);
    scene.person_edits("optevia_ukorganisation", Value::Boolean(true));
    assert_eq!(found(&UkOrganisation::get(&hub, id).await.unwrap()), Finding::Revived);
}

#[tokio::test]
async fn under_an_open_update_a_read_returns_the_row_marked_pending() {
    let (scene, mut org) = Scene::read().await;
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Update));
    let hub = scene.hub.clone();
    let save = tokio::spawn(async move {
        org.name = "Acme Foods".into();
        org.save(&hub).await.map(|_| org)
    });
    gate.arrived(1).await;
    let rows = scene.rows();
    let (read, cost) = scene.cost_of(scene.get()).await;
    let read = read.unwrap();
    assert!(matches!(read.checked(), Checked::Pending { .. }), "{:?}", read.checked());
    assert_eq!(read.name, "Acme");
    assert_eq!((cost.requests, cost.statements, cost.transactions), (0, 1, 0));
    let row = scene.row().await.unwrap();
    assert!(matches!(row.checked(), Checked::Pending { .. }), "{:?}", row.checked());
    assert_eq!(scene.rows(), rows);
    gate.open();
    assert_eq!(save.await.unwrap().unwrap().name, "Acme Foods");
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn under_an_open_create_a_read_is_unsettled() {
    let scene = Scene::new().await;
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::Create));
    let contact = ada(&scene);
    let id = contact.id;
    let hub = scene.hub.clone();
    let create = tokio::spawn(async move { Contact::create(&hub, contact).await });
    gate.arrived(1).await;
    let (read, cost) = scene.cost_of(Contact::get(&scene.hub, id)).await;
    let error = failed(read, ErrorKind::Unsettled);
    assert_eq!(cost.requests, 0);
    let operation = scene.hub.operation(error.operation_id().expect("an operation")).await.unwrap();
    assert_eq!((operation.record, operation.verdict), (id.guid(), None));
    gate.open();
    create.await.unwrap().unwrap();
    assert_eq!(found(&Contact::get(&scene.hub, id).await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn an_unreadable_answer_changes_nothing() {
    let (scene, _) = Scene::read().await;
    let rows = scene.rows();
    let unavailable = [
        Fault::NotJson,
        Fault::Html(200),
        Fault::Html(500),
        Fault::Html(503),
        Fault::Truncate,
        Fault::DropBeforeCommit,
        Fault::DropAfterCommit,
        Fault::Refuse { status: 500, code: -2147204784, message: "Generic SQL error.".into() },
    ];
    for fault in unavailable {
        let name = fault.name();
        scene.kit.simulator.fault(FaultRule::new(fault).on(Operation::Read));
        let error = failed(scene.get().await, ErrorKind::Unavailable);
        says(&error, &["Organisation", &scene.account.to_string(), "or_local()"]);
        let org = Organisation::get(&scene.hub, scene.id()).or_local().await.unwrap();
        assert_eq!(org.name, "Acme", "{name}");
        assert!(matches!(org.checked(), Checked::NotChecked { since: Some(_) }), "{:?}", org.checked());
        scene.kit.simulator.clear_faults();
    }
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen]);
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn a_404_that_does_not_speak_of_the_record_is_no_tombstone() {
    let (scene, _) = Scene::read().await;
    let rows = scene.rows();
    let wrong_path = Fault::Refuse { status: 404, code: 0, message: "Resource not found.".into() };
    for fault in [wrong_path, Fault::Html(404)] {
        scene.fault(Operation::Read, fault.clone());
        let error = failed(scene.get().await, ErrorKind::Unavailable);
        says(&error, &["without saying that it is gone", "it has the set AccountSet"]);
        // A program that has read nothing of the set yet cannot know that it is there.
        let other = scene.another_program().await;
        scene.fault(Operation::Read, fault);
        let error = failed(Organisation::get(&other, scene.id()).await, ErrorKind::Misconfigured);
        says(&error, &["does not know the set AccountSet", "`set` in the contract"]);
    }
    assert_eq!(scene.rows(), rows);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn a_read_that_is_refused_for_load_is_no_missing_right() {
    let (scene, _) = Scene::read().await;
    for fault in [Fault::Html(429), Fault::Refuse { status: 429, code: 0, message: "Too many requests.".into() }] {
        scene.fault(Operation::Read, fault);
        let error = failed(scene.get().await, ErrorKind::Unavailable);
        says(&error, &["too busy", "429", "try again later"]);
        assert!(!error.to_string().contains("right"), "{error}");
    }
    scene.fault(Operation::List, Fault::Html(429));
    failed(scene.hub.pull::<Organisation>().await, ErrorKind::Unavailable);
    // A missing right is told as one, whatever the status.
    let message = "SecLib::AccessCheckEx failed.".to_owned();
    scene.fault(Operation::Read, Fault::Refuse { status: 500, code: -2_147_220_960, message });
    says(&failed(scene.get().await, ErrorKind::Rejected), &["the right to read it"]);
}

#[tokio::test]
async fn a_refused_read_changes_nothing() {
    let (scene, _) = Scene::read().await;
    let rows = scene.rows();
    scene.fault(Operation::Read, Fault::NoPrivilege);
    let error = failed(scene.get().await, ErrorKind::Rejected);
    says(&error, &["CDMS refused the read", "right"]);
    assert_eq!(scene.rows(), rows);
}

#[tokio::test]
async fn another_organisation_is_refused_and_nothing_is_read() {
    let (scene, _) = Scene::read().await;
    let rows = scene.rows();
    let ours = scene.kit.simulator.organisation();
    let other = scene.kit.simulator.become_another_organisation();
    let hub = scene.another_program().await;
    let error = failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Misconfigured);
    says(&error, &[&ours.to_string(), &other.to_string(), "nothing was read or written"]);
    let mut org = Organisation::get(&hub, scene.id()).freshness(Freshness::LocalOnly).await.unwrap();
    org.name = "Acme Foods".into();
    failed(org.save(&hub).await, ErrorKind::Misconfigured);
    let error = failed(Contact::create(&hub, ada(&scene)).await, ErrorKind::Misconfigured);
    says(&error, &[&ours.to_string(), &other.to_string()]);
    failed(org.delete(&hub).await, ErrorKind::Misconfigured);
    assert_eq!(scene.rows(), rows);
    assert_eq!(
        (scene.requests("MERGE").len(), scene.requests("POST").len(), scene.requests("DELETE").len()),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn reads_at_the_same_time_share_a_request() {
    let (scene, _) = Scene::read().await;
    let gate = scene.kit.simulator.hold(Stage::BeforeCommit, |hold| FaultRule::new(hold).on(Operation::Read));
    let before = scene.hub.cost();
    let hub = scene.hub.clone();
    let id = scene.id();
    let first = tokio::spawn(async move { Organisation::get(&hub, id).await });
    gate.arrived(1).await;
    // These come too late for the request that is under way, which may already have been answered: they share the next.
    let later = tokio::spawn(join_all((0..50).map(|_| Organisation::get(&scene.hub, id).into_future())));
    gate.open();
    first.await.unwrap().unwrap();
    for org in later.await.unwrap() {
        assert_eq!(org.unwrap().name, "Acme");
    }
    assert_eq!((scene.hub.cost() - before).requests, 2);
}

/// With one thread that runs the check as soon as it is spawned, before the other callers.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_callers_of_one_moment_share_one_request() {
    let (scene, _) = Scene::read().await;
    for _ in 0..5 {
        let (hub, id, before) = (scene.hub.clone(), scene.id(), scene.hub.cost());
        let all_at_once = tokio::spawn(async move {
            let read = |_| {
                let hub = hub.clone();
                tokio::spawn(async move { Organisation::get(&hub, id).await })
            };
            join_all((0..900).map(read)).await
        });
        for org in all_at_once.await.unwrap() {
            assert_eq!(org.unwrap().unwrap().name, "Acme");
        }
        assert_eq!((scene.hub.cost() - before).requests, 1);
    }
}

/// Also while others read it all the time, and whichever check the read joins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_has_what_was_stored_before_it() {
    let (scene, mut org) = Scene::read().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..4)
        .map(|_| {
            let (hub, id, is_over) = (scene.hub.clone(), scene.id(), Arc::clone(&is_over));
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    Organisation::get(&hub, id).await.unwrap();
                }
            })
        })
        .collect();
    org.archived = true;
    for round in 0..100 {
        org.archived_reason = Some(round.to_string());
        org.save(&scene.hub).await.unwrap();
        let read = Organisation::get(&scene.hub, scene.id()).await.unwrap();
        assert_eq!(read.archived_reason, org.archived_reason);
    }
    is_over.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap();
    }
}

#[tokio::test]
async fn a_record_that_left_the_model_is_not_deleted() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![UkOrganisation]).connect().await.unwrap();
    scene.person_edits("optevia_ukorganisation", Value::Boolean(true));
    let uk = UkOrganisation::get(&hub, scene.account.into()).await.unwrap();
    scene.person_edits("optevia_ukorganisation", Value::Boolean(false));
    for _ in 0..2 {
        let error = failed(uk.clone().delete(&hub).await, ErrorKind::Gone);
        says(&error, &["no longer a UkOrganisation"]);
    }
    assert!(scene.kit.simulator.record("Account", scene.account).is_some());
}

#[tokio::test]
async fn a_time_at_the_end_of_the_world_is_a_time_like_any_other() {
    let (scene, _) = Scene::read().await;
    for ms in [i64::MIN, i64::MAX] {
        scene.kit.simulator.overwrite("Account", scene.account, [("ModifiedOn", Value::Instant(Instant(ms)))]);
        let error = scene.get().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::LocalNewer | ErrorKind::Quarantined), "{error}");
    }
}
