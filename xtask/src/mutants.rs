//! Mutation testing: each change of the code that no test notices must be explained by name.

mod asked;
mod sample;
mod switched;
mod tree;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::check::{ended, install, passed, say};

/// A part of the code of which every change is tried.
struct Part {
    name: &'static str,
    arguments: &'static [&'static str],
    /// The package that has the tests, if it is not the changed one.
    tests_in: Option<&'static str>,
    /// The tests to build and run after each change: options of `cargo test`.
    tests: &'static [&'static str],
}

/// Leaves out the switches of planted faults, which shipped programs do not have.
const PLANTED: &str = "--exclude-re=planted(::\\w+)?\\(";

/// The parts, and the tests of each.
const PARTS: [Part; 3] = [
    Part {
        name: "protocol",
        arguments: &["--package=datahub-protocol", "--exclude=**/planted.rs", PLANTED],
        tests_in: None,
        tests: &[
            "--test=tables",
            "--test=putting_back",
            "--test=transitions",
            "--test=stored_forms",
            "--test=simulation",
        ],
    },
    Part {
        name: "attributes",
        arguments: &[
            "--package=cdms-odata",
            "--package=datahub-model",
            "--file=cdms-odata/src/{value,attributes}.rs",
            "--file=cdms-odata/src/crm2011/{json,error,outcome,reading}.rs",
            "--file=cdms-odata/src/crm2011/json/*.rs",
            "--file=datahub-model/src/{conversion,condition,descriptor,fault}.rs",
            "--file=datahub-model/src/conversion/*.rs",
            PLANTED,
            "--all-features",
        ],
        tests_in: None,
        tests: &["--lib", "--tests"],
    },
    Part {
        name: "fields",
        arguments: &[
            "--package=datahub-runtime",
            "--file=datahub-runtime/src/{field,one_of}.rs",
            "--file=datahub-runtime/src/field/*.rs",
            "--all-features",
        ],
        // Models with fields of every kind, converted both ways and through a hub.
        tests_in: Some("datahub-ui-tests"),
        tests: &["--test=pass", "--test=hub"],
    },
];

/// The changes that no test notices, with the reason for each.
const LEFT: &str = "docs/mutants-left.txt";

/// Conversions are the same on both databases, and testing on one takes half the time.
const ON_SQLITE: (&str, &str) = ("DATAHUB_TESTS", "sqlite-only");

/// The exit codes of a complete run: all changes were noticed, some were not, some tests never ended.
const ENDED: [i32; 3] = [0, 2, 3];

/// The maximum percentage of changes that no test notices.
const LEFT_MAX_PERCENT: usize = 5;

/// Draws a random sample of the changes that belong to no part, and tries it. The seed is given, or chosen and printed.
/// With `again`, tries only the changes that no test has noticed yet.
pub(crate) fn run_sample(count: usize, seed: Option<u64>, again: bool) -> ExitCode {
    match sample::run(count, seed, again) {
        Ok(report) => {
            say(&report);
            ExitCode::SUCCESS
        }
        Err(report) => {
            say(&report);
            ExitCode::FAILURE
        }
    }
}

/// Tries every change of all parts, or of one.
pub(crate) fn run(only: Option<&str>) -> ExitCode {
    let parts: Vec<_> = PARTS.iter().filter(|part| only.is_none_or(|only| only == part.name)).collect();
    if parts.is_empty() {
        let names = PARTS.map(|part| part.name).join(", ");
        say(&format!("unknown part `{}`; the parts are {names}", only.unwrap_or_default()));
        return ExitCode::from(2);
    }
    let explained = match std::fs::read_to_string(LEFT) {
        Ok(text) => text,
        Err(error) => {
            say(&format!("cannot read {LEFT}: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut all_well = true;
    for part in parts {
        say(&format!("\nevery change of the {} is noticed or explained", part.name));
        match try_all(part).and_then(|tried| judge(part.name, &tried, &explained)) {
            Ok(report) => say(&report),
            Err(report) => {
                say(&report);
                all_well = false;
            }
        }
    }
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The result for the changes of a part.
struct Tried {
    noticed: usize,
    /// The number of changes that were not noticed, by name.
    missed: BTreeMap<String, usize>,
}

fn try_all(part: &Part) -> Result<Tried, String> {
    let folder = PathBuf::from("target").join(format!("mutants-of-{}", part.name));
    // Cargo may be configured with another target folder.
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let output = format!("--output={}", folder.display());
    install("cargo-mutants")?;
    let mut mutants = Command::new("cargo-mutants");
    mutants.args(["mutants", "--timeout=60", "--jobs=2", "--no-shuffle", &output]).args(part.arguments);
    // Passed to all of cargo's commands, so that no other test is built.
    mutants.args(part.tests.iter().map(|test| format!("--cargo-arg={test}")));
    if let Some(package) = part.tests_in {
        // cargo-mutants would run the unchanged tests of the changed package only.
        let mut unchanged = Command::new("cargo");
        unchanged.args(["test", "--quiet", "--all-features", "--package", package]).args(part.tests);
        passed(unchanged.env(ON_SQLITE.0, ON_SQLITE.1))?;
        mutants.args(["--baseline=skip", &format!("--test-package={package}")]);
    }
    // Otherwise both jobs would build in the same folder, and mix their changes.
    mutants.env_remove("CARGO_TARGET_DIR").env("CARGO_PROFILE_DEV_DEBUG", "false").env(ON_SQLITE.0, ON_SQLITE.1);
    let status = ended(&mut mutants)?;
    if !status.code().is_some_and(|code| ENDED.contains(&code)) {
        return Err(format!("failed: cargo-mutants ended with {status}"));
    }
    let names_in = |file: &str| -> Result<Vec<String>, String> {
        let path = folder.join("mutants.out").join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(text.lines().map(name).collect())
    };
    // A test that hangs has noticed the change.
    let noticed = names_in("caught.txt")?.len() + names_in("timeout.txt")?.len();
    let mut missed = BTreeMap::new();
    names_in("missed.txt")?.into_iter().for_each(|name| *missed.entry(name).or_default() += 1);
    Ok(Tried { noticed, missed })
}

/// The name of a change without its line, which edits elsewhere move: `file: description`.
fn name(line: &str) -> String {
    let mut parts = line.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(what)) => format!("{}: {}", Path::new(file).display(), what.trim()),
        _ => line.to_owned(),
    }
}

/// The explained changes of a part: each name with the number of its entries.
fn explained_of(part: &str, list: &str) -> BTreeMap<String, usize> {
    let mut explained = BTreeMap::new();
    let mut here = false;
    for line in list.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('[') {
            here = heading.trim_end_matches(']') == part;
        } else if here && !line.is_empty() && !line.starts_with('#') {
            *explained.entry(line.to_owned()).or_default() += 1;
        }
    }
    explained
}

/// Checks that all unnoticed changes are explained, that all explained ones are unnoticed, and that they are few
/// enough.
fn judge(part: &str, tried: &Tried, list: &str) -> Result<String, String> {
    let explained = explained_of(part, list);
    let left: usize = tried.missed.values().sum();
    let all = tried.noticed + left;
    if all == 0 {
        return Err(format!("{part}: no change to try; were its files moved?"));
    }
    let mut report = format!("{part}: {all} changes, {} noticed, {left} left", tried.noticed);
    let count = |of: &BTreeMap<String, usize>, name: &str| of.get(name).copied().unwrap_or(0);
    let mut is_well = true;
    for (name, times) in &tried.missed {
        if *times > count(&explained, name) {
            is_well = false;
            _ = write!(
                report,
                "\nno test notices {times} × {name}: write one, or explain in {LEFT} why that is impossible"
            );
        }
    }
    for (name, times) in &explained {
        if *times > count(&tried.missed, name) {
            is_well = false;
            _ = write!(report, "\n{name} is noticed, or does not exist: remove it from {LEFT}");
        }
    }
    if left * 100 > all * LEFT_MAX_PERCENT {
        is_well = false;
        _ = write!(report, "\nmore than {LEFT_MAX_PERCENT} % are left");
    }
    if is_well { Ok(report) } else { Err(report) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
# Why.
[protocol]
# A text that is never read.
src/a.rs: replace f with ()
src/a.rs: replace f with ()
[fields]
src/b.rs: delete !
";

    fn tried(noticed: usize, missed: &[&str]) -> Tried {
        let mut by_name = BTreeMap::new();
        missed.iter().for_each(|line| *by_name.entry(name(line)).or_default() += 1);
        Tried { noticed, missed: by_name }
    }

    #[test]
    fn explained_changes_may_be_unnoticed_on_any_line() {
        let tried = tried(98, &["src/a.rs:3:4: replace f with ()", "src/a.rs:70:4: replace f with ()"]);
        assert_eq!(judge("protocol", &tried, LIST).unwrap(), "protocol: 100 changes, 98 noticed, 2 left");
    }

    #[test]
    fn unexplained_changes_are_reported_by_name() {
        let three = ["src/a.rs:3:4: replace f with ()"; 3];
        let report = judge("protocol", &tried(197, &three), LIST).unwrap_err();
        assert!(report.contains("3 × src/a.rs: replace f with ()"), "{report}");
        assert!(judge("fields", &tried(197, &three), LIST).is_err(), "it is explained for another part");
    }

    #[test]
    fn noticed_changes_must_not_be_explained() {
        let report = judge("fields", &tried(100, &[]), LIST).unwrap_err();
        assert!(report.contains("src/b.rs: delete ! is noticed"), "{report}");
    }

    #[test]
    fn a_part_without_changes_fails() {
        let report = judge("attributes", &tried(0, &[]), LIST).unwrap_err();
        assert!(report.contains("no change to try"), "{report}");
    }

    #[test]
    fn more_than_a_twentieth_is_too_much_even_if_explained() {
        let report = judge("fields", &tried(18, &["src/b.rs:1:1: delete !"]), LIST).unwrap_err();
        assert!(report.ends_with("more than 5 % are left"), "{report}");
    }
}
