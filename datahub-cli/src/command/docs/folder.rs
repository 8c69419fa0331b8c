//! The folder of generated files: what is written, what is left of an earlier run, and what is not ours to touch.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use datahub_docs::{FOLDERS, File, MARK};

use crate::file::{self, Before};

/// Makes a folder contain these files, and no others that an earlier run wrote. Files of others stay.
pub(super) fn write(folder: &Path, files: &[File]) -> Result<(), String> {
    for file in files {
        let path = folder.join(&file.path);
        if path.exists() && !is_generated(&path)? {
            return Err(format!(
                "{} exists and was not written by `datahub docs`; choose another folder with --out, or remove it",
                path.display()
            ));
        }
    }
    file::remove_drafts(folder);
    FOLDERS.iter().for_each(|inner| file::remove_drafts(&folder.join(inner)));
    for file in files {
        write_file(&folder.join(&file.path), &file.text)?;
    }
    remove_leftovers(folder, "", files)?;
    for inner in FOLDERS {
        remove_leftovers(folder, inner, files)?;
    }
    Ok(())
}

/// Tells git to ignore a folder, by a file inside it.
pub(super) fn keep_out_of_git(folder: &Path) -> Result<(), String> {
    let path = folder.join(".gitignore");
    if path.exists() { Ok(()) } else { write_file(&path, "# Made by `datahub docs`, and made again by CI.\n*\n") }
}

/// Writes a file that has another text or does not exist, and the folders above it that are missing.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), String> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    Ok(file::write(path, text, Before::Anything)?)
}

/// Removes the generated files of a folder that are not among these.
fn remove_leftovers(folder: &Path, inner: &str, files: &[File]) -> Result<(), String> {
    let path = folder.join(inner);
    let failed = |error| format!("cannot read {}: {error}", path.display());
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // A name that is not UTF-8 is none of ours, and neither is a link.
        let (Ok(name), true) = (entry.file_name().into_string(), entry.file_type().map_err(failed)?.is_file()) else {
            continue;
        };
        let name = if inner.is_empty() { name } else { format!("{inner}/{name}") };
        let has_ending = [".html", ".css", ".js", ".md"].iter().any(|ending| name.ends_with(ending));
        if has_ending && files.iter().all(|file| file.path != name) && is_generated(&entry.path())? {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// Whether a file was written by `datahub docs`: it says so in its first lines.
fn is_generated(path: &Path) -> Result<bool, String> {
    let mut begin = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(200).read_to_end(&mut begin));
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(begin.windows(MARK.len()).any(|part| part == MARK.as_bytes()))
}
