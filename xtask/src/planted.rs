//! The checkers themselves: each fault that can be planted in the shipped code must be caught by one of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use datahub_protocol::planted::Planted;

use crate::check::say;

/// The test programs that are to catch the faults, in the order in which they are asked: the fastest first.
const CHECKERS: [&str; 4] = ["simulation", "search", "promises", "crash"];

/// How long a checker may take; one that a fault hangs has caught it.
const PATIENCE: Duration = Duration::from_secs(180);

/// Plants every fault, or those named, and asks the checkers one after another.
pub(crate) fn run(only: &[String]) -> ExitCode {
    let programs = match build() {
        Ok(programs) => programs,
        Err(reason) => {
            say(&format!("the checkers cannot be built: {reason}"));
            return ExitCode::FAILURE;
        }
    };
    let faults = Planted::ALL.iter().filter(|fault| only.is_empty() || only.iter().any(|name| name == fault.name()));
    let mut missed = Vec::new();
    say("| fault | what it does | caught by | after |\n|---|---|---|---|");
    for fault in faults {
        let caught = CHECKERS.iter().find_map(|checker| Some((checker, ask(programs.get(*checker)?, *fault)?)));
        let what = fault.what().trim().trim_end_matches('.');
        match caught {
            Some((checker, after)) => say(&format!("| `{}` | {what} | {checker} | {after} |", fault.name())),
            None => {
                say(&format!("| `{}` | {what} | **nobody** | |", fault.name()));
                missed.push(fault.name());
            }
        }
    }
    if missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    say(&format!("not caught: {}", missed.join(", ")));
    ExitCode::FAILURE
}

/// Builds the checkers with faults to be planted, and says where they are.
fn build() -> Result<BTreeMap<String, PathBuf>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--workspace", "--all-features", "--no-run", "--message-format=json-render-diagnostics"]);
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(output.status.to_string());
    }
    let mut programs = BTreeMap::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
        let (name, program) = (message["target"]["name"].as_str(), message["executable"].as_str());
        if let (Some(name), Some(program), true) = (name, program, message["profile"]["test"] == true) {
            programs.insert(name.to_owned(), PathBuf::from(program));
        }
    }
    match CHECKERS.iter().find(|checker| !programs.contains_key(**checker)) {
        Some(missing) => Err(format!("there is no test program {missing}")),
        None => Ok(programs),
    }
}

/// Runs a checker under a fault: what it says if it catches it.
fn ask(program: &PathBuf, fault: Planted) -> Option<String> {
    let begun = Instant::now();
    let child = Command::new(program)
        .env("DATAHUB_PLANTED", fault.name())
        .env("DATAHUB_TESTS", "sqlite-only")
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Some(format!("(it cannot be run: {error})")),
    };
    let stderr = child.stderr.take();
    let drain = std::thread::spawn(move || {
        let mut text = String::new();
        // What it says beside its report matters only if there is no report.
        _ = stderr.map(|mut stderr| stderr.read_to_string(&mut text));
        text
    });
    let lines = child.stdout.take().map(BufReader::new);
    let reader = std::thread::spawn(move || {
        lines.map(|lines| lines.lines().map_while(Result::ok).collect::<Vec<_>>()).unwrap_or_default()
    });
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(50)),
            _ => {
                _ = child.kill();
                _ = child.wait();
                break None;
            }
        }
    };
    let (lines, errors) = (reader.join().unwrap_or_default(), drain.join().unwrap_or_default());
    match status {
        Some(status) if status.success() => None,
        Some(_) => Some(evidence(&lines, &errors)),
        None => Some(format!("it hangs for {} s", PATIENCE.as_secs())),
    }
}

/// How the simulation begins to say what is wrong: a promise is broken, or something never happens any more.
const BROKEN: [&str; 2] = ["seed ", "it never came to this"];

/// The beginning of what a checker says: the promise that is broken, or the tests that failed.
fn evidence(lines: &[String], errors: &str) -> String {
    let said = lines.iter().map(String::as_str).chain(errors.lines());
    if let Some(broken) = said.into_iter().find(|line| BROKEN.iter().any(|begin| line.starts_with(begin))) {
        let broken = broken.replace("00000000-0000-0000-0000-0000000000", "…");
        return broken.chars().take(140).collect();
    }
    let failed: Vec<_> =
        lines.iter().filter_map(|line| line.strip_suffix(" ... FAILED")?.strip_prefix("test ")).collect();
    match failed.as_slice() {
        [] => "it ends with an error".to_owned(),
        [only] => format!("`{only}`"),
        [first, ..] => format!("{} tests, `{first}` among them", failed.len()),
    }
}
