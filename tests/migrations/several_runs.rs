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
    let until_ms = now_ms() + seconds * 1_000;
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

/// A run that stops at a moment, until it is told to go on.
struct Paused {
    at: std::sync::mpsc::Receiver<&'static str>,
    go_on: std::sync::mpsc::Sender<()>,
}

impl Paused {
    /// Waits until the run has come to this moment.
    fn until(&self, moment: &str) {
        assert_eq!(self.at.recv_timeout(STUCK), Ok(moment));
    }
}

/// How long something may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// When the lease ends that others see, in milliseconds since 1970 by the database's clock.
fn lease_ends_ms(kit: &datahub_runtime::testing::Kit) -> i64 {
    let lease = settings(kit, "'migrating'").pop().expect("a run has the lease");
    let until = lease.split("until_ms\":").nth(1).and_then(|rest| rest.split('}').next()).unwrap();
    until.parse().unwrap()
}

/// Now, by the database's clock: both databases are on this machine.
fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_keeps_its_lease_through_a_transaction_that_takes_longer() {
    let kit = kit();
    run(&kit, &[migration("0_first", &["SELECT 1"])]).await.unwrap();
    let all = ["0_first", "1_long", "2_next"].map(|name| migration(name, &["SELECT 1"]));
    let (comes_to, at) = std::sync::mpsc::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel();
    let paused = Paused { at, go_on };
    let long = run(&kit, &all).lease(Duration::from_secs(3)).on_event(move |event| {
        let moment = match event {
            MigrationEvent::Statement { name, .. } if name == "1_long" => "in the transaction",
            MigrationEvent::Applied(applied) if applied.name == "1_long" => "between two transactions",
            _ => return,
        };
        comes_to.send(moment).unwrap();
        goes_on.recv_timeout(STUCK).unwrap();
    });
    let long = tokio::spawn(long.into_future());
    paused.until("in the transaction");
    let other = tokio::spawn(run(&kit, &all).lease(Duration::from_millis(100)).patience(STUCK).into_future());
    // What others see is the lease as it was committed before the transaction, and that ends.
    let ends = lease_ends_ms(&kit);
    while let Ok(left) = u64::try_from(ends - now_ms()) {
        tokio::time::sleep(Duration::from_millis(left + 1)).await;
    }
    assert_eq!(lease_ends_ms(&kit), ends, "the transaction is not committed");
    let ended = now_ms();
    paused.go_on.send(()).unwrap();
    paused.until("between two transactions");
    assert!(lease_ends_ms(&kit) > ended, "the transaction has renewed the lease at its end");
    paused.go_on.send(()).unwrap();
    assert_eq!(names(&long.await.unwrap().unwrap()), ["1_long", "2_next"]);
    assert_eq!(names(&other.await.unwrap().unwrap()), [""; 0]);
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
