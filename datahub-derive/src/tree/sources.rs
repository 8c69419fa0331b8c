//! The Rust files below the folders that `datahub.toml` names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{Project, Unread};

/// A Rust file.
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    /// Its path from the root.
    pub(super) shown: String,
}

/// The Rust files below the folders of models, in order. Hidden folders and folders with build results are left out, and so
/// is the default folder if it does not exist.
pub(super) fn files(project: &Project) -> Result<Vec<SourceFile>, Unread> {
    let mut files = Vec::new();
    for folder in &project.settings().models {
        let path = project.root().join(folder);
        if folder == "src" && !path.exists() {
            continue;
        }
        collect(&path, folder.trim_end_matches('/'), &mut files)?;
    }
    files.sort_by(|one, other| one.shown.cmp(&other.shown));
    files.dedup_by(|one, other| one.shown == other.shown);
    Ok(files)
}

fn collect(folder: &Path, shown: &str, files: &mut Vec<SourceFile>) -> Result<(), Unread> {
    let unread = |error| Unread { path: folder.to_path_buf(), error };
    for entry in fs::read_dir(folder).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        // A name that is not UTF-8 is no module of Rust.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let (path, shown) = (entry.path(), format!("{shown}/{name}"));
        // Links to folders are not followed, so that none leads back.
        let kind = entry.file_type().map_err(unread)?;
        let is_build = path.join("CACHEDIR.TAG").exists();
        if kind.is_dir() && !name.starts_with('.') && !is_build {
            collect(&path, &shown, files)?;
        } else if !kind.is_dir() && Path::new(&name).extension().is_some_and(|ending| ending == "rs") {
            files.push(SourceFile { path, shown });
        }
    }
    Ok(())
}
