//! `datahub environment rename`, as its users see it: the name of a database's environment is corrected, and nothing else.
#![cfg(test)]

use std::fs;
use std::process::Command;

use datahub_runtime::testing::Kit;

#[test]
fn a_misspelt_environment_is_renamed_once() {
    let kit = Kit::new(example_domain::METADATA);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connects = |environment: &str| {
        let hub = kit.hub(example_domain::models()).environment(environment).connect();
        runtime.block_on(hub).map(drop).map_err(|error| error.to_string())
    };
    connects("prodction").unwrap();
    let told = connects("production").unwrap_err();
    assert!(told.contains("run `datahub environment rename prodction NAME`"), "{told}");

    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("datahub.toml"), "").unwrap();
    let rename = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_datahub"))
            .args(["environment", "rename"])
            .args(arguments)
            .args(["--database", &kit.database()])
            .current_dir(project.path())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = rename(&["demo", "production"]);
    assert!(code == Some(1) && said.contains("belongs to the environment `prodction`, not to `demo`"), "{said}");
    let (code, said) = rename(&["prodction", "production"]);
    let expected = "the database belongs to `production` now, and nothing else has changed; start its programs again, with \
                    `.environment(\"production\")`\n";
    assert_eq!((code, said.as_str()), (Some(0), expected));
    connects("production").unwrap();
    let (code, said) = rename(&["prodction", "production", "--json"]);
    assert!(code == Some(1) && said.contains("\"error\""), "{said}");
    let (code, said) = rename(&["production", "live", "--json"]);
    assert_eq!((code, said.trim()), (Some(0), r#"{"environment":"live","from":"production"}"#));
}

#[test]
fn a_wrong_address_creates_nothing() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("datahub.toml"), "").unwrap();
    fs::write(project.path().join("empty.db"), "").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
        let output = command.args(arguments).current_dir(project.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for command in [&["environment", "rename", "a", "b"][..], &["adopt", "b"]] {
        let (code, said) = run(&[command, &["--database", "sqlite://none.db"]].concat());
        assert!(
            code == Some(2) && said.contains("the database none.db cannot be opened: there is no such file"),
            "{said}"
        );
        assert!(!project.path().join("none.db").exists(), "{command:?}");
        let (code, said) = run(&[command, &["--database", "sqlite://empty.db"]].concat());
        let expected = "the database empty.db has no tables of a hub of this version; check the address";
        assert!(code == Some(1) && said.contains(expected) && said.ends_with("; nothing was changed\n"), "{said}");
    }
}
