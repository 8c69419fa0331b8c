//! Finding a project's root.

use std::path::PathBuf;

/// The root that was given, or the nearest folder above with a `datahub.toml`.
pub(crate) fn find(given: Option<PathBuf>) -> Result<PathBuf, String> {
    if let Some(root) = given {
        let marked = root.join("datahub.toml").is_file();
        return if marked { Ok(root) } else { Err(format!("{} has no datahub.toml", root.display())) };
    }
    let here = std::env::current_dir().map_err(|error| format!("the current folder cannot be told: {error}"))?;
    let found = here.ancestors().find(|folder| folder.join("datahub.toml").is_file());
    found.map(PathBuf::from).ok_or_else(|| {
        format!("no datahub.toml in {} or above it; put one at the project's root, it may be empty", here.display())
    })
}
