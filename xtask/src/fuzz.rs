//! Fuzzing by hand: runs each target of `fuzz/` for a while and prints the results.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::check::{cargo_outside, install, passed, say};

/// The targets of `fuzz/`, each with a corpus of the same name.
const TARGETS: [&str; 15] = [
    "attribute",
    "challenge",
    "condition",
    "contract",
    "cookies",
    "date",
    "filter",
    "instant",
    "json",
    "login_page",
    "metadata",
    "ntlm",
    "number",
    "query",
    "soap",
];

/// The number of a fuzzer's last lines to show if it failed without a panic.
const LINES_SHOWN: usize = 40;

/// The result of a run.
#[derive(Debug, Default, PartialEq)]
struct Run {
    executions: u64,
    /// The number of edges of the program that were covered.
    coverage: u64,
    /// The number of inputs that covered new code.
    found: u64,
}

/// Checks the targets without the fuzzer's runtime, which is C++.
pub(crate) fn targets_compile() -> Result<(), String> {
    let arguments = ["--no-default-features", "--all-targets", "--", "--deny", "warnings"];
    passed(cargo_outside("clippy", "fuzz/Cargo.toml").args(arguments))
}

/// Runs these targets, or all of them, for this number of seconds each.
pub(crate) fn run(targets: &[String], seconds: u64) -> ExitCode {
    if let Some(unknown) = targets.iter().find(|target| !TARGETS.contains(&target.as_str())) {
        say(&format!("unknown target `{unknown}`; the targets are {}", TARGETS.join(", ")));
        return ExitCode::from(2);
    }
    if let Err(reason) = install("cargo-fuzz") {
        say(&format!("cannot run the fuzzer: {reason}"));
        return ExitCode::FAILURE;
    }
    let chosen = TARGETS.into_iter().filter(|target| targets.is_empty() || targets.iter().any(|one| one == target));
    let (mut rows, mut all_well) = (Vec::new(), true);
    for target in chosen {
        say(&format!("\n{target}: {seconds} s"));
        match fuzz(target, seconds) {
            Ok(Run { executions, coverage, found }) => {
                let files = files_in(&corpus(target));
                rows.push(format!("| `{target}` | {executions} | {coverage} | {files} | {found} |"));
            }
            Err(reason) => {
                say(&reason);
                rows.push(format!("| `{target}` | failed | | | |"));
                all_well = false;
            }
        }
    }
    say("\n| target | executions | edges covered | files in the corpus | inputs found |\n|---|---|---|---|---|");
    rows.iter().for_each(|row| say(row));
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn corpus(target: &str) -> PathBuf {
    Path::new("fuzz/corpus").join(target)
}

/// The folder of new inputs, with which the next run begins. It is not under version control.
fn found(target: &str) -> PathBuf {
    Path::new("fuzz/found").join(target)
}

fn files_in(folder: &Path) -> usize {
    folder.read_dir().map_or(0, Iterator::count)
}

/// The fuzzer for a target. It needs no sanitizer, because there is no `unsafe` code; the stable compiler has none.
fn fuzzer(target: &str, folders: &[PathBuf], options: &[String]) -> Command {
    let mut command = Command::new("cargo-fuzz");
    command.args(["fuzz", "run", "--sanitizer=none", target]).args(folders).arg("--").args(options);
    command
}

fn fuzz(target: &str, seconds: u64) -> Result<Run, String> {
    let folder = found(target);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut options =
        vec![format!("-max_total_time={seconds}"), "-timeout=10".to_owned(), "-print_final_stats=1".to_owned()];
    let dictionary = Path::new("fuzz/dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        options.push(format!("-dict={}", dictionary.display()));
    }
    // New inputs are written to the first folder.
    let said = watched(fuzzer(target, &[folder, corpus(target)], &options))?;
    statistics(&said).ok_or_else(|| format!("failed: {target} ended without statistics"))
}

/// All lines that a fuzzer printed; the error has the panic or the last lines if it failed.
fn watched(mut command: Command) -> Result<Vec<String>, String> {
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("cannot run cargo-fuzz: {error}"))?;
    let pipe = child.stderr.take().map(BufReader::new);
    let lines: Vec<String> = pipe.into_iter().flat_map(|pipe| pipe.lines().map_while(Result::ok)).collect();
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(lines);
    }
    let broken = broken(&lines).join("\n");
    Err(format!("{broken}\nfailed: the fuzzer ended with {status}; the input is in fuzz/artifacts"))
}

/// What a failed fuzzer printed: the panic, or its last lines if there was none.
fn broken(lines: &[String]) -> &[String] {
    let panic = lines.iter().position(|line| line.contains("panicked at"));
    let from = panic.unwrap_or(lines.len().saturating_sub(LINES_SHOWN));
    let to = panic.and_then(|panic| lines[panic..].iter().position(|line| line == "stack backtrace:"));
    &lines[from..to.map_or(lines.len(), |length| from + length)]
}

/// Parses the fuzzer's statistics: `#9 DONE cov: 30 ft: 31 …`, then `stat::number_of_executed_units: 9` and more.
fn statistics(lines: &[String]) -> Option<Run> {
    let stated = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let done = lines.iter().rfind(|line| line.contains("DONE"))?;
    let mut words = done.split_whitespace().skip_while(|word| *word != "cov:");
    Some(Run {
        executions: stated("stat::number_of_executed_units:")?,
        coverage: words.nth(1)?.parse().ok()?,
        found: stated("stat::new_units_added:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn statistics_are_parsed_from_the_last_lines() {
        let said = "#2\tINITED cov: 12 ft: 13 corp: 1/1b\n#900\tDONE   cov: 30 ft: 31 corp: 7/20b lim: 4 exec/s: 0\n\
                    stat::number_of_executed_units: 900\nstat::average_exec_per_sec:     0\nstat::new_units_added: 6";
        assert_eq!(statistics(&lines(said)), Some(Run { executions: 900, coverage: 30, found: 6 }));
        assert_eq!(statistics(&lines("#2\tINITED cov: 12 ft: 13")), None, "an interrupted run has no statistics");
    }

    #[test]
    fn a_panic_is_shown_without_its_backtrace() {
        let said =
            lines("#2\tINITED\nthread '<unnamed>' panicked at src/date.rs:3:1:\nno date\nstack backtrace:\n   0: x");
        assert_eq!(broken(&said), &said[1..3]);
        let said: Vec<_> = (0..50).map(|line| line.to_string()).collect();
        assert_eq!(broken(&said), &said[10..]);
    }

    #[test]
    fn each_target_has_its_entry_and_its_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for (folder, ending) in [("fuzz_targets", ".rs"), ("corpus", "")] {
            let names = fuzz.join(folder).read_dir().unwrap().map(|file| file.unwrap().file_name());
            let mut names: Vec<_> = names.map(|name| name.to_str().unwrap().replace(ending, "")).collect();
            names.sort();
            assert_eq!(names, TARGETS, "{folder}");
        }
    }
}
