//! References to a record of one of several models.

use std::collections::HashSet;
use std::hash::{Hash, Hasher as _};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Finding, Reference, Value, models};
use uuid::Uuid;

use crate::METADATA;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "holdings", diesel(table = false))]
struct Holding {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Owner", sql_type = "string")]
    owner: Option<OneOf<(User, Holding)>>,
    #[cdms("StateCode", read_only)]
    state: i32,
    /// The hub's own reference, which CDMS knows nothing of.
    #[cdms(local, sql_type = "string")]
    looked_at_by: Option<OneOf<(User, Holding)>>,
}

/// A model that CDMS has and the program does not list.
struct User;

impl datahub_runtime::Model for User {
    const LOGICAL: &'static str = "systemuser";
}

/// The same column, of fewer models.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "parts", diesel(table = false))]
struct Part {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Owner", sql_type = "string")]
    owner: Option<OneOf<(Holding, Part)>>,
    #[cdms("StateCode", read_only)]
    state: i32,
}

mod declared_loss {
    datahub_runtime::mapping_tests!(super::Holding, super::Part);
}

fn holding(name: &str) -> Holding {
    Holding { id: Id::new(), name: name.into(), owner: None, state: 0, looked_at_by: None }
}

fn owner(kit: &Kit, id: Uuid) -> Option<Value> {
    kit.simulator.record("Account", id).unwrap().get("Owner").cloned()
}

fn lookup(logical_name: &'static str, id: Uuid) -> Value {
    Value::Lookup(Reference { logical_name: logical_name.into(), id })
}

#[tokio::test]
async fn either_model_is_written_and_read() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Holding]).program("ada").connect().await.unwrap();
    let parent = Holding::create(&hub, holding("Parent")).await.unwrap();
    let user = Uuid::from_u128(5);
    let owned_by = |owner| Holding { owner: Some(owner), ..holding("Acme") };
    let mut made = Holding::create(&hub, owned_by(OneOf::new(parent.id()))).await.unwrap();
    assert_eq!(owner(&kit, made.id().guid()), Some(lookup("account", parent.id().guid())));
    assert_eq!(made.owner.unwrap().id::<Holding>(), Some(parent.id()));
    assert_eq!(made.owner.unwrap().id::<User>(), None);

    made.owner = Some(OneOf::new(Id::<User>::from(user)));
    made.looked_at_by = made.owner;
    made.save(&hub).await.unwrap();
    assert_eq!(owner(&kit, made.id().guid()), Some(lookup("systemuser", user)));
    let row = Holding::get(&hub, made.id()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(row.owner.unwrap().to_string(), format!("systemuser {user}"), "as the column holds it");

    made.owner = None;
    made.save(&hub).await.unwrap();
    assert_eq!(owner(&kit, made.id().guid()), Some(Value::Null));
    kit.advance(std::time::Duration::from_secs(1));
    kit.simulator.edit("Account", made.id().guid(), [("Owner", lookup("systemuser", user))]);
    let read = Holding::get(&hub, made.id()).await.unwrap();
    assert_eq!(read.owner, Some(OneOf::new(Id::<User>::from(user))));
    assert_eq!(read.looked_at_by, read.owner, "a field of the hub's own can hold one too");
    assert_eq!(Holding::history(&hub, made.id()).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_reference_to_a_model_that_the_field_does_not_know_is_none_and_stays() {
    let kit = Kit::new(METADATA);
    let user = Uuid::from_u128(5);
    let id = kit.simulator.seed(
        "Account",
        [("Name", Value::text("Acme")), ("StateCode", Value::Choice(0)), ("Owner", lookup("systemuser", user))],
    );
    let hub = kit.hub(models![Part]).program("ada").connect().await.unwrap();
    let mut part = Part::get(&hub, id.into()).await.unwrap();
    assert_eq!(part.owner, None);
    part.name = "Acme Foods".into();
    part.save(&hub).await.unwrap();
    assert_eq!(owner(&kit, id), Some(lookup("systemuser", user)), "what is not changed is not sent");
    let read = Part::get(&hub, id.into()).await.unwrap();
    assert!(matches!(read.checked(), Checked::At { found: Finding::InSync, .. }), "{:?}", read.checked());
}

#[test]
fn a_reference_is_text_in_json() {
    let reference = OneOf::<(User, Holding)>::new(Id::<User>::from(Uuid::from_u128(5)));
    let text = "systemuser 00000000-0000-0000-0000-000000000005";
    assert_eq!(serde_json::to_value(reference).unwrap(), serde_json::json!(text));
    assert_eq!(serde_json::from_value::<OneOf<(User, Holding)>>(serde_json::json!(text)).unwrap(), reference);
    let wrong = |text: &str| serde_json::from_value::<OneOf<(User, Holding)>>(serde_json::json!(text)).unwrap_err();
    assert!(wrong("team 00000000-0000-0000-0000-000000000005").to_string().contains("systemuser or account"));
    assert!(wrong("systemuser").to_string().contains("a logical name and a GUID"));
}

#[test]
fn a_reference_is_the_model_and_the_id() {
    let id = Uuid::from_u128(5);
    let to_user: OneOf<(User, Holding)> = OneOf::new(Id::<User>::from(id));
    let to_holding: OneOf<(User, Holding)> = OneOf::new(Id::<Holding>::from(id));
    assert_eq!((to_user.guid(), to_user.logical_name()), (id, "systemuser"));
    assert_eq!(to_holding.logical_name(), "account");
    assert_eq!(to_user, to_user.clone());
    assert_ne!(to_user, to_holding, "of one id, and not of one model");
    assert_eq!(format!("{to_user:?}"), format!("OneOf(systemuser {id})"));
    let all: HashSet<_> = [to_user, to_holding, to_user].into_iter().collect();
    assert_eq!(all.len(), 2);
    // As two that are not equal have it, as good as always.
    assert_ne!(hash(&to_user), hash(&to_holding));
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
