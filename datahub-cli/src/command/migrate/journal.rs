//! Writing several files so that an interruption leaves either nothing or what the next run finishes: first everything is
//! written beside its place, then a mark says that it is complete, then each file is moved, `HEAD` last.

use std::fs;
use std::io;
use std::path::Path;

use crate::file;

/// The folder, in that of the migrations, in which files wait.
const FOLDER: &str = ".plan";

/// The folder when all of its files are in place, until it is removed.
const DONE: &str = ".plan-done";

/// The list of what is removed first, one path on each line.
const REMOVED: &str = "removed";

/// The list of the files in the order in which they are moved; it exists if everything is written.
const COMPLETE: &str = "complete";

/// Changes of files in the folder of migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    /// Folders that are removed, as paths from the folder of migrations.
    pub(super) removed: Vec<String>,
    /// Files that are written, in this order: paths and texts.
    pub(super) written: Vec<(String, String)>,
}

/// What an earlier run left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// Nothing.
    None,
    /// Files that were never complete; nothing was changed.
    Incomplete,
    /// Files that are complete and not yet all in place.
    Complete,
}

/// What an earlier run left in a folder of migrations.
pub(super) fn leftover(migrations: &Path) -> Leftover {
    let folder = migrations.join(FOLDER);
    match (folder.join(COMPLETE).exists(), folder.exists()) {
        (true, _) => Leftover::Complete,
        (false, true) => Leftover::Incomplete,
        (false, false) => Leftover::None,
    }
}

/// Removes what an earlier run did not complete, or finishes what it did. Returns what to say about it.
///
/// # Errors
///
/// A file that cannot be changed.
pub(super) fn recover(migrations: &Path) -> Result<Option<String>, String> {
    let done = migrations.join(DONE);
    if done.exists() {
        remove(&done)?;
    }
    match leftover(migrations) {
        Leftover::None => Ok(None),
        Leftover::Incomplete => {
            remove(&migrations.join(FOLDER))?;
            Ok(Some(
                "an earlier run was interrupted before it had changed anything; its leftovers were removed".to_owned(),
            ))
        }
        Leftover::Complete => {
            apply(migrations)?;
            Ok(Some(
                "an earlier run was interrupted while it moved its files into place; this is finished now".to_owned(),
            ))
        }
    }
}

impl Journal {
    /// Makes the changes. The folder must have no leftovers.
    ///
    /// # Errors
    ///
    /// A file that cannot be written. If it is one beside its place, nothing was changed.
    pub(super) fn commit(&self, migrations: &Path) -> Result<(), String> {
        self.stage(migrations).inspect_err(|_| {
            // What cannot be removed now is found by the next run.
            _ = fs::remove_dir_all(migrations.join(FOLDER));
        })?;
        apply(migrations)
    }

    /// Writes everything beside its place.
    fn stage(&self, migrations: &Path) -> Result<(), String> {
        let folder = migrations.join(FOLDER);
        create_folder(&folder)?;
        for (at, (_, text)) in self.written.iter().enumerate() {
            file::stage(&folder.join(at.to_string()), text)?;
        }
        file::stage(&folder.join(REMOVED), &self.removed.join("\n"))?;
        let paths: Vec<_> = self.written.iter().map(|(path, _)| path.as_str()).collect();
        // Under another name first, so that the list is complete if it exists.
        let unfinished = folder.join("unfinished");
        file::stage(&unfinished, &paths.join("\n"))?;
        rename(&unfinished, &folder.join(COMPLETE))
    }
}

/// Moves files into place, from wherever an earlier run stopped.
fn apply(migrations: &Path) -> Result<(), String> {
    let folder = migrations.join(FOLDER);
    for path in read(&folder.join(REMOVED))?.lines() {
        let path = migrations.join(path);
        if path.exists() {
            remove(&path)?;
        }
    }
    for (at, path) in read(&folder.join(COMPLETE))?.lines().enumerate() {
        let (from, to) = (folder.join(at.to_string()), migrations.join(path));
        if from.exists() {
            create_folder(to.parent().unwrap_or(migrations))?;
            rename(&from, &to)?;
        }
    }
    // In one step, so that an interruption does not leave a part without its mark.
    let done = migrations.join(DONE);
    rename(&folder, &done)?;
    remove(&done)
}

fn fault<'p>(path: &'p Path, what: &'p str) -> impl FnOnce(io::Error) -> String + 'p {
    move |error| format!("cannot {what} {}: {error}", path.display())
}

fn create_folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(fault(path, "create the folder"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(fault(path, "read"))
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(fault(to, "write"))
}

fn remove(path: &Path) -> Result<(), String> {
    fs::remove_dir_all(path).map_err(fault(path, "remove"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        let written = [("sqlite/2_b/up.sql", "SELECT 2;"), ("schema.toml", "engine = 6\n"), ("HEAD", "hash\n")];
        Journal {
            removed: vec!["sqlite/1_a".to_owned()],
            written: written.map(|(path, text)| (path.to_owned(), text.to_owned())).into(),
        }
    }

    fn migrations() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("sqlite/1_a")).unwrap();
        fs::write(folder.path().join("sqlite/1_a/up.sql"), "SELECT 1;").unwrap();
        folder
    }

    fn is_done(folder: &Path) -> bool {
        let text = |path: &str| fs::read_to_string(folder.join(path)).unwrap_or_default();
        !folder.join("sqlite/1_a").exists()
            && text("sqlite/2_b/up.sql") == "SELECT 2;"
            && text("HEAD") == "hash\n"
            && leftover(folder) == Leftover::None
    }

    #[test]
    fn files_are_written_and_folders_removed() {
        let folder = migrations();
        journal().commit(folder.path()).unwrap();
        assert!(is_done(folder.path()));
        assert_eq!(recover(folder.path()), Ok(None));
    }

    #[test]
    fn an_interruption_before_the_mark_changes_nothing() {
        let folder = migrations();
        journal().stage(folder.path()).unwrap();
        fs::remove_file(folder.path().join(".plan/complete")).unwrap();
        assert_eq!(leftover(folder.path()), Leftover::Incomplete);
        let said = recover(folder.path()).unwrap().unwrap();
        assert!(said.contains("before it had changed anything"), "{said}");
        assert!(folder.path().join("sqlite/1_a/up.sql").exists() && !folder.path().join("HEAD").exists());
    }

    #[test]
    fn an_interruption_between_two_files_is_finished_by_the_next_run() {
        for moved in 0..=3 {
            let folder = migrations();
            journal().stage(folder.path()).unwrap();
            // What an interrupted run had done.
            if moved > 0 {
                fs::remove_dir_all(folder.path().join("sqlite/1_a")).unwrap();
            }
            for (at, (path, _)) in journal().written.iter().enumerate().take(moved) {
                fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
                fs::rename(folder.path().join(".plan").join(at.to_string()), folder.path().join(path)).unwrap();
            }
            let said = recover(folder.path()).unwrap().unwrap();
            assert!(said.contains("is finished now"), "{said}");
            assert!(is_done(folder.path()), "after {moved} files");
        }
    }

    #[test]
    fn a_file_in_the_way_is_reported_and_nothing_changes() {
        let folder = migrations();
        fs::write(folder.path().join(".plan"), "in the way").unwrap();
        let error = journal().stage(folder.path()).unwrap_err();
        assert!(error.contains("cannot create the folder") && error.contains(".plan"), "{error}");
        assert!(folder.path().join("sqlite/1_a/up.sql").exists());
    }
}
