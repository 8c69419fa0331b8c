//! A record's past: rebuilt for any time, also of a record that is gone.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation, Stage};
use datahub_runtime::{Attributes, EntryKind, Finding, Origin, Reference, Value, Version};
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use example_domain::{Contact, Organisation, Phone};

use crate::scene::{NEW_NAME, Scene, Write, acme, failed, found, now, says};

/// The scene's time; the next thing happens a minute later.
pub(crate) fn mark(scene: &Scene) -> DateTime<Utc> {
    let time = now(scene).to_utc().expect("a time of our days");
    scene.minute();
    time
}

#[tokio::test]
async fn a_record_can_be_had_as_it_was_at_any_time() {
    let scene = Scene::new().await;
    let before = mark(&scene);
    let mut org = scene.get().await.unwrap();
    let mut then = vec![(mark(&scene), org.clone().into_inner())];
    scene.person_edits("Name", Value::text("Acme Foods"));
    org = scene.get().await.unwrap();
    then.push((mark(&scene), org.clone().into_inner()));
    org.website = Some("https://acme.example".into());
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    then.push((mark(&scene), org.clone().into_inner()));
    org.archived_reason = None;
    org.save(&scene.hub).await.unwrap();
    then.push((mark(&scene), org.clone().into_inner()));
    org.delete(&scene.hub).await.unwrap();
    let gone = mark(&scene);
    Organisation::create(&scene.hub, then[0].1.clone()).await.unwrap();
    then.push((mark(&scene), then[0].1.clone()));

    let as_of = async |time| Organisation::as_of(&scene.hub, scene.id(), time).await.unwrap();
    // Fields of the engine have their current values.
    let without = |org: Organisation| Organisation { created: None, ..org };
    for (time, expected) in then {
        assert_eq!(as_of(time).await.map(without), Some(without(expected)), "{time}");
    }
    assert_eq!(as_of(before).await, None, "the hub had not seen it yet");
    assert_eq!(as_of(gone).await, None, "it was deleted");
}

#[tokio::test]
async fn a_past_of_many_entries_is_read_in_pages() {
    let (scene, mut org) = Scene::read().await;
    let begin = mark(&scene);
    for round in 0..250 {
        org.archived_reason = Some(format!("round {round}"));
        org.save(&scene.hub).await.unwrap();
    }
    let (past, cost) = scene.cost_of(Organisation::as_of(&scene.hub, scene.id(), begin)).await;
    assert_eq!(past.unwrap().unwrap().archived_reason, None);
    assert_eq!((cost.requests, cost.transactions), (0, 0));
}

#[tokio::test]
async fn a_version_is_found_with_as_many_statements_among_thousands_as_among_few() {
    let (scene, first) = Scene::read().await;
    let (token, begin) = (first.version_token(), mark(&scene));
    let version = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    let mut counts = Vec::new();
    for copies in [1, 5_000, 20_000] {
        let mut org = scene.get().await.unwrap();
        (org.name, org.archived_reason) = ("Acme Foods".into(), Some("moved".into()));
        org.save(&scene.hub).await.unwrap();
        let last = Organisation::history(&scene.hub, scene.id()).limit(1).await.unwrap()[0].number;
        let copied =
            "entity, id, model, version, at, actor, program, origin, kind, changes, constants, local, mapping_id";
        scene.sql(&format!(
            "INSERT INTO datahub_history ({copied}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
             WHERE i < {copies}) SELECT {copied} FROM datahub_history, n WHERE sequence = {last}"
        ));
        let (past, as_of) = scene.cost_of(Organisation::as_of(&scene.hub, scene.id(), begin)).await;
        assert_eq!(past.unwrap().unwrap(), *first);
        let (edit, resumed) = scene.cost_of(Organisation::edit(&scene.hub, scene.id(), token)).await;
        assert_eq!(*edit.unwrap(), *first);
        let (back, revert) = scene.cost_of(Organisation::revert(&scene.hub, scene.id(), version)).await;
        let back = back.unwrap();
        assert_eq!((back.name.as_str(), &back.archived_reason), ("Acme", &None));
        counts.push([as_of, resumed, revert].map(|cost| cost.statements));
    }
    assert!(counts[0][2] <= 20, "{counts:?}");
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[tokio::test]
async fn a_record_is_put_back_by_a_normal_write_with_nulls_where_they_were() {
    let (scene, mut org) = Scene::read().await;
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    // In CDMS these are null; in the model a default stands for them.
    (org.alias, org.uk_organisation) = ("Crumbs".into(), true);
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    scene.person_edits("Name", Value::text("Acme Foods"));

    let org = Organisation::revert(&scene.hub, scene.id(), first).await.unwrap();
    assert_eq!((org.name.as_str(), org.alias.as_str(), org.uk_organisation), ("Acme", "", false));
    assert_eq!(org.archived_reason, None);
    let record = scene.record();
    let raw = ["Name", "optevia_Alias", "optevia_ukorganisation"].map(|name| record.get(name).cloned().unwrap());
    assert_eq!(raw, [Value::text("Acme"), Value::Null, Value::Null]);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let revert = history.last().unwrap();
    assert_eq!((revert.kind, revert.origin), (EntryKind::Updated, Origin::Revert));
    let name = revert.changes.iter().find(|change| change.field == "name").unwrap();
    assert_eq!(name.from, Some(Value::text("Acme Foods")), "what a person had typed is kept");

    let (again, cost) = scene.cost_of(Organisation::revert(&scene.hub, scene.id(), revert.version)).await;
    again.unwrap();
    assert_eq!((cost.requests, cost.transactions), (1, 0), "it is as it was then already");
}

#[tokio::test]
async fn a_deleted_record_is_put_back_by_creating_it_again() {
    let (scene, mut org) = Scene::read().await;
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    let then = org.clone().into_inner();
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    org.delete(&scene.hub).await.unwrap();
    let org = Organisation::revert(&scene.hub, scene.id(), first).await.unwrap();
    assert_eq!(*org, then);
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme")));
    assert_eq!(scene.record().get("optevia_Alias"), Some(&Value::Null));
}

#[tokio::test]
async fn a_version_that_the_record_does_not_have_is_refused() {
    let (scene, _) = Scene::read().await;
    for version in [Version(0), Version(-1), Version(99)] {
        let error = failed(Organisation::revert(&scene.hub, scene.id(), version).await, ErrorKind::Invalid);
        says(&error, &["Organisation", &scene.account.to_string(), &version.0.to_string()]);
    }
    failed(Organisation::revert(&scene.hub, Id::new(), Version(1)).await, ErrorKind::NotFound);
    assert_eq!(scene.commits(), []);
}

#[tokio::test]
async fn a_history_exports_as_json_lines() {
    let (scene, mut org) = Scene::read().await;
    (org.name, org.website) = ("Acme Foods".into(), Some("https://acme.example".into()));
    org.archived_reason = Some("Ada said so".into());
    org.save(&scene.hub.acting_as("ada")).await.unwrap();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let lines: Vec<_> = history.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    assert!(lines.iter().all(|line| !line.contains('\n')));
    let update: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(
        (&update["kind"], &update["origin"], &update["actor"]),
        (&"updated".into(), &"hub".into(), &"ada".into())
    );
    assert_eq!(update["at"], "2016-12-05T12:00:00Z");
    assert_eq!((&update["entity"], &update["record"]), (&"Account".into(), &scene.account.to_string().into()));
    assert_eq!((&update["model"], &update["program"]), (&"organisations".into(), &"tests".into()));
    let change = |line: &serde_json::Value, field: &str| {
        let changes = line["changes"].as_array().unwrap().clone();
        changes.into_iter().find(|change| change["field"] == field).expect("the field changed")
    };
    let name = change(&update, "name");
    assert_eq!((&name["from"], &name["to"]), (&["Acme"].into(), &["Acme Foods"].into()));
    assert_eq!(change(&update, "website")["from"], serde_json::json!([null]), "null is not the same as not known");
    let own = change(&update, "archived_reason");
    assert_eq!((&own["hidden"], own.get("to")), (&"personal".into(), None), "nothing says what it may be shown to");
    let logged = format!("{history:?}");
    assert!(logged.contains("Acme Foods") && !logged.contains("Ada said so"), "a log shows what everybody may see");

    // On request everything is there, and the rows can be rebuilt from the lines alone.
    let whole: Vec<serde_json::Value> =
        history.iter().map(|entry| serde_json::to_value(entry.with_all_values()).unwrap()).collect();
    assert_eq!(change(&whole[1], "archived_reason")["to"], serde_json::json!(["Ada said so"]));
    let mut seen = serde_json::to_value(scene.record()).unwrap();
    for change in whole[1]["changes"].as_array().unwrap().iter().filter(|change| !change["attribute"].is_null()) {
        let attribute = change["attribute"].as_str().unwrap();
        assert_eq!(seen[attribute], change["to"][0], "{attribute}");
        seen[attribute] = change["from"][0].clone();
    }
    assert_eq!((&seen["Name"], &seen["WebSiteURL"]), (&"Acme".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn a_history_is_read_in_pages_and_never_without_bound() {
    let (scene, mut org) = Scene::read().await;
    for round in 0..24 {
        org.archived_reason = Some(format!("round {round}"));
        org.save(&scene.hub).await.unwrap();
    }
    let all = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    assert_eq!(all.len(), 25);
    assert!(all.is_sorted_by_key(|entry| entry.number), "oldest first");
    let newest = Organisation::history(&scene.hub, scene.id()).limit(10).await.unwrap();
    assert_eq!(newest, all[15..]);
    let earlier = Organisation::history(&scene.hub, scene.id()).before(&newest[0]).limit(10).await.unwrap();
    assert_eq!(earlier, all[5..15]);
    assert_eq!(Organisation::history(&scene.hub, scene.id()).before(&earlier[0]).await.unwrap(), all[..5]);
    assert_eq!(Organisation::history(&scene.hub, scene.id()).limit(0).await.unwrap(), []);

    let copied = "entity, id, model, version, at, actor, program, origin, kind, changes, constants, local, mapping_id";
    scene.sql(&format!(
        "INSERT INTO datahub_history ({copied}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < 10000) SELECT {copied} FROM datahub_history, n WHERE sequence = {}",
        all[24].number
    ));
    let error = failed(Organisation::history(&scene.hub, scene.id()).await, ErrorKind::Invalid);
    says(&error, &["10000", ".limit(n)", &scene.account.to_string()]);
    assert_eq!(Organisation::history(&scene.hub, scene.id()).limit(1_234).await.unwrap().len(), 1_234);
}

#[tokio::test]
async fn rows_are_rebuilt_from_the_history_forwards_and_backwards() {
    let (scene, mut org) = Scene::read().await;
    for round in 0..6 {
        scene.minute();
        match round % 3 {
            0 => scene.person_edits("Name", Value::text(format!("Name {round}"))),
            1 => org.website = Some(format!("https://{round}.example")),
            _ => org.credit_limit = None,
        }
        org.save(&scene.hub).await.unwrap();
        org = scene.get().await.unwrap();
    }
    let record = scene.record();
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let mut seen = record.clone();
    for entry in history.iter().rev() {
        for change in &entry.changes {
            let attribute = change.attribute.as_deref().expect("no local field was touched");
            assert_eq!(seen.get(attribute), change.to.as_ref(), "nothing happened between two entries");
            seen.insert(attribute.to_owned(), change.from.clone().expect("the value before is known"));
        }
    }
    assert_eq!(seen.get("Name"), Some(&Value::text("Acme")));
    assert_eq!(seen.get("CreditLimit"), Some(&Value::Money("5000".parse().unwrap())));
    for entry in history {
        for change in entry.changes {
            seen.insert(change.attribute.unwrap(), change.to.unwrap());
        }
    }
    for (name, value) in seen.iter().filter(|(name, _)| *name != "ModifiedOn") {
        assert_eq!(record.get(name), Some(value), "{name}");
    }
}

/// A server's files cannot be read.
#[tokio::test]
async fn what_a_reader_keeps_of_an_erasure_goes_with_the_next_settling() {
    let (scene, mut org) = Scene::read().await;
    let Some(path) = scene.kit.database().strip_prefix("sqlite://").map(str::to_owned) else { return };
    org.name = "Bakery".into();
    org.save(&scene.hub).await.unwrap();
    org.name = "Brewery".into();
    org.save(&scene.hub).await.unwrap();
    let mut reader = diesel::SqliteConnection::establish(&path).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM datahub_history").unwrap();
    Organisation::erase(&scene.hub, scene.id(), "a request of the person").await.unwrap();
    scene.hub.settle().await.unwrap();
    assert!(scene.files().contains("Bakery"), "the reader keeps it");
    reader.batch_execute("COMMIT").unwrap();
    scene.hub.settle().await.unwrap();
    assert!(!scene.files().contains("Bakery"), "no file keeps it any more");
}

#[tokio::test]
async fn an_erasure_takes_the_values_and_keeps_the_facts() {
    let (scene, mut org) = Scene::read().await;
    let form = org.version_token();
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    org.name = "Ada's Bakery".into();
    org.archived_reason = Some("Ada retired".into());
    org.save(&scene.hub.acting_as("ada")).await.unwrap();
    let then = mark(&scene);
    org.name = NEW_NAME.into();
    org.archived_reason = None;
    org.save(&scene.hub).await.unwrap();
    scene.minute();
    assert!(scene.kit.is_on_postgres() || scene.files().contains("Bakery"), "as long as it is not erased");
    let grace = scene.hub.acting_as("grace");
    assert_eq!(Organisation::erase(&grace, scene.id(), "asked for by letter of 3 May").await.unwrap(), 3);

    let kept: Vec<_> = ["datahub_history", "datahub_intents", "datahub_records", "organisations"]
        .into_iter()
        .flat_map(|table| scene.dump(table))
        .collect();
    assert!(!kept.iter().any(|row| row.contains("Bakery") || row.contains("retired")), "{kept:#?}");
    assert!(!scene.files().contains("Bakery"), "a file is read by others than the hub");
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let told: Vec<_> = history.iter().map(|entry| (entry.kind, entry.actor.as_str())).collect();
    assert_eq!(told, [(EntryKind::FirstSeen, "tests"), (EntryKind::Updated, "ada"), (EntryKind::Updated, "tests")]);
    let fields: Vec<_> = history[1].changes.iter().map(|change| (change.field.as_str(), change.to.clone())).collect();
    assert_eq!(fields, [("name", None), ("optevia_PAFOverride", None), ("archived_reason", None)]);
    let erasure = history[1].erasure.as_ref().expect("who erased it");
    assert_eq!((erasure.actor.as_str(), erasure.reason.as_str()), ("grace", "asked for by letter of 3 May"));
    assert!(history[1].to_string().contains("erased"), "{}", history[1]);

    // What both sides have now is as it was, and goes on.
    let mut org = scene.get().await.unwrap();
    assert_eq!((found(&org), org.name.as_str()), (Finding::InSync, NEW_NAME));
    org.name = "Acme".into();
    org.save(&scene.hub).await.unwrap();
    let last = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap();
    assert_eq!((last.changes[0].from.as_ref(), last.erasure), (Some(&Value::text(NEW_NAME)), None));

    let asked = [
        failed(Organisation::as_of(&scene.hub, scene.id(), then).await, ErrorKind::Erased),
        failed(Organisation::revert(&scene.hub, scene.id(), first).await, ErrorKind::Erased),
        failed(Organisation::edit(&scene.hub, scene.id(), form).await, ErrorKind::Erased),
    ];
    asked.iter().for_each(|error| says(error, &["grace", "letter of 3 May", &scene.account.to_string()]));
    assert_eq!(Organisation::erase(&grace, scene.id(), "again").await.unwrap(), 1, "what came since");
}

#[tokio::test]
async fn a_deleted_record_can_be_forgotten() {
    let (scene, org) = Scene::read().await;
    org.delete(&scene.hub).await.unwrap();
    Organisation::erase(&scene.hub, scene.id(), "it was a person").await.unwrap();
    for table in ["datahub_history", "datahub_intents", "datahub_records"] {
        assert!(!scene.dump(table).iter().any(|row| row.contains("Acme") || row.contains("Leeds")), "{table}");
    }
    let last = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap();
    failed(Organisation::revert(&scene.hub, scene.id(), last.version).await, ErrorKind::Erased);
    failed(scene.get().await, ErrorKind::Gone);
}

#[tokio::test]
async fn an_erasure_waits_for_writes_and_needs_a_reason_and_a_record() {
    let (scene, _) = Scene::read().await;
    let attempt = Write::Update.prepare(&scene).await;
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let unsettled = failed(attempt.run(&scene).await, ErrorKind::Unsettled);
    let busy = failed(Organisation::erase(&scene.hub, scene.id(), "now").await, ErrorKind::Busy);
    assert_eq!(busy.operation_id(), unsettled.operation_id());
    failed(Organisation::erase(&scene.hub, scene.id(), " ").await, ErrorKind::Invalid);
    failed(Organisation::erase(&scene.hub, Id::new(), "now").await, ErrorKind::NotFound);
    let history = scene.dump("datahub_history");
    assert!(history.iter().all(|row| row.contains("erased=NULL")), "{history:?}");
}

#[tokio::test]
async fn the_database_itself_keeps_the_history_but_for_erasures() {
    let (scene, mut org) = Scene::read().await;
    org.name = NEW_NAME.into();
    org.save(&scene.hub).await.unwrap();
    let refused = |sql: &str| {
        let told = scene.kit.run_sql(sql).expect_err(sql);
        assert!(told.contains("append-only"), "{sql}: {told}");
    };
    refused("UPDATE datahub_history SET changes = '[]'");
    refused("DELETE FROM datahub_history");
    Organisation::erase(&scene.hub, scene.id(), "asked for").await.unwrap();
    refused("UPDATE datahub_history SET changes = '[]'");
    refused("UPDATE datahub_history SET erased = NULL");
    refused("DELETE FROM datahub_history");
    refused("UPDATE datahub_erasures SET reason = 'another'");
    refused("DELETE FROM datahub_erasures");
    org.name = "Acme".into();
    org.save(&scene.hub).await.unwrap();
    refused("UPDATE datahub_history SET erased = 1, actor = 'nobody' WHERE erased IS NULL");
    refused("UPDATE datahub_history SET erased = 2 WHERE erased IS NULL");
}

#[tokio::test]
async fn only_a_version_of_the_record_itself_is_reverted_to() {
    let (scene, mut org) = Scene::read().await;
    let first = Organisation::history(&scene.hub, scene.id()).await.unwrap()[0].version;
    // Other records draw from the same sequence in between.
    let other: Id<Organisation> = scene.kit.simulator.seed("Account", acme()).into();
    Organisation::get(&scene.hub, other).await.unwrap();
    let of_other = Organisation::history(&scene.hub, other).await.unwrap()[0].version;
    org.name = NEW_NAME.into();
    org.save(&scene.hub).await.unwrap();
    assert!(of_other > first);
    let commits = scene.commits().len();
    for version in [of_other, Version(first.0 - 1)] {
        let error = failed(Organisation::revert(&scene.hub, scene.id(), version).await, ErrorKind::Invalid);
        says(&error, &[&format!("no version {}", version.0), "history"]);
    }
    assert_eq!(scene.commits().len(), commits, "nothing was written");
    let back = Organisation::revert(&scene.hub, scene.id(), first).await.unwrap();
    assert_eq!(back.name, "Acme");
}

#[tokio::test]
async fn a_deleted_record_is_reverted_to_its_end_with_the_hubs_own_fields() {
    let (scene, mut org) = Scene::read().await;
    org.archived_reason = Some("moved".into());
    org.save(&scene.hub).await.unwrap();
    org.delete(&scene.hub).await.unwrap();
    let end = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap();
    assert_eq!(end.kind, EntryKind::Deleted);
    let back = Organisation::revert(&scene.hub, scene.id(), end.version).await.unwrap();
    assert_eq!((back.name.as_str(), back.archived_reason.as_deref()), ("Acme", Some("moved")));
}

#[tokio::test]
async fn an_erasure_reaches_tombstones_of_other_models_refused_writes_and_quarantine() {
    let (scene, org) = Scene::read().await;
    // Another program knows the same record as a model of its own, which this one does not list.
    let other = scene.kit.hub(models![forgotten::Firm]).connect().await.unwrap();
    forgotten::Firm::get(&other, scene.account.into()).await.unwrap();
    let kept = org.clone();
    org.delete(&scene.hub).await.unwrap();
    forgotten::Firm::get(&other, scene.account.into()).await.unwrap_err();
    assert!(scene.dump("datahub_records").iter().filter(|row| row.contains("Acme")).count() == 2);
    Organisation::erase(&scene.hub, scene.id(), "asked for").await.unwrap();
    assert!(!scene.dump("datahub_records").iter().any(|row| row.contains("Acme")), "no tombstone keeps a value");

    // A create that CDMS refused left no history, but its values wait in the closed intent.
    let mut new = kept.into_inner();
    (new.id, new.name) = (Id::new(), "Refused Bakery".into());
    scene.fault(Operation::Create, Fault::PlugIn("no bakeries".into()));
    failed(Organisation::create(&scene.hub, new.clone()).await, ErrorKind::Rejected);
    assert!(scene.dump("datahub_intents").iter().any(|row| row.contains("Refused Bakery")));
    assert_eq!(Organisation::erase(&scene.hub, new.id, "asked for").await.unwrap(), 0);
    assert!(!scene.dump("datahub_intents").iter().any(|row| row.contains("Refused Bakery")));
}

#[tokio::test]
async fn a_read_that_began_before_an_erasure_does_not_bring_the_values_back() {
    let (scene, org) = Scene::read().await;
    org.delete(&scene.hub).await.unwrap();
    let again = acme().into_iter().chain([("AccountId", Value::Guid(scene.account))]);
    scene.kit.simulator.seed("Account", again.collect::<Attributes>());
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::Read).times(1));
    let (read, ()) = tokio::join!(scene.get(), async {
        gate.arrived(1).await;
        Organisation::erase(&scene.hub, scene.id(), "asked for").await.unwrap();
        gate.open();
    });
    assert_eq!(read.unwrap().name, "Acme", "it is in CDMS again");
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let revived = history.last().unwrap();
    assert_eq!(revived.kind, EntryKind::Revived);
    assert!(revived.changes.iter().all(|change| change.from.is_none()), "{revived:?}");
}

#[tokio::test]
async fn a_database_that_lost_rules_is_refused_until_it_gets_them_back() {
    let (scene, _) = Scene::read().await;
    let lose = scene.on(
        "DROP TRIGGER datahub_history_no_delete; DROP INDEX datahub_intents_open",
        "DROP TRIGGER datahub_history_rows ON datahub_history; DROP INDEX datahub_intents_open",
    );
    for statement in lose.split("; ") {
        scene.sql(statement);
    }
    let builder = || {
        datahub_runtime::Hub::builder()
            .database(scene.kit.database())
            .cdms(scene.kit.simulator.root(), Anonymous)
            .models(example_domain::models())
            .clock(scene.kit.clock.clone())
    };
    let error = failed(builder().connect().await, ErrorKind::Store);
    says(&error, &["lost rules", "datahub_intents_open", "`datahub migrate run` restores them"]);
    let again = builder().create_tables().connect().await.unwrap();
    let told = scene.kit.run_sql("DELETE FROM datahub_history").unwrap_err();
    assert!(told.contains("append-only"), "{told}");
    again.shutdown(std::time::Duration::from_secs(5)).await;
}

mod forgotten {
    use datahub_runtime::prelude::*;

    /// The organisation as a program knows it that is not this one.
    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "other_firms", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
    }
}

#[tokio::test]
async fn a_deleted_record_comes_back_with_what_its_model_does_not_show() {
    let scene = Scene::new().await;
    let (manager, person) = (Id::<Contact>::new(), Id::<Contact>::new());
    for (id, name) in [(manager, "Grace"), (person, "Ada")] {
        let known = [("ContactId", Value::Guid(id.guid())), ("LastName", Value::text(name))];
        scene.kit.simulator.seed("Contact", known);
    }
    // A contact of a contact: the model, which knows organisations, has none; and a false that a default stands for.
    let of_person = Reference { logical_name: "contact".into(), id: manager.guid() };
    let foreign = [("ParentCustomerId", Value::Lookup(of_person)), ("optevia_PrimaryContact", Value::Boolean(false))];
    scene.kit.simulator.edit("Contact", person.guid(), foreign.clone());
    let contact = Contact::get(&scene.hub, person).await.unwrap();
    assert_eq!(contact.organisation, None);
    let version = Contact::history(&scene.hub, person).await.unwrap()[0].version;
    contact.delete(&scene.hub).await.unwrap();
    Contact::revert(&scene.hub, person, version).await.unwrap();
    let record = scene.kit.simulator.record("Contact", person.guid()).unwrap();
    for (name, value) in foreign {
        assert_eq!(record.get(name), Some(&value), "{name}");
    }
    let told = Contact::history(&scene.hub, person).await.unwrap().pop().unwrap();
    assert_eq!((told.kind, told.origin), (EntryKind::Created, Origin::Revert));
}

#[tokio::test]
async fn an_exported_history_names_its_mapping_as_text() {
    let (scene, _) = Scene::read().await;
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let exported: serde_json::Value = serde_json::to_value(&history[0]).unwrap();
    // JSON's numbers are exact up to 2^53 only.
    assert_eq!(exported["mapping"], serde_json::json!(Organisation::DESCRIPTOR.mapping_id.to_string()));
}

#[tokio::test]
async fn a_joined_field_tells_which_of_its_attributes_changed() {
    let (scene, mut org) = Scene::read().await;
    org.phone = Some(Phone::new("+44 20 1234567"));
    org.save(&scene.hub).await.unwrap();
    let told = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap().to_string();
    let lines: Vec<_> = told.lines().filter_map(|line| line.trim().split(':').next()).collect();
    let lines: Vec<_> = lines.into_iter().filter(|line| line.starts_with("phone")).collect();
    assert_eq!(lines, ["phone (optevia_AreaCode)", "phone (optevia_TelephoneNumber)"], "{told}");

    Organisation::erase(&scene.hub, scene.id(), "asked for").await.unwrap();
    let told = Organisation::history(&scene.hub, scene.id()).await.unwrap().pop().unwrap().to_string();
    assert_eq!(told.matches("phone").count(), 1, "{told}");
}

/// A firm with notes of every class.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "noted_firms", diesel(table = false))]
struct NotedFirm {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(local, sql_type = "string", class = "public")]
    shelf: Option<String>,
    #[cdms(local, sql_type = "string", class = "secret")]
    password: Option<String>,
    #[cdms(local, sql_type = "string")]
    opinion: Option<String>,
}

#[tokio::test]
async fn the_hubs_own_fields_are_shown_as_far_as_their_class_allows() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![NotedFirm]).program("tests").connect().await.unwrap();
    let mut firm = NotedFirm::get(&hub, scene.account.into()).await.unwrap();
    firm.shelf = Some("B7".into());
    (firm.password, firm.opinion) = (Some("hunter2".into()), Some("hopeless".into()));
    firm.save(&hub).await.unwrap();
    let entry = NotedFirm::history(&hub, scene.account.into()).await.unwrap().pop().unwrap();
    let exported = serde_json::to_string(&entry).unwrap();
    for told in [entry.to_string(), format!("{entry:?}"), exported.clone()] {
        assert!(told.contains("B7"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("hopeless"), "{told}");
    }
    for hidden in [r#""hidden":"secret""#, r#""hidden":"personal""#] {
        assert_eq!(exported.matches(hidden).count(), 1, "{exported}");
    }
    assert!(serde_json::to_string(&entry.with_all_values()).unwrap().contains("hunter2"));
}
