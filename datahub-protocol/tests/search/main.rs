//! Every order of events: the shipped machines against a small world, searched exhaustively.
//!
//! Two programs share a database and a CDMS with one record. Two writes, a reader, a settling, edits by people, a lost
//! answer, a write that CDMS carries out late, a crash and a pause past the lease happen in every order that they can.
//! In each state the promises hold, but for the printed residual: what the README says is not guaranteed.
//!
//! `DATAHUB_SEARCH=full cargo test --release -p datahub-protocol --test search -- --nocapture` searches the whole space;
//! without the variable the budgets are smaller.

mod machine;
mod mapping;
mod promises;
mod world;

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use machine::Machine;
use world::{Budgets, World};

/// What a search found.
#[derive(Default)]
struct Found {
    states: u64,
    depth: usize,
    /// How often each outcome of a write met each verdict at an end.
    ends: BTreeMap<String, u64>,
    residual: u64,
    /// Whether that is every state that can be reached.
    whole: bool,
}

/// How a state was reached: the last step, and how the state before it was.
struct Path {
    told: String,
    length: usize,
    before: Option<Rc<Path>>,
}

fn told(path: Option<&Rc<Path>>) -> String {
    let mut steps = Vec::new();
    let mut at = path;
    while let Some(step) = at {
        steps.push(step.told.as_str());
        at = step.before.as_ref();
    }
    steps.reverse();
    steps.join("\n  ")
}

/// Goes through every state that can be reached, or stops after so many of them. The order of steps differs from state
/// to state, and is the same in every run.
fn search(begin: World, states_max: u64) -> Found {
    let mut found = Found { whole: true, ..Found::default() };
    let mut seen: HashSet<u64> = HashSet::new();
    let mut open: Vec<(World, Option<Rc<Path>>)> = vec![(begin, None)];
    while let Some((world, path)) = open.pop() {
        if found.states == states_max {
            found.whole = false;
            break;
        }
        found.states += 1;
        let length = path.as_ref().map_or(0, |path| path.length);
        found.depth = found.depth.max(length);
        let mut steps = world.steps();
        if !steps.is_empty() {
            let turn = found.states.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let turn = usize::try_from(turn).unwrap_or(0) % steps.len();
            steps.rotate_left(turn);
        }
        if steps.is_empty() {
            let end = promises::end(&world);
            let end = end.unwrap_or_else(|broken| panic!("{broken}\nafter:\n  {}", told(path.as_ref())));
            *found.ends.entry(end).or_default() += 1;
            found.residual += u64::from(world.residual);
            continue;
        }
        for step in steps {
            let mut next = world.clone();
            let told_step = next.take(&step);
            let path = Some(Rc::new(Path { told: told_step, length: length + 1, before: path.clone() }));
            if let Some(broken) = &next.broken {
                panic!("{broken}\nafter:\n  {}", told(path.as_ref()));
            }
            let mut hasher = DefaultHasher::new();
            format!("{next:?}").hash(&mut hasher);
            if seen.insert(hasher.finish()) {
                open.push((next, path));
            }
        }
    }
    found
}

#[test]
fn every_order_of_events_keeps_the_promises() {
    let full = std::env::var("DATAHUB_SEARCH").as_deref() == Ok("full");
    let spaces: &[(&str, Budgets, u64)] = if full {
        &[("everything", Budgets::FULL, 3_000_000)]
    } else {
        &[("a late write", Budgets::LATE, u64::MAX), ("lost answers", Budgets::SMALL, u64::MAX)]
    };
    let mut sum = Found::default();
    for (trouble, budgets, states_max) in spaces {
        let pairs = [
            ("two updates of different fields", [Machine::update(1, "a", 2), Machine::update(2, "b", 2)]),
            ("two updates of the same field", [Machine::update(1, "a", 2), Machine::update(2, "a", 3)]),
            ("an update and a delete", [Machine::update(1, "a", 2), Machine::delete(2)]),
            ("two deletes", [Machine::delete(1), Machine::delete(2)]),
        ];
        let creates = [Machine::create(1, 2), Machine::create(2, 3)];
        let there = pairs.into_iter().map(|(name, writes)| (name, World::with_record(writes, *budgets)));
        let absent = [("two creates under one id", World::without_record(creates, *budgets))];
        for (name, world) in there.chain(absent) {
            let found = search(world, *states_max);
            let extent = if found.whole { "the whole space" } else { "stopped there" };
            let Found { states, depth, residual, .. } = found;
            println!("{name}, {trouble}: {states} states, {extent}, depth {depth}, {residual} ends in the residual");
            assert!(full || found.whole, "the small spaces are searched whole");
            sum.states += found.states;
            sum.depth = sum.depth.max(found.depth);
            for (end, count) in found.ends {
                *sum.ends.entry(end).or_default() += count;
            }
        }
    }
    println!("all: {} states, depth {}", sum.states, sum.depth);
    for (end, count) in &sum.ends {
        println!("  {count:>8} × {end}");
    }
    let reached = |words: &str| sum.ends.keys().any(|end| end.contains(words));
    for words in ["ok/applied", "rejected/rejected", "unsettled/applied", "unsettled/not applied", "busy"] {
        assert!(reached(words), "no end has {words}");
    }
    assert!(sum.states > if full { 1_000_000 } else { 20_000 }, "{} states are too few to say anything", sum.states);
}
