//! The contents of the model's table: values of every kind are exact, local columns are kept, and tombstones are
//! removed.

use cdms_odata::Reference;
use datahub_protocol::{Loaded, RecordChange, Stored, TombstoneReason, Trial};
use rust_decimal::Decimal;

use super::*;

#[tokio::test]
async fn a_record_never_seen_loads_as_absent() {
    let (_bench, store) = Bench::open().await;
    let found = load(&store).await;
    assert_eq!(found.loaded, Loaded::default());
    assert!(!found.row_present);
    assert_eq!(locals(&found), [Value::Null, Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_stored_record_loads_as_it_was_stored() {
    let (_bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    let found = load(&store).await;
    let expected = row("Acme").at(version, ORGANISATION.mapping_id.0);
    assert_eq!(found.loaded.stored, Stored::Row(expected));
    assert!(found.row_present);
}

#[tokio::test]
async fn loading_costs_one_statement_and_no_transaction() {
    let (_bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    done(&store, opening(at(version), 1)).await;
    let (_, cost) = metered(load(&store)).await;
    assert_eq!((cost.statements, cost.transactions), (1, 0));
}

#[tokio::test]
async fn the_transactions_of_an_update_cost_a_fixed_number_of_statements() {
    let bench = Bench::empty();
    let store = bench.program_with(1).await;
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    // If writers are not exclusive, locking the record takes a statement.
    let lock = bench.on_either(0, 1);
    // Where a version is drawn in a select list, it is drawn with the guard.
    let sequence = bench.on_either(1, 0);
    let mut version = done(&store, first_sight("Acme")).await;
    // Once its statements are prepared, a transaction waits for the server's answer to the guard, and at its end.
    for (operation, round_trips) in [(1, None), (2, Some(bench.on_either(0, 2)))] {
        let (_, cost) = metered(done(&store, opening(at(version), operation))).await;
        assert_eq!((cost.statements, cost.transactions), (2 + lock, 1), "guard, intent");
        assert_eq!(round_trips.unwrap_or(cost.round_trips), cost.round_trips);
        let mut second = closing(operation, Verdict::Applied);
        second.commit.record = put(row("Beta"));
        second.commit.history = vec![entry(EntryKind::Updated)];
        let (stored, cost) = metered(done(&store, second)).await;
        version = stored;
        assert_eq!(
            (cost.statements, cost.transactions),
            (5 + sequence + lock, 1),
            "guard, row, record, history, intent"
        );
        assert_eq!(round_trips.unwrap_or(cost.round_trips), cost.round_trips);
    }
}

#[tokio::test]
async fn values_of_every_kind_reach_their_columns_exactly() {
    let (bench, store) = Bench::open().await;
    let (code, parent) = (Uuid::from_u128(0xC0DE), Uuid::from_u128(0xFA));
    // Midnight of 15 June 1916 in London: in summer time, and before 1970.
    let founded = Instant(-1_689_814_800_000);
    let job = first_sight_of(Attributes::from([
        ("Active", Value::Boolean(true)),
        ("Alias", Value::Null),
        ("Big", Value::BigInt(i64::MAX)),
        ("Code", Value::Guid(code)),
        ("Credit", Value::Money(Decimal::new(-50_000_001, 4))),
        ("Employees", Value::Integer(i32::MIN)),
        ("Founded", Value::Instant(founded)),
        ("Name", Value::text("Ac'me \"Ltd\" \u{1F3ED}")),
        ("Opened", Value::Instant(Instant(-1_000))),
        ("Parent", Value::Lookup(Reference { logical_name: "account".into(), id: parent })),
        ("Ratio", Value::Decimal(Decimal::new(-15, 1))),
        ("Sector", Value::Choice(3)),
        ("Share", Value::Double(0.1)),
    ]));
    done(&store, job).await;
    let by_kind = bench.on_either(
        [
            "id = X'0000000000000000000000000000000A'",
            "code = X'0000000000000000000000000000C0DE'",
            "parent = X'000000000000000000000000000000FA'",
            "typeof(alias) = 'text' AND typeof(ratio) = 'integer' AND typeof(credit) = 'integer'",
            "active = 1",
            "opened = -1000000",
            "modified = 1700000000000000",
        ],
        [
            "id = '00000000-0000-0000-0000-00000000000a'",
            "code = '00000000-0000-0000-0000-00000000c0de'",
            "parent = '00000000-0000-0000-0000-0000000000fa'",
            "pg_typeof(alias) = 'text'::regtype AND pg_typeof(ratio) = 'bigint'::regtype",
            "active",
            "opened = '1969-12-31T23:59:59Z'",
            "modified = '2023-11-14T22:13:20Z'",
        ],
    );
    let same = [
        "name = 'Ac''me \"Ltd\" \u{1F3ED}'",
        "alias = ''",
        "employees = -2147483648",
        "big = 9223372036854775807",
        "ratio = -1500",
        "share = 0.1",
        "credit = -50000001",
        "founded = '1916-06-15'",
        "sector = 3",
    ];
    for condition in by_kind.into_iter().chain(same) {
        assert_eq!(bench.count(&format!("organisations WHERE {condition}")), 1, "{condition}");
    }
}

#[tokio::test]
async fn an_amount_that_the_column_cannot_hold_exactly_is_refused() {
    let (_bench, store) = Bench::open().await;
    let mut job = first_sight("Acme");
    let RecordChange::Put { values, .. } = &mut job.commit.record else { unreachable!() };
    let credit = ORGANISATION.columns.iter().position(|column| column.name == "credit").unwrap();
    Arc::make_mut(values)[credit] = Value::Money(Decimal::MAX);
    let Committed::Refused(reason) = store.commit(job).await.unwrap() else { panic!("not refused") };
    assert!(reason.contains("`credit`") && reason.contains("exactly"), "{reason}");
    // A local column can have any value.
    let local = Column::new("credit", Kind::Money, Source::Local);
    let reason = super::super::row::datum(&local, &Value::Money(Decimal::MAX)).unwrap_err().to_string();
    assert!(reason.contains("`credit`") && reason.contains("exactly"), "{reason}");
    // Columns of the same type accept only values of their own kind.
    for (kind, value) in [(Kind::BigInt, Value::Money(Decimal::ONE)), (Kind::Money, Value::BigInt(1))] {
        let column = Column::new("amount", kind, Source::Local);
        let reason = super::super::row::datum(&column, &value).unwrap_err().to_string();
        assert!(reason.contains(&format!("expected a value of kind {kind}, found")), "{reason}");
    }
}

#[tokio::test]
async fn local_values_outlive_a_refresh() {
    let (_bench, store) = Bench::open().await;
    let first = done(&store, first_sight("Acme")).await;
    assert_eq!(locals(&load(&store).await), [Value::Null, Value::Integer(0), Value::Null], "the zeros of their kinds");

    let mut local = job(commit(at(first)));
    local.commit.record = RecordChange::LocalOnly;
    local.commit.history = vec![entry(EntryKind::LocalChanged)];
    let budget = Value::Money(Decimal::new(125, 2));
    local.locals = Some(LocalFields::from_iter([(NOTES, Value::text("ring them")), (BUDGET, budget.clone())]));
    let second = done(&store, local).await;
    assert!(second > first);

    // Local values that a refresh before a write carries are not stored yet: the write may still fail.
    let mut refresh = refresh(second, "Beta");
    refresh.locals = Some(LocalFields::from_iter([(NOTES, Value::text("too early"))]));
    done(&store, refresh).await;
    let found = load(&store).await;
    assert_eq!(locals(&found), [Value::text("ring them"), Value::Integer(0), budget]);
    let Stored::Row(snapshot) = found.loaded.stored else { panic!("no row") };
    assert_eq!(snapshot.seen, seen("Beta"));
}

#[tokio::test]
async fn a_writes_local_values_are_stored_once_any_program_finds_it_applied() {
    let (_bench, store) = Bench::open().await;
    let mut create = opening(NEVER_SEEN, 1);
    create.commit.intent = IntentChange::Open(Box::new(intent(1, WriteKind::Create)));
    let mut values = vec![Value::Null; ORGANISATION.columns.len()];
    values[1] = Value::text("Acme");
    values[NOTES] = Value::text("new");
    values[RANK] = Value::Integer(7);
    create.commit.trial = Some(Trial::Put(values));
    done(&store, create).await;

    // Settling does not know the local values.
    let mut settling = closing(1, Verdict::Applied);
    settling.commit.record = put(row("Acme"));
    done(&store, settling).await;
    assert_eq!(locals(&load(&store).await), [Value::text("new"), Value::Integer(7), Value::Null]);
}

#[tokio::test]
async fn a_rejected_writes_local_values_are_not_stored() {
    let (_bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    let mut update = opening(at(version), 1);
    update.locals = Some(LocalFields::from_iter([(RANK, Value::Integer(9))]));
    done(&store, update).await;
    let mut settling = closing(1, Verdict::NotApplied);
    settling.commit.record = put(row("Acme"));
    done(&store, settling).await;
    assert_eq!(locals(&load(&store).await)[1], Value::Integer(0));
}

#[tokio::test]
async fn a_tombstone_leaves_the_table_and_keeps_what_was_known() {
    let (bench, store) = Bench::open().await;
    let first = done(&store, first_sight("Acme")).await;
    let second = done(&store, tombstone(first)).await;
    assert_eq!(bench.count("organisations"), 0);
    let found = load(&store).await;
    assert_eq!(
        found.loaded.stored,
        Stored::Tombstone(row("Last").at(second, ORGANISATION.mapping_id.0), TombstoneReason::Gone)
    );
    assert!(!found.row_present);
    assert_eq!(bench.count("datahub_records WHERE state = 'tombstone' AND reason = 'gone'"), 1);

    done(&store, refresh(second, "Back")).await;
    assert_eq!(bench.count("organisations WHERE name = 'Back'"), 1);
    assert_eq!(bench.count("datahub_records WHERE state = 'row' AND reason IS NULL"), 1);
}

#[tokio::test]
async fn a_row_removed_without_the_hub_is_noticed() {
    let (bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    bench.sql("DELETE FROM organisations");
    let found = load(&store).await;
    assert!(!found.row_present && matches!(found.loaded.stored, Stored::Row(_)));

    let mut local = job(commit(at(version)));
    local.commit.record = RecordChange::LocalOnly;
    local.locals = Some(LocalFields::from_iter([(RANK, Value::Integer(1))]));
    let Committed::Refused(reason) = store.commit(local).await.unwrap() else { panic!("not refused") };
    assert!(reason.contains("the row is missing"), "{reason}");
    done(&store, refresh(version, "Acme")).await;
    assert!(load(&store).await.row_present);
}
