//! The schema after the last migration, which `migrations/schema.toml` keeps; parsed once in a process.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::schema::{FaultySnapshot, Snapshot};

use super::Project;

/// The file of the schema, in the folder of migrations.
const FILE: &str = "schema.toml";

/// Schemas by their paths, each with the time of its file's last change.
type Schemas = HashMap<PathBuf, (SystemTime, Arc<Snapshot>)>;

static KNOWN: LazyLock<Mutex<Schemas>> = LazyLock::new(Mutex::default);

/// The schema after the last migration.
#[derive(Clone, Debug)]
pub struct SchemaFile {
    /// The file's path.
    pub path: PathBuf,
    /// What it says.
    pub snapshot: Arc<Snapshot>,
}

/// Why the schema after the last migration cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{shown}`: {reason}")]
pub struct NoSchema {
    /// Its path.
    pub path: PathBuf,
    /// Its path from the root.
    pub shown: String,
    /// Why.
    #[source]
    pub reason: SchemaFault,
}

/// What is wrong with the file of the schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaFault {
    /// It cannot be read.
    #[error(transparent)]
    Unread(#[from] io::Error),
    /// It is not a schema.
    #[error(transparent)]
    Faulty(#[from] FaultySnapshot),
}

impl NoSchema {
    /// The text and the bytes of it that are at fault; `None` if they are not known.
    pub fn place(&self) -> Option<(String, Range<usize>)> {
        let SchemaFault::Faulty(faulty) = &self.reason else { return None };
        let (text, range) = (fs::read_to_string(&self.path).ok()?, faulty.place()?);
        // The file may have changed since.
        text.get(range.clone()).is_some().then_some((text, range))
    }

    /// The fault to report, without its place.
    pub(crate) fn fault(&self) -> Diagnostic<()> {
        let cure = "restore it from version control; if two branches planned migrations, run `datahub migrate rebase`";
        Diagnostic::of(Code::WrongValue, (), self.to_string()).cure(cure)
    }
}

impl Project {
    /// The folder of the migrations.
    pub fn migrations(&self) -> PathBuf {
        self.root().join(&self.settings().migrations)
    }

    /// The schema after the last migration; `None` if there is no migration yet.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or it is not a schema.
    pub fn schema(&self) -> Result<Option<SchemaFile>, NoSchema> {
        let path = self.migrations().join(FILE);
        match at(&path) {
            Ok(snapshot) => Ok(Some(SchemaFile { path, snapshot })),
            Err(SchemaFault::Unread(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(reason) => {
                let shown = format!("{}/{FILE}", self.settings().migrations);
                Err(NoSchema { path, shown, reason })
            }
        }
    }
}

fn at(path: &Path) -> Result<Arc<Snapshot>, SchemaFault> {
    let written = fs::metadata(path)?.modified()?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read, snapshot)) = known.get(path)
        && *read == written
    {
        return Ok(Arc::clone(snapshot));
    }
    let snapshot = Arc::new(Snapshot::parse(&fs::read_to_string(path)?)?);
    known.insert(path.to_path_buf(), (written, Arc::clone(&snapshot)));
    Ok(snapshot)
}
