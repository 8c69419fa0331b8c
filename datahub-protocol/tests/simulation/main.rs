//! Seeded simulation: the shipped machines in a world where everything that can go wrong does, driven by a seed.
//!
//! Three programs with two versions of a mapping work on four records, alongside people. `DATAHUB_SEEDS=n` tries that
//! number of seeds; `DATAHUB_SEED=n` replays one of them and prints each step.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap what the tests made themselves")]
#![allow(clippy::print_stdout, reason = "the counts and a replay are for the person who runs the simulation")]

mod cdms;
mod mapping;
mod promises;
mod store;
mod verdicts;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use world::World;

/// The number of operations that programs begin in one run.
const OPERATIONS: u32 = 40;

/// Runs one seed to its end. The error states which promise was broken, after how many operations; a panic counts as
/// such an error.
fn run(seed: u64, traced: bool) -> (World, Result<(), String>) {
    let mut world = World::new(seed, traced);
    let held = catch_unwind(AssertUnwindSafe(|| act(seed, &mut world)));
    let held = held.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("it panics: {}", said.unwrap_or("without a message")))
    });
    (world, held)
}

fn act(seed: u64, world: &mut World) -> Result<(), String> {
    let mut left = OPERATIONS;
    // In some worlds, CDMS is restored from a backup half-way.
    let restore_at = (seed % 16 == 15).then_some(OPERATIONS / 2);
    while left > 0 && world.broken.is_none() {
        world.step(&mut left);
        if Some(left) == restore_at && world.restored.is_none() {
            world.finish();
            world.restore();
        }
    }
    for _ in 0..400 {
        world.step(&mut left);
    }
    match world.broken.take() {
        Some(broken) => Err(broken),
        None => promises::hold(world),
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, found {text:?}")))
}

/// Replays a seed and prints its steps.
fn replay(seed: u64) -> Result<(), String> {
    let (world, held) = run(seed, true);
    let steps = world.trace.unwrap();
    let shown = if std::env::var_os("DATAHUB_SEED").is_some() { 0 } else { steps.len().saturating_sub(60) };
    for step in &steps[shown..] {
        println!("{step}");
    }
    held
}

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = number("DATAHUB_SEED") {
        replay(seed).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        return;
    }
    let seeds = number("DATAHUB_SEEDS").unwrap_or(3_000);
    let (next, operations, failed) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(None::<u64>));
    let stop = AtomicBool::new(false);
    let tally: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine: BTreeMap<String, u64> = BTreeMap::new();
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let (world, held) = run(seed, false);
                    operations.fetch_add(u64::from(OPERATIONS), Ordering::Relaxed);
                    if held.is_err() {
                        failed.lock().unwrap().get_or_insert(seed);
                        stop.store(true, Ordering::Relaxed);
                    }
                    for (what, count) in world.tally {
                        *mine.entry(what).or_default() += count;
                    }
                    if seed > 0 && seed % 50_000 == 0 {
                        println!("{seed} seeds");
                    }
                }
                for (what, count) in mine {
                    *tally.lock().unwrap().entry(what).or_default() += count;
                }
            });
        }
    });
    if let Some(seed) = failed.into_inner().unwrap() {
        let broken = replay(seed).expect_err("a seed has the same result each time");
        panic!("seed {seed}, after {} operations: {broken}", operations.into_inner());
    }
    let tally = tally.into_inner().unwrap();
    println!("{seeds} seeds, {} operations", operations.into_inner());
    for (what, count) in &tally {
        println!("{count:>9} × {what}");
    }
    for what in EXPECTED {
        assert!(tally.contains_key(*what), "this never happened: {what}");
    }
}

/// The results of the first seeds, line by line. A change of behaviour that breaks no promise shows up here and must be
/// reviewed.
#[test]
fn the_first_seeds_come_to_the_same_ends() {
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 0..400 {
        let (world, held) = run(seed, false);
        held.unwrap_or_else(|broken| {
            panic!("seed {seed}, after {} operations: {broken}", (seed + 1) * u64::from(OPERATIONS))
        });
        for (what, count) in world.tally {
            *tally.entry(what).or_default() += count;
        }
    }
    let lines: Vec<_> = tally.iter().map(|(what, count)| format!("{count:>6} × {what}")).collect();
    // A planted fault that changes numbers without breaking a promise does not count as caught.
    if std::env::var_os("DATAHUB_PLANTED").is_none() {
        insta::assert_snapshot!(lines.join("\n"));
    }
}

/// What a run of the usual size must contain: every trouble and every verdict.
const EXPECTED: &[&str] = &[
    "a create's answer that cannot be parsed",
    "a crash",
    "a deadlock",
    "a frozen time",
    "a gateway's page",
    "a login that fails",
    "a lookup's target is missing",
    "a pause past the lease",
    "a read that cannot be parsed",
    "a read that is refused",
    "a read without an answer",
    "a session that is over",
    "a value that a plug-in adjusts",
    "a value that the database forbids",
    "a write lost on its way",
    "a write refused by a plug-in",
    "a write refused for its form",
    "a person types what was there or is under way",
    "a change that is dated earlier than it is committed",
    "a page without an answer",
    "a record of a page that cannot be parsed",
    "a taken id whose answer is lost",
    "a transaction whose acknowledgement is lost",
    "a write that is carried out late",
    "a write that is carried out past the quiet period",
    "a write whose answer is lost",
    "a write without privilege",
    "an id that is not kept",
    "an SQL error after the write",
    "an unexpected error after the write",
    "an unexpected error before the write",
    "sent past the lease",
    "the database is away for a load",
    "the database is away for a transaction",
    "verdict: applied",
    "verdict: not applied",
    "verdict: orphaned",
    "verdict: rejected",
    "verdict: superseded",
    "end: update unsettled/applied",
    "end: update unsettled/not applied",
    "end: create unsettled/applied",
    "end: delete unsettled/applied",
    "end: update crashed/applied",
    "exempt from `applied` is true: the id of a create whose answer was lost is that of a record of others",
    "exempt from `applied` is true: a record that others deleted before the delete was carried out",
    "exempt from `applied` is true: others typed a value that was sent",
    "exempt from `not applied` is true: a record made and removed before anybody looked",
    "exempt from `not applied` is true: carried out past the lease or the quiet period",
    "exempt from `not applied` is true: every value put back before anybody looked",
    "first load: complete",
    "first load: new",
    "first load: read again",
    "first load: refreshed",
    "first load: pending",
    "list: complete",
    "list: refreshed",
    "pull of changes: complete",
    "pull of changes: left",
    "pull of changes: new",
    "pull of changes: quarantined",
    "pull of changes: read again",
    "pull of changes: refreshed",
    "pull of changes: taken over",
    "read: local_newer",
    "settle: left to others",
    "sweep: a row is missing from the list",
    "sweep: complete",
    "sweep: taken over",
];
