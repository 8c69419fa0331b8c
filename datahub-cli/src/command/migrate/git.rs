//! Earlier texts of a file, from git.

use std::path::Path;
use std::process::Command;

/// The first text of a file that satisfies a condition, among the sides of an unfinished merge and all commits of all
/// branches. `None` if git is not installed, or has no such text.
pub(super) fn find(folder: &Path, file: &str, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let sides = [2, 3, 1].map(|side| format!(":{side}:./{file}"));
    let commits = git(folder, &["log", "--all", "--format=%H", "--", file]).unwrap_or_default();
    let commits: Vec<_> = commits.lines().map(|commit| format!("{commit}:./{file}")).collect();
    sides.iter().chain(&commits).find_map(|version| git(folder, &["show", version]).filter(|text| is_it(text)))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let run = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    run.status.success().then(|| String::from_utf8(run.stdout).ok()).flatten()
}
