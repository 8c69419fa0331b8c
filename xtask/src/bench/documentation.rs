//! `datahub docs` of a project with as many contracts and models as a real CDMS has entities: how long it takes, and how much a
//! reader loads.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{cargo, median, run_bench};
use crate::check::say;
use crate::many;
use crate::source::root;

/// Measures and prints.
pub(super) fn measure(samples: u16) -> Result<(), String> {
    run_bench(Command::new(cargo()).args(["build", "--quiet", "--release", "--package", "datahub-cli"]))?;
    let folder = root().join("target/bench-documentation");
    let (project, site) = (folder.join("project"), folder.join("site"));
    many::write(&project, many::ENTITIES)?;
    let mut times = Vec::new();
    for _ in 0..samples {
        if site.exists() {
            fs::remove_dir_all(&site).map_err(|error| format!("{}: {error}", site.display()))?;
        }
        let mut docs = Command::new(cargo());
        docs.args(["run", "--quiet", "--release", "--package", "datahub-cli", "--", "docs", "--root"]).arg(&project);
        docs.arg("--out").arg(&site).stdout(Stdio::null());
        let begin = Instant::now();
        run_bench(&mut docs)?;
        times.push(begin.elapsed());
    }
    let size = |name: &str| size_of(&site.join(name));
    let first = size("index.html")? + size("assets/site.css")? + size("assets/site.js")?;
    let whole = total(&site)?;
    say(&format!("\nDocumentation of {} contracts and models, Cargo's start included:\n", many::ENTITIES));
    say("| what | result | goal |\n|---|---|---|");
    say(&format!("| `datahub docs` | {:.2} s | |", median(times).as_secs_f64()));
    say(&format!("| first page, with style and script | {} KB | 200 KB |", first / 1000));
    say(&format!("| index of the search, loaded when it is used | {} KB | |", size("assets/index.js")? / 1000));
    say(&format!("| the whole site | {:.1} MB | |", whole as f64 / 1e6));
    Ok(())
}

fn size_of(path: &Path) -> Result<u64, String> {
    fs::metadata(path).map(|file| file.len()).map_err(|error| format!("{}: {error}", path.display()))
}

/// The bytes of all files below a folder.
fn total(folder: &Path) -> Result<u64, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let mut sum = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        sum += if path.is_dir() { total(&path)? } else { size_of(&path)? };
    }
    Ok(sum)
}
