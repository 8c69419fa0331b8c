//! Any text as a `$metadata` document: it is read or refused on one of its lines, and written out it says the same.

use cdms_odata::metadata::Metadata;

/// Reads a document and writes it out again.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Metadata::parse(text) {
        Ok(metadata) => {
            let xml = metadata.to_xml();
            assert_eq!(Metadata::parse(&xml).as_ref(), Ok(&metadata), "{xml}");
        }
        Err(error) => {
            let lines = u32::try_from(text.split('\n').count()).expect("a text of a fuzzer is short");
            assert!(error.line() <= lines, "{error}, of {lines} lines");
        }
    }
}
