//! The project's own tasks: `cargo xtask test` runs the tests, `cargo xtask ci` everything that CI guards.

mod check;
mod source;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use check::{Check, run_all};

/// The tasks of this project.
///
/// Exit codes: 0 all passed, 1 a check failed, 2 wrong usage.
#[derive(Debug, Parser)]
struct Tasks {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs all tests, documentation examples included.
    Test,
    /// Runs the tests and then every other check of CI, each named after what it guards.
    Ci {
        /// Leaves the tests out, because they were run before.
        #[arg(long)]
        without_tests: bool,
    },
}

fn main() -> ExitCode {
    let checks = match Tasks::parse().task {
        Task::Test => tests(),
        Task::Ci { without_tests: true } => guards(),
        Task::Ci { without_tests: false } => tests().into_iter().chain(guards()).collect(),
    };
    match run_all(&checks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            _ = writeln!(std::io::stderr(), "\nfailed: {}", failed.join(", "));
            ExitCode::FAILURE
        }
    }
}

fn tests() -> Vec<Check> {
    vec![
        Check::cargo("tests pass", &["test", "--workspace", "--all-features", "--all-targets"]),
        Check::cargo("documentation examples compile and run", &["test", "--workspace", "--all-features", "--doc"]),
    ]
}

fn guards() -> Vec<Check> {
    vec![
        Check::cargo("the quickstart is as told", &["run", "--quiet", "--example", "quickstart"]),
        Check::cargo("code is formatted", &["fmt", "--all", "--check"]),
        Check::cargo(
            "no lint is ignored",
            &["clippy", "--workspace", "--all-features", "--all-targets", "--", "--deny", "warnings"],
        ),
        Check::cargo("the documentation builds", &["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
        Check::cargo("the simulator needs nothing of the client", &["check", "--package", "cdms-simulator"]),
        Check::cargo("the runtime needs no contract reader", &["check", "--package", "datahub-runtime"]),
        Check::ours("files begin by saying what they are", source::begin_with_a_sentence),
        Check::ours("crates use lower floors only", source::floors_hold),
        Check::ours("contracts fit the schema", source::contracts_fit),
        Check::tool("dependencies are allowed", "cargo-deny", &["check", "bans", "licenses", "sources"]),
    ]
}
