//! The project's own tasks: `cargo xtask test` runs the tests, on SQLite and on a PostgreSQL of its own, `cargo xtask ci`
//! everything that CI guards; what takes longer is run by hand: `soak`, `planted`, `mutants`, `fuzz`, `bench`.

mod bench;
mod check;
mod citations;
mod fuzz;
mod mutants;
mod package;
mod planted;
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
    /// Lets two programs work on one PostgreSQL while a tenth of all calls to CDMS fail, and checks what is left.
    Soak {
        /// How many operations the programs begin.
        #[arg(long, default_value_t = 100_000)]
        operations: u64,
        /// The seed of operations and faults; a new one where none is given.
        #[arg(long)]
        seed: Option<u64>,
        /// Prints the numbers as JSON too.
        #[arg(long)]
        json: bool,
    },
    /// Changes the code of the protocol and of the conversions in every way that cargo-mutants knows, one at a time, and
    /// fails for each change that no test notices and that `docs/mutants-left.txt` does not explain. It takes about an hour.
    Mutants {
        /// Only this part: `protocol`, `attributes` or `fields`.
        #[arg(long, value_name = "PART", conflicts_with = "sample")]
        only: Option<String>,
        /// Instead of that: so many of all other changes of what ships, drawn by lot, in one build.
        #[arg(long, value_name = "COUNT")]
        sample: Option<usize>,
        /// The seed of the lot; a new one, which is printed, where none is given.
        #[arg(long, requires = "sample")]
        seed: Option<u64>,
        /// Goes on with a sample of this seed: tries only what no test has noticed yet.
        #[arg(long, requires = "seed")]
        again: bool,
    },
    /// Fuzzes what reads from outside: contracts, attributes, dates, numbers, conditions, answers and `$metadata`.
    ///
    /// Prints for each target how often it was run, how much of the program it went through, and how many inputs it found
    /// that are like no other. An input that breaks a promise is kept in fuzz/artifacts, and the task fails.
    Fuzz {
        /// How long each target is run.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only these targets.
        targets: Vec<String>,
    },
    /// Measures what the derives cost while compiling, and how fast records convert, each beside doing without; prints the
    /// tables of `docs/performance.md`.
    ///
    /// Do nothing else on the machine meanwhile. The first run checks all dependencies once more, in `target/bench`.
    Bench(bench::Choices),
    /// Plants faults in the shipped code, one at a time, and shows which check catches each; prints a table.
    ///
    /// Every check has to pass without a fault first.
    Planted {
        /// Only these faults, by name.
        faults: Vec<String>,
        /// Asks every check for every fault, on both databases, and fails if a check catches nothing; it takes hours.
        #[arg(long)]
        all: bool,
    },
}

fn main() -> ExitCode {
    let (with_tests, with_guards) = match Tasks::parse().task {
        Task::Test => (true, false),
        Task::Ci { without_tests } => (!without_tests, true),
        Task::Bench(choices) => return bench::run(&choices),
        Task::Planted { faults, all } => return planted::run(&faults, all),
        Task::Fuzz { seconds, targets } => return fuzz::run(&targets, seconds),
        Task::Mutants { sample: Some(count), seed, again, .. } => return mutants::run_sample(count, seed, again),
        Task::Mutants { only, .. } => return mutants::run(only.as_deref()),
        Task::Soak { operations, seed, json } => return soak(operations, seed, json),
    };
    let server = if with_tests { package::python().and_then(|()| Server::start()) } else { Ok(None) };
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

fn soak(operations: u64, seed: Option<u64>, json: bool) -> ExitCode {
    let server = match Server::start() {
        Ok(server) => server,
        Err(reason) => {
            _ = writeln!(std::io::stderr(), "the soak cannot begin: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let Some(server) = server else {
        _ = writeln!(std::io::stderr(), "the soak is of two programs on one PostgreSQL; unset DATAHUB_TESTS");
        return ExitCode::FAILURE;
    };
    let soak = [
        "test",
        "--release",
        "--package=datahub-tests",
        "--all-features",
        "--test",
        "soak",
        "--",
        "--nocapture",
        "all_of_it",
    ];
    let mut check = Check::cargo("no promise is broken", &soak).env("DATAHUB_SOAK_OPERATIONS", operations.to_string());
    check = check.env(postgres::URL, server.url());
    if let Some(seed) = seed {
        check = check.env("DATAHUB_SOAK_SEED", seed.to_string());
    }
    if json {
        check = check.env("DATAHUB_SOAK_JSON", "1");
    }
    if run_all(&[check]).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tests(server: Option<&Server>) -> Vec<Check> {
    let tests =
        Check::cargo("tests pass", &["test", "--workspace", "--all-features", "--all-targets", "--no-fail-fast"]);
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
        // As the dependency of an application, whose documentation is built without the features of its tests.
        Check::cargo(
            "the documentation builds for an application",
            &["doc", "--package", "datahub-runtime", "--no-deps"],
        )
        .env("RUSTDOCFLAGS", "--deny warnings"),
        Check::cargo("the simulator needs nothing of the client", &["check", "--package", "cdms-simulator"]),
        Check::cargo("the runtime needs no contract reader", &["check", "--package", "datahub-runtime"]),
        Check::cargo(
            "the fuzz targets compile",
            &[
                "clippy",
                "--manifest-path=fuzz/Cargo.toml",
                "--no-default-features",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ],
        ),
        Check::ours("files begin by saying what they are", source::begin_with_a_sentence),
        Check::ours("crates use lower floors only", source::floors_hold),
        Check::ours("what is cited is in the repository", citations::resolve),
        Check::ours("contracts fit the schema", source::contracts_fit),
        Check::tool("dependencies are allowed", "cargo-deny", &["check", "bans", "licenses", "sources"]),
    ]
}
