//! Checks of the source itself: files begin with a description, and crates depend only on lower floors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Checks that every Rust file begins with a `//!` sentence.
pub(crate) fn begin_with_a_sentence() -> Result<(), String> {
    let mut mute = Vec::new();
    for path in rust_files()? {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if is_mute(&text) {
            mute.push(path.display().to_string());
        }
    }
    if mute.is_empty() { Ok(()) } else { Err(format!("no `//! ` in the first line of {}", mute.join(", "))) }
}

/// How many lines a file has at most, unless it is in [`LONG`].
const LINES_MAX: usize = 400;

/// The files that are longer, each with the reason.
const LONG: [(&str, &str); 24] = [
    ("datahub-derive/src/synced.rs", "one struct, from its tokens to a mapping, key by key"),
    ("datahub-model/src/source/resolve.rs", "one pass over an annotation, in the order of its parts"),
    ("datahub-model/tests/condition/random.rs", "one property of random conditions, and what makes them"),
    ("datahub-model/tests/validator/contracts.rs", "rows of the reference of messages"),
    ("datahub-model/tests/validator/fields.rs", "rows of the reference of messages"),
    ("datahub-model/tests/validator/models.rs", "rows of the reference of messages"),
    ("datahub-protocol/src/update.rs", "one state machine"),
    ("datahub-protocol/tests/transitions/scenarios.rs", "one scenario for each machine and situation"),
    ("datahub-runtime/src/field.rs", "the traits of fields, most of it their documentation"),
    ("datahub-runtime/src/hub.rs", "the hub's whole interface, most of it its documentation"),
    ("datahub-runtime/src/model.rs", "the traits of models, most of it their documentation"),
    ("datahub-runtime/src/store/commit.rs", "one transaction, in the order of its parts"),
    ("datahub-runtime/src/store/tests/schema.rs", "one test for each way in which tables differ"),
    ("tests/crash/scenario.rs", "the operations of the crash matrix"),
    ("tests/promises/connection.rs", "the steps of the first contact, in their order"),
    ("tests/promises/failures.rs", "one test for each failure"),
    ("tests/promises/history.rs", "one promise"),
    ("tests/promises/logins.rs", "one promise"),
    ("tests/promises/outcome_table.rs", "one table"),
    ("tests/promises/read_table.rs", "one table"),
    ("tests/promises/settling_table.rs", "one table"),
    ("tests/promises/writes.rs", "one promise"),
    ("tests/soak/checker.rs", "the invariants, side by side"),
    ("tests/ui/tests/hub/diesel_queries.rs", "one test for each kind of query"),
];

/// Checks that no file is longer than a reader has patience for, without a reason.
pub(crate) fn files_are_short() -> Result<(), String> {
    let mut faults = Vec::new();
    for name in tracked_files(&["*.rs"])? {
        let text = fs::read_to_string(root().join(&name)).map_err(|error| format!("{name}: {error}"))?;
        faults.extend(length_fault(&name, text.lines().count()));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join(", ")) }
}

/// What is wrong with the length of a file, if anything.
fn length_fault(name: &str, lines: usize) -> Option<String> {
    match (lines > LINES_MAX, LONG.iter().any(|(long, _)| *long == name)) {
        (true, false) => Some(format!("{name} has {lines} lines; split it by topic, or give a reason in `LONG`")),
        (false, true) => Some(format!("{name} has only {lines} lines; remove it from `LONG`")),
        _ => None,
    }
}

/// Whether a file does not begin with a description.
fn is_mute(text: &str) -> bool {
    !text.starts_with("//! ")
}

/// The floor of each crate; a crate depends only on crates on lower floors.
const FLOORS: [(&str, u8); 16] = [
    ("cdms-odata", 0),
    ("datahub-login", 0),
    ("datahub-model", 1),
    ("datahub-protocol", 1),
    ("datahub-derive", 2),
    ("datahub-import", 2),
    ("datahub-migrate", 2),
    ("datahub-docs", 3),
    ("datahub-macros", 3),
    ("cdms-simulator", 3),
    ("datahub-runtime", 4),
    ("datahub-cli", 5),
    ("example-crm", 6),
    ("example-domain", 5),
    ("example-metrics", 6),
    ("xtask", 5),
];

/// Checks that no crate depends on a crate on its own floor or above.
pub(crate) fn floors_hold() -> Result<(), String> {
    let mut broken = Vec::new();
    for (name, floor) in FLOORS {
        let manifest = root().join(name.replacen("example-", "examples/", 1)).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        broken.extend(not_downwards((name, floor), &text));
    }
    if broken.is_empty() { Ok(()) } else { Err(broken.join(", ")) }
}

/// The dependencies of a crate with this manifest that are not on a lower floor.
fn not_downwards((name, floor): (&str, u8), manifest: &str) -> Vec<String> {
    // Tests may depend on any crate.
    let used = manifest.split("[dev-dependencies]").next().unwrap_or_default();
    let names = |line: &str| line.split([' ', '=', '.']).next().unwrap_or_default().to_owned();
    let used: Vec<_> = used.lines().map(names).collect();
    let wrong = |(other, other_floor): &(&str, u8)| *other_floor >= floor && used.iter().any(|used| used == other);
    FLOORS.iter().filter(|other| wrong(other)).map(|(other, _)| format!("{name} uses {other}")).collect()
}

/// Checks that `datahub check` finds no faults.
pub(crate) fn contracts_fit() -> Result<(), String> {
    let status = Command::new("cargo").args(["run", "--quiet", "--package", "datahub-cli", "--", "check"]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn rust_files() -> Result<Vec<PathBuf>, String> {
    let names = tracked_files(&["*.rs"])?;
    // Compile-fail cases contain nothing but a mistake.
    let files = names.iter().filter(|name| !name.starts_with("tests/ui/")).map(|name| root().join(name));
    Ok(files.filter(|path| path.exists()).collect())
}

/// The files that git tracks and these patterns match, relative to the repository's root.
pub(crate) fn tracked_files(patterns: &[&str]) -> Result<Vec<String>, String> {
    let listed = Command::new("git").arg("ls-files").args(patterns).current_dir(root()).output();
    let listed = listed.map_err(|error| format!("cannot run git: {error}"))?;
    Ok(String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect())
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_upwards_or_on_the_same_floor_are_found_in_any_spelling() {
        let of = |lines: &str| not_downwards(("datahub-model", 1), &format!("[dependencies]\n{lines}\n"));
        for line in [
            "datahub-runtime = { workspace = true }",
            "datahub-runtime.workspace = true",
            "datahub-runtime={ path = \"../datahub-runtime\" }",
        ] {
            assert_eq!(of(line), ["datahub-model uses datahub-runtime"], "{line}");
        }
        let two = "datahub-protocol = { workspace = true }\ncdms-odata = { workspace = true }\nxtask = \"1\"";
        assert_eq!(of(two), ["datahub-model uses datahub-protocol", "datahub-model uses xtask"]);
        assert_eq!(of("datahub-runtime-of-others = \"1\""), [""; 0]);
        assert_eq!(of("serde = \"1\"\n[dev-dependencies]\ndatahub-runtime = { workspace = true }"), [""; 0]);
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_short_one_none() {
        assert!(length_fault("new.rs", 401).is_some_and(|fault| fault.contains("split it")));
        assert_eq!(length_fault("new.rs", 400), None);
        let (long, _) = LONG[0];
        assert_eq!(length_fault(long, 500), None);
        assert!(length_fault(long, 300).is_some_and(|fault| fault.contains("remove it")));
    }

    #[test]
    fn the_runtime_may_start_a_simulator_and_not_the_reverse() {
        assert_eq!(not_downwards(("datahub-runtime", 4), "cdms-simulator = { workspace = true }"), [""; 0]);
        let back = not_downwards(("cdms-simulator", 3), "datahub-runtime = { workspace = true }");
        assert_eq!(back, ["cdms-simulator uses datahub-runtime"]);
    }

    #[test]
    fn every_crate_except_tests_has_a_floor() {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let members = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
        let members = members.split('"').skip(1).step_by(2).filter(|member| !member.starts_with("tests"));
        let mut named: Vec<_> = members.map(|member| member.replacen("examples/", "example-", 1)).collect();
        let mut floors: Vec<_> = FLOORS.iter().map(|(name, _)| *name).collect();
        named.sort_unstable();
        floors.sort_unstable();
        assert_eq!(named, floors);
    }

    #[test]
    fn a_file_begins_with_a_description() {
        assert!(!is_mute("//! What it is.\nuse std::fs;\n"));
        for mute in ["", "\n//! Too late.", "// No doc.", "//!No blank.", "/// Of an item.", "use std::fs;\n//! x"] {
            assert!(is_mute(mute), "{mute:?}");
        }
    }
}
