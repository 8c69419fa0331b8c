//! A project's files: its root, `datahub.toml`, the contracts and the `$metadata` snapshot. Derives and command line both
//! read them here, and nothing outside the root is read.

mod package;
mod settings;
mod snapshot;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use cdms_odata::metadata::{Metadata, MetadataError};
use datahub_model::diagnostic::Diagnostic;
use datahub_model::source::Spot;

pub(crate) use package::Unrooted;
pub use package::{Package, ROOT};
pub use settings::Settings;
use snapshot::NotParsed;

/// The file that marks a project's root and says where its other files are.
pub const MARK: &str = "datahub.toml";

/// A project as its `datahub.toml` has it.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    settings: Settings,
}

/// A contract's text.
#[derive(Clone, Debug)]
pub struct ContractFile {
    /// Where the file is.
    pub path: PathBuf,
    /// Its path from the project's root, for messages.
    pub shown: String,
    /// What is in it.
    pub text: String,
}

/// The snapshot of `$metadata`.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where the file is.
    pub path: PathBuf,
    /// What is in it.
    pub metadata: Arc<Metadata>,
}

/// A file or a folder that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct Unread {
    /// Where it is, or should be.
    pub path: PathBuf,
    /// Why it could not be read.
    #[source]
    pub error: io::Error,
}

/// Why the project of a root cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum NoProject {
    /// Its `datahub.toml` could not be read.
    #[error(transparent)]
    Unread(Unread),
    /// Its `datahub.toml` has a fault.
    #[error("{}", .0.render(MARK))]
    Faulty(Diagnostic<Spot>),
}

/// Why a contract cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NoContract {
    /// Its name leads out of the folder of contracts.
    #[error("{0:?} leads out of the project's contracts")]
    Outside(String),
    /// Its file could not be read.
    #[error(transparent)]
    Unread(Unread),
}

/// Why the snapshot that `datahub.toml` names cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NoSnapshot {
    /// The file could not be read.
    #[error("{}: {error}", path.display())]
    Unread {
        /// Where it is, or should be.
        path: PathBuf,
        /// Its path from the root.
        shown: String,
        /// Why it could not be read.
        #[source]
        error: io::Error,
    },
    /// What is in it is no `$metadata`.
    #[error("{shown}: {error}")]
    NoMetadata {
        /// Where it is.
        path: PathBuf,
        /// Its path from the root.
        shown: String,
        /// Why it is none.
        #[source]
        error: MetadataError,
    },
}

impl Project {
    /// Whether a folder is a project's root.
    pub fn is_root(folder: &Path) -> bool {
        folder.join(MARK).is_file()
    }

    /// The root that a folder belongs to: the folder itself, or the nearest above it that has a `datahub.toml`.
    pub fn root_of(folder: &Path) -> Option<&Path> {
        folder.ancestors().find(|folder| Project::is_root(folder))
    }

    /// The project of a root.
    ///
    /// # Errors
    ///
    /// Its `datahub.toml` cannot be read, or something is wrong with it.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, NoProject> {
        let root = root.into();
        let text = read(root.join(MARK)).map_err(NoProject::Unread)?;
        let settings = Settings::parse(&text).map_err(NoProject::Faulty)?;
        Ok(Project { root, settings })
    }

    /// What its `datahub.toml` says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its `datahub.toml`.
    pub fn file(&self) -> PathBuf {
        self.root.join(MARK)
    }

    /// The folder of the contracts.
    pub fn contracts(&self) -> PathBuf {
        self.root.join(&self.settings.contracts)
    }

    /// The names of all contracts, in order.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn contract_names(&self) -> Result<Vec<String>, Unread> {
        let folder = self.contracts();
        let entries = fs::read_dir(&folder).map_err(|error| Unread { path: folder, error })?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let is_contract = |name: &String| Path::new(name).extension().is_some_and(|ending| ending == "toml");
        let mut names: Vec<_> = names.filter(is_contract).collect();
        names.sort();
        Ok(names)
    }

    /// The contract of this name.
    ///
    /// # Errors
    ///
    /// The name leads out of the folder of contracts, or the file cannot be read.
    pub fn contract(&self, name: &str) -> Result<ContractFile, NoContract> {
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(NoContract::Outside(name.to_owned()));
        }
        let path = self.contracts().join(name);
        let text = read(path.clone()).map_err(NoContract::Unread)?;
        Ok(ContractFile { path, shown: self.shown(name), text })
    }

    /// The path of a contract from the root, for messages.
    pub fn shown(&self, contract: &str) -> String {
        format!("{}/{contract}", self.settings.contracts)
    }

    /// The snapshot of `$metadata`, if `datahub.toml` names one. A process parses it once, and again if the file was written
    /// since.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or it is not valid `$metadata`.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, NoSnapshot> {
        let Some(shown) = &self.settings.metadata else { return Ok(None) };
        let path = self.root.join(shown);
        match snapshot::at(&path) {
            Ok(metadata) => Ok(Some(Snapshot { path, metadata })),
            Err(NotParsed::Unread(error)) => Err(NoSnapshot::Unread { path, shown: shown.clone(), error }),
            Err(NotParsed::NoMetadata(error)) => Err(NoSnapshot::NoMetadata { path, shown: shown.clone(), error }),
        }
    }
}

fn read(path: PathBuf) -> Result<String, Unread> {
    fs::read_to_string(&path).map_err(|error| Unread { path, error })
}
