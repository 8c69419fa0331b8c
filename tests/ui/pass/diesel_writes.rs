//! A model that the team's own Diesel code inserts, changes and reads, on every kind of column.

#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use diesel::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::every_key::{Address, Industry, State};
use super::minimal_country::Country;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "written", diesel(insertable, changeset))]
pub(crate) struct Written {
    #[cdms(key, column = "written_id")]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Alias", default = "none")]
    alias: String,
    #[cdms("Token")]
    token: Option<Uuid>,
    #[cdms("Employees", default)]
    employees: i32,
    #[cdms("Views")]
    views: Option<i64>,
    #[cdms("Score")]
    score: Option<Decimal>,
    #[cdms("Area", default)]
    area: f64,
    #[cdms("CreditLimit")]
    credit_limit: Option<Decimal>,
    #[cdms("Verified", default = false)]
    verified: bool,
    #[cdms("LastCall")]
    last_call: Option<DateTime<Utc>>,
    #[cdms("Founded")]
    founded: Option<NaiveDate>,
    #[cdms("IndustryCode")]
    industry: Option<Industry>,
    #[cdms("StateCode", read_only)]
    state: State,
    #[cdms("Country")]
    country: Option<Id<Country>>,
    #[cdms(flatten = "address")]
    home: Address,
    #[cdms(modified)]
    modified: DateTime<Utc>,
    #[cdms(local, sql_type = "money")]
    budget: Decimal,
}

fn full() -> Written {
    let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    Written {
        id: Id::new(),
        name: "Łódź & Søn".into(),
        alias: "none".into(),
        token: Some(Uuid::from_u128(7)),
        employees: i32::MIN,
        views: Some(i64::MAX),
        score: Some("-12345.67".parse().unwrap()),
        area: -0.25,
        credit_limit: Some("922337203685477.5807".parse().unwrap()),
        verified: true,
        last_call: Some(time("1901-02-03T04:05:06Z")),
        founded: NaiveDate::from_ymd_opt(1899, 12, 31),
        industry: Some(Industry::FineArts),
        state: State::Inactive,
        country: Some(Id::new()),
        home: Address { street: Some("1 Main Street".into()), city: "Springfield".into() },
        modified: time("2016-12-05T12:00:00Z"),
        budget: Decimal::ONE,
    }
}

/// The same record with nothing in it that may be null.
fn empty(id: Id<Written>) -> Written {
    let Written { name, modified, .. } = full();
    Written {
        id,
        name,
        alias: String::new(),
        token: None,
        employees: 0,
        views: None,
        score: None,
        area: 0.0,
        credit_limit: None,
        verified: false,
        last_call: None,
        founded: None,
        industry: None,
        state: State::Active,
        country: None,
        home: Address { street: None, city: "nowhere".into() },
        modified,
        budget: Decimal::ZERO,
    }
}

/// The file of a hub with the model's table, and Diesel's own connection to it.
async fn connection() -> (Kit, Hub, SqliteConnection) {
    let kit = Kit::new(include_str!("../mappings/metadata.xml"));
    let hub = kit.hub(models![Written]).connect().await.unwrap();
    let file = kit.database().trim_start_matches("sqlite://").to_owned();
    let connection = SqliteConnection::establish(&file).unwrap();
    (kit, hub, connection)
}

#[tokio::test]
async fn what_diesel_inserts_and_changes_it_reads_again() {
    let (_kit, _hub, mut connection) = connection().await;
    let read = |connection: &mut SqliteConnection, id: Id<Written>| {
        written::table.find(id).select(Written::as_select()).first(connection).unwrap()
    };
    let (one, other) = (full(), empty(Id::new()));
    diesel::insert_into(written::table).values(&one).execute(&mut connection).unwrap();
    assert_eq!(read(&mut connection, one.id), one);
    diesel::insert_into(written::table).values(vec![other.clone()]).execute(&mut connection).unwrap();
    assert_eq!(read(&mut connection, other.id), other);

    let emptied = empty(one.id);
    diesel::update(&one).set(&emptied).execute(&mut connection).unwrap();
    assert_eq!(read(&mut connection, one.id), emptied, "what is none now is null in the row");
    diesel::update(written::table.find(one.id)).set(one.clone()).execute(&mut connection).unwrap();
    assert_eq!(read(&mut connection, one.id), one);
    assert_eq!(read(&mut connection, other.id), other, "the other row is as it was");
}

#[tokio::test]
async fn what_a_column_cannot_hold_is_diesels_error() {
    let (_kit, _hub, mut connection) = connection().await;
    let mut too_much = full();
    too_much.budget = "0.00001".parse().unwrap();
    let error = diesel::insert_into(written::table).values(&too_much).execute(&mut connection).unwrap_err();
    assert!(error.to_string().contains("`budget`: cannot be stored exactly"), "{error}");
    assert_eq!(written::table.count().get_result(&mut connection), Ok(0));
}
