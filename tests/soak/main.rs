//! The fault soak: two programs with four clients each on one database, people in CDMS, and a fault for a tenth of all calls.
//!
//! `DATAHUB_SOAK_OPERATIONS=n` and `DATAHUB_SOAK_SEED=n` choose how long and which; `cargo xtask soak` sets them. The seed
//! makes the plan of operations and faults; how they meet is up to the machine.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its numbers are for whoever runs it")]

mod checker;
#[path = "../on_postgres.rs"]
mod on_postgres;
mod program;
mod trouble;

use std::hash::{BuildHasher as _, RandomState};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, SimulatorClock};
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{SystemClock, Value};
use example_domain::Organisation;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use checker::{Findings, check};
use program::{EXECUTION_LIMIT, LOGIN, ORDER, Order, Report, TIME_LIMIT};
use trouble::StopOnDrop;

/// Organisations that the clients share: few enough that they meet, more in a long run, so that no history grows too long.
fn accounts(operations: u64) -> u64 {
    60.max(operations / 2_000)
}

/// Programs on the database.
const PROGRAMS: u64 = 2;

fn main() -> ExitCode {
    if let Ok(order) = std::env::var(ORDER) {
        return program::run(serde_json::from_str(&order).expect("an order that this program wrote"));
    }
    let trials = vec![
        Trial::test("no_promise_is_broken", soak),
        Trial::test("all_of_it_holds_on_postgresql", || {
            let told = on_postgres::run_again_loud();
            told.map_err(Failed::from)
        }),
    ];
    libtest_mimic::run(&Arguments { test_threads: Some(1), ..Arguments::from_args() }, trials).exit_code()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn soak() -> Result<(), Failed> {
    let on_server = std::env::var_os(on_postgres::SERVER_OF_KITS).is_some();
    let operations = number("DATAHUB_SOAK_OPERATIONS").unwrap_or(if on_server { 3_000 } else { 400 });
    let seed = number("DATAHUB_SOAK_SEED").unwrap_or_else(|| RandomState::new().hash_one(std::process::id()) >> 16);
    eprintln!("DATAHUB_SOAK_SEED={seed}, {operations} operations");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(operations, seed))
}

async fn run(operations: u64, seed: u64) -> Result<(), Failed> {
    let kit = Kit::with(example_domain::METADATA, |cdms| {
        cdms.clock(SimulatorClock::system()).login(LOGIN.0, LOGIN.1, Expiry::Unauthorized)
    });
    let kit = Arc::new(kit);
    let accounts: Vec<_> = (0..accounts(operations))
        .map(|number| kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]))
        .collect();
    let hub = hub(&kit).await?;
    assert!(hub.pull::<Organisation>().await?.complete);

    let stop = Arc::new(AtomicBool::new(false));
    let edits = Arc::new(AtomicU64::new(0));
    let trouble = {
        let (kit, accounts, stop, edits) = (Arc::clone(&kit), accounts.clone(), Arc::clone(&stop), Arc::clone(&edits));
        std::thread::spawn(move || trouble::make(&kit, &accounts, seed, &stop, &edits))
    };
    let begun = Instant::now();
    let reports = {
        let _stop = StopOnDrop(Arc::clone(&stop));
        programs(&kit, operations, seed, &accounts).await?
    };
    let took = begun.elapsed();
    trouble.join().map_err(|_| "the trouble maker panicked")?;
    let settling = settle(&hub).await?;
    let findings = check(&kit, &hub, &accounts, &reports).await;
    tell(&kit, &findings, reports.len(), edits.load(Ordering::Relaxed), took, settling);
    hub.shutdown(Duration::from_secs(30)).await;
    match findings.violations.as_slice() {
        [] => Ok(()),
        violations => Err(format!("{} violations:\n{}", violations.len(), violations.join("\n")).into()),
    }
}

async fn hub(kit: &Kit) -> Result<Hub, Error> {
    let hub = kit.hub_with(example_domain::models(), FormLogin::new(LOGIN.0, LOGIN.1)).clock(SystemClock::new());
    hub.program("checker").time_limit(TIME_LIMIT).execution_limit(EXECUTION_LIMIT).connect().await
}

/// Starts the programs and takes their reports until both have ended.
async fn programs(kit: &Kit, operations: u64, seed: u64, accounts: &[uuid::Uuid]) -> Result<Vec<Report>, Failed> {
    let bar = indicatif::ProgressBar::new(operations);
    let mut readers = Vec::new();
    for number in 1..=PROGRAMS {
        let order = Order {
            database: kit.database(),
            cdms: kit.simulator.root(),
            number,
            seed,
            operations: operations / PROGRAMS,
            accounts: accounts.to_vec(),
        };
        let mut child = tokio::process::Command::new(std::env::current_exe()?)
            .env(ORDER, serde_json::to_string(&order)?)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let bar = bar.clone();
        readers.push(async move {
            let mut reports = Vec::new();
            let out = child.stdout.take().ok_or("its output is piped")?;
            let mut lines = BufReader::new(out).lines();
            while let Some(line) = lines.next_line().await? {
                reports.push(serde_json::from_str::<Report>(&line)?);
                bar.inc(1);
            }
            let status = child.wait().await?;
            if status.success() { Ok(reports) } else { Err(Failed::from(format!("program {number}: {status}"))) }
        });
    }
    let reports = futures_util::future::try_join_all(readers).await?.concat();
    bar.finish_and_clear();
    Ok(reports)
}

/// Settles what is open; says how long the last took.
async fn settle(hub: &Hub) -> Result<Duration, Failed> {
    let begun = Instant::now();
    loop {
        let report = hub.settle().await?;
        if report.waiting.is_empty() && report.failed.is_empty() {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > Duration::from_secs(60) {
            return Err(format!("some writes are never settled: {report:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn tell(kit: &Kit, findings: &Findings, operations: usize, edits: u64, took: Duration, settling: Duration) {
    let hits = kit.simulator.faults_hit();
    let (met, requests) = (hits.values().sum::<u64>(), kit.simulator.requests_met());
    println!("{operations} operations in {:.1} s, {edits} edits by people", took.as_secs_f64());
    println!("{met} faults in {requests} requests: {:.1} %", 100.0 * met as f64 / requests.max(1) as f64);
    for (fault, count) in hits {
        println!("{count:>8} × {fault}");
    }
    for (outcome, count) in &findings.outcomes {
        println!("{count:>8} × {outcome}");
    }
    let writes = |outcome: &str| {
        let of = findings.outcomes.iter().filter(|(name, _)| {
            ["Update", "Create", "Delete"].iter().any(|kind| name.starts_with(kind)) && name.ends_with(outcome)
        });
        of.map(|(_, count)| count).sum::<u64>()
    };
    println!("unsettled: {:.2} % of writes", 100.0 * writes("Unsettled") as f64 / writes("").max(1) as f64);
    for (verdict, count) in &findings.verdicts {
        println!("{count:>8} × settled as {verdict}");
    }
    println!("the last write was settled {:.1} s after the end", settling.as_secs_f64());
    let at = |share: f64| {
        let place = (findings.windows_us.len() as f64 * share) as usize;
        findings.windows_us.get(place).copied().unwrap_or_default() as f64 / 1_000.0
    };
    println!("between GET and MERGE: median {:.2} ms, 90 % {:.2} ms, 99 % {:.2} ms", at(0.5), at(0.9), at(0.99));
    println!("violations: {}", findings.violations.len());
    if std::env::var_os("DATAHUB_SOAK_JSON").is_some() {
        let numbers = serde_json::json!({
            "operations": operations,
            "seconds": took.as_secs_f64(),
            "edits": edits,
            "requests": requests,
            "faults": kit.simulator.faults_hit(),
            "findings": findings,
            "settled_after_seconds": settling.as_secs_f64(),
            "window_ms": { "median": at(0.5), "p90": at(0.9), "p99": at(0.99) },
        });
        println!("{numbers}");
    }
}
