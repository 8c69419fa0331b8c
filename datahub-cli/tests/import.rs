//! `datahub import` as its users see it: transcripts, a folder each in `tests/import`.
//!
//! `SNAPSHOTS=overwrite` renews what the commands answer.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapbox::{Assert, Data};

/// Runs the commands of a transcript in a new project, and writes it down again.
fn replayed(transcript: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("datahub.toml"), "metadata = \"mappings/metadata.xml\"\n").unwrap();
    let sources = folder.path().join("sources");
    fs::create_dir(&sources).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datahub-import/tests/fixtures");
    for fixture in fs::read_dir(fixtures).unwrap() {
        let path = fixture.unwrap().path();
        fs::copy(&path, sources.join(path.file_name().unwrap())).unwrap();
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_datahub")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut replayed = String::new();
    for command in transcript.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let run = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("COLUMNS", "120")
            .output()
            .unwrap();
        replayed.push_str(&format!("$ {command}\n{}", String::from_utf8(run.stdout).unwrap()));
        assert!(replayed.ends_with('\n'), "the output of `{command}` does not end with a line");
        if let Some(code) = run.status.code().filter(|code| *code != 0) {
            replayed.push_str(&format!("? {code}\n"));
        }
    }
    replayed
}

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 10);
    let assert = Assert::new().action_env("SNAPSHOTS");
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let path = case.join("transcript.txt");
            let replayed = replayed(&fs::read_to_string(&path).unwrap());
            assert
                .try_eq(Some(&path.display()), replayed.into(), Data::read_from(&path, None).raw())
                .err()
                .map(|error| error.to_string())
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
