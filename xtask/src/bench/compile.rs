//! `cargo check` of the packages: clean (only their own artifacts are removed), with nothing to do, and after an edit
//! of one model.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::models::EDITED;
use super::packages::{Form, Packages, name};
use super::{cargo, median};
use crate::check::say;

/// The times of one form, sample by sample.
#[derive(Default)]
struct Times {
    clean: Vec<Duration>,
    /// With nothing to do: Cargo's own time to find that out, which grows with the number of dependencies.
    unchanged: Vec<Duration>,
    edited: Vec<Duration>,
}

/// Measures every size in both forms and prints the table.
pub(super) fn compare(packages: &Packages, samples: u16) -> Result<(), String> {
    say("`cargo check`, development profile: the dependencies are checked first, which takes a while …\n");
    for size in packages.sizes() {
        for form in Form::BOTH {
            check(packages, &name(form, *size))?;
        }
    }
    say("| models | check | ours | by hand | ratio |\n|---:|---|---:|---:|---:|");
    for size in packages.sizes() {
        let mut times = Form::BOTH.map(|_| Times::default());
        for sample in 1..=samples {
            // The forms take turns, so that other load on the machine affects both.
            for (form, times) in Form::BOTH.into_iter().zip(&mut times) {
                measure(packages, &name(form, *size), sample, times)?;
            }
        }
        let [ours, by_hand] = times;
        row(*size, "clean", ours.clean, by_hand.clean);
        row(*size, "nothing changed", ours.unchanged, by_hand.unchanged);
        row(*size, "one model edited", ours.edited, by_hand.edited);
    }
    Ok(())
}

fn measure(packages: &Packages, package: &str, sample: u16, times: &mut Times) -> Result<(), String> {
    succeed(in_packages(packages, "clean").args(["--package", package]))?;
    times.clean.push(check(packages, package)?);
    times.unchanged.push(check(packages, package)?);
    let path = packages.first_model(package);
    let failed = |error: std::io::Error| format!("cannot edit {}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(failed)?;
    let edited = text.replace(EDITED, &format!("{EDITED} Edited {sample}."));
    if edited == text {
        return Err(format!("nothing to edit in {}; remove {}", path.display(), packages.folder().display()));
    }
    fs::write(&path, &edited).map_err(failed)?;
    let took = check(packages, package);
    fs::write(&path, &text).map_err(failed)?;
    times.edited.push(took?);
    Ok(())
}

fn row(size: u16, sort: &str, ours: Vec<Duration>, by_hand: Vec<Duration>) {
    let (ours, by_hand) = (median(ours).as_secs_f64(), median(by_hand).as_secs_f64());
    say(&format!("| {size} | {sort} | {ours:.2} s | {by_hand:.2} s | {:.2} |", ours / by_hand));
}

/// How long a check of a package takes.
fn check(packages: &Packages, package: &str) -> Result<Duration, String> {
    let begun = Instant::now();
    succeed(in_packages(packages, "check").args(["--package", package]))?;
    Ok(begun.elapsed())
}

fn in_packages(packages: &Packages, task: &str) -> Command {
    let mut command = Command::new(cargo());
    command.args([task, "--quiet", "--offline"]).current_dir(packages.folder());
    // Settings for this workspace do not apply to those packages.
    command.env("CARGO_TARGET_DIR", packages.folder().join("target")).env_remove("RUSTFLAGS");
    command
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr)))
}
