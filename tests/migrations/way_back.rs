//! The tables as they really are, and a way back from them.

use datahub_runtime::migration::{self, Database, WayBack};

use crate::stage::{contract, firms, kit, run, settings, versions};

#[tokio::test]
async fn a_database_is_described_as_it_really_is() {
    let kit = kit();
    run(&kit, &firms()).contract().await.unwrap();
    kit.run_sql("INSERT INTO datahub_settings (name, value) VALUES ('column:firms.name', 'string or null')").unwrap();
    let found = migration::tables_of(kit.database()).await.unwrap();
    assert_eq!((found.engine, found.tables.len()), (0, 1));
    let firms = &found.tables["firms"];
    let columns: Vec<_> = firms.columns.iter().map(|column| (column.name.as_str(), column.not_null)).collect();
    assert_eq!(columns, [("id", true), ("name", false)]);
    assert_eq!((firms.epoch, firms.rows, firms.meanings["name"].as_str()), (1, 2, "string or null"));
    assert_eq!((firms.filled["id"], firms.filled["name"]), (2, 2));
    assert_eq!((firms.indexes[0].name.as_str(), &firms.indexes[0].columns), ("firms_name", &vec!["name".to_owned()]));
    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    drop(hub);
    assert!(migration::tables_of(kit.database()).await.unwrap().engine > 0);
    let expected = if kit.is_on_postgres() { Database::Postgres } else { Database::Sqlite };
    assert_eq!(migration::database_of(&kit.database()).unwrap(), expected);
}

#[tokio::test]
async fn a_way_back_forgets_what_it_takes_back() {
    let kit = kit();
    run(&kit, &firms()).contract().await.unwrap();
    let back = |statements: &'static [&'static str]| {
        let parts = vec![contract("revert", "firms", 2, statements)];
        let (versions, epochs) = (vec!["20260101000002".to_owned()], vec![("firms".to_owned(), 0)]);
        WayBack { parts, versions, epochs }.go(kit.database(), |_| {})
    };
    let wrong = back(&["ALTER TABLE firms ADD COLUMN notes TEXT", "nonsense"]).await.unwrap_err();
    assert!(wrong.to_string().contains("revert failed in statement 2"), "{wrong}");
    assert_eq!(versions(&kit).len(), 3);
    let done = back(&["ALTER TABLE firms ADD COLUMN notes TEXT"]).await.unwrap();
    assert_eq!((done.len(), done[0].statements.len()), (1, 1));
    assert_eq!(versions(&kit), ["20260101000000", "20260101000001"]);
    assert_eq!(settings(&kit, "migrati").len(), 0);
    assert!(settings(&kit, "epoch:firms")[0].contains("value='0'"));
    run(&kit, &firms()).contract().await.unwrap();
}
