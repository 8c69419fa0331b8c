//! Every order of events of lists: first loads, pulls of changes, sweeps, lists of callers and revalidations, with people
//! who change, remove and move records between any two steps.
//!
//! Two programs share a database and a CDMS with three records, whose lists have pages of two. Each of them may stop at
//! any moment, and the other goes on with its progress.

mod cdms;
mod course;
mod promises;
mod world;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Mutex;

use crate::part::fingerprint;
use world::{Budgets, Step, World};

/// One space to search: what is there in the beginning, and what may happen.
struct Space {
    name: &'static str,
    is_loaded: bool,
    budgets: Budgets,
}

const CI: [Space; 9] = [
    space("a first load, then changes", false, Budgets { ticks: 2, edits: 2, pulls: 2, ..Budgets::NONE }),
    space(
        "a first load that stops, and a change that is committed late",
        false,
        Budgets { ticks: 1, late: 1, pulls: 3, stops: 1, ..Budgets::NONE },
    ),
    space("a pull of changes", true, Budgets { ticks: 3, edits: 3, pulls: 1, ..Budgets::NONE }),
    space("two pulls of changes", true, Budgets { ticks: 2, edits: 2, pulls: 2, ..Budgets::NONE }),
    space(
        "two pulls of changes, and one that is committed late",
        true,
        Budgets { ticks: 2, late: 1, pulls: 2, ..Budgets::NONE },
    ),
    space(
        "a pull of changes that stops, and a departure",
        true,
        Budgets { ticks: 1, edits: 1, departures: 1, pulls: 2, stops: 1, ..Budgets::NONE },
    ),
    space("a list and a revalidation", true, Budgets { edits: 2, lists: 1, reads: 1, ..Budgets::NONE }),
    space(
        "a pull of changes, a list and a revalidation",
        true,
        Budgets { ticks: 1, edits: 1, pulls: 1, lists: 1, reads: 1, ..Budgets::NONE },
    ),
    space("sweeps and removals", true, Budgets { removals: 1, sweeps: 2, reads: 1, stops: 1, ..Budgets::NONE }),
];

const fn space(name: &'static str, is_loaded: bool, budgets: Budgets) -> Space {
    Space { name, is_loaded, budgets }
}

/// What a search found.
struct Found {
    states: usize,
    ends: usize,
    /// The first broken promise, with the steps that lead to it.
    broken: Option<String>,
}

#[test]
fn every_order_of_pages_and_changes_keeps_the_promises() {
    let found: Mutex<Vec<Option<Found>>> = Mutex::new(CI.iter().map(|_| None).collect());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some((at, space)) = take_next(&next) {
            let one = search(space);
            println!("done: {}: {} states", space.name, one.states);
            if let Ok(mut found) = found.lock() {
                found[at] = Some(one);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let found: Vec<_> = found.into_inner().unwrap_or_default().into_iter().flatten().collect();
    assert_eq!(found.len(), CI.len(), "a search panicked");
    let mut table = String::new();
    for (space, found) in CI.iter().zip(&found) {
        _ = writeln!(table, "{:>9} states, {:>7} ends: {}", found.states, found.ends, space.name);
    }
    println!("{table}");
    let broken: Vec<_> = found.iter().filter_map(|found| found.broken.as_deref()).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    // A planted fault that changes numbers without breaking a promise does not count as caught.
    if std::env::var_os("DATAHUB_PLANTED").is_none() {
        insta::assert_snapshot!("lists", table);
    }
}

fn take_next(next: &std::sync::atomic::AtomicUsize) -> Option<(usize, &'static Space)> {
    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    CI.get(at).map(|space| (at, space))
}

/// Visits every reachable state.
fn search(space: &Space) -> Found {
    let mut found = Found { states: 0, ends: 0, broken: None };
    let mut text = String::new();
    let mut seen = HashSet::new();
    let begin = World::new(space.is_loaded, space.budgets);
    seen.insert(fingerprint(&mut text, &begin));
    let mut open = vec![(begin, Vec::<Step>::new())];
    while let Some((world, path)) = open.pop() {
        let steps = world.steps();
        if steps.is_empty() {
            found.ends += 1;
            let mut end = world.clone();
            end.finish();
            if let Some(broken) = end.broken {
                found.broken = Some(told(space, seen.len(), &broken, &path));
                break;
            }
        }
        for step in steps {
            let mut next = world.clone();
            next.take(step);
            let taken = || path.iter().copied().chain([step]).collect::<Vec<_>>();
            if let Some(broken) = &next.broken {
                found.broken = Some(told(space, seen.len(), broken, &taken()));
                found.states = seen.len();
                return found;
            }
            if seen.insert(fingerprint(&mut text, &next)) {
                open.push((next, taken()));
            }
        }
    }
    found.states = seen.len();
    found
}

fn told(space: &Space, states: usize, broken: &str, path: &[Step]) -> String {
    let way: String = path.iter().map(|step| format!("\n  {step:?}")).collect();
    format!("after {states} states of {}: {broken}\nby:{way}", space.name)
}
