//! Programs of different versions on one database: what an older one made is kept and completed, not refused.

use std::future::IntoFuture;

use datahub_migrate::{Answers, Snapshot};
use datahub_model::schema::engine::REVISION;
use datahub_runtime::migration::{self, Migrate, Migration, Migrations, Phase};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::Fault;
use datahub_runtime::{EntryKind, Finding, HubBuilder, Note, Origin, UnknownWord, Value, Verdict, WriteKind};
use example_domain::Organisation;

use crate::scene::{PAST_QUIET, Scene, Write, failed, found, says};
use crate::settling_table::lose;

/// Takes the engine's tables back to what the first revision of this software made.
fn as_the_first_revision_left_it(scene: &Scene) {
    if scene.kit.is_on_postgres() {
        scene.sql(
            "DROP TRIGGER datahub_history_changes ON datahub_history; DROP FUNCTION datahub_erased_only(); \
             DROP TRIGGER datahub_history_rows ON datahub_history; \
             CREATE TRIGGER datahub_history_rows BEFORE UPDATE OR DELETE ON datahub_history \
             FOR EACH ROW EXECUTE FUNCTION datahub_append_only();",
        );
    } else {
        scene.sql(
            "DROP TRIGGER datahub_history_no_update; \
             CREATE TRIGGER datahub_history_no_update BEFORE UPDATE ON datahub_history \
             BEGIN SELECT RAISE(ABORT, 'datahub_history is append-only: its rows are never changed'); END;",
        );
    }
    scene.sql("DROP TABLE datahub_watermarks; DROP TABLE datahub_pulls; DROP TABLE datahub_erasures");
    scene.sql("DROP INDEX datahub_history_operation; DROP INDEX datahub_intents_unfinished; ALTER TABLE datahub_intents DROP COLUMN finished");
    scene.sql("ALTER TABLE datahub_history DROP COLUMN erased; ALTER TABLE datahub_intents DROP COLUMN quiet_until");
    for column in ["complete_for", "outdated", "outdated_at"] {
        scene.sql(&format!("ALTER TABLE datahub_records DROP COLUMN {column}"));
    }
    scene.sql("DELETE FROM datahub_settings WHERE name = 'schema_revision'");
}

/// A builder of a hub on the scene's database that makes no tables by itself.
fn newer_program(scene: &Scene) -> HubBuilder {
    Hub::builder()
        .database(scene.kit.database())
        .cdms(scene.kit.simulator.root(), Anonymous)
        .models(example_domain::models())
        .clock(scene.kit.clock.clone())
        .program("newer")
}

/// The migration that `datahub migrate new` writes first, without the models' tables, which exist.
fn first_migration(scene: &Scene) -> Migrations {
    engine_migration(scene, 0)
}

/// The migration that brings the engine's tables from a revision up to date, as it is planned.
fn engine_migration(scene: &Scene, from: i64) -> Migrations {
    let database = migration::database_of(&scene.kit.database()).unwrap();
    let schema = |engine| Snapshot { engine, ..Snapshot::default() };
    let plan = datahub_migrate::plan(&schema(from), &schema(REVISION), &Answers::default()).unwrap();
    let up = datahub_migrate::up(&plan.parts(database)[0], database);
    let statements: Vec<_> = datahub_migrate::statements(&up).into_iter().map(|sql| sql.to_owned().into()).collect();
    let migration = Migration {
        name: "20260101000000_engine".into(),
        plan: "20260101000000_engine".into(),
        phase: Phase::Expand,
        in_transaction: true,
        statements: statements.into(),
        epochs: Vec::new().into(),
        checks: Vec::new().into(),
        replaces: Vec::new().into(),
    };
    Migrations::of(database, vec![migration])
}

#[tokio::test]
async fn columns_of_the_engine_that_are_missing_or_there_already_stop_no_migration() {
    let (scene, _) = Scene::read().await;
    // Marked as up to date, and not so.
    scene.sql("ALTER TABLE datahub_records DROP COLUMN outdated");
    let error = failed(newer_program(&scene).connect().await, ErrorKind::Store);
    says(&error, &["datahub_records has no column outdated", "`datahub migrate run`"]);
    // Another column is there, which the migration adds.
    scene.sql("UPDATE datahub_settings SET value = '6' WHERE name = 'schema_revision'");
    let migrations = engine_migration(&scene, 6);
    scene.sql(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
               run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    scene.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('20250101000000')");
    let mut all = migrations.on(migration::database_of(&scene.kit.database()).unwrap()).to_vec();
    let known = Migration { name: "20250101000000_known".into(), statements: Vec::new().into(), ..all[0].clone() };
    all.insert(0, known);
    let all = Migrations::of(migration::database_of(&scene.kit.database()).unwrap(), all);
    let report = Migrate::new(scene.kit.database(), all.clone()).await.unwrap();
    assert_eq!((report.applied.len(), report.added.len()), (1, 0));
    newer_program(&scene).connect().await.unwrap();

    scene.sql("ALTER TABLE datahub_records DROP COLUMN outdated");
    let report = Migrate::new(scene.kit.database(), all).await.unwrap();
    assert_eq!(report.added, ["datahub_records.outdated"]);
    newer_program(&scene).connect().await.unwrap();
}

#[tokio::test]
async fn tables_of_an_older_program_get_what_they_lack_and_keep_what_they_have() {
    let (scene, mut org) = Scene::read().await;
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    let before = scene.rows_but_for_versions();
    as_the_first_revision_left_it(&scene);

    let error = failed(newer_program(&scene).connect().await, ErrorKind::Store);
    says(&error, &["revision 1", "`datahub migrate new`", "`datahub migrate run`"]);
    let upgraded = || Migrate::new(scene.kit.database(), first_migration(&scene)).into_future();
    let (one, other) = tokio::join!(upgraded(), upgraded());
    let mut applied = [one.unwrap(), other.unwrap()].map(|report| report.applied.len());
    applied.sort_unstable();
    assert_eq!(applied, [0, 1]);
    let hub = newer_program(&scene).connect().await.unwrap();
    assert_eq!(scene.rows_but_for_versions(), before);
    let history = Organisation::history(&hub, scene.id()).await.unwrap();
    assert_eq!(history.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [EntryKind::FirstSeen, EntryKind::Updated]);
    assert!(hub.pull::<Organisation>().await.unwrap().complete);
    assert_eq!(Organisation::erase(&hub, scene.id(), "asked for").await.unwrap(), 2);
    // The older program, which is still running, writes on, and does not say which of its writes are finished.
    org.name = "Acme".into();
    org.save(&scene.hub).await.unwrap();
    scene.sql("UPDATE datahub_intents SET finished = NULL");
    assert_eq!(scene.history().await.len(), 3);
    let mut org = Organisation::get(&hub, scene.id()).await.unwrap();
    org.name = "Acme Foods".into();
    org.save(&hub).await.unwrap();
    assert_eq!(scene.history().await.len(), 4);
    assert_eq!(Organisation::erase(&hub, scene.id(), "asked for again").await.unwrap(), 2);
}

#[tokio::test]
async fn tables_of_a_newer_revision_are_used_and_of_another_version_refused() {
    let scene = Scene::new().await;
    scene.sql("UPDATE datahub_settings SET value = '99' WHERE name = 'schema_revision'");
    scene.sql("ALTER TABLE datahub_history ADD COLUMN of_the_future TEXT");
    let hub = newer_program(&scene).connect().await.unwrap();
    assert_eq!(Organisation::get(&hub, scene.id()).await.unwrap().name, "Acme");
    assert!(scene.dump("datahub_settings").iter().any(|setting| setting.contains("99")), "it is not taken back");

    scene.sql("UPDATE datahub_settings SET value = '3' WHERE name = 'schema_version'");
    let error = failed(newer_program(&scene).connect().await, ErrorKind::Store);
    says(&error, &["version 3", "supports versions 1 and 2"]);
}

/// A newer program on tables that older ones made, which read what was seen of a record by name only.
#[tokio::test]
async fn records_are_stored_as_older_programs_read_them_until_these_are_gone() {
    let (scene, mut org) = Scene::read().await;
    let seen = || scene.dump("datahub_records").into_iter().map(|row| row.contains("seen='{\"")).collect::<Vec<_>>();
    assert_eq!(seen(), [false], "a new database takes the short form");
    scene.sql("UPDATE datahub_settings SET value = '1' WHERE name = 'schema_version'");
    let beside_older = newer_program(&scene).connect().await.unwrap();
    // What is in short is read, and stored by name as soon as it changes: by writes, pages and sweeps.
    org = Organisation::get(&beside_older, org.id()).await.unwrap();
    org.name = "Acme Foods".into();
    org.save(&beside_older).await.unwrap();
    let other = scene.kit.simulator.seed("Account", [("Name", Value::text("Firm"))]);
    assert_eq!(beside_older.pull::<Organisation>().await.unwrap().first_seen, 1);
    assert_eq!(seen(), [true, true]);
    scene.kit.simulator.remove("Account", other);
    failed(Organisation::get(&beside_older, other.into()).await, ErrorKind::Gone);
    assert_eq!(seen(), [true, true]);

    // They are gone. The rows stay as they are until they change, and a program that connected before goes on.
    scene.sql("UPDATE datahub_settings SET value = '2' WHERE name = 'schema_version'");
    let hub = newer_program(&scene).connect().await.unwrap();
    let before = scene.rows();
    assert_eq!(found(&Organisation::get(&hub, org.id()).await.unwrap()), Finding::InSync);
    assert_eq!((hub.pull::<Organisation>().await.unwrap().in_sync, scene.rows()), (1, before));
    org.name = "Acme".into();
    org.save(&hub).await.unwrap();
    assert_eq!(seen().iter().filter(|by_name| **by_name).count(), 1);
    for hub in [&hub, &beside_older] {
        let now = Organisation::get(hub, org.id()).await.unwrap();
        assert_eq!((now.name.as_str(), found(&now)), ("Acme", Finding::InSync));
        let first = Organisation::history(hub, org.id()).await.unwrap()[0].version;
        Organisation::revert(hub, org.id(), first).await.unwrap();
    }
}

/// What a newer program notes in words of its own about the scene's organisation.
const NEWER_ENTRY: &str = "INSERT INTO datahub_history (entity, id, model, version, at, actor, program, origin, kind, \
    changes, constants, local, mapping_id) SELECT entity, id, model, version, at, actor, 'newer', 'merge', 'merged', \
    '[{\"field\":\"name\",\"attribute\":\"Name\",\"from\":[\"Acme\"],\"to\":[\"Acme\"],\"note\":{\"merged\":{\"with\":1}}}]', \
    constants, local, mapping_id FROM datahub_history WHERE kind = 'first_seen'";

#[tokio::test]
async fn a_newer_programs_words_close_no_record_and_stop_no_settling() {
    let word = UnknownWord::new;
    let (scene, mut org) = Scene::read().await;
    scene.sql(NEWER_ENTRY);
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let entry = history.last().unwrap();
    assert_eq!((entry.kind, entry.origin), (EntryKind::Unknown(word("merged")), Origin::Unknown(word("merge"))));
    assert_eq!(entry.changes[0].note, Note::Unknown(word("merged")));
    assert!(entry.to_string().contains("merge  ") && entry.to_string().contains("merged by tests"), "{entry}");
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    Organisation::revert(&scene.hub, scene.id(), history[0].version).await.unwrap();

    // A write that this program does not know is left to those who do, and reported; the others are settled.
    let (_, newer) = lose(&scene, Write::Update, Fault::DropAfterCommit).await;
    scene.sql(
        "UPDATE datahub_intents SET write = 'merge', body = replace(body, '\"write\":\"update\"', '\"write\":\"merge\"') \
         WHERE verdict IS NULL",
    );
    let (_, ours) = lose(&scene, Write::Create, Fault::DropAfterCommit).await;
    scene.kit.advance(PAST_QUIET);
    let report = scene.settle().await;
    assert_eq!((report.left_to_others, report.settled), (vec![newer], vec![(ours, Verdict::Applied)]));
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert_eq!(scene.hub.operation(newer).await.unwrap().write, WriteKind::Unknown(word("merge")));
    assert!(scene.row().await.is_ok());
    org.name = "Acme".into();
    failed(org.save(&scene.hub).await, ErrorKind::Busy);

    // Once it is ended, in whatever way, the record is free.
    scene.sql(
        "UPDATE datahub_intents SET verdict = '{\"verdict\":\"merged\"}', closed_at = opened_at WHERE write = 'merge'",
    );
    let ended = scene.hub.operation(newer).await.unwrap().verdict;
    assert_eq!(ended, Some(Verdict::Unknown { verdict: word("merged") }));
    let mut org = scene.get().await.unwrap();
    org.name = "Acme".into();
    org.save(&scene.hub).await.unwrap();
}
