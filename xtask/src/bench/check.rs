//! `datahub check` on a project of every entity of a whole `$metadata` document: 374 contracts, and as many models as the hub
//! can follow.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{cargo, median, run_bench};
use crate::check::say;
use crate::source::root;

/// How long a check may take.
const GOAL: Duration = Duration::from_secs(2);

/// Writes the project, builds the command for release, and measures it.
pub(super) fn measure(samples: u16) -> Result<(), String> {
    let folder = root().join("target/bench-check");
    let writer = ["run", "--quiet", "--package", "datahub-schema-tests", "--bin", "datahub-schema-tests", "--"];
    run_bench(Command::new(cargo()).args(writer).arg(&folder))?;
    let datahub = built()?;
    let mut times = Vec::new();
    for _ in 0..samples {
        let begun = Instant::now();
        let output = checked(&datahub, &folder)?;
        times.push(begun.elapsed());
        if times.len() == 1 {
            say(&format!("\n`datahub check`, optimised:\n\n{output}"));
        }
    }
    let time = median(times);
    let met = if time <= GOAL { "met" } else { "missed" };
    say(&format!("median of {samples}: {} ms; the goal of {} s is {met}", time.as_millis(), GOAL.as_secs()));
    Ok(())
}

/// The command, built for release.
fn built() -> Result<PathBuf, String> {
    let build = ["build", "--quiet", "--release", "--package", "datahub-cli", "--message-format", "json"];
    let output = Command::new(cargo()).args(build).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    program.ok_or_else(|| format!("cargo built no command: {}", output.status))
}

/// Runs the check; returns its summary. It finds faults, because the records of some entities cannot be followed.
fn checked(datahub: &Path, folder: &Path) -> Result<String, String> {
    let output = Command::new(datahub).arg("check").arg("--root").arg(folder).output();
    let output = output.map_err(|error| format!("cannot run {}: {error}", datahub.display()))?;
    if output.status.code().is_none_or(|code| code > 1) {
        return Err(format!("the check failed, {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().skip_while(|line| !line.starts_with("contracts "));
    Ok(summary.map(|line| format!("{line}\n")).collect())
}
