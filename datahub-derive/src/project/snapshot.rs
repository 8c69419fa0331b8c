//! The `$metadata` snapshot, parsed once in a process.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

use cdms_odata::metadata::{Metadata, MetadataError};

/// Snapshots by their paths, each with the time of its file's last change.
type Snapshots = HashMap<PathBuf, (SystemTime, Arc<Metadata>)>;

static KNOWN: LazyLock<Mutex<Snapshots>> = LazyLock::new(Mutex::default);

/// Why a file was not parsed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotParsed {
    #[error(transparent)]
    Unread(#[from] io::Error),
    #[error(transparent)]
    NoMetadata(#[from] MetadataError),
}

/// The snapshot at a path.
pub(super) fn at(path: &Path) -> Result<Arc<Metadata>, NotParsed> {
    let written = fs::metadata(path)?.modified()?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read, metadata)) = known.get(path)
        && *read == written
    {
        return Ok(Arc::clone(metadata));
    }
    let metadata = Arc::new(Metadata::parse(&fs::read_to_string(path)?)?);
    known.insert(path.to_path_buf(), (written, Arc::clone(&metadata)));
    Ok(metadata)
}
