//! A project as it was at a revision of git: its files in a folder that exists as long as they are needed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use datahub_derive::project::{MARK, Project};
use datahub_derive::tree::Tree;
use tempfile::TempDir;

/// A project's files at a revision. Dropping it removes them.
pub(crate) struct Revision {
    _folder: TempDir,
    root: PathBuf,
    name: String,
}

impl Revision {
    /// Writes the files of the project at a revision to a folder of their own. The index and the files of the repository
    /// stay as they are.
    pub(crate) fn check_out(root: &Path, name: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a folder for {name}: {error}"))?;
        let git = Git { root, index: folder.path().join("index") };
        let prefix = git.run(&["rev-parse", "--show-prefix"]).map_err(|why| {
            format!("{} is not in a repository of git, so it has no revision `{name}`: {why}", root.display())
        })?;
        let commit = format!("{name}^{{commit}}");
        let commit = git
            .run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
            .map_err(|_| format!("unknown revision `{name}`; name a branch, a tag or a commit that `git log` shows"))?;
        git.run(&["read-tree", commit.trim()])?;
        let files = folder.path().join("files");
        let root = files.join(prefix.trim());
        git.write(&[MARK.to_owned()], &files)?;
        if !Project::is_root(&root) {
            return Err(format!("`{name}` has no {MARK} in this folder; name a revision that has one"));
        }
        let project = Project::open(&root).map_err(|error| format!("at `{name}`: {error}"))?;
        let settings = project.settings();
        let mut paths =
            vec![settings.contracts.clone(), settings.migrations.clone(), ":(glob)**/Cargo.toml".to_owned()];
        paths.extend(settings.metadata.clone());
        paths.extend(settings.models.iter().map(|folder| format!(":(glob){folder}/**/*.rs")));
        git.write(&paths, &files)?;
        // A folder without files is not in git, and a folder of models must exist.
        for folder in &settings.models {
            let path = root.join(folder);
            std::fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        }
        Ok(Revision { _folder: folder, root, name: name.to_owned() })
    }

    /// The project's source at the revision, with the faults that it has by today's rules.
    pub(crate) fn tree(&self) -> Result<Tree, String> {
        let at = |error: &dyn std::fmt::Display| format!("at `{}`: {error}", self.name);
        let project = Project::open(&self.root).map_err(|error| at(&error))?;
        Tree::read(&project).map_err(|error| at(&error))
    }
}

/// git, with an index of our own.
struct Git<'g> {
    root: &'g Path,
    index: PathBuf,
}

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.root).env("GIT_INDEX_FILE", &self.index).env("LC_ALL", "C");
        command
    }

    /// Runs a command of git; returns what it printed.
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("cannot run git: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("git {} failed: {}", arguments.first().unwrap_or(&""), said.trim()))
    }

    /// Writes the files of the index that these patterns match, below a folder.
    fn write(&self, patterns: &[String], folder: &Path) -> Result<(), String> {
        let mut listing = vec!["ls-files", "-z", "--"];
        listing.extend(patterns.iter().map(String::as_str));
        let names = self.run(&listing)?;
        let prefix = format!("--prefix={}/", folder.display());
        let mut command = self.command(&["checkout-index", "--force", "--quiet", "-z", "--stdin", &prefix]);
        let failed = |error: std::io::Error| format!("cannot run git: {error}");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(failed)?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(names.as_bytes()).map_err(failed)?;
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("git checkout-index failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
