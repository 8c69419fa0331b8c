//! The team's own Diesel code can read what the store wrote.

use cdms_odata::Reference;
use diesel::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::diesel::stored_value::StoredValue;
use crate::{Id, RowReader};

diesel::table! {
    organisations (id) {
        id -> crate::sql_types::Guid,
        name -> Text,
        alias -> Text,
        employees -> Nullable<Integer>,
        big -> Nullable<BigInt>,
        ratio -> Nullable<crate::sql_types::Decimal<3>>,
        share -> Nullable<Double>,
        credit -> Nullable<crate::sql_types::Money>,
        active -> Nullable<Bool>,
        opened -> Nullable<crate::sql_types::Instant>,
        founded -> Nullable<Date>,
        code -> Nullable<crate::sql_types::Guid>,
        sector -> Nullable<Integer>,
        parent -> Nullable<crate::sql_types::Guid>,
        modified -> crate::sql_types::Instant,
    }
}

struct Organisation;

fn stored_values(connection: &mut SqliteConnection) -> Vec<Value> {
    type Raw = (
        (StoredValue, StoredValue, StoredValue, StoredValue, StoredValue),
        (StoredValue, StoredValue, StoredValue, StoredValue, StoredValue),
        (StoredValue, StoredValue, StoredValue, StoredValue, StoredValue),
    );
    use organisations as o;
    let columns = (
        (o::id, o::name, o::alias, o::employees, o::big),
        (o::ratio, o::share, o::credit, o::active, o::opened),
        (o::founded, o::code, o::sector, o::parent, o::modified),
    );
    let (a, b, c) = o::table.select(columns).first::<Raw>(connection).unwrap();
    [a.0, a.1, a.2, a.3, a.4, b.0, b.1, b.2, b.3, b.4, c.0, c.1, c.2, c.3, c.4].map(|stored| stored.0).to_vec()
}

#[tokio::test]
async fn every_column_reads_through_stored_and_the_row_reader() {
    let (bench, store) = Bench::on_file().await;
    let job = first_sight_of(Attributes::from([
        ("Active", Value::Boolean(false)),
        ("Alias", Value::Null),
        ("Big", Value::BigInt(-1)),
        ("Code", Value::Guid(Uuid::from_u128(1))),
        ("Credit", Value::Money(Decimal::new(12_345, 4))),
        ("Employees", Value::Integer(5)),
        ("Founded", Value::Instant(Instant(0))),
        ("Name", Value::text("Acme")),
        ("Opened", Value::Instant(Instant(-6_847_804_800_000))),
        ("Parent", Value::Lookup(Reference { logical_name: "account".into(), id: Uuid::from_u128(2) })),
        ("Ratio", Value::Decimal(Decimal::new(1_500, 3))),
        ("Sector", Value::Choice(3)),
        ("Share", Value::Double(0.1)),
    ]));
    done(&store, job).await;
    let mut values = stored_values(&mut bench.plain());
    values.resize(ORGANISATION.columns.len(), Value::Null);
    let reader = RowReader::new(ORGANISATION.columns, &values);
    assert_eq!(reader.field::<Uuid>(0).unwrap(), ID);
    assert_eq!(reader.field::<String>(1).unwrap(), "Acme");
    assert_eq!(reader.field::<String>(2).unwrap(), "");
    assert_eq!(reader.field::<Option<i32>>(3).unwrap(), Some(5));
    assert_eq!(reader.field::<Option<i64>>(4).unwrap(), Some(-1));
    assert_eq!(reader.field::<Option<Decimal>>(5).unwrap(), Some(Decimal::new(15, 1)));
    assert_eq!(reader.field::<Option<f64>>(6).unwrap(), Some(0.1));
    assert_eq!(reader.field::<Option<Decimal>>(7).unwrap(), Some(Decimal::new(12_345, 4)));
    assert_eq!(reader.field::<Option<bool>>(8).unwrap(), Some(false));
    assert_eq!(
        reader.field::<Option<chrono::DateTime<chrono::Utc>>>(9).unwrap().unwrap().to_rfc3339(),
        "1753-01-01T00:00:00+00:00"
    );
    assert_eq!(reader.field::<Option<chrono::NaiveDate>>(10).unwrap().unwrap().to_string(), "1970-01-01");
    assert_eq!(reader.field::<Option<Uuid>>(11).unwrap(), Some(Uuid::from_u128(1)));
    assert_eq!(reader.field::<Option<i32>>(12).unwrap(), Some(3));
    assert_eq!(values[13], Value::Guid(Uuid::from_u128(2)));
    assert_eq!(values[14], Value::Instant(NOON));
}

#[tokio::test]
async fn null_columns_read_as_null() {
    let (bench, store) = Bench::on_file().await;
    done(&store, first_sight("Acme")).await;
    let values = stored_values(&mut bench.plain());
    assert!(values[3..14].iter().all(Value::is_null), "{values:?}");
}

#[tokio::test]
async fn a_time_that_others_wrote_is_cut_to_the_millisecond_it_lies_in() {
    let (bench, store) = Bench::on_file().await;
    done(&store, first_sight("Acme")).await;
    for (microseconds, expected) in [(-1, -1), (1_999, 1), (-1_000, -1)] {
        bench.sql(&format!("UPDATE organisations SET opened = {microseconds}"));
        assert_eq!(stored_values(&mut bench.plain())[9], Value::Instant(Instant(expected)));
    }
}

#[tokio::test]
async fn ids_filter_key_and_lookup_columns_and_read_from_them() {
    let (bench, store) = Bench::on_file().await;
    let parent = Uuid::from_u128(0xFA);
    let mut attributes = seen("Acme");
    attributes.insert("Parent", Value::Lookup(Reference { logical_name: "account".into(), id: parent }));
    done(&store, first_sight_of(attributes)).await;
    let mut connection = bench.plain();
    let id: Id<Organisation> = ID.into();
    let other: Id<Organisation> = Uuid::from_u128(0xEE).into();
    let named = |filter: Id<Organisation>, connection: &mut SqliteConnection| {
        organisations::table
            .filter(organisations::id.eq(filter))
            .select(organisations::name)
            .load::<String>(connection)
            .unwrap()
    };
    assert_eq!(named(id, &mut connection), ["Acme"]);
    assert!(named(other, &mut connection).is_empty());
    let children = organisations::table
        .filter(organisations::parent.eq(&Id::<Organisation>::from(parent)))
        .select((organisations::id, organisations::parent))
        .load::<(Id<Organisation>, Option<Id<Organisation>>)>(&mut connection)
        .unwrap();
    assert_eq!(children, [(id, Some(parent.into()))]);
}
