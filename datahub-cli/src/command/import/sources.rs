//! The sources of an import: files, addresses, and the project's own snapshot.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use datahub_derive::project::{MARK, Project};
use datahub_import::{DOCUMENT_MAX, Source, Wanted};

use super::addresses::{self, Address};
use super::files::Writing;

/// Sources as read.
pub(super) struct Sources {
    pub(super) sources: Vec<Source>,
    /// A `$metadata` document that is not the snapshot.
    pub(super) new_snapshot: Option<String>,
}

/// Reads all sources. If none is `$metadata`, the project's snapshot is one more.
pub(super) fn read(project: &Project, named: &[String], wanted: &Wanted) -> Result<Sources, String> {
    let (mut sources, mut asked) = (Vec::new(), Vec::new());
    for name in named {
        match Address::of(name)? {
            None => sources.push(file(name, Path::new(name))?),
            Some(Address::Metadata(root)) => sources.push(addresses::metadata(&root)?),
            Some(Address::Soap(root)) => asked.push(root),
        }
    }
    let snapshot = project.settings().metadata.as_ref();
    let given = sources.iter().find_map(Source::metadata).map(|(_, text)| text.to_owned());
    let mut new_snapshot = None;
    match (snapshot, given) {
        (_, Some(given)) => new_snapshot = Some(given),
        (Some(shown), None) => {
            let path = project.file().with_file_name(shown);
            match std::fs::metadata(&path) {
                Ok(_) => sources.push(file(shown, &path)?),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(format!("cannot read {shown}: {error}")),
            }
        }
        (None, None) => {}
    }
    for root in asked {
        sources.extend(addresses::replies(&root, &logical_names(&sources, wanted)?)?);
    }
    if sources.is_empty() {
        return Err(format!(
            "nothing to import from: name a file or an address, or save $metadata as the snapshot that `metadata` in {MARK} names"
        ));
    }
    Ok(Sources { sources, new_snapshot })
}

/// The logical names of the entities to ask the SOAP service about.
fn logical_names(sources: &[Source], wanted: &Wanted) -> Result<Vec<String>, String> {
    if let Some(names) = &wanted.entities {
        return Ok(names.iter().map(|name| name.to_lowercase()).collect());
    }
    let metadata = sources.iter().find_map(Source::metadata);
    let (metadata, _) = metadata.ok_or("`--all` with a SOAP service also needs $metadata, which lists the entities")?;
    Ok(metadata.entities.iter().map(|entity| entity.name.to_lowercase()).collect())
}

fn file(name: &str, path: &Path) -> Result<Source, String> {
    let unread = |error: std::io::Error| {
        let help = match error.kind() {
            ErrorKind::NotFound => "; is the path right?",
            ErrorKind::IsADirectory => "; name the files in it",
            _ => "",
        };
        format!("cannot read {name}: {error}{help}")
    };
    let file = File::open(path).map_err(unread)?;
    let mut bytes = Vec::new();
    // One byte more shows that there is more.
    file.take(DOCUMENT_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
    Source::read(name, &bytes).map_err(|error| error.to_string())
}

/// Saves new `$metadata` as the project's snapshot, so that contracts are checked against what they were made of. Returns its
/// path if it has changed.
pub(super) fn save_snapshot(
    project: &Project,
    text: Option<String>,
    writing: &mut Writing,
) -> Result<Option<String>, String> {
    let (Some(text), Some(shown)) = (text, &project.settings().metadata) else { return Ok(None) };
    let path = project.file().with_file_name(shown);
    if std::fs::read_to_string(&path).is_ok_and(|known| known.trim_start_matches('\u{feff}') == text) {
        return Ok(None);
    }
    writing.write(&path, shown, &text)?;
    Ok(Some(shown.clone()))
}
