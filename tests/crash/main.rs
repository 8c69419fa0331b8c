//! The crash matrix: a program that is stopped at each point of each operation, and started again.
//!
//! The victim is this same program in another process, with the same database, CDMS and clock. Every run kills it at every
//! point and tries a few cells of the other ways, chosen by a seed that is printed: `DATAHUB_CRASH_SEED=n` chooses the same
//! again, `DATAHUB_CRASH=all` all of them.
#![allow(clippy::print_stderr, reason = "the seed is for whoever runs the tests")]

mod cell;
mod long_pull;
#[path = "../on_postgres.rs"]
mod on_postgres;
mod scenario;
mod victim;

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;
use std::time::Duration;

use datahub_runtime::crash_points::STEPS;
use datahub_runtime::testing::Kit;
use libtest_mimic::{Arguments, Failed, Trial};

use cell::{Way, survive};
use scenario::Scenario;
use victim::{Order, Victim};

/// Past the lease of the dead and the quiet period.
pub(crate) const PAST_QUIET: Duration = Duration::from_secs(240 + 330 + 1);

/// How many cells of the ways other than killing every run tries on each database.
const SAMPLE: usize = 24;

fn main() -> ExitCode {
    if let Some(order) = Order::from_environment() {
        return victim::run(order);
    }
    let mut trials: Vec<Trial> = cells().into_iter().map(|(name, cell)| Trial::test(name, move || run(cell))).collect();
    trials.extend(Scenario::ALL.map(|scenario| {
        let name = format!("the points of {}", scenario.name());
        Trial::test(name, move || block_on(passes(scenario)))
    }));
    trials.push(Trial::test("a long pull, killed again and again", || block_on(long_pull::is_exact_at_the_end())));
    trials.push(Trial::test("no_step_is_left_out", no_step_is_left_out));
    trials.push(Trial::test("all_of_it_holds_on_postgresql", || on_postgres::run_again().map_err(Failed::from)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Cell = (Scenario, String, Way);

/// The cells of this run, with their names.
fn cells() -> Vec<(String, Cell)> {
    let all = Scenario::ALL.into_iter().flat_map(|scenario| {
        let points = scenario.points().into_iter();
        points.flat_map(move |point| Way::ALL.map(|way| (scenario, point.clone(), way)))
    });
    // Only a server has connections to cut.
    let possible =
        all.filter(|(_, _, way)| *way != Way::Cut || std::env::var_os(on_postgres::SERVER_OF_KITS).is_some());
    let (mut cells, mut others): (Vec<_>, Vec<_>) = possible.partition(|(_, _, way)| *way == Way::Kill);
    if std::env::var("DATAHUB_CRASH").as_deref() != Ok("all") {
        let seed = std::env::var("DATAHUB_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
        eprintln!("DATAHUB_CRASH_SEED={seed} chooses {SAMPLE} of {} further cells", others.len());
        choose(&mut others, seed);
    }
    cells.append(&mut others);
    let named = cells.into_iter().map(|(scenario, point, way)| {
        (format!("{} at {point}, {}", scenario.name(), way.name()), (scenario, point, way))
    });
    named.collect()
}

/// Leaves some of the cells, the same for the same seed.
fn choose(cells: &mut Vec<Cell>, seed: u64) {
    let mut state = seed;
    while cells.len() > SAMPLE {
        // Knuth's multiplier; the upper half is the better one.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 33).unwrap_or(0) % cells.len();
        cells.swap_remove(at);
    }
}

fn run((scenario, point, way): Cell) -> Result<(), Failed> {
    block_on(survive(scenario, &point, way))
}

fn block_on(test: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test)
}

/// The matrix has a row for every point that there is.
async fn passes(scenario: Scenario) -> Result<(), Failed> {
    let kit = Kit::new(example_domain::METADATA);
    let records = scenario.prepare(&kit).await?;
    let mut victim = Victim::start(&kit, scenario, records, None)?;
    let passed = victim.passes().await?;
    let mut points = Vec::new();
    // What a sweep reads on its own is a read, which has scenarios of its own.
    let of_operation = format!("{}/", scenario.steps().0);
    for point in passed {
        if !points.contains(&point) && point.starts_with(&of_operation) {
            points.push(point);
        }
    }
    assert_eq!(points, scenario.points());
    Ok(())
}

/// Every step that there is belongs to a scenario, and the other way round.
fn no_step_is_left_out() -> Result<(), Failed> {
    let passed: BTreeSet<_> = Scenario::ALL.iter().flat_map(|scenario| scenario.steps().1).copied().collect();
    let known = BTreeSet::from(STEPS);
    let (unknown, left_out) =
        (passed.difference(&known).collect::<Vec<_>>(), known.difference(&passed).collect::<Vec<_>>());
    assert!(left_out.is_empty(), "no scenario passes these steps: {left_out:?}");
    assert!(unknown.is_empty(), "the runtime has no such steps: {unknown:?}");
    Ok(())
}
