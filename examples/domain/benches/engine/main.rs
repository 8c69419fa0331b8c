//! What the engine costs, beside its floor: a program without a hub that sends the same requests with `reqwest` and stores
//! the same rows, what was seen, and a history entry, by the fewest statements of `rusqlite` or `tokio-postgres` (`bare`).
//!
//! `cargo xtask bench` runs it and prints its measurements, which are lines of JSON here. The simulated CDMS is a process
//! of its own, so that its processor time is not in either side's. `DATAHUB_BENCH_POSTGRES` and
//! `DATAHUB_BENCH_POSTGRES_FSYNC` name servers that do without the disk and that wait for it; without them, SQLite alone is
//! measured.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is the measurements, and how far it has come"
)]
#![allow(clippy::unwrap_used, reason = "a benchmark stops where something fails")]

mod bare;
mod callers;
mod cdms;
#[allow(dead_code, reason = "only some of its forms are read here")]
#[path = "../conversion/flat.rs"]
mod flat;
mod growth;
mod history;
mod memory;
mod multiply;
mod operations;
#[allow(dead_code, reason = "records are added in another process")]
#[path = "../shared/organisations.rs"]
mod organisations;
mod places;
mod processor;
mod pulls;
mod report;
mod round_trips;
mod scene;
mod size;
mod sizes;
mod turns;

use std::env;

use size::Size;

/// The suites, by the names that select them.
const SUITES: [&str; 6] = ["operations", "round-trips", "callers", "pull", "growth", "history"];

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("cdms") => return cdms::serve(&arguments[1..]),
        Some("memory") => return run(memory::measure(arguments[1..].to_vec())),
        _ => {}
    }
    // `cargo test --benches` also runs this, to check that it works.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let size = match () {
        () if !is_bench => Size::TRIAL,
        () if arguments.iter().any(|argument| argument == "--quick") => Size::QUICK,
        () => Size::FULL,
    };
    let asked: Vec<_> = arguments.into_iter().filter(|argument| !argument.starts_with('-')).collect();
    if let Some(unknown) = asked.iter().find(|asked| !SUITES.contains(&asked.as_str())) {
        eprintln!("unknown suite `{unknown}`; the suites are {}", SUITES.join(", "));
        std::process::exit(2);
    }
    run(measure(asked, size));
}

/// Runs the measurements as a task, on the threads on which a web service runs its handlers.
fn run(measurements: impl Future<Output = ()> + Send + 'static) {
    // As the hub does when it is connected first; the floor's client needs it as well.
    _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(measurements).await.unwrap() });
}

async fn measure(asked: Vec<String>, size: Size) {
    let is_asked = |suite: &str| asked.is_empty() || asked.iter().any(|asked| asked == suite);
    if is_asked("operations") {
        operations::measure(&size).await;
    }
    if is_asked("round-trips") {
        round_trips::measure().await;
    }
    if is_asked("callers") {
        callers::measure(&size).await;
    }
    if is_asked("pull") {
        pulls::measure(&size).await;
    }
    if is_asked("growth") {
        growth::measure(&size).await;
    }
    if is_asked("history") {
        history::measure(&size).await;
    }
}
