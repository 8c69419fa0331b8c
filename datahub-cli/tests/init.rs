//! `datahub init`: what it writes, what it keeps, and that a new project passes its own tests.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn datahub(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_datahub")).args(arguments).current_dir(folder).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// The files below a folder, without those of version control.
fn files(folder: &Path) -> Vec<String> {
    fn collect(folder: &Path, root: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".git") {
                collect(&path, root, files);
            } else if !path.is_dir() {
                files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut all = Vec::new();
    collect(folder, folder, &mut all);
    all.sort();
    all
}

/// The same without the time in the name of the migration's folder.
fn timeless(files: Vec<String>) -> Vec<String> {
    let time = regex::Regex::new(r"/\d{14}_").unwrap();
    files.iter().map(|file| time.replace(file, "/[TIME]_").into_owned()).collect()
}

/// A crate with a life of its own.
fn existing(dependencies: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!("[package]\nname = \"shop\"\nversion = \"0.1.0\"\n\n[dependencies]\n{dependencies}");
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), "//! A shop.\n").unwrap();
    folder
}

const NEW: [&str; 14] = [
    ".gitignore",
    "Cargo.toml",
    "README.md",
    "datahub.toml",
    "mappings/account.toml",
    "mappings/metadata.xml",
    "migrations/HEAD",
    "migrations/schema.toml",
    "migrations/sqlite/[TIME]_first/metadata.toml",
    "migrations/sqlite/[TIME]_first/up.sql",
    "src/lib.rs",
    "src/main.rs",
    "src/organisation.rs",
    "tests/in_sync.rs",
];

/// The longest test here: the new project builds the runtime once more, in a target directory that is kept.
#[test]
fn a_new_project_passes_its_own_tests_and_checks() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace();
    let (code, text, errors) = datahub(folder.path(), &["init", "data-hub", "--from", workspace.to_str().unwrap()]);
    assert!(code == Some(0) && text.contains("written  datahub.toml"), "{text}{errors}");
    assert!(text.starts_with("  written  Cargo.toml\n  written  .gitignore\n  written  .git/\n"), "{text}");
    let project = folder.path().join("data-hub");
    assert_eq!(timeless(files(&project)), NEW);
    let (code, text, errors) = datahub(&project, &["check"]);
    assert!(code == Some(0) && errors.is_empty(), "{text}{errors}");
    let (code, text, errors) = datahub(&project, &["migrate", "check"]);
    assert!(code == Some(0) && errors.is_empty(), "{text}{errors}");
    // With the versions of this workspace, which are downloaded already.
    fs::copy(workspace.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let Output { status, stdout, stderr } = Command::new("cargo")
        .args(["test", "--offline"])
        .current_dir(&project)
        .env("CARGO_TARGET_DIR", workspace.join("target/init"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .output()
        .unwrap();
    let (text, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{text}{errors}");
    for passed in ["the_source_is_read_as_it_is_compiled ... ok", "an_organisation_is_read_as_cdms_has_it ... ok"] {
        assert!(text.contains(passed), "{text}");
    }
    assert!(!errors.contains("warning"), "{errors}");
    // The program runs its migration, and only then finds that CDMS does not answer.
    let ran = Command::new(workspace.join("target/init/debug/data-hub"))
        .arg("3d1bcbe3-1f5e-e011-9a3d-00505695002d")
        .current_dir(&project)
        .env("CDMS_URL", "http://127.0.0.1:1/ORG")
        .env("DATABASE_URL", "sqlite://hub.db")
        .output()
        .unwrap();
    assert!(!ran.status.success());
    let (code, text, errors) = datahub(&project, &["migrate", "status", "--database", "sqlite://hub.db"]);
    assert!(code == Some(0) && text.contains("_first"), "{}{text}{errors}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn an_existing_crate_gets_only_what_it_lacks() {
    let folder = existing("");
    let before = fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
    let (code, text, _) = datahub(folder.path(), &["init"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("add datahub-runtime to [dependencies]"), "{text}");
    let expected = [
        "Cargo.toml",
        "datahub.toml",
        "mappings/account.toml",
        "mappings/metadata.xml",
        "src/lib.rs",
        "tests/first_contract.rs",
    ];
    assert_eq!(files(folder.path()), expected);
    assert_eq!(fs::read_to_string(folder.path().join("Cargo.toml")).unwrap(), before);
    assert_eq!(fs::read_to_string(folder.path().join("src/lib.rs")).unwrap(), "//! A shop.\n");
    assert_eq!(datahub(folder.path(), &["check"]).0, Some(0));
}

#[test]
fn what_is_written_is_formatted_whatever_the_project_is_called() {
    let workspace = workspace();
    let formatted = |project: &Path| {
        let Output { status, stdout, stderr } =
            Command::new("cargo").args(["fmt", "--check"]).current_dir(project).output().unwrap();
        assert!(status.success(), "{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    };
    for name in ["a", "data-hub", "zoo-of-many-animals"] {
        let folder = tempfile::tempdir().unwrap();
        let (code, text, errors) = datahub(folder.path(), &["init", name, "--from", workspace.to_str().unwrap()]);
        assert!(code == Some(0), "{text}{errors}");
        formatted(&folder.path().join(name));
    }
    let folder = existing("");
    assert_eq!(datahub(folder.path(), &["init"]).0, Some(0));
    formatted(folder.path());
}

#[test]
fn git_keeps_no_database_and_no_password() {
    let git = |folder: &Path, arguments: &[&str]| {
        let Output { stdout, .. } = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
        String::from_utf8(stdout).unwrap()
    };
    let secret = ["hub.db", "hub.db-wal", "hub.db-shm", ".env"];
    let workspace = workspace();
    let folder = tempfile::tempdir().unwrap();
    let (code, text, errors) = datahub(folder.path(), &["init", "hub", "--from", workspace.to_str().unwrap()]);
    assert!(code == Some(0) && text.contains("written  .gitignore"), "{text}{errors}");
    assert!(text.starts_with("  written  Cargo.toml\n  written  .gitignore\n  written  .git/\n"), "{text}");
    let project = folder.path().join("hub");
    for name in secret {
        fs::write(project.join(name), "").unwrap();
    }
    let kept = git(&project, &["status", "--short", "--untracked-files=all"]);
    assert!(kept.contains("datahub.toml") && !secret.iter().any(|name| kept.contains(name)), "{kept}");
    // An existing crate's is not changed, but its owner is told, unless git leaves them out already.
    let folder = existing("");
    let (_, text, _) = datahub(folder.path(), &["init"]);
    assert!(text.contains("add to .gitignore: *.db, *.db-*, .env;"), "{text}");
    let folder = existing("");
    git(folder.path(), &["init", "--quiet"]);
    fs::write(folder.path().join(".gitignore"), "*.db\n*.db-*\n").unwrap();
    let (_, text, _) = datahub(folder.path(), &["init"]);
    assert!(text.contains("add to .gitignore: .env;"), "{text}");
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "*.db\n*.db-*\n");
}

#[test]
fn files_that_exist_are_kept_and_a_stopped_run_is_continued() {
    let folder = existing("");
    fs::create_dir(folder.path().join("mappings")).unwrap();
    fs::write(folder.path().join("mappings/account.toml"), "entity = 'Account'\n").unwrap();
    let (_, text, _) = datahub(folder.path(), &["init", "--json"]);
    let result: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(result["kept"], serde_json::json!(["mappings/account.toml"]));
    let written = ["tests/first_contract.rs", "mappings/metadata.xml", "datahub.toml"];
    assert_eq!((&result["written"], &result["new"]), (&serde_json::json!(written), &false.into()));
    assert_eq!(fs::read_to_string(folder.path().join("mappings/account.toml")).unwrap(), "entity = 'Account'\n");
    // Stopped before its last files: a crate of its own is completed as such.
    let own = "chrono = '0.4'\ndatahub-runtime = { git = 'https://example.org/sync' }\ndiesel = '2.3'\nrust_decimal = '1'\n\
               tokio = '1'\nuuid = '1'\n";
    let folder = existing(own);
    let sample = "pub fn add(left: u64, right: u64) -> u64 {\n    left + right\n}\n";
    fs::write(folder.path().join("src/lib.rs"), sample).unwrap();
    assert_eq!(datahub(folder.path(), &["init"]).0, Some(0));
    let library = fs::read_to_string(folder.path().join("src/lib.rs")).unwrap();
    assert!(library.contains("models![Organisation]") && folder.path().join("src/main.rs").exists(), "{library}");
    let has = |file: &str| files(folder.path()).contains(&file.to_owned());
    assert!(has("migrations/HEAD"));
    // Stopped between the migration and the library: nothing is planned twice, and nothing foreign is added.
    let before = files(folder.path());
    fs::write(folder.path().join("src/lib.rs"), sample).unwrap();
    let (code, text, errors) = datahub(folder.path(), &["init"]);
    assert!(code == Some(0) && text.contains("written  src/lib.rs") && !text.contains("migrations/"), "{text}{errors}");
    assert_eq!(files(folder.path()), before);
    // Finished: nothing is missing, and the migration that it has is not its first any more.
    let (code, text, _) = datahub(folder.path(), &["init"]);
    assert!(code == Some(0) && text.starts_with("  kept     datahub.toml\nnothing is missing\n"), "{text}");
    assert!(text.contains("the next migration, when a model has changed"), "{text}");
    assert_eq!(files(folder.path()), before);
}

#[test]
fn the_workflow_installs_the_command_from_where_the_crates_are() {
    let workflow = |folder: &Path| fs::read_to_string(folder.join(".github/workflows/datahub.yml")).unwrap();
    let folder = existing("datahub-runtime = { git = 'https://example.org/sync' }");
    let (code, text, _) = datahub(folder.path(), &["init", "--ci"]);
    assert!(code == Some(0) && !text.contains("warning"), "{text}");
    assert!(workflow(folder.path()).contains("run: cargo install --git https://example.org/sync datahub-cli\n"));
    // The command of the crates that are used, not of the newest ones.
    let folder = existing("datahub-runtime = { git = 'https://example.org/sync', tag = 'v7' }");
    assert_eq!(datahub(folder.path(), &["init", "--ci"]).0, Some(0));
    let expected = "run: cargo install --git https://example.org/sync --tag v7 datahub-cli\n";
    assert!(workflow(folder.path()).contains(expected));
    // A runner may not have a folder.
    let folder = existing("datahub-runtime = { path = '../sync/datahub-runtime' }");
    let (code, text, _) = datahub(folder.path(), &["init", "--ci"]);
    assert!(
        code == Some(0) && text.contains("warning: .github/workflows/datahub.yml installs `datahub` from"),
        "{text}"
    );
    let written = workflow(folder.path());
    assert!(written.contains("run: cargo install --path ../sync/datahub-cli\n"), "{written}");
    assert!(
        written.contains("# This folder, and the one that Cargo.toml names, must be in this repository"),
        "{written}"
    );
    // A member of a workspace.
    let folder = existing("datahub-runtime.workspace = true");
    let member = folder.path().join("shop");
    fs::create_dir(&member).unwrap();
    fs::rename(folder.path().join("Cargo.toml"), member.join("Cargo.toml")).unwrap();
    let shared = "[workspace]\nmembers = ['shop']\n[workspace.dependencies]\ndatahub-runtime = ";
    fs::write(folder.path().join("Cargo.toml"), format!("{shared}{{ path = '../sync/datahub-runtime' }}\n")).unwrap();
    assert_eq!(datahub(&member, &["init", "--ci"]).0, Some(0));
    assert!(workflow(&member).contains("run: cargo install --path ../../sync/datahub-cli\n"));
    let folder = existing("");
    let (code, _, errors) = datahub(folder.path(), &["init", "--ci"]);
    assert!(code == Some(2) && errors.contains("--from <FOLDER|URL>"), "{errors}");
    assert_eq!(files(folder.path()), ["Cargo.toml", "src/lib.rs"], "nothing is written before everything is known");
    // As the help says.
    let from = "https://git.example.org/data-hub-sync.git";
    assert!(datahub(folder.path(), &["init", "--help"]).1.contains(&format!("datahub init --ci --from {from}\n")));
    assert_eq!(datahub(folder.path(), &["init", "--ci", "--from", from]).0, Some(0));
}

#[test]
fn the_workflow_checks_what_must_be_up_to_date() {
    let folder = existing("datahub-runtime = { git = 'https://example.org/sync' }");
    fs::write(folder.path().join("datahub.toml"), "docs = 'pages'\n").unwrap();
    assert_eq!(datahub(folder.path(), &["init", "--ci"]).0, Some(0));
    let text = fs::read_to_string(folder.path().join(".github/workflows/datahub.yml")).unwrap();
    for step in ["datahub check --format github", "datahub migrate check", "datahub docs --check", "cargo test"] {
        assert!(text.contains(&format!("        run: {step}\n")), "{text}");
    }
    // The pages are checked once they exist, where this project has them.
    assert!(
        text.contains("        if: hashFiles('pages/*.digest') != ''\n        run: datahub docs --check\n"),
        "{text}"
    );
    assert!(!text.contains("{{"), "{text}");
}

#[test]
fn what_cannot_be_begun_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, errors) = datahub(folder.path(), &["init", "hub"]);
    assert!(code == Some(2) && errors.contains("add `--from <FOLDER|URL>`"), "{errors}");
    let (code, _, errors) = datahub(folder.path(), &["init", "hub", "--from", "nowhere"]);
    assert!(code == Some(2) && errors.contains("nowhere is not the folder of Data Hub Sync"), "{errors}");
    let (code, _, errors) = datahub(folder.path(), &["init", "1st", "--from", "https://example.org/sync"]);
    assert!(code == Some(2) && errors.contains("cargo init failed"), "{errors}");
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    let (code, _, errors) = datahub(folder.path(), &["init"]);
    assert!(code == Some(2) && errors.contains("has no package"), "{errors}");
}
