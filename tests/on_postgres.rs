//! Runs a test program once more, on PostgreSQL: what it promises must hold on both databases.

use std::process::Command;

/// The variable by which a kit knows that its database is on a server.
pub(crate) const SERVER_OF_KITS: &str = "DATAHUB_TEST_DATABASE";

/// Runs this program again with its kits on the server of `DATAHUB_TESTS_POSTGRES`.
///
/// # Errors
///
/// What failed there, or that there is no server and what to do.
#[allow(dead_code, reason = "a test program with numbers to tell runs loud")]
pub(crate) fn run_again() -> Result<(), String> {
    result_of(false, &[])
}

/// The same, where the hubs of kits can only read and write rows.
///
/// # Errors
///
/// As [`run_again`].
#[allow(dead_code, reason = "one test program shows that a hub needs no further rights")]
pub(crate) fn run_again_with_rights_to_rows_only() -> Result<(), String> {
    result_of(false, &[("DATAHUB_TEST_RIGHTS", "rows")])
}

/// The same, passing on what it says while it runs.
///
/// # Errors
///
/// As [`run_again`].
#[allow(dead_code, reason = "only a test program with numbers to tell needs it")]
pub(crate) fn run_again_loud() -> Result<(), String> {
    result_of(true, &[])
}

/// The server to run on, as the environment says; `None` where this is the second run already, or PostgreSQL is left out
/// on purpose.
///
/// # Errors
///
/// There is no server, or CI leaves it out; with what to do.
pub(crate) fn server(variable: impl Fn(&str) -> Option<String>) -> Result<Option<String>, String> {
    if variable(SERVER_OF_KITS).is_some() {
        return Ok(None);
    }
    if variable("DATAHUB_TESTS").as_deref() == Some("sqlite-only") {
        let is_ci = variable("CI").is_some();
        return if is_ci { Err("CI never leaves PostgreSQL out; unset DATAHUB_TESTS".to_owned()) } else { Ok(None) };
    }
    let server = variable("DATAHUB_TESTS_POSTGRES").ok_or(
        "there is no PostgreSQL to test on: run `cargo xtask test`, which starts one of its own, or set \
         DATAHUB_TESTS_POSTGRES=postgres://user@host/database; DATAHUB_TESTS=sqlite-only leaves it out on purpose",
    )?;
    Ok(Some(server))
}

fn result_of(loud: bool, variables: &[(&str, &str)]) -> Result<(), String> {
    let Some(server) = server(|variable| std::env::var(variable).ok())? else { return Ok(()) };
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.env(SERVER_OF_KITS, server).envs(variables.iter().copied());
    if loud {
        let status =
            command.args(["--nocapture", "--skip", "all_of_it"]).status().map_err(|error| error.to_string())?;
        return if status.success() { Ok(()) } else { Err(format!("on PostgreSQL: {status}")) };
    }
    let run = command.output().map_err(|error| error.to_string())?;
    if run.status.success() {
        return Ok(());
    }
    let told = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Err(format!("on PostgreSQL:\n{told}"))
}
