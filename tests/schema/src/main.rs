//! Writes the project of the generated document into a folder, with its models in `src`: for benchmarks of whole projects.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use datahub_schema_tests::document;
use datahub_schema_tests::project::{BATCHES, Project};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from).ok_or("name the folder to write into")?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let metadata = document::generated();
    Project::of(&metadata).write_to(&folder, &metadata.to_xml())?;
    let source = folder.join("src");
    fs::create_dir_all(&source)?;
    for number in 1..=BATCHES {
        let batch = format!("batch_{number}.rs");
        fs::rename(folder.join(&batch), source.join(&batch))?;
    }
    fs::write(folder.join("Cargo.toml"), "[package]\nname = \"whole\"\n\n[dependencies]\ndiesel = \"2.3\"\n")?;
    Ok(())
}
