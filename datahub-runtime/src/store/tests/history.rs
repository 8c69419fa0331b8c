//! The history is complete, ordered, and kept append-only by the database itself.

use datahub_protocol::{Change, Note, RecordChange};

use super::*;
use crate::engine::local_fields::LocalChange;

#[tokio::test]
async fn an_entry_is_read_back_as_it_was_written() {
    let (bench, store) = Bench::open().await;
    let first = done(&store, first_sight("Acme")).await;
    bench.clock.advance(Duration::from_secs(1));
    let mut refresh = refresh(first, "Beta");
    let changes = vec![Change {
        attribute: "Name".to_owned(),
        from: Some(Value::text("Acme")),
        to: Some(Value::text("Beta")),
        note: Note::Adjusted { sent: Value::text("beta") },
    }];
    let written = Entry {
        kind: EntryKind::Updated,
        origin: Origin::Settle,
        operation: Some(OperationId(Uuid::from_u128(5))),
        changes,
        constants: Attributes::from([("Override", Value::Boolean(true))]),
        modified: Some(Instant(-5)),
        modified_by: Some(Uuid::from_u128(6)),
        skew_ms: Some(-3),
    };
    refresh.commit.history = vec![written.clone()];
    let second = done(&store, refresh).await;

    let history = history(&store).await;
    assert_eq!(history.iter().map(|row| row.version).collect::<Vec<_>>(), [first, second]);
    let row = &history[1];
    let entry = Entry {
        kind: row.kind,
        origin: row.origin,
        operation: row.operation,
        changes: row.changes.iter().map(|of_day| of_day.change.clone()).collect(),
        constants: row.constants.clone(),
        modified: row.modified,
        modified_by: row.modified_by,
        skew_ms: row.skew_ms,
    };
    assert_eq!(entry, written);
    assert_eq!((row.actor.as_str(), row.program.as_str(), row.model.as_str()), ("ada", "tests", "organisations"));
    assert_eq!((row.at, row.mapping), (NOON.plus_ms(1_000), ORGANISATION.mapping_id.0));
}

#[tokio::test]
async fn what_came_after_a_version_is_newest_first() {
    let (_bench, store) = Bench::open().await;
    let first = done(&store, first_sight("A")).await;
    let second = done(&store, refresh(first, "B")).await;
    let third = done(&store, refresh(second, "C")).await;
    let after = async |version| {
        let kept = store.history_up_to(&ORGANISATION, ID, version).await.unwrap()?;
        let rows = store.history_between(&ORGANISATION, ID, (kept, i64::MAX), 10).await.unwrap();
        Some(rows.iter().map(|row| row.version).collect::<Vec<_>>())
    };
    assert_eq!(after(first).await, Some(vec![third, second]));
    assert_eq!(after(third).await, Some(vec![]));
    assert_eq!(after(Version(first.0 - 1)).await, None, "the row is newer");
    let of = async |version| store.history_of_version(&ORGANISATION, ID, version).await.unwrap().map(|row| row.version);
    assert_eq!((of(second).await, of(Version(third.0 + 1)).await), (Some(second), None));
}

#[tokio::test]
async fn local_fields_are_in_the_history_with_their_column_values() {
    let (_bench, store) = Bench::open().await;
    let first = done(&store, first_sight("Acme")).await;
    let mut local = job(commit(at(first)));
    local.commit.record = RecordChange::LocalOnly;
    local.commit.history = vec![entry(EntryKind::LocalChanged)];
    local.locals = Some(LocalFields::from_iter([(NOTES, Value::text("a")), (RANK, Value::Integer(0))]));
    let second = done(&store, local).await;
    done(&store, tombstone(second)).await;

    let history = history(&store).await;
    let local = |field: &str, from, to| LocalChange { field: field.to_owned(), column: None, from, to };
    let set = local("notes", Value::Null, Some(Value::text("a")));
    assert_eq!(history[1].local, [set], "rank is unchanged");
    let last = [local("notes", Value::text("a"), None), local("rank", Value::Integer(0), None)];
    assert_eq!(history[2].local, last, "the last values");
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_an_entry() {
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    let mut attempts = vec![
        "UPDATE datahub_history SET actor = 'eve'",
        "UPDATE datahub_history SET changes = '[]'",
        "DELETE FROM datahub_history",
    ];
    // Each database has its own way around a rule for rows.
    attempts.push(if bench.is_on_postgres() {
        "TRUNCATE datahub_history"
    } else {
        "REPLACE INTO datahub_history (sequence, entity, id, model, version, at, actor, program, origin, kind, changes, \
         constants, local, mapping_id) SELECT sequence, entity, id, model, version, at, 'eve', program, origin, kind, \
         changes, constants, local, mapping_id FROM datahub_history"
    });
    for sql in attempts {
        let error = bench.try_sql(sql).unwrap_err();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    assert_eq!(history(&store).await[0].actor, "ada");
}
