//! A second witness: what docs/protocol.md says, asked of the program by a client in another language, so that client and
//! server cannot agree on a mistake.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

#[path = "witness/environment.rs"]
mod environment;
#[path = "witness/twins.rs"]
mod twins;

#[test]
#[allow(clippy::print_stdout, reason = "how many tests there were is for whoever runs them")]
fn a_client_in_another_language_agrees() {
    let tests = twins::tests_in_python();
    let files: BTreeSet<_> = tests.iter().filter_map(|test| test.split('.').next()).collect();
    let (left, failed, count) = (Mutex::new(files.into_iter()), Mutex::new(String::new()), Mutex::new(0));
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(file) = { left.lock().unwrap().next() } {
                    match ran(Path::new("python3"), "tests/witness", file) {
                        Ok(ran) => *count.lock().unwrap() += ran,
                        Err(told) => *failed.lock().unwrap() += &format!("{file}.py:\n{told}\n"),
                    }
                }
            });
        }
    });
    let (failed, count) = (failed.into_inner().unwrap(), count.into_inner().unwrap());
    assert!(failed.is_empty(), "{failed}");
    println!("{count} tests in Python");
    assert_eq!(count, tests.len(), "each test that is written is run");
}

#[test]
fn a_client_library_that_knows_nothing_of_this_project_agrees() {
    let python = environment::python().unwrap_or_else(|reason| panic!("{reason}"));
    let count = ran(&python, "tests/pyodata", "test_pyodata").unwrap_or_else(|told| panic!("{told}"));
    assert_eq!(count, twins::tests_in("tests/pyodata").len(), "each test that is written is run");
}

/// Runs the tests of a file; how many there were, or what went wrong.
fn ran(python: &Path, folder: &str, file: &str) -> Result<usize, String> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = Command::new(python)
        .args(["-B", "-m", "unittest", file])
        .current_dir(home.join(folder))
        .env("PYTHONPATH", home.join("tests/witness"))
        .env("CDMS_SIMULATOR", env!("CARGO_BIN_EXE_cdms-simulator"))
        .output();
    let run = run.map_err(|error| {
        let python = python.display();
        format!("{python} cannot be run ({error}): install Python, for example with `apt-get install python3`")
    })?;
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    // A test that is skipped agrees with nobody.
    if !run.status.success() || told.contains("skipped=") {
        return Err(told);
    }
    let count = told.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok());
    count.ok_or(told)
}
