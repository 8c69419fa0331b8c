//! One run: what is pending, in order, all of a migration or nothing of it.

use datahub_runtime::migration::{Migration, MigrationError, MigrationEvent, MigrationState};

use crate::stage::{Heard, check, contract, firms, kit, migration, names, run, says, settings, versions};

#[tokio::test]
async fn a_run_stops_before_what_older_programs_cannot_live_with_and_goes_on_when_asked() {
    let kit = kit();
    run(&kit, &firms()[..1]).await.unwrap();
    let heard = Heard::default();
    let report = heard.by(run(&kit, &firms())).await.unwrap();
    assert_eq!(names(&report), ["20260101000001_firms_fill"]);
    assert_eq!(report.waiting, ["20260101000002_firms_contract"]);
    assert_eq!(versions(&kit), ["20260101000000", "20260101000001"]);
    let begun = heard.all().into_iter().filter_map(|event| match event {
        MigrationEvent::Statement { name, number, sql } => Some(format!("{name} {number} {sql}")),
        _ => None,
    });
    let begun: Vec<_> = begun.collect();
    assert_eq!(begun.len(), 3, "{begun:?}");
    assert_eq!(begun[0], "20260101000001_firms_fill 1 UPDATE firms SET notes = 'one' WHERE id = 1");

    let again = run(&kit, &firms()).await.unwrap();
    assert!(again.applied.is_empty() && again.waiting.len() == 1, "{again:?}");
    let rest = run(&kit, &firms()).contract().await.unwrap();
    assert_eq!((names(&rest), rest.waiting.len()), (vec!["20260101000002_firms_contract"], 0));
    assert_eq!(kit.rows_of("firms"), ["id=1 name='Acme'", "id=2 name='Beta'"].map(|row| on(&kit, row)));
    assert_eq!(settings(&kit, "epoch:firms").len(), 1);
    assert_eq!(settings(&kit, "migrati").len(), 0, "no lease and nothing half done is left");
}

/// A row as the database shows it: PostgreSQL quotes numbers too.
fn on(kit: &datahub_runtime::testing::Kit, row: &str) -> String {
    if kit.is_on_postgres() { row.replace("id=1", "id='1'").replace("id=2", "id='2'") } else { row.to_owned() }
}

#[tokio::test]
async fn times_and_locks_are_measured_for_each_statement() {
    let kit = kit();
    let slow = kit.is_on_postgres().then_some("SELECT pg_sleep(0.2)");
    let statements: Vec<_> = ["CREATE TABLE firms (id INTEGER)"].into_iter().chain(slow).collect();
    let report = run(&kit, &[migration("1_firms", &statements)]).await.unwrap();
    let applied = &report.applied[0];
    assert_eq!(applied.statements.len(), statements.len());
    assert!(applied.statements.iter().all(|statement| statement.locks));
    assert!(applied.took >= applied.longest_lock && report.longest_lock() == applied.longest_lock, "{applied:?}");
    if slow.is_some() {
        assert!(applied.longest_lock.as_millis() >= 200, "{applied:?}");
        assert!(applied.statements[0].took < applied.statements[1].took, "{applied:?}");
    }
}

#[tokio::test]
async fn a_question_to_the_data_that_is_not_true_shows_the_rows_and_changes_nothing() {
    let kit = kit();
    let mut all = firms();
    run(&kit, &all[..1]).await.unwrap();
    all.remove(1);
    all[1].checks = vec![
        check("every firm has a name", "SELECT id FROM firms WHERE name IS NULL;"),
        check("no firm is called Beta", "SELECT id, name AS \"the name\" FROM firms WHERE name LIKE 'B%' LIMIT 5"),
    ]
    .into();
    let before = kit.rows_of("firms");
    let refused = run(&kit, &all).contract().await;
    let error = says(refused, &["20260101000002_firms_contract was not executed", "no firm is called Beta"]);
    let MigrationError::CheckFailed { rows, .. } = error else { panic!("{error:?}") };
    let row = if kit.is_on_postgres() { "id=2 the name=Beta" } else { "id=2 the name='Beta'" };
    assert_eq!(rows, [row]);
    assert_eq!((kit.rows_of("firms"), settings(&kit, "epoch").len()), (before, 0));
    kit.run_sql("UPDATE firms SET name = 'Gamma' WHERE id = 2").unwrap();
    run(&kit, &all).contract().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_fails_takes_its_transaction_along() {
    let kit = kit();
    let wrong = ["CREATE TABLE one (id INTEGER)", "-- why\nCREATE TABLE two (id INTEGER, id INTEGER)"];
    let refused = run(&kit, &[migration("1_wrong", &wrong)]).await;
    says(refused, &["1_wrong failed in statement 2, `CREATE TABLE two", "nothing of it was changed"]);
    assert!(kit.run_sql("SELECT * FROM one").is_err());
    // One by one, what is done stays done.
    let one_by_one = Migration { in_transaction: false, ..migration("1_wrong", &wrong) };
    says(run(&kit, std::slice::from_ref(&one_by_one)).await, &["statement 2", "its first 1 statements stay done"]);
    assert_eq!(kit.rows_of("one"), [""; 0]);
    let status = run(&kit, &[one_by_one]).status().await.unwrap();
    assert_eq!(status.migrations[0].state, MigrationState::HalfDone(1));
    // Another text begins again, because each statement can be repeated.
    let edited = ["CREATE TABLE IF NOT EXISTS one (id INTEGER)", "CREATE TABLE two (id INTEGER)"];
    let corrected = Migration { in_transaction: false, ..migration("1_wrong", &edited) };
    let report = run(&kit, &[corrected]).await.unwrap();
    assert_eq!(report.applied[0].statements.len(), 2);
}

#[tokio::test]
async fn a_table_of_a_file_is_rebuilt_without_losing_what_refers_to_it() {
    let kit = kit();
    if kit.is_on_postgres() {
        return;
    }
    let make = migration(
        "1_make",
        &[
            "CREATE TABLE firms (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TABLE people (id INTEGER PRIMARY KEY, firm INTEGER REFERENCES firms (id) ON DELETE CASCADE)",
            "INSERT INTO firms VALUES (1, 'Acme'), (2, NULL)",
            "INSERT INTO people VALUES (1, 1), (2, 2)",
        ],
    );
    let rebuild = |rows| {
        [
            "CREATE TABLE firms_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
            rows,
            "DROP TABLE firms",
            "ALTER TABLE firms_new RENAME TO firms",
        ]
    };
    let lossy = rebuild("INSERT INTO firms_new SELECT id, name FROM firms WHERE name IS NOT NULL");
    let refused = run(&kit, &[make.clone(), migration("2_rebuild", &lossy)]).await;
    says(refused, &["2_rebuild was not executed", "people row 2 refers to firms"]);
    assert_eq!(kit.rows_of("firms").len(), 2);
    let whole = rebuild("INSERT INTO firms_new SELECT id, COALESCE(name, '') FROM firms");
    run(&kit, &[make, migration("2_rebuild", &whole)]).await.unwrap();
    assert_eq!(kit.rows_of("people").len(), 2, "nothing was deleted with the old table");
    // The keys hold again for later connections and for this one.
    assert!(kit.run_sql("PRAGMA foreign_keys = ON; INSERT INTO people VALUES (3, 9)").is_err());
}

#[tokio::test]
async fn what_does_not_fit_the_database_is_refused() {
    let kit = kit();
    says(run(&kit, &[]).await, &["no migrations were given"]);
    let all = firms();
    run(&kit, &all[..2]).await.unwrap();
    let older = [all[0].clone(), migration("20260101000003_of_another_branch", &["SELECT 1"])];
    says(run(&kit, &older).await, &["missing here: 20260101000001", "update your working copy"]);
    let mut late = all.clone();
    late.insert(0, migration("20250101000000_late", &["SELECT 1"]));
    let refused = run(&kit, &late).await;
    says(refused, &["20250101000000_late is pending", "20260101000001 is already applied", "`datahub migrate rebase`"]);
    let other = contract("3_other", "firms", 1, &["SELECT 1"]);
    let elsewhere = datahub_runtime::migration::Migrations::of(
        if kit.is_on_postgres() {
            datahub_runtime::migration::Database::Sqlite
        } else {
            datahub_runtime::migration::Database::Postgres
        },
        vec![other],
    );
    let refused = datahub_runtime::migration::Migrate::new(kit.database(), elsewhere).await;
    says(refused, &["there is no migration for", "`databases` of datahub.toml"]);
}

#[tokio::test]
async fn the_status_says_what_is_applied_and_what_is_pending() {
    let kit = kit();
    let all = firms();
    let status = run(&kit, &all).status().await.unwrap();
    assert!(status.migrations.iter().all(|migration| migration.state == MigrationState::Pending));
    assert!(status.is_empty);
    run(&kit, &all[..2]).await.unwrap();
    let status = run(&kit, &all[1..]).status().await.unwrap();
    assert!(!status.is_empty);
    assert_eq!(status.unknown, ["20260101000000"]);
    assert!(matches!(status.migrations[0].state, MigrationState::Applied(_)), "{status:?}");
    assert_eq!((&status.migrations[1].state, status.running), (&MigrationState::Pending, None));
}

#[tokio::test]
async fn asking_for_the_status_creates_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.db");
    let address = format!("sqlite://{}", file.display());
    let status = crate::stage::run_on(address.clone(), &firms()).status().await.unwrap();
    assert!(status.is_empty && status.migrations.iter().all(|migration| migration.state == MigrationState::Pending));
    assert!(datahub_runtime::migration::tables_of(address.clone()).await.unwrap().tables.is_empty());
    assert!(!file.exists());
    crate::stage::run_on(address, &firms()).await.unwrap();
    assert!(file.exists());
}

#[tokio::test]
async fn an_older_program_that_has_nothing_to_run_is_told_what_a_newer_one_has_run() {
    let kit = kit();
    let all = firms();
    run(&kit, &all[..2]).await.unwrap();
    let report = run(&kit, &all[..1]).await.unwrap();
    assert_eq!((report.applied.len(), report.unknown), (0, vec!["20260101000001".to_owned()]));
}

#[tokio::test]
async fn what_replaces_an_applied_migration_is_recorded_and_not_executed() {
    let kit = kit();
    let all = firms();
    let add = |name| migration(name, &["ALTER TABLE firms ADD COLUMN pages INTEGER"]);
    let of_branch = [all[0].clone(), all[1].clone(), add("20260102000000_add_pages")];
    run(&kit, &of_branch).await.unwrap();
    // The other branch, and this one planned again behind it.
    let other = migration("20260101120000_add_town", &["ALTER TABLE firms ADD COLUMN town TEXT"]);
    let again =
        Migration { replaces: vec!["20260102000000_add_pages".into()].into(), ..add("20260103000000_add_pages") };
    let merged = [all[0].clone(), all[1].clone(), other, again];
    let status = run(&kit, &merged).status().await.unwrap();
    assert!(status.unknown.is_empty());
    assert!(
        matches!(&status.migrations[3].state, MigrationState::AppliedAs { former, .. } if former == "20260102000000"),
        "{status:?}"
    );
    let report = run(&kit, &merged).await.unwrap();
    assert_eq!((report.applied.len(), report.replaced), (1, vec!["20260103000000_add_pages".to_owned()]));
    assert_eq!(crate::stage::versions(&kit)[2..], ["20260101120000", "20260103000000"]);
    let report = run(&kit, &merged).await.unwrap();
    assert_eq!((report.applied.len(), report.replaced.len(), report.unknown.len()), (0, 0, 0));
}

#[tokio::test]
async fn on_an_empty_database_nothing_waits_for_older_programs() {
    let kit = kit();
    let report = run(&kit, &firms()).await.unwrap();
    assert_eq!((report.applied.len(), report.waiting.len()), (3, 0));

    // Tables that create_tables made may be in use.
    let kit = crate::stage::kit();
    kit.hub(example_domain::models()).connect().await.unwrap();
    let report = run(&kit, &firms()).await.unwrap();
    assert_eq!((report.applied.len(), report.waiting.len()), (2, 1));
}

#[tokio::test]
async fn no_message_contains_a_password() {
    let migrations = [migration("1_a", &["SELECT 1"])];
    let address = "postgres://ada:secret@127.0.0.1:1/hub";
    let run = crate::stage::run_on(address.to_owned(), &migrations);
    assert!(!format!("{run:?}").contains("secret"));
    let error = says(run.await, &["127.0.0.1/hub"]);
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}
