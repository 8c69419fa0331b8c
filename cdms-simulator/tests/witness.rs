//! A second witness: what the fact sheet says, asked of the program by a client in another language, so that client and
//! server cannot agree on a mistake.

use std::path::Path;
use std::process::Command;

/// So many tests there are at least.
const TESTS_MIN: usize = 80;

#[test]
#[allow(clippy::print_stdout, reason = "how many tests there were is for whoever runs them")]
fn a_client_in_another_language_agrees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/witness");
    let run = Command::new("python3")
        .args(["-B", "-m", "unittest", "discover", "--pattern", "test_*.py"])
        .current_dir(folder)
        .env("CDMS_SIMULATOR", env!("CARGO_BIN_EXE_cdms-simulator"))
        .output();
    let run = run.unwrap_or_else(|error| {
        panic!("python3 cannot be run ({error}): install it, for example with `apt-get install python3`")
    });
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    let count = told.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse::<usize>().ok());
    println!("{} tests in Python", count.unwrap_or_default());
    assert!(count.is_some_and(|count| count >= TESTS_MIN), "{count:?} tests were run:\n{told}");
}
