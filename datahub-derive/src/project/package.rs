//! The package whose items are derived: its folder, the project that it belongs to, and its dependencies.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use std::{env, fs};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{NoProject, Project};

/// The environment variable that names the project's root if the package is not inside it.
pub const ROOT: &str = "DATAHUB_ROOT";

/// A package. It belongs to the project of the nearest folder above it with a `datahub.toml`, unless a root is given.
#[derive(Clone, Debug)]
pub struct Package {
    folder: Option<PathBuf>,
    root: Option<PathBuf>,
    is_built: bool,
}

/// Why a package belongs to no project.
#[derive(Debug)]
pub(crate) enum Unrooted {
    /// The package's folder is unknown.
    UnknownFolder,
    /// Neither its folder nor one above it has a `datahub.toml`.
    NoRoot,
    /// Its root has no usable `datahub.toml`.
    Unusable(NoProject),
}

impl Package {
    /// The package that Cargo is building, and the root that `DATAHUB_ROOT` names.
    pub fn being_built() -> Self {
        let variable = |name| env::var_os(name).map(PathBuf::from);
        Package { folder: variable("CARGO_MANIFEST_DIR"), root: variable(ROOT), is_built: true }
    }

    /// The package in a folder. Its expansions are not compiled, so its dependencies do not matter.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Package { folder: Some(folder.into()), root: None, is_built: false }
    }

    /// The package that compiles a file, of the project with this root: that of the nearest manifest above the file.
    #[cfg(feature = "tree")]
    pub(crate) fn compiled_with(file: &Path, root: &Path) -> Self {
        let above = file.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file());
        Package {
            folder: above.map(Path::to_path_buf).or_else(|| Some(root.to_path_buf())),
            root: None,
            is_built: true,
        }
        .with_root(root)
    }

    /// The package with this root, wherever its folder is.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Its folder, if it is known.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Its manifest; if its folder is unknown, the name alone.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder().unwrap_or(Path::new("")).join("Cargo.toml")
    }

    /// The project that it belongs to.
    pub(crate) fn project(&self) -> Result<Project, Unrooted> {
        let folder = self.folder().ok_or(Unrooted::UnknownFolder)?;
        let root = self.root.as_deref().or_else(|| Project::root_of(folder)).ok_or(Unrooted::NoRoot)?;
        Project::open(root).map_err(Unrooted::Unusable)
    }

    /// Whether it is compiled without a dependency on Diesel, to which the expansion of a model refers. If its manifest cannot
    /// be read, Cargo reports that.
    pub(crate) fn lacks_diesel(&self) -> bool {
        self.is_built && self.folder.is_some() && !depends_on_diesel(&self.manifest()).unwrap_or(true)
    }
}

/// Whether a manifest names Diesel; read once for all models of a compilation.
fn depends_on_diesel(manifest: &Path) -> Option<bool> {
    static KNOWN: Mutex<Option<(PathBuf, SystemTime, bool)>> = Mutex::new(None);
    let written = fs::metadata(manifest).and_then(|file| file.modified()).ok()?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, read, depends)) = &*known
        && path == manifest
        && *read == written
    {
        return Some(*depends);
    }
    let depends = depends_on(&fs::read_to_string(manifest).ok()?, "diesel")?;
    *known = Some((manifest.to_path_buf(), written, depends));
    Some(depends)
}

/// Whether a package's manifest names a dependency, for every target or for some; `None` if the manifest is not valid TOML.
fn depends_on(manifest: &str, dependency: &str) -> Option<bool> {
    let manifest = DeTable::parse(manifest).ok()?;
    let among = |table: &DeTable<'_>| {
        let sections = ["dependencies", "dev-dependencies"].into_iter().filter_map(|section| table.get(section));
        let mut sections = sections.filter_map(|section| section.get_ref().as_table());
        // A renamed dependency may get its own name back by `extern crate`.
        let is_renamed = |stated: &Spanned<DeValue<'_>>| {
            let package = stated.get_ref().as_table().and_then(|stated| stated.get("package"));
            package.is_some_and(|package| package.get_ref().as_str() == Some(dependency))
        };
        sections.any(|section| section.contains_key(dependency) || section.values().any(is_renamed))
    };
    let targets = manifest.get_ref().get("target").and_then(|targets| targets.get_ref().as_table());
    let mut targets = targets.into_iter().flat_map(|targets| targets.values());
    let of_a_target = targets.any(|target| target.get_ref().as_table().is_some_and(&among));
    Some(of_a_target || among(manifest.get_ref()))
}

#[cfg(test)]
mod tests {
    use super::depends_on;

    #[test]
    fn a_dependency_is_found_wherever_it_is_named() {
        for (manifest, found) in [
            ("[dependencies]\ndiesel = '2'", Some(true)),
            ("[dependencies.diesel]\nworkspace = true", Some(true)),
            ("[dev-dependencies]\ndiesel.workspace = true", Some(true)),
            ("[target.'cfg(unix)'.dependencies]\ndiesel = '2'", Some(true)),
            ("[dependencies]\nsql = { package = 'diesel', version = '2' }", Some(true)),
            ("[build-dependencies]\ndiesel = '2'", Some(false)),
            ("[dependencies]\ndiesel-async = '2'", Some(false)),
            ("[dependencies", None),
        ] {
            assert_eq!(depends_on(manifest, "diesel"), found, "{manifest}");
        }
    }
}
