//! A second witness: clients in another language check the program against docs/protocol.md, so that client and server
//! cannot make the same mistake.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

#[path = "witness/environment.rs"]
mod environment;
#[path = "witness/twins.rs"]
mod twins;

#[test]
#[allow(clippy::print_stdout, reason = "the number of tests is shown to the person who runs them")]
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
                        Err(output) => *failed.lock().unwrap() += &format!("{file}.py:\n{output}\n"),
                    }
                }
            });
        }
    });
    let (failed, count) = (failed.into_inner().unwrap(), count.into_inner().unwrap());
    assert!(failed.is_empty(), "{failed}");
    println!("{count} tests in Python");
    assert_eq!(count, tests.len(), "every test is run");
}

#[test]
fn a_client_library_that_knows_nothing_of_this_project_agrees() {
    let python = environment::python().unwrap_or_else(|reason| panic!("{reason}"));
    let count = ran(&python, "tests/pyodata", "test_pyodata").unwrap_or_else(|output| panic!("{output}"));
    assert_eq!(count, twins::tests_in("tests/pyodata").len(), "every test is run");
}

/// Runs the tests of a file and returns their number, or what went wrong.
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
        format!("cannot run {python}: {error}; install Python, for example with `apt-get install python3`")
    })?;
    let output = String::from_utf8_lossy(&run.stderr).into_owned();
    // A skipped test proves nothing.
    if !run.status.success() || output.contains("skipped=") {
        return Err(output);
    }
    let count = output.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok());
    count.ok_or(output)
}
