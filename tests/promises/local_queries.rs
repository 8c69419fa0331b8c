//! Queries of the hub's rows: the same conditions as for CDMS, with the same meaning on both databases, without a request.

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Timelike, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::query::{Condition, Order};
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{Cursor, Value};
use example_domain::Organisation;
use rust_decimal::Decimal;

use crate::pull::crowd;
use crate::scene::{Scene, failed, says};

/// A model with a field of every kind that the hub alone has.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(table = "samples", mode = "detached", diesel(table = false))]
struct Sample {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms(local, sql_type = "string")]
    name: String,
    #[cdms(local, sql_type = "string")]
    nick: Option<String>,
    #[cdms(local, sql_type = "integer")]
    number: Option<i32>,
    #[cdms(local, sql_type = "bigint")]
    big: Option<i64>,
    #[cdms(local, sql_type = "decimal")]
    score: Option<Decimal>,
    #[cdms(local, sql_type = "money")]
    price: Option<Decimal>,
    #[cdms(local, sql_type = "double")]
    area: Option<f64>,
    #[cdms(local, sql_type = "boolean")]
    flag: Option<bool>,
    #[cdms(local, sql_type = "datetime")]
    at: Option<DateTime<Utc>>,
    #[cdms(local, sql_type = "date")]
    day: Option<NaiveDate>,
    #[cdms(local, sql_type = "lookup")]
    boss: Option<Id<Sample>>,
}

const TEXTS: [&str; 14] =
    ["", "a", "A ", "Ä", "ä", "O'Neil & Co", "o'neil", "100%", "100_", "50\\%", "straße", "x\u{2028}", "Z z", " z"];

fn decimal(random: &mut fastrand::Rng) -> Decimal {
    Decimal::new(random.i64(-30_000..30_000), 4)
}

fn time(random: &mut fastrand::Rng) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(random.i64(-2_000_000_000_000..2_000_000_000_000) / 1_000 * 1_000).unwrap()
}

fn some<T>(random: &mut fastrand::Rng, value: impl FnOnce(&mut fastrand::Rng) -> T) -> Option<T> {
    (random.u8(..4) > 0).then(|| value(random))
}

fn text(random: &mut fastrand::Rng) -> String {
    TEXTS[random.usize(..TEXTS.len())].to_owned()
}

fn sample(random: &mut fastrand::Rng, known: &[Sample]) -> Sample {
    Sample {
        id: Id::new(),
        name: text(random),
        // An empty text is null.
        nick: some(random, text).filter(|nick| !nick.is_empty()),
        number: some(random, |random| random.i32(-3..4)),
        big: some(random, |random| random.i64(-3..4) << 40),
        score: some(random, decimal),
        price: some(random, decimal),
        area: some(random, |random| f64::from(random.i32(-3..4)) / 2.0),
        flag: some(random, fastrand::Rng::bool),
        at: some(random, time),
        day: some(random, |random| time(random).date_naive()),
        boss: if known.is_empty() { None } else { some(random, |random| known[random.usize(..known.len())].id) },
    }
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

type Holds = Box<dyn Fn(&Sample, &[Sample]) -> bool>;

/// A condition, and what it means in plain Rust.
fn condition(random: &mut fastrand::Rng, known: &[Sample], depth: u8) -> (Condition<Sample>, Holds) {
    let f = Sample::FIELDS;
    let pick = known[random.usize(..known.len())].clone();
    /// The six comparisons of a field with the value of a record that was picked.
    macro_rules! compared {
        ($field:ident, $value:expr, $key:expr) => {{
            let value = $value;
            let key = $key;
            let wanted = key(&value);
            let of = move |sample: &Sample| sample.$field.as_ref().map(|value| key(value));
            match random.u8(..6) {
                0 => (
                    f.$field.eq(value),
                    Box::new(move |s: &Sample, _: &[Sample]| of(s) == Some(wanted.clone())) as Holds,
                ),
                1 => (
                    f.$field.ne(value),
                    Box::new(move |s: &Sample, _: &[Sample]| of(s) != Some(wanted.clone())) as Holds,
                ),
                2 => (
                    f.$field.lt(value),
                    Box::new(move |s: &Sample, _: &[Sample]| of(s).is_some_and(|v| v < wanted)) as Holds,
                ),
                3 => (
                    f.$field.le(value),
                    Box::new(move |s: &Sample, _: &[Sample]| of(s).is_some_and(|v| v <= wanted)) as Holds,
                ),
                4 => (
                    f.$field.gt(value),
                    Box::new(move |s: &Sample, _: &[Sample]| of(s).is_some_and(|v| v > wanted)) as Holds,
                ),
                _ => (
                    f.$field.ge(value),
                    Box::new(move |s: &Sample, _: &[Sample]| of(s).is_some_and(|v| v >= wanted)) as Holds,
                ),
            }
        }};
    }
    match random.u8(..if depth > 0 { 17 } else { 12 }) {
        0 => {
            let wanted = folded(&pick.name);
            (f.name.eq(pick.name), Box::new(move |s, _| folded(&s.name) == wanted))
        }
        1 => compared!(
            nick,
            Some(text(random)).filter(|text| !text.is_empty()).unwrap_or("a".into()),
            |text: &String| folded(text)
        ),
        2 => compared!(number, pick.number.unwrap_or(0), |number: &i32| *number),
        3 => compared!(big, pick.big.unwrap_or(1), |number: &i64| *number),
        4 => {
            // Also between and beyond what the column can hold.
            let bound = match random.u8(..4) {
                0 => decimal(random) + Decimal::new(5, 6),
                1 => Decimal::new(if random.bool() { 1 } else { -1 }, 0) * Decimal::from(99_999_999_999_i64),
                _ => pick.score.unwrap_or_default(),
            };
            compared!(score, bound, |number: &Decimal| *number)
        }
        5 => compared!(price, pick.price.unwrap_or_default(), |number: &Decimal| *number),
        6 => compared!(at, pick.at.unwrap_or_default(), |time: &DateTime<Utc>| *time),
        7 => compared!(day, pick.day.unwrap_or_default(), |day: &NaiveDate| *day),
        8 => {
            let looked_for = text(random);
            let wanted = looked_for.to_lowercase();
            let of = |s: &Sample| s.nick.as_ref().map(|nick| nick.to_lowercase());
            match random.u8(..3) {
                0 => (
                    f.nick.contains(looked_for),
                    Box::new(move |s, _| of(s).is_some_and(|text| text.contains(&wanted))),
                ),
                1 => {
                    let holds = move |s: &Sample, _: &[Sample]| of(s).is_some_and(|text| text.starts_with(&wanted));
                    (f.nick.starts_with(looked_for), Box::new(holds))
                }
                _ => {
                    let holds = move |s: &Sample, _: &[Sample]| of(s).is_some_and(|text| text.ends_with(&wanted));
                    (f.nick.ends_with(looked_for), Box::new(holds))
                }
            }
        }
        9 => {
            let (time, flag) = (pick.at.unwrap_or_default(), random.bool());
            match random.u8(..6) {
                0 => {
                    (f.at.year().ge(time.year()), Box::new(move |s, _| s.at.is_some_and(|at| at.year() >= time.year())))
                }
                1 => {
                    let month = i32::try_from(time.month()).unwrap();
                    (f.at.month().ne(month), Box::new(move |s, _| s.at.is_none_or(|at| at.month() != time.month())))
                }
                2 => {
                    let day = i32::try_from(time.day()).unwrap();
                    (f.day.day().le(day), Box::new(move |s, _| s.day.is_some_and(|at| at.day() <= time.day())))
                }
                3 => {
                    let hour = i32::try_from(time.hour()).unwrap();
                    (f.at.hour().eq(hour), Box::new(move |s, _| s.at.is_some_and(|at| at.hour() == time.hour())))
                }
                4 => {
                    let minute = i32::try_from(time.minute()).unwrap();
                    (f.at.minute().lt(minute), Box::new(move |s, _| s.at.is_some_and(|at| at.minute() < time.minute())))
                }
                _ => (f.flag.eq(flag), Box::new(move |s, _| s.flag == Some(flag))),
            }
        }
        10 => match random.u8(..4) {
            0 => (f.nick.is_null(), Box::new(|s, _| s.nick.is_none())),
            1 => (f.at.is_not_null(), Box::new(|s, _| s.at.is_some())),
            2 => (f.boss.eq(pick.id), Box::new(move |s, _| s.boss == Some(pick.id))),
            _ => (f.area.eq(pick.area), Box::new(move |s, _| s.area == pick.area)),
        },
        11 => {
            let numbers = [pick.number.unwrap_or(1), 2];
            (f.number.is_in(numbers), Box::new(move |s, _| s.number.is_some_and(|number| numbers.contains(&number))))
        }
        12 => {
            let (inner, holds) = condition(random, known, depth - 1);
            let followed =
                move |s: &Sample, all: &[Sample]| all.iter().any(|boss| s.boss == Some(boss.id) && holds(boss, all));
            (f.boss.matches(inner), Box::new(followed))
        }
        13 => {
            let (inner, holds) = condition(random, known, depth - 1);
            (inner.not(), Box::new(move |s, all| !holds(s, all)))
        }
        more => {
            let (first, first_holds) = condition(random, known, depth - 1);
            let (second, second_holds) = condition(random, known, depth - 1);
            match more {
                14 => (first.and(second), Box::new(move |s, all| first_holds(s, all) && second_holds(s, all))),
                _ => (first.or(second), Box::new(move |s, all| first_holds(s, all) || second_holds(s, all))),
            }
        }
    }
}

async fn samples(random: &mut fastrand::Rng, count: usize) -> (Kit, Hub, Vec<Sample>) {
    let kit = Kit::new(example_domain::METADATA);
    let hub = kit.hub(models![Sample]).connect().await.unwrap();
    let mut all = Vec::new();
    for _ in 0..count {
        let new = sample(random, &all);
        all.push(Sample::create(&hub, new).await.unwrap().into_inner());
    }
    (kit, hub, all)
}

#[allow(clippy::print_stderr, reason = "a failure is repeated with this seed")]
fn seeded() -> fastrand::Rng {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("DATAHUB_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

#[tokio::test]
async fn random_conditions_on_fields_of_every_kind_mean_the_same_on_the_rows() {
    let mut random = seeded();
    let (_kit, hub, all) = samples(&mut random, 60).await;
    let mut found_some = 0;
    for _ in 0..400 {
        let (condition, holds) = condition(&mut random, &all, 3);
        let shown = condition.to_string();
        let mut expected: Vec<_> = all.iter().filter(|sample| holds(sample, &all)).map(|sample| sample.id).collect();
        expected.sort_unstable_by_key(|id| id.guid());
        let query = || Sample::find(&hub).filter(condition.clone()).freshness(Freshness::LocalOnly);
        let found = query().load().await.unwrap();
        let ids: Vec<_> = found.records.iter().map(Synced::id).collect();
        assert_eq!(ids, expected, "{shown}");
        assert_eq!(query().count().await.unwrap(), expected.len() as u64, "{shown}");
        found_some += usize::from(!expected.is_empty() && expected.len() < all.len());
    }
    assert!(found_some > 150, "only {found_some} conditions tell rows apart");
}

#[tokio::test]
async fn pages_of_rows_contain_each_once_in_order_with_null_first() {
    let mut random = seeded();
    let (_kit, hub, all) = samples(&mut random, 60).await;
    let f = Sample::FIELDS;
    let orders: [Vec<Order<Sample>>; 7] = [
        vec![],
        vec![f.nick.asc()],
        vec![f.nick.desc(), f.number.asc()],
        vec![f.number.desc(), f.name.desc(), f.at.asc()],
        vec![f.score.asc()],
        vec![f.day.desc(), f.price.desc()],
        vec![f.area.asc(), f.big.desc()],
    ];
    for order in orders {
        let query = || {
            let query = Sample::find(&hub).filter(f.flag.ne(true));
            order.iter().fold(query, |query, by| query.order_by(*by))
        };
        let mut whole: Vec<_> = all.iter().filter(|sample| sample.flag != Some(true)).collect();
        whole.sort_by_key(|sample| sample.id.guid());
        for by in order.iter().rev() {
            let text = |text: &Option<String>| text.as_deref().map(folded);
            let compare = |one: &Sample, other: &Sample| match by.path() {
                "nick" => text(&one.nick).cmp(&text(&other.nick)),
                "name" => folded(&one.name).cmp(&folded(&other.name)),
                "number" => one.number.cmp(&other.number),
                "big" => one.big.cmp(&other.big),
                "score" => one.score.cmp(&other.score),
                "price" => one.price.cmp(&other.price),
                "at" => one.at.cmp(&other.at),
                "day" => one.day.cmp(&other.day),
                "area" => one.area.partial_cmp(&other.area).unwrap(),
                other => panic!("{other}"),
            };
            whole.sort_by(|one, other| if by.is_descending() { compare(other, one) } else { compare(one, other) });
        }
        let whole: Vec<_> = whole.iter().map(|sample| sample.id).collect();
        let loaded = query().load().await.unwrap();
        assert_eq!(loaded.records.iter().map(Synced::id).collect::<Vec<_>>(), whole, "{order:?}");
        let (mut pages, mut cursor) = (Vec::new(), None::<Cursor>);
        loop {
            let query = query().limit(7);
            let query = if let Some(cursor) = cursor.take() { query.after(cursor) } else { query };
            let page = query.load().await.unwrap();
            pages.extend(page.records.iter().map(Synced::id));
            match page.next {
                Some(next) => cursor = Some(next.to_string().parse().unwrap()),
                None => break,
            }
        }
        assert_eq!(pages, whole, "{order:?}");
        let mut stream = query().limit(20).stream();
        let mut streamed = Vec::new();
        while let Some(sample) = stream.next().await.unwrap() {
            streamed.push(sample.id());
        }
        assert_eq!(streamed, whole[..20.min(whole.len())]);
    }
}

#[tokio::test]
async fn rows_are_asked_for_without_a_request_and_say_so() {
    let (scene, _) = crowd(59).await;
    Organisation::find(&scene.hub).load().await.unwrap();
    let f = Organisation::FIELDS;
    scene.minute();
    scene.person_edits("Name", Value::text("Renamed"));
    let local = || Organisation::find(&scene.hub).freshness(Freshness::LocalOnly);
    let acme = local().filter(f.name.eq("acme")).one().await.unwrap();
    assert!(matches!(acme.checked(), Checked::NotChecked { since: Some(_) }));
    let page = local().filter(f.archived.eq(false)).order_by(f.name.desc()).limit(50).load().await.unwrap();
    assert_eq!((page.records.len(), page.records[0].name.as_str(), page.next.is_some()), (50, "Firm 9", true));
    assert_eq!((page.cost.requests, page.cost.statements, page.cost.transactions), (0, 2, 0));
    let (count, cost) = scene.cost_of(local().filter(f.name.starts_with("firm")).count()).await;
    assert_eq!((count.unwrap(), cost.requests, cost.statements), (59, 0, 1));
    let many = (0..3_000).map(|number| format!("Firm {number}"));
    assert_eq!(local().filter(f.name.is_in(many)).count().await.unwrap(), 59, "however many values there are");
    assert!(!local().filter(f.name.eq("Renamed")).exists().await.unwrap());
    assert_eq!(local().order_by(f.credit_limit.desc()).first().await.unwrap().unwrap().name, "Acme");
    // A row that has left is not found.
    scene.kit.simulator.remove("Account", scene.account);
    failed(scene.get().await, ErrorKind::Gone);
    failed(local().filter(f.name.eq("acme")).one().await, ErrorKind::NotFound);
}

#[tokio::test]
async fn the_rows_stand_in_for_a_cdms_that_is_away() {
    let (scene, _) = crowd(59).await;
    Organisation::find(&scene.hub).load().await.unwrap();
    let f = Organisation::FIELDS;
    let list = || Organisation::find(&scene.hub).order_by(f.name.asc()).limit(20).or_local();
    let first = list().load().await.unwrap();
    assert!(first.records.iter().all(|organisation| organisation.checked().is_fresh()));
    let away = || scene.fault(Operation::List, Fault::DropBeforeCommit);
    away();
    let local = list().load().await.unwrap();
    assert!(local.records.iter().all(|organisation| !organisation.checked().is_fresh()));
    assert_eq!(local.records.len(), 20);
    let next = local.next.unwrap();
    // The hub's pages go on in the hub, and CDMS's in CDMS.
    let second = list().after(next.clone()).load().await.unwrap();
    assert_eq!((second.cost.requests, second.records.len()), (0, 20));
    says(
        &failed(Organisation::find(&scene.hub).order_by(f.name.asc()).after(next).load().await, ErrorKind::Invalid),
        &["continues a list of the hub's rows", "ask the same side"],
    );
    away();
    failed(list().after(first.next.clone().unwrap()).load().await, ErrorKind::Unavailable);
    let mixed = Organisation::find(&scene.hub).order_by(f.name.asc()).freshness(Freshness::LocalOnly);
    failed(mixed.after(first.next.unwrap()).load().await, ErrorKind::Invalid);
    away();
    assert_eq!(Organisation::find(&scene.hub).or_local().count().await.unwrap(), 60);
    away();
    let error = failed(Organisation::find(&scene.hub).load().await, ErrorKind::Unavailable);
    says(&error, &["or call `or_local()`"]);
    // What CDMS cannot evaluate is refused whether it is there or not.
    failed(Organisation::find(&scene.hub).filter(f.archived.eq(true)).or_local().load().await, ErrorKind::Invalid);
}

#[tokio::test]
async fn a_list_has_no_age() {
    let scene = Scene::new().await;
    let minute = Freshness::MaxAge(std::time::Duration::from_secs(60));
    let error = failed(Organisation::find(&scene.hub).freshness(minute).load().await, ErrorKind::Invalid);
    says(&error, &["a list has no age", "ensure_fresh(models![Organisation]", "LocalOnly"]);
}
