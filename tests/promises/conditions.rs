//! What CDMS is asked for a condition finds exactly the records whose rows satisfy it: random conditions by typed handles,
//! over random records of the simulator, asked over HTTP.
//!
//! `DATAHUB_SEED=n` replays a seed.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use datahub_model::conversion::{decode, with_calendar_dates};
use datahub_model::filter::ODataV2;
use datahub_runtime::prelude::*;
use datahub_runtime::query::{Condition, Wanted};
use datahub_runtime::testing::Kit;
use datahub_runtime::{Attributes, Instant, Reference, Value};
use example_domain::{Interaction, Organisation, OrganisationState, Sector};
use fastrand::Rng;
use uuid::Uuid;

/// Texts with everything that means something in addresses, in filters and in SQL. None has an accent, which CDMS ignores
/// and the hub does not.
const TEXTS: [&str; 14] = [
    "Acme",
    "acme ",
    "ACME Ltd",
    "it's",
    "a\"b",
    "100% & + _#",
    "a/b?c=d;e,f",
    "(x) and (y)",
    "[a-z]",
    "Ωmega Ж",
    "日本 😀",
    "null",
    "' or 1 eq 1",
    "\\",
];

fn text(random: &mut Rng) -> String {
    TEXTS[random.usize(..TEXTS.len())].to_owned()
}

fn beginning_of_text(random: &mut Rng) -> String {
    let text = text(random);
    let letters: Vec<char> = text.chars().collect();
    letters[..random.usize(1..=letters.len())].iter().collect()
}

fn optional<T>(random: &mut Rng, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    (random.u8(..4) > 0).then(|| value(random))
}

fn id(random: &mut Rng) -> Uuid {
    Uuid::from_u128(random.u128(1..5))
}

fn time(random: &mut Rng) -> DateTime<Utc> {
    let begin: DateTime<Utc> = "2023-12-31T23:59:58Z".parse().unwrap();
    begin + TimeDelta::seconds(random.i64(0..4)) + TimeDelta::days(366 * random.i64(0..3))
}

fn organisation(random: &mut Rng) -> Attributes {
    let lookup = |name: &'static str, id| Value::Lookup(Reference { logical_name: name.into(), id });
    let text = |value: Option<String>| value.map_or(Value::Null, Value::text);
    Attributes::from([
        ("Name", Value::text(self::text(random))),
        ("optevia_Alias", text(optional(random, self::text))),
        ("WebSiteURL", text(optional(random, self::text))),
        ("optevia_TownCity", text(optional(random, self::text))),
        ("optevia_ukorganisation", optional(random, Rng::bool).map_or(Value::Null, Value::Boolean)),
        ("optevia_Sector", optional(random, id).map_or(Value::Null, |id| lookup("optevia_sector", id))),
        ("StateCode", Value::Choice(random.i32(0..2))),
    ])
}

/// A condition of some depth, made of others.
fn joined<M: CdmsSynced>(random: &mut Rng, depth: u8, leaf: &dyn Fn(&mut Rng) -> Condition<M>) -> Condition<M> {
    if depth == 0 || random.u8(..3) == 0 {
        return leaf(random);
    }
    let first = joined(random, depth - 1, leaf);
    match random.u8(..5) {
        0 => first.not(),
        1 | 2 => first.and(joined(random, depth - 1, leaf)),
        _ => first.or(joined(random, depth - 1, leaf)),
    }
}

fn of_organisations(random: &mut Rng) -> Condition<Organisation> {
    let f = Organisation::FIELDS;
    let state = if random.bool() { OrganisationState::Active } else { OrganisationState::Inactive };
    match random.u8(..18) {
        0 => f.name.eq(text(random)),
        1 => f.name.ne(text(random)),
        2 => f.name.contains(beginning_of_text(random)),
        3 => f.name.starts_with(beginning_of_text(random)),
        4 => f.alias.eq(""),
        5 => f.alias.ne(text(random)),
        6 => f.alias.ends_with(beginning_of_text(random)),
        7 => f.website.is_null(),
        8 => f.website.eq(text(random)),
        9 => f.website.ne(optional(random, text)),
        10 => f.website.is_in([text(random), text(random)]),
        11 => f.registered_address.town.contains(beginning_of_text(random)),
        12 => f.uk_organisation.eq(random.bool()),
        13 => f.uk_organisation.ne(random.bool()),
        14 => f.sector.eq(optional(random, |random| Id::<Sector>::from(id(random)))),
        15 => f.sector.ne(Id::<Sector>::from(id(random))),
        16 => f.id.ne(Id::from(id(random))),
        _ => f.state.eq(state),
    }
}

fn of_interactions(random: &mut Rng) -> Condition<Interaction> {
    let f = Interaction::FIELDS;
    let time = time(random) + TimeDelta::milliseconds([0, 0, 500][random.usize(..3)]);
    let year = random.i32(2022..2028);
    match random.u8(..10) {
        0 => f.date.eq(time),
        1 => f.date.ne(time),
        2 => f.date.lt(time),
        3 => f.date.le(time),
        4 => f.date.gt(time),
        5 => f.date.between(time, time + TimeDelta::days(400)),
        6 => f.date.year().eq(year),
        7 => f.date.year().ne(year),
        8 => f.date.year().ge(year),
        _ => f.date.is_not_null(),
    }
}

/// Whether a record's row satisfies a condition.
fn is_satisfied<M: CdmsSynced>(kit: &Kit, id: Uuid, condition: &Condition<M>) -> bool {
    let (model, record) = (M::DESCRIPTOR, kit.simulator.record(M::DESCRIPTOR.entity.name, id).unwrap());
    let mut attributes: Attributes = model
        .attributes
        .iter()
        .map(|known| (known.name, record.get(known.name).cloned().unwrap_or_default()))
        .collect();
    with_calendar_dates(model, &mut attributes);
    let facts = cdms_odata::Facts { modified: Instant(0), created: None, modified_by: None };
    let row = decode(model, id, &facts, &attributes).unwrap();
    condition.untyped().holds(model, &row, &|_, _| None).unwrap()
}

/// The ids of the records that CDMS finds.
async fn found<M: CdmsSynced>(kit: &Kit, condition: &Condition<M>) -> BTreeSet<Uuid> {
    let entity = &M::DESCRIPTOR.entity;
    let filter = match condition.wanted(&ODataV2).unwrap_or_else(|error| panic!("{condition}: {error}")) {
        Wanted::Everything => String::new(),
        Wanted::Nothing => return BTreeSet::new(),
        Wanted::Where(wanted) => {
            let encoded: String = wanted.filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
            format!("&$filter={encoded}")
        }
    };
    // Another test of this process may have installed it already.
    _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut ids = BTreeSet::new();
    let mut next = Some(format!("{}/{}?$select={}{filter}", kit.simulator.service_root(), entity.set, entity.key));
    while let Some(address) = next {
        let answer = client.get(address).header("Accept", "application/json").send().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let list = answer["d"]["results"].as_array().unwrap_or_else(|| panic!("{condition}: {answer}"));
        ids.extend(list.iter().map(|record| record[entity.key].as_str().unwrap().parse::<Uuid>().unwrap()));
        next = answer["d"]["__next"].as_str().map(str::to_owned);
    }
    ids
}

async fn agree<M: CdmsSynced>(kit: &Kit, ids: &[Uuid], condition: Condition<M>) -> usize {
    let expected: BTreeSet<_> = ids.iter().copied().filter(|id| is_satisfied(kit, *id, &condition)).collect();
    assert_eq!(found(kit, &condition).await, expected, "{condition}");
    expected.len()
}

#[tokio::test]
async fn cdms_finds_the_records_whose_rows_satisfy_a_condition() {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let task = tokio::spawn(async move {
        let mut random = Rng::with_seed(seed);
        let kit = Kit::with(example_domain::METADATA, |cdms| cdms);
        let accounts: Vec<Uuid> = (0..60).map(|_| kit.simulator.seed("Account", organisation(&mut random))).collect();
        let interactions: Vec<Uuid> = (0..60)
            .map(|_| {
                let start = optional(&mut random, time).map_or(Value::Null, |time| Value::Instant(Instant::from(time)));
                kit.simulator.seed(Interaction::DESCRIPTOR.entity.name, [("ActualStart", start)])
            })
            .collect();
        let mut satisfied = 0;
        for _ in 0..150 {
            let condition = joined(&mut random, 3, &of_organisations);
            satisfied += agree(&kit, &accounts, condition).await;
            let condition = joined(&mut random, 2, &of_interactions);
            satisfied += agree(&kit, &interactions, condition).await;
        }
        assert!((2_000..16_000).contains(&satisfied), "{satisfied} of 18,000 satisfied their condition");
    });
    task.await.unwrap_or_else(|error| panic!("replay with DATAHUB_SEED={seed}: {error}"));
}

/// Asserts that a list of CDMS's and one of the hub's rows find the records that satisfy a condition; `None` if its address
/// would be too long.
async fn lists_agree<M: CdmsSynced>(kit: &Kit, hub: &Hub, ids: &[Uuid], condition: &Condition<M>) -> Option<usize> {
    let expected: BTreeSet<_> = ids.iter().copied().filter(|id| is_satisfied(kit, *id, condition)).collect();
    let ids = |found: datahub_runtime::Found<M>| -> BTreeSet<Uuid> {
        let records = found.complete().unwrap_or_else(|error| panic!("{condition}: {error}"));
        records.iter().map(|record| record.id().guid()).collect()
    };
    let rows = M::find(hub).filter(condition.clone()).freshness(Freshness::LocalOnly).load().await;
    assert_eq!(ids(rows.unwrap_or_else(|error| panic!("{condition}: {error}"))), expected, "rows: {condition}");
    match M::find(hub).filter(condition.clone()).load().await {
        Ok(found) => assert_eq!(ids(found), expected, "{condition}"),
        Err(error) if error.to_string().contains("makes an address of") => return None,
        Err(error) => panic!("{condition}: {error}"),
    }
    Some(expected.len())
}

#[tokio::test]
async fn lists_of_cdms_and_of_rows_find_them_too() {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let task = tokio::spawn(async move {
        let mut random = Rng::with_seed(seed);
        let kit = Kit::with(example_domain::METADATA, |cdms| cdms);
        let accounts: Vec<Uuid> = (0..60).map(|_| kit.simulator.seed("Account", organisation(&mut random))).collect();
        let hub = kit.hub(example_domain::models()).connect().await.unwrap();
        assert_eq!(Organisation::find(&hub).load().await.unwrap().records.len(), 60);
        let (mut asked, mut satisfied) = (0, 0);
        for _ in 0..120 {
            let condition = joined(&mut random, 2, &of_organisations);
            if let Some(count) = lists_agree(&kit, &hub, &accounts, &condition).await {
                (asked, satisfied) = (asked + 1, satisfied + count);
            }
        }
        assert!(asked > 80 && satisfied > 500, "{satisfied} satisfied {asked} conditions");
    });
    task.await.unwrap_or_else(|error| panic!("replay with DATAHUB_SEED={seed}: {error}"));
}

/// A part of the organisations, whose condition has a null on both sides of it.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(
    mapping = "account.toml",
    table = "british",
    only = "optevia_ukorganisation ne false and not startswith(WebSiteURL, 'a')",
    mode = "mirror",
    diesel(table = false)
)]
struct British {
    #[cdms(key)]
    id: Id<British>,
    #[cdms("Name")]
    name: String,
    #[cdms("optevia_Alias", default)]
    alias: String,
    #[cdms("optevia_TownCity")]
    town: Option<String>,
}

/// Someone at one of them, or at another organisation, or at none.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "contact.toml", table = "people", mode = "mirror", diesel(table = false))]
struct Person {
    #[cdms(key)]
    id: Id<Person>,
    #[cdms("LastName")]
    name: String,
    #[cdms("ParentCustomerId")]
    organisation: Option<Id<British>>,
}

fn of_british(random: &mut Rng) -> Condition<British> {
    let f = British::FIELDS;
    match random.u8(..7) {
        0 => f.name.ne(text(random)),
        1 => f.name.contains(beginning_of_text(random)),
        2 => f.alias.eq(""),
        3 => f.alias.ne(text(random)),
        4 => f.town.is_null(),
        5 => f.town.ne(optional(random, text)),
        _ => f.town.starts_with(beginning_of_text(random)),
    }
}

#[tokio::test]
async fn a_related_record_outside_the_condition_of_its_model_is_found_by_neither() {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let task = tokio::spawn(async move {
        let mut random = Rng::with_seed(seed);
        let kit = Kit::new(example_domain::METADATA);
        let accounts: Vec<Uuid> = (0..40).map(|_| kit.simulator.seed("Account", organisation(&mut random))).collect();
        let mut people = Vec::new();
        for _ in 0..60 {
            // One that does not exist, and one of the other entity.
            let to = match random.u8(..8) {
                0 => Value::Null,
                1 => Value::Lookup(Reference { logical_name: "account".into(), id: Uuid::from_u128(7) }),
                2 => Value::Lookup(Reference { logical_name: "contact".into(), id: accounts[0] }),
                _ => Value::Lookup(Reference {
                    logical_name: "account".into(),
                    id: accounts[random.usize(..accounts.len())],
                }),
            };
            let person = [("LastName", Value::text("Someone")), ("ParentCustomerId", to.clone())];
            people.push((kit.simulator.seed("Contact", person), to));
        }
        let hub = kit.hub(models![British, Person]).connect().await.unwrap();
        let british = British::find(&hub).load().await.unwrap();
        let is_british = |id: &Uuid| {
            let record = kit.simulator.record("Account", *id).unwrap();
            British::DESCRIPTOR.includes(&record.into_iter().collect())
        };
        let expected: BTreeSet<_> = accounts.iter().copied().filter(is_british).collect();
        assert_eq!(british.records.iter().map(|record| record.id().guid()).collect::<BTreeSet<_>>(), expected);
        assert!((5..36).contains(&expected.len()), "{} of 40", expected.len());
        assert_eq!(Person::find(&hub).load().await.unwrap().records.len(), 60);
        let (mut asked, mut satisfied) = (0, 0);
        for _ in 0..80 {
            let related = joined(&mut random, 1, &of_british);
            let is_wanted = |to: &Value| match to {
                Value::Lookup(to) if to.logical_name == "account" => {
                    expected.contains(&to.id) && is_satisfied(&kit, to.id, &related)
                }
                _ => false,
            };
            let wanted: BTreeSet<_> = people.iter().filter(|(_, to)| is_wanted(to)).map(|(id, _)| *id).collect();
            let condition = Person::FIELDS.organisation.matches(related.clone());
            let ids = |found: datahub_runtime::Found<Person>| -> BTreeSet<Uuid> {
                found.complete().unwrap().iter().map(|record| record.id().guid()).collect()
            };
            let rows = Person::find(&hub).filter(condition.clone()).freshness(Freshness::LocalOnly).load().await;
            assert_eq!(ids(rows.unwrap()), wanted, "rows: {condition}");
            // The opposite can be asked of the rows alone.
            let others =
                Person::find(&hub).filter(condition.clone().not()).freshness(Freshness::LocalOnly).load().await;
            assert_eq!(ids(others.unwrap()).len(), 60 - wanted.len(), "rows: not {condition}");
            match Person::find(&hub).filter(condition.clone()).load().await {
                Ok(found) => assert_eq!(ids(found), wanted, "{condition}"),
                Err(error) if error.to_string().contains("makes an address of") => continue,
                Err(error) => panic!("{condition}: {error}"),
            }
            (asked, satisfied) = (asked + 1, satisfied + wanted.len());
        }
        assert!(asked > 50 && satisfied > 200, "{satisfied} satisfied {asked} conditions");
    });
    task.await.unwrap_or_else(|error| panic!("replay with DATAHUB_SEED={seed}: {error}"));
}
