//! The sources of an import: files, addresses, and the project's own snapshot.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::rc::Rc;

use datahub_derive::project::{MARK, Project};
use datahub_import::{DOCUMENT_MAX, Remark, Source, Wanted, syncable};

use super::Options;
use super::addresses::{self, Address, Asked};
use super::files::Writing;
use crate::fetch;
use crate::file::Before;

/// Sources as read.
pub(super) struct Sources {
    pub(super) sources: Vec<Source>,
    /// A `$metadata` document that is not the snapshot.
    pub(super) new_snapshot: Option<String>,
    /// What a person should know of what could not be read.
    pub(super) remarks: Vec<Remark>,
}

/// Reads all sources. If none is `$metadata`, the project's snapshot is one more. `are_named` says whether a person named the
/// entities that are wanted.
pub(super) fn read(project: &Project, options: &Options, wanted: &Wanted, are_named: bool) -> Result<Sources, String> {
    let has_address = options.sources.iter().any(|name| matches!(Address::of(name), Ok(Some(_))));
    options.login.is_for(options.live || options.soap || has_address)?;
    let (mut sources, mut asked) = (Vec::new(), Vec::new());
    let open = |root: Option<&_>| fetch::open(project, root, &options.login);
    for name in &options.sources {
        match Address::of(name)? {
            None => sources.push(file(name, Path::new(name))?),
            Some(Address::Metadata(root)) => sources.push(addresses::metadata(&open(Some(&root))?)?),
            Some(Address::Soap(root)) => asked.push(Rc::new(open(Some(&root))?)),
        }
    }
    if options.live || options.soap {
        // One login for both.
        let live = Rc::new(open(None)?);
        if options.live {
            sources.push(addresses::metadata(&live)?);
        }
        asked.extend(options.soap.then_some(live));
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
    let mut remarks = Vec::new();
    for live in asked {
        let (replies, of_service) = addresses::replies(&live, &entities(&sources, wanted, are_named)?)?;
        sources.extend(replies);
        remarks.extend(of_service);
    }
    if sources.is_empty() {
        return Err(format!(
            "nothing to import from: name a file or an address, add `--live` for the CDMS that `[cdms]` in {MARK} names, or save \
             $metadata as the snapshot that `metadata` names"
        ));
    }
    Ok(Sources { sources, new_snapshot, remarks })
}

/// The entities to ask the SOAP service about.
fn entities(sources: &[Source], wanted: &Wanted, are_named: bool) -> Result<Asked, String> {
    let mut entities: Vec<String> = match &wanted.entities {
        Some(names) => names.clone(),
        None => {
            let metadata = sources.iter().find_map(Source::metadata);
            let (metadata, _) =
                metadata.ok_or("`--all` with a SOAP service also needs $metadata, which lists the entities")?;
            syncable(metadata).map(str::to_owned).collect()
        }
    };
    entities.sort();
    entities.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    Ok(Asked { entities, are_named })
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
    writing.write(&path, shown, Before::Anything, &text)?;
    Ok(Some(shown.clone()))
}
