//! What the engine costs beside its floor, the compile time of the derives, the speed of conversions, and how long the
//! commands take for as many entities as a real organisation has.
//!
//! Measurements are kept in `docs/performance.jsonl`, from which the tables of `docs/performance.md` are made. Nothing is
//! judged by its time: the numbers depend on what else the machine does, so a missed goal is reported like any other number,
//! with the reason.

mod check;
mod compile;
mod documentation;
mod engine;
mod goals;
mod models;
mod packages;
pub(crate) mod page;
mod reasons;
mod results;
mod surroundings;
mod tables;

use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::check::say;
use packages::Packages;
use results::{Measurement, Suite};
use surroundings::surroundings;

/// What to measure, and how often.
#[derive(Clone, Debug, Args)]
pub(crate) struct Choices {
    /// Only these measurements; all if none is given.
    #[arg(value_name = "PART")]
    parts: Vec<Part>,
    /// How often each `cargo check`, or command, is measured; the median is printed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    samples: u16,
    /// The numbers of models in the compared packages.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 50], value_parser = clap::value_parser!(u16).range(1..))]
    models: Vec<u16>,
    /// Takes few samples, to try everything in a few minutes.
    #[arg(long)]
    quick: bool,
    /// Renews `docs/performance.md` with what was measured of the engine and of lists; what was not measured now stays there,
    /// and the tables of the other parts are kept by hand.
    #[arg(long)]
    write: bool,
    /// Prints measurements of the engine and of lists as lines of JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Measures nothing, and makes the tables of `docs/performance.md` again from `docs/performance.jsonl`, for example after
    /// a reason was written.
    #[arg(long, conflicts_with_all = ["write", "json", "quick", "parts"])]
    render: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Single operations of one caller: reads, updates, creates and deletes, beside their floor, with CDMS at 0, 5 and 50 ms.
    Operations,
    /// How often an operation waits for PostgreSQL.
    RoundTrips,
    /// 64 callers at once, and 1,000 that want the same record.
    Callers,
    /// A pull of 100,000 records: time, memory, and bytes on the disk.
    Pull,
    /// Reads and updates while the database grows to a million rows.
    Growth,
    /// A record with 100,000 versions: pages of its history, and a revert.
    History,
    /// `cargo check` of packages with models, clean and after a change, compared with the same tables by hand.
    Compile,
    /// The derive alone, on the models of the largest package.
    Expansion,
    /// Records from JSON to models and back, compared with `serde_json`.
    Conversion,
    /// `datahub check` on 374 contracts and their models.
    Check,
    /// Rehearsing a mapping on 200,000 rows, and completing them from what is kept.
    Remodelling,
    /// `datahub import` of 374 entities, files included.
    Import,
    /// `datahub docs` of a project of a real CDMS's size.
    Documentation,
    /// Lists of 50 records and `ensure_fresh`, compared with the same requests and upserts without a hub.
    Lists,
}

/// Measures and prints.
pub(crate) fn run(choices: &Choices) -> ExitCode {
    match measured(choices) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say(&reason);
            ExitCode::FAILURE
        }
    }
}

/// The suites of the engine, in the order of their measurement.
const ENGINE: [(Part, &str); 7] = [
    (Part::Operations, "operations"),
    (Part::RoundTrips, "round-trips"),
    (Part::Callers, "callers"),
    (Part::Pull, "pull"),
    (Part::Growth, "growth"),
    (Part::History, "history"),
    (Part::Lists, "lists"),
];

fn measured(choices: &Choices) -> Result<(), String> {
    if choices.render {
        return page::render(&results::read()?);
    }
    let is_asked = |part| choices.parts.is_empty() || choices.parts.contains(&part);
    let surroundings = surroundings(choices.quick);
    let of_engine: Vec<_> = ENGINE.into_iter().filter(|(part, _)| is_asked(*part)).map(|(_, name)| name).collect();
    if !of_engine.is_empty() {
        let mut suites: Vec<Suite> = Vec::new();
        engine::measure(&of_engine, choices.quick, |measurement| {
            if choices.json {
                say(&serde_json::to_string(&measurement).unwrap_or_default());
            }
            add(&mut suites, measurement, &surroundings);
        })?;
        if !choices.json {
            suites.iter().for_each(|suite| say(&format!("\n{}:\n\n{}", suite.name, page::table(suite))));
            say(&format!("\ngoals:\n\n{}", goals::table(&suites)));
        }
        if choices.write {
            let mut all = results::read()?;
            results::replace(&mut all, suites);
            results::write(&all)?;
            page::render(&all)?;
        }
    }
    if is_asked(Part::Compile) || is_asked(Part::Expansion) {
        let packages = Packages::write(&choices.models)?;
        if is_asked(Part::Compile) {
            compile::compare(&packages, choices.samples)?;
        }
        if is_asked(Part::Expansion) {
            expansion(&packages)?;
        }
    }
    if is_asked(Part::Conversion) {
        run_bench(&mut domain_bench("conversion"))?;
    }
    if is_asked(Part::Remodelling) {
        say("\nRemodelling:\n");
        run_bench(&mut domain_bench("remodelling"))?;
    }
    if is_asked(Part::Check) {
        check::measure(choices.samples)?;
    }
    if is_asked(Part::Import) {
        say("\nImport:\n");
        run_bench(Command::new(cargo()).args(["bench", "--quiet", "--package", "datahub-cli", "--bench", "import"]))?;
    }
    if is_asked(Part::Documentation) {
        documentation::measure(choices.samples)?;
    }
    Ok(())
}

/// Runs the derive on the largest package's models in a separate program: optimised, and with the development profile,
/// which does not optimise derives.
fn expansion(packages: &Packages) -> Result<(), String> {
    let plain = r#"profile.dev.package."*".opt-level=0"#;
    let profiles: [(&str, &[&str]); 2] =
        [("optimised", &[]), ("development profile", &["--profile", "dev", "--config", plain])];
    for (name, arguments) in profiles {
        say(&format!("\nExpansion, {name}:\n"));
        let mut bench = Command::new(cargo());
        bench.args(["bench", "--quiet", "--package", "datahub-derive", "--bench", "expansion"]).args(arguments);
        bench.arg("--").arg(packages.largest_models()).env("DATAHUB_ROOT", packages.folder());
        run_bench(&mut bench)?;
    }
    Ok(())
}

/// A benchmark of the example domain.
fn domain_bench(name: &str) -> Command {
    let mut bench = Command::new(cargo());
    bench.args(["bench", "--quiet", "--package", "example-domain", "--bench", name]);
    bench
}

fn run_bench(bench: &mut Command) -> Result<(), String> {
    let status = bench.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("a benchmark failed: {status}")) }
}

/// Adds a measurement to its suite.
fn add(suites: &mut Vec<Suite>, measurement: Measurement, surroundings: &results::Surroundings) {
    match suites.iter_mut().find(|suite| suite.name == measurement.suite) {
        Some(suite) => suite.measurements.push(measurement),
        None => suites.push(Suite {
            name: measurement.suite.clone(),
            surroundings: surroundings.clone(),
            measurements: vec![measurement],
        }),
    }
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
