//! `create_only`, `read_only`, constants and the acting user: what CDMS is sent, and what it is not.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Value, models};
use uuid::Uuid;

use crate::METADATA;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "members", diesel(table = false))]
struct Member {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Token", create_only)]
    token: Option<Uuid>,
    #[cdms("Rating", read_only)]
    rating: Option<i32>,
    #[cdms("StateCode", read_only)]
    state: i32,
}

fn member(name: &str) -> Member {
    Member { id: Id::new(), name: name.into(), token: Some(Uuid::from_u128(1)), rating: Some(5), state: 0 }
}

#[tokio::test]
async fn a_field_that_only_a_create_sends_is_cdms_afterwards() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Member]).program("ada").connect().await.unwrap();
    let mut made = Member::create(&hub, member("Acme")).await.unwrap();
    let sent = |name| kit.simulator.record("Account", made.id().guid()).unwrap().get(name).cloned().unwrap_or_default();
    assert_eq!(sent("Token"), Value::Guid(Uuid::from_u128(1)));
    assert_eq!((sent("Rating"), made.rating), (Value::Null, None), "what CDMS alone writes is not sent");

    let id = made.id();
    (made.name, made.token, made.rating) = ("Acme Foods".into(), Some(Uuid::from_u128(2)), Some(4));
    made.save(&hub).await.unwrap();
    let has = |name| kit.simulator.record("Account", id.guid()).unwrap().get(name).cloned().unwrap_or_default();
    assert_eq!(
        (has("Name"), has("Token"), has("Rating")),
        (Value::text("Acme Foods"), Value::Guid(Uuid::from_u128(1)), Value::Null)
    );
    assert_eq!((made.token, made.rating), (Some(Uuid::from_u128(1)), None), "the caller has what CDMS has");

    kit.simulator.edit(
        "Account",
        id.guid(),
        [("Token", Value::Guid(Uuid::from_u128(3))), ("Rating", Value::Integer(9))],
    );
    let read = Member::get(&hub, id).await.unwrap();
    assert_eq!((read.token, read.rating), (Some(Uuid::from_u128(3)), Some(9)));
}

#[tokio::test]
async fn constants_name_who_acts() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Member]).program("nightly").connect().await.unwrap();
    let address = |id: Id<Member>| kit.simulator.record("Account", id.guid()).unwrap().get("WebSiteURL").cloned();
    let ada = hub.acting_as("ada");
    let mut made = Member::create(&ada, member("Acme")).await.unwrap();
    assert_eq!(address(made.id()), Some(Value::text("https://ada.example")));
    made.name = "Acme Foods".into();
    made.save(&hub.acting_as("bob")).await.unwrap();
    assert_eq!(address(made.id()), Some(Value::text("https://bob.example")));
    made.name = "Acme".into();
    made.save(&hub).await.unwrap();
    assert_eq!(address(made.id()), Some(Value::text("https://nightly.example")));
    let history = Member::history(&hub, made.id()).await.unwrap();
    let actors: Vec<_> = history.iter().map(|entry| entry.actor.as_str()).collect();
    assert_eq!(actors, ["ada", "bob", "nightly"]);
}
