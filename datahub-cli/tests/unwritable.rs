//! Folders and disks that take no file: each command that writes names the file, and leaves the project as it was.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const METADATA: &str = include_str!("../templates/metadata.xml");

const CONTRACT: &str = "entity = \"Account\"\n\n[attributes]\nName = { kind = \"sting\", max-length = 160 }\n";

const MODELS: &str = "#[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"organisations\", \
    diesel(table = false))]\npub struct \
    Organisation {\n    #[cdms(key)]\n    pub id: Id<Organisation>,\n    #[cdms(\"Name\")]\n    pub name: \
    Option<String>,\n}\n";

/// What a project is like.
#[derive(Clone, Copy, PartialEq)]
enum Project {
    Whole,
    /// With a fault that can be corrected.
    Faulty,
    /// A crate that is no project yet.
    NotBegun,
}

/// A project that anyone may read.
fn project(is: Project) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let contract = if is == Project::Faulty { CONTRACT.to_owned() } else { CONTRACT.replace("sting", "string") };
    let files = [
        ("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n"),
        ("datahub.toml", "metadata = \"mappings/metadata.xml\"\n"),
        ("mappings/metadata.xml", METADATA),
        ("mappings/account.toml", &contract),
        ("src/lib.rs", MODELS),
    ];
    for (name, text) in files {
        if is == Project::NotBegun && name == "datahub.toml" {
            continue;
        }
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The files below a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// Runs the command and asserts that it cannot write a file, says so in these words, and leaves all files as they were.
fn leaves_all(folder: &Path, mut command: Command, words: [&str; 2]) {
    let before = files(folder);
    let ran = command.current_dir(folder).output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(2), "{command:?}: {said}");
    assert!(words.iter().all(|word| said.contains(word)), "{command:?}: {words:?} in {said}");
    assert_eq!(files(folder), before, "{command:?}");
}

/// A command, its project, the folder that it writes to, and the file that it names.
const CASES: [(&[&str], Project, &str, &str); 5] = [
    (&["check", "--fix"], Project::Faulty, "mappings", "mappings/account.toml"),
    (&["import", "--entity", "Account"], Project::Whole, "mappings", "mappings/imported/unfinished"),
    (&["docs", "--out", "site"], Project::Whole, ".", "site/"),
    (&["init"], Project::NotBegun, "tests", "tests/first_contract.rs"),
    (&["migrate", "new", "first"], Project::Whole, "migrations", "migrations/.plan"),
];

#[test]
fn a_read_only_folder_is_named() {
    for (arguments, is, folder, file) in CASES {
        let project = project(is);
        fs::create_dir_all(project.path().join(folder)).unwrap();
        fs::set_permissions(project.path(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(project.path().join(folder), Permissions::from_mode(0o555)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
        command.args(arguments);
        // Permissions do not stop an administrator.
        if fs::metadata(project.path()).unwrap().uid() == 0 {
            command.uid(65_534);
        }
        leaves_all(project.path(), command, [file, "Permission denied"]);
        fs::set_permissions(project.path().join(folder), Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_disk_that_takes_no_more_leaves_no_half_file() {
    for (arguments, is, _, file) in CASES {
        let project = project(is);
        // A file may have no byte at all, which fails in the same place as a full disk does.
        let mut command = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
        command.args(["-c", script, env!("CARGO_BIN_EXE_datahub")]).args(arguments);
        leaves_all(project.path(), command, [file, "File too large"]);
    }
}
