//! A copy of a project's source in a temporary folder, on which corrections are tried before any file is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use datahub_derive::project::{MARK, Project};
use datahub_derive::tree::Tree;
use tempfile::TempDir;

/// The copy. Its folder is removed when it is dropped.
pub(super) struct Scratch {
    _folder: TempDir,
    root: PathBuf,
}

impl Scratch {
    /// Copies what checks read of a project: its settings, contracts, snapshot and schema, its Rust files, and the manifests of their
    /// packages.
    pub(super) fn of(project: &Project, tree: &Tree) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        // A level below, because a package's manifest may be above the project's root.
        let root = folder.path().join("project");
        let scratch = Scratch { _folder: folder, root };
        for (file, text) in &tree.files {
            scratch.write(file, text)?;
        }
        let mut others: BTreeSet<String> = [MARK.to_owned()].into();
        others.extend(project.settings().metadata.clone());
        others.insert(format!("{}/schema.toml", project.settings().migrations));
        let sources = tree.files.keys().filter(|file| file.ends_with(".rs"));
        for source in sources {
            let above = Path::new(source).ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
            let inside = above.into_iter().find(|manifest| project.root().join(manifest).is_file());
            match inside {
                Some(manifest) => _ = others.insert(manifest.to_string_lossy().into_owned()),
                None => scratch.manifest_above(project.root())?,
            }
        }
        for file in others {
            let from = project.root().join(&file);
            if from.is_file() {
                scratch.copy(&from, &file)?;
            }
        }
        Ok(scratch)
    }

    /// The copy as it is now.
    pub(super) fn tree(&self) -> Result<Tree, String> {
        let project = Project::open(&self.root).map_err(|error| error.to_string())?;
        Tree::read(&project).map_err(|unread| format!("cannot read {unread}"))
    }

    /// Writes files of the copy.
    pub(super) fn write_all(&self, files: &BTreeMap<String, String>) -> Result<(), String> {
        files.iter().try_for_each(|(file, text)| self.write(file, text))
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.place(file)?;
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    fn copy(&self, from: &Path, file: &str) -> Result<(), String> {
        let path = self.place(file)?;
        fs::copy(from, path).map(|_| ()).map_err(|error| format!("cannot copy {}: {error}", from.display()))
    }

    fn place(&self, file: &str) -> Result<PathBuf, String> {
        let path = self.root.join(file);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(path)
    }

    /// Copies the manifest above the project's root that compiles its files.
    fn manifest_above(&self, root: &Path) -> Result<(), String> {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let above = root.ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
        match above.into_iter().find(|manifest| manifest.is_file()) {
            Some(manifest) => self.copy(&manifest, "../Cargo.toml"),
            None => Ok(()),
        }
    }
}
