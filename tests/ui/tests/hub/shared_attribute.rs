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
    let kinds: Vec<_> = history.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Created, EntryKind::Refreshed, EntryKind::Updated]);
}

datahub_runtime::mapping_tests!(Site);
