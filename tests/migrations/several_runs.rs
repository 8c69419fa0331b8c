//! Several programs that run migrations at once: one after the other, and each migration once.

use std::time::Duration;

use datahub_runtime::migration::{Migration, MigrationError, MigrationEvent};

use crate::stage::{Heard, firms, kit, migration, names, run, says, settings, versions};

#[tokio::test]
async fn programs_that_start_at_once_run_each_migration_once() {
    let kit = kit();
    let all = firms();
    let runs = (0..6).map(|_| run(&kit, &all).contract().into_future());
    let reports = futures_util::future::join_all(runs).await;
    let applied: Vec<_> = reports.iter().flat_map(|report| names(report.as_ref().unwrap())).collect();
    assert_eq!(applied.len(), 3, "{applied:?}");
    assert_eq!(versions(&kit).len(), 3);
}

/// A lease that another program holds until this many seconds from now, by the database's clock.
fn hold(kit: &datahub_runtime::testing::Kit, seconds: i64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let until_ms = i64::try_from(now.as_millis()).unwrap() + seconds * 1_000;
    kit.run_sql("DELETE FROM datahub_settings WHERE name = 'migrating'").unwrap();
    kit.run_sql(&format!(
        "INSERT INTO datahub_settings (name, value) VALUES ('migrating', '{{\"holder\":\
         \"00000000-0000-0000-0000-000000000001\",\"who\":\"other (process 1)\",\"until_ms\":{until_ms}}}')"
    ))
    .unwrap();
}

#[tokio::test]
async fn a_run_waits_for_another_one_until_its_lease_ends() {
    let kit = kit();
    let all = firms();
    run(&kit, &all[..1]).await.unwrap();
    hold(&kit, 3_600);
    let impatient = run(&kit, &all).patience(Duration::from_millis(50)).await;
    says(impatient, &["other (process 1) runs migrations on this database"]);
    let status = run(&kit, &all).status().await.unwrap();
    assert_eq!(status.running.as_deref(), Some("other (process 1)"));

    let heard = Heard::default();
    let waiting = tokio::spawn(heard.by(run(&kit, &all)).into_future());
    heard.until(|event| matches!(event, MigrationEvent::Waiting { who, .. } if who == "other (process 1)")).await;
    // The other program is killed, and its lease ends.
    hold(&kit, -1);
    let report = waiting.await.unwrap().unwrap();
    assert_eq!(names(&report), ["20260101000001_firms_fill"]);
    let interrupted = heard.all().into_iter().find(|event| matches!(event, MigrationEvent::Interrupted { .. }));
    let expected = MigrationEvent::Interrupted { who: "other (process 1)".into(), half_done: None, statements: None };
    assert_eq!(interrupted, Some(expected));
}

#[tokio::test]
async fn a_run_keeps_its_lease_through_a_transaction_that_takes_longer() {
    let kit = kit();
    run(&kit, &[migration("0_first", &["SELECT 1"])]).await.unwrap();
    let all = ["0_first", "1_long", "2_next"].map(|name| migration(name, &["SELECT 1"]));
    let heard = Heard::default();
    let long = run(&kit, &all).lease(Duration::from_secs(1)).on_event({
        let heard = heard.clone();
        move |event| {
            heard.hear(event);
            match event {
                // Within the transaction.
                MigrationEvent::Statement { name, .. } if name == "1_long" => {
                    std::thread::sleep(Duration::from_millis(1_500));
                }
                // Between two transactions.
                MigrationEvent::Applied(applied) if applied.name == "1_long" => {
                    std::thread::sleep(Duration::from_millis(500));
                }
                _ => {}
            }
        }
    });
    let long = tokio::spawn(long.into_future());
    heard.until(|event| matches!(event, MigrationEvent::Statement { .. })).await;
    let other = run(&kit, &all).lease(Duration::from_millis(100)).await.unwrap();
    assert_eq!(names(&long.await.unwrap().unwrap()), ["1_long", "2_next"]);
    assert_eq!(names(&other), [""; 0]);
}

#[tokio::test]
async fn a_run_that_lost_its_lease_changes_nothing_more() {
    let kit = kit();
    // The migration itself gives the lease to another program, as if it had been paused for long.
    let steal = "UPDATE datahub_settings SET value = '{\"holder\":\"00000000-0000-0000-0000-000000000001\",\
                 \"who\":\"other\",\"until_ms\":9999999999999}' WHERE name = 'migrating'";
    let steal = Migration { in_transaction: false, ..migration("1_steal", &[steal]) };
    let all = [steal, migration("2_next", &["CREATE TABLE next_one (id INTEGER)"])];
    let error = run(&kit, &all).await.unwrap_err();
    assert_eq!(error, MigrationError::TakenOver);
    assert_eq!(versions(&kit), [""; 0], "the other program records it");
    assert!(kit.run_sql("SELECT * FROM next_one").is_err());
    assert_eq!(settings(&kit, "migrating").len(), 1, "the lease of the other program is not given back");
}
