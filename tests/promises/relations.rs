//! Following lookups, of one record or of many, and finding the records that refer to others, in few requests.

use datahub_model::filter::{ODataV2, Operand};
use datahub_model::{Comparison, Filter, Literal};
use datahub_runtime::prelude::*;
use datahub_runtime::query::Condition;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Attributes, Kind, Value};
use example_domain::{Contact, Organisation, Sector};
use uuid::Uuid;

use crate::pull::crowd;
use crate::scene::{Scene, failed, says};

fn lookup(entity: &'static str, id: Uuid) -> Value {
    Value::Lookup(datahub_runtime::Reference { logical_name: entity.into(), id })
}

/// Fifty-one organisations, each in one of so many sectors, but for the first one; and the sectors' ids.
async fn sectors(count: usize) -> (Scene, Vec<Id<Organisation>>, Vec<Uuid>) {
    let (scene, ids) = crowd(50).await;
    let sectors: Vec<_> = (0..count)
        .map(|number| {
            scene.kit.simulator.seed("optevia_sector", [("optevia_name", Value::text(format!("Sector {number}")))])
        })
        .collect();
    for (number, id) in ids.iter().enumerate().skip(1) {
        let sector = lookup("optevia_sector", sectors[number % count]);
        scene.kit.simulator.edit("Account", id.guid(), [("optevia_Sector", sector)]);
    }
    (scene, ids, sectors)
}

#[tokio::test]
async fn a_lookup_is_followed_by_its_handle() {
    let (scene, ids, sectors) = sectors(3).await;
    let f = Organisation::FIELDS;
    let org = Organisation::get(&scene.hub, ids[4]).await.unwrap();
    let (sector, cost) = scene.cost_of(org.follow(f.sector, &scene.hub)).await;
    let sector: Synced<Sector> = sector.unwrap().unwrap();
    assert_eq!((sector.id().guid(), sector.name.as_str(), cost.requests), (sectors[1], "Sector 1", 1));
    let first = Organisation::get(&scene.hub, ids[0]).await.unwrap();
    let (none, cost) = scene.cost_of(first.follow(f.sector, &scene.hub)).await;
    assert!(none.unwrap().is_none());
    assert_eq!(cost.requests, 0);
    scene.kit.simulator.remove("optevia_sector", sectors[1]);
    failed(org.follow(f.sector, &scene.hub).await, ErrorKind::Gone);
}

#[tokio::test]
async fn the_lookups_of_fifty_records_cost_at_most_three_requests() {
    let (scene, _, sectors) = sectors(50).await;
    let f = Organisation::FIELDS;
    let page = Organisation::find(&scene.hub).limit(51).load().await.unwrap();
    let related = Organisation::load_related(&scene.hub, &page, f.sector).await.unwrap();
    assert_eq!((related.iter().count(), related.missing.len(), related.left_out.len()), (50, 0, 0));
    assert!(related.cost.requests <= 3, "{:?}", related.cost);
    for org in &page {
        let sector = related.get(org.sector);
        assert_eq!(sector.map(Synced::id), org.sector);
        assert!(sector.is_none_or(|sector| sector.name.starts_with("Sector ")));
    }
    let again = Organisation::load_related(&scene.hub, &page, f.sector).await.unwrap();
    assert!(
        again.cost.requests <= 3 && again.cost.statements <= 2 * 3 && again.cost.transactions == 0,
        "{:?}",
        again.cost
    );

    // Those that the hub knows cost no request, if the caller allows it.
    let new = scene.kit.simulator.seed("optevia_sector", [("optevia_name", Value::text("New"))]);
    scene.minute();
    scene.kit.simulator.edit(
        "Account",
        page.records[3].id().guid(),
        [("optevia_Sector", lookup("optevia_sector", new))],
    );
    scene.kit.simulator.edit("optevia_sector", sectors[7], [("optevia_name", Value::text("Renamed"))]);
    let page = Organisation::find(&scene.hub).limit(51).load().await.unwrap();
    let known = Organisation::load_related(&scene.hub, &page, f.sector).known_only().await.unwrap();
    assert_eq!((known.cost.requests, known.missing.as_slice()), (0, [Id::from(new)].as_slice()));
    let old = known.get(Id::from(sectors[7])).unwrap();
    assert!(old.name == "Sector 7" && !old.checked().is_fresh());
    let fetched = Organisation::load_related(&scene.hub, &page, f.sector).fetch_unknown().await.unwrap();
    assert_eq!((fetched.cost.requests, fetched.missing.len()), (1, 0));
    assert!(fetched.get(Id::from(new)).unwrap().checked().is_fresh());
}

#[tokio::test]
async fn a_circle_ends_after_one_level() {
    let (scene, ids) = crowd(1).await;
    for (one, other) in [(ids[0], ids[1]), (ids[1], ids[0])] {
        scene.kit.simulator.edit("Account", one.guid(), [("ParentAccountId", lookup("account", other.guid()))]);
    }
    let page = Organisation::find(&scene.hub).load().await.unwrap();
    let parents = Organisation::load_related(&scene.hub, &page, Organisation::FIELDS.parent).await.unwrap();
    assert_eq!((parents.iter().count(), parents.cost.requests), (2, 1));
    assert!(page.records.iter().all(|org| parents.get(org.parent).map(Synced::id) == org.parent));
}

#[tokio::test]
async fn the_contacts_of_organisations_are_read_together() {
    let (scene, ids) = crowd(49).await;
    for (number, id) in ids.iter().enumerate().take(40) {
        let name = Value::text(format!("Person {number}"));
        scene.kit.simulator.seed("Contact", [("LastName", name), ("ParentCustomerId", lookup("account", id.guid()))]);
    }
    for _ in 0..3 {
        let organisation = lookup("account", ids[2].guid());
        scene.kit.simulator.seed("Contact", [("LastName", Value::text("More")), ("ParentCustomerId", organisation)]);
    }
    // A contact of another contact, and one without a name.
    let anyone = scene.kit.simulator.seed("Contact", [("LastName", Value::text("Anyone"))]);
    scene
        .kit
        .simulator
        .seed("Contact", [("LastName", Value::text("Other")), ("ParentCustomerId", lookup("contact", anyone))]);
    let organisation = lookup("account", ids[5].guid());
    let unfit = scene.kit.simulator.seed("Contact", [("LastName", Value::Null), ("ParentCustomerId", organisation)]);

    let page = Organisation::find(&scene.hub).load().await.unwrap();
    let contacts = Organisation::load_referring(&scene.hub, &page, Contact::FIELDS.organisation).await.unwrap();
    assert!(contacts.cost.requests <= 3, "{:?}", contacts.cost);
    let counts: Vec<_> = ids.iter().map(|id| contacts.of(*id).len()).collect();
    assert_eq!((counts[0], counts[2], counts[40], counts.iter().sum::<usize>()), (1, 4, 0, 43));
    assert!(contacts.of(ids[2]).iter().all(|contact| contact.organisation == Some(ids[2])));
    assert_eq!(contacts.left_out.iter().map(|left_out| left_out.id.guid()).collect::<Vec<_>>(), [unfit]);
    let none = Organisation::load_referring(&scene.hub, [], Contact::FIELDS.organisation).await.unwrap();
    assert_eq!(none.cost.requests, 0);
}

#[tokio::test]
async fn too_many_referring_records_are_too_expensive() {
    let scene = Scene::new().await;
    for number in 0..2_501 {
        let name = Value::text(format!("Person {number}"));
        let organisation = lookup("account", scene.account);
        scene.kit.simulator.seed("Contact", [("LastName", name), ("ParentCustomerId", organisation)]);
    }
    let org = scene.get().await.unwrap();
    let outcome = Organisation::load_referring(&scene.hub, [&org], Contact::FIELDS.organisation).await;
    let error = failed(outcome, ErrorKind::TooExpensive);
    says(&error, &["takes more than 50 requests", "fewer records at once", "ensure_fresh"]);
    assert!(!error.to_string().contains("max_requests"), "it has no such option: {error}");
}

/// A firm, whose contract states how to get to its sector.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms("Name")]
    name: String,
    #[cdms("optevia_Sector")]
    sector: Option<Id<Sector>>,
}

/// A part of them.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "uk_firms", only = "optevia_ukorganisation eq true", diesel(table = false))]
struct UkFirm {
    #[cdms(key)]
    id: Id<UkFirm>,
    #[cdms("Name")]
    name: String,
    #[cdms("optevia_Sector")]
    sector: Option<Id<Sector>>,
}

/// 120 firms in two sectors or in none, every second one in the United Kingdom.
fn firms() -> Kit {
    let kit = Kit::new(example_domain::METADATA);
    let sector = |name: &str| kit.simulator.seed("optevia_sector", [("optevia_name", Value::text(name))]);
    let sectors = [sector("Food & Drink"), sector("Mining")];
    for number in 0..120 {
        let id = kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number:03}")))]);
        kit.simulator.edit("Account", id, [("optevia_ukorganisation", Value::Boolean(number % 2 == 0))]);
        if let Some(sector) = sectors.get(number % 3) {
            kit.simulator.edit("Account", id, [("optevia_Sector", lookup("optevia_sector", *sector))]);
        }
    }
    kit
}

fn numbers(of: impl Fn(usize) -> bool) -> Vec<String> {
    (0..120).filter(|number| of(*number)).map(|number| format!("Firm {number:03}")).collect()
}

#[tokio::test]
async fn a_condition_on_a_related_record_goes_to_cdms() {
    let kit = firms();
    let hub = kit.hub(models![Firm, Sector]).connect().await.unwrap();
    let (f, sector) = (Firm::FIELDS, Sector::FIELDS);
    let food = || Firm::find(&hub).filter(f.sector.matches(sector.name.starts_with("food &"))).order_by(f.name.asc());
    // First contact is not part of what a list costs.
    assert!(food().exists().await.unwrap());
    let found = food().load().await.unwrap();
    assert_eq!(found.records.iter().map(|firm| firm.name.clone()).collect::<Vec<_>>(), numbers(|n| n % 3 == 0));
    assert_eq!((found.cost.requests, food().count().await.unwrap()), (1, 40));
    let first = food().limit(3).load().await.unwrap();
    let rest = food().after(first.next.clone().unwrap()).load().await.unwrap();
    assert_eq!((first.records.len(), rest.records.len(), rest.records[0].name.as_str()), (3, 37, "Firm 009"));
    let mixed = Firm::find(&hub).filter(f.sector.matches(sector.name.eq("Mining")).and(f.name.ne("x")));
    says(&failed(mixed.load().await, ErrorKind::Invalid), &["ensure_fresh(models![Firm, Sector]"]);
    // The rows can be asked for both.
    Firm::find(&hub).load().await.unwrap();
    Sector::find(&hub).load().await.unwrap();
    let both = f.sector.matches(sector.name.eq("mining")).and(f.name.lt("Firm 010"));
    let rows =
        Firm::find(&hub).filter(both).order_by(f.name.asc()).freshness(Freshness::LocalOnly).load().await.unwrap();
    let names: Vec<_> = rows.records.iter().map(|firm| firm.name.as_str()).collect();
    assert_eq!((names, rows.cost.requests), (vec!["Firm 001", "Firm 004", "Firm 007"], 0));
}

#[tokio::test]
async fn records_that_are_not_of_the_model_are_passed_over_where_cdms_cannot_be_asked_for_it() {
    let kit = firms();
    let hub = kit.hub(models![UkFirm, Sector]).connect().await.unwrap();
    let (f, sector) = (UkFirm::FIELDS, Sector::FIELDS);
    let mining = || UkFirm::find(&hub).filter(f.sector.matches(sector.name.eq("Mining"))).order_by(f.name.asc());
    let expected = numbers(|number| number % 3 == 1 && number % 2 == 0);
    let whole = mining().load().await.unwrap();
    assert_eq!(whole.records.iter().map(|firm| firm.name.clone()).collect::<Vec<_>>(), expected);
    assert_eq!((whole.not_of_model, kit.rows_of("uk_firms").len()), (20, 20));
    assert_eq!(mining().count().await.unwrap(), 20);
    assert!(mining().exists().await.unwrap());
    assert_eq!(mining().first().await.unwrap().unwrap().name, "Firm 004");
    let (mut pages, mut cursor) = (Vec::new(), None::<datahub_runtime::Cursor>);
    loop {
        let query = mining().limit(7);
        let query = if let Some(cursor) = cursor.take() { query.after(cursor) } else { query };
        let page = query.load().await.unwrap();
        assert!(page.records.len() <= 7);
        pages.extend(page.records.iter().map(|firm| firm.name.clone()));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, expected);
    // Where CDMS can be asked for it, it is part of the filter.
    let all = UkFirm::find(&hub).load().await.unwrap();
    assert_eq!((all.records.len(), all.not_of_model, all.cost.requests), (60, 0, 2));
    // A record that has left the model in between is not found any more; a list that shows it makes its row a tombstone.
    let left = all.records[0].id();
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.edit("Account", left.guid(), [("optevia_ukorganisation", Value::Boolean(false))]);
    assert!(UkFirm::find(&hub).load().await.unwrap().records.iter().all(|firm| firm.id() != left));
    let row = UkFirm::get(&hub, left).freshness(Freshness::LocalOnly).await;
    assert!(row.is_ok(), "its absence proves nothing");
    let sectors = f.sector.matches(sector.name.ne("x"));
    UkFirm::find(&hub).filter(sectors).load().await.unwrap();
    let expected = if all.records[0].sector.is_some() { Some(ErrorKind::Gone) } else { None };
    let row = UkFirm::get(&hub, left).freshness(Freshness::LocalOnly).await;
    assert_eq!(row.err().map(|error| error.kind()), expected);
}

#[tokio::test]
async fn each_navigation_property_of_the_example_leads_to_the_records_of_its_lookup() {
    let kit = Kit::new(example_domain::METADATA);
    let entities = || example_domain::models().iter().map(|model| model.entity).collect::<Vec<_>>();
    let mut followed = 0;
    for model in example_domain::models().iter() {
        for lookup in model.attributes.iter().filter(|attribute| attribute.kind == Kind::Lookup) {
            for target in lookup.targets {
                let stated = lookup.navigations.iter().find(|(of, _)| of == target);
                let (_, navigation) = stated.unwrap_or_else(|| panic!("{}.{}", model.entity.name, lookup.name));
                let other = entities().into_iter().find(|entity| entity.logical == *target).unwrap();
                let [wanted, unwanted] = [(); 2].map(|()| kit.simulator.seed(other.name, Attributes::new()));
                let [found, _] = [wanted, unwanted]
                    .map(|to| kit.simulator.seed(model.entity.name, [(lookup.name, self::lookup(other.logical, to))]));
                let filter = Filter::Related {
                    lookup: lookup.name.into(),
                    navigation: (*navigation).into(),
                    filter: Filter::compare(other.key, Comparison::Equal, Literal::Guid(wanted.as_u128())).into(),
                };
                let filter = filter.print(&ODataV2, |_| Some(Operand::of(Kind::Guid))).unwrap();
                let address = format!(
                    "{}/{}?$filter={}&$expand={navigation}&$select={},{navigation}/{}",
                    kit.simulator.service_root(),
                    model.entity.set,
                    filter.replace(' ', "%20"),
                    model.entity.key,
                    other.key
                );
                assert_eq!(ids(&address, model.entity.key).await, [found], "{address}");
                followed += 1;
            }
        }
    }
    assert!(followed >= 27, "{followed}");
}

/// The ids of the records of a list.
async fn ids(address: &str, key: &str) -> Vec<Uuid> {
    // Another test of this process may have installed it already.
    _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(address).header("Accept", "application/json").send().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let list = answer["d"]["results"].as_array().unwrap_or_else(|| panic!("{address}: {answer}"));
    list.iter().map(|record| record[key].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn the_example_domain_is_asked_for_related_records_over_http() {
    let kit = Kit::new(example_domain::METADATA);
    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    let text = |name, value: &str| [(name, Value::text(value))];
    let food = kit.simulator.seed("optevia_sector", text("optevia_name", "Food"));
    let parent = kit.simulator.seed("Account", text("Name", "Parent"));
    let child = kit.simulator.seed("Account", text("Name", "Child"));
    kit.simulator.edit("Account", parent, [("optevia_Sector", lookup("optevia_sector", food))]);
    kit.simulator.edit("Account", child, [("ParentAccountId", lookup("account", parent))]);
    let contact = kit.simulator.seed("Contact", text("LastName", "Ada"));
    kit.simulator.edit("Contact", contact, [("ParentCustomerId", lookup("account", parent))]);
    let (f, c, s) = (Organisation::FIELDS, Contact::FIELDS, Sector::FIELDS);
    let name = |organisation: Synced<Organisation>| organisation.name.clone();
    let of_food = Organisation::find(&hub).filter(f.sector.matches(s.name.eq("food"))).one().await.unwrap();
    assert_eq!(name(of_food), "Parent");
    let of_parent = Organisation::find(&hub).filter(f.parent.matches(f.name.starts_with("par"))).one().await.unwrap();
    assert_eq!(name(of_parent), "Child");
    let text = Condition::parse("organisation.name = 'Parent'", &example_domain::models()).unwrap();
    let contacts = Contact::find(&hub).filter(text).load().await.unwrap();
    assert_eq!((contacts.records.len(), contacts.records[0].id().guid()), (1, contact));
    let nobody = Contact::find(&hub).filter(c.organisation.matches(f.name.eq("Child")));
    assert!(!nobody.exists().await.unwrap());
}
