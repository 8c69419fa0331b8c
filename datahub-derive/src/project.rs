//! A project's files: its root, `datahub.toml`, the contracts and the `$metadata` snapshot. The derives and the command line
//! both read them here, and never read a file outside the root.

mod migrations;
mod package;
mod schema;
mod settings;
mod snapshot;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use cdms_odata::metadata::{Metadata, MetadataError};
use datahub_model::diagnostic::Diagnostic;
use datahub_model::source::Spot;

pub use migrations::MigrationFolder;
pub(crate) use package::Unrooted;
pub use package::{Package, ROOT};
pub use schema::{NoSchema, SchemaFault, SchemaFile};
pub use settings::{Capture, Settings};
use snapshot::NotParsed;

/// The file that marks a project's root and names its other files.
pub const MARK: &str = "datahub.toml";

/// A project, with the settings of its `datahub.toml`.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    settings: Settings,
}

/// A contract's text.
#[derive(Clone, Debug)]
pub struct ContractFile {
    /// The file's path.
    pub path: PathBuf,
    /// Its path from the project's root, for messages.
    pub shown: String,
    /// The file's text.
    pub text: String,
}

/// The snapshot of `$metadata`.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The file's path.
    pub path: PathBuf,
    /// The file as parsed.
    pub metadata: Arc<Metadata>,
}

/// A file or a folder that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct Unread {
    /// Its path.
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
    /// Its path is outside the folder of contracts.
    #[error("`{0}` is outside the project's folder of contracts")]
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
        /// Its path.
        path: PathBuf,
        /// Its path from the root.
        shown: String,
        /// Why it could not be read.
        #[source]
        error: io::Error,
    },
    /// It is not valid `$metadata`.
    #[error("{shown}: {error}")]
    NoMetadata {
        /// Its path.
        path: PathBuf,
        /// Its path from the root.
        shown: String,
        /// Why it is not valid.
        #[source]
        error: MetadataError,
    },
}

impl Project {
    /// Whether a folder is a project's root.
    pub fn is_root(folder: &Path) -> bool {
        folder.join(MARK).is_file()
    }

    /// The root that a folder belongs to: the nearest folder with a `datahub.toml`, from the folder itself upwards.
    pub fn root_of(folder: &Path) -> Option<&Path> {
        folder.ancestors().find(|folder| Project::is_root(folder))
    }

    /// The project of a root.
    ///
    /// # Errors
    ///
    /// Its `datahub.toml` cannot be read, or has a fault.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, NoProject> {
        let root = root.into();
        let text = read(root.join(MARK)).map_err(NoProject::Unread)?;
        let settings = Settings::parse(&text).map_err(NoProject::Faulty)?;
        Ok(Project { root, settings })
    }

    /// The project that a package belongs to.
    ///
    /// # Errors
    ///
    /// Why it belongs to none, and what to do.
    pub fn of(package: &Package) -> Result<Self, String> {
        package.project().map_err(|unrooted| match unrooted {
            Unrooted::UnknownFolder => "CARGO_MANIFEST_DIR is not set; build with cargo".to_owned(),
            Unrooted::NoRoot => {
                format!("no `{MARK}` in this package's folder or above it; create one at the project's root")
            }
            Unrooted::Unusable(reason) => reason.to_string(),
        })
    }

    /// The settings in its `datahub.toml`.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its root, the folder of its `datahub.toml`.
    pub fn root(&self) -> &Path {
        &self.root
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
    /// The name is outside the folder of contracts, or the file cannot be read.
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

    /// The snapshot of `$metadata`, if `datahub.toml` names one. A process parses it once, and again if the file has changed.
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
