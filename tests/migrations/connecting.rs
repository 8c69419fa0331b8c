//! Connecting to a database whose migrations are pending, and running them from the program itself.

use datahub_runtime::migration::{Migration, Migrations};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;

use crate::stage::{contract, kit, migration, names};

/// The migrations of a program whose tables are made by `create_tables`, so that these only add to them.
fn additions(kit: &Kit) -> (Migrations, Vec<Migration>) {
    let all = vec![
        migration("1_add", &["ALTER TABLE organisations ADD COLUMN added TEXT"]),
        migration("2_add", &["ALTER TABLE organisations ADD COLUMN more TEXT"]),
        contract("3_drop", "organisations", 0, &["ALTER TABLE organisations DROP COLUMN added"]),
    ];
    let database = datahub_runtime::migration::database_of(&kit.database()).unwrap();
    (Migrations::of(database, all.clone()), all)
}

#[tokio::test]
async fn connecting_names_the_command_that_runs_what_is_pending() {
    let kit = kit();
    kit.hub(example_domain::models()).connect().await.unwrap();
    let (migrations, _) = additions(&kit);
    let builder = || kit.hub(example_domain::models()).database(kit.database()).migrations(migrations.clone());
    let error = builder().connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    let text = error.to_string();
    for part in ["2 migrations are pending, from 1_add to 2_add", "run `datahub migrate run`", "`migrate()`"] {
        assert!(text.contains(part), "{text}");
    }

    let report = builder().migrate().await.unwrap();
    assert_eq!((names(&report), &report.waiting), (vec!["1_add", "2_add"], &vec!["3_drop".to_owned()]));
    let hub = builder().connect().await.unwrap();
    // The program works next to older ones; when they are gone, it finishes.
    let report = hub.migrate().contract().await.unwrap();
    assert_eq!(names(&report), ["3_drop"]);
    assert!(hub.migrate().await.unwrap().applied.is_empty());
}

#[tokio::test]
async fn connecting_says_when_the_older_programs_must_be_gone_first() {
    let kit = kit();
    kit.hub(example_domain::models()).connect().await.unwrap();
    let (migrations, mut all) = additions(&kit);
    let builder =
        |migrations: Migrations| kit.hub(example_domain::models()).database(kit.database()).migrations(migrations);
    builder(migrations.clone()).migrate().await.unwrap();
    let database = datahub_runtime::migration::database_of(&kit.database()).unwrap();
    all.push(migration("4_next", &["ALTER TABLE organisations ADD COLUMN next TEXT"]));
    let behind = builder(Migrations::of(database, all)).connect().await.unwrap_err();
    for part in ["4_next is pending behind 3_drop", "`datahub migrate run --contract`", "`migrate().contract()`"] {
        assert!(behind.to_string().contains(part), "{behind}");
    }
    // What this program needs may be done by the waiting step itself.
    kit.run_sql("ALTER TABLE contacts RENAME COLUMN last_name TO surname").unwrap();
    let waits = builder(migrations).connect().await.unwrap_err();
    for part in ["no column last_name", "3_drop is pending", "`datahub migrate run --contract`"] {
        assert!(waits.to_string().contains(part), "{waits}");
    }
}

#[tokio::test]
async fn an_empty_database_is_refused_with_the_command_that_fills_it() {
    let kit = kit();
    let hub =
        Hub::builder().database(kit.database()).cdms(kit.simulator.root(), Anonymous).models(example_domain::models());
    let error = hub.connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    for part in ["no table datahub_settings", "`datahub migrate run`", "`datahub migrate new`", "create_tables()"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let without = Hub::builder().database(kit.database()).migrate().await.unwrap_err();
    assert!(without.to_string().contains("migrations!()"), "{without}");
}

#[tokio::test]
async fn a_database_that_someone_altered_is_a_difference_and_stays_as_it_is() {
    let kit = kit();
    kit.hub(example_domain::models()).connect().await.unwrap();
    kit.run_sql("ALTER TABLE contacts RENAME COLUMN last_name TO surname").unwrap();
    let error = Hub::builder()
        .database(kit.database())
        .cdms(kit.simulator.root(), Anonymous)
        .models(example_domain::models())
        .connect()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("table contacts has no column last_name"), "{error}");
    assert!(error.to_string().contains("`datahub migrate run`"), "{error}");
    kit.run_sql("ALTER TABLE contacts RENAME COLUMN surname TO last_name").unwrap();
}

/// What an expand step leaves: columns that a program does not know, as long as it can store rows without them.
#[tokio::test]
async fn both_versions_of_a_program_accept_what_is_half_way() {
    let kit = kit();
    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    kit.run_sql("ALTER TABLE organisations ADD COLUMN new_name TEXT").unwrap();
    kit.run_sql("ALTER TABLE organisations ADD COLUMN rank INTEGER NOT NULL DEFAULT 3").unwrap();
    let again = kit.hub(example_domain::models()).connect().await.unwrap();
    for hub in [hub, again] {
        let created = example_domain::Organisation::create(&hub, example_domain::Organisation::named("Acme")).await;
        created.unwrap();
    }
}
