//! A project's files, as derives and the command line read them.
#![cfg(test)]

use std::fs;
use std::path::Path;

use datahub_derive::project::{NoContract, NoProject, NoSnapshot, Project};
use tempfile::TempDir;

const METADATA: &str = r#"<Edmx><Schema Namespace="Ns"><EntityType Name="Account"><Key><PropertyRef Name="AccountId"/></Key>
<Property Name="AccountId" Type="Edm.Guid"/></EntityType>
<EntityContainer><EntitySet Name="AccountSet" EntityType="Ns.Account"/></EntityContainer></Schema></Edmx>"#;

fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        write(folder.path(), file, text);
    }
    folder
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_root_is_the_nearest_folder_with_a_mark() {
    let folder = project(&[("datahub.toml", ""), ("inner/datahub.toml", ""), ("inner/deep/a", ""), ("other/a", "")]);
    let root = |of: &str| Project::root_of(&folder.path().join(of)).map(Path::to_path_buf);
    assert_eq!(root("inner/deep"), Some(folder.path().join("inner")));
    assert_eq!(root("inner"), Some(folder.path().join("inner")));
    assert_eq!(root("other"), Some(folder.path().to_path_buf()));
}

#[test]
fn what_marks_no_project_says_why() {
    let folder = project(&[("faulty/datahub.toml", "contract = 'm'")]);
    assert!(matches!(Project::open(folder.path()), Err(NoProject::Unread(_))));
    let error = Project::open(folder.path().join("faulty")).unwrap_err();
    assert!(matches!(&error, NoProject::Faulty(fault) if fault.place.line == 1), "{error:?}");
    assert!(error.to_string().contains("--> datahub.toml:1:1"), "{error}");
}

#[test]
fn contracts_are_the_toml_files_of_their_folder_and_of_no_other() {
    let files =
        [("datahub.toml", "contracts = 'm'"), ("m/b.toml", "b"), ("m/a.toml", "a"), ("m/a.md", ""), ("a.toml", "")];
    let folder = project(&files);
    let project = Project::open(folder.path()).unwrap();
    assert_eq!(project.contract_names().unwrap(), ["a.toml", "b.toml"]);
    let file = project.contract("b.toml").unwrap();
    assert_eq!((file.shown.as_str(), file.text.as_str()), ("m/b.toml", "b"));
    let absolute = folder.path().join("a.toml");
    for outside in ["../a.toml", "../m/a.toml", "./../a.toml", absolute.to_str().unwrap()] {
        assert!(matches!(project.contract(outside), Err(NoContract::Outside(_))), "{outside}");
    }
    assert!(matches!(project.contract("c.toml"), Err(NoContract::Unread(_))));
}

#[test]
fn what_datahub_toml_names_is_inside_the_project() {
    let outside = ["..", "../x", "a/../../x", "/etc", "//host/x", r"..\x", r"a\..\..\x", r"\x", "C:/x", r"C:\x"];
    for path in outside {
        for key in ["contracts", "metadata", "models", "migrations", "docs"] {
            let folder = project(&[("datahub.toml", &format!("{key} = '{path}'"))]);
            let error = Project::open(folder.path()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{key}` must be inside the project")), "{key} {path}: {error}");
        }
    }
}

#[test]
fn a_snapshot_is_parsed_once_until_it_is_written_again() {
    let folder = project(&[("datahub.toml", "metadata = 'm.xml'"), ("m.xml", METADATA)]);
    let project = Project::open(folder.path()).unwrap();
    let read = || project.snapshot().map(|snapshot| snapshot.expect("datahub.toml names one").metadata);
    let (first, second) = (read().unwrap(), read().unwrap());
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    let file = fs::File::options().write(true).open(folder.path().join("m.xml")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert!(!std::sync::Arc::ptr_eq(&first, &read().unwrap()), "a file that was written again is read again");
    write(folder.path(), "m.xml", "no metadata");
    assert!(matches!(read(), Err(NoSnapshot::NoMetadata { shown, .. }) if shown == "m.xml"));
    fs::remove_file(folder.path().join("m.xml")).unwrap();
    assert!(matches!(read(), Err(NoSnapshot::Unread { shown, .. }) if shown == "m.xml"));
}

#[test]
fn a_project_without_a_snapshot_has_none() {
    let folder = project(&[("datahub.toml", "")]);
    assert!(Project::open(folder.path()).unwrap().snapshot().unwrap().is_none());
}
