//! Writes contracts and models of a whole document where the test programs find them: of the one that `DATAHUB_METADATA`
//! names, or of the generated one.

// The same files are the library, so that tests can hold what was written against the document.
#[allow(dead_code, unreachable_pub, reason = "the library has them for tests")]
#[path = "src/census.rs"]
mod census;
#[allow(dead_code, unreachable_pub, reason = "the library has them for tests")]
#[path = "src/document.rs"]
mod document;
#[allow(dead_code, unreachable_pub, reason = "the library has them for tests")]
#[path = "src/mapping.rs"]
mod mapping;
#[allow(dead_code, unreachable_pub, reason = "the library has them for tests")]
#[path = "src/names.rs"]
mod names;
#[allow(dead_code, unreachable_pub, reason = "the library has them for tests")]
#[path = "src/project.rs"]
mod project;
#[allow(dead_code, unreachable_pub, reason = "the library has them for tests")]
#[path = "src/vocabulary.rs"]
mod vocabulary;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use cdms_odata::metadata::Metadata;

use project::Project;

/// The variable that names a real document.
const DOCUMENT: &str = "DATAHUB_METADATA";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-env-changed={DOCUMENT}");
    let named = env::var_os(DOCUMENT).map(PathBuf::from);
    let text = match &named {
        None => document::generated().to_xml(),
        Some(path) => {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::read_to_string(path).map_err(|error| format!("{DOCUMENT}: {}: {error}", path.display()))?
        }
    };
    let metadata = Metadata::parse(&text)?;
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; build with cargo")?).join("project");
    // Contracts of another document would be found too.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Project::of(&metadata).write_to(&folder, &text)?;
    println!("cargo::rustc-env=DATAHUB_ROOT={}", folder.display());
    println!("cargo::rustc-env=DATAHUB_DOCUMENT_IS_GENERATED={}", named.is_none());
    Ok(())
}
