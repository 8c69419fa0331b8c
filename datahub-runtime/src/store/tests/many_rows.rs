//! Statements about many rows: they store what statements about one row store, and on a server their text does not depend
//! on the number of rows.

use cdms_odata::Reference;
use datahub_protocol::{Listed, Record};
use rust_decimal::Decimal;

use super::rules::{listing, pull};
use super::*;
use crate::store::page::RECORDS_PER_STATEMENT;

/// A page with this number of records, all new or all changed.
fn page(records: usize, name: &str) -> Vec<(Uuid, Result<Record, Fault>)> {
    (1..=records as u128).map(|id| listing(id, &format!("{name} {id}"), None)).collect()
}

#[tokio::test]
async fn a_page_costs_the_same_statements_whatever_its_size() {
    let (_bench, store) = Bench::open().await;
    let mut costs = Vec::new();
    for records in [1, 2, 7, RECORDS_PER_STATEMENT] {
        let (outcomes, cost) = metered(pull(&store, page(records, &format!("Of {records}")))).await;
        assert!(outcomes.unwrap().iter().all(|listed| matches!(listed, Listed::Store(..))));
        costs.push((cost.statements, cost.transactions));
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

#[tokio::test]
async fn a_page_stores_what_is_stored_of_each_record_alone() {
    let (bench, store) = Bench::open().await;
    let full = Attributes::from([
        ("Active", Value::Boolean(true)),
        ("Alias", Value::Null),
        ("Big", Value::BigInt(i64::MIN)),
        ("Code", Value::Guid(Uuid::from_u128(0xC0DE))),
        ("Credit", Value::Money(Decimal::new(-50_000_001, 4))),
        ("Employees", Value::Integer(i32::MIN)),
        // Midnight of 15 June 1916 in London: in summer time, and before 1970.
        ("Founded", Value::Instant(Instant(-1_689_814_800_000))),
        ("Name", Value::text("{\"Ac'me\",NULL,\\} \u{1F3ED}")),
        ("Opened", Value::Instant(Instant(-1_000))),
        ("Parent", Value::Lookup(Reference { logical_name: "account".into(), id: Uuid::from_u128(0xFA) })),
        ("Ratio", Value::Decimal(Decimal::new(-15, 1))),
        ("Sector", Value::Choice(3)),
        ("Share", Value::Double(0.1)),
    ]);
    let some = [full, seen("NULL"), seen("{}")];
    let facts = row("").facts;
    for (at, seen) in (0_u128..).zip(&some) {
        let mut alone = first_sight_of(seen.clone());
        alone.id = Uuid::from_u128(0xA0 + at);
        done(&store, alone).await;
    }
    let listed = (0_u128..)
        .zip(&some)
        .map(|(at, seen)| (Uuid::from_u128(0xB0 + at), Ok(Record { facts, attributes: seen.clone() })));
    pull(&store, listed.collect()).await.unwrap();
    let columns = ORGANISATION.columns.iter().filter(|column| column.name != "id").map(|column| column.name);
    let same = columns.map(|name| format!("(a.{name} = b.{name} OR (a.{name} IS NULL AND b.{name} IS NULL))"));
    let same = same.collect::<Vec<_>>().join(" AND ");
    for at in 0..some.len() {
        let id = |first: usize| bench.on_either(format!("X'{:032X}'", first + at), format!("'{:032x}'", first + at));
        let (alone, of_page) = (id(0xA0), id(0xB0));
        assert_eq!(
            bench.count(&format!(
                "organisations AS a, organisations AS b WHERE a.id = {alone} AND b.id = {of_page} AND {same}"
            )),
            1,
            "{at}: {same}"
        );
        assert_eq!(
            bench.count(&format!(
                "datahub_records AS a, datahub_records AS b WHERE a.id = {alone} AND b.id = {of_page} AND a.seen = b.seen \
                 AND a.modified = b.modified AND a.created = b.created AND a.modified_by = b.modified_by"
            )),
            1,
            "{at}"
        );
    }
}

#[tokio::test]
async fn the_entries_of_a_page_are_in_its_order() {
    let (bench, store) = Bench::open().await;
    let mut page = page(RECORDS_PER_STATEMENT, "New");
    page.reverse();
    pull(&store, page).await.unwrap();
    let out_of_order = "datahub_history AS first JOIN datahub_history AS second ON second.sequence > first.sequence \
                        AND second.id >= first.id";
    assert_eq!(bench.count("datahub_history"), i64::try_from(RECORDS_PER_STATEMENT).unwrap());
    assert_eq!(bench.count(out_of_order), 0);
}

/// On a server, the statements for many rows are kept, and their text does not depend on the number of rows; in a file
/// it does, and they are not kept.
#[tokio::test]
async fn no_size_of_a_page_needs_kept_statements_of_its_own() {
    let bench = Bench::empty();
    let store = bench.program_with(1).await;
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    let list = bench.on_either(
        "SELECT sql FROM sqlite_stmt ORDER BY sql",
        "SELECT statement FROM pg_prepared_statements ORDER BY statement",
    );
    let kept = async || store.write(move |connection| connection.texts(list)).await.unwrap();
    pull(&store, page(2, "Of 2")).await.unwrap();
    let of_two = kept().await;
    for records in [3, 17, RECORDS_PER_STATEMENT] {
        pull(&store, page(records, &format!("Of {records}"))).await.unwrap();
        assert_eq!(kept().await, of_two, "a page of {records} records");
    }
    let inserts = |table: &str| {
        let into = format!("INSERT INTO {table} ");
        of_two.iter().filter(|text| text.contains(&into)).count()
    };
    assert_eq!(inserts("datahub_history"), bench.on_either(0, 1), "{of_two:#?}");
    assert_eq!(inserts("\"organisations\""), bench.on_either(0, 1), "{of_two:#?}");
    let largest = of_two.iter().filter(|text| text.contains("$31")).count();
    assert_eq!(largest, 0, "an array for each column, and no value for itself: {of_two:#?}");
}

#[cfg(feature = "postgres")]
mod on_a_server {
    use super::*;
    use crate::store::statement::Statement;
    use crate::store::tests::server::{open, server};

    /// A plan that was made while a table was empty goes through the whole table, and would do so once it has become long.
    #[tokio::test]
    async fn a_list_that_is_looked_up_is_planned_each_time() {
        let bench = Bench::empty();
        if server(&bench).is_none() {
            return;
        }
        let store = open(&bench, &bench.url()).await.unwrap();
        store.create_tables(&[&ORGANISATION]).await.unwrap();
        let looked_up = |ids: usize| {
            let mut statement = Statement::default();
            statement.sql("SELECT row_.name FROM ");
            statement.wanted((0..ids as u128).map(Uuid::from_u128));
            statement.sql(" JOIN organisations AS row_ ON row_.id = wanted.column1");
            statement
        };
        assert!(looked_up(1).is_kept() && !looked_up(2).is_kept());
        assert_eq!(looked_up(2).numbered().0, looked_up(RECORDS_PER_STATEMENT).numbered().0);
        let plan = async || {
            let explained = looked_up(RECORDS_PER_STATEMENT).after("EXPLAIN ");
            let rows = store.write(move |connection| connection.read::<String>(&explained));
            rows.await.unwrap().join("\n")
        };
        let while_empty = plan().await;
        assert!(while_empty.contains("Seq Scan on organisations"), "it may as well be kept: {while_empty}");
        bench.sql(
            "INSERT INTO organisations (id, name, alias, modified, rank) \
             SELECT gen_random_uuid(), repeat('x', 300), '', now(), 0 FROM generate_series(1, 20000)",
        );
        let later = plan().await;
        assert!(later.contains("organisations_pkey"), "{later}");
    }

    #[test]
    fn rows_to_insert_are_one_statement_whatever_their_number() {
        let inserted = |rows: usize| {
            let mut statement = Statement::new("INSERT INTO t (a, b) ", []);
            statement.inserted((0..rows).map(|row| [Uuid::nil().into(), i64::try_from(row).unwrap().into()]));
            let (text, values) = statement.numbered();
            assert_eq!(values.len(), 2);
            (text, statement.is_kept())
        };
        assert_eq!(inserted(1), ("INSERT INTO t (a, b) VALUES ($1, $2)".to_owned(), true));
        let many = "INSERT INTO t (a, b) SELECT column1, column2 FROM UNNEST($1, $2) WITH ORDINALITY AS given \
                    (column1, column2, place) ORDER BY place";
        assert_eq!(inserted(2), (many.to_owned(), true));
        assert_eq!(inserted(1_000), inserted(2));
    }
}
