//! Checks of the source itself: that files say what they are, and that crates stay on their floors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every Rust file begins with a `//!` sentence.
pub(crate) fn begin_with_a_sentence() -> Result<(), String> {
    let mut mute = Vec::new();
    for path in rust_files()? {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !text.starts_with("//! ") {
            mute.push(path.display().to_string());
        }
    }
    if mute.is_empty() { Ok(()) } else { Err(format!("these do not: {}", mute.join(", "))) }
}

/// The floor of each crate; one uses only crates on lower floors.
const FLOORS: [(&str, u8); 9] = [
    ("cdms-odata", 0),
    ("datahub-model", 1),
    ("datahub-protocol", 1),
    ("datahub-macros", 2),
    ("datahub-runtime", 3),
    ("cdms-simulator", 3),
    ("datahub-cli", 4),
    ("example-domain", 4),
    ("xtask", 4),
];

/// The one edge that is not downwards: the runtime's testing kit starts a simulator. See `ARCHITECTURE.md`.
const SIDEWAYS: (&str, &str) = ("datahub-runtime", "cdms-simulator");

/// No crate depends on one of its own floor or above.
pub(crate) fn floors_hold() -> Result<(), String> {
    let mut broken = Vec::new();
    for (name, floor) in FLOORS {
        let folder = if name == "example-domain" { "examples/domain" } else { name };
        let manifest = root().join(folder).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        // Tests may look down from anywhere.
        let used = text.split("[dev-dependencies]").next().unwrap_or_default();
        for (other, other_floor) in FLOORS {
            let depends = used.lines().any(|line| line.starts_with(&format!("{other} =")));
            if depends && other_floor >= floor && (name, other) != SIDEWAYS {
                broken.push(format!("{name} uses {other}"));
            }
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(broken.join(", ")) }
}

/// `datahub check` finds nothing.
pub(crate) fn contracts_fit() -> Result<(), String> {
    let status = Command::new("cargo").args(["run", "--quiet", "--package", "datahub-cli", "--", "check"]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn rust_files() -> Result<Vec<PathBuf>, String> {
    let listed = Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()).output();
    let listed = listed.map_err(|error| format!("git cannot be asked for the files: {error}"))?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    // Compile-fail cases show a mistake and nothing else.
    let files = names.lines().filter(|name| !name.starts_with("tests/ui/")).map(|name| root().join(name));
    Ok(files.filter(|path| path.exists()).collect())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}
