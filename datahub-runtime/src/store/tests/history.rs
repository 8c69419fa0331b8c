//! The history is complete, ordered, and kept append-only by the database itself.

use std::collections::BTreeMap;

use datahub_protocol::{Change, Note, RecordChange, Stored};

use super::*;
use crate::engine::local_fields::LocalChange;
use crate::store::HistoryRow;

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
async fn what_decides_about_a_version_came_after_it_and_is_newest_first() {
    let (_bench, store) = Bench::open().await;
    let first = done(&store, first_sight("A")).await;
    let second = done(&store, renaming(first, "A", "B")).await;
    let third = done(&store, renaming(second, "B", "C")).await;
    let mut founded = refresh(third, "C");
    founded.commit.history[0].changes = vec![change("Founded", Some(Value::Null), "1900-01-01")];
    let fourth = done(&store, founded).await;
    let after = async |version| {
        let kept = store.history_up_to(&ORGANISATION, ID, version).await.unwrap()?;
        let rows = store.history_deciding(&ORGANISATION, ID, kept).await.unwrap();
        Some(rows.iter().map(|row| row.version).collect::<Vec<_>>())
    };
    assert_eq!(after(first).await, Some(vec![fourth, second]));
    assert_eq!(after(second).await, Some(vec![fourth, third]));
    assert_eq!(after(fourth).await, Some(vec![]));
    assert_eq!(after(Version(first.0 - 1)).await, None, "the row is newer");
    let of = async |version| store.history_of_version(&ORGANISATION, ID, version).await.unwrap().map(|row| row.version);
    assert_eq!((of(second).await, of(Version(fourth.0 + 1)).await), (Some(second), None));
}

fn change(attribute: &str, from: Option<Value>, to: &str) -> Change {
    Change { attribute: attribute.to_owned(), from, to: Some(Value::text(to)), note: Note::Plain }
}

/// The transaction of a refresh that found another name.
fn renaming(version: Version, from: &str, to: &str) -> Job {
    let mut job = refresh(version, to);
    job.commit.history[0].changes = vec![change("Name", Some(Value::text(from)), to)];
    job
}

/// What the attributes and the local fields were before these entries, newest first, one after the other.
fn undone(rows: &[HistoryRow]) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for row in rows {
        let changes = row.changes.iter().map(|of_day| &of_day.change);
        let known = changes.filter_map(|change| Some((change.attribute.clone(), change.from.clone()?)));
        values.extend(known.chain(row.local.iter().map(|local| (local.field.clone(), local.from.clone()))));
    }
    values
}

/// Replay with `DATAHUB_SEED`.
#[tokio::test]
async fn the_entries_that_decide_undo_as_much_as_all_entries() {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 40));
    println!("DATAHUB_SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let (_bench, store) = Bench::open().await;
    let mut version = done(&store, first_sight("Acme")).await;
    // A backslash and U+0000 are part of a text's JSON in ways of their own.
    let texts = ["", "a", "\\", "\\u0000", "\u{0}", "'[]'", "[]", "é\"\n"];
    for _ in 0..60 {
        let mut next = refresh(version, "Acme");
        if rng.bool() {
            next.commit.record = RecordChange::LocalOnly;
            let value = |rng: &mut fastrand::Rng| Value::text(format!("n{}", rng.u8(..4)));
            next.locals = Some(LocalFields::from_iter([(NOTES, value(&mut rng))]));
            if rng.bool() {
                next.locals = Some(LocalFields::from_iter([(RANK, Value::Integer(rng.i32(..3)))]));
            }
        }
        // Names of attributes are known when an entry is stored, also those that no mapping has any more.
        for attribute in ["Alias", "Founded", "Name", "Retired"] {
            let from = rng.u8(..3).checked_sub(1).map(|kind| match kind {
                0 => Value::Null,
                _ => Value::text(texts[rng.usize(..texts.len())]),
            });
            if rng.u8(..4) == 0 {
                next.commit.history[0].changes.push(change(attribute, from, texts[rng.usize(..texts.len())]));
            }
        }
        version = done(&store, next).await;
    }
    let all = store.history(&ORGANISATION, ID, i64::MAX, 1_000).await.unwrap();
    for (newer, entry) in all.iter().enumerate() {
        let deciding = store.history_deciding(&ORGANISATION, ID, entry.sequence).await.unwrap();
        assert_eq!(undone(&deciding), undone(&all[..newer]), "after {}", entry.sequence);
        assert!(deciding.is_sorted_by_key(|row| std::cmp::Reverse(row.sequence)));
        assert!(deciding.len() <= 6, "one for each name: {}", deciding.len());
    }
}

#[tokio::test]
async fn an_erased_entry_decides_wherever_it_is() {
    let (_bench, store) = Bench::open().await;
    let first = done(&store, first_sight("A")).await;
    let second = done(&store, renaming(first, "A", "B")).await;
    done(&store, renaming(second, "B", "C")).await;
    let (actor, program) = ("ada".to_owned(), "tests".to_owned());
    let erase = store.erase(&ORGANISATION, vec![&ORGANISATION], ID, actor, program, "asked".to_owned());
    erase.await.unwrap();
    let version = load(&store).await.loaded.stored;
    let Stored::Row(snapshot) = version else { panic!("the row is there") };
    let fourth = done(&store, renaming(snapshot.version, "C", "D")).await;
    let all = history(&store).await;
    let deciding = async |at: usize| {
        let rows = store.history_deciding(&ORGANISATION, ID, all[at].sequence).await.unwrap();
        rows.into_iter().map(|row| (row.version, row.erasure.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(deciding(0).await, [(fourth, false), (all[2].version, true)], "the newest of those that are erased");
    assert_eq!(deciding(1).await, [(fourth, false), (all[2].version, true)]);
    assert_eq!(deciding(2).await, [(fourth, false)]);
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
