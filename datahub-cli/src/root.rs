//! The project that a command works on.

use std::path::{Path, PathBuf};

use datahub_derive::project::{MARK, Project};

/// The root that was given, or the nearest folder above with a `datahub.toml`.
pub(crate) fn find(given: Option<PathBuf>) -> Result<PathBuf, String> {
    if let Some(root) = given {
        return match Project::is_root(&root) {
            true => Ok(root),
            false if !root.exists() => {
                Err(format!("there is no folder {}; check the path of `--root`", root.display()))
            }
            false => Err(format!("{} has no {MARK}", root.display())),
        };
    }
    let here = std::env::current_dir().map_err(|error| format!("cannot find the current folder: {error}"))?;
    Project::root_of(&here).map(Path::to_path_buf).ok_or_else(|| {
        format!("no {MARK} in {} or above it; create one at the project's root, it may be empty", here.display())
    })
}
