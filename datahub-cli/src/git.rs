//! git, as every command runs it: in a folder, with its arguments, and its errors in words.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository that a folder is in.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    folder: PathBuf,
    /// The folder's path within the repository, with a slash at its end; empty for the repository's own.
    prefix: String,
    /// An index of our own, so that the repository's stays as it is.
    index: Option<PathBuf>,
}

/// Why git did not answer.
#[derive(Debug)]
pub(crate) enum GitError {
    /// The program does not exist.
    Missing,
    /// The program cannot be run.
    NotRun(io::Error),
    /// The folder is in no repository.
    NoRepository(PathBuf),
    /// The repository has no revision of this name.
    UnknownRevision(String),
    /// A command failed.
    Failed {
        /// Its first word.
        command: String,
        /// What it wrote to its standard error.
        said: String,
    },
}

impl fmt::Display for GitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GitError::Missing => formatter.write_str("`git` was not found in PATH; install it"),
            GitError::NotRun(error) => write!(formatter, "cannot run git: {error}"),
            GitError::NoRepository(folder) => write!(formatter, "{} is not in a repository of git", folder.display()),
            GitError::UnknownRevision(name) => {
                write!(formatter, "unknown revision `{name}`; name a branch, a tag or a commit that `git log` shows")
            }
            GitError::Failed { command, said } => write!(formatter, "git {command} failed: {said}"),
        }
    }
}

impl Git {
    /// The repository that a folder is in.
    ///
    /// # Errors
    ///
    /// git is missing, or the folder is in no repository.
    pub(crate) fn of(folder: &Path) -> Result<Self, GitError> {
        let mut git = Git { folder: folder.to_path_buf(), prefix: String::new(), index: None };
        git.prefix = text(&git.run(&["rev-parse", "--show-prefix"])?).trim_end_matches('\n').to_owned();
        Ok(git)
    }

    /// The same with an index in this file, which need not exist.
    pub(crate) fn with_index(self, index: PathBuf) -> Self {
        Git { index: Some(index), ..self }
    }

    /// The folder's path within the repository.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The hash of the commit with this name.
    ///
    /// # Errors
    ///
    /// [`GitError::UnknownRevision`] if there is none.
    pub(crate) fn commit(&self, name: &str) -> Result<String, GitError> {
        let commit = format!("{name}^{{commit}}");
        match self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]) {
            Ok(hash) => Ok(text(&hash).trim_end().to_owned()),
            Err(GitError::Failed { .. }) => Err(GitError::UnknownRevision(name.to_owned())),
            Err(other) => Err(other),
        }
    }

    /// Writes the files of a commit that these patterns match below a folder, each at its path within the repository.
    pub(crate) fn check_out(&self, commit: &str, patterns: &[String], to: &Path) -> Result<(), GitError> {
        self.run(&["read-tree", commit])?;
        let mut listing = vec!["ls-files", "-z", "--"];
        listing.extend(patterns.iter().map(String::as_str));
        let names = self.run(&listing)?;
        let mut prefix = OsString::from("--prefix=");
        prefix.push(to);
        prefix.push("/");
        let mut command = self.command(&["checkout-index", "--force", "--quiet", "-z", "--stdin"]);
        command.arg(prefix);
        answer(command, &names).map(|_| ())
    }

    /// The first text of a file of the folder that satisfies a condition, among the sides of an unfinished merge and all
    /// commits of all branches, the newest first.
    pub(crate) fn find_text(&self, file: &str, is_it: impl Fn(&str) -> bool) -> Result<Option<String>, GitError> {
        let sides = [2, 3, 1].map(|side| format!(":{side}:./{file}"));
        let commits = text(&self.run(&["log", "--all", "--format=%H", "--", file])?);
        let commits = commits.lines().map(|commit| format!("{commit}:./{file}"));
        for version in sides.into_iter().chain(commits) {
            if let Some(text) = self.text_of(&version)?.filter(|text| is_it(text)) {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The text of a version of a file; `None` if there is none, as when a commit removed it, or if it is no text.
    fn text_of(&self, version: &str) -> Result<Option<String>, GitError> {
        let printed = answer(self.command(&["cat-file", "--batch"]), format!("{version}\n").as_bytes())?;
        // `<hash> blob <size>`, the text, and the end of a line; or `<version> missing`.
        let Some(end) = printed.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let (head, rest) = printed.split_at(end + 1);
        let head = text(head);
        let mut words = head.split_whitespace().rev();
        let size: Option<usize> = words.next().and_then(|size| size.parse().ok());
        let content = size.filter(|_| words.next() == Some("blob")).and_then(|size| rest.get(..size));
        Ok(content.and_then(|content| String::from_utf8(content.to_vec()).ok()))
    }

    /// What a command prints.
    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        answer(self.command(arguments), b"")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Errors are recognised by their words.
        command.env("LC_ALL", "C").arg("-C").arg(&self.folder).args(arguments);
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        command
    }
}

/// Runs a command with this input; returns what it printed.
fn answer(mut command: Command, input: &[u8]) -> Result<Vec<u8>, GitError> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| match error.kind() {
        ErrorKind::NotFound => GitError::Missing,
        _ => GitError::NotRun(error),
    })?;
    let stdin = child.stdin.take();
    // It may print while it still reads.
    let output = std::thread::scope(|scope| {
        scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    });
    let output = output.map_err(GitError::NotRun)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let folder = command.get_args().nth(1).map(PathBuf::from).unwrap_or_default();
    let name = command.get_args().nth(2).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let said = text(&output.stderr).trim().to_owned();
    if said.contains("not a git repository") {
        return Err(GitError::NoRepository(folder));
    }
    Err(GitError::Failed { command: name, said })
}

/// What git printed about names and hashes.
fn text(printed: &[u8]) -> String {
    String::from_utf8_lossy(printed).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A repository without the settings of the machine.
    fn git(folder: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"];
        let mut command = Command::new("git");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let ran = command.current_dir(folder).args(identity).args(arguments).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    #[test]
    fn errors_say_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let outside = Git::of(path).unwrap_err();
        assert_eq!(outside.to_string(), format!("{} is not in a repository of git", path.display()));
        git(path, &["init", "--quiet"]);
        let inside = Git::of(path).unwrap();
        assert_eq!(
            inside.commit("main").unwrap_err().to_string(),
            "unknown revision `main`; name a branch, a tag or a commit that `git log` shows"
        );
        assert!(matches!(inside.commit("--all"), Err(GitError::UnknownRevision(_))), "it is no option");
        let failed = inside.run(&["cat-file", "-p", "0"]).unwrap_err().to_string();
        assert_eq!(failed, "git cat-file failed: fatal: Not a valid object name 0");
        let missing = answer(Command::new("git-that-does-not-exist"), b"").unwrap_err();
        assert_eq!(missing.to_string(), "`git` was not found in PATH; install it");
    }

    #[test]
    fn a_former_text_is_found_in_commits_of_all_branches_and_in_a_merge() {
        let folder = tempfile::tempdir().unwrap();
        let (path, below) = (folder.path(), folder.path().join("below"));
        git(path, &["init", "--quiet", "--initial-branch=main"]);
        let file = below.join("file");
        let write = |text: &[u8]| {
            fs::create_dir_all(&below).unwrap();
            fs::write(&file, text).unwrap();
        };
        let commit = || {
            git(path, &["add", "--all"]);
            git(path, &["commit", "--quiet", "--message", "a step"]);
        };
        let found = |wanted: &str| {
            let git = Git::of(&below).unwrap();
            assert_eq!(git.prefix(), "below/");
            git.find_text("file", |text| text == wanted).unwrap()
        };
        fs::create_dir(&below).unwrap();
        assert_eq!(found("one\n"), None, "there is no commit yet");
        write(b"one\n");
        commit();
        fs::remove_file(&file).unwrap();
        commit();
        git(path, &["checkout", "--quiet", "-b", "other"]);
        write(b"two\n\ntwo");
        commit();
        git(path, &["checkout", "--quiet", "main"]);
        write(&[0xff, b'\n']);
        commit();
        assert_eq!(found("one\n").as_deref(), Some("one\n"));
        assert_eq!(found("two\n\ntwo").as_deref(), Some("two\n\ntwo"));
        assert_eq!(found("three"), None);
    }

    #[test]
    fn files_of_a_commit_are_written_elsewhere_and_the_index_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("repository"), folder.path().join("to"));
        fs::create_dir_all(path.join("below")).unwrap();
        git(&path, &["init", "--quiet"]);
        fs::write(path.join("below/kept"), "then").unwrap();
        fs::write(path.join("below/left"), "then").unwrap();
        git(&path, &["add", "--all"]);
        git(&path, &["commit", "--quiet", "--message", "then"]);
        fs::write(path.join("below/kept"), "now").unwrap();
        git(&path, &["add", "--all"]);
        let index = fs::read(path.join(".git/index")).unwrap();
        let git = Git::of(&path.join("below")).unwrap().with_index(folder.path().join("index"));
        git.check_out(&git.commit("HEAD").unwrap(), &["kept".to_owned()], &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("below/kept")).unwrap(), "then");
        assert!(!to.join("below/left").exists());
        assert_eq!(fs::read(path.join(".git/index")).unwrap(), index);
        assert_eq!(fs::read_to_string(path.join("below/kept")).unwrap(), "now");
    }
}
