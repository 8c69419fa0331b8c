//! The suites of the engine, which benchmarks of the example domain measure: they print their measurements as lines of JSON,
//! and how far they have come on the error output.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::domain_bench;
use super::results::{self, Measurement};
use crate::postgres::{Durability, Server};

/// Runs these suites, on SQLite and on private PostgreSQL servers that do without the disk and that wait for it. Each
/// measurement is passed on when it is made.
pub(super) fn measure(suites: &[&str], quick: bool, mut each: impl FnMut(Measurement)) -> Result<(), String> {
    let servers = [Server::private(Durability::Forgone)?, Server::private(Durability::Kept)?];
    let (lists, others): (Vec<&str>, Vec<&str>) = suites.iter().partition(|suite| **suite == LISTS);
    for (name, suites) in [("engine", others), (LISTS, lists)] {
        if suites.is_empty() {
            continue;
        }
        let mut bench = domain_bench(name);
        bench.arg("--").args(suites).args(quick.then_some("--quick"));
        for (variable, server) in ["DATAHUB_BENCH_POSTGRES", "DATAHUB_BENCH_POSTGRES_FSYNC"].into_iter().zip(&servers) {
            bench.envs(server.as_ref().map(|server| (variable, server.url())));
        }
        if name == LISTS && Path::new(MEMORY).is_dir() {
            bench.env("TMPDIR", MEMORY);
        }
        run(&mut bench, &mut each)?;
    }
    Ok(())
}

/// The suite that is a benchmark of its own.
const LISTS: &str = "lists";

/// Where files in memory are.
const MEMORY: &str = "/dev/shm";

/// Runs a benchmark and reads its measurements.
fn run(bench: &mut Command, mut each: impl FnMut(Measurement)) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot run cargo: {error}");
    let mut running = bench.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let output = running.stdout.take().ok_or("the benchmark has no output")?;
    let mut fault = None;
    for line in BufReader::new(output).lines() {
        let measurement = line.map_err(|error| error.to_string()).and_then(|line| results::measurement(&line));
        match measurement {
            Ok(measurement) => each(measurement),
            Err(reason) => fault = fault.or(Some(reason)),
        }
    }
    let status = running.wait().map_err(failed)?;
    match fault {
        Some(reason) => Err(reason),
        None if status.success() => Ok(()),
        None => Err(format!("a benchmark of the engine failed: {status}")),
    }
}
