//! Variables in the project's `.env`. Their values may be secret, so no message repeats them.

use datahub_derive::project::Project;

/// The value of a variable in the project's `.env`, if the file exists and has it.
///
/// # Errors
///
/// The file cannot be read.
pub(crate) fn in_file(project: &Project, wanted: &str) -> Result<Option<String>, String> {
    let file = project.root().join(".env");
    if !file.is_file() {
        return Ok(None);
    }
    // The error repeats the line, which may contain a password.
    let unreadable = |_| format!("{} cannot be read; write each variable as NAME=value", file.display());
    for variable in dotenvy::from_path_iter(&file).map_err(unreadable)? {
        let (name, value) = variable.map_err(unreadable)?;
        if name == wanted {
            return Ok(Some(value));
        }
    }
    Ok(None)
}
