//! The fault soak: two programs with four clients each on one database, people in CDMS, and a fault for a tenth of all calls.
//!
//! `DATAHUB_SOAK_OPERATIONS=n` and `DATAHUB_SOAK_SEED=n` choose how long and which; `cargo xtask soak` sets them. The seed
//! makes the plan of operations and faults; how they meet is up to the machine.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its numbers are for whoever runs it")]

mod checker;
mod fresh;
#[path = "../on_postgres.rs"]
mod on_postgres;
mod people;
mod program;
mod sides;
mod tables;
mod traffic;
mod transactions;
mod trouble;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, SimulatorClock};
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{Attributes, SystemClock, Value};
use example_domain::Organisation;
use fastrand::Rng;
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use uuid::Uuid;

use checker::{Findings, check};
use people::People;
use program::{EXECUTION_LIMIT, Kind, LOGIN, ORDER, Order, Report, TIME_LIMIT};
use traffic::Traffic;
use transactions::Held;
use trouble::{StopOnDrop, Trouble};

/// Organisations that the clients share: few enough that they meet, more in a long run, so that no history grows too long.
fn accounts(operations: u64) -> u64 {
    60.max(operations / 2_000)
}

/// Contacts that the clients share, for the same reasons.
fn contacts(operations: u64) -> u64 {
    20.max(operations / 5_000)
}

/// From so many operations on every kind of fault has met a call, and a tenth of all calls a fault.
const ENOUGH: u64 = 3_000;

/// From so many operations on, a sweep and a watch have met no fault.
const ENOUGH_OF_THE_RARE: u64 = 10_000;

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

/// The stage: CDMS and the database, with what is there in the beginning.
struct Stage {
    kit: Arc<Kit>,
    seed: u64,
    operations: u64,
    /// The accounts as they were in the beginning.
    seeded: HashMap<Uuid, Attributes>,
    accounts: Vec<Uuid>,
    contacts: Vec<Uuid>,
    /// The name of the hubs' connections on a database server.
    application: String,
}

async fn run(operations: u64, seed: u64) -> Result<(), Failed> {
    let kit = Kit::with(example_domain::METADATA, |cdms| {
        // The checker goes by the whole log.
        cdms.clock(SimulatorClock::system()).login(LOGIN.0, LOGIN.1, Expiry::Unauthorized).log_limit(None)
    });
    let accounts: Vec<_> = (0..accounts(operations))
        .map(|number| kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]))
        .collect();
    let record = |id: &Uuid| kit.simulator.record("Account", *id);
    let stage = Stage {
        seeded: accounts.iter().filter_map(|id| Some((*id, record(id)?))).collect(),
        accounts,
        contacts: (0..contacts(operations)).map(|_| Uuid::new_v4()).collect(),
        application: format!("soak-{}", std::process::id()),
        kit: Arc::new(kit),
        seed,
        operations,
    };
    let hub = stage.hub().await?;
    assert!(hub.pull::<Organisation>().await?.complete);
    transactions::prepare(&stage.kit, &stage.application)?;

    let begun = Instant::now();
    let (reports, mut trouble, held) = stage.play().await?;
    let took = begun.elapsed();
    settle(&hub).await?;
    trouble.traffic.take(&stage.kit.simulator);
    let mut findings = check(&stage.kit, &hub, &stage.seeded, &trouble.traffic, &reports).await;
    findings.violations.extend(held.violations.iter().cloned());
    findings.violations.extend(transactions::left(&stage.kit));
    findings.violations.extend(stage.was_troubled(&trouble, &findings));
    stage.tell(&findings, reports.len(), &trouble, &held, took);
    hub.shutdown(Duration::from_secs(30)).await;
    match findings.violations.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => {
            let shown = rest.iter().take(SHOWN).map(|violation| format!("\n{violation}")).collect::<String>();
            let (operations, more) = (reports.len(), rest.len());
            Err(format!("after {operations} operations: {first}; and {more} more violations{shown}").into())
        }
    }
}

/// How many violations are shown beside the first.
const SHOWN: usize = 200;

impl Stage {
    /// The database's address, by which the hubs' connections are told from others.
    fn database(&self) -> String {
        let address = self.kit.database();
        if self.kit.is_on_postgres() { format!("{address}&application_name={}", self.application) } else { address }
    }

    async fn hub(&self) -> Result<Hub, Error> {
        let login = FormLogin::new(LOGIN.0, LOGIN.1);
        let hub = self.kit.hub_with(example_domain::models(), login).database(self.database());
        let hub = hub.clock(SystemClock::new()).program("checker");
        hub.time_limit(TIME_LIMIT).execution_limit(EXECUTION_LIMIT).connect().await
    }

    /// Lets the programs work while there is trouble, and watches their connections.
    async fn play(&self) -> Result<(Vec<Report>, Trouble, Held), Failed> {
        let stop = Arc::new(AtomicBool::new(false));
        let trouble = {
            let (kit, stop, seed) = (Arc::clone(&self.kit), Arc::clone(&stop), self.seed);
            let people = People::new(Rng::with_seed(seed ^ 1), &self.accounts, &self.contacts);
            std::thread::spawn(move || trouble::make(&kit, people, seed, &stop))
        };
        let watch = {
            let (kit, stop, seed) = (Arc::clone(&self.kit), Arc::clone(&stop), self.seed);
            std::thread::spawn(move || transactions::watch(&kit, seed, &stop))
        };
        let reports = {
            let _stop = StopOnDrop(stop);
            self.programs().await?
        };
        let trouble = trouble.join().map_err(|_| "the trouble maker panicked")?;
        Ok((reports, trouble, watch.join().map_err(|_| "who watches the connections panicked")?))
    }

    /// What the soak has to have met to prove anything.
    fn was_troubled(&self, trouble: &Trouble, findings: &Findings) -> Vec<String> {
        let Trouble { traffic, deeds, away, never_met } = trouble;
        if self.operations < ENOUGH {
            return Vec::new();
        }
        let worked = |kind: &Kind| findings.outcomes.contains_key(&format!("{kind:?} Ok"));
        let mut kinds = vec![Kind::Revalidate, Kind::List, Kind::Pull];
        if self.operations >= ENOUGH_OF_THE_RARE {
            kinds.extend([Kind::Sweep, Kind::Watch]);
        }
        let idle: Vec<_> = kinds.into_iter().filter(|kind| !worked(kind)).collect();
        if !idle.is_empty() {
            return vec![format!("none of these has succeeded: {idle:?}")];
        }
        let mut lacking: Vec<_> = never_met.iter().map(|name| format!("no call met the fault {name}")).collect();
        if traffic.faulted * 10 < traffic.requests {
            lacking.push(format!("only {} of {} calls met a fault", traffic.faulted, traffic.requests));
        }
        if *away == 0 || deeds.edits == 0 || deeds.removals == 0 || deeds.restorations == 0 {
            lacking.push(format!("CDMS was away {away} times, and people did too little: {deeds:?}"));
        }
        lacking
    }

    /// Starts the programs and takes their reports until both have ended.
    async fn programs(&self) -> Result<Vec<Report>, Failed> {
        let bar = indicatif::ProgressBar::new(self.operations);
        let mut readers = Vec::new();
        for number in 1..=PROGRAMS {
            let order = Order {
                database: self.database(),
                // Any organisation's name leads there; each program has its own, so that its requests can be told.
                cdms: self.kit.simulator.root().replace("/ORG", &format!("/P{number}")),
                number,
                seed: self.seed,
                operations: self.operations / PROGRAMS,
                accounts: self.accounts.clone(),
                contacts: self.contacts.clone(),
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

    /// What the run came to, for whoever started it.
    fn tell(&self, findings: &Findings, operations: usize, trouble: &Trouble, held: &Held, took: Duration) {
        let Trouble { traffic, deeds, away, .. } = trouble;
        let Traffic { requests, faulted, .. } = traffic;
        let share = 100.0 * *faulted as f64 / (*requests).max(1) as f64;
        println!("{operations} operations in {:.1} s", took.as_secs_f64());
        println!("{faulted} of {requests} requests met a fault: {share:.1} %; CDMS was away {away} times");
        println!("people: {} edits, {} removals, {} restorations", deeds.edits, deeds.removals, deeds.restorations);
        let faults = self.kit.simulator.faults_hit();
        for (what, count) in faults.iter().chain(&findings.outcomes) {
            println!("{count:>8} × {what}");
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
        for (what, count) in &findings.residual {
            println!("{count:>8} × not promised: {what}");
        }
        let settled = Spread::of(&findings.settled_ms, 1.0);
        println!("an unsettled write was open: {settled}");
        let late = Spread::of(&findings.late_ms, 1.0);
        println!("late writes were carried out after: {late}");
        let mut windows_us = traffic.windows_us.clone();
        windows_us.sort_unstable();
        let window = Spread::of(&windows_us, 1_000.0);
        println!("between GET and MERGE: {window}; {} MERGEs without a GET of their own", traffic.without_get);
        let Held { looks, found, longest_ms, .. } = held;
        println!("transactions open between statements in {found} of {looks} looks, the longest {longest_ms} ms");
        println!("violations: {}", findings.violations.len());
        if std::env::var_os("DATAHUB_SOAK_JSON").is_some() {
            let numbers = serde_json::json!({
                "operations": operations,
                "seconds": took.as_secs_f64(),
                "people": deeds,
                "requests": requests,
                "faulted": faulted,
                "away": away,
                "faults": faults,
                "findings": findings,
                "settled_ms": settled,
                "late_ms": late,
                "window_ms": window,
                "longest_transaction_ms": longest_ms,
            });
            println!("{numbers}");
        }
    }
}

/// How numbers are spread, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Spread {
    count: usize,
    median: f64,
    p90: f64,
    p99: f64,
    most: f64,
}

impl Spread {
    /// Of sorted numbers, so many of which are a millisecond.
    fn of(sorted: &[u64], per_ms: f64) -> Self {
        let at = |share: f64| {
            let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
            sorted.get(place).copied().unwrap_or_default() as f64 / per_ms
        };
        Spread { count: sorted.len(), median: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1.0) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Spread { count, median, p90, p99, most } = self;
        write!(f, "median {median:.2} ms, 90 % {p90:.2} ms, 99 % {p99:.2} ms, longest {most:.2} ms ({count})")
    }
}

/// Settles what is open.
async fn settle(hub: &Hub) -> Result<(), Failed> {
    let begun = Instant::now();
    loop {
        let report = hub.settle().await?;
        if report.waiting.is_empty() && report.failed.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(60) {
            return Err(format!("some writes are never settled: {report:?}").into());
        }
        // The time that the next of them takes; what failed has none.
        let pause = report.waiting.iter().map(|(_, after)| *after).min();
        tokio::time::sleep(pause.unwrap_or(Duration::from_millis(100))).await;
    }
}
