//! The team's own Diesel queries: columns of every kind are filtered, ordered, read and added up with ordinary Rust types,
//! on both databases.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::sql_types::Number;
use datahub_runtime::testing::Kit;
use diesel::dsl::{avg, count, max, min, sum};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::METADATA;

/// Each kind twice: in a column that is never null, and in one that may be.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "deals", diesel(insertable))]
struct Deal {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Alias")]
    alias: Option<String>,
    #[cdms("Employees", default)]
    employees: i32,
    #[cdms(local, sql_type = "integer")]
    guests: Option<i32>,
    #[cdms(local, sql_type = "bigint")]
    clicks: i64,
    #[cdms("Views")]
    views: Option<i64>,
    #[cdms("Area", default)]
    area: f64,
    #[cdms(local, sql_type = "double")]
    share: Option<f64>,
    #[cdms("Verified", default = false)]
    verified: bool,
    #[cdms(local, sql_type = "boolean")]
    paid: Option<bool>,
    #[cdms(local, sql_type = "date", default = NaiveDate::default())]
    due: NaiveDate,
    #[cdms("Founded")]
    founded: Option<NaiveDate>,
    #[cdms(local, sql_type = "datetime", default = DateTime::default())]
    met: DateTime<Utc>,
    #[cdms("LastCall")]
    last_call: Option<DateTime<Utc>>,
    #[cdms(local, sql_type = "money")]
    budget: Decimal,
    #[cdms("CreditLimit")]
    credit: Option<Decimal>,
    /// With the four digits of a local decimal.
    #[cdms(local, sql_type = "decimal")]
    weight: Decimal,
    /// With the two digits of its contract.
    #[cdms("Score")]
    score: Option<Decimal>,
    #[cdms(local, sql_type = "guid", default = Uuid::nil())]
    token: Uuid,
    #[cdms("Token")]
    old_token: Option<Uuid>,
    #[cdms("StateCode", read_only)]
    state: State,
    #[cdms("IndustryCode")]
    industry: Option<Industry>,
    #[cdms(local, sql_type = "lookup", default = Uuid::nil().into())]
    parent: Id<Deal>,
    #[cdms("Country")]
    country: Option<Id<Country>>,
}

#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "StateCode")]
enum State {
    Active,
    Inactive,
}

#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "IndustryCode")]
enum Industry {
    Accounting,
    #[cdms(other)]
    Other(i32),
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "deal_countries", diesel(table = false))]
struct Country {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A small deal, a large one, and one with nothing in it that may be null.
fn deals() -> [Deal; 3] {
    let small = Deal {
        id: id(1).into(),
        name: "small".into(),
        alias: Some("s".into()),
        employees: 1,
        guests: Some(1),
        clicks: -1,
        views: Some(i64::MAX),
        area: 0.5,
        share: Some(0.25),
        verified: true,
        paid: Some(true),
        due: date("2016-01-31"),
        founded: Some(date("1899-12-31")),
        met: time("1901-02-03T04:05:06.789Z"),
        last_call: Some(time("1969-12-31T23:59:59Z")),
        budget: number("-0.0001"),
        credit: Some(number("922337203685477.5807")),
        weight: number("0.0001"),
        score: Some(number("-12345.67")),
        token: id(0xA),
        old_token: Some(id(0xB)),
        state: State::Active,
        industry: Some(Industry::Accounting),
        parent: id(2).into(),
        country: Some(id(0xC).into()),
    };
    let large = Deal {
        id: id(2).into(),
        name: "large".into(),
        alias: Some("l".into()),
        employees: 2,
        guests: Some(2),
        clicks: 2,
        views: Some(2),
        area: 1.5,
        share: Some(0.75),
        verified: false,
        paid: Some(false),
        due: date("2016-02-29"),
        founded: Some(date("2000-01-01")),
        met: time("2016-12-05T12:00:00Z"),
        last_call: Some(time("2016-12-05T12:00:01Z")),
        budget: number("12345.6789"),
        credit: Some(number("-1.5")),
        weight: number("2.5"),
        score: Some(number("0.02")),
        token: id(0xAA),
        old_token: Some(id(0xBB)),
        state: State::Inactive,
        industry: Some(Industry::Other(3)),
        parent: id(1).into(),
        country: Some(id(0xCC).into()),
    };
    let empty = Deal {
        id: id(3).into(),
        name: "empty".into(),
        alias: None,
        guests: None,
        views: None,
        share: None,
        paid: None,
        founded: None,
        last_call: None,
        credit: None,
        score: None,
        old_token: None,
        industry: None,
        country: None,
        ..large.clone()
    };
    [small, large, empty]
}

/// Runs the same queries through Diesel's connections to SQLite and to PostgreSQL, on the three deals.
macro_rules! queries {
    ($($test:ident = |$connection:ident| $queries:block)*) => {$(
        #[tokio::test]
        async fn $test() {
            fn on_sqlite($connection: &mut SqliteConnection) $queries
            fn on_postgres($connection: &mut AsyncConnectionWrapper<AsyncPgConnection>) $queries

            let kit = Kit::new(METADATA);
            let _hub = kit.hub(models![Deal, Country]).connect().await.unwrap();
            let (address, is_on_postgres) = (kit.database(), kit.is_on_postgres());
            // Diesel's connections wait where they are.
            let asked = tokio::task::spawn_blocking(move || {
                if is_on_postgres {
                    let mut connection = AsyncConnectionWrapper::establish(&address).unwrap();
                    diesel::insert_into(deals::table).values(Vec::from(deals())).execute(&mut connection).unwrap();
                    on_postgres(&mut connection);
                } else {
                    let mut connection = SqliteConnection::establish(address.trim_start_matches("sqlite://")).unwrap();
                    diesel::insert_into(deals::table).values(Vec::from(deals())).execute(&mut connection).unwrap();
                    on_sqlite(&mut connection);
                }
            });
            asked.await.unwrap();
        }
    )*};
}

/// The names of the deals that a condition holds for, in the order of their ids.
macro_rules! names {
    ($connection:ident, $condition:expr) => {
        deals::table.filter($condition).order(deals::id).select(deals::name).load::<String>($connection).unwrap()
    };
}

/// The deals in the order of a column that is not null.
macro_rules! ordered {
    ($connection:ident, $order:expr) => {
        deals::table.order(($order, deals::id)).select(deals::name).load::<String>($connection).unwrap()
    };
}

/// What a query of one value gives.
macro_rules! one {
    ($connection:ident, $select:expr => $type:ty) => {
        deals::table.select($select).order(deals::id).first::<$type>($connection).unwrap()
    };
}

/// What an aggregate over all deals gives.
macro_rules! all {
    ($connection:ident, $aggregate:expr => $type:ty) => {
        deals::table.select($aggregate).get_result::<$type>($connection).unwrap()
    };
}

queries! {
    money = |it| {
        assert_eq!(names!(it, deals::budget.eq(number("-0.0001"))), ["small"]);
        assert_eq!(names!(it, deals::budget.eq(&number("12345.67890"))), ["large", "empty"]);
        assert_eq!(names!(it, deals::budget.ne(number("12345.6789"))), ["small"]);
        assert_eq!(names!(it, deals::budget.lt(Decimal::ZERO)), ["small"]);
        assert_eq!(names!(it, deals::budget.between(number("-1"), Decimal::ONE)), ["small"]);
        assert_eq!(names!(it, deals::budget.not_between(number("-1"), Decimal::ONE)), ["large", "empty"]);
        assert_eq!(names!(it, deals::budget.nullable().eq_any([Some(number("-0.0001")), Some(Decimal::ONE)])), ["small"]);
        assert_eq!(names!(it, deals::credit.eq(Some(number("-1.5")))), ["large"]);
        assert_eq!(names!(it, deals::credit.eq(number("-1.5"))), ["large"]);
        assert_eq!(names!(it, deals::credit.gt(Decimal::ZERO)), ["small"]);
        assert_eq!(names!(it, deals::credit.eq_any([Some(number("-1.5")), Some(Decimal::ONE)])), ["large"]);
        assert_eq!(names!(it, deals::credit.lt(deals::budget.nullable())), ["large"]);
        assert_eq!(ordered!(it, deals::budget.desc()), ["large", "empty", "small"]);
        assert_eq!(one!(it, (deals::budget, deals::credit) => (Decimal, Option<Decimal>)), {
            (number("-0.0001"), Some(number("922337203685477.5807")))
        });
        assert_eq!(all!(it, (sum(deals::budget), sum(deals::credit)) => (Option<Decimal>, Option<Decimal>)), {
            (Some(number("24691.3577")), Some(number("922337203685476.0807")))
        });
        assert_eq!(all!(it, (min(deals::budget), max(deals::credit)) => (Option<Decimal>, Option<Decimal>)), {
            (Some(number("-0.0001")), Some(number("922337203685477.5807")))
        });
        assert_eq!(all!(it, avg(deals::budget) => Option<Decimal>), Some(number("8230.4526")), "a third of 24691.3577, rounded");
        assert_eq!(all!(it, count(deals::credit) => i64), 2);
        let none = deals::table.filter(deals::name.eq("")).select((sum(deals::budget), avg(deals::credit)));
        assert_eq!(none.get_result(it), Ok((None::<Decimal>, None::<Decimal>)));
        let rich = deals::table.group_by(deals::state).having(sum(deals::budget).gt(Some(number("24691.3577"))));
        assert_eq!(rich.select(deals::state).load(it), Ok(vec![State::Inactive]));
        let poor = deals::table.group_by(deals::state).having(avg(deals::budget).eq(Some(number("-0.0001"))));
        assert_eq!(poor.select(deals::state).load(it), Ok(vec![State::Active]));
        let error = deals::table.filter(deals::budget.gt(number("0.00005"))).count().get_result::<i64>(it).unwrap_err();
        assert!(error.to_string().contains("0.00005 does not fit in a 64-bit column with 4 decimal places"), "{error}");
        diesel::update(deals::table.find(Id::<Deal>::from(id(1)))).set((deals::budget.eq(Decimal::ONE), deals::credit.eq(Decimal::TWO))).execute(it).unwrap();
        assert_eq!(one!(it, (deals::budget, deals::credit) => (Decimal, Option<Decimal>)), (Decimal::ONE, Some(Decimal::TWO)));
    }

    decimals = |it| {
        assert_eq!(names!(it, deals::weight.eq(number("0.0001"))), ["small"]);
        assert_eq!(names!(it, deals::weight.ge(number("2.5"))), ["large", "empty"]);
        assert_eq!(names!(it, deals::score.eq(Some(number("-12345.67")))), ["small"]);
        assert_eq!(names!(it, deals::score.eq(number("-12345.670"))), ["small"]);
        assert_eq!(names!(it, deals::score.gt(number("0.01"))), ["large"]);
        assert_eq!(names!(it, deals::score.eq_any([Some(number("0.02"))])), ["large"]);
        assert_eq!(names!(it, (deals::weight + deals::weight).eq(deals::weight * 2)), ["small", "large", "empty"]);
        assert_eq!(ordered!(it, deals::weight.desc()), ["large", "empty", "small"]);
        assert_eq!(one!(it, (deals::weight, deals::score) => (Decimal, Option<Decimal>)), {
            (number("0.0001"), Some(number("-12345.67")))
        });
        assert_eq!(all!(it, (sum(deals::weight), sum(deals::score)) => (Option<Decimal>, Option<Decimal>)), {
            (Some(number("5.0001")), Some(number("-12345.65")))
        });
        assert_eq!(all!(it, (max(deals::weight), min(deals::score)) => (Option<Decimal>, Option<Decimal>)), {
            (Some(number("2.5")), Some(number("-12345.67")))
        });
        assert_eq!(all!(it, avg(deals::score) => Option<Decimal>), Some(number("-6172.83")), "-6172.825 is rounded away from zero");
        let error = deals::table.filter(deals::score.eq(number("0.005"))).count().get_result::<i64>(it).unwrap_err();
        assert!(error.to_string().contains("0.005 does not fit in a 64-bit column with 2 decimal places"), "{error}");
    }

    times = |it| {
        let (met, called) = (time("1901-02-03T04:05:06.789Z"), time("2016-12-05T12:00:01Z"));
        assert_eq!(names!(it, deals::met.eq(met)), ["small"]);
        assert_eq!(names!(it, deals::met.gt(&met)), ["large", "empty"]);
        assert_eq!(names!(it, deals::met.between(met, time("1999-12-31T23:59:59Z"))), ["small"]);
        assert_eq!(names!(it, deals::met.eq(datahub_runtime::Instant::from(met))), ["small"]);
        assert_eq!(names!(it, deals::last_call.eq(Some(called))), ["large"]);
        assert_eq!(names!(it, deals::last_call.eq(called)), ["large"]);
        assert_eq!(names!(it, deals::last_call.le(Some(called))), ["small", "large"]);
        assert_eq!(names!(it, deals::last_call.is_null()), ["empty"]);
        assert_eq!(names!(it, deals::last_call.eq_any([Some(called), None])), ["large"]);
        assert_eq!(names!(it, deals::last_call.gt(deals::met.nullable())), ["small", "large"]);
        assert_eq!(ordered!(it, deals::met.desc()), ["large", "empty", "small"]);
        assert_eq!(one!(it, (deals::met, deals::last_call) => (DateTime<Utc>, Option<DateTime<Utc>>)), {
            (met, Some(time("1969-12-31T23:59:59Z")))
        });
        assert_eq!(one!(it, deals::met => datahub_runtime::Instant), datahub_runtime::Instant::from(met));
        assert_eq!(all!(it, (min(deals::met), max(deals::last_call)) => (Option<DateTime<Utc>>, Option<DateTime<Utc>>)), {
            (Some(met), Some(called))
        });
        let late = deals::table.group_by(deals::state).having(max(deals::last_call).ge(Some(called)));
        assert_eq!(late.select(deals::state).load(it), Ok(vec![State::Inactive]));
    }

    guids_and_references = |it| {
        assert_eq!(names!(it, deals::token.eq(id(0xA))), ["small"]);
        assert_eq!(names!(it, deals::token.ne(&id(0xA))), ["large", "empty"]);
        assert_eq!(names!(it, deals::id.eq(id(1))), ["small"]);
        assert_eq!(names!(it, deals::id.eq(Id::<Deal>::from(id(1)))), ["small"]);
        assert_eq!(names!(it, deals::id.eq_any([Id::<Deal>::from(id(1)), id(2).into()])), ["small", "large"]);
        let others = diesel::alias!(deals as others);
        let verified = others.filter(others.field(deals::verified)).select(others.field(deals::id));
        assert_eq!(names!(it, deals::id.eq_any(verified)), ["small"]);
        assert_eq!(names!(it, deals::token.nullable().eq_any([Some(id(0xA))])), ["small"]);
        assert_eq!(names!(it, deals::old_token.eq(Some(id(0xBB)))), ["large"]);
        assert_eq!(names!(it, deals::old_token.eq(id(0xBB))), ["large"]);
        assert_eq!(names!(it, deals::old_token.eq_any([Some(id(0xBB))])), ["large"]);
        assert_eq!(names!(it, deals::parent.eq(id(1))), ["large", "empty"]);
        assert_eq!(names!(it, deals::parent.eq(Id::<Deal>::from(id(2)))), ["small"]);
        assert_eq!(names!(it, deals::country.eq(Id::<Country>::from(id(0xC)))), ["small"]);
        assert_eq!(names!(it, deals::country.eq(Some(Id::<Country>::from(id(0xC))))), ["small"]);
        assert_eq!(names!(it, deals::country.eq(Some(id(0xC)))), ["small"]);
        assert_eq!(ordered!(it, deals::token), ["small", "large", "empty"]);
        assert_eq!(one!(it, (deals::token, deals::old_token) => (Uuid, Option<Uuid>)), (id(0xA), Some(id(0xB))));
        assert_eq!(one!(it, (deals::parent, deals::country) => (Id<Deal>, Option<Id<Country>>)), {
            (id(2).into(), Some(id(0xC).into()))
        });
        assert_eq!(one!(it, (deals::parent, deals::country) => (Uuid, Option<Uuid>)), (id(2), Some(id(0xC))));
        assert_eq!(all!(it, count(deals::country) => i64), 2);
    }

    choices = |it| {
        assert_eq!(names!(it, deals::state.eq(State::Active)), ["small"]);
        assert_eq!(names!(it, deals::state.ne(&State::Active)), ["large", "empty"]);
        assert_eq!(names!(it, deals::state.eq(0)), ["small"]);
        assert_eq!(names!(it, deals::state.eq_any([State::Active, State::Inactive])), ["small", "large", "empty"]);
        assert_eq!(names!(it, deals::industry.eq(Industry::Accounting)), ["small"]);
        assert_eq!(names!(it, deals::industry.eq(Some(Industry::Other(3)))), ["large"]);
        assert_eq!(names!(it, deals::industry.eq_any([Industry::Accounting])), ["small"]);
        assert_eq!(ordered!(it, deals::state.desc()), ["large", "empty", "small"]);
        assert_eq!(one!(it, (deals::state, deals::industry) => (State, Option<Industry>)), {
            (State::Active, Some(Industry::Accounting))
        });
        assert_eq!(all!(it, (min(deals::state), max(deals::industry)) => (Option<State>, Option<Industry>)), {
            (Some(State::Active), Some(Industry::Other(3)))
        });
        diesel::update(deals::table).set(deals::state.eq(State::Inactive)).execute(it).unwrap();
        assert_eq!(one!(it, deals::state => i32), 1);
        diesel::update(deals::table).set(deals::state.eq(7)).execute(it).unwrap();
        let error = deals::table.select(deals::state).first::<State>(it).unwrap_err();
        assert!(format!("{error:?}").contains("has an option that is unknown to the contract"), "{error:?}");
    }

    dates_texts_and_plain_numbers = |it| {
        assert_eq!(names!(it, deals::due.eq(date("2016-01-31"))), ["small"]);
        assert_eq!(names!(it, deals::founded.lt(Some(date("2000-01-01")))), ["small"]);
        assert_eq!(names!(it, deals::founded.lt(date("2000-01-01"))), ["small"]);
        assert_eq!(ordered!(it, deals::due.desc()), ["large", "empty", "small"]);
        assert_eq!(one!(it, (deals::due, deals::founded) => (NaiveDate, Option<NaiveDate>)), {
            (date("2016-01-31"), Some(date("1899-12-31")))
        });
        assert_eq!(all!(it, (min(deals::due), max(deals::founded)) => (Option<NaiveDate>, Option<NaiveDate>)), {
            (Some(date("2016-01-31")), Some(date("2000-01-01")))
        });
        assert_eq!(names!(it, deals::name.like("s%").or(deals::alias.eq("l"))), ["small", "large"]);
        assert_eq!(one!(it, (deals::name, deals::alias) => (String, Option<String>)), ("small".into(), Some("s".into())));
        assert_eq!(names!(it, deals::employees.gt(1).and(deals::guests.eq(Some(2)))), ["large"]);
        assert_eq!(names!(it, deals::clicks.lt(0).and(deals::views.gt(2))), ["small"]);
        assert_eq!(names!(it, deals::area.le(0.5).and(deals::share.lt(Some(0.5)))), ["small"]);
        assert_eq!(names!(it, deals::verified.and(deals::paid.eq(true))), ["small"]);
        assert_eq!(all!(it, (sum(deals::employees), sum(deals::area), max(deals::views)) => (Option<i64>, Option<f64>, Option<i64>)), {
            (Some(5), Some(3.5), Some(i64::MAX))
        });
        assert_eq!(all!(it, (sum(deals::clicks), avg(deals::clicks)) => (Option<Number>, Option<Number>)), {
            (Some(Number(3.into())), Some(Number(1.into())))
        });
        assert_eq!(all!(it, avg(deals::guests) => Option<Number>), Some(Number(number("1.5"))));
        let small = deals::table.filter(deals::name.eq("small"));
        assert_eq!(small.select(sum(deals::views)).first(it), Ok(Some(Number(i64::MAX.into()))));
        assert_eq!(small.select(avg(deals::clicks)).first(it), Ok(Some(Number((-1).into()))));
        assert_eq!(small.select(avg(deals::share)).first(it), Ok(Some(0.25)));
    }
}
