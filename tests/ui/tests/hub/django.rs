//! The table of Django's query operations in `docs/queries.md`: every line of it is run here, on both databases, and what
//! stands there is what is run.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Attributes, Value};
use diesel::dsl::{count_star, max, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;

use crate::METADATA;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "firms")]
struct Firm {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Alias")]
    alias: Option<String>,
    #[cdms("Employees")]
    employees: Option<i32>,
    #[cdms("LastCall")]
    called: Option<DateTime<Utc>>,
    #[cdms("Founded")]
    founded: Option<NaiveDate>,
    #[cdms("Country")]
    country: Option<Id<Land>>,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "lands")]
struct Land {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
}

diesel::joinable!(firms -> lands (country));
diesel::allow_tables_to_appear_in_same_query!(firms, lands);

const DOCS: &str = include_str!("../../../../docs/queries.md");

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Asserts that the line of an operation in the documentation has this code.
#[track_caller]
fn is_documented(operation: &str, code: &str) {
    let begin = format!("| `{operation}` |");
    let line = DOCS.lines().find(|line| line.starts_with(&begin));
    let line = line.unwrap_or_else(|| panic!("docs/queries.md has no line `{operation}`"));
    let code = without_space(code);
    assert!(without_space(line).replace("\\|", "|").contains(&format!("`{code}`")), "{operation}: {code}\n{line}");
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Three firms: one with a land, one without anything, and one that was founded long ago.
async fn firms() -> (Kit, Hub) {
    let kit = Kit::new(METADATA);
    let land = kit.simulator.seed("Country", [("Name", Value::text("Wales"))]);
    let seed = |attributes: &[(&'static str, Value)]| {
        kit.simulator.seed("Account", attributes.iter().cloned().collect::<Attributes>());
    };
    seed(&[
        ("Name", Value::text("Acme")),
        ("Alias", Value::text("A")),
        ("Employees", Value::Integer(10)),
        ("LastCall", Value::Instant(time("2016-02-29T12:34:56Z").into())),
        ("Founded", Value::Instant(time("2000-01-31T00:00:00Z").into())),
        ("Country", Value::Lookup(datahub_runtime::Reference { logical_name: "country".into(), id: land })),
    ]);
    seed(&[("Name", Value::text("Beta"))]);
    seed(&[
        ("Name", Value::text("acme Foods")),
        ("Alias", Value::text("F")),
        ("Employees", Value::Integer(20)),
        ("LastCall", Value::Instant(time("2017-03-01T08:00:00Z").into())),
        ("Founded", Value::Instant(time("1950-01-02T00:00:00Z").into())),
    ]);
    let hub = kit.hub(models![Firm, Land]).connect().await.unwrap();
    hub.ensure_fresh(models![Firm, Land], Freshness::Always).or_load().await.unwrap();
    (kit, hub)
}

/// Queries whose records have these names, in any order.
macro_rules! lists {
    ($($operation:literal: $query:expr => [$($name:literal),*];)*) => {$(
        is_documented($operation, stringify!($query));
        let found = $query.load().await.unwrap().complete().unwrap();
        let mut names: Vec<_> = found.iter().map(|firm| firm.name.as_str()).collect();
        names.sort_unstable();
        let expected: Vec<&str> = vec![$($name),*];
        assert_eq!(names, expected, $operation);
    )*};
}

/// Queries whose records have these names in this order.
macro_rules! ordered {
    ($($operation:literal: $query:expr => [$($name:literal),*];)*) => {$(
        is_documented($operation, stringify!($query));
        let found = $query.load().await.unwrap().complete().unwrap();
        let names: Vec<_> = found.iter().map(|firm| firm.name.as_str()).collect();
        assert_eq!(names, [$($name),*], $operation);
    )*};
}

#[tokio::test]
async fn lookups_and_combinations() {
    let (_kit, hub) = firms().await;
    let f = Firm::FIELDS;
    let find = || Firm::find(&hub);
    lists! {
        "iexact": find().filter(f.name.eq("ACME")) => ["Acme"];
        "icontains": find().filter(f.name.contains("cme")) => ["Acme", "acme Foods"];
        "istartswith": find().filter(f.name.starts_with("ACME")) => ["Acme", "acme Foods"];
        "iendswith": find().filter(f.name.ends_with("foods")) => ["acme Foods"];
        "in": find().filter(f.name.is_in(["Acme", "Beta"])) => ["Acme", "Beta"];
        "gt": find().filter(f.employees.gt(10)) => ["acme Foods"];
        "gte": find().filter(f.employees.ge(10)) => ["Acme", "acme Foods"];
        "lt": find().filter(f.employees.lt(20)) => ["Acme"];
        "lte": find().filter(f.employees.le(20)) => ["Acme", "acme Foods"];
        "range": find().filter(f.employees.between(15, 25)) => ["acme Foods"];
        "isnull": find().filter(f.alias.is_null()) => ["Beta"];
        "year": find().filter(f.called.year().eq(2016)) => ["Acme"];
        "month": find().filter(f.called.month().eq(3)).freshness(Freshness::LocalOnly) => ["acme Foods"];
        "day": find().filter(f.called.day().eq(29)).freshness(Freshness::LocalOnly) => ["Acme"];
        "hour": find().filter(f.called.hour().lt(10)).freshness(Freshness::LocalOnly) => ["acme Foods"];
        "minute": find().filter(f.called.minute().eq(34)).freshness(Freshness::LocalOnly) => ["Acme"];
        "Q": find().filter(f.alias.eq("F").or(f.employees.is_null().and(f.name.eq("Beta")))) => ["Beta", "acme Foods"];
        "exclude": find().filter(f.name.contains("acme").not()) => ["Beta"];
        "none": find().limit(0) => [];
    }
    ordered! {
        "order_by": find().order_by(f.alias.desc()).order_by(f.name.asc()) => ["acme Foods", "Acme", "Beta"];
        "reverse": find().order_by(f.name.desc()) => ["Beta", "acme Foods", "Acme"];
    }
}

/// The value of a call, as it is written in the documentation.
macro_rules! calls {
    ($($operation:literal: $call:expr => |$value:ident| $check:expr;)*) => {$(
        is_documented($operation, stringify!($call));
        let $value = $call;
        assert!($check, $operation);
    )*};
}

#[tokio::test]
async fn calls_that_load_count_and_write() -> Result<(), Box<dyn std::error::Error>> {
    let (_kit, hub) = firms().await;
    let f = Firm::FIELDS;
    let find = || Firm::find(&hub);
    let id = find().filter(f.name.eq("Beta")).one().await?.id();
    calls! {
        "get": find().filter(f.name.eq("Acme")).one().await? => |firm| firm.employees == Some(10);
        "first": find().order_by(f.name.asc()).first().await? => |firm| firm.is_some_and(|firm| firm.name == "Acme");
        "last": find().order_by(f.name.desc()).first().await? => |firm| firm.is_some_and(|firm| firm.name == "Beta");
        "latest": find().order_by(f.called.desc()).first().await? => |firm| firm.is_some_and(|firm| firm.name == "acme Foods");
        "earliest": find().filter(f.called.is_not_null()).order_by(f.called.asc()).first().await? => |firm| firm.is_some_and(|firm| firm.name == "Acme");
        "count": find().filter(f.alias.is_not_null()).count().await? => |count| count == 2;
        "exists": find().filter(f.name.eq("Beta")).exists().await? => |exists| exists;
        "in_bulk": Firm::get_many(&hub, [id]).await? => |many| many.records[0].name == "Beta" && many.missing.is_empty();
    }
    let page = find().order_by(f.name.asc()).load().await?;
    let lands = Land::find(&hub).load().await?;
    calls! {
        "select_related": Firm::load_related(&hub, &page, f.country).await? => |related| {
            let land: Option<&Synced<Land>> = related.get(page.records[0].country);
            land.is_some_and(|land| land.name == "Wales") && related.iter().count() == 1
        };
        "prefetch_related": Land::load_referring(&hub, &lands, f.country).await? => |firms| {
            firms.of(lands.records[0].id()).iter().map(|firm| firm.name.as_str()).eq(["Acme"])
        };
    }
    let new = |name: &str| Firm { name: name.to_owned(), ..Firm::draft().unwrap() };
    calls! {
        "create": Firm::create(&hub, new("Gamma")).await? => |firm| firm.name == "Gamma";
        "bulk_create": Firm::create_many(&hub, vec![new("Delta"), new("Epsilon")]).await => |written| {
            written.outcomes.iter().all(Result::is_ok)
        };
    }
    let mut firm = find().filter(f.name.eq("Gamma")).one().await?;
    firm.employees = Some(7);
    calls! {
        "save": firm.save(&hub).await? => |_saved| true;
    }
    let mut firms = find().filter(f.employees.is_null()).load().await?.complete()?;
    firms.iter_mut().for_each(|firm| firm.employees = Some(1));
    calls! {
        "update": Firm::save_many(&hub, firms).await => |written| written.outcomes.len() == 3;
        "delete": find().filter(f.name.eq("Gamma")).one().await?.delete(&hub).await? => |_deleted| true;
    }
    assert_eq!(find().filter(f.employees.eq(1)).count().await?, 3);
    for expected in [6, 6] {
        calls! {
            "get_or_create": match find().filter(f.name.eq("Zeta")).first().await? { Some(firm) => firm, None => Firm::create(&hub, new("Zeta")).await? } => |firm| {
                firm.name == "Zeta"
            };
        }
        assert_eq!(find().count().await?, expected);
    }
    for employees in [8, 9] {
        let mut firm = find().filter(f.name.eq("Zeta")).first().await?.unwrap_or_else(|| panic!("it was created"));
        firm.employees = Some(employees);
        calls! {
            "update_or_create": firm.save(&hub).await? => |_saved| true;
        }
    }
    assert_eq!(find().filter(f.name.eq("Zeta")).one().await?.employees, Some(9));
    Ok(())
}

/// Runs Diesel's queries on the rows of a kit, on whichever database it has. Diesel's connections wait where they are.
macro_rules! with_diesel {
    ($kit:ident, |$connection:ident, $is_on_postgres:ident| $queries:block) => {{
        fn on_sqlite($connection: &mut SqliteConnection, $is_on_postgres: bool) $queries
        fn on_postgres($connection: &mut AsyncConnectionWrapper<AsyncPgConnection>, $is_on_postgres: bool) $queries
        let (address, is_on_postgres) = ($kit.database(), $kit.is_on_postgres());
        let asked = tokio::task::spawn_blocking(move || {
            if is_on_postgres {
                on_postgres(&mut AsyncConnectionWrapper::establish(&address).unwrap(), true);
            } else {
                let address = address.trim_start_matches("sqlite://");
                on_sqlite(&mut SqliteConnection::establish(address).unwrap(), false);
            }
        });
        asked.await.unwrap();
    }};
}

/// Diesel's queries, each with the way to its result.
macro_rules! rows {
    ($connection:ident: $($operation:literal: $query:expr => $load:ident::<$type:ty>, |$found:ident| $check:expr;)*) => {$(
        is_documented($operation, stringify!($query));
        let $found = $query.$load::<$type>($connection).unwrap();
        assert!($check, "{}: {:?}", $operation, $found);
    )*};
}

/// A row of a query by hand.
#[derive(Debug, QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[tokio::test]
async fn queries_of_the_rows_by_diesel() {
    let (kit, _hub) = firms().await;
    with_diesel!(kit, |it, is_on_postgres| {
        rows! { it:
            "exact": firms::table.filter(firms::name.eq("Acme")).select(firms::name) => load::<String>, |found| found == ["Acme"];
            "contains": firms::table.filter(firms::name.like("%cm%")).select(firms::name) => load::<String>, |found| found.len() == 2;
            "startswith": firms::table.filter(firms::name.like("A%")).select(firms::name) => load::<String>, |found| {
                // SQLite's LIKE ignores the case of ASCII letters.
                found.len() == if is_on_postgres { 1 } else { 2 }
            };
            "endswith": firms::table.filter(firms::name.like("%Foods")).select(firms::name) => load::<String>, |found| found == ["acme Foods"];
            "values_list": firms::table.filter(firms::employees.gt(10)).select((firms::name, firms::employees)) => load::<(String, Option<i32>)>, |found| {
                found == [("acme Foods".to_owned(), Some(20))]
            };
            "distinct": firms::table.select(firms::country.is_null()).distinct() => load::<bool>, |found| found.len() == 2;
            "aggregate": firms::table.select(max(firms::employees)) => first::<Option<i32>>, |found| found == Some(20);
            "annotate": firms::table.inner_join(lands::table).group_by(lands::name).select((lands::name, count_star())) => load::<(String, i64)>, |found| {
                found == [("Wales".to_owned(), 1)]
            };
            "dates": firms::table.select(firms::founded).distinct().order(firms::founded.desc()) => load::<Option<NaiveDate>>, |found| {
                found.contains(&Some(date("1950-01-02"))) && found.len() == 3
            };
            "datetimes": firms::table.select(firms::called).distinct().order(firms::called.desc()) => load::<Option<DateTime<Utc>>>, |found| {
                found.contains(&Some(time("2017-03-01T08:00:00Z"))) && found.len() == 3
            };
            "only": firms::table.select((firms::id, firms::alias)) => load::<(Id<Firm>, Option<String>)>, |found| found.len() == 3;
            "order_by random": firms::table.order(sql::<Integer>("random()")).select(firms::name).limit(2) => load::<String>, |found| found.len() == 2;
            "extra": firms::table.filter(sql::<Bool>("length(name) = 4")).select(firms::name) => load::<String>, |found| found.len() == 2;
            "raw": diesel::sql_query("SELECT name FROM firms WHERE employees > 10") => load::<Named>, |found| found[0].name == "acme Foods";
        }
        // Each database has its own functions for times.
        let (second, week_day) = if is_on_postgres {
            is_documented("second", r#"sql::<Bool>("extract(second from called at time zone 'utc') = 56")"#);
            is_documented("week_day", r#"sql::<Bool>("extract(dow from called at time zone 'utc') = 1")"#);
            ("extract(second from called at time zone 'utc') = 56", "extract(dow from called at time zone 'utc') = 1")
        } else {
            is_documented("second", r#"sql::<Bool>("strftime('%S', called / 1000000, 'unixepoch') = '56'")"#);
            is_documented("week_day", r#"sql::<Bool>("strftime('%w', called / 1000000, 'unixepoch') = '1'")"#);
            (
                "strftime('%S', called / 1000000, 'unixepoch') = '56'",
                "strftime('%w', called / 1000000, 'unixepoch') = '1'",
            )
        };
        for condition in [second, week_day] {
            let found = firms::table.filter(sql::<Bool>(condition)).select(firms::name).load::<String>(it).unwrap();
            assert_eq!(found, ["Acme"], "{condition}");
        }
    });
}

#[test]
fn every_operation_of_the_table_is_run_or_says_why_it_has_no_counterpart() {
    let table = DOCS.split_once("## Coming from Django").unwrap().1;
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let source = include_str!("django.rs");
    let mut without = Vec::new();
    for row in &rows {
        let operation = row.split('`').nth(1).unwrap();
        if row.contains("| no counterpart:") {
            without.push(operation);
        } else if !row.contains("| see `") {
            assert!(source.contains(&format!("\"{operation}\"")), "{operation} is not run");
        }
    }
    assert!(without.len() <= 5, "{without:?}");
    let django = "exact iexact contains icontains in gt gte lt lte startswith istartswith endswith iendswith range year month day \
         week_day hour minute second isnull search regex iregex Q exclude order_by get create bulk_create save update delete \
         select_for_update annotate reverse distinct values values_list dates datetimes none select_related prefetch_related \
         extra defer only raw get_or_create update_or_create count in_bulk latest earliest first last aggregate exists";
    for operation in django.split_whitespace() {
        assert!(rows.iter().any(|row| row.starts_with(&format!("| `{operation}` |"))), "{operation} is missing");
    }
}
