//! A server plans by its statistics, which may mislead it about one record.

use datahub_model::schema::Database;

use super::server::{open, server};
use super::*;
use crate::store::history;
use crate::store::statement::Statement;

/// A record whose many entries are the oldest of all looks as frequent to the server as one that is met at every turn.
#[tokio::test]
async fn a_records_entries_are_found_by_its_index_whatever_the_statistics_say() {
    let bench = Bench::empty();
    if server(&bench).is_none() {
        return;
    }
    let store = open(&bench, &bench.url()).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    done(&store, first_sight("Acme")).await;
    let copied = "model, at, actor, origin, kind, changes, constants, local, mapping_id";
    for (id, versions) in [("id", "2, 4000"), ("gen_random_uuid()", "4001, 20000")] {
        bench.sql(&format!(
            "INSERT INTO datahub_history (entity, id, version, program, {copied}) SELECT entity, {id}, made, \
             repeat('x', 300), {copied} FROM datahub_history, generate_series({versions}) AS made WHERE sequence = 1"
        ));
    }
    bench.sql("ANALYZE datahub_history");
    let (entity, model, version) = (ORGANISATION.entity.name, ORGANISATION.table, Version(4_000));
    let plain = "SELECT max(sequence) FROM datahub_history WHERE entity = ? AND id = ? AND model = ? AND version <= ?";
    let plain = Statement::new(plain, [entity.into(), ID.into(), model.into(), version.0.into()]);
    let asked = [
        history::to_find_before(Database::Postgres, &ORGANISATION, ID, i64::MAX, 10),
        history::to_find_version(Database::Postgres, &ORGANISATION, ID, version),
        history::to_find_up_to(Database::Postgres, &ORGANISATION, ID, version),
        history::to_find_last_at(Database::Postgres, &ORGANISATION, ID, NOON),
    ];
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let plan = async |statement: &Statement| {
            let explained = statement.clone().after("EXPLAIN ");
            let rows = store.write(move |connection| {
                connection.batch(&format!("SET plan_cache_mode = {mode}"))?;
                connection.read::<String>(&explained)
            });
            rows.await.unwrap().join("\n")
        };
        let misled = plan(&plain).await;
        assert!(misled.contains("Backward using datahub_history_pkey"), "the statistics mislead nobody: {misled}");
        for statement in &asked {
            let plan = plan(statement).await;
            assert!(plan.contains("datahub_history_record"), "{mode}: {plan}");
            assert!(!plan.contains("datahub_history_pkey") && !plan.contains("Seq Scan on datahub_history"), "{plan}");
        }
    }
}
