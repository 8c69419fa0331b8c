//! What lists and `ensure_fresh` cost, beside a program that only requests the same pages and puts their records into a table.
//!
//! `cargo xtask bench lists` runs it. The simulated CDMS is in the same program, and its time is in both sides.
//! `DATAHUB_BENCH_POSTGRES` says where to measure on PostgreSQL too.
#![allow(clippy::print_stdout, reason = "its output is the measurements")]
#![allow(clippy::unwrap_used, reason = "a benchmark stops where something fails")]

mod bare;
#[allow(dead_code, reason = "only one of its structs is read here")]
#[path = "../conversion/flat.rs"]
mod flat;
#[path = "../shared/organisations.rs"]
mod organisations;
mod turns;

use std::env;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Anonymous, Finding, ModelFresh, Models, Value};
use example_domain::{Adviser, Contact, Organisation, Sector, Team};
use uuid::Uuid;

use bare::{Bare, Table};
use turns::{Turns, timed};

/// A page of CDMS's.
const PAGE: usize = 50;

/// Longer than any write of CDMS can take to show up.
const LATER: Duration = Duration::from_secs(331);

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    // `cargo test --benches` also runs this, to check that it works.
    let rounds = match (has("--bench"), has("--quick")) {
        (false, _) => 3,
        (true, true) => 15,
        (true, false) => 201,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (name, make) in databases() {
            lists(&make(), name, rounds).await;
            freshness(&make(), name, rounds).await;
        }
    });
}

/// Makes a CDMS with a database.
type Make = Box<dyn Fn() -> Kit>;

/// The databases to measure on.
fn databases() -> Vec<(&'static str, Make)> {
    let file: Make = Box::new(|| Kit::on_sqlite(example_domain::METADATA));
    let sqlite = if env::temp_dir().starts_with("/dev/shm") { "SQLite, in memory" } else { "SQLite, on a disk" };
    let mut databases = vec![(sqlite, file)];
    if let Ok(server) = env::var("DATAHUB_BENCH_POSTGRES") {
        databases
            .push(("PostgreSQL without fsync", Box::new(move || Kit::on_postgres(example_domain::METADATA, &server))));
    }
    databases
}

/// A hub with the options that a program has that sets none. It has asked already which organisation CDMS is.
async fn hub(kit: &Kit) -> Hub {
    let hub = Hub::builder()
        .database(kit.database())
        .cdms(kit.simulator.root(), Anonymous)
        .models(example_domain::models())
        .clock(kit.clock.clone())
        .create_tables();
    let hub = hub.connect().await.unwrap();
    Organisation::get(&hub, Id::new()).await.unwrap_err();
    hub
}

/// The addresses of the lists that were requested since the last call.
fn requested(kit: &Kit) -> Vec<String> {
    let requests = kit.simulator.take_requests().into_iter().filter(|request| request.target.contains("Set?"));
    requests.map(|request| format!("{}{}", origin(kit), request.target)).collect()
}

/// The part of the simulator's address before the path.
fn origin(kit: &Kit) -> String {
    let root = kit.simulator.root();
    let path = root.find("://").and_then(|scheme| root[scheme + 3..].find('/').map(|slash| scheme + 3 + slash));
    path.map_or(root.clone(), |path| root[..path].to_owned())
}

/// A list of a page that the hub has: as it was, and with every record changed.
async fn lists(kit: &Kit, database: &'static str, rounds: usize) {
    let ids: Vec<Uuid> = (0..PAGE as u64).map(|number| organisations::seed(kit, number)).collect();
    let hub = hub(kit).await;
    let (bare, mut table) = (Bare::new(), Table::create(&kit.database()).await);
    requested(kit);
    list(&hub, Finding::First).await;
    let [url] = &requested(kit)[..] else { panic!("a list of a page is one request") };
    assert_eq!(bare.store(url, &mut table).await, (PAGE, None));

    let mut in_sync = Turns::new("list of 50, in sync", database);
    for _ in 0..rounds {
        round(&mut in_sync, list(&hub, Finding::InSync), bare.store(url, &mut table)).await;
    }
    in_sync.print();

    let mut alone = Turns::new("list of 50, in sync, beside the request alone", database);
    for _ in 0..rounds {
        round(&mut alone, list(&hub, Finding::InSync), bare.get(url)).await;
    }
    alone.print();

    let mut changed = Turns::new("list of 50, all changed", database);
    for number in 0..rounds {
        kit.advance(Duration::from_secs(60));
        for id in &ids {
            kit.simulator.edit("Account", *id, [("Description", Value::text(format!("Changed {number}")))]);
        }
        round(&mut changed, list(&hub, Finding::Refreshed), bare.store(url, &mut table)).await;
    }
    changed.print();
    hub.shutdown(Duration::from_secs(60)).await;
}

/// One round, in which the sides take turns in going first.
async fn round<T>(turns: &mut Turns, ours: impl Future<Output = ()>, without: impl Future<Output = T>) {
    let (ours, without) = if turns.hub_is_first() {
        let ours = timed(ours).await.0;
        (ours, timed(without).await.0)
    } else {
        let without = timed(without).await.0;
        (timed(ours).await.0, without)
    };
    turns.add(ours, without);
}

/// A list of a page; what was found about each record is part of the promise.
async fn list(hub: &Hub, expected: Finding) {
    let found = Organisation::find(hub).limit(50).load().await.unwrap();
    assert_eq!(found.records.len(), PAGE);
    let as_expected =
        |record: &Synced<Organisation>| matches!(record.checked(), Checked::At { found, .. } if found == expected);
    assert!(found.records.iter().all(as_expected), "expected {expected:?} of all, found {:?}", found.records);
}

/// Models in which nothing has changed.
async fn freshness(kit: &Kit, database: &'static str, rounds: usize) {
    for number in 0..PAGE as u64 {
        organisations::seed(kit, number);
    }
    let hub = hub(kit).await;
    let five = || models![Contact, Organisation, Adviser, Team, Sector];
    hub.ensure_fresh(five(), Freshness::Always).or_load().await.unwrap();
    for _ in 0..2 {
        kit.advance(LATER);
        hub.ensure_fresh(five(), Freshness::Always).await.unwrap();
    }
    let bare = Bare::new();
    for (what, models) in [
        ("`ensure_fresh` of a model, unchanged", models![Organisation]),
        ("`ensure_fresh` of five models, unchanged", five()),
    ] {
        requested(kit);
        fresh(&hub, models.clone()).await;
        let urls = requested(kit);
        let mut turns = Turns::new(what, database);
        for _ in 0..rounds {
            round(&mut turns, fresh(&hub, models.clone()), bare.get_all(&urls)).await;
        }
        turns.print();
    }
    hub.shutdown(Duration::from_secs(60)).await;
}

async fn fresh(hub: &Hub, models: Models) {
    let report = hub.ensure_fresh(models, Freshness::Always).await.unwrap();
    let is_unchanged = |model: &ModelFresh| model.pull.is_some_and(|pull| pull.records == 0);
    assert!(report.models.iter().all(is_unchanged), "{report:?}");
    assert_eq!(report.cost.requests, report.models.len() as u64);
}
