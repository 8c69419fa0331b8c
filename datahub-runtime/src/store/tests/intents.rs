//! Intents, their leases by the database's clock, and quarantine.

use datahub_protocol::{LeaseState, QuarantineChange};

use super::*;
use crate::store::Pending;
use crate::store::load::question;
use crate::store::statement::{ColumnType, Statement};

async fn lease(store: &Store) -> LeaseState {
    load(store).await.loaded.intent.unwrap().lease
}

#[tokio::test]
async fn a_lease_runs_by_the_stores_clock() {
    let (bench, store) = Bench::open().await;
    done(&store, opening(NEVER_SEEN, 1)).await;
    assert_eq!(lease(&store).await, LeaseState::Active { left_ms: 60_000 });
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(lease(&store).await, LeaseState::Quiet { left_ms: 330_000 });
    bench.clock.advance(Duration::from_secs(330));
    assert_eq!(lease(&store).await, LeaseState::Over);
    assert_eq!(load(&store).await.loaded.intent.unwrap().intent, intent(1, WriteKind::Update));
}

#[tokio::test]
async fn a_release_begins_the_quiet_period_now() {
    let (bench, store) = Bench::open().await;
    done(&store, opening(NEVER_SEEN, 1)).await;
    bench.clock.advance(Duration::from_secs(10));
    let operation = OperationId(Uuid::from_u128(1));
    let release = || {
        let mut commit = commit(Guard::Intent(operation));
        commit.intent = IntentChange::Release { operation, has_ended: false };
        job(commit)
    };
    done(&store, release()).await;
    assert_eq!(lease(&store).await, LeaseState::Quiet { left_ms: 330_000 });
    bench.clock.advance(Duration::from_secs(30));
    done(&store, release()).await;
    assert_eq!(lease(&store).await, LeaseState::Quiet { left_ms: 300_000 }, "a second release does not extend it");
}

#[tokio::test]
async fn the_quiet_period_is_the_writer_s() {
    let (bench, store) = Bench::open().await;
    done(&store, Job { quiet_ms: 900_000, ..opening(NEVER_SEEN, 1) }).await;
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(lease(&store).await, LeaseState::Quiet { left_ms: 900_000 }, "the reader's own is 330 s");
}

#[tokio::test]
async fn what_has_ended_in_cdms_has_no_quiet_period() {
    let (bench, store) = Bench::open().await;
    let change = |intent: IntentChange| {
        let mut commit = commit(Guard::Intent(OperationId(Uuid::from_u128(1))));
        commit.intent = intent;
        job(commit)
    };
    let operation = OperationId(Uuid::from_u128(1));
    done(&store, opening(NEVER_SEEN, 1)).await;
    done(&store, change(IntentChange::Ended { operation })).await;
    assert_eq!(lease(&store).await, LeaseState::Active { left_ms: 60_000 }, "its writer is still at work");
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(lease(&store).await, LeaseState::Over, "its writer may have crashed");

    let (_bench, store) = Bench::open().await;
    done(&store, opening(NEVER_SEEN, 1)).await;
    done(&store, change(IntentChange::Release { operation, has_ended: true })).await;
    assert_eq!(lease(&store).await, LeaseState::Over);
}

#[tokio::test]
async fn a_write_found_not_applied_is_remembered_for_a_day_by_its_evidence() {
    let (bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    done(&store, opening(at(version), 1)).await;
    done(&store, closing(1, Verdict::NotApplied)).await;
    let late = Some(OperationId(Uuid::from_u128(1)));
    done(&store, opening(Guard::Unchanged { version: Some(version), late }, 2)).await;
    done(&store, closing(2, Verdict::Applied)).await;

    let loaded = load(&store).await.loaded;
    assert_eq!(loaded.intent, None);
    assert_eq!(loaded.late.len(), 1, "an applied write is not late");
    assert_eq!(loaded.late[0].operation, OperationId(Uuid::from_u128(1)));
    assert_eq!(loaded.late[0].patch, Attributes::from([("Name", Value::text("New"))]), "Alias did not change");

    bench.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    assert_eq!(load(&store).await.loaded.late, []);
}

#[tokio::test]
async fn an_open_write_and_a_late_one_are_loaded_together() {
    let (_bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    done(&store, opening(at(version), 1)).await;
    done(&store, closing(1, Verdict::NotApplied)).await;
    let late = Some(OperationId(Uuid::from_u128(1)));
    done(&store, opening(Guard::Unchanged { version: Some(version), late }, 2)).await;
    let found = load(&store).await;
    assert_eq!(found.loaded.intent.unwrap().intent.operation, OperationId(Uuid::from_u128(2)));
    assert_eq!(found.loaded.late.len(), 1);
    assert!(found.row_present && matches!(found.loaded.stored, datahub_protocol::Stored::Row(_)));
}

#[tokio::test]
async fn a_caller_can_ask_for_the_outcome_of_a_write() {
    let (bench, store) = Bench::open().await;
    let operation = OperationId(Uuid::from_u128(1));
    assert_eq!(store.operation(operation).await.unwrap(), None);
    done(&store, opening(NEVER_SEEN, 1)).await;
    let open = store.operation(operation).await.unwrap().unwrap();
    assert_eq!((open.verdict, open.lease), (None, Some(LeaseState::Active { left_ms: 60_000 })));
    assert_eq!((open.id, open.model.as_str(), open.actor.as_str()), (ID, "organisations", "ada"));
    assert_eq!(store.open_intents(None, 10).await.unwrap().len(), 1);
    assert_eq!(store.open_intents(Some((open.opened_at, operation)), 10).await.unwrap(), [], "it is the last");

    let verdict = Verdict::Rejected { reason: "no".to_owned() };
    done(&store, closing(1, verdict.clone())).await;
    let closed = store.operation(operation).await.unwrap().unwrap();
    assert_eq!((closed.verdict, closed.lease, closed.closed_at), (Some(verdict), None, Some(NOON)));
    assert_eq!(store.open_intents(None, 10).await.unwrap(), []);

    bench.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    store.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap();
    assert_eq!(store.operation(operation).await.unwrap(), None);
    assert_eq!(bench.count("datahub_intents"), 0, "connecting deletes old ones");
}

#[tokio::test]
async fn a_record_waits_in_quarantine_with_its_reason_until_it_leaves() {
    let (_bench, store) = Bench::open().await;
    let put = |reason: &'static str| {
        let mut commit = commit(NEVER_SEEN);
        commit.quarantine = QuarantineChange::Put(Fault::new(reason).at("Name"));
        job(commit)
    };
    done(&store, put("is odd")).await;
    done(&store, put("is odder")).await;
    assert!(load(&store).await.loaded.quarantined);
    let waiting = store.quarantine(10).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>(), ["`Name`: is odder"]);

    let mut sight = first_sight("Acme");
    sight.commit.quarantine = QuarantineChange::Clear;
    done(&store, sight).await;
    assert!(!load(&store).await.loaded.quarantined);
    assert_eq!(store.quarantine(10).await.unwrap(), []);
}

#[tokio::test]
async fn an_orphan_is_kept_under_its_own_id() {
    let (_bench, store) = Bench::open().await;
    let (orphan, operation) = (Uuid::from_u128(0x0F), OperationId(Uuid::from_u128(1)));
    let unfit = |id| {
        let mut job = job(commit(NEVER_SEEN));
        (job.id, job.commit.quarantine) = (id, QuarantineChange::Put(Fault::new("is odd").at("Name")));
        job
    };
    let mut made = job(commit(NEVER_SEEN));
    made.commit.quarantine = QuarantineChange::PutOrphan { id: orphan, operation };
    // The record is read before and after this, and does not fit its model.
    done(&store, unfit(orphan)).await;
    done(&store, made).await;
    let waiting = store.quarantine(10).await.unwrap();
    assert_eq!((waiting[0].id, waiting[0].orphan_of, waiting[0].operation), (orphan, Some(ID), Some(operation)));
    done(&store, unfit(orphan)).await;
    let waiting = store.quarantine(10).await.unwrap();
    assert_eq!((waiting[0].orphan_of, waiting[0].operation), (Some(ID), Some(operation)));
    assert_eq!((waiting.len(), waiting[0].reason.as_str()), (1, "`Name`: is odd"));
    assert!(!load(&store).await.loaded.quarantined);
}

#[tokio::test]
async fn loading_a_record_skips_its_finished_writes_and_its_history() {
    let (bench, store) = Bench::open().await;
    let mut version = done(&store, first_sight("Acme")).await;
    for operation in 1..=100 {
        done(&store, opening(at(version), operation)).await;
        let mut closing = closing(operation, Verdict::Applied);
        closing.commit.record = put(row("Acme"));
        closing.commit.history = vec![entry(EntryKind::Updated)];
        version = done(&store, closing).await;
    }
    assert_eq!(bench.count("datahub_intents WHERE finished IS NULL"), 0);
    assert_eq!(bench.count("datahub_intents"), 100);
    bench.sql("ANALYZE");
    let ask = bench.on_either("EXPLAIN QUERY PLAN ", "EXPLAIN ");
    // SQLite returns its plan in the last of four columns.
    let sqlites = [ColumnType::BigInt, ColumnType::BigInt, ColumnType::BigInt, ColumnType::Text];
    let types = bench.on_either(sqlites.as_slice(), &sqlites[3..]).to_vec();
    // PostgreSQL would scan tables as small as a test's instead of using an index.
    let prefer_indexes = bench.is_on_postgres().then(|| Statement::new("SET enable_seqscan = off", []));
    let plan = store.read(move |connection| {
        prefer_indexes.map(|setting| connection.execute(&setting)).transpose()?;
        let (statement, _) = question(&ORGANISATION, &[ID], NOON, 330_000)?;
        let rows = connection.query(&statement.after(ask), &types)?;
        let lines = rows.into_iter().map(|mut row| {
            for _ in 1..types.len() {
                row.datum()?;
            }
            row.text()
        });
        lines.collect::<Result<Vec<_>, _>>()
    });
    let plan = plan.await.unwrap().join("\n");
    assert!(plan.contains("datahub_intents_unfinished"), "{plan}");
    // Whether a write showed up late is looked up in the entries of its operation, and not in all of the record's.
    assert!(plan.contains("datahub_history_operation") && !plan.contains("datahub_history_record"), "{plan}");
}
