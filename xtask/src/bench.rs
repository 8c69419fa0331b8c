//! The compile time of the derives, the speed of conversions, and the time of lists and first loads, each compared with code
//! that does without this project; and how long the commands take for as many entities as a real organisation has.
//!
//! The printed tables are in `docs/performance.md`. Nothing is judged here: the numbers depend on what else the machine
//! does, so a missed goal is reported like any other number.

mod check;
mod compile;
mod documentation;
mod models;
mod packages;

use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::check::say;
use crate::postgres::{self, Server};
use packages::Packages;

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
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
    /// A first load of 200,000 records, compared with a download and upserts without a hub.
    FirstLoad,
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

fn measured(choices: &Choices) -> Result<(), String> {
    let is_asked = |part| choices.parts.is_empty() || choices.parts.contains(&part);
    say(&format!("{}\n", surroundings()));
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
    if is_asked(Part::Lists) || is_asked(Part::FirstLoad) {
        let server = Server::start()?;
        for (part, name) in [(Part::Lists, "lists"), (Part::FirstLoad, "first-load")] {
            if is_asked(part) {
                say(&format!("\n{}:\n", name.replace('-', " ")));
                let mut bench = domain_bench("lists");
                bench.args(["--", name]).envs(server.as_ref().map(|server| (postgres::URL, server.url())));
                run_bench(&mut bench)?;
            }
        }
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

/// Commit, compiler and number of processors, to record with the numbers.
fn surroundings() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
        output.map_or_else(|| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let commit = said("git", &["describe", "--always", "--dirty"]);
    format!("commit {commit}, {}, {cores} processors", said("rustc", &["--version"]))
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
