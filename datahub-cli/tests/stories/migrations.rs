//! The migrations of `tests/stories/after`, by which its models know their epochs: they must be what the command plans today
//! from the models of before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use libtest_mimic::Failed;

use crate::plain::Plain;
use crate::stage::stories;

/// What the authors of all stories agreed to.
const ANSWERS: [&str; 18] = [
    "--drop",
    "cases.urgency",
    "--drop",
    "sites.hours",
    "--drop",
    "contacts.first_name",
    "--drop",
    "contacts.last_name",
    "--drop",
    "partners",
    "--drop",
    "visits",
    "--drop",
    "calls",
    "--drop",
    "leaflets",
    "--drop",
    "territories.description",
];
const MORE: [&str; 6] = [
    "--drop",
    "territories.nickname",
    "--rename",
    "competitors.street=address_street",
    "--rename",
    "competitors.town=address_town",
];

pub(crate) fn are_those_of_today() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let project = folder.path();
    version(project, "before");
    let settings = "metadata = \"mappings/metadata.xml\"\ndatabases = [\"sqlite\", \"postgres\"]\n";
    fs::write(project.join("datahub.toml"), settings)?;
    datahub(project, &["migrate", "new", "before"]);
    version(project, "after");
    datahub(project, &["check"]);
    datahub(project, &[&["migrate", "new", "after"], ANSWERS.as_slice(), MORE.as_slice()].concat());
    datahub(project, &["migrate", "check"]);
    let (planned, committed) = (project.join("migrations"), stories().join("after/migrations"));
    if texts(&planned) == texts(&committed) {
        return Ok(());
    }
    if env::var("DATAHUB_DOCS").is_ok_and(|docs| docs == "overwrite") {
        _ = fs::remove_dir_all(&committed);
        copy(&planned, &committed);
        return Ok(());
    }
    let (planned, committed) = (texts(&planned).join("\n"), texts(&committed).join("\n"));
    let diff = similar::TextDiff::from_lines(&committed, &planned).unified_diff().to_string();
    Err(format!(
        "tests/stories/after/migrations is not what is planned today; DATAHUB_DOCS=overwrite renews it\n{diff}"
    )
    .into())
}

/// Gives a project the models and contracts of a version, instead of those that it has.
fn version(project: &Path, version: &str) {
    for folder in ["src", "mappings"] {
        let to = project.join(folder);
        if to.exists() {
            let metadata = to.join("metadata.xml");
            for (path, _) in files(&to).into_iter().filter(|(path, _)| *path != metadata) {
                fs::remove_file(path).unwrap();
            }
        }
        copy(&stories().join(version).join(folder), &to);
    }
}

fn datahub(project: &Path, arguments: &[&str]) {
    let ran = Command::new(env!("CARGO_BIN_EXE_datahub")).args(arguments).current_dir(project).output().unwrap();
    let text = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(ran.status.success(), "datahub {}:\n{text}", arguments.join(" "));
}

/// The files below a folder, each with its text.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.insert(path, text);
        }
    }
    found
}

/// The names and texts of files below a folder, without what differs from run to run.
fn texts(folder: &Path) -> Vec<String> {
    let mut plain = Plain::default();
    let named = |(path, text): (PathBuf, String)| format!("{}\n{text}", path.strip_prefix(folder).unwrap().display());
    files(folder).into_iter().map(named).map(|text| plain.text(&text)).collect()
}

fn copy(from: &Path, to: &Path) {
    for (path, text) in files(from) {
        let path = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
