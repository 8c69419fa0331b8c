//! `datahub check` on migrations and documentation that are behind the models: it says so, and it is no fault.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

const MODEL: &str = "use datahub_runtime::prelude::*;\n\n#[derive(Clone, Debug, CdmsSynced)]\n\
                     #[cdms(mapping = \"account.toml\", table = \"firms\", mode = \"mirror\")]\npub struct Firm {\n    \
                     #[cdms(key)]\n    pub id: Id<Firm>,\n    #[cdms(\"Name\")]\n    pub name: Option<String>,\n}\n";

fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("datahub.toml", "databases = ['sqlite']"),
        ("Cargo.toml", "[dependencies]\ndiesel = '2'"),
        ("mappings/account.toml", "entity = 'Account'\n[attributes]\nName = { kind = 'string' }\n"),
        ("src/lib.rs", MODEL),
    ] {
        write(folder.path(), file, text);
    }
    folder
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The exit code and the output.
fn datahub(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
    let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The text of the two checks, and what they say to machines.
fn standing(folder: &TempDir, expected: i32) -> (String, Vec<Value>) {
    let is_asked = |name: &str| name == "migrations" || name == "docs";
    let (code, text) = datahub(folder, &["check"]);
    assert_eq!(code, Some(expected), "{text}");
    let lines: Vec<_> = text.lines().filter(|line| line.split_whitespace().next().is_some_and(is_asked)).collect();
    let (code, json) = datahub(folder, &["check", "--json"]);
    assert_eq!(code, Some(expected), "{json}");
    let found = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found = found.filter(|line| line.get("checked").is_some() && line["check"].as_str().is_some_and(is_asked));
    (lines.join("\n"), found.collect())
}

#[test]
fn what_is_behind_the_models_is_shown() {
    let folder = project();
    let (text, found) = standing(&folder, 0);
    assert_eq!(
        text,
        "migrations none yet; `datahub migrate new` writes the first\n\
         docs       no digests in docs/mappings yet; `datahub docs` writes them"
    );
    assert_eq!(found[0], json!({"check": "migrations", "checked": 0, "faults": 0}));

    assert_eq!(datahub(&folder, &["migrate", "new", "first"]).0, Some(0));
    assert_eq!(datahub(&folder, &["docs"]).0, Some(0));
    let (text, found) = standing(&folder, 0);
    assert_eq!(
        text,
        "migrations 1 migration; the models agree with the last one\n\
         docs       2 models and contracts; the documentation is up to date"
    );
    assert_eq!(found[1], json!({"check": "docs", "checked": 2, "faults": 0}));

    let notes = "    #[cdms(local, sql_type = \"string\")]\n    pub notes: Option<String>,\n}\n";
    let more = MODEL.strip_suffix("}\n").unwrap().to_owned() + notes;
    write(folder.path(), "src/lib.rs", &more);
    let (text, found) = standing(&folder, 0);
    assert_eq!(
        text,
        "migrations 1 migration; the models need another one; run `datahub migrate new`\n\
         docs       2 models and contracts; the documentation is not up to date for model `Firm`; run `datahub docs`"
    );
    assert_eq!(found[0]["left"], json!(["the models need another one; run `datahub migrate new`"]));
    assert_eq!(found[1]["left"], json!(["the documentation of model `Firm` is stale"]));
    // The commands for CI say the same.
    assert_eq!(datahub(&folder, &["migrate", "check"]).0, Some(1));
    assert_eq!(datahub(&folder, &["docs", "--check"]).0, Some(1));

    write(folder.path(), "src/lib.rs", &MODEL.replace("    #[cdms(\"Name\")]\n    pub name: Option<String>,\n", ""));
    let (text, _) = standing(&folder, 0);
    assert!(text.contains("need another one, for which something must be decided"), "{text}");
}

#[test]
fn with_faults_in_the_models_neither_is_compared() {
    let folder = project();
    assert_eq!(datahub(&folder, &["migrate", "new", "first"]).0, Some(0));
    assert_eq!(datahub(&folder, &["docs"]).0, Some(0));
    write(folder.path(), "src/lib.rs", &MODEL.replace("\"mirror\"", "\"never\""));
    let (text, _) = standing(&folder, 1);
    assert_eq!(
        text,
        "migrations 1 migration, not compared with the models: there are faults\n\
         docs       2 digests, not compared with the models: there are faults"
    );
}

#[test]
fn migrations_that_do_not_agree_with_each_other_are_named() {
    let folder = project();
    assert_eq!(datahub(&folder, &["migrate", "new", "first"]).0, Some(0));
    let head = folder.path().join("migrations/HEAD");
    fs::write(&head, "0123456789abcdef\n").unwrap();
    let (text, found) = standing(&folder, 0);
    assert!(text.contains("migrations/schema.toml: its hash is"), "{text}");
    assert_eq!(found[0]["left"].as_array().unwrap().len(), 1);
    // A file that cannot be read is an error.
    fs::remove_file(&head).unwrap();
    fs::create_dir(&head).unwrap();
    let (text, _) = standing(&folder, 2);
    assert!(text.contains("migrations not compared: a file cannot be read"), "{text}");
}
