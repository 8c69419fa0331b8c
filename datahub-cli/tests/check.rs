//! `datahub check` as its users see it: text, JSON and exit codes.
#![cfg(test)]

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

const METADATA: &str = r#"<Edmx><Schema Namespace="Ns"><EntityType Name="Account"><Key><PropertyRef Name="AccountId"/></Key>
<Property Name="AccountId" Type="Edm.Guid"/><Property Name="Name" Type="Edm.String"/>
<Property Name="ModifiedOn" Type="Edm.DateTime"/><Property Name="CreatedOn" Type="Edm.DateTime"/>
<Property Name="ModifiedBy" Type="Ns.EntityReference"/></EntityType>
<EntityContainer><EntitySet Name="AccountSet" EntityType="Ns.Account"/></EntityContainer></Schema></Edmx>"#;

fn project(contract: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mappings")).unwrap();
    fs::write(folder.path().join("datahub.toml"), "metadata = 'mappings/metadata.xml'").unwrap();
    fs::write(folder.path().join("mappings/metadata.xml"), METADATA).unwrap();
    fs::write(folder.path().join("mappings/account.toml"), contract).unwrap();
    folder
}

fn datahub(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_datahub")).args(arguments).current_dir(folder.path()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn faultless_contracts_pass() {
    let folder = project("entity = 'Account'\n[attributes]\nName = { kind = 'string' }");
    let (code, text, _) = datahub(&folder, &["check"]);
    assert_eq!((code, text.trim()), (Some(0), "1 contracts checked by themselves and against $metadata: 0 faults"));
}

#[test]
fn a_fault_shows_file_line_column_and_the_line_itself() {
    let folder = project("entity = 'Account'\n[attributes]\nNmae = { kind = 'string' }");
    let (code, text, _) = datahub(&folder, &["check"]);
    assert_eq!(code, Some(1));
    for part in
        ["mappings/account.toml:3:1", "3 | Nmae = { kind = 'string' }", "did you mean `Name`?", "[not-in-metadata]"]
    {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn machines_get_json() {
    let folder = project("entity = 'Account'\n[attributes]\nName = { kind = 'money' }");
    let (code, text, _) = datahub(&folder, &["check", "--json"]);
    assert_eq!(code, Some(1));
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["code"], &lines[0]["line"]), (&"wrong-kind".into(), &3.into()));
    assert_eq!(lines[1]["faults"], 1);
}

/// A tool that marks the place needs all of these, and does not parse the text for people.
#[test]
fn json_says_where_and_what() {
    let folder = project("entity = 'Account'\n[attributes]\nName = { kind = 'string', max-lenght = 3 }");
    let (_, text, _) = datahub(&folder, &["check", "--json"]);
    let found: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let expected = serde_json::json!({
        "contract": "mappings/account.toml",
        "line": 3,
        "column": 27,
        "code": "unknown-key",
        "message": "unknown key `max-lenght` in an attribute",
        "help": "did you mean `max-length`?",
    });
    assert_eq!(found, expected);
}

#[test]
fn a_lookup_that_points_to_no_entity_is_a_fault() {
    let folder = project("entity = 'Account'\n[attributes]\nModifiedBy = { kind = 'lookup', target = 'acount' }");
    let (code, text, _) = datahub(&folder, &["check"]);
    assert_eq!(code, Some(1));
    for part in ["unknown target `acount` of `ModifiedBy`: $metadata has no such entity", "did you mean `account`?"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn a_folder_without_contracts_is_an_error() {
    let folder = project("entity = 'Account'");
    fs::remove_file(folder.path().join("mappings/account.toml")).unwrap();
    let (code, text, errors) = datahub(&folder, &["check"]);
    assert!(code == Some(2) && text.is_empty() && errors.contains("has no contract"), "{code:?} {text} {errors}");
}

#[test]
fn a_folder_without_a_project_has_another_exit_code_than_faults() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = datahub(&folder, &["check"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no datahub.toml"), "{error}");
}

#[test]
fn a_snapshot_that_cannot_be_read_hides_no_fault_of_a_contract() {
    let folder = project("entity = 'Account'\n[attributes]\nName = { kind = 'sting' }");
    fs::write(folder.path().join("mappings/metadata.xml"), "no metadata").unwrap();
    let (code, text, errors) = datahub(&folder, &["check"]);
    assert!(text.contains("unknown kind `sting`") && text.contains("by themselves: 1 fault"), "{text}");
    assert!(code == Some(2) && errors.contains("mappings/metadata.xml"), "{code:?} {errors}");
}

#[test]
fn the_faults_of_all_contracts_count() {
    let folder = project("entity = 'Account'\n[attributes]\nNmae = { kind = 'string' }");
    let second = |name: &str, contract| fs::write(folder.path().join("mappings").join(name), contract).unwrap();
    second("branch.toml", "entity = 'Account'\n[attributes]\nName = { kind = 'money' }");
    second("zone.toml", "entity = 'Account'\n[attributes]\nName = { kind = 'string' }");
    // Another file is not read as a contract.
    second("account.toml.bak", "no contract");
    let (code, text, _) = datahub(&folder, &["check", "--json"]);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let contracts: Vec<_> = lines.iter().filter_map(|line| line["contract"].as_str()).collect();
    assert_eq!(contracts, ["mappings/account.toml", "mappings/branch.toml"]);
    let last = lines.last().unwrap();
    assert_eq!((code, &last["contracts"], &last["faults"]), (Some(1), &3.into(), &2.into()));
}

#[test]
fn the_root_can_be_given_and_paths_are_relative_to_it() {
    let folder = project("entity = 'Account'\n[attributes]\nName = { kind = 'money' }");
    let elsewhere = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    for arguments in [["--root", root, "check"], ["check", "--root", root]] {
        let (code, text, errors) = datahub(&elsewhere, &arguments);
        assert!(code == Some(1) && errors.is_empty(), "{code:?} {errors}");
        assert!(text.contains("[wrong-kind]") && text.contains("and against $metadata: 1 fault"), "{text}");
    }
    let (code, _, errors) = datahub(&folder, &["--root", elsewhere.path().to_str().unwrap(), "check"]);
    assert!(code == Some(2) && !errors.is_empty(), "{code:?} {errors}");
}
