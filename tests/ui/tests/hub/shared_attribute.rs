//! Several fields that are parts of one attribute: each is read, changed and merged by itself.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{EntryKind, OnConflict, Value, models};

use crate::METADATA;

/// A firm whose address in the web says two things.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "sites")]
struct Site {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL", with = "host", sql_type = "string")]
    host: Option<String>,
    #[cdms("WebSiteURL", with = "path", sql_type = "string")]
    path: Option<String>,
}

/// What stands before the first stroke, and after it.
fn parts(attributes: &datahub_runtime::Attributes) -> [Option<String>; 2] {
    let Some(Value::Text(address)) = attributes.get("WebSiteURL") else { return [None, None] };
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    [host, path].map(|part| (!part.is_empty()).then(|| part.to_owned()))
}

fn joined([host, path]: [Option<String>; 2]) -> datahub_runtime::Attributes {
    let host = host.unwrap_or_default();
    let address = path.map_or_else(|| host.clone(), |path| format!("{host}/{path}"));
    datahub_runtime::Attributes::from([("WebSiteURL", Value::text(address))])
}

mod host {
    use datahub_runtime::{Attributes, Fault};

    pub(super) fn decode(attributes: &Attributes) -> Result<Option<String>, Fault> {
        Ok(super::parts(attributes)[0].clone())
    }

    pub(super) fn encode(host: &Option<String>, seen: &Attributes) -> Result<Attributes, Fault> {
        let [_, path] = super::parts(seen);
        Ok(super::joined([host.clone(), path]))
    }
}

mod path {
    use datahub_runtime::{Attributes, Fault};

    pub(super) fn decode(attributes: &Attributes) -> Result<Option<String>, Fault> {
        Ok(super::parts(attributes)[1].clone())
    }

    pub(super) fn encode(path: &Option<String>, seen: &Attributes) -> Result<Attributes, Fault> {
        let [host, _] = super::parts(seen);
        Ok(super::joined([host, path.clone()]))
    }
}

fn site() -> Site {
    Site { id: Id::new(), name: "Acme".into(), host: Some("acme.example".into()), path: Some("shop".into()) }
}

#[tokio::test]
async fn fields_that_share_an_attribute_are_written_together() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Site]).connect().await.unwrap();
    let mut made = Site::create(&hub, site()).await.unwrap();
    let id = made.id();
    let address = || kit.simulator.record("Account", id.guid()).unwrap().get("WebSiteURL").cloned();
    assert_eq!(address(), Some(Value::text("acme.example/shop")), "a create has both");

    (made.host, made.path) = (Some("acme.test".into()), Some("food".into()));
    made.save(&hub).await.unwrap();
    assert_eq!(address(), Some(Value::text("acme.test/food")), "so has an update of both");
    assert_eq!((made.host.as_deref(), made.path.as_deref()), (Some("acme.test"), Some("food")));

    made.path = None;
    made.save(&hub).await.unwrap();
    assert_eq!(address(), Some(Value::text("acme.test")), "what is not changed stays");
}

#[tokio::test]
async fn a_part_that_a_person_changed_meanwhile_is_kept() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Site]).connect().await.unwrap();
    let mut made = Site::create(&hub, site()).await.unwrap();
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.edit("Account", made.id().guid(), [("WebSiteURL", Value::text("acme.test/shop"))]);
    made.path = Some("food".into());
    made.save(&hub).on_conflict(OnConflict::Reject).await.expect("two parts are two fields, so nothing conflicts");
    assert_eq!((made.host.as_deref(), made.path.as_deref()), (Some("acme.test"), Some("food")));
    let history = Site::history(&hub, made.id()).await.unwrap();
    let told = history.iter().map(|entry| {
        let site = entry.changes.iter().filter(|change| change.attribute.as_deref() == Some("WebSiteURL"));
        (entry.kind, site.map(|change| change.field.clone()).collect::<Vec<_>>().concat())
    });
    let expected = [
        (EntryKind::Created, "host, path".to_owned()),
        (EntryKind::Refreshed, "host".to_owned()),
        (EntryKind::Updated, "path".to_owned()),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected, "the history names the parts that changed");
}

#[tokio::test]
async fn the_same_part_changed_on_both_sides_is_a_conflict_of_that_part() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Site]).connect().await.unwrap();
    let mut made = Site::create(&hub, site()).await.unwrap();
    let address = || kit.simulator.record("Account", made.id().guid()).unwrap().get("WebSiteURL").cloned();
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.edit("Account", made.id().guid(), [("WebSiteURL", Value::text("acme.test/theirs"))]);
    let mut mine = made.clone();
    mine.path = Some("mine".into());
    let error = mine.save(&hub).on_conflict(OnConflict::Reject).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("path") && !error.to_string().contains("host"), "{error}");
    mine.save(&hub).await.unwrap();
    assert_eq!(address(), Some(Value::text("acme.test/mine")), "the last writer wins, of its part");
    made = Site::get(&hub, mine.id()).await.unwrap();
    assert_eq!((made.host.as_deref(), made.path.as_deref()), (Some("acme.test"), Some("mine")));
}

/// The same where the host is never sent.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "pages", diesel(table = false))]
struct Page {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL", with = "host", sql_type = "string", read_only)]
    host: Option<String>,
    #[cdms("WebSiteURL", with = "path", sql_type = "string")]
    path: Option<String>,
}

/// The same where the host is sent with a create only.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "shops", diesel(table = false))]
struct Shop {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL", with = "host", sql_type = "string", create_only)]
    host: Option<String>,
    #[cdms("WebSiteURL", with = "path", sql_type = "string")]
    path: Option<String>,
}

#[tokio::test]
async fn a_revert_puts_back_the_parts_that_may_be_sent() {
    let kit = Kit::new(METADATA);
    let account = kit.simulator.seed("Account", [("Name", Value::text("A")), ("WebSiteURL", Value::text("one/a"))]);
    let address = || kit.simulator.record("Account", account).unwrap().get("WebSiteURL").cloned();
    let hub = kit.hub(models![Page]).connect().await.unwrap();
    Page::get(&hub, account.into()).await.unwrap();
    let first = Page::history(&hub, account.into()).await.unwrap()[0].version;
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.edit("Account", account, [("WebSiteURL", Value::text("two/b"))]);
    Page::get(&hub, account.into()).await.unwrap();
    Page::revert(&hub, account.into(), first).await.unwrap();
    assert_eq!(address(), Some(Value::text("two/a")), "what is never sent stays as CDMS has it");
}

#[tokio::test]
async fn a_part_that_only_a_create_sends_is_no_updates() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Shop]).connect().await.unwrap();
    let new = Shop { id: Id::new(), name: "A".into(), host: Some("one".into()), path: Some("a".into()) };
    let mut shop = Shop::create(&hub, new).await.unwrap();
    let id = shop.id();
    let first = Shop::history(&hub, id).await.unwrap()[0].version;
    let address = || kit.simulator.record("Account", id.guid()).unwrap().get("WebSiteURL").cloned();
    assert_eq!(address(), Some(Value::text("one/a")));
    (shop.host, shop.path) = (Some("two".into()), Some("b".into()));
    shop.save(&hub).await.unwrap();
    assert_eq!(address(), Some(Value::text("one/b")));
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.edit("Account", id.guid(), [("WebSiteURL", Value::text("three/b"))]);
    Shop::revert(&hub, id, first).await.unwrap();
    assert_eq!(address(), Some(Value::text("three/a")));
}

datahub_runtime::mapping_tests!(Site, Page, Shop);

/// A module that forgets what the other one's part is.
mod forgetful {
    use datahub_runtime::{Attributes, Fault};

    pub(super) use super::host::decode;

    pub(super) fn encode(host: &Option<String>, _: &Attributes) -> Result<Attributes, Fault> {
        Ok(super::joined([host.clone(), None]))
    }
}

/// A model with that module.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "forgotten", diesel(table = false))]
struct Forgotten {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL", with = "forgetful", sql_type = "string")]
    host: Option<String>,
    #[cdms("WebSiteURL", with = "path", sql_type = "string")]
    path: Option<String>,
}

#[test]
#[should_panic(expected = "only `host` was changed, but a save would change `path` too")]
fn a_module_that_wipes_another_ones_part_is_found() {
    datahub_runtime::testing::untouched_is_not_sent::<Forgotten>();
}
