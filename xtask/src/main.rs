//! The project's tasks: `cargo xtask test` runs the tests on SQLite and on a private PostgreSQL, `cargo xtask ci` runs
//! everything that CI checks. Tasks that take longer are run by hand: `soak`, `planted`, `mutants`, `fuzz`, `bench`.

mod bench;
mod browser;
mod check;
mod citations;
mod counts;
mod fuzz;
mod many;
mod mutants;
mod native_tls;
mod package;
mod planted;
mod postgres;
mod security;
mod source;
mod squawk;
mod wording;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use check::{Check, run_all};
use postgres::Server;

/// The tasks of this project.
///
/// Exit codes: 0 if all passed, 1 if a check failed, 2 for wrong usage.
#[derive(Debug, Parser)]
struct Tasks {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs all tests, documentation examples included, on SQLite and on PostgreSQL.
    ///
    /// Starts a private PostgreSQL. If its programs are missing, they are installed, provided that this user may do so.
    /// DATAHUB_TESTS_POSTGRES=postgres://user@host/database selects another server; DATAHUB_TESTS=sqlite-only leaves
    /// PostgreSQL out on purpose.
    Test,
    /// Runs the tests and then every other check of CI, each named after what it checks.
    Ci {
        /// Leaves out the tests, if they have already been run.
        #[arg(long)]
        without_tests: bool,
    },
    /// Opens the generated documentation and the example application in a real browser: every page on a phone and on a desk, the
    /// search, the diagrams, two people who edit the same record, everything by keyboard and for screen readers. Screenshots are
    /// in target/browser/screenshots.
    ///
    /// If Chromium, Node or npm are missing, they are installed, provided that this user may do so.
    Browser {
        /// Opens only this.
        what: Option<browser::What>,
    },
    /// Lets two programs work on one PostgreSQL while a tenth of all calls to CDMS fail, and checks the result.
    Soak {
        /// The number of operations that the programs begin.
        #[arg(long, default_value_t = 100_000)]
        operations: u64,
        /// The seed of operations and faults; a random one if none is given.
        #[arg(long)]
        seed: Option<u64>,
        /// Also prints the numbers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Changes the code of the protocol and of the conversions in every way that cargo-mutants knows, one at a time,
    /// and fails for each change that no test notices and that `docs/mutants-left.txt` does not explain. Takes about an
    /// hour.
    Mutants {
        /// Tries only this part: `protocol`, `attributes` or `fields`.
        #[arg(long, value_name = "PART", conflicts_with = "sample")]
        only: Option<String>,
        /// Tries instead this number of other changes of the shipped code, chosen at random, in one build.
        #[arg(long, value_name = "COUNT")]
        sample: Option<usize>,
        /// The seed of the sample; a random one, which is printed, if none is given.
        #[arg(long, requires = "sample")]
        seed: Option<u64>,
        /// Continues with the sample of this seed: tries only changes that no test has noticed yet.
        #[arg(long, requires = "seed")]
        again: bool,
    },
    /// Fuzzes the readers of outside input: contracts, attributes, dates, numbers, filters, answers and `$metadata`; and
    /// the simulator's queries.
    ///
    /// Prints for each target the number of executions, its code coverage, and the number of new inputs. An input that
    /// breaks a promise is kept in fuzz/artifacts, and the task fails.
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Runs only these targets.
        targets: Vec<String>,
    },
    /// Measures what the engine costs beside its floor, the compile time of the derives, the speed of conversions, and how
    /// long the commands take; prints the tables of `docs/performance.md`, or with --write renews them there.
    ///
    /// Do nothing else on the machine meanwhile. --quick tries everything with few samples.
    Bench(bench::Choices),
    /// Counts the instructions of the engine's work in valgrind, and compares them with those that are recorded in
    /// `examples/domain/benches/counts/recorded.json`.
    ///
    /// If valgrind is missing, it is installed, provided that this user may do so.
    Counts {
        /// Records the counts as they are now.
        #[arg(long)]
        accept: bool,
    },
    /// Plants faults in the shipped code, one at a time, and prints a table of the checks that catch them.
    ///
    /// Every check must first pass without a fault.
    Planted {
        /// Plants only these faults, by name.
        faults: Vec<String>,
        /// Runs every check for every fault, on both databases, and fails if a check catches nothing; takes hours.
        #[arg(long)]
        all: bool,
    },
}

fn main() -> ExitCode {
    let (with_tests, with_guards) = match Tasks::parse().task {
        Task::Test => (true, false),
        Task::Ci { without_tests } => (!without_tests, true),
        Task::Browser { what } => return finish(&browser(what)),
        Task::Counts { accept: false } => return finish(&[counts()]),
        Task::Counts { accept: true } => return finish(&[Check::ours("the counts are recorded", counts::accept)]),
        Task::Bench(choices) => return bench::run(&choices),
        Task::Planted { faults, all } => return planted::run(&faults, all),
        Task::Fuzz { seconds, targets } => return fuzz::run(&targets, seconds),
        Task::Mutants { sample: Some(count), seed, again, .. } => return mutants::run_sample(count, seed, again),
        Task::Mutants { only, .. } => return mutants::run(only.as_deref()),
        Task::Soak { operations, seed, json } => return soak(operations, seed, json),
    };
    let server = if with_tests {
        package::python().and_then(|()| package::openssl()).and_then(|()| Server::start())
    } else {
        Ok(None)
    };
    let server = match server {
        Ok(server) => server,
        Err(reason) => {
            _ = writeln!(std::io::stderr(), "cannot start the tests: {reason}");
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
    finish(&checks)
}

/// What people see, in a real browser: all of it, or only this.
fn browser(only: Option<browser::What>) -> Vec<Check> {
    let documentation = || Check::ours("the generated documentation works in a browser", browser::documentation_works);
    let application = || Check::ours("the example application works in a browser", browser::application_works);
    match only {
        None => vec![documentation(), application()],
        Some(browser::What::Documentation) => vec![documentation()],
        Some(browser::What::Application) => vec![application()],
    }
}

fn counts() -> Check {
    Check::ours("the engine's work takes as many instructions as before", counts::have_not_changed)
}

/// Runs the checks and reports those that failed.
fn finish(checks: &[Check]) -> ExitCode {
    match run_all(checks) {
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
            _ = writeln!(std::io::stderr(), "cannot start the soak: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let Some(server) = server else {
        _ = writeln!(std::io::stderr(), "the soak needs PostgreSQL; unset DATAHUB_TESTS");
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
    let mut guards = vec![
        Check::cargo("the quickstart behaves as described", &["run", "--quiet", "--example", "quickstart"]),
        Check::cargo("code is formatted", &["fmt", "--all", "--check"]),
        Check::cargo(
            "no lint is ignored",
            &["clippy", "--workspace", "--all-features", "--all-targets", "--", "--deny", "warnings"],
        ),
        Check::cargo("the documentation builds", &["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
        // As a dependency of an application, whose documentation is built without the features for tests.
        Check::cargo(
            "the documentation builds for an application",
            &["doc", "--package", "datahub-runtime", "--no-deps"],
        )
        .env("RUSTDOCFLAGS", "--deny warnings"),
        // What a dependency has in development builds only would be missed otherwise.
        Check::cargo("programs compile for release", &["check", "--release", "--package", "datahub-cli"]),
        Check::cargo("the simulator compiles without the client", &["check", "--package", "cdms-simulator"]),
        Check::cargo("the runtime compiles without the contract reader", &["check", "--package", "datahub-runtime"]),
        Check::ours("the fuzz targets compile", fuzz::targets_compile),
        Check::ours("servers of CRM 2011's age are reached by the system's TLS", native_tls::reaches_old_servers),
        Check::ours("the SQL of migrations takes no long lock", squawk::accepts_migrations),
        Check::ours("every file begins with a description", source::begin_with_a_sentence),
        Check::ours("files are short, or have a reason", source::files_are_short),
        Check::ours("crates depend only on lower floors", source::floors_hold),
        Check::ours("citations resolve", citations::resolve),
        Check::ours("cases of security have tests", security::cases_have_tests),
        Check::ours("messages are in plain English", wording::is_plain),
        Check::ours("contracts fit the schema", source::contracts_fit),
        Check::ours("missed goals of performance have reasons", bench::page::is_up_to_date),
        Check::cargo(
            "the documentation of the mappings is up to date",
            &["run", "--quiet", "--package", "datahub-cli", "--", "docs", "--check"],
        ),
        counts(),
        Check::tool("dependencies are allowed", "cargo-deny", &["check", "bans", "licenses", "sources"]),
    ];
    guards.extend(browser(None));
    guards
}
