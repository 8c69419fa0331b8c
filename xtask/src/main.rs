//! The project's own tasks: `cargo xtask test` runs the tests, on SQLite and on a PostgreSQL of its own, `cargo xtask ci`
//! everything that CI guards.

mod check;
mod postgres;
mod source;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use check::{Check, run_all};
use postgres::Server;

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
    /// Runs all tests, documentation examples included, on SQLite and on PostgreSQL.
    ///
    /// A private PostgreSQL is started from installed programs, which are installed where they are missing and that is
    /// allowed. DATAHUB_TESTS_POSTGRES=postgres://user@host/database names another one; DATAHUB_TESTS=sqlite-only
    /// leaves it out on purpose.
    Test,
    /// Runs the tests and then every other check of CI, each named after what it guards.
    Ci {
        /// Leaves the tests out, because they were run before.
        #[arg(long)]
        without_tests: bool,
    },
}

fn main() -> ExitCode {
    let (with_tests, with_guards) = match Tasks::parse().task {
        Task::Test => (true, false),
        Task::Ci { without_tests } => (!without_tests, true),
    };
    let server = if with_tests { Server::start() } else { Ok(None) };
    let server = match server {
        Ok(server) => server,
        Err(reason) => {
            _ = writeln!(std::io::stderr(), "the tests cannot begin: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let mut checks = Vec::new();
    if with_tests {
        checks.extend(tests(server.as_ref()));
    }
    if with_guards {
        checks.extend(guards());
    }
    match run_all(&checks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            _ = writeln!(std::io::stderr(), "\nfailed: {}", failed.join(", "));
            ExitCode::FAILURE
        }
    }
}

fn tests(server: Option<&Server>) -> Vec<Check> {
    let tests = Check::cargo("tests pass", &["test", "--workspace", "--all-features", "--all-targets"]);
    let tests = match server {
        Some(server) => tests.env(postgres::URL, server.url()),
        None => tests,
    };
    vec![
        tests,
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
