//! What git must not keep: a database with people's data, and the file in which passwords stand.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::file::{self, Before};

/// The file in which git finds what to leave out.
pub(super) const FILE: &str = ".gitignore";

/// The lines of a project, each with a name that it leaves out.
const LINES: [(&str, &str); 3] = [("*.db", "hub.db"), ("*.db-*", "hub.db-wal"), (".env", ".env")];

/// Adds the lines that are missing in a new project; returns whether there were any.
pub(super) fn complete(folder: &Path) -> Result<bool, String> {
    let path = folder.join(FILE);
    let before = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    };
    let text = before.as_deref().unwrap_or_default();
    let missing = LINES.iter().map(|(line, _)| *line).filter(|line| !text.lines().any(|known| known.trim() == *line));
    let missing: String = missing.map(|line| format!("{line}\n")).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file::write(&path, &format!("{text}{end}{missing}"), Before::of(before.as_deref()))?;
    Ok(true)
}

/// The lines whose files git would keep in an existing crate, whichever of its files say so. Without git, or outside a
/// repository, all of them.
pub(super) fn missing(folder: &Path) -> Vec<&'static str> {
    let is_kept = |name: &str| {
        let asked = Command::new("git")
            .args(["check-ignore", "--quiet", name])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        !asked.is_ok_and(|status| status.success())
    };
    LINES.iter().filter(|(_, name)| is_kept(name)).map(|(line, _)| *line).collect()
}
