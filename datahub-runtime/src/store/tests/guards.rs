//! A transaction stores only if its guard holds, and a trial stores nothing.

use datahub_protocol::{Committed, Guard, OperationId, Stored, Trial, Version};
use uuid::Uuid;

use super::*;

#[tokio::test]
async fn absence_is_lost_once_the_record_was_seen() {
    let (_bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    assert_eq!(store.commit(first_sight("Other")).await.unwrap(), Committed::Lost);
    let Stored::Row(snapshot) = load(&store).await.loaded.stored else { panic!("no row") };
    assert_eq!(snapshot.seen, seen("Acme"));
}

#[tokio::test]
async fn a_tombstone_is_not_absence() {
    let (_bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    done(&store, tombstone(version)).await;
    assert_eq!(store.commit(first_sight("Other")).await.unwrap(), Committed::Lost);
}

#[tokio::test]
async fn only_the_exact_version_may_be_stored_over() {
    let (_bench, store) = Bench::open().await;
    let first = done(&store, first_sight("Acme")).await;
    let second = done(&store, refresh(first, "Beta")).await;
    assert!(second > first);
    for stale in [first, Version(second.0 + 1)] {
        assert_eq!(store.commit(refresh(stale, "Late")).await.unwrap(), Committed::Lost);
    }
    let Stored::Row(snapshot) = load(&store).await.loaded.stored else { panic!("no row") };
    assert_eq!((snapshot.version, snapshot.seen), (second, seen("Beta")));
}

#[tokio::test]
async fn an_open_intent_shuts_out_everything_but_its_own_end() {
    let (_bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    assert_eq!(done(&store, opening(at(version), 1)).await, version, "opening an intent makes no version");
    assert_eq!(store.commit(refresh(version, "Beta")).await.unwrap(), Committed::Lost);
    assert_eq!(store.commit(opening(at(version), 2)).await.unwrap(), Committed::Lost);
    let other = OperationId(Uuid::from_u128(2));
    assert_eq!(store.commit(job(commit(Guard::Intent(other)))).await.unwrap(), Committed::Lost);

    done(&store, closing(1, Verdict::Applied)).await;
    assert_eq!(store.commit(closing(1, Verdict::Applied)).await.unwrap(), Committed::Lost, "already closed");
    done(&store, refresh(version, "Beta")).await;
}

#[tokio::test]
async fn an_open_create_shuts_out_another() {
    let (_bench, store) = Bench::open().await;
    done(&store, opening(NEVER_SEEN, 1)).await;
    assert_eq!(store.commit(opening(NEVER_SEEN, 2)).await.unwrap(), Committed::Lost);
    assert_eq!(store.commit(first_sight("Acme")).await.unwrap(), Committed::Lost);
}

#[tokio::test]
async fn a_create_that_came_and_went_shuts_out_who_loaded_the_record_before_it() {
    let (_bench, store) = Bench::open().await;
    done(&store, opening(NEVER_SEEN, 1)).await;
    done(&store, closing(1, Verdict::NotApplied)).await;
    assert_eq!(store.commit(first_sight("Acme")).await.unwrap(), Committed::Lost);
    assert_eq!(load(&store).await.loaded.late.len(), 1);
    let mut knows_of_it = first_sight("Acme");
    knows_of_it.commit.guard = Guard::Unchanged { version: None, late: Some(OperationId(Uuid::from_u128(1))) };
    let version = done(&store, knows_of_it).await;

    // The same if there is a row: an update that was found not applied changes no version.
    let late = |operation| Some(OperationId(Uuid::from_u128(operation)));
    done(&store, opening(Guard::Unchanged { version: Some(version), late: late(1) }, 2)).await;
    assert_eq!(done(&store, closing(2, Verdict::NotApplied)).await, version);
    for newest in [None, late(1)] {
        let mut knows_less = refresh(version, "Beta");
        knows_less.commit.guard = Guard::Unchanged { version: Some(version), late: newest };
        assert_eq!(store.commit(knows_less).await.unwrap(), Committed::Lost);
    }
    let mut knows_of_it = refresh(version, "Beta");
    knows_of_it.commit.guard = Guard::Unchanged { version: Some(version), late: late(2) };
    done(&store, knows_of_it).await;
}

#[tokio::test]
async fn two_programs_on_one_file_share_the_lock_on_a_record() {
    let (bench, here) = Bench::open().await;
    let there = bench.program().await;
    let version = done(&here, first_sight("Acme")).await;
    done(&here, opening(at(version), 1)).await;
    assert_eq!(there.commit(opening(at(version), 2)).await.unwrap(), Committed::Lost);
    // Even without the guard, the database itself rejects a second open intent.
    let twice = "INSERT INTO datahub_intents (operation, entity, id, model, write, body, actor, program, lease_holder, \
                 lease_until, opened_at, mapping_id) SELECT X'00', entity, id, model, write, body, actor, program, \
                 lease_holder, lease_until, opened_at, mapping_id FROM datahub_intents";
    let twice = twice.replace("X'00'", bench.on_either("X'00'", "gen_random_uuid()"));
    let refused = bench.try_sql(&twice).unwrap_err().to_lowercase();
    assert!(refused.contains("must be unique"), "{refused}");
}

#[tokio::test]
async fn a_trial_leaves_no_trace() {
    let (bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    let mut job = opening(at(version), 1);
    let mut values = vec![Value::Null; ORGANISATION.columns.len()];
    values[1] = Value::text("Tried");
    job.commit.trial = Some(Trial::Put(values.clone()));
    job.locals = Some(LocalFields::from_iter([(NOTES, Value::text("tried"))]));
    done(&store, job).await;
    assert_eq!(bench.count("organisations WHERE name = 'Acme' AND notes IS NULL"), 1);

    // In a create's trial there is no existing row.
    let mut create = opening(NEVER_SEEN, 2);
    create.id = Uuid::from_u128(0xD);
    create.commit.trial = Some(Trial::Put(values));
    done(&store, create).await;
    assert_eq!(bench.count("organisations"), 1);
}

#[tokio::test]
async fn a_trial_reports_a_violated_rule_of_the_database_in_plain_words() {
    let (bench, store) = Bench::on_file().await;
    bench.sql(
        "CREATE UNIQUE INDEX one_name ON organisations (name);
         CREATE TRIGGER no_shouting BEFORE UPDATE OF name ON organisations WHEN NEW.name = upper(NEW.name)
         BEGIN SELECT RAISE(ABORT, 'names are not shouted'); END;",
    );
    let version = done(&store, first_sight("Acme")).await;
    let mut other = first_sight("Beta");
    other.id = Uuid::from_u128(0xD);
    done(&store, other).await;

    for (name, expected) in [
        ("Beta", "table organisations: another row has the same value in organisations.name, which must be unique"),
        ("ACME", "table organisations: names are not shouted"),
    ] {
        let mut job = opening(at(version), 1);
        let mut values = vec![Value::Null; ORGANISATION.columns.len()];
        values[1] = Value::text(name);
        job.commit.trial = Some(Trial::Put(values));
        assert_eq!(store.commit(job).await.unwrap(), Committed::Refused(expected.to_owned()));
    }
    assert_eq!(load(&store).await.loaded.intent, None, "a refused transaction opens no intent");
}

#[tokio::test]
async fn a_refused_row_takes_the_whole_transaction_with_it() {
    let (bench, store) = Bench::open().await;
    bench.sql(
        "CREATE TABLE staff (employer BLOB NOT NULL REFERENCES organisations (id));
         CREATE UNIQUE INDEX one_name ON organisations (name);",
    );
    let version = done(&store, first_sight("Acme")).await;
    bench.sql("INSERT INTO staff SELECT id FROM organisations");
    let Committed::Refused(reason) = store.commit(tombstone(version)).await.unwrap() else { panic!("not refused") };
    assert!(reason.contains("organisations") && reason.contains("foreign key"), "{reason}");
    let found = load(&store).await;
    assert!(found.row_present && matches!(found.loaded.stored, Stored::Row(_)));
    assert_eq!(history(&store).await.len(), 1);
}

#[tokio::test]
async fn a_database_that_another_program_holds_is_unavailable() {
    let (bench, store) = Bench::on_file().await;
    let mut other = bench.plain();
    let mut run = |sql| diesel::RunQueryDsl::execute(diesel::sql_query(sql), &mut other).unwrap();
    run("BEGIN IMMEDIATE");
    let Committed::Unavailable(reason) = store.commit(first_sight("Acme")).await.unwrap() else {
        panic!("not unavailable")
    };
    assert!(reason.contains("locked"), "{reason}");
    run("ROLLBACK");
    done(&store, first_sight("Acme")).await;
}

#[tokio::test]
async fn a_transaction_that_had_committed_before_its_connection_was_lost_is_not_lost_itself() {
    let (_bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Old")).await;
    done(&store, opening(at(version), 1)).await;
    let storing = || {
        let mut job = closing(1, Verdict::Applied);
        job.commit.record = put(row("New"));
        job.commit.history = vec![entry(EntryKind::Updated)];
        job
    };
    let version = done(&store, storing()).await;
    assert_eq!(
        store.commit(storing()).await.unwrap(),
        Committed::Lost,
        "another program's commit is not mistaken for our own"
    );
    let again = |job: Job| Job { again: true, ..job };
    // The same holds for a create that was rejected, so that there is no record.
    let refused = || closing(2, Verdict::Rejected { reason: "no".to_owned() });
    let of_another = |mut job: Job| {
        job.id = Uuid::from_u128(0xB0B);
        job
    };
    done(&store, of_another(opening(NEVER_SEEN, 2))).await;
    let closed = done(&store, of_another(refused())).await;
    assert_eq!(store.commit(of_another(refused())).await.unwrap(), Committed::Lost);
    assert_eq!(store.commit(again(of_another(refused()))).await.unwrap(), Committed::Done(closed));
    assert_eq!(store.commit(again(storing())).await.unwrap(), Committed::Done(version));
    assert_eq!(history(&store).await.len(), 2, "it is recorded once");
    let rejected = Verdict::Rejected { reason: "no".to_owned() };
    assert_eq!(store.commit(again(closing(1, rejected))).await.unwrap(), Committed::Lost, "another verdict was found");
    done(&store, refresh(version, "Newer")).await;
    assert_eq!(store.commit(again(storing())).await.unwrap(), Committed::Lost, "the row has changed since");
}
