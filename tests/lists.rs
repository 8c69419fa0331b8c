//! Lists as the dialect requests them, answered by the simulator: no character of a condition changes its meaning, and a list
//! continues as it began, also from a continuation that was stored.
//!
//! `DATAHUB_SEED=n` replays a run.

#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap values that the tests wrote")]

use std::collections::BTreeSet;

use cdms_odata::crm2011::Crm2011;
use cdms_odata::dialect::{
    Dialect as _, Direction, EntityShape, Expand, HttpResponse, ListError, ListQuery, Next, PageAnswer,
};
use cdms_odata::metadata::Metadata;
use cdms_odata::{Kind, Reference, Value};
use cdms_simulator::Simulator;
use fastrand::Rng;
use uuid::Uuid;

const RECORDS: u128 = 120;
const QUERIES: usize = 400;
const CHARS: [char; 33] = [
    'a', 'b', '\'', '"', '&', '%', '+', '_', '#', '/', '\\', '?', '=', ';', ',', '(', ')', '[', ']', '{', '}', '<',
    '>', '^', '`', '|', '$', '@', ' ', '\t', '\n', '\u{1}', '日',
];

struct Cdms {
    simulator: Simulator,
    dialect: Crm2011,
    client: reqwest::Client,
    entity: EntityShape,
}

fn cdms() -> Cdms {
    let metadata = Metadata::parse(include_str!("../mappings/metadata.xml")).unwrap();
    let simulator = Simulator::builder().metadata(metadata).page_size(7).start().unwrap();
    let attributes = vec![("AccountId", Kind::Guid), ("Name", Kind::String)];
    Cdms {
        dialect: Crm2011::at(&simulator.root()).unwrap(),
        simulator,
        client: client(),
        entity: EntityShape { name: "Account", set: "AccountSet", key: "AccountId", attributes, optional: Vec::new() },
    }
}

fn client() -> reqwest::Client {
    // Another test of this process may have installed it already.
    _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

impl Cdms {
    /// The records of a list, page by page. Each continuation is stored as text in between.
    async fn list(&self, query: &ListQuery) -> Vec<Uuid> {
        let (mut found, mut at) = (Vec::new(), None);
        loop {
            let request = self.dialect.page(&self.entity, query, at.as_ref()).unwrap();
            let sent = self.client.get(&request.url).headers(request.headers).send().await.unwrap();
            assert_eq!(sent.url().as_str(), request.url, "the address is sent as it is");
            let (url, status, headers) = (sent.url().clone(), sent.status(), sent.headers().clone());
            let response = HttpResponse { url, status, headers, body: sent.bytes().await.unwrap().to_vec() };
            let page = match self.dialect.page_answer(&self.entity, query, &response) {
                PageAnswer::Page(page) => page,
                other => panic!("{query:?}: {other:?}"),
            };
            found.extend(page.records.into_iter().map(|record| {
                record.attributes.unwrap();
                record.id.unwrap()
            }));
            at = match page.next {
                Next::End => return found,
                Next::Page { at, other_host: None } => {
                    Some(self.dialect.continuation(&self.entity, query, at.as_str()).expect("it is of this list"))
                }
                other => panic!("{query:?}: {other:?}"),
            };
        }
    }
}

fn text(rng: &mut Rng) -> String {
    (0..rng.usize(1..5)).map(|_| CHARS[rng.usize(..CHARS.len())]).collect()
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[tokio::test]
async fn no_character_changes_what_a_query_means() {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 40));
    println!("DATAHUB_SEED={seed}");
    let (mut rng, cdms) = (Rng::with_seed(seed), cdms());
    let names: Vec<(Uuid, String)> = (1..=RECORDS).map(|id| (Uuid::from_u128(id), text(&mut rng))).collect();
    for (id, name) in &names {
        cdms.simulator.seed("Account", [("AccountId", Value::Guid(*id)), ("Name", Value::text(name))]);
    }
    let mut several = 0;
    for _ in 0..QUERIES {
        let known = &names[rng.usize(..names.len())].1;
        let part: String = known.chars().skip(rng.usize(..known.chars().count())).collect();
        let plain = |text: &str| text.trim_end_matches(' ').to_owned();
        type Holds<'h> = Box<dyn Fn(&str) -> bool + 'h>;
        let (filter, holds): (_, Holds<'_>) = match rng.usize(..4) {
            0 => (format!("Name eq {}", literal(known)), Box::new(|name| plain(name) == plain(known))),
            1 => (format!("substringof({},Name)", literal(&part)), Box::new(|name| name.contains(&part))),
            2 => (format!("endswith(Name,{})", literal(&part)), Box::new(|name| name.ends_with(&part))),
            _ => (format!("not startswith(Name,{})", literal(&part)), Box::new(|name| !name.starts_with(&part))),
        };
        let direction = if rng.bool() { Direction::Ascending } else { Direction::Descending };
        let order = if rng.bool() { vec![("Name".into(), direction)] } else { Vec::new() };
        let top = rng.bool().then(|| rng.u32(..40));
        let query = ListQuery { filter: Some(filter), order, top, expand: None };
        let mut expected: Vec<_> = names.iter().filter(|(_, name)| holds(name)).collect();
        if !query.order.is_empty() {
            expected.sort_by(|(id, one), (other_id, other)| {
                let by_name = plain(one).cmp(&plain(other));
                let by_name = if direction == Direction::Descending { by_name.reverse() } else { by_name };
                by_name.then(id.cmp(other_id))
            });
        }
        let expected = expected.into_iter().map(|(id, _)| *id).take(top.map_or(usize::MAX, |top| top as usize));
        let found = cdms.list(&query).await;
        assert_eq!(found, expected.collect::<Vec<_>>(), "replay with DATAHUB_SEED={seed}: {query:?}");
        several += usize::from(found.len() > 7);
    }
    assert!(several > QUERIES / 10, "only {several} lists had several pages");
}

#[tokio::test]
async fn a_condition_about_a_related_record_finds_what_refers_to_it() {
    let cdms = cdms();
    for id in 1..=20 {
        let contact = Uuid::from_u128(100 + id);
        let lookup = Value::Lookup(Reference { logical_name: "contact".into(), id: contact });
        cdms.simulator.seed("Account", [("AccountId", Value::Guid(Uuid::from_u128(id))), ("PrimaryContactId", lookup)]);
        let name = Value::text(if id % 2 == 0 { "O'Neil & Co" } else { "Other" });
        cdms.simulator.seed("Contact", [("ContactId", Value::Guid(contact)), ("LastName", name)]);
    }
    let query = ListQuery {
        filter: Some(format!("account_primary_contact/LastName eq {}", literal("o'neil & co"))),
        expand: Some(Expand { navigation: "account_primary_contact".into(), key: "ContactId".into() }),
        ..ListQuery::default()
    };
    let found: BTreeSet<_> = cdms.list(&query).await.into_iter().collect();
    assert_eq!(found, (1..=10).map(|half| Uuid::from_u128(2 * half)).collect());
}

#[tokio::test]
async fn a_condition_too_long_for_an_address_is_not_sent() {
    let cdms = cdms();
    let long = |ids: u128| ListQuery {
        filter: Some(
            (1..=ids).map(|id| format!("AccountId eq guid'{}'", Uuid::from_u128(id))).collect::<Vec<_>>().join(" or "),
        ),
        ..ListQuery::default()
    };
    cdms.simulator.seed("Account", [("AccountId", Value::Guid(Uuid::from_u128(20)))]);
    assert_eq!(cdms.list(&long(20)).await, [Uuid::from_u128(20)]);
    let refused = cdms.dialect.page(&cdms.entity, &long(40), None).unwrap_err();
    assert!(matches!(refused, ListError::TooLong { set: "AccountSet", .. }), "{refused}");
}
