//! Joins of the team's own Diesel code, declared with Diesel's own macros over the tables that the derives write.

#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use diesel::prelude::*;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "nations", mode = "mirror")]
struct Nation {
    #[cdms(key, column = "nation_id")]
    id: Id<Nation>,
    #[cdms("Name")]
    name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "settlers")]
struct Settler {
    #[cdms(key)]
    id: Id<Settler>,
    #[cdms("Name")]
    name: String,
    #[cdms("Country")]
    country: Option<Id<Nation>>,
    #[cdms("Parent")]
    parent: Option<Id<Settler>>,
}

diesel::joinable!(settlers -> nations (country));
diesel::allow_tables_to_appear_in_same_query!(settlers, nations);

#[tokio::test]
async fn lookups_join() {
    let kit = Kit::new(include_str!("../mappings/metadata.xml"));
    let hub = kit.hub(models![Nation, Settler]).connect().await.unwrap();
    let utopia = kit.simulator.seed("Country", [("Name", datahub_runtime::Value::text("Utopia"))]);
    Nation::get(&hub, utopia.into()).await.unwrap();
    let new = |name: &str, country, parent| Settler { id: Id::new(), name: name.into(), country, parent };
    let ada = Settler::create(&hub, new("Ada", Some(utopia.into()), None)).await.unwrap();
    Settler::create(&hub, new("Bob", None, Some(ada.id()))).await.unwrap();

    let mut connection = SqliteConnection::establish(kit.database().trim_start_matches("sqlite://")).unwrap();
    let joined: Vec<(String, Option<String>)> = settlers::table
        .left_join(nations::table)
        .select((settlers::name, nations::name.nullable()))
        .order(settlers::name)
        .load(&mut connection)
        .unwrap();
    assert_eq!(joined, [("Ada".into(), Some("Utopia".into())), ("Bob".into(), None)]);

    let parents = diesel::alias!(settlers as parents);
    let children: Vec<(String, String)> = settlers::table
        .inner_join(parents.on(settlers::parent.eq(parents.field(settlers::id).nullable())))
        .select((settlers::name, parents.field(settlers::name)))
        .load(&mut connection)
        .unwrap();
    assert_eq!(children, [("Bob".into(), "Ada".into())]);

    let rows: Vec<(Settler, Nation)> = settlers::table
        .inner_join(nations::table)
        .select((Settler::as_select(), Nation::as_select()))
        .load(&mut connection)
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].0.id, rows[0].1.id), (ada.id(), utopia.into()));
}
