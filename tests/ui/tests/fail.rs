//! Cases that must not compile: the text of each error, on its word.
//!
//! A folder of `fail` is a family. `TRYBUILD=overwrite` writes the texts anew; read the difference before committing it.

use std::env;
use std::process::Command;

const ROOT: &str = "DATAHUB_ROOT";

/// The cases are built in the target directory, from where no `datahub.toml` of theirs is found, so the root is given.
/// A variable cannot be set within a running test, hence the second process.
#[test]
fn faults_are_told_on_their_word() {
    let here = env!("CARGO_MANIFEST_DIR");
    if env::var_os(ROOT).is_some_and(|root| root == here) {
        trybuild::TestCases::new().compile_fail("fail/*/*.rs");
        return;
    }
    let this = env::current_exe().expect("a test knows its program");
    let name = "faults_are_told_on_their_word";
    let status = Command::new(this).args(["--exact", name, "--nocapture"]).env(ROOT, here).status();
    assert!(status.expect("a test can start itself").success(), "the cases above differ");
}
