//! A program whose migrations were planned from its model: it embeds them, runs them, and connects.
#![cfg(test)]

#[path = "../../on_postgres.rs"]
mod on_postgres;

use datahub_migrated_tests::{Firm, MIGRATIONS};
use datahub_runtime::Value;
use datahub_runtime::migration::{Migrate, MigrationState, Migrations};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;

const METADATA: &str = include_str!("../../../mappings/metadata.xml");

#[test]
fn all_of_it_holds_on_postgresql() {
    on_postgres::run_again().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_model_knows_the_epoch_of_its_table() {
    assert_eq!(Firm::DESCRIPTOR.epoch, 1);
}

#[tokio::test]
async fn a_program_begins_on_an_empty_database_at_once() {
    let kit = Kit::new(METADATA);
    let builder = || kit.hub(models![Firm]).database(kit.database()).migrations(MIGRATIONS);
    let report = builder().migrate().await.unwrap();
    assert_eq!((report.applied.len(), report.waiting.len()), (4, 0), "{report:?}");
    builder().connect().await.unwrap();
}

#[tokio::test]
async fn a_program_runs_its_own_migrations_and_then_works() {
    let kit = Kit::new(METADATA);
    let builder = || kit.hub(models![Firm]).database(kit.database()).migrations(MIGRATIONS);
    // The version before it.
    let database = datahub_runtime::migration::database_of(&kit.database()).unwrap();
    let earlier = Migrations::of(database, MIGRATIONS.on(database)[..1].to_vec());
    Migrate::new(kit.database(), earlier).await.unwrap();
    let error = builder().connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(error.to_string().contains("the migration 20261130110338_fax is pending"), "{error}");

    let report = builder().migrate().await.unwrap();
    assert_eq!(report.applied.len(), 1, "{report:?}");
    assert!(!report.waiting.is_empty() && report.waiting.iter().all(|name| name.contains("_fax")), "{report:?}");
    let hub = builder().connect().await.unwrap();
    let id: Id<Firm> = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]).into();
    let mut firm = Firm::get(&hub, id).await.unwrap();
    // While older programs run, a new field already works.
    firm.fax = "0113 496 0000".into();
    firm.save(&hub).await.unwrap();

    let rest = hub.migrate().contract().await.unwrap();
    assert_eq!(rest.applied.len(), report.waiting.len());
    assert_eq!(Firm::get(&hub, id).await.unwrap().fax, "0113 496 0000");
    let states = hub.migrate().status().await.unwrap().migrations;
    assert!(states.iter().all(|migration| matches!(migration.state, MigrationState::Applied(_))), "{states:?}");
    // The tables are those that a first try would make.
    hub.create_tables().await.unwrap();
}
