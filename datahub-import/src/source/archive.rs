//! The `customizations.xml` in a solution's zip, unpacked no further than a document may be long.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::{DOCUMENT_MAX, too_large};

/// The name of the document in a solution.
const CUSTOMIZATIONS: &str = "customizations.xml";

/// Whether bytes begin like a zip.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Unpacks the document. What the archive says of its size is not trusted.
pub(super) fn customizations(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let damaged = |error: &dyn std::fmt::Display| {
        format!("is a damaged zip ({error}); export the solution again, or copy the file again")
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let name = archive.file_names().flatten().find(|name| name.eq_ignore_ascii_case(CUSTOMIZATIONS));
    let name = name.map(|name| name.into_owned());
    let name = name.ok_or_else(|| {
        format!(
            "is a zip without {CUSTOMIZATIONS}, so not an exported solution; export one in CDMS: Settings, Solutions"
        )
    })?;
    let file = archive.by_name(&name).map_err(|error| damaged(&error))?;
    let mut document = Vec::new();
    let limit = DOCUMENT_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut document).map_err(|error| damaged(&error))?;
    if document.len() > DOCUMENT_MAX { Err(format!("{CUSTOMIZATIONS} in it {}", too_large())) } else { Ok(document) }
}
