//! A program that is killed in the middle of a run: the next run says what is half done, and finishes it.

use std::process::Command;
use std::time::Duration;

use datahub_runtime::migration::MigrationEvent;
use datahub_runtime::testing::Kit;

use crate::stage::{Heard, add_history, carried, check, firms, kit, names, run, run_on, says, settings, versions};

/// The variables that tell a process that it is the victim: the database, and the point at which it ends, with how often
/// it passes it before.
const DATABASE: &str = "DATAHUB_TESTS_MIGRATED";
const POINT: &str = "DATAHUB_TESTS_POINT";

/// A process that runs the migrations and ends at a point without a word, as if it had been killed.
#[tokio::test]
async fn a_victim() {
    let (Ok(database), Ok(point)) = (std::env::var(DATABASE), std::env::var(POINT)) else { return };
    let (name, passes) = point.split_once(' ').unwrap();
    let (name, passes) = (name.to_owned(), passes.parse::<usize>().unwrap());
    let is_of_batches = name.starts_with("migrate/batch");
    let passed = std::sync::atomic::AtomicUsize::new(0);
    datahub_runtime::crash_points::observe(move |point| {
        if point == name && passed.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == passes {
            // Nothing is closed, rolled back or given back.
            std::process::abort();
        }
        None
    })
    .unwrap();
    let migrations = if is_of_batches { carried() } else { firms() };
    run_on(database, &migrations).lease(Duration::from_millis(300)).contract().await.unwrap();
}

/// Runs the victim, which must end at this point.
fn kill_at(kit: &Kit, point: &str, passes: usize) {
    let victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::a_victim", "--nocapture"])
        .env(DATABASE, kit.database())
        .env(POINT, format!("{point} {passes}"))
        .output()
        .unwrap();
    assert!(!victim.status.success(), "the victim never came to {point} {passes}");
    let told = String::from_utf8_lossy(&victim.stderr);
    assert!(!told.contains("panicked"), "{told}");
}

#[tokio::test]
async fn wherever_it_is_killed_the_next_run_finishes_and_nothing_happens_twice() {
    let points = [
        ("migrate/statement/before", 0..6),
        ("migrate/statement/after", 0..3),
        ("migrate/record/in-transaction", 0..3),
        ("migrate/record/after", 0..3),
        ("migrate/raise/before", 0..1),
        ("migrate/raise/after", 0..1),
    ];
    for (point, passes) in points.into_iter().flat_map(|(point, passes)| passes.map(move |passes| (point, passes))) {
        let kit = kit();
        kill_at(&kit, point, passes);
        let before = versions(&kit);
        let heard = Heard::default();
        let report = heard.by(run(&kit, &firms())).contract().await;
        let report = report.unwrap_or_else(|error| panic!("after {point} {passes}: {error}"));
        let interrupted = heard.all().into_iter().find(|event| matches!(event, MigrationEvent::Interrupted { .. }));
        assert!(interrupted.is_some(), "after {point} {passes}: {:?}", heard.all());
        assert_eq!(before.len() + names(&report).len(), 3, "after {point} {passes}: {report:?}");
        assert_eq!(kit.rows_of("firms").len(), 2, "after {point} {passes}");
        assert_eq!(settings(&kit, "migrati").len(), 0, "after {point} {passes}: nothing is left of it");
        let epoch = settings(&kit, "epoch:firms");
        assert!(epoch.len() == 1 && epoch[0].contains("value='1'"), "after {point} {passes}: {epoch:?}");
    }
}

#[tokio::test]
async fn the_next_run_says_which_migration_is_half_done() {
    let kit = kit();
    // Of three statements that are executed one by one, the second is done and not yet recorded.
    kill_at(&kit, "migrate/statement/after", 1);
    let status = run(&kit, &firms()).status().await.unwrap();
    assert!(status.running.is_some(), "{status:?}");
    let heard = Heard::default();
    heard.by(run(&kit, &firms())).await.unwrap();
    let found = heard.all().into_iter().find_map(|event| match event {
        MigrationEvent::Interrupted { who, half_done, statements } => Some((who, half_done, statements)),
        _ => None,
    });
    let (who, half_done, statements) = found.expect("it says so");
    assert!(who.starts_with("tests (process "), "{who}");
    assert_eq!(half_done.as_deref(), Some("20260101000001_firms_fill"));
    assert_eq!(statements, Some((1, 3)));
    let repeated = heard.all().into_iter().filter_map(|event| match event {
        MigrationEvent::Statement { number, .. } => Some(number),
        _ => None,
    });
    assert_eq!(repeated.collect::<Vec<_>>(), [2, 3], "what may be done is repeated, and what is done is not");
}

#[tokio::test]
async fn older_programs_go_on_if_the_data_is_in_the_way_of_what_a_killed_run_began() {
    let kit = kit();
    kill_at(&kit, "migrate/raise/after", 0);
    let epoch = || settings(&kit, "name='epoch:firms'").len();
    assert_eq!(epoch(), 1, "the epoch is raised");
    let mut all = firms();
    all[2].checks = vec![check("no firm is called Beta", "SELECT id FROM firms WHERE name = 'Beta'")].into();
    says(run(&kit, &all).contract().await, &["no firm is called Beta"]);
    assert_eq!((epoch(), settings(&kit, "migrati").len()), (0, 0));
}

/// How many entries of the history have this table's name.
fn entries(kit: &Kit, table: &str) -> usize {
    kit.rows_of("datahub_history").iter().filter(|row| row.contains(&format!("model='{table}'"))).count()
}

#[tokio::test]
async fn killed_between_two_batches_the_next_run_carries_the_rest_over() {
    // Of 12,000 entries two batches are done, or one, as the second is killed before its commit.
    for (point, done) in [("migrate/batch/after", 10_000), ("migrate/batch/in-transaction", 5_000)] {
        let kit = kit();
        kit.hub(example_domain::models()).connect().await.unwrap();
        add_history(&kit, "contacts", 1);
        add_history(&kit, "organisations", 12_000);
        add_history(&kit, "contacts", 2);
        let before = kit.rows_of("datahub_history");
        kill_at(&kit, point, 1);
        assert_eq!((entries(&kit, "firms"), entries(&kit, "organisations")), (done, 12_000 - done), "after {point}");
        for change in ["actor = 'eve'", "model = 'firms'"] {
            let refused = kit.run_sql(&format!("UPDATE datahub_history SET {change}")).unwrap_err();
            assert!(refused.to_string().contains("append-only"), "after {point}: {refused}");
        }
        let heard = Heard::default();
        let report = heard.by(run(&kit, &carried())).contract().await.unwrap();
        assert_eq!(names(&report), ["20260101000000_carry"]);
        assert!(
            heard.all().iter().any(|event| matches!(event, MigrationEvent::Interrupted { .. })),
            "{:?}",
            heard.all()
        );
        let expected: Vec<_> = before.iter().map(|row| row.replace("model='organisations'", "model='firms'")).collect();
        assert!(kit.rows_of("datahub_history") == expected, "after {point}: nothing but the name changes");
        assert!(kit.run_sql("UPDATE datahub_history SET model = 'people'").is_err(), "after {point}");
        assert!(kit.run_sql("DELETE FROM datahub_history").is_err(), "after {point}");
    }
}
