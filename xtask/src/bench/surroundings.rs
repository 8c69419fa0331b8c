//! The machine, the date, the compiler and the commit, to record with measurements.

use std::fs;
use std::process::Command;

use super::results::Surroundings;

/// Those of now.
pub(super) fn surroundings(quick: bool) -> Surroundings {
    let rustc = said("rustc", &["--version"]);
    Surroundings {
        date: said("date", &["-u", "+%Y-%m-%d"]),
        commit: said("git", &["describe", "--always", "--dirty", "--exclude=*"]),
        rustc: rustc.split_whitespace().nth(1).unwrap_or(&rustc).to_owned(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        processor: in_file("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        memory_gb: memory_gb(),
        quick,
    }
}

/// What a program prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
    output.map_or_else(|| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first value of a key in a file of `key: value`.
fn in_file(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_gb() -> u64 {
    let total = in_file("/proc/meminfo", "MemTotal");
    let kilobytes = total.and_then(|total| total.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.map_or(0, |kilobytes| (kilobytes / 1024.0 / 1024.0).round() as u64)
}
