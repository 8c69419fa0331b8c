//! Instruction counts: valgrind counts the instructions of the engine's work, and each count is compared with the recorded
//! one. Counts repeat, so they can fail a build; times cannot.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::check::say;
use crate::{package, source};

/// What is recorded. It is changed by `cargo xtask counts --accept` only.
const RECORDED: &str = "examples/domain/benches/counts/recorded.json";

/// How many per cent a count may differ from the recorded one.
const TOLERANCE: f64 = 2.0;

/// The crates whose work is counted. They are compiled with the optimisation that their dependencies have in a development
/// build, and without its checks, so that no dependency is compiled a second time.
const OPTIMISED: [&str; 5] = ["cdms-odata", "datahub-model", "datahub-protocol", "datahub-runtime", "example-domain"];

/// The counts of one compiler on one kind of processor, by the name of the work.
#[derive(Clone, Debug, PartialEq)]
struct Counts {
    compiler: String,
    instructions: BTreeMap<String, u64>,
}

/// Checks that no count has changed.
pub(crate) fn have_not_changed() -> Result<(), String> {
    let counts = counted()?;
    let recorded = Counts::read(&recorded_file())?;
    say(&table(&recorded, &counts));
    let faults = faults(&recorded, &counts);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Records the counts as they are.
pub(crate) fn accept() -> Result<(), String> {
    let counts = counted()?;
    // Without a file all are new.
    let none = Counts { compiler: counts.compiler.clone(), instructions: BTreeMap::new() };
    say(&table(&Counts::read(&recorded_file()).unwrap_or(none), &counts));
    fs::write(recorded_file(), counts.shown()).map_err(|error| format!("{RECORDED}: {error}"))?;
    say(&format!("recorded in {RECORDED}; commit it with the reason why the counts changed"));
    Ok(())
}

fn recorded_file() -> PathBuf {
    source::root().join(RECORDED)
}

impl Counts {
    fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{RECORDED}: {error}"))?;
        Counts::of(&text).map_err(|reason| format!("{RECORDED}: {reason}; `cargo xtask counts --accept` writes it"))
    }

    fn of(text: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let compiler = json["compiler"].as_str().ok_or("no `compiler`")?.to_owned();
        let instructions = json["instructions"].as_object().ok_or("no `instructions`")?;
        let count = |(name, count): (&String, &Json)| {
            let count = count.as_u64().ok_or_else(|| format!("the count of {name} is no number"))?;
            Ok((name.clone(), count))
        };
        let instructions = instructions.iter().map(count).collect::<Result<_, String>>()?;
        Ok(Counts { compiler, instructions })
    }

    fn shown(&self) -> String {
        let json = json!({ "compiler": self.compiler, "instructions": self.instructions });
        format!("{json:#}\n")
    }
}

/// What is wrong with counts, one sentence each.
fn faults(recorded: &Counts, counts: &Counts) -> Vec<String> {
    const ACCEPT: &str = "`cargo xtask counts --accept`";
    if recorded.compiler != counts.compiler {
        return vec![format!(
            "the counts were recorded with {}, but this is {}, whose counts cannot be compared with them: check out the \
             commit before the change of the compiler, see that it passes, and then record the new compiler's counts with \
             {ACCEPT}",
            recorded.compiler, counts.compiler
        )];
    }
    let mut faults = Vec::new();
    for (name, count) in &counts.instructions {
        let Some(before) = recorded.instructions.get(name) else {
            faults.push(format!("{name} takes {} instructions, which is not recorded: run {ACCEPT}", grouped(*count)));
            continue;
        };
        let percent = change(*before, *count);
        let changed = format!("from {} to {} instructions ({percent:+.1} %)", grouped(*before), grouped(*count));
        if percent > TOLERANCE {
            faults.push(format!(
                "{name} rose {changed}, {TOLERANCE} % are allowed: see where with `callgrind_annotate {}`; if the work is \
                 worth it, run {ACCEPT}",
                profile(name).display()
            ));
        } else if percent < -TOLERANCE {
            faults.push(format!("{name} fell {changed}: run {ACCEPT}, so that it does not rise again unnoticed"));
        }
    }
    for name in recorded.instructions.keys().filter(|name| !counts.instructions.contains_key(*name)) {
        faults.push(format!("{name} is recorded, but there is no such work any more: run {ACCEPT}"));
    }
    faults
}

/// By how many per cent a count has changed.
fn change(before: u64, now: u64) -> f64 {
    (now as f64 / before as f64 - 1.0) * 100.0
}

fn table(recorded: &Counts, counts: &Counts) -> String {
    let mut table = format!("{:<24}{:>14}{:>14}{:>10}\n", "instructions of", "recorded", "now", "change");
    for (name, count) in &counts.instructions {
        let before = recorded.instructions.get(name);
        let shown = before.map_or_else(|| "none".to_owned(), |before| grouped(*before));
        let change = before.map_or_else(String::new, |before| format!("{:+.1} %", change(*before, *count)));
        table.push_str(&format!("{name:<24}{shown:>14}{:>14}{change:>10}\n", grouped(*count)));
    }
    table
}

/// A number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Builds the work and counts each kind of it.
fn counted() -> Result<Counts, String> {
    package::valgrind()?;
    let program = built()?;
    let said = |arguments: &[&str]| output(Command::new(&program).args(arguments));
    let folder = profiles();
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut instructions = BTreeMap::new();
    for name in said(&["--names"])?.lines() {
        instructions.insert(name.to_owned(), count(&program, name)?);
    }
    Ok(Counts { compiler: compiler()?, instructions })
}

/// The instructions of one round of the work.
fn count(program: &Path, name: &str) -> Result<u64, String> {
    let profile = profile(name);
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--toggle-collect=*counts::counted*"]);
    valgrind.arg(format!("--callgrind-out-file={}", profile.display()));
    let rounds = output(valgrind.arg(program).arg(name))?;
    let rounds: u64 =
        rounds.trim().parse().map_err(|_| format!("{name}: expected a number of rounds, found {rounds}"))?;
    let text = fs::read_to_string(&profile).map_err(|error| format!("{}: {error}", profile.display()))?;
    match total(&text) {
        Some(total) if total > 0 && rounds > 0 => Ok(total / rounds),
        _ => Err(format!("{name}: {} has no instructions: the function `counted` was not found", profile.display())),
    }
}

/// The sum in a file of callgrind's.
fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok())
}

/// Where callgrind's files are, for a look at what takes the instructions.
fn profiles() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| source::root().join("target"), PathBuf::from).join("counts")
}

fn profile(name: &str) -> PathBuf {
    profiles().join(name.replace('/', "-"))
}

/// Builds the program that does the work, and returns it.
fn built() -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The features that all tests are built with.
    cargo.args([
        "build",
        "--workspace",
        "--all-features",
        "--bench=counts",
        "--message-format=json-render-diagnostics",
    ]);
    for name in OPTIMISED {
        for setting in
            ["opt-level=1", "debug=false", "debug-assertions=false", "overflow-checks=false", "incremental=false"]
        {
            cargo.arg(format!("--config=profile.dev.package.{name}.{setting}"));
        }
    }
    let messages = output(&mut cargo)?;
    let program = messages.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()).find_map(|message| {
        let is_ours = message["target"]["name"] == "counts";
        if is_ours { message["executable"].as_str().map(PathBuf::from) } else { None }
    });
    program.ok_or_else(|| "cargo has built no program `counts`".to_owned())
}

/// The compiler, and the processor that it compiles for.
fn compiler() -> Result<String, String> {
    let version = output(Command::new("rustc").arg("--version"))?;
    Ok(format!("{} for {}", version.trim(), std::env::consts::ARCH))
}

/// What a command that must succeed prints.
fn output(command: &mut Command) -> Result<String, String> {
    let shown = command.get_program().display().to_string();
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("cannot run {shown}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{shown}: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{shown}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(instructions: &[(&str, u64)]) -> Counts {
        let instructions = instructions.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Counts { compiler: "rustc 1.95.0 for x86_64".to_owned(), instructions }
    }

    /// Asserts that there is one fault, and that it says all of this.
    fn says(recorded: &Counts, counts: &Counts, parts: &[&str]) {
        let faults = faults(recorded, counts);
        let [fault] = &faults[..] else { panic!("expected one fault, found {faults:?}") };
        for part in parts {
            assert!(fault.contains(part), "{fault:?} does not say {part:?}");
        }
    }

    #[test]
    fn what_differs_by_less_than_the_tolerance_is_no_fault() {
        let recorded = counts(&[("merge", 100_000), ("read/in-sync", 300_000)]);
        assert_eq!(faults(&recorded, &counts(&[("merge", 101_999), ("read/in-sync", 294_001)])), [""; 0]);
    }

    #[test]
    fn a_rise_is_a_fault_that_says_by_how_much_and_how_to_accept_it() {
        let (recorded, now) = (counts(&[("read/in-sync", 300_000)]), counts(&[("read/in-sync", 330_300)]));
        let parts = ["read/in-sync rose from 300,000 to 330,300", "(+10.1 %)", "2 % are allowed", "counts --accept"];
        says(&recorded, &now, &parts);
    }

    #[test]
    fn a_fall_is_recorded_too() {
        says(&counts(&[("merge", 1_000)]), &counts(&[("merge", 900)]), &["merge fell from 1,000 to 900", "(-10.0 %)"]);
    }

    #[test]
    fn work_is_recorded_as_long_as_there_is_such() {
        says(&counts(&[]), &counts(&[("merge", 900)]), &["merge takes 900 instructions, which is not recorded"]);
        says(&counts(&[("merge", 900)]), &counts(&[]), &["merge is recorded", "no such work"]);
    }

    #[test]
    fn counts_of_another_compiler_are_not_compared() {
        let newer = Counts { compiler: "rustc 1.96.0 for x86_64".to_owned(), ..counts(&[("merge", 1)]) };
        says(&counts(&[("merge", 900)]), &newer, &["recorded with rustc 1.95.0", "this is rustc 1.96.0", "--accept"]);
    }

    #[test]
    fn what_is_written_is_read() {
        let counts = counts(&[("merge", 900), ("read/in-sync", 300_000)]);
        assert_eq!(Counts::of(&counts.shown()), Ok(counts));
        assert!(Counts::of(r#"{"compiler": "rustc", "instructions": {"merge": "many"}}"#).is_err());
    }

    #[test]
    fn the_sum_of_callgrind_is_found() {
        assert_eq!(total("events: Ir\nfn=(1)\n4 5\nsummary: 2205382\ntotals: 2205382\n"), Some(2_205_382));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn every_kind_of_work_of_the_last_run_is_recorded() {
        let recorded = Counts::read(&recorded_file()).unwrap();
        let parts = ["conversion", "comparison", "merge", "statement", "read"];
        for part in parts {
            assert!(recorded.instructions.keys().any(|name| name.starts_with(part)), "no count of {part}");
        }
    }
}
