//! Writing a project's files: each appears whole or stays as it was, and what was changed meanwhile is not overwritten.
//!
//! A text is written to a draft in the same folder, which then takes the file's name. A process that is killed leaves at most
//! the draft.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The ending of a draft.
const DRAFT: &str = "datahub-draft";

/// What must be true of a file when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before<'t> {
    /// It does not matter.
    Anything,
    /// It does not exist.
    Nothing,
    /// It has this text.
    Text(&'t str),
}

impl<'t> Before<'t> {
    /// That the file is as it was read: with this text, or without one if it did not exist.
    pub(crate) fn of(read: Option<&'t str>) -> Self {
        read.map_or(Before::Nothing, Before::Text)
    }
}

/// Why a file was not written. It is as it was before.
#[derive(Debug)]
pub(crate) struct Unwritten {
    shown: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Changed,
    ReadOnly,
    /// No draft can be made in this folder, or the folder itself cannot be made.
    Folder(PathBuf, io::Error),
    File(io::Error),
}

impl Unwritten {
    fn new(path: &Path, why: Why) -> Self {
        Unwritten { shown: path.display().to_string(), why }
    }

    /// Whether the file is not as it must be, because another program or a person wrote it.
    pub(crate) fn is_changed(&self) -> bool {
        matches!(self.why, Why::Changed)
    }

    /// The same, with the file's path as it is shown.
    pub(crate) fn named(self, shown: &str) -> Self {
        Unwritten { shown: shown.to_owned(), ..self }
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.shown;
        match &self.why {
            Why::Changed => {
                write!(
                    formatter,
                    "{shown} was changed while the command ran, so it is left as it is; run the command again"
                )
            }
            Why::ReadOnly => write!(formatter, "cannot write {shown}: the file is read-only"),
            Why::Folder(folder, error) => {
                write!(
                    formatter,
                    "cannot write {shown}: a file cannot be created in the folder {}: {error}",
                    folder.display()
                )
            }
            Why::File(error) => write!(formatter, "cannot write {shown}: {error}"),
        }
    }
}

impl From<Unwritten> for String {
    fn from(unwritten: Unwritten) -> String {
        unwritten.to_string()
    }
}

/// Writes a file, with the folders above it that are missing. If it exists, it keeps its permissions, a link stays a link to
/// the file that is replaced, and the new text is on the disk when the function returns.
pub(crate) fn write(path: &Path, text: &str, before: Before<'_>) -> Result<(), Unwritten> {
    let failed = |why| Unwritten::new(path, why);
    let file_failed = |error| failed(Why::File(error));
    let (target, there) = match before {
        Before::Nothing => (path.to_path_buf(), None),
        Before::Anything | Before::Text(_) => followed(path).map_err(file_failed)?,
    };
    if there.as_ref().is_some_and(|there| there.permissions().readonly()) {
        return Err(failed(Why::ReadOnly));
    }
    let mut draft = draft(&target).map_err(|(folder, error)| failed(Why::Folder(folder, error)))?;
    draft.as_file_mut().write_all(text.as_bytes()).map_err(file_failed)?;
    if let Some(there) = &there {
        let file = draft.as_file();
        file.set_permissions(there.permissions()).and_then(|()| file.sync_all()).map_err(file_failed)?;
    }
    // As late as possible.
    is_still(path, before)?;
    let persisted = match before {
        Before::Nothing => draft.persist_noclobber(&target),
        Before::Anything | Before::Text(_) => draft.persist(&target),
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if before == Before::Nothing && error.error.kind() == ErrorKind::AlreadyExists => {
            Err(failed(Why::Changed))
        }
        Err(error) => Err(file_failed(error.error)),
    }
}

/// Writes a new file and waits until the disk has it. For files that are not in use yet: an interruption leaves a part.
pub(crate) fn stage(path: &Path, text: &str) -> Result<(), Unwritten> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| Unwritten::new(path, Why::File(error)))
}

/// Whether a file is as it must be before it is written.
///
/// # Errors
///
/// It is not, or it cannot be read.
pub(crate) fn is_still(path: &Path, before: Before<'_>) -> Result<(), Unwritten> {
    let is_changed = match before {
        Before::Anything => false,
        Before::Nothing => path.symlink_metadata().is_ok(),
        Before::Text(text) => match fs::read(path) {
            Ok(now) => now != text.as_bytes(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(Unwritten::new(path, Why::File(error))),
        },
    };
    if is_changed { Err(Unwritten::new(path, Why::Changed)) } else { Ok(()) }
}

/// Removes the drafts in a folder that a process left when it was killed. What cannot be removed does no harm.
pub(crate) fn remove_drafts(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    for draft in paths.filter(|path| path.extension() == Some(OsStr::new(DRAFT))) {
        _ = fs::remove_file(draft);
    }
}

/// The file at a path or at the end of its link, and what it is like, if it exists.
fn followed(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    match path.symlink_metadata() {
        Ok(there) if there.is_symlink() => {
            let target = path.canonicalize()?;
            let there = target.metadata()?;
            Ok((target, Some(there)))
        }
        Ok(there) => Ok((path.to_path_buf(), Some(there))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((path.to_path_buf(), None)),
        Err(error) => Err(error),
    }
}

/// A draft beside a file.
fn draft(path: &Path) -> Result<NamedTempFile, (PathBuf, io::Error)> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let suffix = format!(".{DRAFT}");
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(&suffix);
    // Others may read and write it as far as this process lets them, as any file.
    let made = fs::create_dir_all(folder)
        .and_then(|()| builder.make_in(folder, |draft| File::options().write(true).create_new(true).open(draft)));
    made.map_err(|error| (folder.to_path_buf(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_with_its_folders_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        write(&path, "one", Before::Nothing).unwrap();
        write(&path, "two", Before::Anything).unwrap();
        write(&path, "three", Before::Text("two")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        assert_eq!(names(&folder.path().join("a/b")), ["file"]);
    }

    #[test]
    fn what_changed_meanwhile_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let missing = write(&path, "ours", Before::Text("read")).unwrap_err();
        assert!(missing.is_changed() && !path.exists(), "{missing}");
        fs::write(&path, "theirs").unwrap();
        for before in [Before::Nothing, Before::Text("read")] {
            let refused = write(&path, "ours", before).unwrap_err();
            assert!(refused.is_changed(), "{refused}");
            assert_eq!(
                refused.named("src/lib.rs").to_string(),
                "src/lib.rs was changed while the command ran, so it is left as it is; run the command again"
            );
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(names(folder.path()), ["file"], "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        write(&path, "one", Before::Anything).unwrap();
        fs::write(folder.path().join("usual"), "").unwrap();
        assert_eq!(mode(&path), mode(&folder.path().join("usual")));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
        symlink("file", &link).unwrap();
        write(&link, "two", Before::Text("one")).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("two", 0o751));
        assert!(link.is_symlink());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let refused = write(&link, "three", Before::Anything).unwrap_err();
        assert_eq!(refused.to_string(), format!("cannot write {}: the file is read-only", link.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }

    #[test]
    fn drafts_of_a_killed_process_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (_, left) = draft(&folder.path().join("file")).unwrap().keep().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(left.exists());
        remove_drafts(folder.path());
        assert_eq!(names(folder.path()), ["file"]);
        remove_drafts(&folder.path().join("missing"));
    }
}
