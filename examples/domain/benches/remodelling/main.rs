//! How fast a changed mapping is rehearsed, and its rows completed, on a database with 200,000 organisations.
//!
//! A few hundred different records are pulled from a simulated CDMS; their rows are then multiplied by SQL. Prints one line
//! of a table for each measurement. `DATAHUB_BENCH_ROWS` sets another number of rows.
#![allow(clippy::print_stdout, reason = "its output is the table")]
#![allow(clippy::unwrap_used, reason = "a benchmark stops where something fails")]

#[path = "../shared/organisations.rs"]
mod organisations;

use std::time::{Duration, Instant};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Limits, rehearse};
use example_domain::Organisation;

/// How many rows there are, unless the environment says otherwise.
const ROWS: u64 = 200_000;

/// How many different records there are.
const RECORDS: u64 = 400;

fn main() {
    let rows = std::env::var("DATAHUB_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(rows));
}

async fn measure(rows: u64) {
    let kit = Kit::new(example_domain::METADATA);
    for number in 0..RECORDS {
        organisations::seed(&kit, number);
    }
    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    assert_eq!(hub.pull::<Organisation>().await.unwrap().first_seen, RECORDS);
    multiply(&kit, rows / RECORDS);

    println!("| what | rows | time | rows/s |\n|---|---:|---:|---:|");
    let begun = Instant::now();
    let report = rehearse(kit.database(), models![Organisation]).fail_above(Limits::strict().changed(0)).await.unwrap();
    line("rehearse", report.models[0].rows, begun.elapsed());

    kit.run_sql("UPDATE datahub_records SET mapping_id = 1").unwrap();
    let begun = Instant::now();
    let report = hub.backfill::<Organisation>().await.unwrap();
    assert!(report.complete, "{report:?}");
    line("complete from what is kept", report.from_seen, begun.elapsed());
}

fn line(what: &str, rows: u64, time: Duration) {
    let rate = u128::from(rows) * 1_000 / time.as_millis().max(1);
    println!("| {what} | {rows} | {:.1} s | {rate} |", time.as_secs_f64());
}

/// Gives every row this number of copies, itself included.
fn multiply(kit: &Kit, copies: u64) {
    let names = |of: &str, columns: &[&str]| {
        columns.iter().map(|column| format!("{of}.{column}")).collect::<Vec<_>>().join(", ")
    };
    let columns: Vec<_> =
        Organisation::DESCRIPTOR.columns.iter().map(|column| column.name).filter(|name| *name != "id").collect();
    let records =
        ["model", "modified", "created", "modified_by", "seen", "mapping_id", "version", "state", "outdated_at"];
    kit.run_sql(&format!(
        "CREATE TEMP TABLE copies AS WITH RECURSIVE number(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < {copies}) \
         SELECT randomblob(16) AS copy, id FROM organisations, number; \
         INSERT INTO organisations (id, {into}) SELECT copies.copy, {from} FROM copies \
         JOIN organisations AS original ON original.id = copies.id; \
         INSERT INTO datahub_records (id, {records_into}) SELECT copies.copy, {records_from} FROM copies \
         JOIN datahub_records AS original ON original.id = copies.id",
        into = columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", "),
        from = names("original", &columns),
        records_into = records.join(", "),
        records_from = names("original", &records),
    ))
    .unwrap();
}
