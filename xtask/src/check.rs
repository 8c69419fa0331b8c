//! Checks: named steps that pass or fail, all run one after another.

use std::io::Write as _;
use std::process::{Command, ExitStatus};

use crate::source::root;

/// A step and the promise that it checks.
pub(crate) struct Check {
    promise: &'static str,
    step: Step,
}

enum Step {
    Cargo { arguments: Vec<&'static str>, environment: Vec<(&'static str, String)> },
    Tool { program: &'static str, arguments: Vec<&'static str> },
    Ours(fn() -> Result<(), String>),
}

impl Check {
    /// A cargo command.
    pub(crate) fn cargo(promise: &'static str, arguments: &[&'static str]) -> Self {
        Check { promise, step: Step::Cargo { arguments: arguments.to_vec(), environment: Vec::new() } }
    }

    /// A command of a tool from crates.io, which is installed if it is missing.
    pub(crate) fn tool(promise: &'static str, program: &'static str, arguments: &[&'static str]) -> Self {
        Check { promise, step: Step::Tool { program, arguments: arguments.to_vec() } }
    }

    /// A check of our own.
    pub(crate) fn ours(promise: &'static str, check: fn() -> Result<(), String>) -> Self {
        Check { promise, step: Step::Ours(check) }
    }

    /// Sets an environment variable for a cargo command.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Step::Cargo { environment, .. } = &mut self.step {
            environment.push((name, value.into()));
        }
        self
    }

    fn run(&self) -> Result<(), String> {
        match &self.step {
            Step::Cargo { arguments, environment } => {
                let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
                passed(&mut command)
            }
            Step::Tool { program, arguments } => {
                install(program)?;
                passed(Command::new(program).args(arguments))
            }
            Step::Ours(check) => check(),
        }
    }
}

/// Installs a tool from crates.io if it is missing.
pub(crate) fn install(program: &str) -> Result<(), String> {
    if Command::new(program).arg("--version").output().is_err() {
        say(&format!("installing {program} …"));
        passed(Command::new("cargo").args(["install", "--locked", "--quiet", program]))?;
    }
    Ok(())
}

/// A cargo command for a package that is no member of the workspace. What the workspace has compiled already is not compiled
/// again: the package has the workspace's profile, and its target folder.
pub(crate) fn cargo_outside(task: &str, manifest: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(task).arg("--manifest-path").arg(root().join(manifest));
    if task != "fmt" && std::env::var_os("CARGO_TARGET_DIR").is_none() {
        cargo.arg("--target-dir").arg(root().join("target"));
    }
    cargo
}

/// Runs a command and returns its exit status.
pub(crate) fn ended(command: &mut Command) -> Result<ExitStatus, String> {
    command.status().map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))
}

fn ended_well(status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("{status}")) }
}

/// Runs a command that must succeed.
pub(crate) fn passed(command: &mut Command) -> Result<(), String> {
    ended_well(ended(command)?)
}

/// Runs all checks; the error names those that failed.
pub(crate) fn run_all(checks: &[Check]) -> Result<(), Vec<&'static str>> {
    let mut failed = Vec::new();
    for (position, check) in checks.iter().enumerate() {
        say(&format!("\n[{}/{}] {}", position + 1, checks.len(), check.promise));
        if let Err(reason) = check.run() {
            say(&format!("failed: {} ({reason})", check.promise));
            failed.push(check.promise);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    // The checks also run if their output is not read.
    _ = writeln!(std::io::stdout(), "{line}");
}
