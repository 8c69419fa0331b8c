//! Values of every kind: created, changed one by one, cleared, and read as people in CDMS set them.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Attributes, Finding, Instant, Reference, Value};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::METADATA;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "things", diesel(table = false))]
struct Thing {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Alias")]
    alias: Option<String>,
    #[cdms("Token")]
    token: Option<Uuid>,
    #[cdms("Employees")]
    employees: Option<i32>,
    #[cdms("Views")]
    views: Option<i64>,
    #[cdms("Score")]
    score: Option<Decimal>,
    #[cdms("Area")]
    area: Option<f64>,
    #[cdms("CreditLimit")]
    credit_limit: Option<Decimal>,
    #[cdms("Verified")]
    verified: Option<bool>,
    #[cdms("LastCall")]
    last_call: Option<DateTime<Utc>>,
    #[cdms("Founded")]
    founded: Option<NaiveDate>,
    #[cdms("IndustryCode")]
    industry: Option<Industry>,
    #[cdms("StateCode", read_only)]
    state: i32,
    #[cdms("StatusCode")]
    status: Option<i32>,
    #[cdms("Country")]
    country: Option<Id<Country>>,
}

#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "IndustryCode")]
enum Industry {
    Accounting,
    FineArts,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", diesel(table = false))]
struct Country {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
}

/// A new value of one field, and the raw one that it is in CDMS.
type Edit = (fn(&mut Thing), &'static str, Value);

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

const LAND: Uuid = Uuid::from_u128(0x1A);

/// Values at the edges of each kind: the largest and smallest, what floats cannot hold, both sides of a change of the
/// clocks, times before 1970.
fn edits() -> Vec<Edit> {
    vec![
        (|it| it.name = "Ärger & Söhne \u{1F34F} \"<>'".into(), "Name", Value::text("Ärger & Söhne \u{1F34F} \"<>'")),
        (|it| it.alias = Some(" ten  long".into()), "Alias", Value::text(" ten  long")),
        (|it| it.token = Some(Uuid::from_u128(7)), "Token", Value::Guid(Uuid::from_u128(7))),
        (|it| it.employees = Some(i32::MIN), "Employees", Value::Integer(i32::MIN)),
        (|it| it.employees = Some(0), "Employees", Value::Integer(0)),
        (|it| it.views = Some(i64::MAX), "Views", Value::BigInt(i64::MAX)),
        (|it| it.views = Some(9_007_199_254_740_993), "Views", Value::BigInt(9_007_199_254_740_993)),
        (
            |it| it.score = Some(Decimal::new(-9_999_999_999_999, 2)),
            "Score",
            Value::Decimal(Decimal::new(-9_999_999_999_999, 2)),
        ),
        (|it| it.score = Some(Decimal::new(1, 1)), "Score", Value::Decimal(Decimal::new(1, 1))),
        (|it| it.area = Some(0.1 + 0.2), "Area", Value::Double(0.1 + 0.2)),
        (|it| it.area = Some(-1e11), "Area", Value::Double(-1e11)),
        (
            |it| it.credit_limit = Some(Decimal::new(1_234_567_890_123, 4)),
            "CreditLimit",
            Value::Money(Decimal::new(1_234_567_890_123, 4)),
        ),
        (|it| it.verified = Some(true), "Verified", Value::Boolean(true)),
        (|it| it.verified = Some(false), "Verified", Value::Boolean(false)),
        (|it| it.last_call = Some(instant("1969-12-31T23:59:59Z")), "LastCall", Value::Instant(Instant(-1_000))),
        (
            |it| it.last_call = Some(instant("2016-03-27T01:00:00Z")),
            "LastCall",
            Value::Instant(Instant(1_459_040_400_000)),
        ),
        // Midnight in London: an hour before it in summer time is the day before in UTC.
        (|it| it.founded = Some(date("2016-03-27")), "Founded", Value::Instant(Instant(1_459_036_800_000))),
        (|it| it.founded = Some(date("2016-03-28")), "Founded", Value::Instant(Instant(1_459_119_600_000))),
        // CDMS applies London's rule of today to the year in which there was summer time first.
        (|it| it.founded = Some(date("1916-05-21")), "Founded", Value::Instant(Instant(-1_691_974_800_000))),
        (|it| it.industry = Some(Industry::FineArts), "IndustryCode", Value::Choice(3)),
        (|it| it.industry = Some(Industry::Accounting), "IndustryCode", Value::Choice(1)),
        (|it| it.status = Some(100_000_002), "StatusCode", Value::Choice(100_000_002)),
        (
            |it| it.country = Some(LAND.into()),
            "Country",
            Value::Lookup(Reference { logical_name: "country".into(), id: LAND }),
        ),
    ]
}

/// The same fields without a value.
fn clearings() -> Vec<Edit> {
    vec![
        (|it| it.alias = Some(String::new()), "Alias", Value::Null),
        (|it| it.token = None, "Token", Value::Null),
        (|it| it.employees = None, "Employees", Value::Null),
        (|it| it.views = None, "Views", Value::Null),
        (|it| it.score = None, "Score", Value::Null),
        (|it| it.area = None, "Area", Value::Null),
        (|it| it.credit_limit = None, "CreditLimit", Value::Null),
        (|it| it.verified = None, "Verified", Value::Null),
        (|it| it.last_call = None, "LastCall", Value::Null),
        (|it| it.founded = None, "Founded", Value::Null),
        (|it| it.industry = None, "IndustryCode", Value::Null),
        (|it| it.status = None, "StatusCode", Value::Null),
        (|it| it.country = None, "Country", Value::Null),
    ]
}

fn bare(name: &str) -> Thing {
    Thing {
        id: Id::new(),
        name: name.into(),
        alias: None,
        token: None,
        employees: None,
        views: None,
        score: None,
        area: None,
        credit_limit: None,
        verified: None,
        last_call: None,
        founded: None,
        industry: None,
        state: 0,
        status: None,
        country: None,
    }
}

/// A kit with the country, and a hub.
async fn scene() -> (Kit, Hub) {
    let kit = Kit::new(METADATA);
    kit.simulator.seed("Country", [("CountryId", Value::Guid(LAND)), ("Name", Value::text("Wales"))]);
    let hub = kit.hub(datahub_runtime::models![Thing, Country]).program("ada").connect().await.unwrap();
    (kit, hub)
}

fn in_cdms(kit: &Kit, id: Id<Thing>) -> Attributes {
    kit.simulator.record("Account", id.guid()).unwrap()
}

/// What CDMS, the database and the caller have is the same.
async fn agrees(kit: &Kit, hub: &Hub, thing: &Synced<Thing>, attribute: &str, raw: &Value) {
    let stored = in_cdms(kit, thing.id()).get(attribute).cloned().unwrap_or_default();
    assert_eq!(stored, *raw, "{attribute}");
    let row = Thing::get(hub, thing.id()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(*row, **thing, "{attribute}");
    let read = Thing::get(hub, thing.id()).await.unwrap();
    assert_eq!((*read).clone(), **thing, "{attribute}");
    assert!(matches!(read.checked(), Checked::At { found: Finding::InSync, .. }), "{attribute}: {:?}", read.checked());
}

#[tokio::test]
async fn each_field_is_saved_alone_and_cleared_alone() {
    let (kit, hub) = scene().await;
    let mut thing = Thing::create(&hub, bare("Acme")).await.unwrap();
    for (edit, attribute, raw) in edits().into_iter().chain(clearings()) {
        let before = in_cdms(&kit, thing.id());
        edit(&mut thing);
        thing.save(&hub).await.unwrap();
        agrees(&kit, &hub, &thing, attribute, &raw).await;
        let after = in_cdms(&kit, thing.id());
        let changed: Vec<_> =
            after.iter().filter(|(name, value)| before.get(name) != Some(value)).map(|(name, _)| name).collect();
        let unasked = ["ModifiedOn", "ModifiedBy", "WebSiteURL", attribute];
        assert!(changed.iter().all(|name| unasked.contains(name)), "{attribute}: {changed:?}");
        kit.advance(std::time::Duration::from_secs(1));
    }
    assert_eq!(*thing, Thing { id: thing.id(), name: thing.name.clone(), ..bare("") }, "all is cleared again");
}

#[tokio::test]
async fn a_create_sends_each_field() {
    let (kit, hub) = scene().await;
    let mut new = bare("");
    let edits = edits();
    for (edit, ..) in &edits {
        edit(&mut new);
    }
    let made = Thing::create(&hub, new.clone()).await.unwrap();
    assert_eq!(*made, new);
    let record = in_cdms(&kit, made.id());
    for (_, attribute, _) in &edits {
        let (.., last) = edits.iter().rev().find(|(_, name, _)| name == attribute).unwrap();
        assert_eq!(record.get(attribute), Some(last), "{attribute}");
    }
}

#[tokio::test]
async fn what_people_set_is_read() {
    let (kit, hub) = scene().await;
    let made = Thing::create(&hub, bare("Acme")).await.unwrap();
    let mut expected = made.into_inner();
    for (edit, attribute, raw) in edits().into_iter().chain(clearings()) {
        edit(&mut expected);
        // The model's empty text is a null.
        expected.alias = expected.alias.filter(|alias| !alias.is_empty());
        kit.advance(std::time::Duration::from_secs(1));
        kit.simulator.edit("Account", expected.id.guid(), [(attribute, raw.clone())]);
        let read = Thing::get(&hub, expected.id).await.unwrap();
        assert_eq!(*read, expected, "{attribute}");
        agrees(&kit, &hub, &read, attribute, &raw).await;
    }
}
