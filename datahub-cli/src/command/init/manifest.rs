//! A crate's `Cargo.toml`: its name, and its dependencies on Data Hub Sync.

use std::fs;
use std::path::{Component, Path, PathBuf};

use toml_edit::{DocumentMut, InlineTable, Item, Value, value};

use crate::file::{self, Before};

/// Where the crates of Data Hub Sync are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// In a git repository.
    Git {
        url: String,
        /// What of it, as Cargo names it: `branch`, `tag` or `rev`.
        at: Option<(&'static str, String)>,
    },
    /// In a folder, by its path from the project's.
    Folder(String),
}

impl Origin {
    /// What was said on the command line, for a project in a folder.
    pub(super) fn of(from: &str, project: &Path) -> Result<Self, String> {
        if from.contains("://") || from.starts_with("git@") {
            return Ok(Origin::Git { url: from.to_owned(), at: None });
        }
        let whole = |path: &Path| std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()));
        let there = whole(Path::new(from))?;
        if !there.join("datahub-runtime/Cargo.toml").is_file() {
            return Err(format!("{from} is not the folder of Data Hub Sync: it has no datahub-runtime/Cargo.toml"));
        }
        Ok(Origin::Folder(relative(&plain(&whole(project)?), &plain(&there))))
    }

    /// A dependency on one of its crates.
    fn dependency(&self, package: &str, features: &[&str]) -> Item {
        let mut table = InlineTable::new();
        match self {
            Origin::Git { url, at } => {
                table.insert("git", url.as_str().into());
                if let Some((what, name)) = at {
                    table.insert(*what, name.as_str().into());
                }
            }
            Origin::Folder(folder) => _ = table.insert("path", format!("{folder}/{package}").into()),
        }
        if !features.is_empty() {
            table.insert("features", Value::Array(features.iter().copied().collect()));
        }
        value(table)
    }
}

/// What a new project depends on besides the runtime and Tokio.
const VERSIONS: [(&str, &str); 4] = [("chrono", "0.4"), ("diesel", "2.3"), ("rust_decimal", "1"), ("uuid", "1")];

/// Adds what the first model and its tests need to a manifest that Cargo has just written.
pub(super) fn add_dependencies(folder: &Path, origin: &Origin) -> Result<(), String> {
    let mut manifest = read(folder)?;
    let before = manifest.to_string();
    let dependencies = &mut manifest["dependencies"];
    dependencies["datahub-runtime"] = origin.dependency("datahub-runtime", &[]);
    for (name, version) in VERSIONS {
        dependencies[name] = value(version);
    }
    let mut tokio = InlineTable::new();
    tokio.insert("version", "1".into());
    tokio.insert("features", Value::Array(["macros", "rt-multi-thread"].into_iter().collect()));
    dependencies["tokio"] = value(tokio);
    manifest["dev-dependencies"] = toml_edit::table();
    manifest["dev-dependencies"]["datahub-runtime"] = origin.dependency("datahub-runtime", &["source"]);
    let mut profile = toml_edit::table();
    if let Some(table) = profile.as_table_mut() {
        table.decor_mut().set_prefix("\n# The derives run four times as fast.\n");
        table["opt-level"] = value(1);
    }
    let mut dev = toml_edit::table();
    if let Some(table) = dev.as_table_mut() {
        table.set_implicit(true);
        table["build-override"] = profile;
    }
    manifest["profile"] = toml_edit::table();
    if let Some(table) = manifest["profile"].as_table_mut() {
        table.set_implicit(true);
    }
    manifest["profile"]["dev"] = dev;
    Ok(file::write(&folder.join("Cargo.toml"), &manifest.to_string(), Before::Text(&before))?)
}

/// The name of the package in a folder.
pub(super) fn package_name(folder: &Path) -> Result<String, String> {
    let manifest = read(folder)?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Item::as_str);
    name.map(str::to_owned).ok_or_else(|| {
        let path = folder.join("Cargo.toml");
        format!("{} has no package; run it in the folder of a package of this workspace", path.display())
    })
}

/// Whether a package depends on the runtime.
pub(super) fn has_runtime(folder: &Path) -> bool {
    runtime(folder).is_some()
}

/// Whether a package depends on everything that a new project does.
pub(super) fn has_dependencies(folder: &Path) -> bool {
    let names = VERSIONS.iter().map(|(name, _)| *name).chain(["datahub-runtime", "tokio"]);
    let Ok(manifest) = read(folder) else { return false };
    names.into_iter().all(|name| manifest.get("dependencies").is_some_and(|all| all.get(name).is_some()))
}

/// Where a package's runtime comes from.
pub(super) fn origin(folder: &Path) -> Option<Origin> {
    let (base, runtime) = runtime(folder)?;
    let stated = |key: &str| runtime.get(key).and_then(Item::as_str).map(str::to_owned);
    if let Some(url) = stated("git") {
        let at = ["branch", "tag", "rev"].into_iter().find_map(|what| Some((what, stated(what)?)));
        return Some(Origin::Git { url, at });
    }
    let there = stated("path")?.strip_suffix("/datahub-runtime").map(str::to_owned)?;
    let whole = |path: &Path| std::path::absolute(path).ok().map(|path| plain(&path));
    Some(Origin::Folder(relative(&whole(folder)?, &whole(&base.join(there))?)))
}

/// A package's dependency on the runtime, also where it is its workspace's, and the folder that states it.
fn runtime(folder: &Path) -> Option<(PathBuf, Item)> {
    const NAME: &str = "datahub-runtime";
    let own = read(folder).ok()?.get("dependencies")?.get(NAME).cloned()?;
    if !own.get("workspace").and_then(Item::as_bool).unwrap_or(false) {
        return Some((folder.to_path_buf(), own));
    }
    let whole = plain(&std::path::absolute(folder).ok()?);
    whole.ancestors().find_map(|root| {
        let manifest = read(root).ok()?;
        let shared = manifest.get("workspace")?.get("dependencies")?.get(NAME)?;
        Some((root.to_path_buf(), shared.clone()))
    })
}

fn read(folder: &Path) -> Result<DocumentMut, String> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()))
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = plain.pop(),
            part => plain.push(part),
        }
        plain
    })
}

/// The path from one folder to another, as Cargo writes paths.
fn relative(from: &Path, to: &Path) -> String {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<_> = up.chain(down).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_from_the_projects() {
        let from = |from: &str, to: &str| relative(&plain(Path::new(from)), &plain(Path::new(to)));
        assert_eq!(from("/a/hub", "/a/sync"), "../sync");
        assert_eq!(from("/a/b/../hub/./x", "/a/sync"), "../../sync");
        assert_eq!(from("/a", "/a/sync"), "sync");
        assert_eq!(from("/a", "/a"), ".");
    }
}
