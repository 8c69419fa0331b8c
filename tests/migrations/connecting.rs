//! Connecting to a database whose migrations are pending, and running them from the program itself.

use datahub_runtime::migration::{Migration, Migrations};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;

use crate::stage::{add_history, contract, kit, migration, names, run_on};

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

const RUN: &str = "`datahub migrate run`";
const CONTRACT_RUN: &str = "`datahub migrate run --contract`";
const PLAN: &str = "`datahub migrate new`";

/// How the table of organisations stands in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// As the program needs it.
    Fits,
    /// Without a column that the program needs.
    Lacks,
    /// Under its former name, with its history.
    Renamed,
    /// Missing, and never there.
    Missing,
}

#[tokio::test]
async fn the_next_command_follows_from_what_is_pending_and_from_the_table() {
    use Standing::{Fits, Lacks, Missing, Renamed};
    let expand = || migration("1_expand", &["SELECT 1"]);
    let switch = || contract("2_switch", "organisations", 0, &["SELECT 1"]);
    let later = || migration("3_later", &["SELECT 1"]);
    let first = || migration("0_first", &["SELECT 1"]);
    // What is pending besides the first, the table, what the message says, and what it must not say.
    type Case = (Vec<Migration>, Standing, &'static [&'static str], &'static [&'static str]);
    let cases: [Case; 14] = [
        (vec![expand(), switch()], Fits, &["1_expand is pending", RUN], &[CONTRACT_RUN]),
        (vec![expand(), switch()], Lacks, &["1_expand is pending", RUN], &[CONTRACT_RUN]),
        (vec![expand(), switch()], Renamed, &["1_expand is pending", RUN], &[CONTRACT_RUN, "restore"]),
        (vec![expand(), switch()], Missing, &["1_expand is pending", RUN], &[CONTRACT_RUN]),
        (vec![switch()], Fits, &[], &[]),
        (vec![switch()], Lacks, &["no column name", "2_switch is pending", CONTRACT_RUN], &[RUN, PLAN]),
        (
            vec![switch()],
            Renamed,
            &["table firms has the same", "2_switch is pending", CONTRACT_RUN],
            &[RUN, "restore"],
        ),
        (vec![switch()], Missing, &["no table organisations", "2_switch is pending", CONTRACT_RUN], &[RUN, PLAN]),
        (vec![switch(), later()], Fits, &["3_later is pending behind 2_switch", CONTRACT_RUN], &[RUN]),
        (vec![switch(), later()], Renamed, &["3_later is pending behind 2_switch", CONTRACT_RUN], &[RUN, "restore"]),
        (vec![], Fits, &[], &[]),
        (vec![], Lacks, &["no column name", "no migration is pending", PLAN, RUN], &[CONTRACT_RUN]),
        (vec![], Renamed, &["no migration is pending", "`was = \"firms\"`", PLAN, CONTRACT_RUN], &[RUN]),
        (vec![], Missing, &["no table organisations", "no migration is pending", PLAN, RUN], &[CONTRACT_RUN]),
    ];
    for (pending, standing, says, says_not) in cases {
        let kit = kit();
        kit.hub(example_domain::models()).connect().await.unwrap();
        let database = datahub_runtime::migration::database_of(&kit.database()).unwrap();
        run_on(kit.database(), &[first()]).await.unwrap();
        match standing {
            Fits => {}
            Lacks => kit.run_sql("ALTER TABLE organisations RENAME COLUMN name TO title").unwrap(),
            Missing => kit.run_sql("DROP TABLE organisations").unwrap(),
            Renamed => {
                kit.run_sql("ALTER TABLE organisations RENAME TO firms").unwrap();
                add_history(&kit, "firms", 1);
            }
        }
        let case = format!("{standing:?} with {:?}", pending.iter().map(|one| &one.name).collect::<Vec<_>>());
        let all = [vec![first()], pending].concat();
        let builder = kit.hub(example_domain::models()).database(kit.database());
        let connected = builder.migrations(Migrations::of(database, all)).connect().await;
        if says.is_empty() {
            connected.unwrap_or_else(|error| panic!("{case}: {error}"));
            continue;
        }
        let text = connected.expect_err(&case).to_string();
        for part in says {
            assert!(text.contains(part), "{case}: {text:?} does not say {part:?}");
        }
        for part in says_not {
            assert!(!text.contains(part), "{case}: {text:?} says {part:?}");
        }
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
