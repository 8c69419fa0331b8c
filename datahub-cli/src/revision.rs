//! A project as it was at a revision of git: its files in a folder that exists as long as they are needed.

use std::path::{Path, PathBuf};

use datahub_derive::project::{MARK, Project};
use datahub_derive::tree::Tree;
use tempfile::TempDir;

use crate::git::Git;

/// A project's files at a revision. Dropping it removes them.
pub(crate) struct Revision {
    _folder: TempDir,
    root: PathBuf,
    name: String,
}

impl Revision {
    /// Writes the files of the project at a revision to a folder of their own. The index and the files of the repository
    /// stay as they are.
    pub(crate) fn check_out(root: &Path, name: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a folder for {name}: {error}"))?;
        let git = Git::of(root).map_err(|error| format!("cannot read revision `{name}`: {error}"))?;
        let git = git.with_index(folder.path().join("index"));
        let commit = git.commit(name).map_err(|error| error.to_string())?;
        let files = folder.path().join("files");
        let root = files.join(git.prefix());
        let check_out = |patterns: &[String]| {
            let written = git.check_out(&commit, patterns, &files);
            written.map_err(|error| format!("cannot read revision `{name}`: {error}"))
        };
        check_out(&[MARK.to_owned()])?;
        if !Project::is_root(&root) {
            return Err(format!("`{name}` has no {MARK} in this folder; name a revision that has one"));
        }
        let project = Project::open(&root).map_err(|error| format!("at `{name}`: {error}"))?;
        let settings = project.settings();
        let mut paths =
            vec![settings.contracts.clone(), settings.migrations.clone(), ":(glob)**/Cargo.toml".to_owned()];
        paths.extend(settings.metadata.clone());
        paths.extend(settings.models.iter().map(|folder| format!(":(glob){folder}/**/*.rs")));
        check_out(&paths)?;
        // A folder without files is not in git, and a folder of models must exist.
        for folder in &settings.models {
            let path = root.join(folder);
            std::fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        }
        Ok(Revision { _folder: folder, root, name: name.to_owned() })
    }

    /// The project's source at the revision, with the faults that it has by today's rules.
    pub(crate) fn tree(&self) -> Result<Tree, String> {
        let at = |error: &dyn std::fmt::Display| format!("at `{}`: {error}", self.name);
        let project = Project::open(&self.root).map_err(|error| at(&error))?;
        Tree::read(&project).map_err(|error| at(&error))
    }
}
