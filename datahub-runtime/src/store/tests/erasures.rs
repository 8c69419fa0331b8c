//! An erasure reaches everything that is kept of a record's past, and leaves the connection as it was.

use super::*;
use crate::store::erasure::Erased;
use crate::store::statement::{ColumnType, Statement};

/// Another model of the same records.
static FIRM: ModelDescriptor = ModelDescriptor { name: "Firm", table: "firms", ..ORGANISATION };

async fn erase(store: &Store) -> Erased {
    let (actor, program) = ("ada".to_owned(), "tests".to_owned());
    store.erase(&ORGANISATION, vec![&ORGANISATION], ID, actor, program, "asked for".to_owned()).await.unwrap()
}

#[tokio::test]
async fn every_entry_is_erased_however_many_there_are() {
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    bench.sql(
        "INSERT INTO datahub_history (entity, id, model, version, at, actor, program, origin, kind, changes, constants, \
         local, mapping_id) WITH RECURSIVE numbers (number) AS \
         (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 600) \
         SELECT entity, id, model, version, at, actor, program, origin, 'refreshed', \
         '[{\"field\":\"name\",\"attribute\":\"Name\",\"from\":[\"Old\"],\"to\":[\"New\"]}]', constants, local, mapping_id \
         FROM datahub_history, numbers",
    );
    assert_eq!(erase(&store).await, Erased::Done(601));
    assert_eq!(bench.count("datahub_history WHERE erased IS NULL OR changes LIKE '%Old%' OR changes LIKE '%New%'"), 0);
}

#[tokio::test]
async fn the_reason_in_quarantine_is_erased_in_every_model() {
    let (bench, store) = Bench::open().await;
    store.create_tables(&[&ORGANISATION, &FIRM]).await.unwrap();
    for model in [&ORGANISATION, &FIRM] {
        let mut commit = commit(NEVER_SEEN);
        commit.quarantine = QuarantineChange::Put(Fault::new("`Name` is \"Acme\", which is too long"));
        done(&store, Job { model, ..job(commit) }).await;
    }
    assert_eq!(bench.count("datahub_quarantine WHERE reason LIKE '%Acme%'"), 2);
    assert_eq!(erase(&store).await, Erased::Done(0));
    assert_eq!(bench.count("datahub_quarantine WHERE reason LIKE '%erased%'"), 2);
    assert_eq!(bench.count("datahub_quarantine WHERE reason LIKE '%Acme%'"), 0);
}

#[tokio::test]
async fn every_model_of_the_entity_is_reached() {
    let (bench, store) = Bench::open().await;
    store.create_tables(&[&ORGANISATION, &FIRM]).await.unwrap();
    let mut versions = Vec::new();
    for model in [&ORGANISATION, &FIRM] {
        let version = done(&store, Job { model, ..first_sight("Acme") }).await;
        versions.push(done(&store, Job { model, ..tombstone(version) }).await);
    }
    let last = versions.into_iter().max().unwrap();
    assert_eq!(bench.count("datahub_records WHERE seen LIKE '%Last%'"), 2);
    assert_eq!(erase(&store).await, Erased::Done(4));
    assert_eq!(bench.count("datahub_records WHERE seen = '{}'"), 2);
    assert_eq!(
        bench.count(&format!("datahub_records WHERE version <= {}", last.0)),
        0,
        "a transaction that loaded an older version cannot store"
    );
    assert_eq!(bench.count("datahub_history WHERE erased IS NULL"), 0);
}

/// A migration carries what the engine keeps of a renamed table's rows over to the new name, the history last.
#[tokio::test]
async fn a_record_of_a_table_that_is_being_renamed_is_reached() {
    let (bench, store) = Bench::open().await;
    store.create_tables(&[&ORGANISATION, &FIRM]).await.unwrap();
    done(&store, first_sight("Acme")).await;
    let version = done(&store, Job { model: &FIRM, ..first_sight("Acme") }).await;
    done(&store, Job { model: &FIRM, ..tombstone(version) }).await;
    bench.sql("INSERT INTO datahub_settings (name, value) VALUES ('carried:firms', 'companies')");
    bench.sql("UPDATE datahub_records SET model = 'companies' WHERE model = 'firms'");
    assert_eq!(bench.count("datahub_records WHERE model = 'companies' AND seen <> '{}'"), 1);
    assert_eq!(erase(&store).await, Erased::Done(3));
    assert_eq!(bench.count("datahub_records WHERE model = 'companies' AND seen = '{}'"), 1);
}

#[tokio::test]
async fn others_are_waited_for_as_long_after_an_erasure_as_before() {
    let (_bench, store) = Bench::on_file().await;
    done(&store, first_sight("Acme")).await;
    erase(&store).await;
    let waits = |connection: &mut crate::store::connection::Connection| {
        let rows = connection.query(&Statement::new("PRAGMA busy_timeout", []), &[ColumnType::BigInt])?;
        rows.into_iter().next().unwrap().number()
    };
    assert_eq!(store.write(waits).await.unwrap(), 20, "the timeout that the store was opened with");
}
