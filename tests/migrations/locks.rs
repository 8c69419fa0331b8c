//! Locks on PostgreSQL: a run never keeps others waiting for long.

use std::time::{Duration, Instant};

use datahub_runtime::migration::{Migration, MigrationError, MigrationEvent};
use datahub_runtime::testing::Kit;

use crate::stage::{Heard, firms, kit, migration, names, run, says};

/// Keeps a transaction open on a thread, until the returned value is dropped.
pub(crate) fn hold(kit: &Kit, statements: &'static str) -> std::sync::mpsc::Sender<()> {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (holds, held) = std::sync::mpsc::channel::<()>();
    let database = kit.database();
    std::thread::spawn(move || {
        datahub_runtime::testing::with_transaction(database, statements, move || {
            holds.send(()).unwrap();
            _ = ended.recv();
        })
        .unwrap();
    });
    held.recv().unwrap();
    end
}

#[tokio::test]
async fn a_statement_that_waits_for_a_lock_lets_others_through_and_tries_again() {
    let kit = kit();
    if !kit.is_on_postgres() {
        return;
    }
    run(&kit, &firms()[..1]).await.unwrap();
    let reader = hold(&kit, "SELECT * FROM firms");
    let mut all = firms();
    all.truncate(1);
    all.push(migration("20260101000001_alter", &["ALTER TABLE firms DROP COLUMN notes"]));
    let heard = Heard::default();
    let altering = heard.by(run(&kit, &all).lock_timeout(Duration::from_millis(200), 100)).into_future();
    let altering = tokio::spawn(altering);
    heard.until(|event| matches!(event, MigrationEvent::TryingAgain { tries: 2, .. })).await;
    // Others read meanwhile, and wait no longer than the lock's time limit.
    let begun = Instant::now();
    assert_eq!(kit.rows_of("firms").len(), 2);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(reader);
    let report = altering.await.unwrap().unwrap();
    assert_eq!(names(&report), ["20260101000001_alter"]);
    // The time for which it only waited counts as no lock.
    assert!(report.longest_lock() < report.applied[0].took, "{report:?}");
}

#[tokio::test]
async fn a_run_that_never_gets_its_locks_says_so_and_changes_nothing() {
    let kit = kit();
    if !kit.is_on_postgres() {
        return;
    }
    run(&kit, &firms()[..1]).await.unwrap();
    let _reader = hold(&kit, "SELECT * FROM firms");
    let mut all = firms();
    all.truncate(1);
    all.push(migration(
        "20260101000001_alter",
        &["CREATE TABLE one (id INTEGER)", "ALTER TABLE firms DROP COLUMN notes"],
    ));
    let error = run(&kit, &all).lock_timeout(Duration::from_millis(20), 3).await.unwrap_err();
    assert!(matches!(error, MigrationError::Locked { tries: 3, .. }), "{error:?}");
    says(Err(error), &["20260101000001_alter did not get its locks in 3 tries", "pg_stat_activity"]);
    assert!(kit.run_sql("SELECT * FROM one").is_err());
}

#[tokio::test]
async fn an_index_that_a_killed_run_did_not_finish_is_made_again() {
    let kit = kit();
    if !kit.is_on_postgres() {
        return;
    }
    run(&kit, &firms()[..1]).await.unwrap();
    // A unique index that cannot be finished stays behind, invalid, as one of a killed run does.
    kit.run_sql("INSERT INTO firms (id, name) VALUES (3, 'Acme')").unwrap();
    assert!(kit.run_sql("CREATE UNIQUE INDEX CONCURRENTLY firms_name ON firms (name)").is_err());
    let invalid = "DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_index WHERE indrelid = 'firms'::regclass AND NOT \
                   indisvalid) = 1; END $$";
    kit.run_sql(invalid).unwrap();
    kit.run_sql("UPDATE firms SET name = 'Gamma' WHERE id = 3").unwrap();
    let concurrently = Migration {
        in_transaction: false,
        ..migration(
            "20260101000001_index",
            &["CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS firms_name ON firms (name)"],
        )
    };
    let all = [firms()[0].clone(), concurrently];
    let heard = Heard::default();
    let report = heard.by(run(&kit, &all)).await.unwrap();
    assert!(heard.all().contains(&MigrationEvent::Removed { index: "firms_name".into() }), "{:?}", heard.all());
    assert!(kit.run_sql(invalid).is_err(), "the index is whole");
    assert!(!report.applied[0].statements[0].locks, "it kept no other session waiting");
    assert_eq!(report.longest_lock(), Duration::ZERO);
}
