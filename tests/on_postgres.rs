//! Runs a test program once more, on PostgreSQL: what it promises must hold on both databases.

use std::process::Command;

/// The variable by which a kit knows that its database is on a server.
pub(crate) const SERVER_OF_KITS: &str = "DATAHUB_TEST_DATABASE";

/// Runs this program again with its kits on the server of `DATAHUB_TESTS_POSTGRES`.
///
/// # Errors
///
/// What failed there, or that there is no server and what to do.
pub(crate) fn run_again() -> Result<(), String> {
    if std::env::var_os(SERVER_OF_KITS).is_some() {
        // This is the second run already.
        return Ok(());
    }
    if std::env::var("DATAHUB_TESTS").as_deref() == Ok("sqlite-only") {
        return Ok(());
    }
    let server = std::env::var("DATAHUB_TESTS_POSTGRES").map_err(|_| {
        "there is no PostgreSQL to test on: run `cargo xtask test`, which starts one of its own, or set \
         DATAHUB_TESTS_POSTGRES=postgres://user@host/database; DATAHUB_TESTS=sqlite-only leaves it out on purpose"
    })?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let run = Command::new(program).env(SERVER_OF_KITS, server).output().map_err(|error| error.to_string())?;
    if run.status.success() {
        return Ok(());
    }
    let told = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Err(format!("on PostgreSQL:\n{told}"))
}
